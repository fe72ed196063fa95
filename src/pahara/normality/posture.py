"""A skeleton as numbers: where the joints are within the box, and how fast the parts of the body move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pahara.core import Track
from pahara.core.rows import TINY

Floats = NDArray[np.float64]
SURE = 0.3  # confidence from which a joint counts
ENOUGH = 0.5  # share of the joints that must be sure
PARTS = ((0, 1, 2, 3, 4), (5, 7, 9, 6, 8, 10), (11, 12), (13, 15, 14, 16))  # head, arms, hips, legs of COCO's 17


def posture(tracks: Sequence[Track], ends: Floats, joints: int, window: float) -> tuple[Floats, Floats]:
    """-> joints (n, 2·joints) in box heights from the box's middle, and speeds (n, 4) of the parts in box heights a second.

    NaN rows where too few joints are sure. Joints that are not sure lie at the middle of those that are. `ends` (n,) media
    seconds: no later row counts. The speeds leave out the motion of the body as a whole.
    """
    poses = np.full((len(tracks), 2 * joints), np.nan)
    speeds = np.full((len(tracks), len(PARTS)), np.nan)
    for row, (track, end) in enumerate(zip(tracks, ends.tolist(), strict=True)):
        if track.keypoints.shape[1] != joints:
            continue
        stop = int(track.times.searchsorted(end + TINY, side="right"))
        start = int(track.times.searchsorted(end - window - TINY))
        points, sure, times = _in_box(track, start, stop)
        if not len(points) or sure[-1].mean() < ENOUGH:
            continue
        middle = points[-1][sure[-1]].mean(axis=0)
        poses[row] = np.where(sure[-1][:, None], points[-1], middle).ravel()
        both = sure[1:] & sure[:-1]
        if joints != 17 or both.mean() < ENOUGH if len(both) else True:
            continue
        step = np.diff(points, axis=0) / np.maximum(np.diff(times), TINY)[:, None, None]
        fast = np.where(both, np.hypot(step[..., 0], step[..., 1]), np.nan)
        for part, members in enumerate(PARTS):
            seen = fast[:, list(members)]
            speeds[row, part] = np.nanmedian(seen) if np.isfinite(seen).any() else 0.0
    return poses, speeds


def _in_box(track: Track, start: int, stop: int) -> tuple[Floats, NDArray[np.bool_], Floats]:
    boxes = track.boxes[start:stop].astype(np.float64)
    points = track.keypoints[start:stop].astype(np.float64)
    known = (points[..., 2] > 0).any(axis=1)  # the pose is not looked for at every beat
    boxes, points, times = boxes[known], points[known], track.times[start:stop][known]
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    tall = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)[:, None, None]
    return (points[..., :2] - middle) / tall, points[..., 2] >= SURE, times
