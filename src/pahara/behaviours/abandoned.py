"""A bag stands where its owner left it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Track, Zone, at_limit
from pahara.core.boxes import Floats, foot_points

from .options import positive, some_labels
from .stillness import THINGS, distances, earlier_selves, people_rows, still_since
from .trails import Rows, chosen, find, place

APPEARS = 3.0  # seconds around its first sighting in which the owner is looked for: a carried bag is seen late
MOST_ROWS = 160  # per person: about one a second of the memory


@dataclass(frozen=True)
class Abandoned:
    """A thing that someone brought stays still, and nobody attends it for `seconds`.

    The owner is the person nearest to where it appeared, within `radius`. The owner attends it within `radius`; so does
    anyone else who stays that near for `attending` seconds (also the owner under a new id): passers-by do not.
    """

    zone: Zone = EVERYWHERE
    seconds: float = 30.0  # unattended
    radius: float = 1.5  # body heights from person to thing
    attending: float = 6.0  # seconds near it that tell a companion from a passer-by
    needs_owner: bool = True  # False: also what was there when the watch began
    labels: tuple[str, ...] = THINGS
    people: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "abandoned"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 5.0, "cooldown": 300.0, "same_place": 0.4}

    def __post_init__(self) -> None:
        positive("abandoned", seconds=self.seconds, radius=self.radius, attending=self.attending)
        some_labels("abandoned", self.labels)
        some_labels("abandoned", self.people)

    @property
    def memory(self) -> float:
        """Seconds of trail: the owner's stay beside the thing, and the time without."""
        return 3 * self.seconds + 60.0

    def __call__(self, scene: Scene) -> Scores:
        things = [thing for thing in chosen(scene, self.labels, self.zone) if scene.time - thing.born > 1.0]
        if not things:
            return {}
        people = self._people(scene)
        alone = {(thing.id,): self._seconds_alone(scene, thing, people) for thing in things}
        return {subject: at_limit(seconds, self.seconds) for subject, seconds in alone.items() if seconds > 0}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        thing = find(scene, subject[0])
        alone = 0.0 if thing is None else self._seconds_alone(scene, thing, self._people(scene))
        return Reason("abandoned.alone", alone, self.seconds, "s", place(self.zone), {"thing": "" if thing is None else thing.label})

    def _people(self, scene: Scene) -> Rows:
        return people_rows(scene, self.people, scene.time - self.memory, most=MOST_ROWS)

    def _seconds_alone(self, scene: Scene, thing: Track, people: Rows) -> float:
        """Seconds that this thing has stood still without anyone who attends it, until it was last seen."""
        oldest = scene.time - self.memory
        since, appeared = still_since(thing, oldest), thing.born
        if since <= float(thing.times[min(thing.since(oldest).start, len(thing.times) - 1)]):  # it has not moved since this track began
            for before in earlier_selves(scene, thing):
                appeared = min(appeared, before.born)
                since = min(since, still_since(before, oldest))
        if not people.tracks:
            return 0.0 if self.needs_owner and appeared >= oldest else max(thing.last_seen - since, 0.0)

        off = distances(people, foot_points(thing.boxes[-1:].astype(np.float64))[0])
        arriving = np.abs(people.times - appeared) <= APPEARS
        gaps = people.least(np.where(arriving, off, np.inf))  # (n,) how near each person was when it appeared
        owner = int(gaps.argmin()) if gaps.min() <= self.radius else -1
        if self.needs_owner and owner < 0 and appeared >= oldest:
            return 0.0  # an arrival that is forgotten by now was judged while it was remembered

        attended, near, edges = since, off <= self.radius, people.edges
        for person in np.logical_or.reduceat(near, people.first).nonzero()[0].tolist():
            own = slice(edges[person], edges[person + 1])
            for first, last in _stretches(people.times[own], near[own]):
                if person == owner or last - first >= self.attending:
                    attended = max(attended, last)
        return max(thing.last_seen - attended, 0.0)


def _stretches(times: Floats, near: NDArray[np.bool_], *, longest_gap: float = 3.0) -> Iterator[tuple[float, float]]:
    """(t,) times and whether near then -> (from, to) of every unbroken time near; short absences do not break it."""
    rows = near.nonzero()[0]
    if len(rows):
        breaks = (np.diff(times[rows]) > longest_gap).nonzero()[0]
        for first, last in zip([0, *(breaks + 1)], [*breaks, len(rows) - 1], strict=True):
            yield float(times[rows[first]]), float(times[rows[last]])
