"""Champion and challenger meet on people that neither has learned from, and on the same people doing odd things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pahara.core.frozen import Frozen

from .evidence import over_tracks
from .model import Normality
from .samples import Samples

Floats = NDArray[np.float64]
PROMISED = 0.05  # share of normal tracks that may reach the level at which models are compared
SLACK = 0.02  # of AUROC, by which a challenger may lose and still count: it has seen newer days


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model did on people that it does not know."""

    beyond: float  # share of normal tracks above the level that `promised` of them should reach
    promised: float
    apart: float  # AUROC of the same tracks made odd against themselves; not a number without any
    tracks: int

    @property
    def off(self) -> float:
        """How far the share is from what was promised, as a factor: 1 is exact, 2 twice or half."""
        ratio = max(self.beyond, 0.2 * self.promised) / self.promised
        return max(ratio, 1 / ratio)

    @classmethod
    def of(cls, model: Normality, samples: Samples, *, odd: bool = False) -> Trial:
        """On these samples; `odd` also asks how well people who do odd things stand out."""
        plain = peaks_of(model, samples)[1]
        level = model.peaks.level(PROMISED)
        apart = float("nan")
        if odd:
            apart = float(np.mean([_above(peaks_of(model, stage(samples))[1], plain) for stage in STAGED.values()]))
        return cls(float((plain > level).mean()) if len(plain) else 0.0, PROMISED, apart, len(plain))


def compare(champion: Normality, challenger: Normality, samples: Samples) -> tuple[Trial, Trial, bool]:
    """-> both trials, and whether the challenger does no worse: it tells odd from normal as well, and promises as honestly."""
    a, b = Trial.of(champion, samples, odd=True), Trial.of(challenger, samples, odd=True)
    return a, b, b.apart >= a.apart - SLACK and b.off <= max(a.off, 2.0)


def peaks_of(model: Normality, samples: Samples) -> tuple[NDArray[np.int64], Floats]:
    """-> distinct tracks, and the highest evidence of each."""
    keys, where = np.unique(samples.tracks, return_inverse=True)
    evidence = over_tracks(model.judge(samples).fused, samples.tracks, samples.times, model.settings.drift)
    highest = np.zeros(len(keys))
    np.maximum.at(highest, where.reshape(-1), evidence)
    return keys, highest


def track_p(model: Normality, samples: Samples) -> tuple[Floats, Floats]:
    """-> (n,) highest evidence of each row's track, and (n,) the share of normal tracks with as much."""
    keys, highest = peaks_of(model, samples)
    p = model.peaks.p(highest)
    where = np.searchsorted(keys, samples.tracks)
    return highest[where], p[where]


def _above(odd: Floats, plain: Floats) -> float:
    n, m = len(odd), len(plain)
    return float((rankdata(np.concatenate([odd, plain]))[:n].sum() - n * (n + 1) / 2) / (n * m)) if n and m else float("nan")


def _changed(samples: Samples, **changes: Callable[[Floats], Floats]) -> Samples:
    for name, change in changes.items():
        if name in samples.features:
            samples = samples.with_feature(name, change(samples.features[name].astype(np.float64)))
    # Someone else: nobody's own memory is to be left out.
    return Samples(~samples.tracks, samples.times, samples.labels, samples.boxes, samples.size, samples.features)


def _fast(samples: Samples) -> Samples:
    return _changed(samples, motion=lambda v: v * (2.5, 2.5, 1.0), place=lambda v: v * (1.0, 1.0, 2.5, 2.5))


def _against(samples: Samples) -> Samples:
    return _changed(samples, motion=lambda v: v * (-1.0, -1.0, 1.0), place=lambda v: v * (1.0, 1.0, -1.0, -1.0))


def _low(samples: Samples) -> Samples:
    return _changed(samples, shape=lambda v: v * (0.45, 3.0))


def _lasting(samples: Samples) -> Samples:
    return _changed(samples, dwell=lambda v: v + 90.0, motion=lambda v: v * (0.02, 0.02, 1.0))


STAGED: Mapping[str, Callable[[Samples], Samples]] = Frozen({"fast": _fast, "against": _against, "low": _low, "lasting": _lasting})
