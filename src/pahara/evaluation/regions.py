"""Whether the right place of the picture was found: region- and track-based detection of anomalies.

After Ramachandra & Jones 2020, "Street Scene: a new dataset and evaluation protocol for video anomaly detection" (WACV).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pahara.core.boxes import iou_matrix

Floats = NDArray[np.float64]

ALPHA = 0.1  # share of a track's regions that must be found for the track to count
BETA = 0.1  # overlap (IoU) from which a region counts as found


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Boxes of one clip or of several, with the frame of each. Row i of every array is the same box."""

    frames: NDArray[np.int64]  # (n,) frame numbers, unique over all clips
    boxes: Floats  # (n, 4) pixels, x1 y1 x2 y2
    scores: Floats  # (n,) how abnormal; 1 in the truth
    tracks: NDArray[np.int64]  # (n,) identity in the truth, unique over all clips; -1 elsewhere

    @classmethod
    def of(cls, frames: ArrayLike, boxes: ArrayLike, scores: ArrayLike | None = None, tracks: ArrayLike | None = None) -> Regions:
        """From anything numpy understands. ValueError when the columns differ in length."""
        frame = np.asarray(frames, np.int64).reshape(-1)
        n = len(frame)
        made = cls(
            frame,
            np.asarray(boxes, np.float64).reshape(-1, 4),
            np.ones(n) if scores is None else np.asarray(scores, np.float64).reshape(-1),
            np.full(n, -1, np.int64) if tracks is None else np.asarray(tracks, np.int64).reshape(-1),
        )
        if not len(made.boxes) == len(made.scores) == len(made.tracks) == n:
            raise ValueError("regions need as many boxes, scores and tracks as frames")
        return made

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, slots=True, eq=False)
class RegionReport:
    """Areas under the curves of found regions and found tracks against false regions a frame, from 0 to 1."""

    rbdc: float  # of regions; not a number without true ones
    tbdc: float  # of tracks
    false_per_frame: Floats  # (s,) of the curves, rising as the threshold falls
    region_rate: Floats  # (s,)
    track_rate: Floats  # (s,)


def region_report(truth: Regions, found: Regions, frames: int, *, alpha: float = ALPHA, beta: float = BETA) -> RegionReport:
    """`frames`: how many were looked at, in all clips.

    A true region is found at a threshold when a found one with at least that score overlaps it by `beta` (IoU); a track when
    a share `alpha` of its regions is. A found region that overlaps no true one so far is false. Where the lowest score
    gives less than one false region a frame, the curve goes on level: nothing more is assumed to be found.

    >>> truth = Regions.of([0, 1], [[0, 0, 10, 10]] * 2, tracks=[7, 7])
    >>> found = Regions.of([0, 0, 1], [[0, 0, 10, 10], [50, 50, 60, 60], [50, 50, 60, 60]], [0.9, 0.8, 0.1])
    >>> report = region_report(truth, found, frames=2)
    >>> report.rbdc, report.tbdc
    (0.5, 1.0)
    """
    if frames < 1:
        raise ValueError("there must be at least one frame")
    found_at = np.full(len(truth), -np.inf)  # the highest threshold at which each true region is found
    false = np.ones(len(found), bool)
    order = np.argsort(truth.frames, kind="stable")
    sorted_frames = truth.frames[order]
    for frame in np.unique(found.frames):
        told = np.flatnonzero(found.frames == frame)
        real = order[sorted_frames.searchsorted(frame) : sorted_frames.searchsorted(frame, "right")]
        if not len(real):
            continue
        meets = iou_matrix(truth.boxes[real], found.boxes[told]) >= beta
        false[told] = ~meets.any(0)
        found_at[real] = np.where(meets, found.scores[told][None], -np.inf).max(1)
    whose = np.unique(truth.tracks)
    track_at = np.array([_share_found(found_at[truth.tracks == one], alpha) for one in whose])
    thresholds = np.unique(found.scores)[::-1]
    rates = np.array([(found.scores[false] >= at).sum() / frames for at in thresholds])
    regions = np.array([(found_at >= at).mean() if len(truth) else np.nan for at in thresholds])
    tracks = np.array([(track_at >= at).mean() if len(whose) else np.nan for at in thresholds])
    none = float("nan") if not len(truth) else 0.0
    return RegionReport(
        none if not len(thresholds) else _area(rates, regions),
        none if not len(thresholds) else _area(rates, tracks),
        rates,
        regions,
        tracks,
    )


def _share_found(found_at: Floats, alpha: float) -> float:
    """The highest threshold at which the share `alpha` of these regions is found."""
    needed = max(int(np.ceil(alpha * len(found_at) - 1e-9)), 1)
    return float(np.sort(found_at)[::-1][needed - 1])


def _area(x: Floats, y: Floats) -> float:
    """Under the curve from 0 to 1 false regions a frame: straight between thresholds, level after the last."""
    if np.isnan(y).any():
        return float("nan")
    within = x <= 1
    end = float(np.interp(1.0, x, y)) if (x > 1).any() else float(y[-1])
    # At no false region at all the curve starts with what is found there.
    start = float(y[x == 0].max()) if (x == 0).any() else 0.0
    xs = np.concatenate([[0.0], x[within], [1.0]])
    ys = np.concatenate([[start], y[within], [end]])
    return float(np.trapezoid(ys, xs))
