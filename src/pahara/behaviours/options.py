"""Checks that behaviours make of their own options, each with a sentence a user can act on."""

from __future__ import annotations

from math import isfinite


def positive(behaviour: str, **values: float) -> None:
    """Raise ValueError unless every value is a number above 0."""
    for name, value in values.items():
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{behaviour}: {name} must be more than 0, got {value}")


def not_negative(behaviour: str, **values: float) -> None:
    """Raise ValueError unless every value is a number, 0 or more."""
    for name, value in values.items():
        if not (isfinite(value) and value >= 0):
            raise ValueError(f"{behaviour}: {name} must be 0 or more, got {value}")


def some_labels(behaviour: str, labels: tuple[str, ...]) -> None:
    """Raise ValueError for a plain string, which Python would read letter by letter."""
    if isinstance(labels, str) or not all(isinstance(label, str) and label for label in labels):
        raise ValueError(f"{behaviour}: labels is a list of class names such as [person, car], got {labels!r}")
