"""One thread that serves every camera: it takes the newest frames that are due, detects on them together, and lets each camera think."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic

from pahara.core import Detections, Frame

from .one_thread import one_thread
from .slot import Arrived
from .station import Station

log = logging.getLogger(__name__)

Detect = Callable[[Sequence[Frame]], list[Detections]]

BATCH = 8  # pictures that one call of a detector gets


@dataclass(frozen=True, slots=True)
class Post:
    """A station, and which detector serves it: stations with the same key share one."""

    station: Station
    detector: Hashable


class DetectorFault(Exception):
    """A detector raised, or did not come back."""

    def __init__(self, key: Hashable, said: str) -> None:
        super().__init__(said)
        self.key, self.said = key, said


class Inference:
    """The thread. `posts` is asked each round; `detector(key)` gives what detects on frames; `fault` hears of one that failed.

    `busy_since` tells a supervisor how long it has been at one call. One that hangs cannot be killed: it is `abandoned`, a new
    one takes its place, and if the old call ever comes back, its answer is thrown away.
    """

    def __init__(
        self,
        bell: Condition,
        posts: Callable[[], Sequence[Post]],
        detector: Callable[[Hashable], Detect],
        fault: Callable[[DetectorFault], None],
    ) -> None:
        self._bell, self._posts, self._detector, self._fault = bell, posts, detector, fault
        self._stopping = self.abandoned = False
        self.busy_since = 0.0  # monotonic seconds since when it is at one call; 0 between
        self.at: Hashable | Station | None = None  # the detector's key, or the station, that it is at
        self.rounds = self.pictures = 0
        self._thread = Thread(target=self._work, name="inference", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """End after the round at hand -> whether it has."""
        self._stopping = True
        with self._bell:
            self._bell.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """It hangs: whatever it may still answer counts for nothing."""
        self.abandoned = self._stopping = True

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        with one_thread():
            self._rounds()

    def _rounds(self) -> None:
        while not self._stopping:
            posts = self._posts()
            with self._bell:
                if not any(post.station.slot for post in posts):
                    self._bell.wait(0.25)
            taken = [(post, arrived) for post in posts if (arrived := post.station.take()) is not None]
            if taken:
                self.rounds += 1
                self._round(taken)

    def _round(self, taken: Sequence[tuple[Post, Arrived]]) -> None:
        wanted: dict[Hashable, list[tuple[Station, Arrived]]] = {}
        for post, arrived in taken:
            self._enter(post.station)
            try:
                if post.station.wants_detector(arrived):
                    wanted.setdefault(post.detector, []).append((post.station, arrived))
                    continue
            except Exception as problem:  # noqa: BLE001  one camera that fails must not blind the others
                self._leave(post.station, problem)
                continue
            self._think(post.station, arrived, None)
        for key, group in wanted.items():
            for begin in range(0, len(group), BATCH):
                self._detect(key, group[begin : begin + BATCH])
        self._rest()

    def _detect(self, key: Hashable, group: Sequence[tuple[Station, Arrived]]) -> None:
        self._enter(key)
        try:
            found = self._detector(key)([arrived.frame for _, arrived in group])
            if len(found) != len(group):
                raise ValueError(f"{len(found)} answers for {len(group)} pictures")
        except Exception as problem:
            log.exception("the detector failed")
            if not self.abandoned:
                self._fault(DetectorFault(key, f"{type(problem).__name__}: {problem}"))
            return
        if self.abandoned:
            return
        self.pictures += len(group)
        for (station, arrived), detections in zip(group, found, strict=True):
            self._think(station, arrived, detections)

    def _think(self, station: Station, arrived: Arrived, detections: Detections | None) -> None:
        self._enter(station)
        try:
            if not self.abandoned and station.alive:
                station.look(arrived, detections)
        except Exception as problem:  # noqa: BLE001  one camera that fails must not blind the others
            self._leave(station, problem)

    def _leave(self, station: Station, problem: Exception) -> None:
        if not self.abandoned:
            station.failed(problem)

    def _enter(self, what: Hashable | Station) -> None:
        self.at, self.busy_since = what, monotonic()

    def _rest(self) -> None:
        self.at, self.busy_since = None, 0.0
