"""Someone stays in one place for longer than is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Zone, at_limit

from .dwell import dwell
from .options import not_negative, positive, some_labels
from .trails import chosen, find, place


@dataclass(frozen=True)
class Loitering:
    """A person's foot point stays in `zone` for `seconds`; stepping out for up to `grace` seconds does not count."""

    zone: Zone = EVERYWHERE
    seconds: float = 30.0
    grace: float = 2.0  # seconds outside that do not break the stay
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "loitering"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 3.0, "cooldown": 60.0}

    def __post_init__(self) -> None:
        positive("loitering", seconds=self.seconds)
        not_negative("loitering", grace=self.grace)
        some_labels("loitering", self.labels)

    @property
    def memory(self) -> float:
        """Seconds of trail: enough that a stay of twice the limit is still measured in full."""
        return 2 * self.seconds + self.grace + 5

    def __call__(self, scene: Scene) -> Scores:
        here = chosen(scene, self.labels, self.zone)
        stays = dwell(scene, here, self.zone, grace=self.grace, seconds=self.memory)
        return {(track.id,): at_limit(stay, self.seconds) for track, stay in zip(here, stays, strict=True)}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        stay = 0.0 if track is None else dwell(scene, [track], self.zone, grace=self.grace, seconds=1e9, most=0)[0]
        return Reason("loitering.dwell", stay, self.seconds, "s", place(self.zone))
