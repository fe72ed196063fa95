"""From a distance to "1 in so many": split-conformal p-values by track, with a Pareto tail beyond what was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TAIL = 0.02  # share of the calibration scores that the tail is fitted to
FEWEST = 20  # scores that a tail is fitted to, or half of them all
STEEPEST, FLATTEST = 0.0, 0.5  # of the tail's shape: a tail with an end would call anything beyond it impossible
LEAST = 1e-12  # no p-value is smaller: nothing was watched for so long


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of normal moments that the memory did not know, each track weighing one in all."""

    scores: NDArray[np.float64]  # (n,) ascending
    above: NDArray[np.float64]  # (n,) weight of the scores at or above scores[i], in tracks
    tracks: float  # how many
    threshold: float = np.inf  # the tail begins here
    share: float = 0.0  # p-value at the threshold
    size: float = 1.0  # scale of the generalised Pareto distribution
    shape: float = 0.0

    @classmethod
    def fit(cls, scores: Floats, tracks: NDArray[np.int64]) -> Calibration:
        """(n,) scores of normal moments and whose they are. Infinite scores count as the largest."""
        order = np.argsort(scores, kind="stable")
        scores, tracks = np.asarray(scores, np.float64)[order], tracks[order]
        if not len(scores):
            return cls(np.zeros(0), np.zeros(0), 0.0)
        _, who, count = np.unique(tracks, return_inverse=True, return_counts=True)
        weight = 1.0 / count[who.reshape(-1)]
        above = np.cumsum(weight[::-1])[::-1]
        plain = cls(scores, above, float(len(count)))
        return plain._with_tail(weight)

    def _with_tail(self, weight: Floats) -> Calibration:
        finite = int(np.isfinite(self.scores).sum())
        if finite < 2 * FEWEST:
            beyond = finite // 2
        else:
            beyond = max(int((self.above <= TAIL * self.tracks).sum()) - (len(self.scores) - finite), FEWEST)
        if beyond < 3:
            return self
        begin = finite - beyond - 1
        threshold = float(self.scores[begin])
        shape, size = pareto(self.scores[begin + 1 : finite] - threshold, weight[begin + 1 : finite])
        share = float(min(self.above[begin + 1] / (self.tracks + 1.0), 1.0))
        return Calibration(self.scores, self.above, self.tracks, threshold, share, size, shape)

    def p(self, scores: Floats) -> Floats:
        """(q,) -> (q,): (1 + tracks' worth of calibration scores at or above) / (tracks + 1), and the tail beyond it.

        >>> Calibration.fit(np.arange(1.0, 10.0), np.arange(9)).p(np.array([5.0]))
        array([0.6])
        """
        if not self.tracks:
            return np.ones(len(scores))
        at = np.searchsorted(self.scores, scores, side="left")
        above = np.append(self.above, 0.0)[at]
        p = (1.0 + above) / (self.tracks + 1.0)
        # Beyond all that was seen counting ends at 1 / (tracks + 1): there the tail goes on.
        p = np.where(above <= 0, np.minimum(p, self._beyond(scores)), p)
        return np.clip(p, LEAST, 1.0)

    def p_left_out(self, scores: Floats, tracks: NDArray[np.int64]) -> Floats:
        """(n,) the very scores that this was made from, and whose they are -> (n,) p-values as if their own track were unknown."""
        _, who, count = np.unique(tracks, return_inverse=True, return_counts=True)
        who = who.reshape(-1)
        order = np.lexsort((-scores, who))
        starts = np.cumsum(count) - count
        sorted_scores, sorted_who = scores[order], who[order]
        rank = np.arange(len(scores)) - starts[sorted_who] + 1  # 1 for the track's highest
        new = np.append(True, (sorted_scores[1:] != sorted_scores[:-1]) | (sorted_who[1:] != sorted_who[:-1]))
        last = np.append(np.flatnonzero(new)[1:], len(scores)) - 1  # equal scores of one track share the lowest place
        own = np.empty(len(scores))
        own[order] = (rank[last][np.cumsum(new) - 1]) / count[sorted_who]
        at = np.searchsorted(self.scores, scores, side="left")
        above = np.append(self.above, 0.0)[at] - own
        p = np.maximum((1.0 + above) / max(self.tracks, 1.0), LEAST)
        return np.minimum(p, np.where(above < 1e-9, self._beyond(scores), 1.0))

    def _beyond(self, scores: Floats) -> Floats:
        """(q,) -> (q,) what the tail says; 1 below its threshold."""
        z = np.maximum(scores - self.threshold, 0.0) / self.size if np.isfinite(self.threshold) else np.zeros(len(scores))
        log = -z if self.shape < 1e-6 else -np.log1p(self.shape * z) / self.shape
        told: Floats = np.where(z > 0, self.share * np.exp(np.maximum(log, np.log(LEAST))), 1.0)
        return np.maximum(told, LEAST)


def pareto(excess: Floats, weight: Floats) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution by probability-weighted moments (Hosking & Wallis 1987).

    (n,) excesses over the threshold, positive, and their weights. The shape is kept within [0, 0.5].
    """
    order = np.argsort(excess, kind="stable")
    excess, weight = excess[order], weight[order] / weight.sum()
    mean = float((weight * excess).sum())
    below = np.cumsum(weight) - weight / 2
    first = float((weight * excess * (1 - below)).sum())  # E[X (1 - F(X))]
    gap = mean - 2 * first
    if mean <= 0:
        return 0.0, 1e-9
    shape = 2.0 - mean / gap if gap > 1e-12 * mean else STEEPEST
    shape = float(np.clip(shape, STEEPEST, FLATTEST))
    return shape, max(mean * (1 - shape), 1e-9)
