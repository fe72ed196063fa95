"""Scenes without video: scripted actors, seen at any frame rate and size through the product's own memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, pi

import numpy as np

from pahara.alarms import START, AlarmRule
from pahara.core import Behaviour, Event, Observation, Scene
from pahara.tracking import SceneMemory, on_grid

Spot = tuple[float, float]  # x, y of the foot point as fractions of the picture
HEIGHT = 0.25  # of a standing person, as a fraction of the picture's height
SLIM = 0.4  # width over height of a standing person
WALK = 0.8  # body heights per second
RUN = 2.2


@dataclass(frozen=True, slots=True)
class Look:
    """How an actor looks at one moment."""

    x: float  # foot point, fractions of the picture
    y: float
    height: float = HEIGHT  # fraction of the picture's height
    slim: float = SLIM  # width over height, in pixels
    lifted: float = 0.0  # share of the height, from below, that cannot be seen


Actor = Callable[[float], Look | None]  # seconds since the story began -> look, or None while not in view


@dataclass(frozen=True)
class Cast:
    """An actor with what the detector calls it."""

    play: Actor
    label: str = "person"


# ---------------------------------------------------------------- scripts


def path(*points: tuple[float, float, float], height: float | Callable[[float], float] = HEIGHT, slim: float = SLIM) -> Actor:
    """Through (time, x, y) points in straight lines; in view from the first to the last.

    `height` may be a function of y: what stands lower on the picture is nearer and taller.
    """
    if len(points) < 2 or any(a[0] >= b[0] for a, b in pairwise(points)):
        raise ValueError(f"a path needs two points or more with increasing times, got {points}")
    t, x, y = (list(column) for column in zip(*points, strict=True))

    def play(time: float) -> Look | None:
        if not t[0] <= time <= t[-1]:
            return None
        at = float(np.interp(time, t, y))
        return Look(float(np.interp(time, t, x)), at, height(at) if callable(height) else height, slim)

    return play


def walk(start: Spot, end: Spot, begin: float, finish: float, *, height: float | Callable[[float], float] = HEIGHT) -> Actor:
    """From one spot to another at an even pace."""
    return path((begin, *start), (finish, *end), height=height)


def run(start: Spot, end: Spot, begin: float, *, speed: float = RUN, height: float = HEIGHT, aspect: float = 16 / 9) -> Actor:
    """From one spot to another at `speed` body heights a second, on a picture `aspect` times as wide as tall."""
    far = float(np.hypot((end[0] - start[0]) * aspect, end[1] - start[1])) / height
    return path((begin, *start), (begin + far / speed, *end), height=height, slim=0.55)


def stand(at: Spot, begin: float, finish: float, *, height: float = HEIGHT, slim: float = SLIM) -> Actor:
    """In one spot."""
    return path((begin, *at), (finish, *at), height=height, slim=slim)


def fall(
    at: Spot, begin: float, falls: float, finish: float, *, height: float = HEIGHT, takes: float = 0.7, rises: float | None = None
) -> Actor:
    """Stands from `begin`, goes down at `falls` within `takes` seconds, lies until `rises` (if given) or `finish`."""
    return _stoop(at, begin, falls, finish, height, takes, rises, lowest=0.3, widest=3.0)


def sit(
    at: Spot, begin: float, sits: float, finish: float, *, height: float = HEIGHT, takes: float = 2.0, rises: float | None = None
) -> Actor:
    """Stands, sits down within `takes` seconds and stays seated."""
    return _stoop(at, begin, sits, finish, height, takes, rises, lowest=0.68, widest=0.75)


def crouch(
    at: Spot, begin: float, stoops: float, finish: float, *, height: float = HEIGHT, takes: float = 0.6, rises: float | None = None
) -> Actor:
    """Stands, crouches (to pick something up) within `takes` seconds, and stays or rises."""
    return _stoop(at, begin, stoops, finish, height, takes, rises, lowest=0.58, widest=0.85)


def _stoop(
    at: Spot, begin: float, when: float, finish: float, height: float, takes: float, rises: float | None, *, lowest: float, widest: float
) -> Actor:
    def play(time: float) -> Look | None:
        if not begin <= time <= finish:
            return None
        down = _smooth((time - when) / takes)
        if rises is not None:
            down *= 1 - _smooth((time - rises) / 1.0)
        return Look(*at, height * (1 + down * (lowest - 1)), SLIM + down * (widest - SLIM))

    return play


def _smooth(share: float) -> float:
    """0 before 0, 1 after 1, gently in between."""
    return (1 - cos(pi * min(max(share, 0.0), 1.0))) / 2


def leave_a_bag(
    way_in: Spot, spot: Spot, way_out: Spot, begin: float, drops: float, leaves: float, gone: float, *, taken: float = 1e9
) -> tuple[Cast, Cast]:
    """A person walks in, puts a suitcase down at `drops`, walks off at `leaves` and is out of view at `gone` -> person, bag."""
    points = [(begin, *way_in), (drops, *spot), (leaves, *spot), (gone, *way_out)]
    points = [p for i, p in enumerate(points) if i == 0 or p[0] > points[i - 1][0]]
    bag = stand((spot[0] + 0.03, spot[1]), drops, taken, height=0.08, slim=0.8)
    return Cast(path(*points)), Cast(bag, "suitcase")


# ---------------------------------------------------------------- changes to a script


def hidden(actor: Actor, *gaps: tuple[float, float]) -> Actor:
    """Out of sight from one time to another."""
    return lambda time: None if any(a <= time < b for a, b in gaps) else actor(time)


def cut_below(actor: Actor, begin: float, finish: float, share: float = 0.45) -> Actor:
    """The legs are behind something from `begin` to `finish`: the box ends higher."""

    def play(time: float) -> Look | None:
        look = actor(time)
        return replace(look, lifted=share) if look is not None and begin <= time < finish else look

    return play


def displaced(actor: Actor, begin: float, finish: float, dx: float, dy: float) -> Actor:
    """A mistaken box from `begin` to `finish`, off by fractions of the picture."""

    def play(time: float) -> Look | None:
        look = actor(time)
        return replace(look, x=look.x + dx, y=look.y + dy) if look is not None and begin <= time < finish else look

    return play


def first_then(first: Actor, second: Actor, at: float) -> Actor:
    """One identity that jumps from one actor to another: an ID switch."""
    return lambda time: first(time) if time < at else second(time)


def nearer_is_taller(near: float = 0.5, far: float = 0.1) -> Callable[[float], float]:
    """Height by y: `far` at the top of the picture, `near` at the bottom."""
    return lambda y: far + (near - far) * y


# ---------------------------------------------------------------- seeing them

Actors = Mapping[int, Actor | Cast]


def observations(
    actors: Actors,
    *,
    seconds: float,
    fps: float = 10.0,
    size: tuple[int, int] = (640, 360),
    since: float = 0.0,
    jitter: float = 0.0,
    gaps: float = 0.0,
    patience: float = 1.0,
    uneven: float = 0.0,
    seed: int = 0,
    signals: Mapping[str, Callable[[float], float]] | None = None,
) -> Iterator[Observation]:
    """What a tracker would say of these actors, frame by frame.

    `since`: media time of the story's beginning. `jitter`: standard deviation of each box edge in body heights.
    `gaps`: chance of each sighting to be missed. `patience`: seconds that an unseen track stays listed.
    `uneven`: share of a frame interval by which frames come late. `signals`: functions of the story's time.
    """
    rng = np.random.default_rng(seed)
    cast = {i: actor if isinstance(actor, Cast) else Cast(actor) for i, actor in sorted(actors.items())}
    wide, tall = size
    last: dict[int, tuple[float, np.ndarray]] = {}
    for step in range(int(seconds * fps + 1e-9) + 1):
        time = step / fps + (rng.uniform(0, uneven) / fps if uneven else 0.0)
        rows, seen = [], []
        for i, actor in cast.items():
            look = actor.play(time)
            if look is not None and not (gaps and i in last and rng.random() < gaps):
                box = _box(look, wide, tall)
                if jitter:
                    box = box + rng.normal(0, jitter * look.height * tall, 4)
                    box = np.concatenate([np.minimum(box[:2], box[2:] - 2), np.maximum(box[2:], box[:2] + 2)])
                last[i] = time, box
                rows.append(i)
                seen.append(True)
            elif i in last and time - last[i][0] <= patience:
                rows.append(i)
                seen.append(False)
            else:
                last.pop(i, None)
        yield on_grid(
            Observation(
                since + time,
                np.array(rows, np.int64),
                np.array([last[i][1] for i in rows], np.float32).reshape(-1, 4),
                tuple(cast[i].label for i in rows),
                np.array(seen, bool),
                np.where(seen, np.float32(0.9), np.float32(0)).astype(np.float32),
                {name: f(time) for name, f in (signals or {}).items()},
            )
        )


def _box(look: Look, wide: int, tall: int) -> np.ndarray:
    x, y, height = look.x * wide, look.y * tall, look.height * tall
    half = look.slim * height / 2
    return np.array([x - half, y - height, x + half, y - look.lifted * height])


def remember(
    seen: Iterable[Observation], *, size: tuple[int, int] = (640, 360), camera: str = "test", epoch: float = 0.0, memory: float = 150.0
) -> Iterator[Scene]:
    """Observations -> scenes, through the product's own SceneMemory."""
    scenes = SceneMemory(camera, size, epoch=epoch, seconds=memory)
    return map(scenes.step, seen)


def scenes(
    actors: Actors,
    *,
    seconds: float,
    fps: float = 10.0,
    size: tuple[int, int] = (640, 360),
    camera: str = "test",
    epoch: float = 0.0,
    memory: float = 150.0,
    since: float = 0.0,
    jitter: float = 0.0,
    gaps: float = 0.0,
    patience: float = 1.0,
    uneven: float = 0.0,
    seed: int = 0,
    signals: Mapping[str, Callable[[float], float]] | None = None,
) -> Iterator[Scene]:
    """One scene per frame, each with every actor's trail so far; the options are those of `observations`."""
    seen = observations(
        actors, seconds=seconds, fps=fps, size=size, since=since, jitter=jitter, gaps=gaps,
        patience=patience, uneven=uneven, seed=seed, signals=signals,
    )  # fmt: skip
    return remember(seen, size=size, camera=camera, epoch=epoch, memory=memory)


def events_of(behaviour: Behaviour, seen: Iterable[Scene], rule: AlarmRule | None = None, *, name: str = "") -> list[Event]:
    """What the product would report: the behaviour's scores through its alarm rule, ended at the end of the story."""
    rule = AlarmRule.of(behaviour) if rule is None else rule
    kind = getattr(behaviour, "kind", type(behaviour).__name__.lower())
    events: list[Event] = []
    state, time = START, 0.0
    for scene in seen:
        state, new = rule.step(state, behaviour=name or kind, kind=kind, scene=scene, scores=behaviour(scene), explain=behaviour.explain)
        events += new
        time = scene.time
    return [*events, *rule.finish(state, time=time, explain=behaviour.explain)]


def began(events: Sequence[Event]) -> list[Event]:
    """Only the reports that something began."""
    return [event for event in events if event.phase == "began"]
