"""Simulated camera-days without pixels: tracks, and from them observations, scenes or samples, busy seconds only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pahara.core import Observation, Scene, Track
from pahara.tracking import SceneMemory

from .actors import BEAT
from .place import Site
from .rhythm import DAY
from .seen import USUAL, Seeing, Seen, see
from .staged import Staged, an_hour_for, stage
from .usual import usual_day

MONDAY = 1_735_516_800.0  # UTC seconds: 2024-12-30, a Monday, 00:00 (the simulated clocks show UTC)
QUIET = 20.0  # seconds without anyone after which a bout is over
TRIES = 12  # ways and spots that are tried for an incident
IDS = 100_000  # ids of one day begin at a multiple of it


@dataclass(frozen=True, eq=False)
class Day:
    """One day of one camera. Media time counts from the Monday before the first day; track ids are unique over all days."""

    site: Site
    number: int  # 0 is a Monday
    seen: tuple[Seen, ...]  # in order of their beginning
    staged: tuple[Staged, ...] = ()
    patience: float = 1.5
    epoch: float = field(default=MONDAY)

    @property
    def start(self) -> float:
        """Media seconds of midnight."""
        return self.number * DAY

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """All tracks, in order of their beginning."""
        return tuple(seen.track for seen in self.seen)

    @cached_property
    def bouts(self) -> tuple[tuple[Track, ...], ...]:
        """Tracks between which the view was empty for less than 20 s: nobody outside a bout matters to those in it."""
        bouts: list[list[Track]] = []
        end = -np.inf
        for track in self.tracks:
            if track.born > end + QUIET:
                bouts.append([])
            bouts[-1].append(track)
            end = max(end, track.last_seen + self.patience)
        return tuple(map(tuple, bouts))

    def observations(self, tracks: Sequence[Track] = ()) -> Iterator[Observation]:
        """What the tracker says, beat by beat while anyone is listed, and once when the last has gone.

        `tracks`: one bout or several (left out: the whole day).
        """
        mine = sorted(tracks or self.tracks, key=lambda track: track.id)
        patience = round(self.patience / BEAT)
        beats, rows, owners, seen = [], [], [], []
        for index, track in enumerate(mine):
            own = np.round((track.times - self.start) / BEAT).astype(np.int64)
            listed = np.arange(own[0], own[-1] + patience + 1)
            row = np.searchsorted(own, listed, side="right") - 1
            beats.append(listed)
            rows.append(row)
            owners.append(np.full(len(listed), index))
            seen.append(own[row] == listed)
        if not mine:
            return
        when = np.concatenate(beats)
        order = np.argsort(when, kind="stable")  # tracks come in order of their ids
        when, row, owner, sighted = when[order], np.concatenate(rows)[order], np.concatenate(owners)[order], np.concatenate(seen)[order]
        cuts = np.flatnonzero(np.diff(when)) + 1
        ids = np.array([track.id for track in mine], np.int64)
        last = int(when[0])
        for part in np.split(np.arange(len(when)), cuts):
            beat = int(when[part[0]])
            if beat > last + 1:
                yield _nobody(self.start + (last + 1) * BEAT)
            who = owner[part]
            boxes = np.array([mine[i].boxes[r] for i, r in zip(who, row[part], strict=True)], np.float32)
            yield Observation(
                round(self.start + beat * BEAT, 6), ids[who], boxes, tuple(mine[i].label for i in who), sighted[part],
                np.where(sighted[part], np.float32(0.9), np.float32(0.0)).astype(np.float32),
            )  # fmt: skip
            last = beat
        yield _nobody(self.start + (last + 1) * BEAT)

    def scenes(self, tracks: Sequence[Track] = (), *, memory: float = 180.0) -> Iterator[Scene]:
        """The product's own scenes, beat by beat, of a bout or of the whole day."""
        remembered = SceneMemory(self.site.name, self.site.view.size, epoch=self.epoch, seconds=memory)
        return map(remembered.step, self.observations(tracks))

    def stretches(self, seconds: float = 20.0, step: float = 0.5, memory: float = 180.0) -> Iterator[tuple[Scene, list[float]]]:
        """Few scenes in place of many: each ends a stretch of a bout and shows everyone who was there during it, with the
        moments (media seconds, multiples of `step`) at which `measure(scene, times=...)` finds what it would have found live.

        The trails are not thinned, which changes nothing for who looks back to the rows that thinning keeps.
        """
        for bout in self.bouts:
            begin, end = bout[0].born, max(track.last_seen for track in bout) + 0.7
            grid = np.arange(np.floor(begin / step) + 1, np.floor(end / step) + 1) * step
            for first in range(0, len(grid), round(seconds / step)):
                times = grid[first : first + round(seconds / step)]
                here = tuple(
                    cut
                    for track in sorted(bout, key=lambda track: track.id)
                    if track.last_seen >= times[0] - 1.7 and (cut := _until(track, float(times[-1]), memory)) is not None
                )
                if here:
                    yield Scene(self.site.name, float(times[-1]), self.site.view.size, here, epoch=self.epoch), times.tolist()


def _until(track: Track, time: float, memory: float) -> Track | None:
    stop = int(track.times.searchsorted(time + 1e-6, side="right"))
    start = int(track.times.searchsorted(time - memory - 1e-6))
    if stop <= start:
        return None
    return (
        track
        if stop == len(track.times) and start == 0
        else Track(track.id, track.label, track.times[start:stop], track.boxes[start:stop], track.born)
    )


def _nobody(time: float) -> Observation:
    return Observation(round(time, 6), np.zeros(0, np.int64), np.zeros((0, 4), np.float32), (), np.zeros(0, bool), np.zeros(0, np.float32))


def simulate_day(site: Site, seed: int, day: int, *, seeing: Seeing = USUAL) -> Day:
    """A usual day: the same site, seed and day give the same tracks."""
    rng = np.random.default_rng([seed, 77, day])
    seen = see(site, usual_day(site, seed, day), rng, start=day * DAY, seeing=seeing, first_id=1 + day * IDS)
    return Day(site, day, tuple(seen), patience=seeing.patience)


def simulate_incident(
    site: Site, seed: int, day: int, cause: str, number: int, *, seeing: Seeing = USUAL, around: float = 240.0
) -> Day | None:
    """The minutes of a usual day around one staged incident; None where the site has no room for it.

    `number` tells incidents of one cause apart. The tracks of its body are those whose `Seen.incidents` has 0.
    """
    rng = np.random.default_rng([seed, 78, day, number, *cause.encode()])
    played = next((found for _ in range(TRIES) if (found := stage(cause, site, rng, an_hour_for(cause, rng), 0)) is not None), None)
    if played is None:
        return None
    actors, told = played
    others = [
        a for a in usual_day(site, seed, day) if told.start - around < (a.first + len(a)) * BEAT and a.first * BEAT < told.end + around
    ]
    seen = see(site, [*others, *actors], rng, start=day * DAY, seeing=seeing, first_id=1 + day * IDS)
    near = [s for s in seen if s.track.last_seen > day * DAY + told.start - around and s.track.born < day * DAY + told.end + around]
    return Day(site, day, tuple(near), (told,), patience=seeing.patience)
