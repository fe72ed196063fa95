"""Someone moves against the allowed direction of a one-way zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Track, Zone
from pahara.core.boxes import foot_points

from .options import positive, some_labels
from .running import PLAUSIBLE, body_heights
from .trails import chosen, find, place, rows_of


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
        who = [t for t in chosen(scene, self.labels, self.zone) if scene.time - t.born >= 0.75 * self.seconds]
        if not who:
            return {}
        speeds = self.speeds(scene, who)
        return {(t.id,): s for t, s in zip(who, (speeds / (speeds + self.speed)).tolist(), strict=True) if s > 0}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        speed = 0.0 if track is None else float(self.speeds(scene, [track])[0])
        return Reason("wrong_way.speed", speed, self.speed, "body heights/s", place(self.zone), {"seconds": self.seconds})

    def speeds(self, scene: Scene, tracks: Sequence[Track]) -> NDArray[np.float64]:
        """(n,) body heights per second against the direction; 0 where it cannot be told or is allowed."""
        rows = rows_of(tracks, self.memory)
        now = rows.times[rows.last]
        points = np.stack([rows.at(now - self.seconds), rows.at(now - self.seconds / 2), rows.last])  # (3, n)
        feet, times = foot_points(rows.boxes)[points], rows.times[points]
        size = body_heights(rows.boxes, points, rows.most(rows.boxes[:, 3] - rows.boxes[:, 1]))
        lasted = np.diff(times, axis=0)  # (2, n) seconds
        steps = np.diff(feet, axis=0) / np.maximum(lasted, 1e-6)[..., None] / size[:, None]  # (2, n, 2) body heights/s
        against = -(steps @ np.array(self.direction)) / hypot(*self.direction)
        total = np.hypot(steps[..., 0], steps[..., 1])
        wrong = (against >= total * cos(radians(self.within))) & (total <= PLAUSIBLE) & (lasted >= 0.25 * self.seconds)
        inside = self.zone.contains(feet.reshape(-1, 2), scene.size).reshape(3, -1).all(axis=0)
        fresh = scene.time - now <= self.seconds / 2
        return np.where(wrong.all(axis=0) & inside & fresh, np.maximum(against.min(axis=0), 0.0), 0.0)
