"""Tracks over time, and the scene that a behaviour looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import boxes as box_math
from .boxes import Floats
from .frozen import Frozen
from .rows import Rows, rows_of

Subject: TypeAlias = tuple[int, ...]  # track ids, sorted; () means the whole scene
Scores: TypeAlias = Mapping[Subject, float]  # 0..1, 0.5 = exactly at the configured limit

RECENT = 4.0  # seconds of trail that most behaviours look at, gathered once per scene
NO_KEYPOINTS = np.zeros((0, 0, 3), np.float32)


@dataclass(frozen=True, eq=False)
class Track:
    """One identity over time in one camera. Arrays are read-only; the last row is the last sighting.

    Rows come at the analyst's beat (about ten a second) for the last seconds and thin out to about
    two a second before that; `born` is the first sighting even when its row has been forgotten.
    """

    id: int  # unique within its camera
    label: str  # class name, e.g. "person"
    times: NDArray[np.float64]  # (t,) seconds, strictly increasing
    boxes: NDArray[np.float32]  # (t, 4) pixels, x1 y1 x2 y2
    born: float = float("nan")  # seconds; defaults to times[0]
    keypoints: NDArray[np.float32] = field(default_factory=lambda: NO_KEYPOINTS)  # (t, k, 3) x, y, confidence; (0, 0, 3) without pose

    def __post_init__(self) -> None:
        if self.born != self.born:  # not a number: nobody said
            object.__setattr__(self, "born", float(self.times[0]))

    @cached_property
    def feet(self) -> Floats:
        """(t, 2) pixels: where the object stood."""
        return box_math.foot_points(self.boxes)

    @cached_property
    def heights(self) -> Floats:
        """(t,) pixels."""
        return box_math.heights(self.boxes)

    @property
    def last_seen(self) -> float:
        return float(self.times[-1])

    @property
    def box(self) -> NDArray[np.float32]:
        """(4,) pixels: the last sighting."""
        last: NDArray[np.float32] = self.boxes[-1]
        return last

    def since(self, time: float) -> slice:
        """Rows at or after `time`: track.boxes[track.since(scene.time - 1)]."""
        return slice(int(self.times.searchsorted(time - 1e-6)), None)


@dataclass(frozen=True, eq=False)
class Series:
    """One number over time: what a pixel-level model says of the whole picture."""

    times: NDArray[np.float64]  # (t,) seconds, strictly increasing
    values: NDArray[np.float64]  # (t,)


NO_SIGNALS: Mapping[str, Series] = Frozen()


@dataclass(frozen=True, eq=False)
class Scene:
    """All that one camera knows at one moment."""

    camera: str
    time: float  # media seconds
    size: tuple[int, int]  # width, height in pixels
    tracks: tuple[Track, ...]  # alive now, seen or briefly out of sight (then last_seen < time), by id
    past: tuple[Track, ...] = ()  # ended within the memory, oldest end first
    signals: Mapping[str, Series] = field(default_factory=lambda: NO_SIGNALS)
    epoch: float = 0.0  # UTC seconds of media time 0

    @cached_property
    def by_id(self) -> Mapping[int, Track]:
        """Tracks alive now, by id."""
        return {track.id: track for track in self.tracks}

    @cached_property
    def boxes(self) -> NDArray[np.float32]:
        """(n, 4) pixels: each track's last box, row i for tracks[i]."""
        if not self.tracks:
            return np.zeros((0, 4), np.float32)
        return np.concatenate([track.boxes[-1:] for track in self.tracks])

    @cached_property
    def feet(self) -> Floats:
        """(n, 2) pixels: each track's last foot point, row i for tracks[i]."""
        return box_math.foot_points(self.boxes)

    @cached_property
    def heights(self) -> Floats:
        """(n,) pixels: each track's last height."""
        return box_math.heights(self.boxes)

    @cached_property
    def recent(self) -> Rows:
        """Every live track's rows of the last `RECENT` seconds up to its own last sighting, and one row before."""
        return rows_of(self.tracks, RECENT, before=1)

    def labelled(self, labels: tuple[str, ...]) -> NDArray[np.bool_]:
        """(n,) True where tracks[i].label is one of `labels`; () means any."""
        if not labels:
            return np.ones(len(self.tracks), bool)
        return np.fromiter((track.label in labels for track in self.tracks), bool, len(self.tracks))


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the tracker knows at one beat: all that is needed to make the scene again (replay).

    Row i of every array is the same track. A row that was not `seen` belongs to a track that is
    alive but out of sight; its box is the last sighting and is not added to the trail.
    """

    time: float  # media seconds
    ids: NDArray[np.int64]  # (n,)
    boxes: NDArray[np.float32]  # (n, 4) pixels, on a grid of 1/8 pixel, as the store keeps them
    labels: tuple[str, ...]  # n class names
    seen: NDArray[np.bool_]  # (n,)
    scores: NDArray[np.float32]  # (n,) confidence of the sighting; 0 where not seen
    signals: Mapping[str, float] = field(default_factory=Frozen)
    keypoints: NDArray[np.float32] = field(default_factory=lambda: NO_KEYPOINTS)  # (n, k, 3), zeros where nobody looked; (0, 0, 3)

    def __len__(self) -> int:
        return len(self.ids)


def at_limit(measured: float, limit: float) -> float:
    """A measured quantity as a score: measured / (measured + limit), so 0.5 exactly at the limit.

    >>> at_limit(30, 30), at_limit(0, 30), round(at_limit(60, 30), 2)
    (0.5, 0.0, 0.67)
    """
    if measured <= 0:
        return 0.0
    return 1.0 if limit <= 0 else measured / (measured + limit)
