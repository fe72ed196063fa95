"""Trails -> what an action model looks at: the one place that makes its input, in training and at 3 a.m. alike.

A window is the last seconds of one person, or of several together, as points in steps of equal time: frame rate,
resolution, distance from the camera and place in the picture are taken out. Pure numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pahara.core import Track
from pahara.core.rows import TINY

Windows = NDArray[np.float32]  # (w, t, k, 3): x and y in body heights from the middle, confidence 0..1
BOX_POINTS = ("top left", "top right", "bottom left", "bottom right", "centre", "foot")
GAP = 1.0  # seconds without a sighting beyond which nobody knows


def windows(
    tracks: Track | Sequence[Track],
    seconds: float,
    rate: float,
    *,
    ends: Sequence[float] | NDArray[np.float64] | None = None,
    stride: float = 1.0,
    keypoints: bool | None = None,
) -> Windows:
    """One person, or several together -> (w, t, k, 3), t = seconds · rate; the points of a second person follow those of the first.

    A window ends at each of `ends` (media seconds; by default every `stride` back from the last sighting) and knows nothing
    later. Its origin is the median centre of all boxes in it, its unit their median height. Between sightings at most a
    second apart points move straight; what was not seen is (0, 0, 0). `keypoints`: joints, or the box's own points
    (`BOX_POINTS`); by default joints where there are any. ValueError when joints are asked for and there are none.
    """
    people = [tracks] if isinstance(tracks, Track) else list(tracks)
    joints = all(track.keypoints.shape[1] for track in people) if keypoints is None else keypoints
    if joints and not all(track.keypoints.shape[1] for track in people):
        raise ValueError("no keypoints: these trails hold boxes alone")
    steps = max(round(seconds * rate), 1)
    when = ends_of(people, seconds, stride) if ends is None else np.asarray(ends, np.float64)
    made = [_window(people, float(end) - np.arange(steps)[::-1] / rate, joints) for end in when]
    points = sum(track.keypoints.shape[1] for track in people) if joints else len(BOX_POINTS) * len(people)
    return np.stack(made) if made else np.zeros((0, steps, points, 3), np.float32)


def ends_of(tracks: Sequence[Track], seconds: float, stride: float = 1.0) -> NDArray[np.float64]:
    """(w,) ascending: the last moment at which all are seen, and every `stride` before while `seconds` fit; () if they never met."""
    first, last = max(float(track.times[0]) for track in tracks), min(track.last_seen for track in tracks)
    if last < first:
        return np.zeros(0)
    more = int(max(last - first - seconds + TINY, 0.0) / stride)
    ends: NDArray[np.float64] = last - stride * np.arange(more + 1, dtype=np.float64)[::-1]
    return ends


def box_points(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """(t, 4) pixels -> (t, 6, 3) `BOX_POINTS`, all of them sure."""
    x1, y1, x2, y2 = np.asarray(boxes, np.float64).T
    x, y, sure = (x1 + x2) / 2, (y1 + y2) / 2, np.ones_like(x1)
    spots = [(x1, y1), (x2, y1), (x1, y2), (x2, y2), (x, y), (x, y2)]
    return np.stack([np.stack([a, b, sure], axis=-1) for a, b in spots], axis=1)


def _window(people: Sequence[Track], steps: NDArray[np.float64], joints: bool) -> Windows:
    """(t,) seconds -> (t, k, 3)."""
    shapes, parts = [], []
    for track in people:
        rows = slice(
            max(int(track.times.searchsorted(steps[0] - TINY, side="right")) - 1, 0),
            int(track.times.searchsorted(steps[-1] + TINY, side="right")),
        )
        times, box = track.times[rows], box_points(track.boxes[rows])
        shape = _at(steps, times, box)
        shapes.append(shape)
        parts.append(_at(steps, times, track.keypoints[rows].astype(np.float64)) if joints else shape)
    made = np.concatenate(parts, axis=1)
    known = np.concatenate([shape[shape[:, 4, 2] > 0] for shape in shapes])  # (n, 6, 3) moments with a box
    if len(known):
        middle = np.median(known[:, 4, :2], axis=0)
        unit = max(float(np.median(known[:, 2, 1] - known[:, 0, 1])), 1e-6)
        made[..., :2] = (made[..., :2] - middle) / unit
    made *= made[..., 2:] > 0
    return made.astype(np.float32)


def _at(steps: NDArray[np.float64], times: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k, 3) at `times` -> (t, k, 3) at `steps`: each point by the sightings that were sure of it."""
    made = np.zeros((len(steps), points.shape[1], 3))
    sure = points[..., 2] > 0  # (n, k)
    if sure.all():
        made[:] = _between(steps, times, points)
    else:
        for one in range(points.shape[1]):
            made[:, one] = _between(steps, times[sure[:, one]], points[sure[:, one], one])
    return made


def _between(steps: NDArray[np.float64], times: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, …, 3) -> (t, …, 3), straight between two sightings, held for a moment after the last, zero where there is none near."""
    tail = (1,) * (points.ndim - 1)
    if not len(times):
        return np.zeros((len(steps), *points.shape[1:]))
    before = (times.searchsorted(steps + TINY, side="right") - 1).clip(0)
    after = np.minimum(before + 1, len(times) - 1)
    span = times[after] - times[before]
    share = np.divide(steps - times[before], span, out=np.zeros_like(steps), where=span > 0).clip(0, 1)
    made: NDArray[np.float64] = points[before] + (points[after] - points[before]) * share.reshape(-1, *tail)
    near = np.where(span > 0, span, steps - times[before]) <= GAP + TINY
    made *= (near & (steps >= times[0] - TINY)).reshape(-1, *tail)
    return made
