"""The alarm budget: how much evidence an alarm takes, so that normal days bring as many as their owner will look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .calibration import pareto

Floats = NDArray[np.float64]
TAIL = 100  # of the highest peaks, at most, tell how they thin out
FEWEST = 20
KEPT = 4000  # of the highest peaks


@dataclass(frozen=True, eq=False)
class Peaks:
    """The highest evidence that each normal track reached (a track alarms once: repeats fall within the cooldown)."""

    highest: NDArray[np.float64]  # (n,) descending
    tracks: int  # that were judged, with or without evidence
    per_day: float  # tracks a day

    @classmethod
    def none(cls) -> Peaks:
        return cls(np.zeros(0), 0, 0.0)

    @classmethod
    def fit(cls, evidence: Floats, tracks: NDArray[np.int64], per_day: float) -> Peaks:
        """(n,) evidence at each moment and whose it is."""
        if not len(evidence):
            return cls.none()
        order = np.argsort(tracks, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(tracks[order]) != 0))
        highest = np.sort(np.maximum.reduceat(evidence[order], starts))[::-1]
        return cls(np.ascontiguousarray(highest[:KEPT]), len(starts), per_day)

    def level(self, share: float) -> float:
        """The evidence that this share of the normal tracks reaches."""
        return self._at(share * self.tracks) if self.tracks else float("inf")

    def p(self, evidence: Floats) -> Floats:
        """(q,) highest evidence of a track -> (q,) share of normal tracks with as much, by the conformal rule."""
        reached = np.searchsorted(-self.highest, -np.asarray(evidence, np.float64), side="right").astype(np.float64)
        told = (1.0 + reached) / (self.tracks + 1.0)
        beyond = len(self.highest) < self.tracks and len(self.highest) > 0
        return np.where(evidence < self.highest[-1], 1.0, told) if beyond else told

    def threshold(self, budget_per_day: float, k: int = 1) -> float:
        """Evidence that `budget_per_day` tracks a day reach; beyond what was seen, a Pareto tail goes on.

        Up to `k` tracks that did the same rare thing are odd to each other, so the highest peaks come in clumps; the clump in
        which the wanted peak lies is on average half used up. The next who does that thing finds all of the clump and is
        normal: without the other half counted in, fewer alarms would come than were asked for.

        ValueError for a budget that is not above 0.
        """
        if not budget_per_day > 0:
            raise ValueError(f"a budget is a number of alarms a day above 0, got {budget_per_day}")
        if not self.tracks or not self.per_day:
            return float("inf")
        wanted = budget_per_day / self.per_day * self.tracks
        return self._at(wanted + min(k, wanted) / 2 if k > 1 else wanted)

    def _at(self, wanted: float) -> float:
        """The evidence that so many of the tracks seen reach."""
        if wanted >= len(self.highest):
            return 0.0
        tail = min(TAIL, max(FEWEST, self.tracks // 20), len(self.highest) - 1)
        if wanted >= tail or tail < 5:
            return float(np.interp(wanted, np.arange(len(self.highest)) + 0.5, self.highest))
        level = float(self.highest[tail])
        excess = self.highest[:tail] - level
        if excess[0] <= 0:
            return level
        shape, size = pareto(np.maximum(excess, 1e-9), np.ones(tail))
        ratio = tail / wanted
        beyond = size * np.log(ratio) if shape < 1e-6 else size * (ratio**shape - 1) / shape
        return level + float(beyond)
