"""Observations, beat by beat -> the scene with its trails; live and replay share it, so both see the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pahara.core import Observation, Scene, Series, Track

from .history import History

GRID = 8.0  # boxes are kept to 1/8 pixel, in the store and in the scene alike


def on_grid(seen: Observation) -> Observation:
    """The observation as the store will keep it: boxes to 1/8 pixel, time and signals to what float64/float32 hold."""
    boxes = (seen.boxes * GRID).round() / np.float32(GRID) + np.float32(0)  # -0.0 becomes 0.0, as in the store
    signals = {name: float(np.float32(value)) for name, value in seen.signals.items()}
    return Observation(round(seen.time, 6), seen.ids, boxes.astype(np.float32, copy=False), seen.labels, seen.seen, seen.scores, signals)


@dataclass(slots=True)
class _Trail:
    history: History
    track: Track


class SceneMemory:
    """Keeps the trails of one camera. One instance per camera."""

    def __init__(self, camera: str, size: tuple[int, int], *, epoch: float = 0.0, seconds: float = 120.0) -> None:
        """`size` is (width, height) in pixels, `epoch` the UTC seconds of media time 0, `seconds` the length of memory."""
        self.camera, self.size, self.epoch, self.seconds = camera, size, epoch, seconds
        self._alive: dict[int, _Trail] = {}
        self._past: dict[int, _Trail] = {}  # in the order in which they ended
        self._past_tracks: tuple[Track, ...] = ()
        self._signals: dict[str, History] = {}

    def step(self, now: Observation) -> Scene:
        """One beat: sightings are added to their trails, what is no longer listed is past.

        An id that comes back within memory goes on with its old trail (a tracker may recognise what stood still).
        """
        listed = now.ids.tolist()
        past = self._past
        changed = False
        for gone in sorted(self._alive.keys() - set(listed)):
            past[gone] = self._alive.pop(gone)
            changed = True
        while past:
            oldest = next(iter(past))
            if past[oldest].track.last_seen >= now.time - self.seconds:
                break
            del past[oldest]
            changed = True

        tracks = []
        for row, (track_id, seen) in enumerate(zip(listed, now.seen.tolist(), strict=True)):
            trail = self._alive.get(track_id)
            if trail is None and track_id in past:
                trail = self._alive[track_id] = past.pop(track_id)
                seen = changed = True  # it was found again, if perhaps between two beats
            if trail is None:
                history = History(4, self.seconds)
                history.append(now.time, now.boxes[row])
                track = Track(track_id, now.labels[row], *history.view(), now.time)
                trail = self._alive[track_id] = _Trail(history, track)
            elif seen:
                trail.history.append(now.time, now.boxes[row])
                # The label may change: trackers vote on it, and later sightings are often clearer.
                trail.track = Track(track_id, now.labels[row], *trail.history.view(), trail.track.born)
            tracks.append(trail.track)
        tracks.sort(key=lambda track: track.id)
        if changed:
            self._past_tracks = tuple(trail.track for trail in past.values())

        signals = {}
        for name, value in now.signals.items():
            history = self._signals.setdefault(name, History(1, self.seconds))
            history.append(now.time, value)
            times, rows = history.view()
            signals[name] = Series(times, rows[:, 0].astype(np.float64))
        return Scene(self.camera, now.time, self.size, tuple(tracks), self._past_tracks, signals, self.epoch)
