"""More people stand in a place than it should hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Zone, at_limit
from pahara.core.boxes import foot_points, heights

from .options import not_negative, some_labels
from .trails import chosen, place


@dataclass(frozen=True)
class Crowding:
    """`people` or more are in `zone`; with `within` above 0 they must also stand together, each so near to the next."""

    zone: Zone = EVERYWHERE
    people: int = 10
    within: float = 0.0  # body heights from one to the next; 0 = anywhere in the zone
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "crowding"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 2.0, "linger": 5.0, "cooldown": 60.0}

    def __post_init__(self) -> None:
        if self.people < 2 or self.people != int(self.people):
            raise ValueError(f"crowding: people must be a whole number, 2 or more, got {self.people}")
        not_negative("crowding", within=self.within)
        some_labels("crowding", self.labels)

    memory: ClassVar[float] = 1.0  # seconds of trail

    def __call__(self, scene: Scene) -> Scores:
        return {(): at_limit(self.count(scene), self.people)}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        del subject  # always the whole scene
        code = "crowding.group" if self.within else "crowding.people"
        return Reason(code, self.count(scene), self.people, "people", place(self.zone))

    def count(self, scene: Scene) -> int:
        """People in the zone, or in the largest group that stands together there."""
        who = chosen(scene, self.labels, self.zone)
        if not self.within or len(who) < 2:
            return len(who)
        boxes = np.stack([track.box for track in who]).astype(np.float64)
        feet, tall = foot_points(boxes), heights(boxes)
        apart = np.linalg.norm(feet[:, None] - feet[None], axis=-1)
        near = apart <= self.within * (tall[:, None] + tall[None]) / 2
        return _largest_group(near)


def _largest_group(near: NDArray[np.bool_]) -> int:
    """(n, n) who stands next to whom -> size of the largest group joined by neighbours of neighbours."""
    group = np.arange(len(near))
    while True:
        spread = np.where(near, group, len(near)).min(axis=1)  # everyone takes the lowest number next to them
        if (spread == group).all():
            return int(np.bincount(group).max())
        group = spread
