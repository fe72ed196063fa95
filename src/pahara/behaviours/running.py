"""Someone moves much faster than a walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Track, Zone
from pahara.core.boxes import Floats, foot_points

from .options import positive, some_labels
from .trails import chosen, find, place, rows_of

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
        who = [t for t in chosen(scene, self.labels, self.zone) if scene.time - t.born >= self.window / 2]
        if not who:
            return {}
        speeds = self.speeds(scene, who)
        return {(t.id,): s for t, s in zip(who, (speeds / (speeds + self.speed)).tolist(), strict=True)}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        speed = 0.0 if track is None else float(self.speeds(scene, [track])[0])
        return Reason("running.speed", speed, self.speed, "body heights/s", place(self.zone))

    def speeds(self, scene: Scene, tracks: Sequence[Track]) -> NDArray[np.float64]:
        """(n,) body heights per second; 0 where it cannot be told."""
        rows = rows_of(tracks, self.memory)
        now = rows.times[rows.last]
        old, half = rows.at(now - self.window), rows.at(now - self.window / 2)
        points = np.stack([old, half, rows.last])  # (3, n)
        feet, times = foot_points(rows.boxes)[points], rows.times[points]
        steps = np.diff(feet, axis=0)  # (2, n, 2)
        lasted = np.diff(times, axis=0)  # (2, n) seconds

        size = body_heights(rows.boxes, points, rows.most(rows.boxes[:, 3] - rows.boxes[:, 1]))
        # A jump of the box (another identity, legs hidden) falls into one half, and to and fro cancels out:
        # only who is fast in both halves and gets somewhere is running.
        halves = np.hypot(steps[..., 0], steps[..., 1]) / np.maximum(lasted, 1e-6) / size
        whole = np.hypot(*(feet[2] - feet[0]).T) / np.maximum(times[2] - times[0], 1e-6) / size
        speed = np.minimum(halves.min(axis=0), whole)
        long_enough = (lasted >= 0.25 * self.window).all(axis=0)
        fresh = scene.time - now <= self.window
        believable = halves.max(axis=0) <= PLAUSIBLE
        return np.where(long_enough & fresh & believable, speed, 0.0)


def body_heights(boxes: Floats, points: NDArray[np.intp], tallest: Floats) -> Floats:
    """(N, 4) rows, (3, n) three of them per trail, (n,) tallest of late -> (n,) pixels that one body height takes.

    A box may show half a person (legs behind a wall, or cut off by the picture): then the width and what it was a
    moment ago tell that the person is taller.
    """
    wide, tall = (boxes[:, 2] - boxes[:, 0])[points], (boxes[:, 3] - boxes[:, 1])[points]
    usual = np.sort(tall, axis=0)[1]
    heights: Floats = np.maximum(np.maximum(usual, SLIMMEST * np.sort(wide, axis=0)[1]), 0.75 * tallest)
    return np.maximum(heights, 1.0)
