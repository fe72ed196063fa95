"""How well a score per frame separates abnormal from normal frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Probability that a positive frame outscores a negative one, a tie counting one half (Mann & Whitney).

    Not a number when either kind is missing.

    >>> auroc([0.1, 0.4, 0.4, 0.8], [False, False, True, True])
    0.875
    """
    values, wanted = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if values.shape != wanted.shape or values.ndim != 1:
        raise ValueError(f"need as many scores as labels, got shapes {values.shape} and {wanted.shape}")
    if np.isnan(values).any():
        raise ValueError("a score is not a number")
    n, m = int(wanted.sum()), int((~wanted).sum())
    if not n or not m:
        return float("nan")
    return float((rankdata(values)[wanted].sum() - n * (n + 1) / 2) / (n * m))


@dataclass(frozen=True, slots=True)
class FrameAuroc:
    """Frame-level AUROC of several clips, without padding."""

    micro: float  # the frames of all clips pooled
    macro: float  # mean over the clips that have both kinds of frame
    clips: int
    judged: int  # clips that have both kinds: only these can enter `macro`


def frame_auroc(clips: Iterable[tuple[ArrayLike, ArrayLike]]) -> FrameAuroc:
    """clips: (scores, positive) of each clip, one value per frame.

    >>> frame_auroc([([1, 2], [False, True]), ([5, 6], [True, True])])
    FrameAuroc(micro=1.0, macro=1.0, clips=2, judged=1)
    """
    pairs = [(np.asarray(scores, np.float64), np.asarray(positive, bool)) for scores, positive in clips]
    each = [auroc(scores, positive) for scores, positive in pairs]
    judged = [value for value in each if value == value]
    pooled = auroc(np.concatenate([s for s, _ in pairs]), np.concatenate([p for _, p in pairs])) if pairs else float("nan")
    return FrameAuroc(pooled, float(np.mean(judged)) if judged else float("nan"), len(pairs), len(judged))
