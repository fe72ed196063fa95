"""What `pahara train` does whatever it trains: a job holds model, task, data and plan, and can examine the finished model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from pahara.report.phrases import Phrase

from ..report.blocks import Block


@dataclass(frozen=True)
class Wishes:
    """What the person at the command line asked for; None and "" leave it to the task."""

    model: str = ""
    weights: str = ""  # --from: a run folder, a weights file, or a name of pretrained weights
    size: int | None = None  # pixels of a side
    batch: int | None = None
    epochs: int | None = None
    lr: float | None = None
    seed: int = 0
    freeze: int | None = None  # epochs with a frozen body when starting from weights
    options: Mapping[str, Any] = field(default_factory=dict)  # of the task itself


@dataclass(frozen=True)
class Outcome:
    """A model examined on held-out data."""

    figures: Mapping[str, float]  # the numbers of the final table, the deciding one first
    table: Sequence[Mapping[str, Any]]  # one row a class (or a clip), for the terminal and --json
    headline: Phrase
    blocks: tuple[Block, ...]  # for the report, in reading order


class Examine(Protocol):
    """The finished model on the held-out data."""

    def __call__(self, model: nn.Module, /, *, tell: Callable[[float], None] | None = None) -> Outcome: ...


@dataclass(frozen=True)
class Job:
    """All that training needs, made from a folder of data and wishes."""

    kind: str  # image, detector, action, anomaly
    model: nn.Module
    task: Any  # training.loop.Task
    batches: Iterable[Any]  # may be iterated once an epoch
    held_out: Iterable[Any]
    plan: Any  # training.plan.Plan
    about: Mapping[str, Any]  # for the weights' metadata: model, options, names, preparation
    data: Path
    summary: Mapping[str, Any]  # what --dry-run shows: pictures, classes, parameters …
    warnings: Sequence[str] = ()
    examine: Examine | None = None
