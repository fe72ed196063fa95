"""Observations, beat by beat -> the scene with its trails; live and replay share it, so both see the same."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from pahara.core import Observation, Scene, Series, Track

from .history import History

GRID = 8.0  # boxes are kept to 1/8 pixel, in the store and in the scene alike


def on_grid(seen: Observation) -> Observation:
    """The observation as the store will keep it: boxes to 1/8 pixel, time and signals to what float64/float32 hold."""
    boxes = np.round(seen.boxes * GRID) / np.float32(GRID)
    return replace(
        seen,
        time=round(seen.time, 6),
        boxes=boxes.astype(np.float32),
        signals={name: float(np.float32(value)) for name, value in seen.signals.items()},
    )


@dataclass(slots=True)
class _Trail:
    label: str
    born: float
    history: History
    track: Track


class SceneMemory:
    """Keeps the trails of one camera. One instance per camera."""

    def __init__(self, camera: str, size: tuple[int, int], *, epoch: float = 0.0, seconds: float = 120.0) -> None:
        """`size` is (width, height) in pixels, `epoch` the UTC seconds of media time 0, `seconds` the length of memory."""
        self.camera, self.size, self.epoch, self.seconds = camera, size, epoch, seconds
        self._alive: dict[int, _Trail] = {}
        self._past: deque[Track] = deque()
        self._signals: dict[str, History] = {}

    def step(self, now: Observation) -> Scene:
        """One beat: sightings are added to their trails, what is no longer listed is past."""
        listed = now.ids.tolist()
        for gone in self._alive.keys() - set(listed):
            self._past.append(self._alive.pop(gone).track)
        while self._past and self._past[0].last_seen < now.time - self.seconds:
            self._past.popleft()

        tracks = []
        for row, (track_id, seen) in enumerate(zip(listed, now.seen.tolist(), strict=True)):
            trail = self._alive.get(track_id)
            if trail is None or seen:
                if trail is None:
                    history = History(4, self.seconds)
                    history.append(now.time, now.boxes[row])
                    times, boxes = history.view()
                    label = now.labels[row]
                    trail = _Trail(label, now.time, history, Track(track_id, label, times, boxes, now.time))
                    self._alive[track_id] = trail
                else:
                    trail.history.append(now.time, now.boxes[row])
                    trail.track = Track(track_id, trail.label, *trail.history.view(), trail.born)
            tracks.append(trail.track)
        tracks.sort(key=lambda track: track.id)

        signals = {}
        for name, value in now.signals.items():
            history = self._signals.setdefault(name, History(1, self.seconds))
            history.append(now.time, value)
            times, rows = history.view()
            signals[name] = Series(times, rows[:, 0].astype(np.float64))
        return Scene(self.camera, now.time, self.size, tuple(tracks), tuple(self._past), signals, self.epoch)
