"""Why something is odd, as numbers: a language and a page make words and pictures of them later."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Where the middle 90 % of the normal values of one quantity lie, and what was observed."""

    quantity: str  # "speed", "stay" …: `unit.<quantity>` and `quantity.<quantity>` in the language catalogues
    low: float  # 5 % of this camera's normal moments lie below
    high: float  # 5 % lie above
    observed: float = 0.0
    steps: tuple[float, ...] = ()  # (21,) at or below which 0, 5, 10 … 100 % of the normal moments lie: to draw them

    @property
    def beyond(self) -> float:
        """How far outside, in widths of the range; 0 within.

        >>> Range("speed", 0.5, 1.5, 3.5).beyond
        2.0
        """
        return max(self.low - self.observed, self.observed - self.high, 0.0) / max(self.high - self.low, 1e-9)


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A normal moment to compare with: its track and time, so that a thumbnail can be shown."""

    track: int  # distinct-track key
    time: float  # UTC seconds
    box: tuple[float, float, float, float]  # pixels
    distance: float  # in usual spreads


@dataclass(frozen=True, slots=True)
class Explanation:
    """The attribute that won, how rare that is here, and what normal looks like."""

    attribute: str
    p: float  # of this attribute alone
    quantity: str  # which of `ranges` is furthest outside; "" where the attribute has no number to show
    ranges: tuple[Range, ...]
    exemplars: tuple[Exemplar, ...]  # nearest first
    hour: float  # of the camera's day, 0..24
    foot: tuple[float, float]  # where, as fractions of the picture
    track: int  # distinct-track key of the person that is explained
    time: float  # UTC seconds of the moment that is explained
    box: tuple[float, float, float, float]  # pixels, then
    watched: float = float("inf")  # person-seconds that the model has seen

    @property
    def one_in(self) -> float:
        """ "1 in N person-seconds here"; nothing is called rarer than one in ten times all that was watched."""
        return min(1.0 / self.p, max(10.0 * self.watched, 1.0))

    @property
    def observed(self) -> Range | None:
        """The range of `quantity`."""
        return next((each for each in self.ranges if each.quantity == self.quantity), None)
