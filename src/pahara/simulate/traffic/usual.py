"""A usual day: passers-by alone and in groups, who stop and chat; regulars, cars, cyclists, dogs and a night watchman."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .actors import BEAT, BODIES, Actor, Person, progress, random_person, vehicle, walker
from .place import Site, Way
from .rhythm import arrivals, free_day

Floats = NDArray[np.float64]
REGULARS = 15
LAST = 24 * 3600 - 900.0  # seconds: nobody begins so late that midnight cuts the way short


def usual_day(site: Site, seed: int, day: int) -> list[Actor]:
    """All who come on one day (day 0 is a Monday)."""
    rng = np.random.default_rng([seed, 73, day])
    actors: list[Actor] = []
    times = arrivals(rng, seed, day, site.people / 1.45, site.closed)
    for time in times[times < LAST]:
        actors += party(rng, site, float(time))
    for regular in range(REGULARS):
        actors += _regular(rng, site, seed, regular, day)
    for kind, count in (("car", site.cars), ("bike", site.bikes)):
        ways = site.of(kind)
        times = arrivals(rng, seed + 1000, day, count, site.closed) if ways else np.zeros(0)
        for time in times[times < LAST]:
            actors += driver(rng, choose(rng, ways, float(time)), float(time))
    if not site.closed:
        actors += _watchman(rng, site, seed)
    actors += _dogs(rng, site)
    return actors


def choose(rng: np.random.Generator, ways: Sequence[Way], time: float) -> Way:
    """Which way, at this second of the day: out of the gate in the morning, home in the evening."""
    hour = time / 3600.0
    tilt = 1.0 if 6 <= hour < 11 else -1.0 if 16 <= hour < 21 else 0.0
    weights = np.array([way.weight * np.exp(0.9 * tilt * way.rush) for way in ways])
    return ways[int(rng.choice(len(ways), p=weights / weights.sum()))]


def party(rng: np.random.Generator, site: Site, time: float) -> list[Actor]:
    """One to four people who came together; some stop to look, to wait, or to chat."""
    size = int(rng.choice([1, 2, 3, 4], p=[0.68, 0.22, 0.07, 0.03]))
    way = choose(rng, site.of("foot"), time)
    people = [random_person(rng) for _ in range(size)]
    speed = min(person.speed for person in people)
    return company(rng, way.points, time, people, speed, stops_of(rng, site, way, size))


def stops_of(rng: np.random.Generator, site: Site, way: Way, size: int) -> list[tuple[float, float]]:
    """(metres, seconds) where they stop: seldom anywhere, more often at a shop or bench beside the way."""
    stops = []
    line = way.along(0.5)
    seen = np.flatnonzero(site.in_view(line))
    if len(seen) < 4:
        return []
    if rng.random() < (0.05 if size == 1 else 0.12):  # a telephone, a shoe, a word
        stops.append((0.5 * float(rng.choice(seen)), float(np.clip(rng.lognormal(np.log(10), 0.8), 2, 120))))
    near = np.hypot(*(line[:, None] - site.spots[None]).transpose(2, 0, 1))
    beside = [spot for spot in np.flatnonzero(near.min(axis=0) < 2.5) if rng.random() < 0.06 * size]
    return stops + [(0.5 * float(near[:, spot].argmin()), float(np.clip(rng.lognormal(np.log(35), 0.9), 4, 400))) for spot in beside]


def company(
    rng: np.random.Generator, points: Floats, time: float, people: Sequence[Person], speed: float, stops: Sequence[tuple[float, float]]
) -> list[Actor]:
    """People side by side on one way."""
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    far = progress(rng, length, speed, stops)
    middle = np.clip(rng.normal(0.0, 0.45), -1.1, 1.1)
    actors = []
    for i, person in enumerate(people):
        side = middle + 0.65 * (i % 2) - 0.3 * (len(people) > 1)
        behind = 9 * (i // 2) + int(rng.integers(0, 4))
        actors.append(walker(rng, int(time / BEAT) + behind, points, person, far, shift=float(side)))
    return actors


def driver(rng: np.random.Generator, way: Way, time: float) -> list[Actor]:
    """A car or a cyclist on a way."""
    speed = rng.normal(7.0, 1.3) if way.kind == "car" else rng.normal(3.8, 0.6)
    return vehicle(rng, int(time / BEAT), way.points, way.kind, float(np.clip(speed, 2.0, 11.0)), shift=float(rng.normal(0, 0.25)))


@lru_cache(maxsize=64)
def _habits(seed: int, feet: int) -> tuple[tuple[int, float, Person], ...]:
    """(way, second of the day, person) of the regulars of a site."""
    rng = np.random.default_rng([seed, 74])
    hours = rng.choice([7.0, 7.8, 8.3, 9.0, 13.0, 17.2, 18.0, 18.6, 20.0], REGULARS)
    return tuple((int(rng.integers(feet)), float(hour * 3600 + rng.normal(0, 900)), random_person(rng)) for hour in hours)


def _regular(rng: np.random.Generator, site: Site, seed: int, regular: int, day: int) -> list[Actor]:
    ways = site.of("foot")
    way, usual, person = _habits(seed, len(ways))[regular]
    if rng.random() > (0.25 if free_day(day) else 0.85):
        return []
    time = usual + rng.normal(0, 420)
    return company(rng, ways[way].points, time, [person], person.speed * rng.normal(1, 0.04), stops_of(rng, site, ways[way], 1))


def _watchman(rng: np.random.Generator, site: Site, seed: int) -> list[Actor]:
    """Slow rounds every hour of the night, always the same two ways, with stops to look."""
    own = np.random.default_rng([seed, 75])
    ways = site.of("foot")
    rounds = own.choice(len(ways), 2, replace=False)
    person = Person(float(own.normal(0.9, 0.05)), float(own.normal(1.68, 0.05)), 0.56)
    actors = []
    for hour in (0, 1, 2, 3, 4, 5, 23):
        way = ways[int(rounds[hour % 2])]
        line = np.flatnonzero(site.in_view(way.along(0.5)))
        stops = [(0.5 * float(rng.choice(line)), float(rng.uniform(8, 45))) for _ in range(int(rng.integers(0, 3)))] if len(line) else []
        actors += company(rng, way.points, min(hour * 3600 + rng.uniform(300, 2700), LAST), [person], person.speed, stops)
    return actors


def _dogs(rng: np.random.Generator, site: Site) -> list[Actor]:
    """A few dogs a day, at any hour, that trot along a way and sniff."""
    actors = []
    ways = site.of("foot")
    for _ in range(int(rng.poisson(4))):
        way = ways[int(rng.integers(len(ways)))]
        stops = [(float(rng.uniform(0.3, 0.7)) * way.length, float(rng.uniform(1, 15)))]
        far = progress(rng, way.length, float(rng.uniform(1.0, 2.6)), stops)
        guide = walker(rng, int(rng.uniform(0, LAST) / BEAT), way.points, Person(1, 1, 0.3), far, shift=float(rng.normal(0, 0.9)))
        body = np.tile(np.array(BODIES["dog"]) * rng.normal(1, 0.12), (len(guide), 1))
        actors.append(Actor("dog", guide.first, guide.spots, guide.heading, body))
    return actors
