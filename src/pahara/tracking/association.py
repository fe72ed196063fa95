"""Which detection belongs to which track."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.intp]


def overlaps(tracks: Array, detections: Array, grow: Array) -> tuple[Array, Array]:
    """IoU as the boxes are, and after both of a pair are grown on every side by what the track's place is uncertain.

    tracks (n, 4), detections (m, 4) pixels x1 y1 x2 y2, grow (n, 2) pixels in x and y -> two (n, m) in [0, 1].
    After a gap, or in the first frames at a low frame rate, boxes of one object need not touch; the
    buffer says how far apart they may lie (as in C-BIoU, Yang et al. 2023, but the filter sets it, not an option).

    >>> a, b = np.array([[0., 0, 10, 10]]), np.array([[10., 0, 20, 10]])
    >>> plain, grown = overlaps(a, b, np.full((1, 2), 5.))
    >>> float(plain[0, 0]), float(grown[0, 0])
    (0.0, 0.3333333333333333)
    """
    a, b, by = tracks.T[:, :, None], detections.T[:, None, :], 2 * grow.T[:, :, None]  # x and y first: long inner loops
    shared = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])  # (2, n, m)
    own, other = a[2:] - a[:2], b[2:] - b[:2]
    return _iou(shared, own, other), _iou(shared + by, own + by, other + by)


def _iou(shared: Array, own: Array, other: Array) -> Array:
    """From the sides (2, n, m) of the common box and of both boxes; a common side below 0 means apart."""
    shared = np.maximum(shared, 0.0)
    overlap = shared[0] * shared[1]
    union = own[0] * own[1] + other[0] * other[1] - overlap
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
