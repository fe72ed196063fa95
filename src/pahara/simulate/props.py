"""Things and vehicles made of faces: cars, bags, bicycles, shelves, trees and other furniture of a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .mesh import Mesh, box, colour, loft, outward, ring_faces, tube
from .script import Bag, Thing

Floats = NDArray[np.floating[Any]]

CAR_COLOURS = ("#c9cbcc", "#1f2226", "#7c1f24", "#27405f", "#e4e4e0", "#5d6266", "#8a7d63")
BAG_COLOURS = ("#23262c", "#6b2f2f", "#2c4a6b", "#4d5a3a", "#7a5a38", "#8a2f55")


def pick(told: str, choices: tuple[str, ...], seed: int) -> Floats:
    """The colour that was told, or one by seed."""
    return colour(told or choices[int(np.random.default_rng([seed, 3]).integers(len(choices)))])


def rounded(levels: list[tuple[float, float, float]], paint: Floats, sectors: int = 12, power: float = 0.45) -> Mesh:
    """Rings of (height, half width, half depth) with rounded corners; `power` 1 is an ellipse, near 0 a box."""
    rows = np.array(levels)
    n = len(rows)
    angle = (np.arange(sectors) + 0.5) * 2 * np.pi / sectors
    c, s = np.cos(angle), np.sin(angle)
    shape = np.stack([np.sign(c) * np.abs(c) ** power, np.sign(s) * np.abs(s) ** power], -1)
    points = np.empty((n, sectors, 3))
    points[..., 0] = rows[:, 1:2] * shape[:, 0]
    points[..., 1] = rows[:, 2:3] * shape[:, 1]
    points[..., 2] = rows[:, 0:1]
    centres = np.concatenate([np.zeros((n, 2)), rows[:, :1]], 1)
    flat = points.reshape(-1, 3)
    faces = outward(flat, ring_faces(n, sectors), centres, sectors)
    return Mesh(flat, faces, np.tile(paint, (len(faces), 1)), np.full(len(faces), 0.92))


def painted(mesh: Mesh, seed: int, depth: float = 0.06) -> Mesh:
    """The same with a little unevenness from face to face."""
    rough = np.random.default_rng([seed, 8]).normal(1, depth, (len(mesh.faces), 1))
    return Mesh(mesh.points, mesh.faces, np.clip(mesh.albedo * rough, 0, 1), mesh.shade, mesh.hulls)


def wheel(radius: float, wide: float, paint: Floats, sectors: int = 14) -> Mesh:
    """Standing upright at the origin, rolling along y, with a hub."""
    c = np.stack([np.array([-wide / 2, -wide / 2, wide / 2, wide / 2]), np.zeros(4), np.full(4, radius)], -1)
    r = np.array([0.02, radius, radius, 0.02])[:, None]
    points = loft(c, np.array([[0, 1.0, 0]]) * r, np.array([[0, 0, 1.0]]) * r, sectors)
    faces = ring_faces(4, sectors)
    faces = outward(points, faces, c, sectors)
    albedo = np.concatenate([np.tile(p, (sectors, 1)) for p in (colour("#6d7073"), paint, colour("#6d7073"))])
    return Mesh(points, faces, albedo, np.full(len(faces), 0.75))


@cache
def car(told: str = "", seed: int = 0) -> Mesh:
    """A saloon 4.4 m long, its front towards +y."""
    body = pick(told, CAR_COLOURS, seed)
    dark, glass = colour("#15171a"), colour("#1c252c")
    # Cross-sections along the car: (y, half width, height of the lower edge, height of the belt)
    ys = np.array([-2.20, -2.12, -1.6, -0.8, 0.0, 0.8, 1.5, 2.0, 2.18, 2.22])
    wide = np.array([0.72, 0.83, 0.87, 0.88, 0.88, 0.88, 0.87, 0.82, 0.74, 0.66])
    belt = np.array([0.72, 0.90, 0.95, 0.93, 0.92, 0.92, 0.88, 0.78, 0.68, 0.60])
    low = np.array([0.40, 0.28, 0.22, 0.20, 0.20, 0.20, 0.22, 0.26, 0.32, 0.42])
    sectors = 12
    angle = (np.arange(sectors) + 0.5) * 2 * np.pi / sectors
    c, s = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.35, np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.45
    points = np.empty((len(ys), sectors, 3))
    points[..., 0] = wide[:, None] * c
    points[..., 1] = ys[:, None]
    points[..., 2] = ((belt + low) / 2)[:, None] + ((belt - low) / 2)[:, None] * s
    centres = np.stack([np.zeros(len(ys)), ys, (belt + low) / 2], -1)
    flat = points.reshape(-1, 3)
    faces = outward(flat, ring_faces(len(ys), sectors), centres, sectors)
    albedo = np.tile(body, (len(faces), 1)).reshape(len(ys) - 1, sectors, 3)
    albedo[:, s < -0.85] = dark
    lower = Mesh(flat, faces, albedo.reshape(-1, 3), np.full(len(faces), 0.95))
    ends = []
    for i, way in ((0, -1), (len(ys) - 1, 1)):
        n = sectors
        ring = points[i]
        middle = ring.mean(0)[None]
        quad = np.array([[k, (k + 1) % n, n, n] for k in range(n)])
        quad = quad if way > 0 else quad[:, ::-1]
        end = np.concatenate([ring, middle])
        m = Mesh(end, quad, np.tile(body * 0.6, (n, 1)), np.full(n, 0.8))
        corners = end[quad]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        if normal[:, 1].sum() * way < 0:
            m = Mesh(end, quad[:, ::-1], m.albedo, m.shade)
        ends.append(m)
    # The cabin: rings from the belt up to the roof.
    levels = [
        (0.90, 0.80, -1.75, 1.05),
        (0.98, 0.79, -1.62, 0.92),
        (1.30, 0.66, -1.05, 0.30),
        (1.42, 0.60, -0.88, 0.10),
        (1.455, 0.42, -0.65, -0.08),
    ]
    rows = np.array(levels)
    n = len(rows)
    points = np.empty((n, sectors, 3))
    c, s = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.3, np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.3
    points[..., 0] = rows[:, 1:2] * c
    points[..., 1] = (rows[:, 2:3] + rows[:, 3:4]) / 2 + (rows[:, 3:4] - rows[:, 2:3]) / 2 * s
    points[..., 2] = rows[:, :1]
    centres = np.stack([np.zeros(n), (rows[:, 2] + rows[:, 3]) / 2, rows[:, 0]], -1)
    flat = points.reshape(-1, 3)
    faces = outward(flat, ring_faces(n, sectors), centres, sectors)
    albedo = np.tile(body, (len(faces), 1)).reshape(n - 1, sectors, 3)
    albedo[1] = glass
    shade = np.full((n - 1, sectors), 1.0)
    cabin = Mesh(flat, faces, albedo.reshape(-1, 3), shade.reshape(-1))
    top = points[-1]
    lid = Mesh(
        np.concatenate([top, top.mean(0)[None]]),
        np.array([[k, (k + 1) % sectors, sectors, sectors] for k in range(sectors)]),
        np.tile(body, (sectors, 1)),
        np.ones(sectors),
    )
    wheels = [wheel(0.31, 0.2, dark).moved((x, y)) for x in (-0.80, 0.80) for y in (-1.35, 1.38)]
    lights = [
        box(0.30, 0.05, 0.13, colour(c), z=z).moved((x, y))
        for c, y, z in (("#e8e6d8", 2.19, 0.52), ("#a01818", -2.20, 0.62))
        for x in (-0.58, 0.58)
    ]
    plates = [box(0.45, 0.03, 0.11, colour("#e9e9e2"), z=0.42).moved((0, y)) for y in (-2.22, 2.24)]
    return Mesh.join(lower, *ends, cabin, lid, *wheels, *lights, *plates)


@cache
def bag(kind: str, told: str = "", seed: int = 0) -> Mesh:
    """Standing on the ground at the origin, its flat side towards y."""
    paint = pick(told, BAG_COLOURS, seed)
    dark = paint * 0.45
    if kind == "suitcase":
        body = painted(
            rounded(
                [
                    (0.06, 0.0, 0.0),
                    (0.06, 0.225, 0.11),
                    (0.10, 0.24, 0.13),
                    (0.35, 0.24, 0.135),
                    (0.62, 0.24, 0.13),
                    (0.67, 0.225, 0.11),
                    (0.675, 0.0, 0.0),
                ],
                paint,
                sectors=16,
                power=0.25,
            ),
            seed,
            0.04,
        )
        ribs = [box(0.025, 0.012, 0.50, paint * 0.6, z=0.12).moved((x, y)) for x in (-0.15, -0.05, 0.05, 0.15) for y in (-0.133, 0.133)]
        ribs += [box(0.40, 0.03, 0.012, dark, z=0.60).moved((0, y)) for y in (-0.125, 0.125)]
        grip = tube(np.array([[-0.10, 0, 0.67], [-0.10, 0, 0.75], [0.10, 0, 0.75], [0.10, 0, 0.67]]), 0.016, dark, 6)
        feet = [wheel(0.035, 0.03, colour("#1b1b1b"), 8).moved((x, y), 0.0, 0.0) for x in (-0.19, 0.19) for y in (-0.08, 0.08)]
        return Mesh.join(body, *ribs, grip, *feet)
    if kind == "backpack":
        body = painted(
            rounded(
                [
                    (0.0, 0.0, 0.0),
                    (0.01, 0.15, 0.09),
                    (0.06, 0.17, 0.12),
                    (0.25, 0.17, 0.12),
                    (0.40, 0.14, 0.10),
                    (0.47, 0.09, 0.06),
                    (0.48, 0.0, 0.0),
                ],
                paint,
                power=0.6,
            ),
            seed,
            0.1,
        )
        pocket = rounded([(0.04, 0.0, 0.0), (0.05, 0.11, 0.04), (0.20, 0.12, 0.05), (0.24, 0.0, 0.0)], paint * 0.7).moved((0, -0.12))
        return Mesh.join(body, pocket)
    body = painted(
        rounded([(0.0, 0.0, 0.0), (0.005, 0.14, 0.07), (0.10, 0.17, 0.08), (0.24, 0.14, 0.05), (0.26, 0.0, 0.0)], paint, power=0.6),
        seed,
        0.1,
    )
    grip = tube(np.array([[-0.09, 0, 0.24], [-0.07, 0, 0.40], [0.07, 0, 0.40], [0.09, 0, 0.24]]), 0.012, dark, 6)
    return Mesh.join(body, grip)


HANG = {"suitcase": 0.73, "handbag": 0.38, "backpack": 0.46}  # metres from the hand down to the bag's bottom


@cache
def bicycle(told: str = "", seed: int = 0) -> Mesh:
    """Wheels on the ground, the front towards +y, the saddle over the origin."""
    paint = pick(told, CAR_COLOURS, seed)
    dark = colour("#1b1c1e")
    parts = []
    for y in (-0.45, 0.62):
        angle = np.linspace(0, 2 * np.pi, 17)
        rim = np.stack([np.zeros(17), y + 0.33 * np.cos(angle), 0.34 + 0.33 * np.sin(angle)], -1)
        parts.append(tube(rim, 0.022, dark, 5))
    joints = {
        "saddle": (0, -0.13, 0.86),
        "crank": (0, 0.02, 0.33),
        "head": (0, 0.42, 0.88),
        "rear": (0, -0.45, 0.34),
        "front": (0, 0.62, 0.34),
    }
    for a, b in (("saddle", "crank"), ("crank", "head"), ("saddle", "head"), ("rear", "crank"), ("rear", "saddle"), ("head", "front")):
        parts.append(tube(np.array([joints[a], joints[b]], float), 0.018, paint, 5))
    parts.append(tube(np.array([[-0.26, 0.36, 1.02], [0, 0.42, 0.98], [0.26, 0.36, 1.02]]), 0.015, dark, 5))
    parts.append(box(0.14, 0.26, 0.06, dark, z=0.86).moved((0, -0.15)))
    return Mesh.join(*parts)


@cache
def trolley(told: str = "", seed: int = 0) -> Mesh:
    """A shopping trolley; its handle over the origin, the basket ahead of it."""
    paint = pick(told, ("#8d9297", "#7f8a90"), seed)
    rods = []
    for z, w in ((0.55, 0.44), (0.75, 0.48), (0.95, 0.52)):
        rods.append(
            tube(
                np.array([[-w / 2, 0.05, z], [w / 2, 0.05, z], [w / 2, 0.85, z - 0.05], [-w / 2, 0.85, z - 0.05], [-w / 2, 0.05, z]]),
                0.012,
                paint,
                5,
            )
        )
    for x in (-0.23, 0.0, 0.23):
        rods += [tube(np.array([[x, y, 0.5], [x * 1.1, y, 0.95]]), 0.008, paint, 5) for y in (0.1, 0.35, 0.6, 0.85)]
    basket = box(0.44, 0.78, 0.30, paint * 0.55, z=0.50).moved((0, 0.45))
    goods = [
        box(0.2, 0.22, 0.22, colour(c), z=0.72).moved(at)
        for c, at in (("#b23b32", (-0.1, 0.3)), ("#d8c24a", (0.1, 0.5)), ("#3f7a4d", (-0.08, 0.65)))
    ]
    handle = tube(np.array([[-0.26, -0.05, 1.02], [0.26, -0.05, 1.02]]), 0.018, colour("#a02a2a"), 6)
    base = box(0.4, 0.8, 0.04, paint, z=0.14).moved((0, 0.45))
    wheels = [wheel(0.06, 0.04, colour("#222222"), 8).moved((x, y)) for x in (-0.2, 0.2) for y in (0.1, 0.8)]
    return Mesh.join(basket, *goods, *rods, handle, base, *wheels)


# -- what stands in a scene -------------------------------------------------

SIZES: dict[str, tuple[float, float, float]] = {
    "pillar": (0.45, 0.45, 3.2), "box": (0.8, 0.6, 0.8), "counter": (2.4, 0.7, 1.0), "shelf": (2.4, 0.55, 1.9), "tree": (3.2, 3.2, 5.2), "plant": (0.5, 0.5, 1.1),
    "turnstile": (0.3, 1.2, 1.0), "gate": (1.0, 0.08, 1.1), "bench": (1.6, 0.45, 0.45), "lamp_post": (0.16, 0.16, 5.0), "cabinet": (0.9, 0.5, 1.8),
    "crate": (0.6, 0.5, 0.5), "bin": (0.5, 0.5, 0.95), "motorcycle": (0.7, 1.9, 1.1), "chair": (0.45, 0.45, 0.9), "table": (1.2, 0.7, 0.75), "barrier": (1.8, 0.1, 1.0),
    "car": (1.76, 4.4, 1.46),
}  # fmt: skip


@dataclass(frozen=True)
class _Make:
    """What a thing should be like."""

    wide: float
    deep: float
    high: float
    colour: str
    rng: np.random.Generator


def _size(thing: Thing) -> tuple[float, float, float]:
    return tuple(told or usual for told, usual in zip(thing.size, SIZES[thing.kind], strict=True))  # type: ignore[return-value]


def _blocks(wide: float, deep: float, high: float, paint: Floats, rng: np.random.Generator, *, cells: int = 6) -> Mesh:
    """A box whose sides are cut into faces that differ a little, so that it does not look like plastic."""
    levels = np.linspace(0, high, cells)
    body = rounded([(0.0, 0.0, 0.0), *((z, wide / 2, deep / 2) for z in levels), (high, 0.0, 0.0)], paint, sectors=16, power=0.04)
    rough = rng.normal(1, 0.035, (len(body.faces), 1))
    z = body.points[body.faces].mean(1)[:, 2:]
    rough *= 1 - 0.25 * np.exp(-z / 0.12)
    return Mesh(body.points, body.faces, np.clip(body.albedo * rough, 0, 1), body.shade)


def _shelf(wide: float, deep: float, high: float, rng: np.random.Generator) -> Mesh:
    frame = colour("#9a9b98")
    parts = [box(0.04, deep, high, frame).moved((x, 0)) for x in (-wide / 2, wide / 2)]
    parts.append(box(wide, 0.03, high, frame * 0.7))
    goods = ("#b23b32", "#d8c24a", "#3f7a4d", "#2f5d9c", "#e6e3da", "#c76a2c", "#7a3f7a", "#4aa0a8")
    for z in np.arange(0.12, high - 0.15, 0.42):
        parts.append(box(wide, deep, 0.03, frame, z=float(z)))
        for y in (-deep / 4, deep / 4):
            x = -wide / 2 + 0.06
            while x < wide / 2 - 0.12:
                w, run = float(rng.uniform(0.07, 0.16)), int(rng.integers(1, 5))
                paint, tall = colour(str(rng.choice(goods))), float(rng.uniform(0.14, 0.30))
                for _ in range(run):
                    if x + w > wide / 2 - 0.05:
                        break
                    parts.append(
                        box(w * 0.92, deep * 0.38, tall, np.clip(paint * rng.normal(1, 0.06), 0, 1), z=float(z) + 0.03).moved(
                            (x + w / 2, y)
                        )
                    )
                    x += w
                if rng.random() < 0.12:
                    x += 0.15
    return Mesh.join(*parts)


def _tree(wide: float, high: float, rng: np.random.Generator) -> Mesh:
    bark = colour("#4d4034")
    lean = rng.normal(0, 0.15, 2)
    trunk = tube(
        np.array([[0, 0, 0], [lean[0] * 0.3, lean[1] * 0.3, high * 0.3], [lean[0], lean[1], high * 0.6]]),
        np.array([0.16, 0.12, 0.08]),
        bark,
        9,
    )
    n = 520
    leaf = colour(str(rng.choice(["#3f5a2a", "#4d6b32", "#355028"])))
    clumps = rng.normal(0, 1, (9, 3)) * [wide * 0.24, wide * 0.24, high * 0.12] + [*lean, high * 0.72]
    centre = clumps[rng.integers(9, size=n)] + rng.normal(0, 1, (n, 3)) * [wide * 0.12, wide * 0.12, high * 0.07]
    a, b = rng.normal(0, 1, (2, n, 3))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = np.cross(a, b)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    size = rng.uniform(0.07, 0.17, (n, 1))
    quads = np.stack([centre - a * size, centre - b * size * 0.6, centre + a * size, centre + b * size * 0.6], 1).reshape(-1, 3)
    faces = np.arange(4 * n).reshape(n, 4)
    both = np.concatenate([faces, faces[:, ::-1]])
    tone = rng.normal(1, 0.25, (n, 1)) * (0.7 + 0.3 * (centre[:, 2:] - high * 0.5) / (high * 0.4))
    albedo = np.clip(leaf * np.clip(tone, 0.3, 2), 0, 1)
    crown = Mesh(
        quads,
        both,
        np.concatenate([albedo, albedo]),
        np.full(2 * n, 0.8),
        tuple(np.flatnonzero(np.abs(np.linalg.norm(centre - c, axis=1)) < wide * 0.2).repeat(1) * 4 for c in clumps),
    )
    crown = Mesh(crown.points, crown.faces, crown.albedo, crown.shade, tuple(h for h in crown.hulls if len(h) > 3))
    return Mesh.join(trunk, crown)


def _plant(wide: float, high: float, rng: np.random.Generator) -> Mesh:
    pot = rounded(
        [(0, 0, 0), (0.0, wide * 0.25, wide * 0.25), (high * 0.35, wide * 0.36, wide * 0.36), (high * 0.35, 0, 0)],
        colour("#8a4f38"),
        power=1.0,
    )
    leaves = []
    for _ in range(26):
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.5) * wide
        tip = np.array([far * np.cos(angle), far * np.sin(angle), high * rng.uniform(0.6, 1.0)])
        mid = tip * [0.4, 0.4, 0.7]
        leaves.append(
            tube(np.array([[0, 0, high * 0.33], mid, tip]), np.array([0.01, 0.035, 0.004]), colour("#3f6a35") * rng.uniform(0.6, 1.3), 4)
        )
    return Mesh.join(pot, *leaves)


def thing(told: Thing, seed: int) -> Mesh:
    """The surface of a thing, where it stands."""
    wide, deep, high = _size(told)
    rng = np.random.default_rng([seed, round(told.at[0] * 100) & 0xFFFF, round(told.at[1] * 100) & 0xFFFF])
    own = int(rng.integers(1 << 30))
    if told.kind == "car":
        made = car(told.colour, own)
    else:
        made = _MAKERS[told.kind](_Make(wide, deep, high, told.colour, rng))
    return made.moved(told.at, np.radians(told.turn))


def _pillar(m: _Make) -> Mesh:
    w, d, h, c, rng = m.wide, m.deep, m.high, m.colour, m.rng
    return painted(rounded([(0, w * 0.62, d * 0.62), (0.22, w * 0.62, d * 0.62), (0.23, w / 2, d / 2), *((z, w / 2, d / 2) for z in np.linspace(0.5, h, 8))], colour(c or "#a39d90"), sectors=20, power=0.9), int(rng.integers(99)), 0.03)  # fmt: skip


def _counter(m: _Make) -> Mesh:
    w, d, h, c, rng = m.wide, m.deep, m.high, m.colour, m.rng
    body = _blocks(w, d, h - 0.04, colour(c or "#7a5f45"), rng)
    top = box(w + 0.08, d + 0.08, 0.05, colour("#cfc8ba"), z=h - 0.04)
    screen = box(0.4, 0.06, 0.32, colour("#1b1d20"), z=h + 0.08).moved((w * 0.25, 0), 0.3)
    foot = box(0.08, 0.08, 0.08, colour("#1b1d20"), z=h).moved((w * 0.25, 0))
    return Mesh.join(body, top, foot, screen)


def _turnstile(m: _Make) -> Mesh:
    w, d, h, c = m.wide, m.deep, m.high, m.colour
    steel = colour(c or "#9aa0a4")
    body = painted(
        rounded([(0, 0, 0), (0, w / 2, d / 2), (h * 0.92, w / 2, d / 2), (h, w * 0.42, d * 0.48), (h, 0, 0)], steel, power=0.2), 3
    )
    arms = [
        tube(np.array([[w / 2, 0, h * 0.85], [w / 2 + 0.45, y, z]]), 0.02, steel * 1.2, 6)
        for y, z in ((0.0, h * 0.86), (0.15, h * 0.5), (-0.15, h * 0.5))
    ]
    lamp = box(0.08, 0.08, 0.02, colour("#2fae4d"), z=h).moved((0, d * 0.3))
    return Mesh.join(body, *arms, lamp)


def _gate(m: _Make) -> Mesh:
    w, h, c = m.wide, m.high, m.colour
    steel = colour(c or "#4b5157")
    bars = [tube(np.array([[x, 0, 0.08], [x, 0, h]]), 0.014, steel, 5) for x in np.arange(-w / 2, w / 2 + 0.01, 0.13)]
    rails = [tube(np.array([[-w / 2, 0, z], [w / 2, 0, z]]), 0.022, steel, 5) for z in (0.1, h * 0.55, h)]
    return Mesh.join(*bars, *rails)


def _bench(m: _Make) -> Mesh:
    w, d, h, c, rng = m.wide, m.deep, m.high, m.colour, m.rng
    wood = colour(c or "#7d5f41")
    slats = [
        box(w, 0.10, 0.035, wood * rng.uniform(0.85, 1.15), z=h - 0.035).moved((0, y)) for y in np.linspace(-d / 2 + 0.05, d / 2 - 0.05, 4)
    ]
    legs = [box(0.06, d, h - 0.04, colour("#3c3f42")).moved((x, 0)) for x in (-w * 0.4, w * 0.4)]
    return Mesh.join(*slats, *legs)


def _lamp_post(m: _Make) -> Mesh:
    h, c = m.high, m.colour
    steel = colour(c or "#565b60")
    pole = tube(
        np.array([[0, 0, 0], [0, 0, h * 0.5], [0, 0, h - 0.2], [0.15, 0, h], [0.9, 0, h + 0.08]]),
        np.array([0.09, 0.06, 0.05, 0.045, 0.04]),
        steel,
        9,
    )
    return Mesh.join(pole, box(0.55, 0.2, 0.09, colour("#d9d6c8"), z=h + 0.02).moved((1.1, 0)), box(0.32, 0.32, 0.15, colour("#8a8780")))


def _motorcycle(m: _Make) -> Mesh:
    c, rng = m.colour, m.rng
    paint, dark = pick(c, ("#7c1f24", "#1f2a44", "#202225", "#c9a42a"), int(rng.integers(99))), colour("#1b1c1e")
    wheels = [wheel(0.30, 0.10, dark).moved((0, y)) for y in (-0.62, 0.66)]
    tank = painted(
        rounded([(0.62, 0.02, 0.05), (0.66, 0.13, 0.26), (0.80, 0.13, 0.26), (0.86, 0.05, 0.12)], paint, power=0.7).moved((0, 0.12)), 5
    )
    seat = rounded([(0.70, 0.1, 0.3), (0.76, 0.13, 0.36), (0.80, 0.1, 0.33), (0.81, 0, 0)], dark, power=0.7).moved((0, -0.42))
    engine = painted(rounded([(0.22, 0.05, 0.1), (0.3, 0.15, 0.24), (0.55, 0.14, 0.22), (0.6, 0.03, 0.1)], colour("#5c5f63")), 7, 0.2)
    fork = tube(np.array([[0, 0.66, 0.30], [0, 0.45, 0.92]]), 0.035, colour("#8f9296"), 6)
    bars = tube(np.array([[-0.34, 0.30, 1.0], [0, 0.45, 0.96], [0.34, 0.30, 1.0]]), 0.018, dark, 6)
    lamp = rounded([(0.78, 0.02, 0.02), (0.80, 0.09, 0.06), (0.92, 0.09, 0.06), (0.94, 0.02, 0.02)], colour("#d9d8cf"), power=0.9).moved(
        (0, 0.55)
    )
    tail = box(0.16, 0.5, 0.05, paint, z=0.62).moved((0, -0.62))
    return Mesh.join(*wheels, engine, tank, seat, fork, bars, lamp, tail).moved((0, 0), 0.0)


def _chair(m: _Make) -> Mesh:
    w, d, h, c, rng = m.wide, m.deep, m.high, m.colour, m.rng
    paint = pick(c, ("#2c3b52", "#6b2f2f", "#3c3f42", "#7d5f41"), int(rng.integers(99)))
    legs = [
        tube(np.array([[x, y, 0], [x * 0.9, y * 0.9, 0.44]]), 0.015, colour("#55585c"), 5) for x in (-w / 2, w / 2) for y in (-d / 2, d / 2)
    ]
    return Mesh.join(*legs, box(w, d, 0.05, paint, z=0.43), box(w, 0.04, h - 0.5, paint, z=0.5).moved((0, -d / 2)))


def _table(m: _Make) -> Mesh:
    w, d, h, c = m.wide, m.deep, m.high, m.colour
    legs = [
        box(0.05, 0.05, h - 0.04, colour("#55585c")).moved((x, y))
        for x in (-w / 2 + 0.06, w / 2 - 0.06)
        for y in (-d / 2 + 0.06, d / 2 - 0.06)
    ]
    return Mesh.join(*legs, box(w, d, 0.04, colour(c or "#9a7f5d"), z=h - 0.04))


def _barrier(m: _Make) -> Mesh:
    w, d, h = m.wide, m.deep, m.high
    n = 8
    boards = [
        box(w / n, d * 0.5, 0.2, colour("#c23a2e" if k % 2 else "#ececec"), z=h - 0.25).moved((-w / 2 + (k + 0.5) * w / n, 0))
        for k in range(n)
    ]
    posts = [box(0.06, 0.4, 0.04, colour("#44474b")).moved((x, 0)) for x in (-w * 0.42, w * 0.42)]
    posts += [box(0.05, 0.05, h, colour("#44474b")).moved((x, 0)) for x in (-w * 0.42, w * 0.42)]
    return Mesh.join(*boards, *posts)


def _bin(m: _Make) -> Mesh:
    w, d, h, c, rng = m.wide, m.deep, m.high, m.colour, m.rng
    paint = pick(c, ("#2f5a3c", "#2f4a6d", "#4a4d50"), int(rng.integers(99)))
    return Mesh.join(
        painted(
            rounded(
                [
                    (0, 0, 0),
                    (0.02, w * 0.4, d * 0.4),
                    (h * 0.9, w / 2, d / 2),
                    (h * 0.92, w * 0.53, d * 0.53),
                    (h, w * 0.3, d * 0.3),
                    (h, 0, 0),
                ],
                paint,
                power=0.5,
            ),
            2,
        )
    )


_MAKERS: dict[str, Callable[[_Make], Mesh]] = {
    "pillar": _pillar,
    "box": lambda m: _blocks(m.wide, m.deep, m.high, colour(m.colour or "#8f8775"), m.rng),
    "counter": _counter,
    "shelf": lambda m: _shelf(m.wide, m.deep, m.high, m.rng),
    "tree": lambda m: _tree(m.wide, m.high, m.rng),
    "plant": lambda m: _plant(m.wide, m.high, m.rng),
    "turnstile": _turnstile,
    "gate": _gate,
    "bench": _bench,
    "lamp_post": _lamp_post,
    "cabinet": lambda m: _blocks(m.wide, m.deep, m.high, colour(m.colour or "#767b7f"), m.rng),
    "crate": lambda m: _blocks(m.wide, m.deep, m.high, colour(m.colour or "#a5814f"), m.rng, cells=4),
    "bin": _bin,
    "motorcycle": _motorcycle,
    "chair": _chair,
    "table": _table,
    "barrier": _barrier,
}


def carried(bag_told: Bag, seed: int) -> Mesh:
    """The surface of a script's bag, at the origin."""
    return bag(bag_told.kind, bag_told.colour, seed)
