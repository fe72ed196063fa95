"""What `pahara train` does whatever it trains: a job holds model, task, data and plan, and can examine the finished model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pahara.report.phrases import Phrase

from ..report.blocks import Block

if TYPE_CHECKING:
    from torch import nn

    from ..plan import Plan

Tell = Callable[[float], None]  # how much is done, 0..1


@dataclass(frozen=True)
class Wishes:
    """What the person asked for; None and "" leave it to the task. Plain values, so that a run's folder can keep them."""

    model: str = ""
    weights: str = ""  # --from: a run folder, a weights file, or a name of pretrained weights
    size: int | None = None  # pixels of a side
    batch: int | None = None
    workers: int | None = None
    seed: int = 0
    plan: Mapping[str, Any] = field(default_factory=dict)  # fields of `Plan` that were asked for
    options: Mapping[str, Any] = field(default_factory=dict)  # of the model
    extra: Mapping[str, Any] = field(default_factory=dict)  # of the task itself


@dataclass(frozen=True)
class Outcome:
    """A model examined on held-out data."""

    figures: Mapping[str, float]  # the numbers of the final table, the deciding one first
    headline: Phrase
    blocks: tuple[Block, ...]  # for the report, in reading order
    table: Sequence[Mapping[str, Any]] = ()  # one row a class (or a clip), for the terminal and --json
    about: Mapping[str, Any] = field(default_factory=dict)  # what the examination adds to the weights' metadata: thresholds …
    warnings: Sequence[Phrase] = ()


class Examine(Protocol):
    """The finished model on the held-out data."""

    def __call__(self, model: nn.Module, /, *, tell: Tell | None = None) -> Outcome: ...


@dataclass(frozen=True)
class Job:
    """All that training needs, made from a folder of data and wishes."""

    kind: str  # image, detector, action, anomaly
    model: nn.Module
    task: Any  # training.loop.Task
    batches: Iterable[Any]
    held_out: Iterable[Any]
    plan: Plan
    about: Mapping[str, Any]  # for the weights' metadata; its keys are those of pahara.detection.about
    data: Path
    summary: Mapping[str, Any]  # what is said before training and by --dry-run: pictures, classes, parameters …
    examine: Examine
    warnings: Sequence[str] = ()
