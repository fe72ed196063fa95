"""Where people go: a described camera over ways, gates and corners where one stops, drawn by a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..camera import View

Floats = NDArray[np.float64]
SIZE = (1280, 720)
EDGE = 30.0  # metres: ways begin and end out of sight


@dataclass(frozen=True, eq=False)
class Way:
    """A line on the ground that is followed in one direction."""

    points: Floats  # (k, 2) metres
    kind: str  # "foot", "bike" or "car"
    weight: float  # how often, against the others of its kind
    rush: int = 0  # +1: mostly in the morning, -1: mostly in the evening
    one_way: bool = False  # nobody ever goes the other way round

    @property
    def length(self) -> float:
        """Metres."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    def along(self, step: float = 0.5) -> Floats:
        """(n, 2) points every `step` metres."""
        return walk_along(self.points, np.arange(0.0, self.length, step))

    def back(self) -> Way:
        """The same line from its end to its beginning."""
        return Way(self.points[::-1], self.kind, self.weight, -self.rush, self.one_way)


@dataclass(frozen=True, eq=False)
class Site:
    """One camera and what is usual before it."""

    name: str
    view: View
    ways: tuple[Way, ...]
    spots: Floats  # (s, 2) metres: a shop, a bench, a bus stop
    people: float  # on foot, on a usual weekday
    cars: float
    bikes: float
    closed: bool  # from 23 to 5 nobody is here, not even a watchman
    poles: Floats  # (p, 2) left and right of what hides a strip of the picture, in pixels

    def of(self, kind: str) -> tuple[Way, ...]:
        """The ways of one kind."""
        return tuple(way for way in self.ways if way.kind == kind)

    def in_view(self, points: Floats, height: float = 1.65, margin: float = 0.02, least: float = 45.0) -> NDArray[np.bool_]:
        """(n, 2) metres -> whether a person there is seen whole, and at least `least` pixels tall."""
        wide, tall = self.view.size
        foot, depth = self.view.project(np.column_stack([points, np.zeros(len(points))]))
        head, _ = self.view.project(np.column_stack([points, np.full(len(points), height)]))
        inside = (foot[:, 0] > margin * wide) & (foot[:, 0] < (1 - margin) * wide) & (foot[:, 1] < (1 - margin) * tall)
        whole: NDArray[np.bool_] = inside & (head[:, 1] > margin * tall) & (depth > 1.0) & (foot[:, 1] - head[:, 1] >= least)
        return whole

    def away_from(self, points: Floats, kinds: tuple[str, ...] = ("foot", "bike", "car")) -> Floats:
        """(n, 2) metres -> (n,) metres to the nearest way of these kinds or corner where one stops."""
        used = np.concatenate([way.along() for way in self.ways if way.kind in kinds] + ([self.spots] if "foot" in kinds else []))
        far: Floats = np.hypot(*(points[:, None] - used[None]).transpose(2, 0, 1)).min(axis=1)
        return far


def walk_along(points: Floats, far: Floats) -> Floats:
    """(k, 2) corners, (n,) metres from the first -> (n, 2)."""
    run = np.append(0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
    return np.column_stack([np.interp(far, run, points[:, 0]), np.interp(far, run, points[:, 1])])


def random_site(seed: int) -> Site:
    """The same seed gives the same site; three kinds of it: a street, a yard, an alley."""
    rng = np.random.default_rng([seed, 71])
    name, draw = [("street", _street), ("yard", _yard), ("alley", _alley)][seed % 3]
    ways, spots, cars, bikes = draw(rng)
    turn = np.radians(rng.uniform(-20, 20))
    view = View(SIZE, height=rng.uniform(3.8, 6.0), tilt=rng.uniform(18, 25), fov=rng.uniform(64, 80))
    turned = tuple(Way(_turn(way.points, turn), way.kind, way.weight, way.rush, way.one_way) for way in ways)
    left = rng.uniform(0.15, 0.85, int(rng.integers(0, 3))) * SIZE[0]
    poles = np.column_stack([left, left + rng.uniform(15, 45, len(left))])
    closed = bool(seed % 2) if name != "yard" else True
    return Site(f"{name}-{seed}", view, turned, _turn(spots, turn), rng.uniform(50, 110), cars, bikes, closed, poles)


def _turn(points: Floats, angle: float) -> Floats:
    middle = np.array([0.0, 12.0])
    c, s = np.cos(angle), np.sin(angle)
    turned: Floats = (points - middle) @ np.array([[c, s], [-s, c]]) + middle
    return turned


def _both(a: list[tuple[float, float]], weight: float, rush: int = 0, kind: str = "foot") -> list[Way]:
    way = Way(np.array(a), kind, weight, rush)
    return [way, way.back()]


def _street(rng: np.random.Generator) -> tuple[list[Way], Floats, float, float]:
    near = rng.uniform(9.5, 13)
    road = near + rng.uniform(5, 6.5)
    far = road + rng.uniform(5, 6.5)
    gate, cross = rng.uniform(-4, 4), rng.uniform(-5, 5)
    left, right = (-EDGE, near), (EDGE, near)
    ways = _both([left, right], 3.0) + _both([(-EDGE, far), (EDGE, far)], 1.5)
    ways += _both([(gate, near - 3.0), (gate, near), left], 1.2, +1) + _both([(gate, near - 3.0), (gate, near), right], 1.0, +1)
    ways += _both([left, (cross, near), (cross + 0.5, far), (EDGE, far)], 0.7)
    lanes = [[(-EDGE, road - 1.6), (EDGE, road - 1.6)], [(EDGE, road + 1.6), (-EDGE, road + 1.6)]]
    if rng.random() < 0.4:
        lanes[1].reverse()  # both lanes one way
    for kind in ("car", "bike"):
        shift = 0.0 if kind == "car" else 0.9
        ways += [
            Way(np.array(lane) + np.array([0.0, -shift if i == 0 else shift]), kind, 1.0, one_way=True) for i, lane in enumerate(lanes)
        ]
    spots = np.array([(rng.uniform(-6, 6), near - 0.9), (rng.uniform(-6, 6), far + 0.7)])
    return ways, spots, rng.uniform(12, 35), rng.uniform(6, 15)


def _yard(rng: np.random.Generator) -> tuple[list[Way], Floats, float, float]:
    gate, door, side = (-EDGE, rng.uniform(12, 16)), (rng.uniform(2, 6), rng.uniform(7, 9)), (EDGE, rng.uniform(9, 13))
    hub, back = (rng.uniform(-1, 1), rng.uniform(11, 13)), (rng.uniform(-3, 3), 28.0)
    ways = (
        _both([gate, hub, door], 3.0, +1)
        + _both([gate, hub, side], 2.0)
        + _both([door, hub, side], 1.5, -1)
        + _both([gate, hub, back], 0.8)
    )
    passage = Way(np.array([back, (hub[0] + 9, 21.0), (EDGE, 20.0)]), "foot", 1.2, one_way=True)
    drive = Way(np.array([(-EDGE, 17.5), (EDGE, 17.0)]), "car", 1.0, one_way=True)
    spots = np.array([(hub[0] - 2.5, hub[1] - 1.5), (door[0] + 1.0, door[1] + 0.3)])
    return [*ways, passage, drive, *_both([gate, (-2.0, 17.0), side], 1.0, kind="bike")], spots, rng.uniform(10, 25), rng.uniform(5, 15)


def _alley(rng: np.random.Generator) -> tuple[list[Way], Floats, float, float]:
    far, near = (rng.uniform(-3, 3), 48.0), (rng.uniform(-2, 2), 2.0)
    left, right, lane = (-4.0, rng.uniform(9, 11)), (5.0, rng.uniform(13, 15)), rng.uniform(18, 21)
    inner = (near[0] * 0.7, left[1] + 1.0)
    ways = _both([far, inner, near], 3.0) + _both([near, inner, left], 1.0, -1) + _both([far, (1.0, right[1] + 1), right], 1.0, -1)
    ways += _both([(-EDGE, lane), (0.5, lane), near], 0.8) + _both([(-EDGE, lane), (EDGE, lane)], 1.0)
    through = [Way(np.array([(-EDGE, lane + 2.2), (EDGE, lane + 2.2)]), kind, 1.0, one_way=True) for kind in ("bike", "car")]
    spots = np.array([(left[0] + 0.8, left[1] + 0.6), (right[0] - 0.8, right[1] - 0.8)])
    return (
        [*ways, *through, *_both([(far[0] + 1, far[1]), (inner[0] + 1, inner[1]), (near[0] + 1.0, near[1])], 0.4, kind="bike")],
        spots,
        rng.uniform(8, 25),
        rng.uniform(15, 35),
    )
