"""Staged people drawn into real frames: at the view's scale, in the footage's light, blur and noise, with their truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image
from pahara.core import boxes as box_math

from . import props
from .actions import Walk
from .camera import View
from .incidents import body_boxes
from .look import LUMA, Colours, Look, Shadow, edge_blur, standing_out
from .mesh import Mesh
from .paint import Cast, cast, fill, roi, shadow_hulls
from .render import CHUNK, Stage, _Body, _in_hand, _on_ground, _seed
from .script import Actor, CameraPlan, Light, Script
from .script import Sensor as SensorPlan
from .sensor import Sensor, tone
from .truth import Sighting
from .view import Estimate, body_heights

Floats = NDArray[np.floating[Any]]
SUN = 1.66  # metres: whose shadow the measured one is
LEVELS = {"sky": 1.0, "sun": 0.0}
EXPOSURE = 0.55  # brings clothes of the renderer to the middle of its tone curve


@dataclass(frozen=True, eq=False)
class Composite:
    """One frame with staged people in it."""

    image: Image
    truth: tuple[Sighting, ...]
    mattes: tuple[tuple[int, tuple[int, int, int, int], NDArray[np.float32]], ...] = ()  # id, x1 y1 x2 y2, (h, w) share of the pixel


class Into(Stage):
    """A script's people, ready to be drawn into frames of the footage that `estimate` and `look` were measured in.

    The same script, footage and time give the same pixels. Not modelled: things of the place that stand before people,
    local light and shade, reflections.
    """

    def __init__(self, script: Script, estimate: Estimate, look: Look, times: Floats | None = None) -> None:
        """`times` are the seconds of each frame, where they do not come at the script's even rate."""
        super().__init__(script, draw=False)
        self.estimate, self.look = estimate, look
        self.times = np.arange(len(self)) / script.fps if times is None else np.asarray(times, np.float64)
        self._posed: tuple[int, dict[int, Any]] = (-1, {})
        self._sun = self._sun_way()

    def bodies_at(self, index: int) -> list[_Body]:
        """Everything staged in frame `index` of the script, at the scale of the footage."""
        first = index // CHUNK * CHUNK
        if self._posed[0] != first:
            self._posed = (first, self._pose(self.times[first : first + CHUNK]))
        return self._bodies(self._posed[1], index - first, float(self.times[index]), self.view)

    def sight(self, index: int) -> tuple[Sighting, ...]:
        """The truth of a frame without drawing it: nothing real stands before anyone."""
        wide, tall = self.view.size
        told = [_sighting(body, 1.0, (wide, tall)) for body in self.bodies_at(index)]
        return tuple(sorted((s for s in told if s is not None), key=lambda s: s.id))

    def paint(self, image: Image, index: int, people: Floats | None = None, *, mattes: bool = False) -> Composite:
        """`image` (h, w, 3) BGR, untouched -> the same with frame `index` of the script in it.

        `people` (n, 4) are boxes of real people in it: those whose feet are lower in the picture stand before the staged ones.
        """
        bodies = self.bodies_at(index)
        if not bodies:
            return Composite(image, ())
        picture = image.copy()
        rng = np.random.default_rng([self.script.seed, index, 61])
        self._darken(picture, bodies)
        apart: NDArray[np.bool_] | None = None
        covers: list[tuple[list[_Body], tuple[int, int, int, int], NDArray[np.float32], float]] = []
        for group in self._groups(bodies):
            area = roi([b.seen.box for b in group], self.view.size, 10)
            if area is None:
                continue
            part = (slice(area[1], area[3]), slice(area[0], area[2]))
            paint, cover = self._layer(group, area)
            whole = float(cover.sum())
            foot = max(b.seen.box[3] for b in group)
            for box in people if people is not None else ():
                if box[3] > foot + 1 and box[0] < area[2] and box[2] > area[0] and box[1] < area[3]:
                    apart = standing_out(image, self.look.background) if apart is None else apart
                    hidden = _within(apart, box, area)
                    paint, cover = paint * ~hidden[..., None], cover * ~hidden
            mixed = picture[part] * (1 - cover[..., None]) + paint
            if self.look.noise > 0.2:
                grain = cv2.GaussianBlur(rng.normal(0, 1, cover.shape).astype(np.float32), (0, 0), 0.5 + 0.4 * self.look.blur)
                grain *= self.look.noise / max(float(grain.std()), 1e-3)
                mixed = mixed + (grain * cover)[..., None]
            picture[part] = self._compressed(np.clip(np.round(mixed), 0, 255).astype(np.uint8), picture[part], cover)
            covers.append((group, area, cover, whole))
        return Composite(picture, self._truths(covers), tuple((g[0].id, a, c) for g, a, c, _ in covers) if mattes else ())

    def outlines(self, times: Floats) -> list[tuple[int, str, Floats, NDArray[np.bool_]]]:
        """Every person and every bag that stands: id, label, (t, 4) boxes in pixels, (t,) whether it can be seen. Quick: nothing is drawn."""
        told: list[tuple[int, str, Floats, NDArray[np.bool_]]] = []
        for id_, performance in self.company.performances.items():
            here = (times >= performance.begin) & (times <= performance.end)
            boxes = np.zeros((len(times), 4))
            rows = np.flatnonzero(here)
            if len(rows):
                moves = performance.sample(times[rows])
                bodies = performance.skeletons(times[rows], moves)
                sizes = np.array([self.size_at(root) for root in moves.roots])
                middle = moves.roots * np.array([1.0, 1.0, 0.0])
                joints = middle[:, None] + sizes[:, None, None] * (bodies.joints - middle[:, None])
                whole, depth = body_boxes(self.view, replace(bodies, joints=joints), performance.height * sizes)
                cut = box_math.clip(whole, self.view.size)
                boxes[rows] = cut
                here[rows] = (depth > 0.3) & (box_math.area(cut) > 0.35 * np.maximum(box_math.area(whole), 1e-6))
            told.append((id_, "person", boxes, here))
        for bag in self.script.bags:
            boxes, here = np.zeros((len(times), 4)), np.zeros(len(times), bool)
            for held in self.company.bags[bag.id]:
                if held.by is None:
                    rows = np.flatnonzero((times >= held.begin) & (times < held.end))
                    mesh = props.carried(bag, _seed(self.script.seed, bag.id))
                    size = self.size_at(np.array([*held.at, 0.0]))
                    pixels, depth = self.view.project((mesh.points * size) @ _spin(held.turn).T + np.array([*held.at, 0.0]))
                    boxes[rows] = box_math.clip(np.concatenate([pixels.min(0), pixels.max(0)])[None], self.view.size)[0]
                    here[rows] = depth.min() > 0.3 and box_math.area(boxes[rows[:1]]).sum() > 4 if len(rows) else False
            told.append((bag.id, bag.kind, boxes, here))
        return told

    # -- what is drawn ---------------------------------------------------------

    def _layer(self, group: list[_Body], area: tuple[int, int, int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """-> (h, w, 3) colours times cover, (h, w) cover."""
        colours = []
        for body in group:
            mesh, rows = body.mesh, body.seen.rows
            shine = self.lighting.on(body.seen.middles, body.seen.normals, mesh.albedo[rows], mesh.shade[rows], LEVELS, 0.0)
            if self._sun is not None:
                facing = np.clip(body.seen.normals @ self._sun, 0, 1)[:, None]
                shine = shine * (0.75 + 0.7 * min(2 * self.look.shadow.cast, 1.0) * facing)
            colours.append(self.look.grade(tone(shine * EXPOSURE)))
        paints = np.concatenate(colours)
        if self.look.grey:
            paints = np.repeat(np.round(paints @ np.array([0.114, 0.587, 0.299])).astype(np.uint8)[:, None], 3, 1)
        corners = np.concatenate([b.seen.corners for b in group])
        depths = np.concatenate([b.seen.depths for b in group])
        tall = max(b.seen.box[3] - b.seen.box[1] for b in group)
        layer = fill(corners, depths, paints, area, 3 if tall < 110 else 2).astype(np.float32)
        soft = self.look.blur
        if tall > 120:  # the facets of someone near
            soft = float(np.hypot(soft, 0.004 * tall))
        if soft > 0.2:
            layer = cv2.GaussianBlur(layer, (0, 0), soft)
        return layer[..., :3], layer[..., 3] / np.float32(255)

    def _darken(self, picture: Image, bodies: list[_Body]) -> None:
        """Contact shadow under everyone, and the cast shadow where the footage has one."""
        told = self.look.shadow
        h, w = picture.shape[:2]
        light: NDArray[np.float32] | None = None
        for body in bodies:
            tall = float(self.estimate.scale.at(body.seen.box[3]))
            kinds: list[tuple[list[Floats], float, float]] = []
            low = body.mesh.points[body.mesh.points[:, 2] < 0.35]
            if len(low) > 3 and told.contact > 0:
                hull = cv2.convexHull(low[:, :2].astype(np.float32))[:, 0].astype(np.float64)
                kinds.append(([hull], told.contact, 0.035))
            if self._sun is not None and told.cast > 0:
                kinds.append((shadow_hulls(body.mesh, self._sun, None), told.cast, told.soft))
            for hulls, strength, soft in kinds:
                pixels = _on_ground(self.view, hulls)
                area = roi([(*p.min(0), *p.max(0)) for p in pixels], (w, h), int(4 * soft * tall) + 3) if pixels else None
                if area is None:
                    continue
                mask = np.zeros((area[3] - area[1], area[2] - area[0]), np.uint8)
                for p in pixels:
                    cv2.fillPoly(mask, [np.round((np.clip(p, -1e5, 1e5) - area[:2]) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
                dark = cv2.GaussianBlur(mask, (0, 0), max(soft * tall, 0.6)).astype(np.float32) * np.float32(strength / 255)
                if light is None:
                    light = np.ones((h, w), np.float32)
                part = light[area[1] : area[3], area[0] : area[2]]
                np.minimum(part, 1 - dark, out=part)
        if light is not None:
            rows, columns = np.flatnonzero((light < 1).any(1)), np.flatnonzero((light < 1).any(0))
            if len(rows):
                where = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
                picture[where] = np.round(picture[where] * light[where][..., None]).astype(np.uint8)

    def _compressed(self, mixed: Image, before: Image, cover: NDArray[np.float32]) -> Image:
        """The composite as the footage's encoder would have left it, where there is someone; elsewhere as it was."""
        if self.look.quality >= 95 or min(mixed.shape[:2]) < 8:
            return mixed
        squeezed: Any = cv2.imdecode(cv2.imencode(".jpg", mixed, [cv2.IMWRITE_JPEG_QUALITY, self.look.quality])[1], cv2.IMREAD_COLOR)
        near = cv2.dilate((cover > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8))[..., None] > 0
        return np.asarray(np.where(near, squeezed, before), np.uint8)

    # -- truth -------------------------------------------------------------------

    def _truths(self, covers: list[tuple[list[_Body], tuple[int, int, int, int], NDArray[np.float32], float]]) -> tuple[Sighting, ...]:
        told = []
        for k, (group, area, cover, whole) in enumerate(covers):
            shown = cover.copy()
            for _, other, its, _ in covers[k + 1 :]:
                x1, y1, x2, y2 = max(area[0], other[0]), max(area[1], other[1]), min(area[2], other[2]), min(area[3], other[3])
                if x1 < x2 and y1 < y2:
                    shown[y1 - area[1] : y2 - area[1], x1 - area[0] : x2 - area[0]] *= (
                        1 - its[y1 - other[1] : y2 - other[1], x1 - other[0] : x2 - other[0]]
                    )
            free = float(shown.sum()) / max(whole, 1e-6)
            for body in group:
                inside = _share_inside(body.seen.box, self.view.size)
                sighting = _sighting(body, free * inside, self.view.size)
                if sighting is not None:
                    told.append(sighting)
        return tuple(sorted(told, key=lambda s: s.id))

    # -- scale and light -----------------------------------------------------------

    def _bodies(self, posed: dict[int, Any], i: int, time: float, view: View) -> list[_Body]:
        """As on a stage, each body at the height that the footage shows where it stands."""
        bodies: list[_Body] = []
        sizes: dict[int, float] = {}

        def add(id_: int, label: str, mesh: Mesh, spot: Any, size: float) -> None:
            middle = np.array([float(spot[0]), float(spot[1]), 0.0])
            grown = Mesh(middle + size * (mesh.points - middle), mesh.faces, mesh.albedo, mesh.shade, mesh.hulls)
            seen: Cast | None = cast(view, grown)
            if seen is not None and roi([seen.box], view.size, 0) is not None:
                bodies.append(_Body(id_, label, grown, seen, (float(spot[0]), float(spot[1]))))

        for id_, (performance, moves, body, here) in posed.items():
            root = moves.roots[i]
            sizes[id_] = self.size_at(root)
            if here[i] and body is not None:
                far = max(float(np.linalg.norm(root - view.position)), 0.5)
                tall = view.focal * performance.height / far
                add(id_, "person", self.figures[id_].mesh(body, i, 8 if tall < 48 else 12 if tall < 150 else 16), root, sizes[id_])
        for bag in self.script.bags:
            held = self.company.held(bag.id, time)
            if held is None:
                continue
            mesh = props.carried(bag, _seed(self.script.seed, bag.id))
            if held.by is None:
                add(bag.id, bag.kind, mesh.moved(held.at, held.turn), held.at, self.size_at(np.array([*held.at, 0.0])))
            elif held.by in posed and posed[held.by][3][i]:
                inside, spot = _in_hand(mesh, bag.kind, held, posed[held.by][2], i)
                root = posed[held.by][1].roots[i]  # it grows with its bearer, about the bearer's feet
                middle = np.array([root[0], root[1], 0.0])
                grown = Mesh(middle + sizes[held.by] * (inside.points - middle), inside.faces, inside.albedo, inside.shade, inside.hulls)
                seen = cast(view, grown)
                if seen is not None and roi([seen.box], view.size, 0) is not None:
                    bodies.append(_Body(bag.id, bag.kind, grown, seen, (float(spot[0]), float(spot[1]))))
        return bodies

    def size_at(self, root: Floats) -> float:
        """By how much bodies there are larger than the fitted camera alone would show them."""
        foot, depth = self.view.project(np.array([[root[0], root[1], 0.0]]))
        if depth[0] < 0.3:
            return 1.0
        fitted = float(body_heights(self.view, foot)[0])
        wanted = float(self.estimate.scale.at(foot[0, 1]))
        return float(np.clip(wanted / fitted, 0.75, 1.33)) if np.isfinite(fitted) and fitted > 1 else 1.0

    def _sun_way(self) -> Floats | None:
        """Towards the light that throws the measured shadow; None without one."""
        told = self.look.shadow
        if told.cast <= 0:
            return None
        wide, tall = self.view.size
        foot = np.array([wide / 2, 0.7 * tall])
        tip = foot + np.array(told.way) * float(self.estimate.scale.at(foot[1]))
        ends = self.view.ground(np.stack([foot, tip]))
        if not np.isfinite(ends).all():
            return None
        d = ends[1] - ends[0]
        d *= min(1.0, 6.0 / max(float(np.hypot(*d)), 1e-6))
        way = np.array([-d[0], -d[1], SUN])
        return np.asarray(way / np.linalg.norm(way))


def staged_script(script: Script, estimate: Estimate) -> Script:
    """The script before the estimated camera, in even light, without a sensor of its own."""
    v = estimate.view
    return replace(
        script, size=v.size, camera=CameraPlan(v.height, v.tilt, v.fov, v.k1, v.roll, v.yaw, v.at), light=Light("overcast"),
        sensor=SensorPlan(noise=0.0, sharpen=0.0, blur=0.0, vignette=0.0, fringe=0.0, clock=False),
    )  # fmt: skip


def _spin(turn: float) -> Floats:
    c, s = np.cos(turn), np.sin(turn)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _sighting(body: _Body, visible: float, size: tuple[int, int]) -> Sighting | None:
    x1, y1, x2, y2 = body.seen.box
    box = (max(float(x1), 0.0), max(float(y1), 0.0), min(float(x2), float(size[0])), min(float(y2), float(size[1])))
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        return None
    return Sighting(body.id, body.label, box, float(np.clip(visible, 0.0, 1.0)))


def _share_inside(box: tuple[float, float, float, float], size: tuple[int, int]) -> float:
    x1, y1, x2, y2 = box
    whole = max((x2 - x1) * (y2 - y1), 1e-6)
    return max(min(x2, size[0]) - max(x1, 0), 0.0) * max(min(y2, size[1]) - max(y1, 0), 0.0) / whole


def _within(mask: NDArray[np.bool_], box: Floats, area: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """The mask inside `box`, cut to `area`."""
    out = np.zeros((area[3] - area[1], area[2] - area[0]), bool)
    x1, y1, x2, y2 = (int(v) for v in np.round(box))
    x1, y1, x2, y2 = max(x1, area[0]), max(y1, area[1]), min(x2, area[2]), min(y2, area[3])
    if x1 < x2 and y1 < y2:
        out[y1 - area[1] : y2 - area[1], x1 - area[0] : x2 - area[0]] = mask[y1:y2, x1:x2]
    return out


def reference(estimate: Estimate, spots: Floats, seed: int = 5) -> tuple[Colours, float]:
    """Colours and softness of people as they are rendered, before any look is given to them; `spots` (n, 2) pixels are feet."""
    rng = np.random.default_rng(seed)
    wide, tall = estimate.view.size
    plain = Look(np.zeros((tall, wide, 3), np.uint8), blur=0.0, noise=0.0, quality=99, shadow=Shadow(0.0))
    empty = np.full((tall, wide, 3), 128, np.uint8)
    colours, blurs = [], []
    for round_ in range(6):
        feet = estimate.view.ground(spots[rng.integers(len(spots), size=4)])
        actors = tuple(
            Actor(n + 1, (float(x), float(y)), (Walk(((float(x + dx), float(y + dy)),)),))
            for n, ((x, y), (dx, dy)) in enumerate(zip(feet, rng.normal(0, 1.0, feet.shape), strict=True))
            if np.isfinite(x) and np.isfinite(y)
        )
        into = Into(
            staged_script(Script("reference", size=(wide, tall), fps=10, duration=1.0, seed=seed + round_, actors=actors), estimate),
            estimate,
            plain,
        )
        made = into.paint(empty, 2, mattes=True)
        for _, (x1, y1, x2, y2), matte in made.mattes:
            part = made.image[y1:y2, x1:x2]
            colours.append(part[matte > 0.95])
            blurs.append(edge_blur(part @ LUMA))
    pixels = np.concatenate(colours) if colours else np.zeros((0, 3), np.uint8)
    sharp = [b for b in blurs if b > 0]
    return (Colours.of(pixels) if len(pixels) else Colours(70.0, 36.0, (0.0, 0.0, 0.0), 10.0, 0)), float(np.median(sharp)) if sharp else 0.5


def tampered(image: Image, script: Script, time: float) -> Image:
    """A real frame as the script's tampering leaves it. Turned away: the picture slides aside, and what comes into view is mirrored."""
    out = image
    sensor = Sensor(script)
    for tamper in script.tampers:
        if tamper.kind == "moved":
            u = tamper.strength(time, script.duration, 0.7)
            if u > 0:
                rng = np.random.default_rng([script.seed, int(tamper.begin * 10), 2])
                h, w = image.shape[:2]
                turn = cv2.getRotationMatrix2D((w / 2, h / 2), u * float(rng.uniform(-7, 7)), 1.0)
                turn[:, 2] += u * np.array([float(rng.choice([-1, 1]) * rng.uniform(0.35, 0.6)) * w, float(rng.uniform(-0.15, 0.15)) * h])
                out = np.asarray(cv2.warpAffine(out, turn, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8)
        else:
            out = sensor._tamper(out, tamper, time)
    return out
