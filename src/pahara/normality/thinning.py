"""A memory is thinned where many tracks say the same, and kept whole where few do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .density import Memory

CANDIDATES = 12_000  # points that are looked at; more are drawn by lot first
BLOCK = 128  # points that are looked at together


def cover(full: Memory, points: int, k: int, radius: float | None = None) -> tuple[NDArray[np.intp], float]:
    """Rows of `full` to keep, ascending, and the radius: at most `points`, or as many as a given `radius` leaves.

    Greedy k-centre (Gonzalez 1985) keeps one point per ball and so forgets how many tracks were there: five tracks that
    did the same rare thing would count as one. Here a point is left out only where `k` distinct tracks are kept within
    the radius already; the smallest radius is taken that brings the memory down to size. So the distance to the k-th
    nearest distinct track is never further off than that radius.
    """
    rng = np.random.default_rng(len(full))
    rows = rng.permutation(len(full))[:CANDIDATES]
    rows = np.concatenate([np.flatnonzero(full.vouched), rows[~full.vouched[rows]]])  # a person's word comes first
    if radius is not None and (given := _kept(full, rows, radius, k, len(rows))) is not None:
        return np.sort(given), radius
    if len(rows) <= points:
        return np.sort(rows), 0.0
    low, high = 0.0, 0.05
    best: NDArray[np.intp] | None = None
    for _ in range(30):  # widen until it fits
        kept = _kept(full, rows, high, k, points)
        if kept is not None:
            best = kept
            break
        low, high = high, 2 * high
    if best is None:
        return np.sort(rows[:points]), high
    for _ in range(5):
        middle = (low + high) / 2
        kept = _kept(full, rows, middle, k, points)
        if kept is None:
            low = middle
        else:
            best, high = kept, middle
    return np.sort(best), high


def _kept(full: Memory, rows: NDArray[np.intp], radius: float, k: int, most: int) -> NDArray[np.intp] | None:
    """The rows that stay at this radius, or None when they are more than `most`."""
    kept = np.zeros(0, np.intp)
    for begin in range(0, len(rows), BLOCK):
        block = rows[begin : begin + BLOCK]
        if len(kept):
            held = full.rows(np.sort(kept))  # in order of track, as `full` is
            near = np.minimum.reduceat(held.distances(full.points[block] * full.unit), held.edges, axis=1) <= radius
            block = block[near.sum(axis=1) < k]
        kept = np.concatenate([kept, block])
        if len(kept) > most:
            return None
    return kept
