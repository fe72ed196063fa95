"""Someone moves against the allowed direction of a one-way zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, hypot, radians
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Zone, at_limit
from pahara.core.scene import RECENT

from .options import positive, some_labels
from .running import PLAUSIBLE, body_heights, moments
from .trails import TINY, Rows, find, place, rows_of


@dataclass(frozen=True)
class WrongWay:
    """A person in `zone` moves against `direction`, through both halves of the last `seconds`."""

    zone: Zone = EVERYWHERE
    direction: tuple[float, float] = (1.0, 0.0)  # allowed: x to the right, y downwards on the picture; any length
    within: float = 60.0  # degrees around the opposite of `direction` that are wrong
    speed: float = 0.3  # body heights per second against the direction; a walk is about 0.8
    seconds: float = 2.0  # that it must go on
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "wrong_way"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 2.0, "cooldown": 15.0, "same_place": 0.0}

    def __post_init__(self) -> None:
        positive("wrong_way", speed=self.speed, seconds=self.seconds, within=self.within)
        if self.within > 90:
            raise ValueError(f"wrong_way: within is an angle of at most 90 degrees, got {self.within}")
        if len(self.direction) != 2 or not 1e-9 < hypot(*self.direction) < 1e9:
            raise ValueError(f"wrong_way: direction is an arrow such as (1, 0) for rightwards, got {self.direction}")
        some_labels("wrong_way", self.labels)

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return 2 * self.seconds

    def __call__(self, scene: Scene) -> Scores:
        if not scene.tracks:
            return {}
        speeds = self.speeds(scene, scene.recent if self.memory <= RECENT else rows_of(scene.tracks, self.memory))
        return {
            (track.id,): at_limit(speed, self.speed)
            for track, speed in zip(scene.tracks, speeds.tolist(), strict=True)
            if speed > 0 and (not self.labels or track.label in self.labels)
        }

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        speed = 0.0 if track is None else float(self.speeds(scene, rows_of([track], max(self.memory, RECENT), before=1))[0])
        return Reason("wrong_way.speed", speed, self.speed, "body heights/s", place(self.zone), {"seconds": self.seconds})

    def speeds(self, scene: Scene, rows: Rows) -> NDArray[np.float64]:
        """(n,) body heights per second against the direction; 0 where it cannot be told or is allowed."""
        points = moments(rows, self.seconds)
        feet, times = rows.feet[points], rows.times[points]
        lasted = times[1:] - times[:-1]  # (2, n) seconds
        steps = (feet[1:] - feet[:-1]) / np.maximum(lasted, TINY)[..., None] / body_heights(rows, points)[:, None]  # (2, n, 2)
        against = -(steps @ np.array(self.direction)) / hypot(*self.direction)
        total = np.hypot(steps[..., 0], steps[..., 1])
        wrong = (against >= total * cos(radians(self.within))) & (total <= PLAUSIBLE) & (lasted >= 0.25 * self.seconds)
        wrong &= self.zone.contains(feet[1:].reshape(-1, 2), scene.size).reshape(2, -1)
        told = wrong[0] & wrong[1] & self.zone.contains(feet[0], scene.size) & (times[2] >= scene.time - self.seconds / 2)
        return np.where(told, np.maximum(np.minimum(against[0], against[1]), 0.0), 0.0)
