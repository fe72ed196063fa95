"""Which detection belongs to which track."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.intp]


def grown_iou(tracks: Array, detections: Array, grow: Array) -> Array:
    """IoU after both boxes of a pair are grown on every side by what the track's place is uncertain.

    tracks (n, 4), detections (m, 4) pixels x1 y1 x2 y2, grow (n, 2) pixels in x and y -> (n, m) in [0, 1].
    With `grow` 0 it is plain IoU. After a gap, or in the first frames at a low frame rate, boxes of one
    object need not touch; the buffer says how far apart they may lie (as in C-BIoU, Yang et al. 2023,
    but the filter sets it, not an option).

    >>> a, b = np.array([[0., 0, 10, 10]]), np.array([[10., 0, 20, 10]])
    >>> float(grown_iou(a, b, np.zeros((1, 2)))[0, 0]), float(grown_iou(a, b, np.full((1, 2), 5.))[0, 0])
    (0.0, 0.3333333333333333)
    """
    by = 2 * grow[:, None, :]  # each side of both boxes
    low = np.maximum(tracks[:, None, :2], detections[None, :, :2])
    high = np.minimum(tracks[:, None, 2:], detections[None, :, 2:])
    shared = np.maximum(high - low + by, 0.0)
    overlap = shared[..., 0] * shared[..., 1]
    own = (tracks[:, 2:] - tracks[:, :2])[:, None, :] + by
    other = (detections[:, 2:] - detections[:, :2])[None, :, :] + by
    union = own[..., 0] * own[..., 1] + other[..., 0] * other[..., 1] - overlap
    result: Array = overlap / np.maximum(union, 1e-9)
    return result


def assign(similarity: Array, floor: float) -> tuple[Rows, Rows]:
    """One-to-one pairs with similarity above `floor`, chosen to maximise the sum of what lies above it.

    similarity (n, m) -> rows (k,), columns (k,). This is the Hungarian method with the price of `floor` on each
    pair, so a weak pair is made only when it costs no better one.
    """
    if not similarity.size:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    worth = np.maximum(similarity - floor, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    good = worth[rows, columns] > 0
    return rows[good], columns[good]
