"""Incidents whose cause is known: one thing about them is unusual, staged into the traffic of a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .actors import BEAT, Actor, progress, random_person, vehicle, walker
from .place import Site, Way

Floats = NDArray[np.float64]
FREE = 2.6  # metres from all ways: where nobody stands
SHORTEST = 2.0  # seconds in view: what passes in less nobody stages
CRAWLING = 0.45  # metres per second


@dataclass(frozen=True)
class Staged:
    """What was staged, and when it could first be known (seconds since midnight)."""

    cause: str
    start: float
    end: float


Play = Callable[[np.random.Generator, Site, float, int], tuple[list[Actor], Staged] | None]


def stage(cause: str, site: Site, rng: np.random.Generator, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    """One incident that begins at about `time` (seconds since midnight); its actors carry its `number`.

    None where this site has no room for it. KeyError for a cause that is not in `CAUSES`.
    """
    return CAUSES[cause](rng, site, time, number)


def an_hour_for(cause: str, rng: np.random.Generator) -> float:
    """A second of the day at which it may be staged: by day, or in the dead of night where that is what is unusual."""
    return float(rng.uniform(0.5, 4.0) if cause == "unusual_hour" else rng.uniform(7.0, 21.0)) * 3600.0


# ---------------------------------------------------------------- one cause each


def _running(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    way = _seen_way(rng, site, "foot")
    person = random_person(rng)
    far = progress(rng, way.length, rng.uniform(3.6, 5.2))
    return _one(site, "running", walker(rng, int(time / BEAT), way.points, person, far, shift=rng.normal(0, 0.3), incident=number))


def _wrong_way(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    found = [way for way in site.ways if way.one_way and not _used_both_ways(site, way)]
    if not found:
        return None
    way = found[int(rng.integers(len(found)))].back()
    first = int(time / BEAT)
    if way.kind == "foot":
        person = random_person(rng)
        return _one(site, "wrong_way", walker(rng, first, way.points, person, progress(rng, way.length, person.speed), incident=number))
    speed = float(np.clip(rng.normal(7.0, 1.3) if way.kind == "car" else rng.normal(3.8, 0.6), 2.0, 11.0))
    return _one(site, "wrong_way", *vehicle(rng, first, way.points, way.kind, speed, incident=number))


def _lingering(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    spot = _empty_spot(rng, site)
    if spot is None:
        return None
    way = _seen_way(rng, site, "foot")
    line = way.along(0.5)
    turn = int(np.hypot(*(line - spot).T).argmin())
    points = np.concatenate([line[: turn + 1 : 4], spot[None], line[turn::4]])
    there = _length(points[: len(line[: turn + 1 : 4]) + 1])
    stay = float(rng.uniform(60, 180))
    person = random_person(rng)
    far = progress(rng, _length(points), person.speed, [(there, stay)])
    actor = walker(rng, int(time / BEAT), points, person, far, incident=number)
    arrived = int(np.searchsorted(far, there - 0.3))
    on_the_way = np.flatnonzero(site.away_from(actor.spots[:arrived]) < 1.0)
    leaves = int(on_the_way[-1]) if len(on_the_way) else arrived
    return [actor], Staged("lingering", time + leaves * BEAT, time + arrived * BEAT + stay)


def _unusual_hour(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    if not site.closed:
        return None
    way = _seen_way(rng, site, "foot")
    person = random_person(rng)
    far = progress(rng, way.length, min(person.speed, 1.6))
    return _one(site, "unusual_hour", walker(rng, int(time / BEAT), way.points, person, far, shift=rng.normal(0, 0.3), incident=number))


def _vehicle_on_path(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    way = _foot_only(rng, site, "car")
    if way is None:
        return None
    return _one(
        site,
        "vehicle_on_path",
        *vehicle(rng, int(time / BEAT), way.points, "car", float(np.clip(rng.normal(7.0, 1.3), 4.0, 10.0)), incident=number),
    )


def _cyclist_on_path(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    way = _foot_only(rng, site, "bike")
    if way is None:
        return None
    return _one(site, "cyclist_on_path", *vehicle(rng, int(time / BEAT), way.points, "bike", rng.uniform(3.5, 5.5), incident=number))


def _falling(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    way = _seen_way(rng, site, "foot")
    where = _middle(rng, site, way)
    person = random_person(rng)
    lies = float(rng.uniform(12, 40))
    far = progress(rng, way.length, person.speed, [(where, lies)])
    actor = walker(rng, int(time / BEAT), way.points, person, far, shift=rng.normal(0, 0.3), incident=number)
    falls = int(np.searchsorted(far, where - 0.02))
    down = _ramp(np.arange(len(actor)) - falls, 7) * (1 - _ramp(np.arange(len(actor)) - falls - int(lies / BEAT) + 20, 20))
    return [_lower(actor, down, length=person.height * rng.uniform(0.85, 1.0), height=0.35, turn=rng.uniform(-1.5, 1.5))], Staged(
        "falling", time + falls * BEAT, time + falls * BEAT + lies
    )


def _crawling(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    way = _seen_way(rng, site, "foot")
    where = _middle(rng, site, way)
    person = random_person(rng)
    seconds = float(rng.uniform(15, 30))
    before = progress(rng, where, person.speed)
    slow = where + progress(rng, CRAWLING * seconds, CRAWLING)
    after = slow[-1] + progress(rng, max(way.length - slow[-1], 0.5), person.speed)
    actor = walker(
        rng, int(time / BEAT), way.points, person, np.concatenate([before, slow, after]), shift=rng.normal(0, 0.3), incident=number
    )
    beat = np.arange(len(actor))
    down = _ramp(beat - len(before), 12) * (1 - _ramp(beat - len(before) - len(slow), 12))
    start = time + len(before) * BEAT
    return [_lower(actor, down, length=person.height * 0.75, height=0.62 * person.height / 1.65)], Staged(
        "crawling", start, start + len(slow) * BEAT
    )


def _closing_in(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    way = _seen_way(rng, site, "foot", both=True)
    where = _middle(rng, site, way)
    stay, person, first = float(rng.uniform(25, 45)), random_person(rng), int(time / BEAT)
    far = progress(rng, way.length, person.speed, [(where, stay)])
    victim = walker(rng, first, way.points, person, far, incident=number)
    stops = int(np.searchsorted(far, where - 0.02))
    at = victim.spots[min(stops + 5, len(victim) - 1)]
    line, turn = way.along(0.5), int(where / 0.5)
    actors, there = [victim], []
    for i in range(int(rng.integers(4, 7))):
        angle = i * 2 * np.pi / 6 + rng.uniform(-0.3, 0.3)
        beside = at + rng.uniform(0.55, 0.8) * np.array([np.cos(angle), np.sin(angle)])
        # They come as people come here, from both sides; what is unusual is that they come to one person.
        come, go = (line[: max(turn - 2, 1) : 4], line[turn + 3 :: 4]) if i % 2 else (line[: turn + 2 : -4], line[max(turn - 3, 0) :: -4])
        points = np.concatenate([come, beside[None], go])
        pace, reach = rng.uniform(1.4, 1.8), _length(points[: len(come) + 1])
        near = progress(rng, _length(points), pace, [(reach, stay - 8 + rng.uniform(-2, 2))])
        there.append(first + stops + int((5.0 + rng.uniform(0, 2.0)) / BEAT))
        begin = there[-1] - int(np.searchsorted(near, reach - 0.3))
        actors.append(walker(rng, begin, points, random_person(rng), near, incident=number))
    return actors, Staged("closing_in", sorted(there)[1] * BEAT - 3.0, time + stops * BEAT + stay)


def _meandering(rng: np.random.Generator, site: Site, time: float, number: int) -> tuple[list[Actor], Staged] | None:
    way = _seen_way(rng, site, "foot")
    where = _middle(rng, site, way)
    middle = walk_to(way, where)
    corners = [middle]
    while len(corners) < 30:
        corner = middle + rng.uniform(-4.0, 4.0, 2)
        if 1.0 < float(np.hypot(*(corner - corners[-1]))) < 3.5 and site.in_view(corner[None])[0]:
            corners.append(corner)
    line = way.along(0.5)
    turn = int(where / 0.5)
    points = np.concatenate([line[: turn + 1 : 4], np.array(corners), line[turn::4]])
    person = random_person(rng)
    far = progress(rng, _length(points), min(person.speed, 1.4))
    actor = walker(rng, int(time / BEAT), points, person, far, incident=number)
    begin = int(np.searchsorted(far, _length(points[: len(line[: turn + 1 : 4])])))
    end = int(np.searchsorted(far, _length(points[: len(line[: turn + 1 : 4]) + 30])))
    return [actor], Staged("meandering", time + begin * BEAT, time + end * BEAT)


CAUSES: Mapping[str, Play] = {
    "running": _running, "wrong_way": _wrong_way, "lingering": _lingering, "unusual_hour": _unusual_hour,
    "vehicle_on_path": _vehicle_on_path, "cyclist_on_path": _cyclist_on_path, "falling": _falling, "crawling": _crawling,
    "closing_in": _closing_in, "meandering": _meandering,
}  # fmt: skip

# ---------------------------------------------------------------- what they share


def walk_to(way: Way, where: float) -> Floats:
    """(2,) metres: the point `where` metres along a way."""
    line = way.along(0.25)
    spot: Floats = line[min(int(where / 0.25), len(line) - 1)]
    return spot


def _one(site: Site, cause: str, *actors: Actor) -> tuple[list[Actor], Staged] | None:
    """It goes on from when the body comes into view until it leaves."""
    seen = np.flatnonzero(site.in_view(actors[0].spots, margin=0.0, least=30.0))
    if len(seen) * BEAT < SHORTEST:
        return None
    first = actors[0].first
    return list(actors), Staged(cause, (first + int(seen[0])) * BEAT, (first + int(seen[-1])) * BEAT)


def _seen_way(rng: np.random.Generator, site: Site, kind: str, *, both: bool = False) -> Way:
    """A way of which four metres or more are in view; `both`: one that people take in both directions."""
    ways = [way for way in site.of(kind) if site.in_view(way.along(0.5)).sum() >= 8 and not (both and way.one_way)]
    return ways[int(rng.integers(len(ways)))]


def _middle(rng: np.random.Generator, site: Site, way: Way) -> float:
    """Metres along the way, well in view."""
    seen = np.flatnonzero(site.in_view(way.along(0.5), margin=0.1))
    seen = seen if len(seen) else np.flatnonzero(site.in_view(way.along(0.5)))
    return 0.5 * float(rng.choice(seen))


def _empty_spot(rng: np.random.Generator, site: Site) -> Floats | None:
    points = np.column_stack([rng.uniform(-10, 10, 400), rng.uniform(5, 28, 400)])
    good = points[site.in_view(points, margin=0.08) & (site.away_from(points) > FREE)]
    return good[0] if len(good) else None


def _foot_only(rng: np.random.Generator, site: Site, kind: str) -> Way | None:
    """A way on foot that, where it is in view, lies apart from all ways of `kind`."""
    found = []
    for way in site.of("foot"):
        line = way.along(0.5)
        line = line[site.in_view(line)]
        if len(line) < 8 or (site.of(kind) and site.away_from(line, (kind,)).min() <= 2.0):
            continue
        # In a direction that its kind takes here: what is unusual is where it is, not which way it goes.
        if not site.of(kind) or max(_alike(line[-1] - line[0], other.points[-1] - other.points[0]) for other in site.of(kind)) > 0.85:
            found.append(way)
    return found[int(rng.integers(len(found)))] if found else None


def _used_both_ways(site: Site, way: Way) -> bool:
    """Whether others of its kind come the other way on the same line."""
    mine, ahead = way.along(1.0), way.points[-1] - way.points[0]
    for other in site.of(way.kind):
        against = float((other.points[-1] - other.points[0]) @ ahead) < 0
        if against and np.hypot(*(mine[:, None] - other.along(1.0)[None]).transpose(2, 0, 1)).min(axis=1).mean() < 1.5:
            return True
    return False


def _alike(one: Floats, other: Floats) -> float:
    """Cosine of the angle between two directions."""
    return float(one @ other / np.maximum(np.hypot(*one) * np.hypot(*other), 1e-9))


def _length(points: Floats) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _ramp(beats: NDArray[np.integer], takes: int) -> Floats:
    """0 before 0, 1 after `takes` beats."""
    ramp: Floats = (1 - np.cos(np.pi * np.clip(beats / takes, 0.0, 1.0))) / 2
    return ramp


def _lower(actor: Actor, down: Floats, *, length: float, height: float, turn: float = 0.0) -> Actor:
    """The same way with the body brought down, (n,) from 0 to 1, to a length along its heading and a height."""
    low = np.array([length, 0.55, height])
    body = actor.body + down[:, None] * (low - actor.body)
    return Actor(actor.label, actor.first, actor.spots, actor.heading + turn * down, body, actor.incident, actor.lifted)
