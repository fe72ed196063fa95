"""Short incidents for a camera's own view: who does what and where, so that one of its rules has something to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Tripwire, Zone

from .actions import Fall, Loiter, PickUp, PutDown, Run, Walk
from .camera import View
from .into import staged_script
from .script import Actor, Bag, Script, Tamper
from .view import Estimate

Floats = NDArray[np.floating[Any]]
GRID = 4  # pixels of a cell of the map of where people walk
SMALLEST = 16.0  # pixels: who is less tall is not staged
TRIES = 60
BAG = 101  # ids of bags begin here
TRICKS = ("covered", "defocused", "moved", "dark")
KINDS = (
    "intrusion", "loitering", "crossing", "running", "wrong_way", "crowding", "falling", "abandoned", "removed", "tailgating", "tamper",
)  # fmt: skip


@dataclass(frozen=True)
class Take:
    """One staged incident. Times are seconds of the take, which begins with `warm` seconds without anyone."""

    kind: str
    behaviour: str  # the rule's name in the configuration; "" for those who only pass
    seed: int
    script: Script
    subjects: tuple[int, ...]  # ids of the staged people or bags that it is about; () for the whole picture
    deed: float  # when it is done: the fall, the step over the line, the run begins
    due: float  # when a rule with these settings can first know it, as it was staged
    place: str = ""
    trick: str = ""  # of tampering

    @property
    def seconds(self) -> float:
        return self.script.duration


@dataclass(frozen=True, eq=False)
class Ground:
    """Where people may be put: a map over the picture, and how it looks at the world."""

    estimate: Estimate
    mask: NDArray[np.bool_]  # (h / GRID, w / GRID) rounded up
    origin: str = "feet"  # feet, places or lower: where people were seen, the configuration's places, or the lower part of the picture

    @property
    def view(self) -> View:
        return self.estimate.view

    def walkable(self, pixels: Floats) -> NDArray[np.bool_]:
        """(n, 2) pixels -> (n,) whether someone may stand there; False outside of the picture."""
        cell = np.floor(np.where(np.isfinite(pixels), pixels, -1) / GRID).astype(int)
        good = (cell >= 0).all(1) & (cell[:, 0] < self.mask.shape[1]) & (cell[:, 1] < self.mask.shape[0])
        x, y = np.clip(cell[:, 0], 0, self.mask.shape[1] - 1), np.clip(cell[:, 1], 0, self.mask.shape[0] - 1)
        return np.asarray(good & self.mask[y, x], bool)

    def inside(self, pixels: Floats) -> NDArray[np.bool_]:
        """(n, 2) pixels -> (n,) whether it is in the picture."""
        return np.asarray((pixels >= 0).all(1) & (pixels < np.array(self.view.size)).all(1), bool)

    def pixels(self, spots: Floats) -> Floats:
        """(n, 2) metres -> (n, 2) pixels of feet that stand there; nan behind the camera."""
        seen, depth = self.view.project(np.concatenate([spots, np.zeros((len(spots), 1))], 1))
        return np.where(depth[:, None] > 0.4, seen, np.nan)

    def spot(self, rng: np.random.Generator, zone: Zone | None = None) -> Floats | None:
        """(2,) metres of a place where someone may stand, in `zone` if given; None where there is none."""
        rows, columns = self._cells(zone)
        if not len(rows):
            return None
        for _ in range(TRIES):
            k = int(rng.integers(len(rows)))
            pixel = (np.array([columns[k], rows[k]]) + rng.uniform(0, 1, 2)) * GRID
            spot = self.view.ground(pixel[None])[0]
            if np.isfinite(spot).all() and self._far(spot) < 120:
                return np.asarray(spot)
        return None

    def _far(self, spot: Floats) -> float:
        return float(np.hypot(*(spot - self.view.position[:2])))

    def _cells(self, zone: Zone | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        rows, columns = np.nonzero(self.mask)
        if zone is None or zone is EVERYWHERE or not len(rows):
            return rows, columns
        middle = (np.stack([columns, rows], 1) + 0.5) * GRID
        good = zone.contains(middle, self.view.size)
        return rows[good], columns[good]

    def clear(self, a: Floats, b: Floats, share: float = 0.8) -> bool:
        """Whether one can walk straight from a to b: of the way that is in the picture, so much is where people walk."""
        way = np.linspace(0, 1, 25)[:, None]
        pixels = self.pixels(a + way * (b - a))
        if np.isnan(pixels).any():
            return False
        seen = self.inside(pixels)
        return bool(seen.sum() >= 3 and self.walkable(pixels[seen]).mean() >= share)

    def approach(
        self, rng: np.random.Generator, goal: Floats, low: float = 2.0, high: float = 7.0, keep_out: Zone | None = None
    ) -> Floats | None:
        """(2,) metres from which one can walk to `goal`, from beyond the picture's border where that is near."""
        for tries in range(TRIES):
            angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(low, high) * (1.0 if tries < 40 else 0.6)
            way = np.array([np.cos(angle), np.sin(angle)])
            start = goal + far * way
            pixel = self.pixels(start[None])
            if np.isnan(pixel).any() or not self.clear(start, goal):
                continue
            if self.inside(pixel)[0]:
                if not self.walkable(pixel)[0]:
                    continue
                beyond = start + way * 1.5
                outside = self.pixels(beyond[None])
                if np.isfinite(outside).all() and not self.inside(outside)[0]:
                    start, pixel = beyond, outside
            if (
                keep_out is not None
                and keep_out is not EVERYWHERE
                and self.inside(pixel)[0]
                and keep_out.contains(pixel, self.view.size)[0]
            ):
                continue
            return np.asarray(start)
        return None


def ground_of(estimate: Estimate, feet: Floats, zones: Mapping[str, Zone], lines: Mapping[str, Tripwire], *, fewest: int = 25) -> Ground:
    """Where people may be staged: where feet were seen (n, 2), and the configuration's zones and along its lines.

    With fewer than `fewest` feet and no places, the part of the picture below the middle between horizon and border.
    """
    wide, tall = estimate.view.size
    mask = np.zeros((-(-tall // GRID), -(-wide // GRID)), np.uint8)

    def spread(points: Floats, across: float, along: float) -> None:
        for x, y in points:
            h = float(estimate.scale.at(y))
            cv2.ellipse(
                mask, (int(x / GRID), int(y / GRID)), (max(int(across * h / GRID), 1), max(int(along * h / GRID), 1)), 0, 0, 360, 1, -1
            )

    origin = "lower"
    if len(feet) >= fewest:
        spread(feet, 0.35, 0.12)
        origin = "feet"
    for zone in zones.values():
        if zone is not EVERYWHERE:
            cv2.fillPoly(mask, [np.round(zone.pixels((wide, tall)) / GRID).astype(np.int32)], 1)
            origin = "feet" if origin == "feet" else "places"
    for line in lines.values():
        a, b = line.pixels((wide, tall))
        spread(
            a + np.linspace(0, 1, 30)[:, None] * (b - a), *((0.9, 0.5) if origin == "feet" else (2.4, 1.2))
        )  # who crosses it comes from somewhere
        origin = "feet" if origin == "feet" else "places"
    rows = (np.arange(mask.shape[0]) + 0.5) * GRID
    heights = np.asarray(estimate.scale.at(rows))
    if origin == "lower":
        top = max(estimate.scale.horizon, 0.0)
        mask[rows > top + 0.5 * (tall - top)] = 1
    mask[heights < SMALLEST] = 0
    mask[rows - heights < -0.35 * heights] = 0  # heads far above the picture
    return Ground(estimate, mask.astype(bool), origin)


@dataclass(frozen=True)
class Wish:
    """What is to be staged: the rule's settings that matter, read from any behaviour by name."""

    kind: str
    behaviour: str
    zone: Zone | None = None
    line: Tripwire | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, behaviour: object) -> Wish:
        """From a behaviour of a plan."""
        told = {key: getattr(behaviour, key) for key in ("seconds", "speed", "people", "direction", "gone", "watch_for", "within", "radius", "frozen_seconds") if hasattr(behaviour, key)}  # fmt: skip
        zone = getattr(behaviour, "zone", None)
        return cls(
            str(getattr(behaviour, "kind", name)), name, None if zone is EVERYWHERE else zone, getattr(behaviour, "line", None), told
        )

    @property
    def place(self) -> str:
        return self.zone.name if self.zone is not None else self.line.name if self.line is not None else ""

    def limit(self, name: str, usual: float) -> float:
        return float(self.options.get(name, usual))


@dataclass
class _Staging:
    """What the makers of takes share."""

    ground: Ground
    rng: np.random.Generator
    warm: float
    fps: float
    seed: int

    def walk(self, *spots: Floats, speed: float | None = None) -> Walk:
        return Walk(tuple((float(x), float(y)) for x, y in spots), float(self.rng.uniform(1.1, 1.5)) if speed is None else speed)

    def actor(self, id_: int, at: Floats, *does: Any, enters: float | None = None) -> Actor:
        return Actor(id_, (float(at[0]), float(at[1])), tuple(does), enters=self.warm if enters is None else enters)

    def take(
        self, wish: Wish, actors: list[Actor], seconds: float, subjects: tuple[int, ...], deed: float, due: float, bags: tuple[Bag, ...] = (),
        tampers: tuple[Tamper, ...] = (), trick: str = "",
    ) -> Take:  # fmt: skip
        script = Script(
            f"{wish.behaviour or 'passing'}-{self.seed}", size=self.ground.view.size, fps=float(np.clip(self.fps, 1, 60)),
            duration=float(np.clip(seconds, 0.5, 24 * 3600)), seed=self.seed, actors=tuple(actors), bags=bags, tampers=tampers,
        )  # fmt: skip
        return Take(
            wish.kind, wish.behaviour, self.seed, staged_script(script, self.ground.estimate), subjects, deed, due, wish.place, trick
        )


Maker = Callable[[_Staging, Wish], Take | None]


def _pass(s: _Staging, wish: Wish) -> Take | None:
    """Three people who only walk by: what the eyes are tried on."""
    actors = []
    for id_ in (1, 2, 3):
        goal = s.ground.spot(s.rng)
        start = None if goal is None else s.ground.approach(s.rng, goal, 3.0, 9.0)
        if goal is None or start is None:
            continue
        last = s.ground.approach(s.rng, goal, 2.0, 8.0)
        actors.append(s.actor(id_, start, s.walk(goal, *([last] if last is not None else [])), enters=float(s.rng.uniform(0.5, 3.0))))
    return s.take(wish, actors, 14.0, tuple(a.id for a in actors), 0.5, 0.5) if actors else None


def _intrusion(s: _Staging, wish: Wish) -> Take | None:
    goal = s.ground.spot(s.rng, wish.zone)
    start = None if goal is None else s.ground.approach(s.rng, goal, 2.0, 8.0, wish.zone)
    if goal is None or start is None:
        return None
    stay = wish.limit("seconds", 0.5) + float(s.rng.uniform(2, 4))
    into = s.warm + float(np.hypot(*(goal - start))) / 1.3
    wait = wish.limit("seconds", 0.5)
    return s.take(wish, [s.actor(1, start, s.walk(goal), Loiter(stay, 0.5), s.walk(start))], into + stay + 6, (1,), into, into + wait)


def _loitering(s: _Staging, wish: Wish) -> Take | None:
    goal = s.ground.spot(s.rng, wish.zone)
    start = None if goal is None else s.ground.approach(s.rng, goal, 1.5, 5.0)
    if goal is None or start is None:
        return None
    wait = wish.limit("seconds", 30.0)
    stay = wait + max(4.0, 0.15 * wait)
    into = s.warm + float(np.hypot(*(goal - start))) / 1.3
    return s.take(wish, [s.actor(1, start, s.walk(goal), Loiter(stay, 0.5))], into + stay + 2, (1,), into, into + wait)


def _through(s: _Staging, line: Tripwire, forward: bool) -> tuple[Floats, Floats, Floats] | None:
    """-> before, on and after the line, in metres."""
    ends = s.ground.view.ground(line.pixels(s.ground.view.size))
    if not np.isfinite(ends).all():
        return None
    a, b = ends
    u = s.rng.uniform(0.2, 0.8)
    on = a + u * (b - a)
    across = np.array([b[1] - a[1], -(b[0] - a[0])])  # the right hand of who walks from a to b, seen from above
    across = across / max(float(np.hypot(*across)), 1e-6)
    # Whether that is the picture's right hand too is asked of the line itself.
    probe = s.ground.pixels(np.stack([on + 0.5 * across]))
    if np.isnan(probe).any():
        return None
    if (line.side(probe, s.ground.view.size)[0] > 0) != forward:
        across = -across
    turn = s.rng.uniform(-0.6, 0.6)
    way = np.array([across[0] * np.cos(turn) - across[1] * np.sin(turn), across[0] * np.sin(turn) + across[1] * np.cos(turn)])
    before, after = on - way * s.rng.uniform(2.5, 6.0), on + way * s.rng.uniform(2.5, 6.0)
    return (before, on, after) if s.ground.clear(before, after, 0.7) else None


def _crossing(s: _Staging, wish: Wish) -> Take | None:
    direction = wish.options.get("direction", "both")
    forward = bool(s.rng.random() < 0.5) if direction == "both" else direction == "forward"
    way = _through(s, wish.line, forward) if wish.line is not None else None
    if way is None:
        return None
    before, on, after = way
    at = s.warm + float(np.hypot(*(on - before))) / 1.3
    return s.take(wish, [s.actor(1, before, s.walk(after, speed=1.3))], s.warm + float(np.hypot(*(after - before))) / 1.3 + 2, (1,), at, at)


def _tailgating(s: _Staging, wish: Wish) -> Take | None:
    direction = wish.options.get("direction", "both")
    forward = bool(s.rng.random() < 0.5) if direction == "both" else direction == "forward"
    way = _through(s, wish.line, forward) if wish.line is not None else None
    if way is None:
        return None
    before, on, after = way
    gap = float(s.rng.uniform(0.35, 0.65)) * wish.limit("seconds", 3.0)
    long = float(np.hypot(*(after - before))) / 1.3
    at = s.warm + gap + float(np.hypot(*(on - before))) / 1.3
    actors = [s.actor(1, before, s.walk(after, speed=1.3)), s.actor(2, before, s.walk(after, speed=1.3), enters=s.warm + gap)]
    return s.take(wish, actors, s.warm + gap + long + 2, (1, 2), at, at)


def _running(s: _Staging, wish: Wish) -> Take | None:
    """Straight through a place, from as far as it is clear to as far as it is clear; the longest of a few ways."""
    best: tuple[float, Floats, Floats] | None = None
    for _ in range(8):
        middle = s.ground.spot(s.rng, wish.zone)
        if middle is None:
            return None
        angle = s.rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(angle), np.sin(angle)])
        ends = []
        for sign in (-1.0, 1.0):
            far = next((d for d in (14.0, 11.0, 9.0, 7.0, 5.0, 3.5, 2.0) if s.ground.clear(middle, middle + sign * d * way)), 0.0)
            ends.append(middle + sign * far * way)
        long = float(np.hypot(*(ends[1] - ends[0])))
        if best is None or long > best[0]:
            best = (long, ends[0], ends[1])
    if best is None or best[0] < 2.5:
        return None
    long, start, goal = best
    speed = float(s.rng.uniform(4.0, 6.0))
    lasts = long / speed
    return s.take(
        wish, [s.actor(1, start, Run((tuple(goal.tolist()),), speed))], s.warm + lasts + 4, (1,), s.warm, s.warm + min(1.4, lasts)
    )


def _wrong_way(s: _Staging, wish: Wish) -> Take | None:
    allowed = np.array(wish.options.get("direction", (1.0, 0.0)), np.float64)
    allowed = allowed / np.hypot(*allowed)
    wait = wish.limit("seconds", 2.0)
    start = s.ground.spot(s.rng, wish.zone)
    if start is None:
        return None
    pixel = s.ground.pixels(start[None])[0]
    turn = s.rng.uniform(-0.4, 0.4)
    against = -np.array([allowed[0] * np.cos(turn) - allowed[1] * np.sin(turn), allowed[0] * np.sin(turn) + allowed[1] * np.cos(turn)])
    ahead = s.ground.view.ground((pixel + against * 0.4 * float(s.ground.estimate.scale.at(pixel[1])))[None])[0]
    if not np.isfinite(ahead).all():
        return None
    way = (ahead - start) / max(float(np.hypot(*(ahead - start))), 1e-6)
    goal = start + way * 1.3 * (wait + float(s.rng.uniform(0.6, 3.0)))
    if not s.ground.clear(start, goal):
        return None
    long = float(np.hypot(*(goal - start))) / 1.3
    return s.take(wish, [s.actor(1, start, s.walk(goal, speed=1.3))], s.warm + long + 3, (1,), s.warm, s.warm + wait)


def _crowding(s: _Staging, wish: Wish) -> Take | None:
    people = int(wish.limit("people", 10)) + 1
    within = wish.limit("within", 0.0)
    middle = s.ground.spot(s.rng, wish.zone)
    if middle is None:
        return None
    actors: list[Actor] = []
    feet: list[Floats] = []
    for id_ in range(1, people + 1):
        for _ in range(TRIES):
            reach = 1.2 * np.sqrt(people) if not within else 0.55 * within * np.sqrt(people)
            goal = middle + s.rng.normal(0, 0.5 * reach, 2) if s.rng.random() < 0.85 or within else s.ground.spot(s.rng, wish.zone)
            if goal is None:
                continue
            pixel = s.ground.pixels(goal[None])
            good = bool(s.ground.walkable(pixel)[0]) and (wish.zone is None or bool(wish.zone.contains(pixel, s.ground.view.size)[0]))
            if good and all(np.hypot(*(goal - f)) > 0.55 for f in feet):
                start = s.ground.approach(s.rng, goal, 1.0, 4.0)
                if start is not None:
                    feet.append(goal)
                    actors.append(s.actor(id_, start, s.walk(goal), Loiter(14.0, 0.2), enters=s.warm + float(s.rng.uniform(0, 3))))
                    break
    if len(actors) < people:
        return None
    return s.take(wish, actors, s.warm + 18.0, (), s.warm + 5.0, s.warm + 7.0)


def _falling(s: _Staging, wish: Wish) -> Take | None:
    """Walks in and falls to one of four sides, where there is ground to lie on."""
    for _ in range(12):
        goal = s.ground.spot(s.rng, wish.zone)
        start = None if goal is None else s.ground.approach(s.rng, goal, 2.0, 5.0)
        if goal is None or start is None:
            return None
        ahead = (goal - start) / max(float(np.hypot(*(goal - start))), 1e-6)
        way = str(s.rng.choice(["forward", "backward", "left", "right"]))
        side = {"forward": ahead, "backward": -ahead, "left": np.array([-ahead[1], ahead[0]]), "right": np.array([ahead[1], -ahead[0]])}[
            way
        ]
        lying = s.ground.pixels(np.stack([goal + reach * side for reach in (0.7, 1.5)]))
        if np.isfinite(lying).all() and s.ground.walkable(lying).all():
            break
    else:
        return None
    wait = wish.limit("seconds", 2.0)
    takes, lie = float(s.rng.uniform(0.7, 1.0)), wait + 5.0
    at = s.warm + float(np.hypot(*(goal - start))) / 1.3
    act = Fall(way, lie=lie, takes=takes)  # type: ignore[arg-type]
    return s.take(wish, [s.actor(1, start, s.walk(goal, speed=1.3), act)], at + takes + lie, (1,), at, at + takes + wait)


def _abandoned(s: _Staging, wish: Wish) -> Take | None:
    goal = s.ground.spot(s.rng, wish.zone)
    start = None if goal is None else s.ground.approach(s.rng, goal, 1.5, 4.0)
    away = None if goal is None else s.ground.approach(s.rng, goal, 5.0, 9.0)
    if goal is None or start is None or away is None:
        return None
    wait = wish.limit("seconds", 30.0)
    kind = str(s.rng.choice(["suitcase", "backpack", "suitcase", "handbag"]))
    down = s.warm + float(np.hypot(*(goal - start))) / 1.3 + 0.9
    due = down + 0.9 + 2.6 / 1.3 + wait
    bag = Bag(BAG, kind, by=1)  # type: ignore[arg-type]
    return s.take(wish, [s.actor(1, start, s.walk(goal), PutDown(BAG), s.walk(away))], due + 6, (BAG,), down, due, (bag,))


def _removed(s: _Staging, wish: Wish) -> Take | None:
    goal = s.ground.spot(s.rng, wish.zone)
    start = None if goal is None else s.ground.approach(s.rng, goal, 2.0, 5.0)
    if goal is None or start is None:
        return None
    stood, gone = wish.limit("seconds", 20.0), wish.limit("gone", 5.0)
    kind = str(s.rng.choice(["suitcase", "backpack", "suitcase", "handbag"]))
    enters = max(stood + 5.0, s.warm)
    taken = enters + float(np.hypot(*(goal - start))) / 1.2 + 1.0
    bag = Bag(BAG, kind, at=(float(goal[0]), float(goal[1])))  # type: ignore[arg-type]
    actor = s.actor(1, start, PickUp(BAG), s.walk(start), enters=enters)
    return s.take(wish, [actor], taken + gone + 8, (BAG,), taken, taken + 1.5 + gone, (bag,))


def _tamper(s: _Staging, wish: Wish) -> Take | None:
    tricks = [t for t in TRICKS if t in wish.options.get("watch_for", TRICKS)]
    if not tricks:
        return None
    trick = tricks[s.seed % len(tricks)]
    wait, begin = wish.limit("seconds", 3.0), max(s.warm, 10.0)
    end = begin + wait + 8.0
    tamper = Tamper(trick, begin, end + 1.0)  # type: ignore[arg-type]
    return s.take(wish, [], end, (), begin, begin + 0.8 + wait, tampers=(tamper,), trick=trick)


MAKERS: dict[str, Maker] = {
    "intrusion": _intrusion, "loitering": _loitering, "crossing": _crossing, "running": _running, "wrong_way": _wrong_way,
    "crowding": _crowding, "falling": _falling, "abandoned": _abandoned, "removed": _removed, "tailgating": _tailgating,
    "tamper": _tamper, "passing": _pass,
}  # fmt: skip
PASSING = Wish("passing", "")


def stage(wish: Wish, ground: Ground, seed: int, *, fps: float, warm: float = 6.0, variant: int = 0) -> Take | None:
    """One incident for the wish, by seed; None where the view has no room for it. `variant` is another try with the same seed."""
    maker = MAKERS.get(wish.kind)
    if maker is None:
        return None
    key = [seed, variant, sum(ord(c) * 31**k % 65521 for k, c in enumerate(f"{wish.kind}/{wish.behaviour}"))]
    return maker(_Staging(ground, np.random.default_rng(key), warm, fps, seed * 1000 + key[2] % 997), wish)
