"""The rows of many trails in one set of arrays, so that numpy is asked once and not once per person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .boxes import Floats

if TYPE_CHECKING:
    from .scene import Track

TINY = 1e-6  # seconds; times are kept to the microsecond


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of n trails, one trail after the other: N rows in all."""

    tracks: Sequence[Track]  # n
    times: NDArray[np.float64]  # (N,) seconds, increasing within each trail
    boxes: NDArray[np.float64]  # (N, 4) pixels
    edges: NDArray[np.intp]  # (n + 1,) trail i has rows edges[i] up to edges[i + 1]

    @property
    def first(self) -> NDArray[np.intp]:
        """(n,) each trail's first row."""
        return self.edges[:-1]

    @cached_property
    def last(self) -> NDArray[np.intp]:
        """(n,) each trail's last row."""
        last: NDArray[np.intp] = self.edges[1:] - 1
        return last

    @cached_property
    def feet(self) -> Floats:
        """(N, 2) pixels: foot points."""
        feet = np.empty((len(self.boxes), 2))
        np.add(self.boxes[:, 0], self.boxes[:, 2], out=feet[:, 0])
        feet[:, 0] *= 0.5
        feet[:, 1] = self.boxes[:, 3]
        return feet

    @cached_property
    def heights(self) -> Floats:
        """(N,) pixels."""
        heights: Floats = self.boxes[:, 3] - self.boxes[:, 1]
        return heights

    @cached_property
    def _axis(self) -> tuple[Floats, float, float, Floats]:
        # All trails laid end to end on one axis of time, each on a stretch of its own.
        base = float(self.times.min())
        stride = float(self.times.max()) - base + 1.0
        starts = np.arange(len(self.edges) - 1) * stride
        return self.times - base + np.repeat(starts, np.diff(self.edges)), base, stride, starts

    def at(self, times: Floats) -> NDArray[np.intp]:
        """(…, n) media seconds -> (…, n) each trail's last row at or before its time, or its first row."""
        axis, base, stride, starts = self._axis
        wanted = np.minimum(np.maximum(times - (base - TINY), -0.5), stride - 0.5) + starts
        found: NDArray[np.intp] = np.maximum(axis.searchsorted(wanted, side="right") - 1, self.first)
        return found

    def ever(self, true: NDArray[np.bool_], begin: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(N,) bools, (n,) a row of each trail -> (n,) whether any is True from that row on."""
        spans = np.empty(2 * len(begin), np.intp)
        spans[::2], spans[1::2] = begin, self.edges[1:]
        ever: NDArray[np.bool_] = np.logical_or.reduceat(np.append(true, False), spans)[::2]
        return ever

    def most(self, values: NDArray[Any]) -> NDArray[Any]:
        """(N,) -> (n,) each trail's largest value."""
        most: NDArray[Any] = np.maximum.reduceat(values, self.first)
        return most

    def least(self, values: NDArray[Any]) -> NDArray[Any]:
        """(N,) -> (n,) each trail's smallest value."""
        least: NDArray[Any] = np.minimum.reduceat(values, self.first)
        return least


def rows_of(tracks: Sequence[Track], seconds: float, *, before: int = 0, most: int = 0) -> Rows:
    """Each trail's rows of the last `seconds` up to its own last sighting, and `before` rows more.

    `most` > 0 thins longer trails evenly; the first and the last row always stay.
    """
    times: list[NDArray[np.float64]] = []
    boxes: list[NDArray[np.float32]] = []
    edges = [0]
    total = 0
    for track in tracks:
        own = track.times
        n = len(own)
        since = track.last_seen - seconds - TINY
        start = 0 if own[0] >= since else max(int(own.searchsorted(since)) - before, 0)
        if most and n - start > most:
            step = -(-(n - start) // most)
            then = start + 1 + (n - 2 - start) % step  # the oldest row, and then evenly up to the last
            times += [own[start : start + 1], own[then::step]]
            boxes += [track.boxes[start : start + 1], track.boxes[then::step]]
            total += 1 + len(times[-1])
        else:
            times.append(own[start:])
            boxes.append(track.boxes[start:])
            total += n - start
        edges.append(total)
    if not times:
        return Rows((), np.zeros(0), np.zeros((0, 4)), np.zeros(1, np.intp))
    return Rows(tracks, np.concatenate(times), np.concatenate(boxes, dtype=np.float64), np.array(edges))
