"""How far the k-th nearest *distinct track* is: one cyclist is a dense cluster of moments, but still only one track."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .thinning import cover

Floats = NDArray[np.float64]
NOBODY = np.int64(np.iinfo(np.int64).min)
APART = 1800.0  # seconds within which one person may come again, and a group belongs together
AT_ONCE = 4_000_000  # distances held in memory at once


@dataclass(frozen=True, eq=False)
class Memory:
    """m remembered moments of one attribute, sorted by track; `unit` is the usual spread of each value."""

    points: NDArray[np.float32]  # (m, d) in units of `unit`
    tracks: NDArray[np.int64]  # (m,) ascending
    times: NDArray[np.float64]  # (m,) UTC seconds
    boxes: NDArray[np.float32]  # (m, 4) fractions of the picture: to show the moment again
    unit: NDArray[np.float64]  # (d,)
    vouched: NDArray[np.bool_]  # (m,) a person said that this was fine: it counts as much as `k` tracks
    period: float = 0.0  # > 0: the one value lies on a circle of this circumference (a clock)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def edges(self) -> NDArray[np.intp]:
        """(tracks,) where each track begins."""
        return np.flatnonzero(np.append(True, self.tracks[1:] != self.tracks[:-1]))[: len(self.tracks)]

    def distances(self, values: Floats) -> Floats:
        """(q, d) -> (q, m) Euclidean distances in units of the usual spread, per value (root mean square)."""
        asked = (values / self.unit).astype(np.float32)
        if self.period:
            gap = np.abs(asked[:, None, 0] - self.points[None, :, 0]) % (self.period / self.unit[0])
            around: Floats = np.minimum(gap, self.period / self.unit[0] - gap).astype(np.float64)
            return around
        # |a - b|² by differences, not by products: near points keep their digits and the order of rows does not matter.
        total = np.zeros((len(asked), len(self.points)), np.float32)
        for column in range(asked.shape[1]):
            step = asked[:, column, None] - self.points[None, :, column]
            total += step * step
        apart: Floats = np.sqrt(total.astype(np.float64) / asked.shape[1])
        return apart

    def score(self, values: Floats, tracks: NDArray[np.int64], k: int, hours: int, apart: Floats | None = None) -> Floats:
        """(q, d) values, (q,) their own tracks (left out) -> (q,) the smallest distance within which `k` distinct tracks
        of at least `hours` distinct hours lie; infinite where there are not so many.

        `apart`: (q,) UTC seconds; whoever is remembered from within half an hour of it is left out, too.
        """
        scores = np.empty(len(values))
        step = max(AT_ONCE // max(len(self), 1), 1)
        for begin in range(0, len(values), step):
            part = slice(begin, begin + step)
            scores[part] = self._score(values[part], tracks[part], k, hours, None if apart is None else apart[part])
        return scores

    def _score(self, values: Floats, own: NDArray[np.int64], k: int, hours: int, apart: Floats | None) -> Floats:
        if not len(self):
            return np.full(len(values), np.inf)
        edges = self.edges
        nearest = np.minimum.reduceat(self.distances(values), edges, axis=1)  # (q, distinct tracks)
        known = self.tracks[edges]
        at = np.minimum(np.searchsorted(known, own), len(known) - 1)
        mine = np.flatnonzero(known[at] == own)
        nearest[mine, at[mine]] = np.inf
        if apart is not None:
            nearest[np.abs(apart[:, None] - self.times[edges]) < APART] = np.inf
        few = nearest.shape[1] < k
        reach: Floats = np.full(len(values), np.inf) if few else np.partition(nearest, k - 1, axis=1)[:, k - 1]
        if hours > 1:
            hour = np.floor(self.times[edges] / 3600.0)  # a track belongs to the hour in which it is first remembered
            order = np.argsort(hour, kind="stable")
            starts = np.flatnonzero(np.append(True, np.diff(hour[order]) != 0))
            if len(starts) >= hours:
                by_hour = np.minimum.reduceat(nearest[:, order], starts, axis=1)
                reach = np.maximum(reach, np.partition(by_hour, hours - 1, axis=1)[:, hours - 1])
        fine = np.logical_or.reduceat(self.vouched, edges)
        if fine.any():
            reach = np.minimum(reach, nearest[:, fine].min(axis=1))
        return reach

    def rows(self, where: NDArray[np.intp]) -> Memory:
        """Some of the moments, in order of track."""
        return replace(
            self, points=self.points[where], tracks=self.tracks[where], times=self.times[where], boxes=self.boxes[where],
            vouched=self.vouched[where],
        )  # fmt: skip

    def nearest(self, value: Floats, own: int, count: int) -> tuple[NDArray[np.intp], Floats]:
        """(d,) -> rows of the `count` nearest distinct tracks, nearest first, and their distances."""
        if not len(self):
            return np.zeros(0, np.intp), np.zeros(0)
        distances = self.distances(value[None])[0]
        distances[self.tracks == own] = np.inf
        order = np.argsort(distances, kind="stable")
        order = order[np.isfinite(distances[order])]
        _, first = np.unique(self.tracks[order], return_index=True)
        rows = order[np.sort(first)[:count]]
        return rows, distances[rows]


def unit_of(values: Floats, floors: tuple[float, ...], alike: tuple[tuple[int, ...], ...] = ()) -> Floats:
    """(n, d) -> (d,) the spread of the middle 80 % of each value as a standard deviation, not below its floor.

    Values named together in `alike` share the largest of their spreads.
    """
    low, high = np.percentile(values, [10, 90], axis=0)
    spread: Floats = (high - low) / 2.563  # of a normal distribution
    if not floors or len(floors) != values.shape[1]:
        return np.full(values.shape[1], max(float(np.sqrt(np.mean(spread**2))), 1e-6))  # an embedding: all alike
    spread = np.maximum(spread, floors)
    for group in alike:
        spread[list(group)] = spread[list(group)].max()
    return spread


def spread_out(tracks: NDArray[np.int64], most: int) -> NDArray[np.intp]:
    """(n,) keys -> rows: at most `most` of each track, evenly over its rows, in the order given."""
    order = np.argsort(tracks, kind="stable")
    starts = np.flatnonzero(np.append(True, tracks[order][1:] != tracks[order][:-1]))[: len(order)]
    counts = np.diff(np.append(starts, len(order)))
    place = np.arange(len(order)) - np.repeat(starts, counts)
    many = np.repeat(counts, counts)
    slot = place * most // np.maximum(many, most)
    before = np.where(place > 0, (place - 1) * most // np.maximum(many, most), -1)
    return np.sort(order[slot != before])


def remember(
    values: Floats, tracks: NDArray[np.int64], times: Floats, boxes: NDArray[np.float32], vouched: NDArray[np.bool_], *, unit: Floats,
    points: int, per_track: int, k: int, period: float = 0.0, radius: float | None = None,
) -> tuple[Memory, float]:  # fmt: skip
    """The moments worth keeping: at most `per_track` of each track, thinned to `points` where many say the same.

    -> the memory, and the radius within which points were taken for the same. A given `radius` is used as it is.
    """
    order = np.lexsort((times, tracks))
    order = order[spread_out(tracks[order], per_track)]
    full = Memory(
        (values[order] / unit).astype(np.float32),
        tracks[order],
        times[order],
        boxes[order].astype(np.float32),
        unit,
        vouched[order],
        period,
    )
    if radius == 0 or (radius is None and len(full) <= points):
        return full, 0.0
    rows, radius = cover(full, points, k, radius)
    return full.rows(rows), radius
