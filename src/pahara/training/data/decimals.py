"""Numbers as text, so that what was read can be written again without a trace of the arithmetic between."""

from __future__ import annotations


def told(value: float, tolerance: float = 1e-12) -> str:
    """The shortest decimal within `tolerance` of the value.

    >>> told(0.1 + 0.2), told(1 / 3), told(-0.0), told(12.0)
    ('0.3', '0.333333333333', '0', '12')
    """
    text = repr(short(value, tolerance))
    if "e" in text:  # no tool for labels reads exponents
        text = f"{float(text):.16f}".rstrip("0")
    return text.removesuffix(".0").removesuffix(".")


def short(value: float, tolerance: float = 1e-12) -> float:
    """The value rounded to as few digits as `tolerance` allows."""
    for digits in range(17):
        rounded = round(value, digits)
        if abs(rounded - value) <= tolerance:
            return rounded + 0.0
    return value
