"""Surfaces of small flat faces, and the rings of which bodies and things are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


def colour(told: str) -> Floats:
    """ "#rrggbb" -> (3,) linear blue, green, red in 0..1. ValueError for anything else."""
    text = told.lstrip("#")
    if len(text) != 6:
        raise ValueError(f"{told!r} is no colour like '#3355aa'")
    try:
        rgb = np.array([int(text[i : i + 2], 16) for i in (4, 2, 0)], np.float64) / 255
    except ValueError:
        raise ValueError(f"{told!r} is no colour like '#3355aa'") from None
    result: Floats = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return result


@dataclass(frozen=True, eq=False)
class Mesh:
    """Flat four-cornered faces, seen from outside only; a triangle repeats a corner."""

    points: Floats  # (v, 3) metres
    faces: Ints  # (f, 4) rows of `points`, counter-clockwise seen from outside
    albedo: Floats  # (f, 3) linear BGR
    shade: Floats  # (f,) how much of the surroundings' light reaches the face, 0..1
    hulls: tuple[Ints, ...] = field(default=())  # groups of points that throw a shadow together

    @staticmethod
    def join(*parts: Mesh) -> Mesh:
        """One mesh of many."""
        offsets = np.cumsum([0] + [len(p.points) for p in parts])
        return Mesh(
            np.concatenate([p.points for p in parts]),
            np.concatenate([p.faces + o for p, o in zip(parts, offsets, strict=False)]),
            np.concatenate([p.albedo for p in parts]),
            np.concatenate([p.shade for p in parts]),
            tuple(h + o for p, o in zip(parts, offsets, strict=False) for h in (p.hulls or (np.arange(len(p.points)),))),
        )

    def moved(self, at: tuple[float, float] | Floats, turn: float = 0.0, z: float = 0.0) -> Mesh:
        """Turned by `turn` radians to the left, then put at (x, y, z)."""
        c, s = np.cos(turn), np.sin(turn)
        spin = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        return Mesh(self.points @ spin.T + np.array([at[0], at[1], z]), self.faces, self.albedo, self.shade, self.hulls)


@cache
def ring_faces(rings: int, sectors: int) -> Ints:
    """((rings - 1) * sectors, 4): the faces between rings that follow one another."""
    r, s = np.meshgrid(np.arange(rings - 1), np.arange(sectors), indexing="ij")
    after = (s + 1) % sectors
    faces = np.stack([r * sectors + s, r * sectors + after, (r + 1) * sectors + after, (r + 1) * sectors + s], -1)
    return faces.reshape(-1, 4)


@cache
def circle(sectors: int) -> Floats:
    """(sectors, 2): cosine and sine, beginning half a sector after the right so that a face looks straight ahead."""
    angle = (np.arange(sectors) + 0.5) * 2 * np.pi / sectors
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def loft(centres: Floats, sides: Floats, fronts: Floats, sectors: int) -> Floats:
    """(r, 3) centres and the two half axes of each ring as vectors -> (r * sectors, 3) points."""
    turn = circle(sectors)
    points = centres[:, None] + turn[None, :, :1] * sides[:, None] + turn[None, :, 1:] * fronts[:, None]
    return points.reshape(-1, 3)


BOX_FACES = np.array([[0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7], [4, 5, 6, 7], [3, 2, 1, 0]])


def box(
    wide: float, deep: float, high: float, paint: Floats, *, z: float = 0.0, at: tuple[float, float] = (0.0, 0.0), top: float = 1.0
) -> Mesh:
    """A box standing on height `z`; its upper side is `top` times as wide."""
    x, y = wide / 2, deep / 2
    points = np.array(
        [[-x, -y, z], [x, -y, z], [x, y, z], [-x, y, z], [-x * top, -y * top, z + high], [x * top, -y * top, z + high],
         [x * top, y * top, z + high], [-x * top, y * top, z + high]]
    ) + np.array([*at, 0.0])  # fmt: skip
    return Mesh(points, BOX_FACES, np.tile(paint, (6, 1)), np.array([0.85, 0.85, 0.85, 0.85, 1.0, 0.4]))


def tube(path: Floats, radii: Floats | float, paint: Floats, sectors: int = 8) -> Mesh:
    """A round rod along (n, 3) points with one radius for each."""
    path = np.asarray(path, np.float64)
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    helper = np.where(np.abs(along[:, 2:]) > 0.9, np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    side = np.cross(along, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    front = np.cross(along, side)
    radius = np.broadcast_to(radii, (len(path),))[:, None]
    points = loft(path, side * radius, front * radius, sectors)
    faces = ring_faces(len(path), sectors)[:, ::-1]
    faces = outward(points, faces, path, sectors)
    return Mesh(points, faces, np.tile(paint, (len(faces), 1)), np.full(len(faces), 0.9))


def outward(points: Floats, faces: Ints, centres: Floats, sectors: int) -> Ints:
    """Faces of a loft, turned round where they look inwards."""
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    middle = np.repeat((centres[:-1] + centres[1:]) / 2, sectors, axis=0)
    inward = ((corners.mean(1) - middle) * normal).sum(1) < 0
    return np.where(inward[:, None], faces[:, ::-1], faces)


def normals(points: Floats, faces: Ints) -> tuple[Floats, Floats]:
    """-> (f, 3) unit normals and (f, 3) middles."""
    a, b, c, d = (points[faces[:, k]] for k in range(4))
    across, along = c - a, d - b
    normal = np.empty_like(across)
    normal[:, 0] = across[:, 1] * along[:, 2] - across[:, 2] * along[:, 1]
    normal[:, 1] = across[:, 2] * along[:, 0] - across[:, 0] * along[:, 2]
    normal[:, 2] = across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0]
    normal /= np.sqrt((normal**2).sum(1, keepdims=True)) + 1e-12
    return normal, (a + b + c + d) / 4
