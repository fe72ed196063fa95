"""Whether a detector finds staged people as easily as real ones of the same size: the realism gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import Observation

Floats = NDArray[np.floating[Any]]
LONG = 1.5  # seconds that a track lasts at least
ROWS = 8  # and beats
BINS = 3  # sizes per doubling of the height
FEWEST = 30  # beats on either side of a size below which it is not compared
RESAMPLES = 400
CLOSE = 0.07  # of confidence: a gap that lies within plus and minus this is small


@dataclass(frozen=True)
class Sizes:
    """How sure the detector was: one row for each beat of each person it followed. Row i of every column is the same beat."""

    who: NDArray[np.int64]  # (n,) identity
    heights: Floats  # (n,) pixels
    confidence: Floats  # (n,) 0 where it was overlooked

    def __len__(self) -> int:
        return len(self.who)

    @classmethod
    def join(cls, parts: Iterable[Sizes]) -> Sizes:
        """Identities stay apart."""
        made, shift = list(parts), 0
        who = []
        for part in made:
            who.append(part.who + shift)
            shift += int(part.who.max(initial=-1)) + 1
        if not made:
            return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
        return cls(np.concatenate(who), np.concatenate([p.heights for p in made]), np.concatenate([p.confidence for p in made]))


@dataclass
class Followed:
    """What a tracker followed, beat by beat: both real and staged people are measured through it, so both are favoured alike."""

    rows: dict[int, list[tuple[float, tuple[float, float, float, float], bool, float]]] = field(default_factory=dict)

    def add(self, seen: Observation) -> None:
        """One beat at which the detector looked."""
        for id_, box, label, found, score in zip(
            seen.ids.tolist(), seen.boxes.tolist(), seen.labels, seen.seen.tolist(), seen.scores.tolist(), strict=True
        ):
            if label == "person":
                self.rows.setdefault(id_, []).append((seen.time, (box[0], box[1], box[2], box[3]), found, score))

    def sizes(self, size: tuple[int, int], only: Sequence[int] | None = None) -> Sizes:
        """Each track from its first to its last sighting, where it is wholly in the picture."""
        who, heights, confidence = [], [], []
        for id_, rows in self.rows.items():
            seen = [k for k, row in enumerate(rows) if row[2]]
            if (only is not None and id_ not in only) or len(seen) < ROWS or rows[seen[-1]][0] - rows[seen[0]][0] < LONG:
                continue
            for _, box, found, score in rows[seen[0] : seen[-1] + 1]:
                x1, y1, x2, y2 = box
                if x1 > 2 and y1 > 2 and x2 < size[0] - 2 and y2 < size[1] - 2:
                    who.append(id_)
                    heights.append(y2 - y1)
                    confidence.append(score if found else 0.0)
        return Sizes(np.array(who, np.int64), np.array(heights), np.array(confidence))


@dataclass(frozen=True)
class Gap:
    """Staged people against real ones of the same size. Negative: staged people are harder to find than real ones."""

    confidence: float  # mean confidence (0 where overlooked), staged minus real
    low: float  # 95 % interval of it, resampled by person
    high: float
    recall: float  # share of beats found with at least `sure`, staged minus real
    recall_real: float
    recall_staged: float
    sure: float
    real: int  # people
    staged: int
    beats_real: int
    beats_staged: int
    heights: tuple[float, float]  # pixels: the sizes that could be compared

    @property
    def verdict(self) -> str:
        """close, easier, harder, or unknown: where the interval is wide or nothing could be compared."""
        if not self.real or not np.isfinite(self.confidence):
            return "unknown"
        if self.low > 0 and self.confidence > CLOSE:
            return "easier"
        if self.high < 0 and self.confidence < -CLOSE:
            return "harder"
        return "close" if max(abs(self.low), abs(self.high)) < 2.2 * CLOSE else "unknown"


NOTHING = Gap(float("nan"), float("nan"), float("nan"), float("nan"), float("nan"), float("nan"), 0.5, 0, 0, 0, 0, (0.0, 0.0))


def realism_gap(real: Sizes, staged: Sizes, *, sure: float = 0.5, seed: int = 0) -> Gap:
    """Within each third of a doubling in height, then averaged over the sizes as often as both sides have them."""
    if not len(real) or not len(staged):
        return NOTHING
    bins = [np.floor(np.log2(np.maximum(s.heights, 1.0)) * BINS).astype(int) for s in (real, staged)]
    shared = [b for b in np.unique(bins[0]) if (bins[0] == b).sum() >= FEWEST and (bins[1] == b).sum() >= FEWEST]
    if not shared:
        return NOTHING
    weights = np.array([min((bins[0] == b).sum(), (bins[1] == b).sum()) for b in shared], np.float64)
    rng = np.random.default_rng(seed)

    def means(values: Sequence[Floats], rows: list[NDArray[np.intp]]) -> tuple[float, float]:
        out = []
        for side in (0, 1):
            v, b = values[side][rows[side]], bins[side][rows[side]]
            per = np.array([v[b == k].mean() if (b == k).any() else np.nan for k in shared])
            good = np.isfinite(per)
            out.append(float((per * weights)[good].sum() / weights[good].sum()) if good.any() else float("nan"))
        return out[0], out[1]

    rows_of = [[np.flatnonzero(s.who == w) for w in np.unique(s.who)] for s in (real, staged)]
    everything = [np.arange(len(real)), np.arange(len(staged))]
    confidence = [real.confidence, staged.confidence]
    mean_real, mean_staged = means(confidence, everything)
    found = [(c >= sure).astype(np.float64) for c in confidence]
    recall_real, recall_staged = means(found, everything)
    gaps = []
    for _ in range(RESAMPLES):
        drawn = [np.concatenate([r[k] for k in rng.integers(len(r), size=len(r))]) for r in rows_of]
        a, b = means(confidence, drawn)
        if np.isfinite(a) and np.isfinite(b):
            gaps.append(b - a)
    low, high = np.percentile(gaps, [2.5, 97.5]) if gaps else (float("nan"), float("nan"))
    inside = [np.isin(b, shared) for b in bins]
    return Gap(
        mean_staged - mean_real, float(low), float(high), recall_staged - recall_real, recall_real, recall_staged, sure,
        len(np.unique(real.who[inside[0]])), len(np.unique(staged.who[inside[1]])), int(inside[0].sum()), int(inside[1].sum()),
        (float(2 ** (min(shared) / BINS)), float(2 ** ((max(shared) + 1) / BINS))),
    )  # fmt: skip
