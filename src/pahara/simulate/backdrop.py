"""The scene without anybody in it: what each pixel sees, how each light falls on it, and how far away it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import props
from .camera import View
from .light import IR_LAMP, Lighting
from .mesh import Mesh, colour
from .paint import cast, ground_polygon, roi, shadow_hulls
from .script import Script, Wall
from .texture import GLOSS, grain, material, opening

Floats = NDArray[np.floating[Any]]
FAR = 400.0  # metres: the sky


@dataclass(frozen=True, eq=False)
class Backdrop:
    """All arrays have the picture's height and width."""

    groups: dict[str, NDArray[np.float32]]  # (h, w, 3) linear BGR under full "sky", "sun" and each lamp
    depth: NDArray[np.float32]  # (h, w) metres along the line of sight
    ground: NDArray[np.float32]  # (h, w) 1 where the ground is seen
    veil: NDArray[np.float32]  # (h, w) cover of fences
    veil_depth: NDArray[np.float32]  # (h, w) metres, infinite where there is no fence
    shades: tuple[NDArray[np.float32], ...]  # (n, 2) metres: outlines of the sun's shadows on the ground
    beams: tuple[NDArray[np.float32], ...]  # (n, 2) metres: patches of sun indoors
    things: tuple[Mesh, ...] = field(default=())

    def resized(self, size: tuple[int, int]) -> Backdrop:
        """The same scene for a picture of another size (width, height)."""

        def smooth(a: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_LINEAR))

        def near(a: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_NEAREST))

        groups = {name: smooth(g) for name, g in self.groups.items()}
        return Backdrop(
            groups, near(self.depth), near(self.ground), smooth(self.veil), near(self.veil_depth), self.shades, self.beams, self.things
        )

    def sunlit(self, spot: tuple[float, float], lighting: Lighting) -> float:
        """The share of sun at a place on the ground, 0..1."""
        probes = [(spot[0] + dx, spot[1] + dy) for dx, dy in ((0, 0), (0.25, 0), (-0.25, 0), (0, 0.25), (0, -0.25))]
        hits = (
            sum(any(cv2.pointPolygonTest(p, q, False) >= 0 for p in (self.beams if lighting.indoor else self.shades)) for q in probes) / 5
        )
        return hits if lighting.indoor else 1 - hits


class _Buffer:
    """What every sample of the picture sees."""

    def __init__(self, view: View, scale: int) -> None:
        self.view, self.scale = view, scale
        w, h = view.size[0] * scale, view.size[1] * scale
        x, y = np.meshgrid((np.arange(w) + 0.5) / scale, (np.arange(h) + 0.5) / scale)
        self.rays = view.rays(np.stack([x, y], -1)).astype(np.float32)
        self.along = self.rays @ view.axes[2].astype(np.float32)  # metres of depth for each metre of ray
        self.reach = np.full((h, w), FAR, np.float32)  # metres along the ray
        self.albedo = np.zeros((h, w, 3), np.float32)
        self.normal = np.zeros((h, w, 3), np.float32)
        self.shade = np.ones((h, w), np.float32)
        self.gloss = np.zeros((h, w), np.float32)
        self.kind = np.zeros((h, w), np.uint8)  # 0 sky, 1 ground, 2 the rest

    def window(self, points: Floats) -> tuple[slice, slice] | None:
        """The part of the buffer where 3-D points (an outline) may be seen."""
        pixels, depth = self.view.project(points)
        h, w = self.reach.shape
        if depth.max() < 0.05:
            return None
        if depth.min() < 0.3:
            return slice(0, h), slice(0, w)
        area = roi([(*pixels.min(0), *pixels.max(0))], self.view.size, 3)
        if area is None:
            return None
        s = self.scale
        return slice(area[1] * s, area[3] * s), slice(area[0] * s, area[2] * s)

    def put(self, where: tuple[slice, slice], hit: NDArray[np.bool_], reach: Floats, albedo: Floats, normal: Floats, shade: Floats | float, gloss: float, kind: int) -> None:  # fmt: skip
        self.reach[where][hit] = reach[hit]
        self.albedo[where][hit] = albedo[hit]
        self.normal[where][hit] = normal[hit] if np.ndim(normal) > 1 else normal
        self.shade[where][hit] = shade[hit] if isinstance(shade, np.ndarray) else shade
        self.gloss[where][hit] = gloss
        self.kind[where][hit] = kind


def build(script: Script, view: View, lighting: Lighting) -> Backdrop:
    """Cast a ray for every sample, light what it meets, and average."""
    scale = 2 if view.size[0] * view.size[1] <= 500_000 else 1
    place, seed = script.place, script.place.seed or script.seed
    buffer = _Buffer(view, scale)
    things = tuple(props.thing(t, seed) for t in place.things)
    _ground(buffer, script, things, seed)
    if place.ceiling:
        _ceiling(buffer, place.ceiling, seed)
    solid = [w for w in place.walls if w.kind != "fence"]
    for i, wall in enumerate(solid):
        _wall(buffer, wall, seed + 31 * i)
    for i, mesh in sorted(enumerate(things), key=lambda pair: -float(np.hypot(*(pair[1].points.mean(0)[:2] - view.position[:2])))):
        _mesh(buffer, mesh, seed + i)

    shades, beams = _shadows(script, lighting, solid, things)
    groups, ground = _light(buffer, script, lighting, shades, beams, seed)
    veil, veil_depth = _fences(buffer, script, lighting, groups, seed)
    for source in lighting.lamps:
        if source.name != IR_LAMP:
            _glow(buffer, source.at, groups[source.name], np.asarray(source.power))

    def small(a: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(a, view.size, interpolation=cv2.INTER_AREA)) if scale > 1 else a

    x, y = np.meshgrid(np.linspace(-1, 1, view.size[0]), np.linspace(-1, 1, view.size[1]) * view.size[1] / view.size[0])
    vignette = (1 - script.sensor.vignette * 0.62 * (x * x + y * y)).astype(np.float32)[..., None]
    depth = buffer.reach * buffer.along
    return Backdrop(
        {name: small(g) * vignette for name, g in groups.items()}, np.ascontiguousarray(depth[scale // 2 :: scale, scale // 2 :: scale]),
        small(ground), small(veil), np.ascontiguousarray(veil_depth[scale // 2 :: scale, scale // 2 :: scale]), shades, beams, things,
    )  # fmt: skip


def _pixel(buffer: _Buffer, reach: Floats, cos: Floats) -> Floats:
    """Metres that a pixel covers on a surface."""
    made: Floats = (reach / (buffer.view.focal * buffer.scale) / np.clip(np.abs(cos), 0.05, 1) ** 0.75).astype(np.float32)
    return made


def _ground(buffer: _Buffer, script: Script, things: tuple[Mesh, ...], seed: int) -> None:
    rays = buffer.rays
    hit = rays[..., 2] < -0.004
    reach = np.where(hit, -buffer.view.height / np.minimum(rays[..., 2], -0.004), FAR).astype(np.float32)
    hit &= reach < FAR * 0.9
    rows = np.flatnonzero(hit.any(1))
    if not len(rows):
        return
    where = (slice(int(rows[0]), int(rows[-1]) + 1), slice(0, rays.shape[1]))
    hit, reach, rays = hit[where], reach[where], rays[where]
    spots = buffer.view.position[:2].astype(np.float32) + rays[..., :2] * reach[..., None]
    pixel = _pixel(buffer, reach, rays[..., 2])
    kind = script.place.ground
    albedo, _ = material(kind, spots[..., 0], spots[..., 1], pixel, seed, script.place.colour)
    for mark in script.place.marks:
        _mark(buffer, where, albedo, mark.along, mark.wide, colour(mark.colour), pixel, seed)
    shade = np.ones(reach.shape, np.float32)
    for wall in script.place.walls:
        if wall.kind != "fence" and wall.base < 0.3:
            far = _distance(spots, np.array(wall.start), np.array(wall.end))
            shade *= 1 - 0.42 * np.exp(-far / 0.45)
    for mesh in things:
        low = mesh.points[mesh.points[:, 2] < 0.9]
        if len(low) > 2:
            hull = cv2.convexHull(low[:, :2].astype(np.float32))[:, 0]
            outline = ground_polygon(buffer.view, hull.astype(np.float64))
            if outline is not None:
                mask = np.zeros(reach.shape, np.float32)
                points = (outline * buffer.scale - (0, where[0].start)).clip(-1e5, 1e5)
                cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
                sigma = max(
                    2.0, 0.18 * buffer.view.focal * buffer.scale / max(float(np.hypot(*(hull.mean(0) - buffer.view.position[:2]))), 2.0)
                )
                shade *= 1 - 0.62 * cv2.GaussianBlur(mask, (0, 0), min(sigma, 40.0))
    if script.rain > 0:
        puddle = np.clip(grain(spots[..., 0], spots[..., 1], 2.2, pixel, seed + 9) - 0.5, 0, 1)
        albedo *= (1 - script.rain * (0.25 + 0.3 * puddle))[..., None]
    gloss = GLOSS.get(kind, 0.0) + 0.35 * script.rain
    buffer.put(where, hit, reach, albedo, np.array([0, 0, 1], np.float32), shade, gloss, 1)


def _distance(spots: Floats, start: Floats, end: Floats) -> Floats:
    along = end - start
    u = np.clip(((spots - start.astype(np.float32)) @ along.astype(np.float32)) / float(along @ along), 0, 1)
    dx = spots[..., 0] - (start[0] + u * along[0])
    dy = spots[..., 1] - (start[1] + u * along[1])
    result: Floats = np.sqrt(dx * dx + dy * dy)
    return result


def _mark(
    buffer: _Buffer, where: tuple[slice, slice], albedo: Floats, along: Any, wide: float, paint: Floats, pixel: Floats, seed: int
) -> None:
    """Paint on the ground, worn here and there."""
    mask = np.zeros(pixel.shape, np.float32)
    points = np.array(along, np.float64)
    for a, b in pairwise(points):
        way = (b - a) / max(float(np.hypot(*(b - a))), 1e-6)
        off = np.array([-way[1], way[0]]) * wide / 2
        outline = ground_polygon(buffer.view, np.array([a - off, b - off, b + off, a + off]))
        if outline is not None:
            pts = (outline * buffer.scale - (0, where[0].start)).clip(-1e5, 1e5)
            cv2.fillPoly(mask, [np.round(pts * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    wear = cv2.resize(
        np.random.default_rng([seed, 21]).random((40, 60), np.float32), (pixel.shape[1], pixel.shape[0]), interpolation=cv2.INTER_CUBIC
    )
    mask = mask * np.clip(0.55 + 0.6 * wear, 0, 0.95)
    albedo[:] = albedo * (1 - mask[..., None]) + mask[..., None] * paint.astype(np.float32)


def _ceiling(buffer: _Buffer, high: float, seed: int) -> None:
    rays = buffer.rays
    hit = rays[..., 2] > 0.01
    if high <= buffer.view.height or not hit.any():
        return
    reach = np.where(hit, (high - buffer.view.height) / np.maximum(rays[..., 2], 0.01), FAR).astype(np.float32)
    where = (slice(0, rays.shape[0]), slice(0, rays.shape[1]))
    spots = buffer.view.position[:2].astype(np.float32) + rays[..., :2] * reach[..., None]
    albedo, _ = material("tiles", spots[..., 0], spots[..., 1], _pixel(buffer, reach, rays[..., 2]), seed + 5, "#c9c6bd")
    buffer.put(where, hit & (reach < buffer.reach), reach, albedo, np.array([0, 0, -1], np.float32), 0.8, 0.0, 2)


def _outline(wall: Wall) -> Floats:
    u = np.linspace(0, 1, 12)[:, None]
    foot = np.array(wall.start) * (1 - u) + np.array(wall.end) * u
    levels = np.linspace(wall.base, wall.base + wall.high, 5)
    return np.concatenate([np.concatenate([foot, np.full((12, 1), z)], 1) for z in levels])


def _hit_wall(buffer: _Buffer, wall: Wall) -> tuple[Any, ...] | None:
    where = buffer.window(_outline(wall))
    if where is None:
        return None
    start, end = np.array(wall.start, np.float32), np.array(wall.end, np.float32)
    long = float(np.hypot(*(end - start)))
    along = (end - start) / long
    normal = np.array([along[1], -along[0], 0], np.float32)
    eye = buffer.view.position.astype(np.float32)
    if float((eye[:2] - start) @ normal[:2]) < 0:
        normal = -normal
    rays = buffer.rays[where]
    facing = rays @ normal
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(facing < -1e-4, float((start - eye[:2]) @ normal[:2]) / facing, FAR).astype(np.float32)
    spot = eye + rays * reach[..., None]
    u, v = (spot[..., :2] - start) @ along, spot[..., 2] - wall.base
    hit = (reach > 0.05) & (u >= 0) & (u <= long) & (v >= 0) & (v <= wall.high) & (reach < buffer.reach[where])
    return (where, hit, reach, u, v, normal, facing) if hit.any() else None


def _wall(buffer: _Buffer, wall: Wall, seed: int) -> None:
    got = _hit_wall(buffer, wall)
    if got is None:
        return
    where, hit, reach, u, v, normal, facing = got
    pixel = _pixel(buffer, reach, facing)
    albedo, _ = material(wall.kind, u, v, pixel, seed, wall.colour)
    shade = (1 - 0.35 * np.exp(-np.clip(v, 0, None) / 0.35) * (wall.base < 0.3)).astype(np.float32)
    for i, o in enumerate(wall.openings):
        inside = (u >= o.at) & (u <= o.at + o.wide) & (v >= o.sill) & (v <= o.sill + o.high)
        if inside.any():
            made = opening(o.kind, u - o.at, v - o.sill, o.wide, o.high, pixel, seed + 7 * i, o.colour)
            albedo = np.where(inside[..., None], made, albedo)
    buffer.put(where, hit, reach, albedo, normal, shade, GLOSS.get(wall.kind, 0.0), 2)


def _mesh(buffer: _Buffer, mesh: Mesh, seed: int) -> None:
    got = cast(buffer.view, mesh)
    if got is None:
        return
    area = roi([got.box], buffer.view.size)
    if area is None:
        return
    s = buffer.scale
    order = np.argsort(-got.depths, kind="stable")
    layer = np.full(((area[3] - area[1]) * s, (area[2] - area[0]) * s), -1, np.float32)
    points = np.clip(np.round(((got.corners[order] - area[:2]) * s - 0.5) * 16), -(1 << 20), 1 << 20).astype(np.int32)
    for quad, row in zip(points, order.tolist(), strict=True):
        cv2.fillConvexPoly(layer, quad, float(row), cv2.LINE_8, 4)
    where = (slice(area[1] * s, area[3] * s), slice(area[0] * s, area[2] * s))
    face = layer.astype(np.intp)
    hit = face >= 0
    face = np.maximum(face, 0)
    normal, middle = got.normals[face].astype(np.float32), got.middles[face].astype(np.float32)
    rays, eye = buffer.rays[where], buffer.view.position.astype(np.float32)
    facing = (rays * normal).sum(-1)
    straight = ((middle - eye) * normal).sum(-1) / np.minimum(facing, -0.02)
    rough = np.linalg.norm(middle - eye, axis=-1)
    reach = np.where(np.abs(straight - rough) < 2.5, straight, rough).astype(np.float32)
    hit &= reach < buffer.reach[where]
    spot = eye + rays * reach[..., None]
    pixel = _pixel(buffer, reach, facing)
    u, v = spot[..., 0] + spot[..., 1] * 0.83, spot[..., 2]
    albedo = mesh.albedo[got.rows][face].astype(np.float32)
    albedo *= (1 + 0.06 * grain(u, v, 0.35, pixel, seed) + 0.03 * grain(u, v, 0.07, pixel, seed + 1))[..., None]
    shade = mesh.shade[got.rows][face].astype(np.float32)
    buffer.put(where, hit, reach, np.clip(albedo, 0.003, 0.95), normal, shade, 0.0, 2)


def _shadows(script: Script, lighting: Lighting, walls: list[Wall], things: tuple[Mesh, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    beams = tuple(np.array(b, np.float32) for b in script.light.beams)
    if lighting.indoor or lighting.ir or lighting.sun.max() < 0.3:
        return (), beams
    told = []
    for wall in walls:
        a, b = np.array(wall.start), np.array(wall.end)
        lift = lighting.sun_way[:2] / lighting.sun_way[2]
        low, high = lift * wall.base, lift * (wall.base + wall.high)
        told.append(cv2.convexHull(np.array([a - low, b - low, b - high, a - high], np.float32))[:, 0])
    for mesh in things:
        told += [h.astype(np.float32) for h in shadow_hulls(mesh, lighting.sun_way, None)]
    return tuple(told), beams


def _fill_ground(buffer: _Buffer, outlines: tuple[Any, ...], soft: float) -> NDArray[np.float32]:
    mask = np.zeros(buffer.reach.shape, np.float32)
    for outline in outlines:
        pixels = ground_polygon(buffer.view, np.asarray(outline, np.float64))
        if pixels is not None:
            points = (pixels * buffer.scale).clip(-1e5, 1e5)
            cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft * buffer.scale), np.float32)


def _light(
    buffer: _Buffer, script: Script, lighting: Lighting, shades: Any, beams: Any, seed: int
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    albedo = lighting.paint(buffer.albedo).astype(np.float32)
    sky_seen = buffer.kind == 0
    ground = (buffer.kind == 1).astype(np.float32)
    spots = buffer.view.position.astype(np.float32) + buffer.rays * buffer.reach[..., None]
    up = (buffer.normal[..., 2:] * 0.5 + 0.5).astype(np.float32)
    groups: dict[str, NDArray[np.float32]] = {}
    sky = albedo * (lighting.sky.astype(np.float32) * up + lighting.below.astype(np.float32) * (1 - up)) * buffer.shade[..., None]
    if script.light.kind in ("day", "overcast", "dusk"):  # haze takes the colour out of what is far away
        haze = (1 - np.exp(-np.clip(buffer.reach - 15, 0, None) / 160))[..., None].astype(np.float32)
        sky = sky * (1 - haze) + haze * (lighting.sky * 0.75).astype(np.float32)
    sky[sky_seen] = _sky(buffer, lighting, script, seed)[sky_seen]
    groups["sky"] = sky
    if lighting.indoor:
        sunny = _fill_ground(buffer, beams, 2.0) * ground if beams else np.zeros_like(ground)
    else:
        sunny = 1 - _fill_ground(buffer, shades, 0.8) * ground if shades else np.ones_like(ground)
    cos = np.clip(buffer.normal @ lighting.sun_way.astype(np.float32), 0, 1)
    if lighting.indoor:
        cos = np.where(ground > 0, max(0.5, float(lighting.sun_way[2])), 0).astype(np.float32)
    sun = albedo * lighting.sun.astype(np.float32) * (cos * sunny * ~sky_seen)[..., None]
    groups["sun"] = sun.astype(np.float32)
    for source in lighting.lamps:
        share = lighting.lamp(source, spots, buffer.normal).astype(np.float32)
        share *= ~sky_seen * (0.4 + 0.6 * buffer.shade)
        power = source.power.astype(np.float32)
        lit = albedo * share[..., None] * power
        if buffer.gloss.max() > 0 and source.name != IR_LAMP:
            way = source.at.astype(np.float32) - spots
            way /= np.linalg.norm(way, axis=-1, keepdims=True) + 1e-6
            half = way - buffer.rays
            half /= np.linalg.norm(half, axis=-1, keepdims=True) + 1e-6
            shine = np.clip((half * buffer.normal).sum(-1), 0, 1) ** 90 * buffer.gloss * 0.10
            lit = lit + shine[..., None] * power
        groups[source.name] = lit.astype(np.float32)
    return groups, ground


def _sky(buffer: _Buffer, lighting: Lighting, script: Script, seed: int) -> NDArray[np.float32]:
    """Above the horizon: a sky with a skyline."""
    rays = buffer.rays
    high = np.arcsin(np.clip(rays[..., 2], -1, 1))
    side = np.arctan2(rays[..., 0], rays[..., 1])
    bright = {"day": 1.5, "overcast": 1.3, "dusk": 0.8, "indoor": 0.6}.get(script.light.kind, 1.0)
    base = (lighting.sky * bright).astype(np.float32)
    pale = base.mean() * np.array([1.0, 1.0, 1.0], np.float32)
    t = np.clip(high / 0.5, 0, 1)[..., None]
    made = pale * (1 - t) + base * t
    rng = np.random.default_rng([seed, 55])
    edges = np.sort(rng.uniform(-2, 2, 46))
    tops, tones = rng.uniform(0.015, 0.10, 47), rng.uniform(0.25, 0.6, 47)
    which = np.searchsorted(edges, side)
    building = high < tops[which]
    lit = (np.mod(side * 140, 1) < 0.5) & (np.mod(high * 160, 1) < 0.5)
    night = script.light.kind.startswith("night")
    tone = tones[which] * np.where(lit, 2.0 if night and not lighting.ir else 0.8, 1.0)
    result: NDArray[np.float32] = np.where(building[..., None], pale * 0.55 * tone[..., None] + 0.12 * pale, made).astype(np.float32)
    return result


def _fences(
    buffer: _Buffer, script: Script, lighting: Lighting, groups: dict[str, NDArray[np.float32]], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """Lay fences over the groups; -> their cover and depth."""
    cover = np.zeros(buffer.reach.shape, np.float32)
    depth = np.full(buffer.reach.shape, np.inf, np.float32)
    fences = [w for w in script.place.walls if w.kind == "fence"]
    for i, wall in enumerate(fences):
        got = _hit_wall(buffer, wall)
        if got is None:
            continue
        where, hit, reach, u, v, normal, facing = got
        albedo, own = material("fence", u, v, _pixel(buffer, reach, facing), seed + i, wall.colour)
        own = own * hit
        albedo = lighting.paint(albedo)
        spots = buffer.view.position.astype(np.float32) + buffer.rays[where] * reach[..., None]
        for name, group in groups.items():
            if name == "sky":
                light = (lighting.sky + lighting.below) / 2
            elif name == "sun":
                light = lighting.sun * max(0.2, float(normal @ lighting.sun_way)) * (0.0 if lighting.indoor else 1.0)
            else:
                source = next(s for s in lighting.lamps if s.name == name)
                light = lighting.lamp(source, spots, np.broadcast_to(normal, spots.shape))[..., None] * source.power
            group[where] = group[where] * (1 - own[..., None]) + own[..., None] * albedo * light
        cover[where] = 1 - (1 - cover[where]) * (1 - own)
        depth[where] = np.where(hit, np.minimum(depth[where], reach * buffer.along[where]), depth[where])
    return cover, depth


def _glow(buffer: _Buffer, at: Floats, group: NDArray[np.float32], power: Floats) -> None:
    """The lamp itself, where the camera sees it, and its halo in the lens."""
    pixels, depth = buffer.view.project(at[None])
    if depth[0] < 0.3:
        return
    x, y = pixels[0] * buffer.scale
    h, w = buffer.reach.shape
    if not (-40 < x < w + 40 and -40 < y < h + 40):
        return
    inside = 0 <= x < w and 0 <= y < h
    if inside and buffer.reach[int(y), int(x)] * buffer.along[int(y), int(x)] < depth[0] - 0.6:
        return
    radius = 0.14 * buffer.view.focal * buffer.scale / depth[0]
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    far = np.hypot(xx - x, yy - y)
    tint = (power / max(float(power.max()), 1e-6)).astype(np.float32)
    core = np.clip(radius - far + 0.5, 0, 1) * 3.0
    halo = 0.35 * np.exp(-far / (radius * 3 + 5)) + 0.06 * np.exp(-far / (radius * 12 + 30))
    group += (core + halo)[..., None] * tint
