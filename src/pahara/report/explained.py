"""What explains an event beside its reason: where the picture was strange, what is usual here, and the nearest normal examples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .picture import Picture

BINS = 56  # of the hill
PLOT = (1000.0, 100.0)  # the box that it is drawn in


@dataclass(frozen=True, slots=True)
class Usual:
    """One quantity of this camera and where the event lies in it."""

    quantity: str = ""  # `quantity.<name>` in the catalogues; "" says nothing
    unit: str = ""
    low: float = 0.0  # 5 % of normal moments lie below
    high: float = 0.0  # 5 % lie above
    observed: float = 0.0
    steps: tuple[float, ...] = ()  # at or below which 0, 5, 10 … 100 % of normal moments lie

    def __bool__(self) -> bool:
        return bool(self.quantity) and len(self.steps) > 2

    @property
    def axis(self) -> tuple[float, float]:
        """What the drawing shows: the usual range, its flanks, and what was observed."""
        width = max(self.high - self.low, 1e-6)
        least = min(max(self.low - width, self.steps[0]), self.observed)
        most = max(min(self.high + width, self.steps[-1]), self.observed)
        room = 0.04 * max(most - least, 1e-6)
        return (least if least == self.steps[0] else least - room), most + room

    def at(self, value: float) -> float:
        """A value -> its place on the axis, 0..1."""
        least, most = self.axis
        return min(1.0, max(0.0, (value - least) / (most - least)))

    def hill(self) -> str:
        """The path of how often each value is seen, in a box of 1000 × 100."""
        least, most = self.axis
        edges = np.linspace(least, most, BINS + 1)
        steps = np.asarray(self.steps) + np.arange(len(self.steps)) * 1e-9  # equal steps are one upright wall
        share = np.diff(np.interp(edges, steps, np.linspace(0, 1, len(steps)), left=0.0, right=1.0))
        padded = np.concatenate([share[:1], share, share[-1:]])
        smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        tall = np.sqrt(smooth / max(float(smooth.max()), 1e-12))  # the square root, so that what is rare shows at all
        x, y = np.linspace(0, PLOT[0], BINS + 1), PLOT[1] * (1 - 0.94 * tall)
        line = "".join(f"L{x[i]:.1f} {y[i]:.1f}L{x[i + 1]:.1f} {y[i]:.1f}" for i in range(BINS))
        return f"M0 100{line}L1000 100Z"


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Someone who behaved as is usual here."""

    picture: Picture
    time: float = 0.0  # UTC seconds


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """All of it; empty where there is nothing to show."""

    heat: Picture = b""  # the picture with what is strange in warm colours
    usual: Usual = field(default_factory=Usual)
    examples: tuple[Example, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.heat) or bool(self.usual) or bool(self.examples)


NOTHING = Explained()
