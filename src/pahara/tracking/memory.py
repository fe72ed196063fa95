"""Observations, beat by beat -> the scene with its trails; live and replay share it, so both see the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pahara.core import Observation, Scene, Series, Track

from .history import History

GRID = 8.0  # boxes and joints are kept to 1/8 pixel, in the store and in the scene alike
SURE = 255.0  # steps of a joint's confidence


def on_grid(seen: Observation) -> Observation:
    """The observation as the store will keep it: boxes to 1/8 pixel, time and signals to what float64/float32 hold, joints as `joints_on_grid`."""
    boxes = (seen.boxes * GRID).round() / np.float32(GRID) + np.float32(0)  # -0.0 becomes 0.0, as in the store
    signals = {name: float(np.float32(value)) for name, value in seen.signals.items()}
    joints = joints_on_grid(seen.keypoints) if seen.keypoints.shape[1] else seen.keypoints
    return Observation(
        round(seen.time, 6), seen.ids, boxes.astype(np.float32, copy=False), seen.labels, seen.seen, seen.scores, signals, joints
    )


def joints_on_grid(keypoints: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, k, 3) pixels, pixels, confidence -> to 1/8 pixel and 1/255; a joint of which nothing is known is (0, 0, 0)."""
    given = np.asarray(keypoints, np.float32)
    known = np.isfinite(given).all(axis=2, keepdims=True)
    made = np.where(known, given, np.float32(0))
    made[..., :2] = (made[..., :2] * GRID).round() / np.float32(GRID)
    made[..., 2] = (made[..., 2].clip(0, 1) * SURE).round() / np.float32(SURE)
    made *= made[..., 2:] > 0
    made += np.float32(0)
    return made


@dataclass(slots=True)
class _Trail:
    history: History  # rows of a box, and of the joints behind it
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

        points = now.keypoints.shape[1]
        rows = np.concatenate([now.boxes, now.keypoints.reshape(len(now), 3 * points)], axis=1) if points else now.boxes
        tracks = []
        for row, (track_id, seen) in enumerate(zip(listed, now.seen.tolist(), strict=True)):
            trail = self._alive.get(track_id)
            if trail is None and track_id in past:
                trail = self._alive[track_id] = past.pop(track_id)
                seen = changed = True  # it was found again, if perhaps between two beats
            if trail is None:
                history = History(4 + 3 * points, self.seconds)
                history.append(now.time, rows[row])
                trail = self._alive[track_id] = _Trail(history, _track(track_id, now.labels[row], history, now.time))
            elif seen:
                if trail.track.keypoints.shape[1] != points:  # pose was switched on or off, or another model has other joints
                    trail.history.reshape(4, 4 + 3 * points)
                trail.history.append(now.time, rows[row])
                # The label may change: trackers vote on it, and later sightings are often clearer.
                trail.track = _track(track_id, now.labels[row], trail.history, trail.track.born)
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


def _track(track_id: int, label: str, history: History, born: float) -> Track:
    times, rows = history.view()
    if rows.shape[1] == 4:
        return Track(track_id, label, times, rows, born)
    return Track(track_id, label, times, rows[:, :4], born, rows[:, 4:].reshape(len(rows), -1, 3))
