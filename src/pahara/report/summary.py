"""What one run of the watch brought, as plain values: all that a report needs and nothing that it draws."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pahara.core import Event, Tripwire, Zone
from pahara.core.frozen import Frozen

from .explained import NOTHING, Explained
from .picture import Picture

NEVER = float("nan")  # a moment that did not come


@dataclass(frozen=True, slots=True, eq=False)
class EventCard:
    """One event with its `began` and `ended` reports merged, and the pictures that prove it."""

    event: Event  # the latest report: its reason is the final one
    alarm: float  # media seconds: when it was reported to have begun
    end: float  # media seconds; the end of the run while `open`
    open: bool = False  # still going on when the run ended
    snapshot: Picture = b""  # the whole picture with box and zone drawn
    thumbnail: Picture = b""
    clip: Path | None = None  # a video file beside the report
    explained: Explained = NOTHING  # what it is shown beside
    held: bool = False  # over the alarm budget: kept, and nobody was told

    @property
    def seconds(self) -> float:
        """How long it lasted, from the rise of the score to the end."""
        return max(0.0, self.end - self.event.start)


@dataclass(frozen=True, slots=True)
class Staged:
    """One incident that the demo staged, and what the watch made of it."""

    kind: str  # the kind of behaviour that should catch it, e.g. "loitering"
    begin: float  # media seconds
    end: float
    caught: float = NEVER  # media seconds of the event's report; not a number when missed
    event_id: str = ""  # the event that caught it
    place: str = ""  # zone or line

    @property
    def delay(self) -> float:
        """Seconds from the staged beginning to the alarm; not a number when missed."""
        return self.caught - self.begin

    @property
    def missed(self) -> bool:
        return self.caught != self.caught


@dataclass(frozen=True, slots=True)
class Drill:
    """Staged against caught. `false_alarms` are ids of events that match nothing staged."""

    staged: tuple[Staged, ...] = ()
    false_alarms: tuple[str, ...] = ()
    hours: float = 0.0  # staged camera-hours, for false alarms per hour

    def __bool__(self) -> bool:
        return bool(self.staged)

    @property
    def caught(self) -> int:
        return sum(not row.missed for row in self.staged)


@dataclass(frozen=True, slots=True)
class SourceStats:
    """What went wrong between the camera and us."""

    corrupt_packets: int = 0
    dropped_frames: int = 0  # frames that a slow consumer never saw
    reconnects: int = 0
    gaps: tuple[tuple[float, float], ...] = ()  # blind time: media seconds from, to


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How the run was made, for engineers. 0 or "" where nobody counted."""

    frames: int = 0  # frames that the source gave
    detected: int = 0  # frames that the detector saw; the motion gate spared the rest
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    fps: float = 0.0  # of the source
    detector: str = ""  # e.g. "yolox-nano, 416 px, ONNX Runtime"
    detector_note: str | Mapping[str, str] = ""  # what it is weak at: a key of the catalogues, plain words, or words by language
    versions: Mapping[str, str] = field(default_factory=Frozen)  # name -> version
    judged: float = 0.0  # seconds in which a learned model judged
    unusual: int = 0  # alarms that it raised
    budget: float = 0.0  # alarms a day that were asked for; 0 where nobody asked

    @property
    def spared(self) -> float:
        """Share of frames in [0, 1] that the motion gate kept from the detector."""
        return 1 - self.detected / self.frames if self.frames else 0.0


class TimeBins:
    """A number over time in at most `most` bins; when they are full, neighbours merge and widths double.

    So an hour and a year take the same memory.
    """

    def __init__(self, most: int = 512, width: float = 0.5) -> None:
        """`width` in seconds; `most` is even."""
        self.width, self.begin = width, NEVER
        self._sum, self._count, self._peak = np.zeros(most), np.zeros(most, np.int64), np.full(most, -np.inf)

    def add(self, times: NDArray[np.float64], values: NDArray[np.float64] | NDArray[np.intp]) -> None:
        """times (t,) seconds, values (t,), in order of time and later than everything before."""
        if len(times) == 0:
            return
        if self.begin != self.begin:
            self.begin = float(times[0])
        most = len(self._sum)
        while times[-1] >= self.begin + most * self.width:
            self._merge()
        bins = np.clip(((times - self.begin) / self.width).astype(np.intp), 0, most - 1)
        np.add.at(self._sum, bins, values)
        np.add.at(self._count, bins, 1)
        np.maximum.at(self._peak, bins, values)

    def _merge(self) -> None:
        half = len(self._sum) // 2
        for bins, whole in ((self._sum, np.add), (self._count, np.add), (self._peak, np.maximum)):
            bins[:half] = whole(bins[0::2], bins[1::2])
            bins[half:] = -np.inf if bins is self._peak else 0
        self.width *= 2

    @property
    def times(self) -> NDArray[np.float64]:
        """(b,) seconds: the middle of each bin up to the last that holds something."""
        return np.asarray(self.begin + (np.arange(self._used()) + 0.5) * self.width, np.float64)

    @property
    def means(self) -> NDArray[np.float64]:
        """(b,) mean of each bin; not a number where nothing was seen."""
        n = self._used()
        return np.where(self._count[:n] > 0, self._sum[:n] / np.maximum(self._count[:n], 1), np.nan).astype(np.float64)

    @property
    def peaks(self) -> NDArray[np.float64]:
        """(b,) largest value of each bin; not a number where nothing was seen."""
        n = self._used()
        peaks: NDArray[np.float64] = np.where(self._count[:n] > 0, self._peak[:n], np.nan)
        return peaks

    def _used(self) -> int:
        filled = np.flatnonzero(self._count)
        return int(filled[-1]) + 1 if len(filled) else 0


class FeetMap:
    """How many seconds feet stood on each spot of the picture.

    The grid has `columns` spots across; the rows follow the picture's shape, so that a spot is square.
    """

    def __init__(self, size: tuple[int, int], columns: int = 100) -> None:
        """`size` is the picture's (width, height) in pixels."""
        wide, tall = size
        self.seconds = np.zeros((max(1, round(columns * tall / wide)), columns))  # (rows, columns) object-seconds

    def add(self, feet: NDArray[np.floating], size: tuple[int, int], seconds: NDArray[np.floating] | float) -> None:
        """feet (n, 2) pixels in a picture of `size`; seconds (n,) that each of them stood there."""
        rows, columns = self.seconds.shape
        x = np.clip((feet[:, 0] * (columns / size[0])).astype(np.intp), 0, columns - 1)
        y = np.clip((feet[:, 1] * (rows / size[1])).astype(np.intp), 0, rows - 1)
        weights = np.broadcast_to(np.asarray(seconds, np.float64), x.shape)
        self.seconds += np.bincount(y * columns + x, weights, rows * columns).reshape(rows, columns)

    def __bool__(self) -> bool:
        return bool(self.seconds.any())


@dataclass(frozen=True, eq=False)
class Crossings:
    """Who went over which line, when and which way; row i of every array is one crossing, in order of time."""

    times: array[float] = field(default_factory=lambda: array("d"))  # media seconds
    lines: array[int] = field(default_factory=lambda: array("H"))  # index into RunSummary.lines
    forward: array[int] = field(default_factory=lambda: array("b"))  # 1 forward, 0 backward

    def add(self, time: float, line: int, forward: bool) -> None:
        self.times.append(time)
        self.lines.append(line)
        self.forward.append(forward)

    def count(self, line: int) -> tuple[int, int]:
        """-> (forward, backward) over one line."""
        ways = [way for index, way in zip(self.lines, self.forward, strict=True) if index == line]
        return sum(ways), len(ways) - sum(ways)


Stays: TypeAlias = Mapping[str, "array[float]"]  # class name -> seconds of every stay


@dataclass(frozen=True, eq=False)
class RunSummary:
    """One camera, from `begin` to `end`. Times are media seconds; `epoch` is UTC of media time 0, 0 when unknown."""

    camera: str
    source: str  # a path or an address; passwords in it are never shown
    size: tuple[int, int]  # width, height in pixels
    begin: float
    end: float
    epoch: float = 0.0
    title: str = ""  # instead of the camera's name
    cards: tuple[EventCard, ...] = ()  # in order of time
    behaviours: Mapping[str, str] = field(default_factory=Frozen)  # name -> kind, also those that stayed silent
    zones: tuple[Zone, ...] = ()
    lines: tuple[Tripwire, ...] = ()
    background: bytes = b""  # JPEG of the place, without people where possible
    feet: FeetMap = field(default_factory=lambda: FeetMap((16, 9)))
    stays: Mapping[str, Stays] = field(default_factory=Frozen)  # zone ("" is the whole picture) -> stays
    crossings: Crossings = field(default_factory=Crossings)
    present: Mapping[str, TimeBins] = field(default_factory=Frozen)  # class name -> how many at once
    scores: Mapping[str, TimeBins] = field(default_factory=Frozen)  # behaviour -> highest score
    facts: RunFacts = field(default_factory=RunFacts)
    stats: SourceStats = field(default_factory=SourceStats)
    warnings: tuple[str, ...] = ()
    drill: Drill = field(default_factory=Drill)

    @property
    def seconds(self) -> float:
        return max(0.0, self.end - self.begin)
