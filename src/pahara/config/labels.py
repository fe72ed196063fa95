"""The class names of rules, brought together with those of the detector at hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from pahara.core import Behaviour
from pahara.core.labels import instead, widened

if TYPE_CHECKING:
    from .build import CameraPlan


def wide(behaviours: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
    """Rules for a group ("vehicle") become rules for its members too."""
    return {name: _with(each, widened(_labels(each))) for name, each in behaviours.items()}


def fit_labels(plan: CameraPlan, names: Collection[str]) -> tuple[CameraPlan, dict[str, tuple[str, ...]]]:
    """The plan for a detector that says `names` (none: nobody knows), and what it says instead of which labels.

    A rule for cars under a detector that knows vehicles alone becomes a rule for vehicles: {"vehicle": ("car",)}.
    """
    told: dict[str, tuple[str, ...]] = {}
    fitted = dict(plan.behaviours)
    for name, behaviour in plan.behaviours.items():
        labels = _labels(behaviour)
        groups = instead(labels, names)
        fitted[name] = _with(behaviour, (*labels, *groups))
        for group, unknown in groups.items():
            told[group] = tuple(dict.fromkeys((*told.get(group, ()), *unknown)))
    return (replace(plan, behaviours=fitted) if told else plan), told


def _labels(behaviour: Behaviour) -> tuple[str, ...]:
    labels = getattr(behaviour, "labels", ())
    return labels if isinstance(labels, tuple) and all(isinstance(each, str) for each in labels) else ()


def _with(behaviour: Behaviour, labels: tuple[str, ...]) -> Behaviour:
    if labels == _labels(behaviour) or not is_dataclass(behaviour):
        return behaviour
    return cast(Behaviour, replace(cast(Any, behaviour), labels=labels))
