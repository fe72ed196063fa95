"""Faces onto pixels: project, leave out what looks away, draw from far to near, soften the edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import View
from .mesh import Mesh, normals

Floats = NDArray[np.floating[Any]]
NEAREST = 0.12  # metres


@dataclass(frozen=True, eq=False)
class Cast:
    """A mesh before the camera: only the faces that look at it."""

    corners: Floats  # (f, 4, 2) pixels
    depths: Floats  # (f,) metres
    normals: Floats  # (f, 3)
    middles: Floats  # (f, 3)
    rows: NDArray[np.intp]  # (f,) rows of the mesh's faces
    box: tuple[float, float, float, float]  # pixels, of all that is before the camera; not cut to the picture
    pixels: Floats  # (v, 2) of every point
    point_depths: Floats  # (v,)


def cast(view: View, mesh: Mesh) -> Cast | None:
    """None when nothing of it is before the camera."""
    pixels, depth = view.project(mesh.points)
    if depth.max() < NEAREST:
        return None
    corners, far = pixels[mesh.faces], depth[mesh.faces]
    across, along = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    seen = across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0] < 0  # y grows downwards, so outside is clockwise
    if depth.min() < NEAREST:
        seen &= far.min(1) > NEAREST
    rows = np.flatnonzero(seen)
    if not len(rows):
        return None
    normal, middle = normals(mesh.points, mesh.faces[rows])
    front = pixels[depth > NEAREST] if depth.min() < NEAREST else pixels
    low, high = front.min(0), front.max(0)
    return Cast(corners[rows], far[rows].mean(1), normal, middle, rows, (low[0], low[1], high[0], high[1]), pixels, depth)


def roi(boxes: Sequence[tuple[float, float, float, float]], size: tuple[int, int], margin: int = 2) -> tuple[int, int, int, int] | None:
    """The part of the picture that holds all boxes: x1 y1 x2 y2 whole pixels; None when it is empty."""
    rows = np.clip(np.array(boxes, np.float64), -1e6, 1e6)
    x1, y1 = np.floor(rows[:, :2].min(0)).astype(int) - margin
    x2, y2 = np.ceil(rows[:, 2:].max(0)).astype(int) + margin
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, size[0]), min(y2, size[1])
    return None if x1 >= x2 or y1 >= y2 else (x1, y1, x2, y2)


def fill(corners: Floats, depths: Floats, colours: NDArray[np.uint8], area: tuple[int, int, int, int], scale: int) -> NDArray[np.uint8]:
    """Draw faces (f, 4, 2) in `colours` (f, 3), far ones first, into the part `area` of the picture.

    -> (h, w, 4) BGR, multiplied by the cover that stands in the fourth channel; `scale` by `scale` samples a pixel.
    """
    x1, y1, x2, y2 = area
    layer = np.zeros(((y2 - y1) * scale, (x2 - x1) * scale, 4), np.uint8)
    order = np.argsort(-depths, kind="stable")
    # cv2 has pixel centres at whole numbers and four fraction bits here.
    points = np.round(((corners[order] - (x1, y1)) * scale - 0.5) * 16)
    points = np.clip(points, -(1 << 20), 1 << 20).astype(np.int32)
    paints = np.concatenate([colours[order], np.full((len(order), 1), 255, np.uint8)], 1).tolist()
    draw = cv2.fillConvexPoly
    for quad, paint in zip(points, paints, strict=True):
        draw(layer, quad, paint, cv2.LINE_8, 4)
    if scale == 1:
        return layer
    small: NDArray[np.uint8] = cv2.resize(layer, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA)
    return small


def fill_depth(corners: Floats, depths: Floats, area: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """(h, w) metres to the nearest face, infinite where there is none."""
    x1, y1, x2, y2 = area
    layer = np.full((y2 - y1, x2 - x1), np.inf, np.float32)
    order = np.argsort(-depths, kind="stable")
    points = np.clip(np.round((corners[order] - (x1, y1) - 0.5) * 16), -(1 << 20), 1 << 20).astype(np.int32)
    for quad, depth in zip(points, depths[order].tolist(), strict=True):
        cv2.fillConvexPoly(layer, quad, depth, cv2.LINE_8, 4)
    return layer


def ground_polygon(view: View, corners: Floats) -> Floats | None:
    """(n, 2) metres on the ground -> (m, 2) pixels of its outline, cut where it passes behind the camera, bent as the lens bends it."""
    closed = np.concatenate([corners, corners[:1]])
    steps = np.linspace(0, 1, 9)[:-1, None]
    dense = np.concatenate([a + (b - a) * steps for a, b in pairwise(closed)])
    points = np.concatenate([dense, np.zeros((len(dense), 1))], 1)
    depth = (points - view.position) @ view.axes[2]
    if depth.max() < 0.3:
        return None
    if depth.min() < 0.3:
        out = []
        for i in range(len(points)):
            a, b, da, db = points[i - 1], points[i], depth[i - 1], depth[i]
            if (da >= 0.3) != (db >= 0.3):
                out.append(a + (b - a) * (0.3 - da) / (db - da))
            if db >= 0.3:
                out.append(b)
        points = np.array(out)
        if len(points) < 3:
            return None
    return view.project(points)[0]


def shadow_hulls(mesh: Mesh, towards: Floats | None, lamp: Floats | None) -> list[Floats]:
    """Where the parts of a mesh darken the ground: (n, 2) metres each. `towards` the sun, or a `lamp` at (x, y, z)."""
    points = mesh.points
    if lamp is not None:
        room = lamp[2] - points[:, 2]
        if room.min() < 0.15:
            points = np.concatenate([points[:, :2], np.minimum(points[:, 2:], lamp[2] - 0.15)], 1)
            room = lamp[2] - points[:, 2]
        flat = lamp[:2] + (points[:, :2] - lamp[:2]) * (lamp[2] / room)[:, None]
    else:
        assert towards is not None
        flat = points[:, :2] - towards[:2] * (points[:, 2] / towards[2])[:, None]
    flat = flat.astype(np.float32)
    return [cv2.convexHull(flat[h])[:, 0].astype(np.float64) for h in (mesh.hulls or (np.arange(len(flat)),))]
