"""Someone moves much faster than a walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Zone, at_limit
from pahara.core.boxes import Floats
from pahara.core.scene import RECENT

from .options import positive, some_labels
from .trails import TINY, Rows, find, place, rows_of

SLIMMEST = 1.6  # a whole upright person is at least so many times as tall as wide, even in full stride
PLAUSIBLE = 12.0  # body heights per second: above that the identity jumped


@dataclass(frozen=True)
class Running:
    """A person covers `speed` body heights per second, in both halves of the last `window` seconds."""

    speed: float = 1.5  # body heights per second; a walk is about 0.8
    window: float = 1.0  # seconds
    zone: Zone = EVERYWHERE
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "running"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.4, "linger": 2.0, "cooldown": 10.0, "same_place": 0.0}

    def __post_init__(self) -> None:
        positive("running", speed=self.speed, window=self.window)
        some_labels("running", self.labels)

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return 3 * self.window

    def __call__(self, scene: Scene) -> Scores:
        if not scene.tracks:
            return {}
        inside = None if self.zone is EVERYWHERE else self.zone.contains(scene.feet, scene.size).tolist()
        speeds = self.speeds(scene, scene.recent if self.memory <= RECENT else rows_of(scene.tracks, self.memory))
        return {
            (track.id,): at_limit(speed, self.speed)
            for i, (track, speed) in enumerate(zip(scene.tracks, speeds.tolist(), strict=True))
            if (not self.labels or track.label in self.labels) and (inside is None or inside[i])
        }

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        speed = 0.0 if track is None else float(self.speeds(scene, rows_of([track], max(self.memory, RECENT), before=1))[0])
        return Reason("running.speed", speed, self.speed, "body heights/s", place(self.zone))

    def speeds(self, scene: Scene, rows: Rows) -> NDArray[np.float64]:
        """(n,) body heights per second; 0 where it cannot be told."""
        points = moments(rows, self.window)
        feet, times = rows.feet[points], rows.times[points]
        steps = feet[1:] - feet[:-1]  # (2, n, 2)
        lasted = times[1:] - times[:-1]  # (2, n) seconds
        size = body_heights(rows, points)
        # A jump of the box (another identity, legs hidden) falls into one half, and to and fro cancels out:
        # only who is fast in both halves and gets somewhere is running.
        halves = np.hypot(steps[..., 0], steps[..., 1]) / np.maximum(lasted, TINY)
        both = steps[0] + steps[1]
        whole = np.hypot(both[:, 0], both[:, 1]) / np.maximum(times[2] - times[0], TINY)
        speed = np.minimum(np.minimum(halves[0], halves[1]), whole) / size
        told = np.minimum(lasted[0], lasted[1]) >= 0.25 * self.window
        told &= times[2] >= scene.time - self.window
        told &= np.maximum(halves[0], halves[1]) <= PLAUSIBLE * size
        return np.where(told, speed, 0.0)


def moments(rows: Rows, seconds: float) -> NDArray[np.intp]:
    """(3, n) each trail's rows `seconds` before its last sighting, half of that before, and the last."""
    last = rows.last
    ago = np.array([[seconds], [seconds / 2]])
    points = np.empty((3, len(last)), np.intp)
    points[:2] = rows.at(rows.times[last] - ago)
    points[2] = last
    return points


def body_heights(rows: Rows, points: NDArray[np.intp]) -> Floats:
    """(3, n) three rows of each trail -> (n,) pixels that one body height takes.

    A box may show half a person (legs behind a wall, or cut off by the picture): then the width and what it was a
    moment ago tell that the person is taller.
    """
    tall = rows.heights[points]
    boxes = rows.boxes[points[2]]
    usual = np.maximum(np.minimum(tall[0], tall[1]), np.minimum(np.maximum(tall[0], tall[1]), tall[2]))  # the middle one of three
    wide = SLIMMEST * (boxes[:, 2] - boxes[:, 0])
    heights: Floats = np.maximum(np.maximum(usual, wide), 0.75 * rows.most(rows.heights))
    return np.maximum(heights, 1.0)
