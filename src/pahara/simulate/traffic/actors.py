"""Bodies that move over the ground: where each is ten times a second, and how large it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter

from .place import walk_along

Floats = NDArray[np.float64]
BEAT = 0.1  # seconds
NOBODY = -1
BODIES = {  # length along the heading, width, height in metres
    "car": (4.2, 1.75, 1.5), "bicycle": (1.75, 0.55, 1.05), "dog": (0.75, 0.25, 0.55),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Actor:
    """One body. Row i is beat `first` + i of the day."""

    label: str
    first: int  # beats since midnight
    spots: Floats  # (n, 2) metres
    heading: Floats  # (n,) radians
    body: Floats  # (n, 3) metres: length along the heading, width, height
    incident: int = NOBODY  # which staged incident it takes part in
    lifted: float = 0.0  # metres above the ground: a rider sits

    def __len__(self) -> int:
        return len(self.spots)


@dataclass(frozen=True)
class Person:
    """What stays with a person: a pace and a size."""

    speed: float  # metres per second
    height: float  # metres
    wide: float  # metres


def random_person(rng: np.random.Generator) -> Person:
    """An adult mostly; some children, some elders, some with bags."""
    draw = rng.random()
    height, speed = rng.normal(1.64, 0.085), rng.normal(1.28, 0.17)
    if draw < 0.07:
        height, speed = rng.normal(1.2, 0.12), rng.normal(1.2, 0.3)
    elif draw < 0.15:
        speed = rng.normal(0.85, 0.12)
    elif draw < 0.18:
        speed = rng.normal(2.1, 0.25)  # late for the bus
    wide = rng.normal(0.52, 0.04) * (1.25 if rng.random() < 0.12 else 1.0)
    return Person(float(np.clip(speed, 0.5, 2.6)), float(np.clip(height, 0.9, 1.95)), float(wide))


def smooth_noise(rng: np.random.Generator, n: int, seconds: float) -> Floats:
    """(n,) of variance 1 that forgets itself within so many seconds."""
    keep = np.exp(-BEAT / seconds)
    white = rng.standard_normal(n + 50)
    noise: Floats = lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], white)[50:]
    return noise


def progress(
    rng: np.random.Generator, length: float, speed: float, stops: Sequence[tuple[float, float]] = (), unsteady: float = 0.06
) -> Floats:
    """(n,) metres covered, beat by beat, up to `length`; `stops` are (metres, seconds). Nobody stops or starts in no time."""
    pieces, knots, exact, at, beats = [], [0], [0.0], 0.0, 0
    for where, seconds in [*sorted(stops), (length, 0.0)]:
        where = min(max(where, at), length)
        moving, standing = max(int((where - at) / speed / BEAT), 1), int(seconds / BEAT)
        pieces += [np.full(moving, speed), np.zeros(standing)]
        knots.append(beats + moving + standing // 2)
        exact.append(where)
        at, beats = where, beats + moving + standing
    pace = uniform_filter1d(np.concatenate(pieces), 9, mode="nearest")
    pace = pace * np.maximum(1 + unsteady * smooth_noise(rng, beats, 3.0), 0.2)
    far = np.append(0.0, np.cumsum(pace))
    covered: Floats = np.interp(far[1:], far[np.minimum(knots, beats)], exact)  # who stops, stops at the very place
    return covered


def body_of(rng: np.random.Generator, person: Person, speed: Floats) -> Floats:
    """(n,) metres per second -> (n, 3): legs swing twice a second, further with a faster step; heads go up and down."""
    n = len(speed)
    phase = 2 * np.pi * np.cumsum(1.1 + 0.5 * speed) * BEAT + rng.uniform(0, 6.28)
    stride = 0.32 + 0.3 * np.minimum(speed, 3.0) * np.abs(np.sin(phase / 2))
    tall = person.height * (1 + 0.01 * np.sin(phase))
    return np.column_stack([stride, np.full(n, person.wide), tall])


def walker(
    rng: np.random.Generator, first: int, points: Floats, person: Person, far: Floats, *, shift: float = 0.0, incident: int = NOBODY
) -> Actor:
    """Someone who follows the corners `points`, `far` metres beat by beat, `shift` metres to the side."""
    spots = uniform_filter1d(walk_along(points, far), 13, axis=0, mode="nearest")
    ahead = uniform_filter1d(np.gradient(spots, axis=0), 7, axis=0, mode="nearest")
    heading = held(np.arctan2(ahead[:, 1], ahead[:, 0]), np.hypot(*ahead.T) > 0.01)
    side = np.column_stack([-np.sin(heading), np.cos(heading)])
    n = len(spots)
    sway = uniform_filter1d(side, 15, axis=0, mode="nearest") * (shift + 0.06 * smooth_noise(rng, n, 2.0))[:, None]
    spots = spots + sway
    speed = np.hypot(*np.gradient(spots, axis=0).T) / BEAT
    return Actor("person", first, spots, heading, body_of(rng, person, speed), incident)


def held(values: Floats, good: NDArray[np.bool_]) -> Floats:
    """(n,) each value, or the last good one before it (before the first: the first)."""
    if not good.any():
        return np.zeros_like(values)
    at = np.maximum.accumulate(np.where(good, np.arange(len(values)), -1))
    return values[np.where(at < 0, np.flatnonzero(good)[0], at)]


def vehicle(
    rng: np.random.Generator, first: int, points: Floats, kind: str, speed: float, *, shift: float = 0.0, incident: int = NOBODY
) -> list[Actor]:
    """A car, or a bicycle with its rider (two bodies, as detectors tell them)."""
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    far = progress(rng, length, speed, unsteady=0.04)
    guide = walker(rng, first, points, Person(speed, 1.65, 0.5), far, shift=shift)
    n = len(guide)
    scale = rng.normal(1.0, 0.06)
    if kind == "car":
        return [Actor("car", first, guide.spots, guide.heading, np.tile(np.array(BODIES["car"]) * scale, (n, 1)), incident)]
    bicycle = Actor("bicycle", first, guide.spots, guide.heading, np.tile(BODIES["bicycle"], (n, 1)), incident)
    pedals = 0.75 + 0.08 * np.sin(2 * np.pi * 1.1 * np.arange(n) * BEAT)
    rider = np.column_stack([pedals, np.full(n, 0.5), np.full(n, 1.42 * scale)])
    return [bicycle, Actor("person", first, guide.spots, guide.heading, rider, incident, lifted=0.28)]
