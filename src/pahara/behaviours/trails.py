"""The recent rows of many trails at once, so that a behaviour asks numpy once and not once per person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Scene, Track, Zone
from pahara.core.boxes import Floats

TINY = 1e-6  # seconds; times are kept to the microsecond


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of n trails, one trail after the other: N rows in all."""

    tracks: Sequence[Track]  # n
    times: NDArray[np.float64]  # (N,) seconds, increasing within each trail
    boxes: NDArray[np.float64]  # (N, 4) pixels
    first: NDArray[np.intp]  # (n,) each trail's first row here
    last: NDArray[np.intp]  # (n,) each trail's last row

    @property
    def owner(self) -> NDArray[np.intp]:
        """(N,) which trail a row belongs to, 0..n-1."""
        return np.repeat(np.arange(len(self.tracks)), self.last - self.first + 1)

    def at(self, times: Floats) -> NDArray[np.intp]:
        """(n,) media seconds -> (n,) each trail's last row at or before its time, or its first row."""
        # One search for all: trails are laid end to end on one axis, each on a stretch of its own.
        base = self.times.min()
        stride = self.times.max() - base + 1.0
        lengths = self.last - self.first + 1
        axis = self.times - base + np.repeat(np.arange(len(lengths)) * stride, lengths)
        wanted = np.clip(times - base + TINY, -0.5, stride - 0.5) + np.arange(len(lengths)) * stride
        found: NDArray[np.intp] = np.maximum(axis.searchsorted(wanted, side="right") - 1, self.first)
        return found

    def most(self, values: NDArray[Any]) -> NDArray[Any]:
        """(N,) -> (n,) each trail's largest value."""
        most: NDArray[Any] = np.maximum.reduceat(values, self.first)
        return most


def rows_of(tracks: Sequence[Track], seconds: float, *, before: int = 0, most: int = 0) -> Rows:
    """Each trail's rows of the last `seconds` up to its own last sighting, and `before` rows more. At least one track.

    `most` > 0 thins longer trails evenly; the first and the last row always stay.
    """
    times, boxes, ends = [], [], [0]
    for track in tracks:
        own = track.times
        n = len(own)
        start = max(int(own.searchsorted(own[-1] - seconds - TINY)) - before, 0)
        if most and n - start > most:
            step = -(-(n - start) // most)
            then = start + 1 + (n - 2 - start) % step  # the oldest row, and then evenly up to the last
            times += [own[start : start + 1], own[then::step]]
            boxes += [track.boxes[start : start + 1], track.boxes[then::step]]
            ends.append(ends[-1] + 1 + len(times[-1]))
        else:
            times.append(own[start:])
            boxes.append(track.boxes[start:])
            ends.append(ends[-1] + n - start)
    edges = np.array(ends)
    return Rows(tracks, np.concatenate(times), np.concatenate(boxes).astype(np.float64), edges[:-1], edges[1:] - 1)


def chosen(scene: Scene, labels: tuple[str, ...], zone: Zone = EVERYWHERE) -> list[Track]:
    """Tracks of these labels ("()" means any) that stand in the zone now."""
    if not scene.tracks:
        return []
    right = scene.labelled(labels)
    if zone is not EVERYWHERE and right.any():
        right &= zone.contains(scene.feet, scene.size)
    return [scene.tracks[i] for i in right.nonzero()[0]]


def find(scene: Scene, track_id: int) -> Track | None:
    """A track of this scene, alive or past."""
    track = scene.by_id.get(track_id)
    if track is not None:
        return track
    return next((track for track in reversed(scene.past) if track.id == track_id), None)


def place(zone: Zone) -> str:
    """The zone's name for a Reason; "" where it is the whole picture."""
    return "" if zone == EVERYWHERE else zone.name
