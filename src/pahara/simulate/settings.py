"""Kinds of places for random scenes: a car park, an alley, a courtyard, a corridor, a shop, an entrance, a yard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .script import CameraPlan, Lamp, Light, LightKind, Mark, Opening, Place, Sensor, Spot, Thing, Wall

Rng = np.random.Generator


@dataclass(frozen=True)
class Setting:
    """A place with room to act in. People pass along `s` (from side to side, or towards the camera) and act in strips across it."""

    name: str
    place: Place
    camera: CameraPlan
    light: Light
    along: str  # "x": traffic goes from side to side; "y": away from the camera and back
    floor: tuple[float, float, float, float]  # x from, x to, y from, y to in metres: seen well, nothing stands there
    sensor: Sensor = field(default_factory=Sensor)
    rain: float = 0.0
    bench: Spot | None = None
    fence: str = ""  # the name of a wall that can be climbed


def _any(rng: Rng, *choices: str) -> str:
    return str(rng.choice(list(choices)))


def _u(rng: Rng, low: float, high: float, digits: int = 2) -> float:
    return round(float(rng.uniform(low, high)), digits)


def _outdoors(rng: Rng) -> LightKind:
    return str(rng.choice(["day", "overcast", "dusk", "night_lamp", "night_ir"], p=[0.42, 0.22, 0.10, 0.10, 0.16]))  # type: ignore[return-value]


def _sun(rng: Rng) -> tuple[float, float]:
    return (_u(rng, 20, 340, 0), _u(rng, 32, 65, 0))


def _sensor(rng: Rng, title: str) -> Sensor:
    return Sensor(
        noise=_u(rng, 0.6, 1.5), sharpen=_u(rng, 0.2, 0.9), blur=_u(rng, 0.45, 0.85), vignette=_u(rng, 0.1, 0.4), fringe=_u(rng, 0, 1.0),
        clock=bool(rng.random() < 0.85), title=title if rng.random() < 0.7 else "",
    )  # fmt: skip


def _camera(rng: Rng, low: float, high: float, tilt: tuple[float, float], fov: tuple[float, float]) -> CameraPlan:
    height = _u(rng, low, high)
    return CameraPlan(height, _u(rng, *tilt, 1), _u(rng, *fov, 0), _u(rng, -0.08, 0.0, 3), _u(rng, -1.5, 1.5, 1))


def _back_wall(rng: Rng, y: float, half: float, kinds: tuple[str, ...], high: float) -> Wall:
    openings, at = [], _u(rng, 1.0, 3.0)
    while at < 2 * half - 3.5:
        kind = _any(rng, "door", "window", "window", "shutter", "poster", "board")
        wide, tall, sill = {
            "door": (1.0, 2.1, 0.0),
            "window": (1.4, 1.2, 1.1),
            "shutter": (2.6, 2.4, 0.0),
            "poster": (0.8, 1.1, 1.0),
            "board": (2.2, 0.7, 2.2),
        }[kind]
        if sill + tall < high - 0.2:
            openings.append(Opening(kind, round(at, 2), wide, tall, sill))  # type: ignore[arg-type]
        at += wide + _u(rng, 0.8, 4.0)
    return Wall((-half, y), (half, y), high, _any(rng, *kinds), openings=tuple(openings))  # type: ignore[arg-type]


def car_park(rng: Rng) -> Setting:
    kind = _outdoors(rng)
    back = _u(rng, 15.5, 18)
    bays = [(round(-7.8 + 2.7 * k + float(rng.normal(0, 0.1)), 2), round(back - 2.6 + float(rng.normal(0, 0.15)), 2)) for k in range(6)]
    cars = [Thing("car", bay, _u(rng, -4, 4, 1) + (180 if rng.random() < 0.4 else 0)) for bay in bays if rng.random() < 0.65]
    marks = tuple(Mark(((round(-9.15 + 2.7 * k, 2), back - 5.2), (round(-9.15 + 2.7 * k, 2), back - 0.4))) for k in range(8))
    posts = (Thing("lamp_post", (_u(rng, 5.8, 7), back - 0.3), 90),)
    lamps = tuple(
        Lamp(f"post {k + 1}", (x, y, 5.4), _u(rng, 2.2, 3.2), _u(rng, 0.2, 0.9)) for k, (x, y) in enumerate(((-4.0, 9.0), (5.0, 11.0)))
    )
    return Setting(
        "car park", Place("asphalt", marks=marks, walls=(_back_wall(rng, back, 14, ("brick", "concrete", "plaster", "panel"), _u(rng, 2.6, 5)),), things=(*cars, *posts)),
        _camera(rng, 3.6, 4.8, (22, 27), (68, 80)), Light(kind, _sun(rng), lamps if kind in ("dusk", "night_lamp") else ()), "x",
        (-3.6, 3.6, 5.4, back - 5.6), _sensor(rng, "CAM 4 PARKING"), rain=_u(rng, 0.3, 0.9) if kind == "overcast" and rng.random() < 0.4 else 0.0,
    )  # fmt: skip


def courtyard(rng: Rng) -> Setting:
    kind = _outdoors(rng)
    back = _u(rng, 13.5, 16)
    things = [
        Thing("tree", (_u(rng, -7, -5.4), _u(rng, 9, 12))),
        Thing("plant", (_u(rng, 5.4, 6.5), _u(rng, 8, 12))),
        Thing("bench", (_u(rng, -1.5, 1.5), back - 0.9), 180),
    ]
    if rng.random() < 0.6:
        things += [Thing("pillar", (x, back - 1.6), size=(0.5, 0.5, 3.4)) for x in (-5.2, 5.2)]
    if rng.random() < 0.5:
        things.append(Thing("bin", (_u(rng, 3, 5), back - 0.6)))
    lamps = (
        Lamp("wall left", (-4.5, back - 0.5, 3.6), _u(rng, 2.0, 3.0), 0.5),
        Lamp("wall right", (4.0, back - 3.5, 3.8), _u(rng, 2.0, 3.0), 0.4),
    )
    bench = next(t for t in things if t.kind == "bench").at
    return Setting(
        "courtyard",
        Place(_any(rng, "paving", "tiles", "concrete"), walls=(_back_wall(rng, back, 13, ("plaster", "brick"), _u(rng, 3, 5)),), things=tuple(things)),  # type: ignore[arg-type]
        _camera(rng, 3.2, 4.4, (21, 26), (70, 82)), Light(kind, _sun(rng), lamps if kind in ("dusk", "night_lamp") else ()), "x",
        (-3.6, 3.6, 5.2, min(back - 2.6, 11.6)), _sensor(rng, "COURTYARD"), rain=_u(rng, 0.3, 0.8) if kind == "overcast" and rng.random() < 0.3 else 0.0,
        bench=bench,
    )  # fmt: skip


def entrance(rng: Rng) -> Setting:
    kind = _outdoors(rng)
    back = _u(rng, 13, 15)
    things = [Thing("turnstile", (-5.0, back - 2.0)), Thing("gate", (4.8, back - 1.2)), Thing("bin", (_u(rng, -6.5, -5.5), back - 1))]
    if rng.random() < 0.5:
        things.append(Thing("motorcycle", (_u(rng, 4.5, 6.5), _u(rng, 9, 11)), _u(rng, 50, 120, 0)))
    if rng.random() < 0.5:
        things.append(Thing("barrier", (_u(rng, -7.5, -6), _u(rng, 7, 9)), _u(rng, -20, 20, 0)))
    lamps = (Lamp("door", (0.0, back - 0.6, 3.4), 3.0, 0.3), Lamp("street", (-4.5, 6.5, 5.5), 2.6, 0.8))
    return Setting(
        "entrance", Place(_any(rng, "paving", "concrete", "asphalt", "tiles"), walls=(_back_wall(rng, back, 12, ("plaster", "glass", "tiled", "brick"), _u(rng, 3.2, 5)),), things=tuple(things)),  # type: ignore[arg-type]
        _camera(rng, 3.0, 4.2, (20, 25), (70, 84)), Light(kind, _sun(rng), lamps if kind in ("dusk", "night_lamp") else ()), "x",
        (-3.5, 3.5, 5.0, min(back - 2.4, 11.2)), _sensor(rng, "MAIN GATE"),
    )  # fmt: skip


def yard(rng: Rng) -> Setting:
    kind = _outdoors(rng)
    back = _u(rng, 11.6, 12.6)
    fenced = rng.random() < 0.5
    barrier = Wall((-10, back), (10, back), _u(rng, 1.5, 1.9), "fence" if fenced else _any(rng, "brick", "concrete"), name="boundary")  # type: ignore[arg-type]
    things = [
        Thing("tree", (_u(rng, -7, 7), back + 4.5)),
        Thing("crate", (_u(rng, 4.6, 5.5), back - 1.0), _u(rng, -30, 30, 0)),
        Thing("cabinet", (_u(rng, -6, -5), back - 0.5)),
    ]
    lamps = (Lamp("yard", (_u(rng, -3, 3), back - 1.0, 4.5), 3.2, _u(rng, 0.1, 0.8)),)
    return Setting(
        "yard", Place(_any(rng, "grass", "dirt", "concrete"), walls=(barrier, _back_wall(rng, back + 8, 16, ("panel", "brick", "plaster"), 4.5)), things=tuple(things)),  # type: ignore[arg-type]
        _camera(rng, 3.4, 4.6, (20, 25), (68, 80)), Light(kind, _sun(rng), lamps if kind in ("dusk", "night_lamp") else ()), "x",
        (-3.5, 3.5, 5.4, back - 1.4), _sensor(rng, "YARD"), fence="boundary", rain=_u(rng, 0.3, 0.8) if kind == "overcast" and rng.random() < 0.3 else 0.0,
    )  # fmt: skip


def shop(rng: Rng) -> Setting:
    back = _u(rng, 12.5, 14)
    shelves = [Thing("shelf", (x, back - 0.6), 180) for x in (-5.2, -2.7, 2.4, 4.9)]
    sides = [Thing("shelf", (-6.3, y), 90) for y in (7.5, 10.2)]
    things = [*shelves, *sides, Thing("counter", (6.0, 7.5), 90), Thing("plant", (0.0, back - 0.7))]
    lamps = tuple(
        Lamp(f"row {k + 1}", (x, y, 3.1), _u(rng, 0.9, 1.2), 0.08)
        for k, (x, y) in enumerate(((-2.5, 5.5), (2.5, 5.5), (-2.5, 10), (2.5, 10)))
    )
    return Setting(
        "shop", Place(_any(rng, "shop", "tiles"), walls=(_back_wall(rng, back, 9, ("plaster", "tiled", "panel"), 3.3),), things=tuple(things), ceiling=3.3),  # type: ignore[arg-type]
        _camera(rng, 2.9, 3.2, (21, 26), (76, 88)), Light("indoor", lamps=lamps), "x", (-3.8, 3.8, 4.6, min(back - 2.2, 10.4)), _sensor(rng, "SHOP 1"),
    )  # fmt: skip


def corridor(rng: Rng) -> Setting:
    half, far = _u(rng, 2.6, 3.2), 14.0
    walls = []
    for x in (-half, half):
        openings = tuple(
            Opening("door", at, 1.0, 2.1) if k % 2 == 0 else Opening("board" if rng.random() < 0.5 else "poster", at, 0.9, 0.8, 1.2)
            for k, at in enumerate((3.0, 5.5, 8.0, 10.5))
        )
        walls.append(Wall((x, 0.3), (x, far), 3.0, _any(rng, "plaster", "tiled"), openings=openings))  # type: ignore[arg-type]
    walls.append(_back_wall(rng, 18, 6, ("plaster",), 3.0))
    lamps = tuple(Lamp(f"lamp {k + 1}", (0.0, y, 2.9), _u(rng, 0.8, 1.1), 0.1) for k, y in enumerate((4.0, 8.0, 12.0, 16.0)))
    beams = (((half - 1.6, 7.2), (half - 0.1, 7.0), (half - 0.1, 8.2), (half - 1.6, 8.4)),) if rng.random() < 0.4 else ()
    return Setting(
        "corridor", Place("corridor", walls=tuple(walls), ceiling=3.0), _camera(rng, 2.6, 2.9, (17, 22), (66, 78)), Light("indoor", (40.0, 40.0), lamps, beams), "y",
        (-half + 0.7, half - 0.7, 4.4, 12.5), _sensor(rng, "CORRIDOR B"),
    )  # fmt: skip


def alley(rng: Rng) -> Setting:
    kind = _outdoors(rng)
    half, far = _u(rng, 3.2, 4.0), 15.0
    walls = []
    for x in (-half, half):
        openings = (Opening("door", 6.0, 1.0, 2.1), Opening("window", 8.5, 1.2, 1.1, 1.3), Opening("shutter", 11.0, 2.4, 2.4))
        walls.append(Wall((x, 0.5), (x, far), _u(rng, 3.5, 6), _any(rng, "brick", "plaster", "concrete"), openings=openings))  # type: ignore[arg-type]
    walls.append(_back_wall(rng, 19.5, 7, ("brick", "concrete", "plaster"), 4.0))
    things = [Thing("crate", (half - 0.5, _u(rng, 9, 13)), _u(rng, -20, 20, 0))]
    if rng.random() < 0.6:
        things.append(Thing("motorcycle", (-half + 0.5, _u(rng, 12, 14)), _u(rng, -12, 12, 0)))
    lamps = (Lamp("wall", (-half + 0.3, 9.0, 3.8), 3.0, _u(rng, 0.3, 0.9)), Lamp("far", (half - 0.3, 15.0, 4.0), 3.0, 0.5))
    return Setting(
        "alley", Place(_any(rng, "concrete", "asphalt", "paving"), walls=tuple(walls), things=tuple(things)), _camera(rng, 3.2, 4.0, (20, 25), (66, 76)),  # type: ignore[arg-type]
        Light(kind, (_u(rng, 120, 240, 0), _u(rng, 48, 68, 0)), lamps if kind in ("dusk", "night_lamp") else ()), "y", (-half + 0.9, half - 0.9, 5.2, 12.5), _sensor(rng, "ALLEY"),
    )  # fmt: skip


SETTINGS: dict[str, Callable[[Rng], Setting]] = {
    "car_park": car_park, "courtyard": courtyard, "entrance": entrance, "yard": yard, "shop": shop, "corridor": corridor, "alley": alley,
}  # fmt: skip
