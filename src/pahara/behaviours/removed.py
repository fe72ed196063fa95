"""A thing that had its place is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Track, Zone, at_limit
from pahara.core.boxes import cover_matrix, foot_points, iou_matrix

from .options import not_negative, positive, some_labels
from .stillness import SAME_THING, THINGS, Stay, distances, last_stay, people_rows
from .trails import TINY, find, place

TOLD = 10.0  # seconds that a removal stays visible in the scores after it is certain
AROUND = 3.0  # seconds before and after it vanished in which someone must have been near


@dataclass(frozen=True)
class Removed:
    """A thing that stood still for `seconds` has not been seen for `gone` seconds, though nobody stands in front.

    With `radius` above 0 someone must have been that near when it vanished: a detector that merely loses sight of
    a thing takes nothing away.
    """

    zone: Zone = EVERYWHERE
    seconds: float = 20.0  # that it stood still before
    gone: float = 5.0  # seconds out of sight, with a clear view
    radius: float = 1.5  # body heights from the nearest person when it vanished; 0 = nobody needed
    labels: tuple[str, ...] = THINGS
    people: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "removed"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 2.0, "cooldown": 60.0, "same_place": 0.0}

    def __post_init__(self) -> None:
        positive("removed", seconds=self.seconds, gone=self.gone)
        not_negative("removed", radius=self.radius)
        some_labels("removed", self.labels)
        some_labels("removed", self.people)

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return 2 * self.seconds + self.gone + TOLD + 30.0

    def __call__(self, scene: Scene) -> Scores:
        scores: dict[Subject, float] = {}
        for thing in (*scene.past, *scene.tracks):
            if thing.label in self.labels and thing.last_seen - thing.born >= self.seconds - TINY:
                gone = self.seconds_gone(scene, thing)
                if 0 < gone <= self.gone + TOLD:
                    scores[(thing.id,)] = at_limit(gone, self.gone)
        return scores

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        thing = find(scene, subject[0])
        gone = 0.0 if thing is None else self.seconds_gone(scene, thing)
        return Reason("removed.gone", gone, self.gone, "s", place(self.zone), {"thing": "" if thing is None else thing.label})

    def seconds_gone(self, scene: Scene, thing: Track) -> float:
        """Seconds that its place has been in clear view without the thing; 0 when it never stood still or is back."""
        stay = last_stay(thing, scene.time - self.memory, self.seconds)
        if stay is None or not TINY < scene.time - stay.end <= self.memory / 2:
            return 0.0
        box = stay.box[None]
        if not self.zone.contains(foot_points(box), scene.size)[0]:
            return 0.0
        left = self._last_there(scene, stay)
        if left > stay.end + AROUND:
            return 0.0  # it is back
        people = people_rows(scene, self.people, stay.end - AROUND)
        if not people.tracks:
            return scene.time - left if self.radius == 0 else 0.0
        close = distances(people, foot_points(box)[0]) <= self.radius
        if self.radius and not close[np.abs(people.times - stay.end) <= AROUND].any():
            return 0.0
        hiding = (cover_matrix(box, people.boxes)[0] >= 0.3) & (people.times > stay.end)
        blocked = float(people.times[hiding].max(initial=left))
        still_hiding = hiding[people.last].nonzero()[0].tolist()  # not seen just now perhaps, but not known to have gone
        if any(people.tracks[i].id in scene.by_id for i in still_hiding):
            return 0.0
        return scene.time - blocked

    def _last_there(self, scene: Scene, stay: Stay) -> float:
        """When anything of its kind was last seen in its place, under any id: what is being lifted wobbles there for a moment."""
        last = stay.end
        for track in (*scene.past, *scene.tracks):
            if track.label in self.labels and track.last_seen > stay.end:
                own = track.since(stay.end)
                there = iou_matrix(stay.box[None], track.boxes[own].astype(np.float64))[0] >= SAME_THING
                last = float(track.times[own][there].max(initial=last))
        return last
