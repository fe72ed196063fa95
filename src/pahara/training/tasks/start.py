"""Where training starts from: a fresh model, or one that was taught something like it before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from pahara.core import ModelError, TrainingError
from pahara.models import build

from ..plan import Plan
from ..weights import pretrained
from .job import Wishes

FROZEN = 0.15  # of the epochs, when starting from weights: the new head learns before the body may move
LAYER_DECAY = 0.75  # and then each layer group nearer to the input learns so much slower


@dataclass(frozen=True)
class Start:
    """What training begins with."""

    model: str  # name in the registry
    options: Mapping[str, Any]
    seed: int
    weights: nn.Module | None = None  # the model that `--from` named
    classes: tuple[str, ...] = ()  # that it knew
    size: int = 0  # of its input; 0 where it does not say
    preparation: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def build(self, classes: Sequence[str], options: Mapping[str, Any]) -> nn.Module:
        """The model for these classes: fresh, or the given one with a new last layer where its classes were others."""
        if self.weights is None:
            torch.manual_seed(self.seed)
            return build(self.model, **{**options, "classes": len(classes)})
        known = {**self.options}
        for name, value in options.items():
            if known.get(name, value) != value:
                raise TrainingError(
                    f"the weights were trained with {name} {known[name]!r}, not {value!r}; leave {name} as it was, or start without --from"
                )
        if tuple(classes) != self.classes:
            replace_head: Any = getattr(self.weights, "replace_head", None)
            if replace_head is None:
                raise ModelError(
                    f"the weights know {', '.join(self.classes)}, the data {', '.join(classes)}, and a {self.model} cannot change its classes; start without --from"
                )
            torch.manual_seed(self.seed)
            replace_head(len(classes))
        return self.weights

    def plan(self, usual: Plan, wishes: Wishes) -> Plan:
        """The task's usual plan, changed for transfer where weights are given, and then as the person wished."""
        asked = {"seed": wishes.seed, **wishes.plan}
        if self.weights is not None:
            epochs = int(asked.get("epochs", usual.epochs))
            usual = replace(usual, freeze=round(FROZEN * epochs), layer_decay=LAYER_DECAY)
        try:
            return replace(usual, **asked)
        except TypeError as error:
            raise TrainingError(f"a plan has no such setting: {error}") from error


def begin(kind: str, wishes: Wishes, usual: str, *, known: Sequence[str]) -> Start:
    """The start that the wishes ask for. ModelError when weights are of another kind or model than asked for."""
    from pahara.detection.zoo import did_you_mean

    if wishes.model and wishes.model not in known:
        raise ModelError(f"no {kind} model named {wishes.model!r}{did_you_mean(wishes.model, known)}; there are {', '.join(known)}")
    if not wishes.weights:
        return Start(wishes.model or usual, {}, wishes.seed)
    model, about = pretrained(wishes.weights)
    if about.get("kind", kind) != kind:
        raise ModelError(
            f"{wishes.weights} was trained for {about['kind']}, not for {kind}: pahara train {about['kind']} …, or other weights"
        )
    name = str(about["model"])
    if wishes.model and wishes.model != name:
        raise ModelError(f"{wishes.weights} holds a {name}, and --model asks for {wishes.model}; leave one of them out")
    if name not in known:
        raise ModelError(f"{wishes.weights} holds a {name}, which is no {kind} model; there are {', '.join(known)}")
    classes = tuple(about.get("classes") or about.get("names") or ())
    shape = about.get("input") or (0,)
    model.train()
    return Start(
        name,
        {key: value for key, value in dict(about.get("options", {})).items() if key != "classes"},
        wishes.seed,
        model,
        classes,
        int(shape[-1]),
        dict(about.get("preparation", {})),
        about,
        (),
    )


def parameters_of(model: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(p.numel() for p in model.parameters())


def epochs_for(steps: int, wanted: int = 600, least: int = 15, most: int = 60) -> int:
    """How often a data set of `steps` batches is seen: small ones more often, until about `wanted` steps are made.

    >>> epochs_for(4), epochs_for(20), epochs_for(500)
    (60, 30, 15)
    """
    return min(most, max(least, -(-wanted // max(1, steps))))
