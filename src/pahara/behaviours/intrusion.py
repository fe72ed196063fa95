"""Someone stands in a zone that should be empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Zone, at_limit
from pahara.core.rows import rows_of
from pahara.core.scene import RECENT

from .dwell import dwell, stays
from .options import not_negative, some_labels
from .schedule import ALWAYS, Schedule
from .trails import chosen, find, place


@dataclass(frozen=True)
class Intrusion:
    """A person's foot point is in `zone` for `seconds` while the schedule is on."""

    zone: Zone = EVERYWHERE
    seconds: float = 0.5  # 0 = the first sighting
    grace: float = 0.5  # seconds outside that do not break the stay
    schedule: Schedule = ALWAYS
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "intrusion"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 3.0, "cooldown": 30.0}

    def __post_init__(self) -> None:
        not_negative("intrusion", seconds=self.seconds, grace=self.grace)
        some_labels("intrusion", self.labels)

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return 3 * self.seconds + self.grace + 2

    def __call__(self, scene: Scene) -> Scores:
        if not self.schedule.on(scene.epoch + scene.time):
            return {}
        if self.seconds == 0:
            return {(track.id,): 1.0 for track in chosen(scene, self.labels, self.zone)}
        if not scene.tracks:
            return {}
        rows = scene.recent if self.memory <= RECENT else rows_of(scene.tracks, self.memory, before=1)
        return {
            (track.id,): at_limit(stay, self.seconds)
            for track, stay in zip(scene.tracks, stays(rows, scene, self.zone, self.grace), strict=True)
            if stay > 0 and (not self.labels or track.label in self.labels)
        }

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        stay = 0.0 if track is None else dwell(scene, [track], self.zone, grace=self.grace, seconds=1e9, most=0)[0]
        return Reason("intrusion.inside", stay, self.seconds, "s", place(self.zone))
