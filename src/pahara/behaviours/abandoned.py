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
from .stillness import THINGS, distances, earlier_selves, still_since
from .trails import chosen, find, place

APPEARS = 3.0  # seconds around its first sighting in which the owner is looked for: a carried bag is seen late


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
        scores: dict[Subject, float] = {}
        for thing in chosen(scene, self.labels, self.zone):
            if scene.time - thing.born > 1.0:
                alone = self.seconds_alone(scene, thing)
                if alone > 0:
                    scores[(thing.id,)] = at_limit(alone, self.seconds)
        return scores

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        thing = find(scene, subject[0])
        alone = 0.0 if thing is None else self.seconds_alone(scene, thing)
        return Reason("abandoned.alone", alone, self.seconds, "s", place(self.zone), {"thing": "" if thing is None else thing.label})

    def seconds_alone(self, scene: Scene, thing: Track) -> float:
        """Seconds that this thing has stood still without anyone who attends it, until it was last seen."""
        oldest = scene.time - self.memory
        since = still_since(thing, oldest)
        appeared = thing.born
        if since <= thing.times[thing.since(oldest)][0]:
            for self_before in earlier_selves(scene, thing):
                appeared = min(appeared, self_before.born)
                since = min(since, still_since(self_before, oldest))
        spot = foot_points(thing.boxes[-1:].astype(np.float64))[0]

        attended, owner_gap = since, np.inf
        stays: list[tuple[float, float, float]] = []  # how near at the appearance, from, to
        for person in self._people(scene, oldest):
            times, off = distances(person, oldest, spot)
            arrival = np.abs(times - max(appeared, oldest)) <= APPEARS
            gap = float(off[arrival].min()) if arrival.any() else np.inf
            for first, last in _stretches(times, off <= self.radius):
                stays.append((gap, first, last))
        owner_gap = min((gap for gap, _, _ in stays), default=np.inf)
        known = appeared < oldest  # its arrival is forgotten: it was judged when it was remembered
        if self.needs_owner and not known and owner_gap > self.radius:
            return 0.0
        for gap, first, last in stays:
            if gap == owner_gap <= self.radius or last - first >= self.attending:
                attended = max(attended, last)
        return max(thing.last_seen - attended, 0.0)

    def _people(self, scene: Scene, oldest: float) -> Iterator[Track]:
        for person in (*scene.past, *scene.tracks):
            if person.label in self.people and person.last_seen >= oldest:
                yield person


def _stretches(times: Floats, near: NDArray[np.bool_], *, longest_gap: float = 2.0) -> Iterator[tuple[float, float]]:
    """(t,) times and whether near then -> (from, to) of every unbroken time near; short absences do not break it."""
    rows = near.nonzero()[0]
    if len(rows):
        breaks = (np.diff(times[rows]) > longest_gap).nonzero()[0]
        for first, last in zip([0, *(breaks + 1)], [*breaks, len(rows) - 1], strict=True):
            yield float(times[rows[first]]), float(times[rows[last]])
