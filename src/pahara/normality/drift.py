"""Is this still the camera that was learned? Fast drift: freeze, and learn anew when it stays so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from .model import Judgement
from .samples import Samples

Fit = Literal["same", "other", "unknown"]  # what the picture says of the view
TRACKS = 24  # the last so many tracks are looked at
ODD = 0.05  # a track is odd when most of its moments are rarer than that
MANY = 14  # odd tracks among them: by chance about one in 10¹¹ even where one in ten is odd
CALM = 6  # odd tracks among them at which all is well again
MOMENTS = 4  # of a track before it counts
SETTLED = 1800.0  # seconds that it must stay so before it is learned anew
OTHER = 10.0  # seconds of another view before that counts


@dataclass(frozen=True)
class Drift:
    """The monitor's state; every step gives a new one. While `frozen`, nobody should be judged and nothing learned."""

    tracks: tuple[tuple[int, int, int], ...] = ()  # the last tracks: key, moments, odd moments
    since: float = float("nan")  # UTC seconds when it froze; not a number: it is not frozen
    why: str = ""  # "people": most of them are odd all at once; "view": the picture shows another place
    view: float = float("nan")  # UTC seconds since when the picture has shown another place
    now: float = float("-inf")  # UTC seconds

    @property
    def frozen(self) -> bool:
        """Whether the model no longer fits this camera."""
        return self.since == self.since

    @property
    def relearn(self) -> bool:
        """Whether it has stayed so: what was learned before `since` should be forgotten."""
        return self.frozen and self.now - self.since >= SETTLED

    def step(self, samples: Samples, judged: Judgement) -> Drift:
        """What a model said of samples just measured."""
        held = {key: [moments, odd] for key, moments, odd in self.tracks}
        for key, p in zip(samples.tracks.tolist(), judged.fused.tolist(), strict=True):
            if p == p:
                entry = held.setdefault(key, [0, 0])
                entry[0] += 1
                entry[1] += p <= ODD
        kept = tuple((key, moments, odd) for key, (moments, odd) in list(held.items())[-TRACKS:])
        now = float(samples.times.max(initial=self.now))
        return replace(self, tracks=kept, now=now)._decided()

    def look(self, time: float, fit: Fit) -> Drift:
        """What the picture says: a signature that no longer fits (tamper's `moved`), or fits again."""
        view = self.view
        if fit == "same":
            view = float("nan")
        elif fit == "other" and view != view:
            view = time
        return replace(self, view=view, now=max(time, self.now))._decided()

    def _decided(self) -> Drift:
        counted = [odd > moments / 2 for _, moments, odd in self.tracks if moments >= MOMENTS]
        odd = int(np.sum(counted)) if counted else 0
        elsewhere = self.view == self.view and self.now - self.view >= OTHER
        if not self.frozen:
            if elsewhere:
                return replace(self, since=self.view, why="view")
            return replace(self, since=self.now, why="people") if odd >= MANY else self
        calm = odd <= CALM if self.why == "people" else self.view != self.view
        return replace(self, since=float("nan"), why="") if calm and not elsewhere else self

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tracks": [list(each) for each in self.tracks], "since": _or_none(self.since), "why": self.why, "view": _or_none(self.view),
            "now": _or_none(self.now),
        }  # fmt: skip

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Drift:
        """What `told` gave. KeyError, TypeError or ValueError when something is missing."""
        nan = float("nan")
        return cls(
            tuple((int(a), int(b), int(c)) for a, b, c in told["tracks"]), nan if told["since"] is None else float(told["since"]),
            str(told["why"]), nan if told["view"] is None else float(told["view"]),
            float("-inf") if told["now"] is None else float(told["now"]),
        )  # fmt: skip


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
