"""How well an anomaly score per frame does, beside scores that look at nothing, in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d

from .alarms import Interval
from .auroc import auroc, frame_auroc

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SIGMA = 10.0  # frames: spread of the Gaussian of published smoothing (papers use 3 to 30)
DRAWS = 20  # of the random null
ROUNDS = 2000  # of the bootstrap
NULLS = ("null_bump", "null_random")


@dataclass(frozen=True, slots=True)
class AurocRow:
    """Frame AUROC of one way to score the same clips."""

    name: str
    micro: float  # all frames pooled
    macro: float  # mean over the clips that have both kinds of frame
    low: float  # 95 % interval of `micro`, drawing whole clips; not a number for fewer than two
    high: float
    smoothed_micro: float  # published-style: not causal, every clip stretched to 0..1; comparable with papers, impossible at a camera
    smoothed_macro: float


@dataclass(frozen=True, slots=True)
class AurocTable:
    """Ways to score the same clips, nulls last."""

    rows: tuple[AurocRow, ...]
    clips: int
    judged: int  # clips with normal and abnormal frames: only these enter the macro figures
    frames: int
    positive: int  # abnormal frames
    sigma: float  # frames, of the smoothed columns

    def __getitem__(self, name: str) -> AurocRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)


def auroc_table(
    columns: Mapping[str, Sequence[ArrayLike]],
    positive: Sequence[ArrayLike],
    *,
    people: Sequence[ArrayLike] | None = None,
    sigma: float = SIGMA,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> AurocTable:
    """`columns`: name -> the scores of each clip (one a frame); `positive`: the truth of each clip.

    The nulls are added: the centre bump, and random numbers taken through the same way as a score of people
    (`people`: how many were seen in each frame of each clip; one everywhere when left out). ValueError when shapes differ.

    >>> table = auroc_table({"speed": [[0, 1, 5, 6], [1, 2]]}, [[0, 0, 1, 1], [1, 1]], rounds=0)
    >>> [row.name for row in table.rows], table.judged, table["speed"].micro, table["speed"].macro
    (['speed', 'null_bump', 'null_random'], 1, 0.9375, 1.0)
    """
    truth = [np.asarray(each, bool) for each in positive]
    seen = [np.ones(len(each), np.int64) for each in truth] if people is None else [np.asarray(each, np.int64) for each in people]
    if [len(each) for each in seen] != [len(each) for each in truth]:
        raise ValueError("people and truth must have as many frames in each clip")
    rows = [_row(name, [np.asarray(each, np.float64) for each in scores], truth, sigma, rounds, seed) for name, scores in columns.items()]
    rows.append(_row("null_bump", [centre_bump(len(each)) for each in truth], truth, sigma, rounds, seed))
    rng = np.random.default_rng(seed)
    rows.append(_mean_row("null_random", [_row("", [random_null(k, rng) for k in seen], truth, sigma, 0, seed) for _ in range(DRAWS)]))
    judged = sum(bool(each.any() and not each.all()) for each in truth)
    return AurocTable(tuple(rows), len(truth), judged, sum(map(len, truth)), sum(int(each.sum()) for each in truth), sigma)


def centre_bump(frames: int) -> Floats:
    """(frames,) A score that looks at no video: −|t/T − ½|, highest in the middle of the clip.

    >>> centre_bump(4).tolist()
    [-0.5, -0.25, -0.0, -0.25]
    """
    return -np.abs(np.arange(frames) / max(frames, 1) - 0.5)


def random_null(people: ArrayLike, rng: np.random.Generator) -> Floats:
    """A random number for everybody in each frame, and the frame takes the highest: what counting people alone is worth.

    `people`: (n,) how many were seen; a frame without anyone gets 0. The highest of k uniform numbers is u^(1/k).
    """
    count = np.asarray(people, np.float64)
    return np.where(count > 0, rng.random(len(count)) ** (1 / np.maximum(count, 1)), 0.0)


def frame_scores(rows: ArrayLike, frames: ArrayLike, count: int, *, empty: float = 0.0) -> Floats:
    """(count,) The highest of the scores `rows` (n,) that belong to each frame (`frames`, (n,), from 0); `empty` without any.

    >>> frame_scores([0.2, 0.9, 0.4], [0, 0, 2], 3).tolist()
    [0.9, 0.0, 0.4]
    """
    best = np.full(count, -np.inf)
    np.maximum.at(best, np.asarray(frames, np.intp), np.asarray(rows, np.float64))
    return np.where(np.isneginf(best), empty, best)


def published_smoothing(scores: ArrayLike, sigma: float = SIGMA) -> Floats:
    """As most papers report: a Gaussian over the clip (it looks `sigma` frames and more ahead), then the clip stretched to 0..1.

    The stretching uses the clip's own extremes and so assumes that each has something abnormal: label it wherever it stands.

    >>> published_smoothing([2, 4, 6], sigma=1e-6).tolist()
    [0.0, 0.5, 1.0]
    """
    values = np.asarray(scores, np.float64)
    if not len(values):
        return values
    smooth: Floats = gaussian_filter1d(values, max(sigma, 1e-6), mode="nearest") if sigma > 0.05 else values
    low, high = smooth.min(), smooth.max()
    return (smooth - low) / (high - low) if high > low else np.zeros(len(values))


def micro_interval(clips: Sequence[tuple[ArrayLike, ArrayLike]], *, rounds: int = ROUNDS, seed: int = 0) -> Interval:
    """Micro AUROC with its 95 % interval, drawing whole clips with replacement (frames of one clip resemble each other).

    Draws without normal or without abnormal frames are left out. The ends are not numbers with fewer than two clips.

    >>> micro_interval([([1, 2], [0, 1]), ([1, 2], [0, 1])]).low
    1.0
    """
    pairs = [(np.asarray(s, np.float64), np.asarray(p, bool)) for s, p in clips]
    micro = frame_auroc(pairs).micro
    if len(pairs) < 2 or not rounds:
        return Interval(micro, float("nan"), float("nan"))
    good = [np.sort(s[~p]) for s, p in pairs]
    bad = [s[p] for s, p in pairs]
    # wins[i, j]: pairs of an abnormal frame of clip i and a normal frame of clip j in right order, ties one half.
    wins = np.array([[(g.searchsorted(b, "left") + g.searchsorted(b, "right")).sum() / 2 for g in good] for b in bad])
    n_bad, n_good = np.array([len(b) for b in bad], float), np.array([len(g) for g in good], float)
    drawn = np.random.default_rng(seed).multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), rounds).astype(float)
    every = (drawn @ n_bad) * (drawn @ n_good)
    right = ((drawn @ wins) * drawn).sum(1)
    told = right[every > 0] / every[every > 0]
    if not len(told):
        return Interval(micro, float("nan"), float("nan"))
    low, high = np.quantile(told, (0.025, 0.975))
    return Interval(micro, float(low), float(high))


def _row(name: str, scores: Sequence[Floats], truth: Sequence[Bools], sigma: float, rounds: int, seed: int) -> AurocRow:
    if len(scores) != len(truth):
        raise ValueError(f"{name}: scores of {len(scores)} clips for the truth of {len(truth)}")
    clips = list(zip(scores, truth, strict=True))
    plain = frame_auroc(clips)
    smooth = frame_auroc([(published_smoothing(each, sigma), wanted) for each, wanted in clips])
    interval = micro_interval(clips, rounds=rounds, seed=seed)
    return AurocRow(name, plain.micro, plain.macro, interval.low, interval.high, smooth.micro, smooth.macro)


def _mean_row(name: str, rows: Sequence[AurocRow]) -> AurocRow:
    """The mean of several draws; the interval is their own spread."""

    def mean(field: str) -> float:
        return float(np.mean([getattr(row, field) for row in rows]))

    low, high = np.quantile([row.micro for row in rows], (0.025, 0.975))
    return AurocRow(name, mean("micro"), mean("macro"), float(low), float(high), mean("smoothed_micro"), mean("smoothed_macro"))


__all__ = [
    "NULLS", "AurocRow", "AurocTable", "auroc", "auroc_table", "centre_bump", "frame_scores", "micro_interval", "published_smoothing", "random_null",
]  # fmt: skip
