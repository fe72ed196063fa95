"""The joints of a stretch of observations as columns, and back without loss; only those of people whom pose looked at.

Rows stand track by track, as boxes do, and joint by joint: first everybody's nose, then … Of a joint its place in the box of its
row is kept, as the step from the look before: who walks carries the joints along. Nothing is kept of a joint without confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import Observation
from pahara.core.scene import NO_KEYPOINTS
from pahara.tracking.memory import GRID, SURE

from .columns import Reader, column, unzigzag, zigzag

MOST_CELLS = 2**30  # what lies further out is kept as plain floats
Ints = NDArray[np.int64]


def encode(
    observations: Sequence[Observation], order: NDArray[np.intp], boxes: NDArray[np.float32], track: NDArray[np.intp]
) -> tuple[dict[str, Any], list[bytes]]:
    """`order` (rows,) track by track; boxes (rows, 4) and track (rows,) in that order -> entries of the header, columns; nothing without pose."""
    points = np.array([o.keypoints.shape[1] for o in observations], np.uint16)
    most = int(points.max(initial=0))
    if not most:
        return {}, []
    every = np.zeros((len(order), most, 3), np.float32)
    row = 0
    for o in observations:
        every[row : row + len(o.keypoints), : o.keypoints.shape[1]] = o.keypoints
        row += len(o)
    every = every[order]
    looked = (every != 0).any(axis=(1, 2))
    shown = every[looked]
    columns = [column(points), np.packbits(looked).tobytes()]
    sure = np.round(np.clip(np.nan_to_num(shown[..., 2]), 0, 1) * SURE).astype(np.uint8)
    cells = shown[..., :2] * np.float32(GRID)
    on_grid = (
        np.abs(cells).max(initial=0) < MOST_CELLS  # a NaN fails all of these
        and np.array_equal(np.round(cells), cells)
        and np.array_equal(sure / np.float32(SURE), shown[..., 2])
        and not shown[sure == 0].any()
    )
    if not on_grid:
        return {"points": most, "plain_points": True}, [*columns, shown.tobytes()]
    places = cells.astype(np.int64) - _corners(boxes[looked])[:, None]
    known, first = _rows(sure, track[looked])
    steps = np.diff(places.transpose(1, 0, 2)[known], axis=0, prepend=np.zeros((1, 2), np.int64))
    steps[first] = places.transpose(1, 0, 2)[known][first]
    return {"points": most}, [*columns, sure.T.tobytes(), column(zigzag(np.ascontiguousarray(steps.T)).reshape(-1))]


def decode(
    header: Mapping[str, Any], read: Reader, counts: Ints, order: NDArray[np.intp], boxes: NDArray[np.float32], track: NDArray[np.intp]
) -> list[NDArray[np.float32]]:
    """What `encode` made -> the joints of each beat (n, k, 3), read-only; `counts` (beats,) rows of each."""
    rows, most = len(order), int(header.get("points", 0))
    if not most:
        return [NO_KEYPOINTS] * len(counts)
    points = read.column(len(counts), np.uint16)
    if not 0 < points.max(initial=0) == most:
        raise ValueError(f"{points.max(initial=0)} joints instead of {most}")
    looked = np.unpackbits(read.plain((rows + 7) // 8, np.uint8), count=rows).astype(np.bool_)
    n = int(looked.sum())
    if header.get("plain_points"):
        shown = read.plain(n * most * 3, np.float32).reshape(n, most, 3)
    else:
        sure = read.plain(n * most, np.uint8).reshape(most, n).T
        known, first = _rows(sure, track[looked])
        places = unzigzag(read.column(2 * int(known.sum()), np.uint64)).reshape(2, -1).T.cumsum(axis=0)
        begin = np.flatnonzero(first)
        # A running sum over all, less what had been reached before each piece began.
        before = np.concatenate([np.zeros((1, 2), np.int64), places])[begin]
        places = places - np.repeat(before, np.diff(begin, append=len(places)), axis=0)
        spread = np.zeros((most, n, 2), np.int64)
        spread[known] = places
        spread += np.where(known[..., None], _corners(boxes[looked]), 0)
        shown = np.empty((n, most, 3), np.float32)
        shown[..., :2] = spread.transpose(1, 0, 2) / GRID
        shown[..., 2] = sure / np.float32(SURE)
    every = np.zeros((rows, most, 3), np.float32)
    every[order[looked]] = shown
    every.flags.writeable = False
    ends = counts.cumsum()
    parts = zip((ends - counts).tolist(), ends.tolist(), points.tolist(), strict=True)
    return [every[begin:end, :k] if k else NO_KEYPOINTS for begin, end, k in parts]


def _corners(boxes: NDArray[np.float32]) -> Ints:
    """(n, 2) grid cells of the boxes' top left corners; 0 where a box is no box."""
    cells = np.nan_to_num(boxes[:, :2].astype(np.float64) * GRID, nan=0.0, posinf=0.0, neginf=0.0)
    corners: Ints = np.round(cells.clip(-MOST_CELLS, MOST_CELLS)).astype(np.int64)
    return corners


def _rows(sure: NDArray[np.uint8], track: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n, k) confidences, (n,) track -> (k, n) joints that are known; of these, in that order, where a piece of one joint of one track begins."""
    known = sure.T > 0
    joint, row = known.nonzero()
    piece = joint * (int(track.max(initial=0)) + 1) + track[row]
    return known, np.diff(piece, prepend=-1) != 0
