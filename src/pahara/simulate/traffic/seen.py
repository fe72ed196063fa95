"""What a detector and a tracker make of it: boxes that tremble, sightings that fail, people behind others, ids that change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from pahara.core import Track

from .actors import BEAT, NOBODY, Actor
from .place import Site
from .rhythm import dark

Floats = NDArray[np.floating[Any]]
GRID = 8.0  # boxes lie on a grid of 1/8 pixel, as the store keeps them


@dataclass(frozen=True)
class Seeing:
    """How well the camera's detector and tracker see. Sizes of errors are shares of the box's height."""

    jitter: float = 0.018  # standard deviation of each edge
    memory: float = 0.75  # share of the error that is the same a tenth of a second later
    lost: float = 0.012  # chance that a sighting begins to fail
    lost_for: float = 4.0  # mean beats that it then fails
    small: float = 50.0  # pixels: below this height sightings fail three times as often
    hidden: float = 0.6  # share of a box behind another from which it is not seen
    switch: float = 0.08  # chance that two who cover each other change their ids
    patience: float = 1.5  # seconds until a lost track ends; after that it is a new one
    shortest: int = 3  # sightings before a tracker believes in a thing
    ghosts: float = 3.0  # things a day that are not there, for a second or two


USUAL = Seeing()


@dataclass(frozen=True, eq=False)
class Seen:
    """A track and whose it was."""

    track: Track
    incidents: frozenset[int]  # staged incidents that its body took part in, for a second or more


def see(
    site: Site, actors: Sequence[Actor], rng: np.random.Generator, *, start: float, seeing: Seeing = USUAL, first_id: int = 1
) -> list[Seen]:
    """Bodies of one day -> tracks, in order of their beginning. `start`: media seconds of the day's midnight."""
    whole = [_boxes(site, rng, actor, seeing) for actor in [*actors, *_ghosts(site, rng, seeing)]]
    sights = [sight for sight in whole if len(sight.beats)]
    sights.sort(key=lambda sight: int(sight.beats[0]))
    _meet(sights, rng, seeing)
    patience = round(seeing.patience / BEAT)
    pieces = [(int(s.beats[r.start]), s, r) for s in sights for r in _pieces(s.beats, patience) if r.stop - r.start >= seeing.shortest]
    pieces.sort(key=lambda piece: piece[0])
    told = []
    for number, (_, sight, rows) in enumerate(pieces):
        kinds, counts = np.unique(sight.incident[rows], return_counts=True)
        part = frozenset(int(kind) for kind, count in zip(kinds, counts, strict=True) if kind != NOBODY and count >= 10)
        times = np.round(start + sight.beats[rows] * BEAT, 6)
        boxes = (np.round(sight.boxes[rows] * GRID) / GRID).astype(np.float32) + np.float32(0)
        told.append(Seen(Track(first_id + number, sight.label, times, boxes), part))
    return told


@dataclass(eq=False)
class _Sight:
    """Where one body is seen; the arrays are replaced when ids change."""

    label: str
    beats: NDArray[np.int64]
    boxes: Floats
    depth: Floats
    incident: NDArray[np.int64]


_CORNERS = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, 1.0)])


def _boxes(site: Site, rng: np.random.Generator, actor: Actor, seeing: Seeing) -> _Sight:
    wide, tall = site.view.size
    n = len(actor)
    beats = actor.first + np.arange(n)
    c, s = np.cos(actor.heading)[:, None], np.sin(actor.heading)[:, None]
    local = _CORNERS[None] * actor.body[:, None]
    corners = np.stack(
        [
            actor.spots[:, :1] + c * local[..., 0] - s * local[..., 1],
            actor.spots[:, 1:] + s * local[..., 0] + c * local[..., 1],
            local[..., 2] + actor.lifted,
        ],
        axis=-1,
    )
    pixels, depth = site.view.project(corners)
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    height = high[:, 1] - low[:, 1]
    night = dark(beats * BEAT)
    error = lfilter([np.sqrt(1 - seeing.memory**2)], [1, -seeing.memory], rng.standard_normal((n + 10, 4)), axis=0)[10:]
    boxes = np.concatenate([low, high], axis=1) + error * (seeing.jitter * np.where(night, 1.4, 1.0) * height)[:, None]
    inside = np.clip(boxes, 0, [wide, tall, wide, tall])
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6).prod(axis=1)
    share = np.maximum(inside[:, 2:] - inside[:, :2], 0).prod(axis=1) / size
    short = inside[:, 3] - inside[:, 1]
    seen = (depth.min(axis=1) > 0.5) & (share > 0.4) & (short >= 22)
    if not seen.any():
        return _Sight(actor.label, beats[:0], boxes[:0], depth[:0, 0], beats[:0])
    fails = rng.random(n) < seeing.lost * np.where(short < seeing.small, 3.0, 1.0) * np.where(night, 1.7, 1.0)
    for at in np.flatnonzero(fails & seen):
        seen[at : at + int(rng.geometric(1 / seeing.lost_for))] = False
    middle = inside[:, [0, 2]].mean(axis=1)
    for left, right in site.poles:
        seen &= ~((middle > left) & (middle < right) & (inside[:, 2] - inside[:, 0] < 2 * (right - left)) & (inside[:, 3] > 0.3 * tall))
    return _Sight(actor.label, beats[seen], inside[seen], depth.mean(axis=1)[seen], np.full(int(seen.sum()), actor.incident))


def _ghosts(site: Site, rng: np.random.Generator, seeing: Seeing) -> list[Actor]:
    """A bush, a shadow, headlights on a wall: a still box for a second or two, at places that are this site's own."""
    own = np.random.default_rng([int(site.people * 1000), 76])
    spots = np.column_stack([own.uniform(-6, 6, 3), own.uniform(8, 20, 3)])
    tall = own.uniform(0.7, 1.6, 3)
    ghosts = []
    for _ in range(int(rng.poisson(seeing.ghosts))):
        which, n = int(rng.integers(3)), int(rng.integers(5, 25))
        body = np.tile([0.4, 0.5, tall[which]], (n, 1)) * rng.normal(1, 0.03)
        ghosts.append(Actor("person", int(rng.integers(0, 850_000)), np.tile(spots[which], (n, 1)), np.zeros(n), body))
    return ghosts


def _meet(sights: list[_Sight], rng: np.random.Generator, seeing: Seeing) -> None:
    """Who is behind another is not seen; two who cover each other may come out with each other's id."""
    drop: list[NDArray[np.bool_]] = [np.zeros(len(sight.beats), bool) for sight in sights]
    swaps: list[tuple[int, int, int]] = []
    ends = np.array([sight.beats[-1] for sight in sights]) if sights else np.zeros(0)
    begins = np.array([sight.beats[0] for sight in sights]) if sights else np.zeros(0)
    for a in range(len(sights)):
        for b in a + 1 + np.flatnonzero(begins[a + 1 :] <= ends[a]):
            one, two = sights[a], sights[int(b)]
            _, rows, others = np.intersect1d(one.beats, two.beats, assume_unique=True, return_indices=True)
            if not len(rows):
                continue
            p, q = one.boxes[rows], two.boxes[others]
            shared = np.maximum(np.minimum(p[:, 2:], q[:, 2:]) - np.maximum(p[:, :2], q[:, :2]), 0).prod(axis=1)
            if not shared.any():
                continue
            areas = (p[:, 2:] - p[:, :2]).prod(axis=1), (q[:, 2:] - q[:, :2]).prod(axis=1)
            riding = {one.label, two.label} == {"person", "bicycle"}  # a bicycle is no curtain, and a rider no stranger to it
            if riding:
                continue
            behind = one.depth[rows] > two.depth[others]
            drop[a][rows[behind & (shared > seeing.hidden * areas[0])]] = True
            drop[int(b)][others[~behind & (shared > seeing.hidden * areas[1])]] = True
            close = shared > 0.5 * np.maximum(areas[0], areas[1])
            if one.label == two.label and close.any() and rng.random() < seeing.switch:
                swaps.append((a, int(b), int(one.beats[rows[int(np.flatnonzero(close)[-1])]])))
    for sight, gone in zip(sights, drop, strict=True):
        if gone.any():
            sight.beats, sight.boxes, sight.depth, sight.incident = (
                sight.beats[~gone], sight.boxes[~gone], sight.depth[~gone], sight.incident[~gone],
            )  # fmt: skip
    for a, c, beat in sorted(swaps, key=lambda swap: swap[2]):
        one, two = sights[a], sights[c]
        i, j = int(np.searchsorted(one.beats, beat, "right")), int(np.searchsorted(two.beats, beat, "right"))
        for name in ("beats", "boxes", "depth", "incident"):
            p, q = getattr(one, name), getattr(two, name)
            setattr(one, name, np.concatenate([p[:i], q[j:]]))
            setattr(two, name, np.concatenate([q[:j], p[i:]]))


def _pieces(beats: NDArray[np.int64], patience: int) -> list[slice]:
    """Rows without a gap of more than `patience` beats."""
    cuts = np.flatnonzero(np.diff(beats) > patience) + 1
    edges = [0, *cuts.tolist(), len(beats)]
    return [slice(a, b) for a, b in pairwise(edges) if b > a]
