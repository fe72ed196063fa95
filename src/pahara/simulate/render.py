"""Scripts -> pictures with their truth, frame by frame, and as a source for the watch loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Frame, Image

from . import backdrop as backdrops
from . import props
from .acting import Company, Held, Moves, Performance
from .backdrop import Backdrop
from .camera import View
from .figure import Figure, dress
from .light import IR_LAMP, Lighting
from .mesh import Mesh
from .paint import Cast, cast, fill, fill_depth, roi, shadow_hulls
from .script import Script, check
from .sensor import Sensor, tone
from .skeleton import J, Skeleton
from .truth import Sighting

Floats = NDArray[np.floating[Any]]
CHUNK = 64  # frames that are posed together
RIDDEN, PUSHED = 10_000, 20_000  # ids of a bicycle and a trolley: their actor's id plus this
MOVE = 0.7  # seconds in which a camera is pushed aside


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame of a staged scene."""

    time: float  # seconds
    image: Image
    truth: tuple[Sighting, ...]


@dataclass(frozen=True, eq=False)
class _Body:
    """Something that is drawn: one object of the truth."""

    id: int
    label: str
    mesh: Mesh
    seen: Cast
    spot: tuple[float, float]
    keypoints: Floats | None = None


class Stage:
    """Iterate for Shots. Every pass gives the same frames."""

    def __init__(self, script: Script, *, draw: bool = True) -> None:
        """`draw=False` leaves the pictures black and gives the truth alone, faster. ScriptError when the script cannot be staged."""
        self.script = check(script, script.name)
        self.draw = draw
        self.view = script.view
        self.lighting = Lighting(script)
        people = [a for a in script.actors if a.kind in ("person", "cyclist")]
        self.dresses = {a.id: dress(a.look, _seed(script.seed, a.id)) for a in people}
        self.figures = {id_: Figure(worn, _seed(script.seed, id_)) for id_, worn in self.dresses.items()}
        self.company = Company(script, {id_: worn.height for id_, worn in self.dresses.items()})
        self._backdrops: dict[tuple[Any, ...], Backdrop] = {}
        self._blockers: dict[int, NDArray[np.float32]] = {}
        self._exposures: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return self.script.frame_count

    def __iter__(self) -> Iterator[Shot]:
        sensor = Sensor(self.script)
        frozen: Shot | None = None
        lit: tuple[Any, ...] = ()
        for first in range(0, len(self), CHUNK):
            times = np.arange(first, min(first + CHUNK, len(self))) / self.script.fps
            cast_now = self._pose(times)
            for i, time in enumerate(times.tolist()):
                stuck = any(t.kind == "frozen" and t.begin <= time < t.end for t in self.script.tampers)
                if stuck and frozen is not None:
                    yield Shot(time, frozen.image, frozen.truth)
                    continue
                view, scene = self._scene(time)
                bodies = self._bodies(cast_now, i, time, view)
                if self.draw:
                    picture, truth, lit = self._draw(view, scene, bodies, time, lit)
                    image = sensor(picture, time, first + i, self.script.tampers)
                else:
                    truth = self._sight(view, scene, bodies)
                    image = np.zeros((self.script.size[1], self.script.size[0], 3), np.uint8)
                frozen = Shot(time, image, _blinded(truth, self.script, time))
                yield frozen

    # -- who is where ------------------------------------------------------

    def _pose(self, times: Floats) -> dict[int, tuple[Performance, Moves, Skeleton | None, NDArray[np.bool_]]]:
        made = {}
        for id_, performance in self.company.performances.items():
            here = (times >= performance.begin - 1e-9) & (times <= performance.end + 1e-9)
            if here.any():
                moves = performance.sample(times)
                body = None
                if id_ in self.figures:
                    body = performance.skeletons(times, moves, carry=self.company.carrying(id_, times))
                made[id_] = (performance, moves, body, here)
        return made

    def _bodies(self, posed: dict[int, Any], i: int, time: float, view: View) -> list[_Body]:
        bodies: list[_Body] = []

        def add(id_: int, label: str, mesh: Mesh, spot: Any, keypoints: Floats | None = None) -> None:
            seen = cast(view, mesh)
            if seen is not None and roi([seen.box], view.size, 0) is not None:
                bodies.append(_Body(id_, label, mesh, seen, (float(spot[0]), float(spot[1])), keypoints))

        for id_, (performance, moves, body, here) in posed.items():
            if not here[i]:
                continue
            root, heading = moves.roots[i], float(moves.headings[i])
            actor = performance.actor
            if body is None:
                add(id_, "car", props.car(actor.colour, _seed(self.script.seed, id_)).moved(root[:2], heading), root)
                continue
            far = max(float(np.linalg.norm(root - view.position)), 0.5)
            tall = view.focal * performance.height / far
            sectors = 8 if tall < 48 else 12 if tall < 150 else 16
            add(id_, "person", self.figures[id_].mesh(body, i, sectors), root, body.keypoints[i])
            if actor.kind == "cyclist":
                add(RIDDEN + id_, "bicycle", props.bicycle(actor.colour, _seed(self.script.seed, id_)).moved(root[:2], heading), root)
            elif performance.verb_at(time) == "push":
                ahead = root[:2] + 0.52 * np.array([-np.sin(heading), np.cos(heading)])
                add(PUSHED + id_, "trolley", props.trolley(actor.colour, _seed(self.script.seed, id_)).moved(ahead, heading), ahead)
        for bag in self.script.bags:
            held = self.company.held(bag.id, time)
            if held is None:
                continue
            mesh = props.carried(bag, _seed(self.script.seed, bag.id))
            if held.by is None:
                add(bag.id, bag.kind, mesh.moved(held.at, held.turn), held.at)
            elif held.by in posed and posed[held.by][3][i]:
                add(bag.id, bag.kind, *_in_hand(mesh, bag.kind, held, posed[held.by][2], i))
        return bodies

    # -- the camera and the scene behind -----------------------------------

    def _view(self, time: float) -> tuple[View, bool]:
        """Where the camera looks, and whether it is being moved right now."""
        for tamper in self.script.tampers:
            if tamper.kind == "moved" and tamper.begin <= time < tamper.end:
                u = tamper.strength(time, self.script.duration, MOVE)
                rng = np.random.default_rng([self.script.seed, int(tamper.begin * 10), 2])
                yaw, tilt, roll = float(rng.choice([-1, 1]) * rng.uniform(22, 34)), float(rng.uniform(-4, 14)), float(rng.uniform(-7, 7))
                turned = replace(self.view, yaw=self.view.yaw + u * yaw, tilt=self.view.tilt + u * tilt, roll=self.view.roll + u * roll)
                return turned, u < 1
        return self.view, False

    def _scene(self, time: float) -> tuple[View, Backdrop]:
        view, moving = self._view(time)
        key = (round(view.yaw, 3), round(view.tilt, 3), round(view.roll, 3))
        made = self._backdrops.get(key)
        if made is None:
            if moving or not self.draw:  # half as fine: it is blurred by the motion
                w, h = view.size
                coarse = backdrops.build(self.script, replace(view, size=(w // 2, h // 2)), self.lighting)
                made = coarse.resized(view.size)
            else:
                made = backdrops.build(self.script, view, self.lighting)
            if moving and self.draw:
                return view, made
            self._backdrops[key] = made
        return view, made

    def _blocker(self, scene: Backdrop) -> NDArray[np.float32]:
        """(h, w) metres to what can hide someone: the ground never does."""
        made = self._blockers.get(id(scene))
        if made is None:
            made = np.where(scene.ground > 0.5, np.inf, scene.depth).astype(np.float32)
            if scene in self._backdrops.values():
                self._blockers[id(scene)] = made
        return made

    # -- drawing -------------------------------------------------------------

    def exposure(self, time: float) -> float:
        """The camera's gain: it follows the light of the scene, slowly and not all the way."""
        if self._exposures is None:
            groups = self._scene(0.0)[1].groups
            means = {name: float(np.minimum(g, 3.0).mean()) for name, g in groups.items()}
            key = {"day": 0.27, "overcast": 0.29, "dusk": 0.17, "night_ir": 0.20, "night_lamp": 0.085, "indoor": 0.27}[self.lighting.kind]
            steps = np.arange(0, self.script.duration + 0.2, 0.1) if self.script.light.changes else np.zeros(1)
            told, now = [], None
            for t in steps.tolist():
                levels = self.lighting.levels(t)
                wanted = key / max(sum(means[n] * levels.get(n, 1.0) for n in means), 1e-4)
                first = wanted if now is None else now
                now = first + (min(wanted, first * 6) - first) * (1 - np.exp(-0.1 / 1.4)) * 0.8
                told.append(now)
            self._exposures = np.array(told)
        return float(np.round(self._exposures[min(int(time * 10), len(self._exposures) - 1)], 4))

    def _draw(
        self, view: View, scene: Backdrop, bodies: list[_Body], time: float, lit: tuple[Any, ...]
    ) -> tuple[Image, tuple[Sighting, ...], tuple[Any, ...]]:
        levels = self.lighting.levels(time)
        gain = self.exposure(time)
        key = (tuple(levels.items()), gain)
        if not lit or lit[0] is not scene or lit[1] != key:
            light = np.zeros((view.size[1], view.size[0], 3), np.float32)
            for name, group in scene.groups.items():
                light += group * np.float32(levels.get(name, 1.0) * gain)
            lit = (scene, key, light, tone(light))
        _, _, light, empty = lit
        picture = empty.copy()
        self._shadow(view, scene, bodies, levels, gain, light, picture)
        truth = self._paint(view, scene, bodies, levels, gain, picture)
        return picture, truth, lit

    def _shadow(
        self, view: View, scene: Backdrop, bodies: list[_Body], levels: dict[str, float], gain: float, light: Floats, picture: Image
    ) -> None:  # fmt: skip
        """Darken the ground around the bodies: less sky under them, no sun or lamp behind them."""
        w, h = view.size
        masks: dict[str, NDArray[np.uint8]] = {}
        patches: dict[str, list[tuple[int, int, int, int]]] = {}
        for body in bodies:
            for name, hulls in self._outlines(body, levels).items():
                pixels = _on_ground(view, hulls)
                area = roi([(*p.min(0), *p.max(0)) for p in pixels], (w, h), 12) if pixels else None
                if area is None:
                    continue
                mask = masks.setdefault(name, np.zeros((h, w), np.uint8))
                for p in pixels:
                    cv2.fillPoly(mask, [np.round(np.clip(p, -1e5, 1e5) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
                patches.setdefault(name, []).append(area)
        soft = {name: _softened(mask, patches[name], {"sky": 3.0, "sun": 0.9}.get(name, 2.0) * h / 360) for name, mask in masks.items()}
        for x1, y1, x2, y2 in {area for areas in patches.values() for area in areas}:  # patches may overlap: each is worked out anew
            part = (slice(y1, y2), slice(x1, x2))
            left = light[part].copy()
            for name, mask in soft.items():
                strength = {"sky": 0.62}.get(name, 0.96) * levels.get(name, 1.0) * gain / 255
                left -= (mask[part] * scene.ground[part] * np.float32(strength))[..., None] * scene.groups[name][part]
            picture[part] = tone(left)

    def _outlines(self, body: _Body, levels: dict[str, float]) -> dict[str, list[Floats]]:
        """By light: the parts of the ground that a body keeps from it, as (n, 2) metres each."""
        told: dict[str, list[Floats]] = {}
        spot = np.array([*body.spot, 0.9])
        low = body.mesh.points[body.mesh.points[:, 2] < 0.35]
        if len(low) > 3:
            told["sky"] = [cv2.convexHull(low[:, :2].astype(np.float32))[:, 0].astype(np.float64)]
        lamps = self.lighting.lamps
        shares = {s.name: float(self.lighting.lamp(s, spot, None)) * levels.get(s.name, 0) * float(s.power.mean()) for s in lamps}
        whole = sum(shares.values()) + float(self.lighting.sky.mean()) * levels["sky"] * 0.7
        if levels["sun"] > 0.05 and not self.lighting.indoor and self.lighting.sun.max() > 0.3:
            told["sun"] = shadow_hulls(body.mesh, self.lighting.sun_way, None)
            whole += float(self.lighting.sun.mean()) * levels["sun"]
        for source in sorted(lamps, key=lambda s: -shares[s.name])[:2]:
            if source.name != IR_LAMP and shares[source.name] > 0.10 * whole and source.at[2] > 1.9:
                told[source.name] = shadow_hulls(body.mesh, None, source.at)
        return told

    def _groups(self, bodies: list[_Body]) -> list[list[_Body]]:
        """Bodies that stand together are drawn together, so that arms and bags interleave; far groups first."""
        groups: list[list[_Body]] = []
        for body in bodies:
            close = [g for g in groups if any(np.hypot(body.spot[0] - o.spot[0], body.spot[1] - o.spot[1]) < 1.0 for o in g)]
            merged = [body] + [o for g in close for o in g]
            groups = [g for g in groups if not any(g is c for c in close)] + [merged]
        eye = self.view.position[:2]
        return sorted(groups, key=lambda g: -float(np.mean([np.hypot(o.spot[0] - eye[0], o.spot[1] - eye[1]) for o in g])))

    def _paint(
        self, view: View, scene: Backdrop, bodies: list[_Body], levels: dict[str, float], gain: float, picture: Image
    ) -> tuple[Sighting, ...]:  # fmt: skip
        blocker = self._blocker(scene)
        covers: list[_Cover] = []
        for group in self._groups(bodies):
            area = roi([b.seen.box for b in group], view.size)
            if area is None:
                continue
            colours = []
            for body in group:
                sunlit = scene.sunlit(body.spot, self.lighting)
                rows = body.seen.rows
                mesh = body.mesh
                shine = self.lighting.on(body.seen.middles, body.seen.normals, mesh.albedo[rows], mesh.shade[rows], levels, sunlit)
                x, y = (np.clip((body.seen.box[0] + body.seen.box[2]) / view.size[0] - 1, -1, 1), np.clip((body.seen.box[1] + body.seen.box[3]) / view.size[1] - 1, -1, 1))  # fmt: skip
                dim = 1 - self.script.sensor.vignette * 0.62 * (x * x + (y * view.size[1] / view.size[0]) ** 2)
                colours.append(tone(shine * (gain * dim)))
            corners = np.concatenate([b.seen.corners for b in group])
            depths = np.concatenate([b.seen.depths for b in group])
            tall = max(b.seen.box[3] - b.seen.box[1] for b in group)
            scale = 3 if tall < 110 else 2
            layer = fill(corners, depths, np.concatenate(colours), area, scale)
            part = (slice(area[1], area[3]), slice(area[0], area[2]))
            cover = layer[..., 3:].astype(np.float32) / 255
            hidden, own = _hidden(scene, blocker, part, corners, depths, area)
            if hidden is not None:
                cover = cover * hidden[..., None]
                paint = layer[..., :3] * hidden[..., None]
            else:
                paint = layer[..., :3].astype(np.float32)
            if tall > 120:  # soften the facets of someone near
                paint = cv2.GaussianBlur(paint, (0, 0), 0.006 * tall)
                cover = cv2.GaussianBlur(cover, (0, 0), 0.006 * tall)[..., None]
            picture[part] = np.clip(picture[part] * (1 - cover) + paint, 0, 255).astype(np.uint8)
            covers.append(_Cover(group, area, cover[..., 0] > 0.5, own))
        return self._truth(view, scene, blocker, covers)

    def _sight(self, view: View, scene: Backdrop, bodies: list[_Body]) -> tuple[Sighting, ...]:
        """The truth without the picture."""
        blocker = self._blocker(scene)
        covers = []
        for group in self._groups(bodies):
            area = roi([b.seen.box for b in group], view.size)
            if area is None:
                continue
            corners = np.concatenate([b.seen.corners for b in group])
            depths = np.concatenate([b.seen.depths for b in group])
            mask = np.isfinite(fill_depth(corners, depths, area))
            covers.append(_Cover(group, area, mask, None))
        return self._truth(view, scene, blocker, covers)

    def _truth(self, view: View, scene: Backdrop, blocker: Floats, covers: list[_Cover]) -> tuple[Sighting, ...]:
        told = []
        w, h = view.size
        for k, cover in enumerate(covers):
            after = covers[k + 1 :]
            index = _index(cover) if len(cover.group) > 1 else None
            for n, body in enumerate(cover.group):
                middles = body.seen.corners.mean(1)
                c = body.seen.corners
                across, along = c[:, 2] - c[:, 0], c[:, 3] - c[:, 1]
                weight = np.abs(across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0])
                free = _free(middles, body.seen.depths, blocker, scene, after, (w, h))
                if index is not None:
                    inside = free & _inside(middles, cover.area)
                    x, y = middles[inside].astype(int).T - np.array([[cover.area[0]], [cover.area[1]]])
                    free[inside] &= index[y, x] == n
                visible = float((weight * free).sum() / max(weight.sum(), 1e-9))
                x1, y1, x2, y2 = body.seen.box
                box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(w)), min(y2, float(h)))
                if box[2] - box[0] < 1 or box[3] - box[1] < 1:
                    continue
                keypoints: tuple[tuple[float, float, float], ...] = ()
                if body.keypoints is not None:
                    pixels, depth = view.project(body.keypoints)
                    sees = _free(pixels, depth - 0.12, blocker, scene, after, (w, h))
                    inside = _inside(pixels, (0, 0, w, h)) & (depth > 0.1)
                    keypoints = tuple(
                        (float(x), float(y), (1.0 if s else 0.5) if i else 0.0)
                        for (x, y), s, i in zip(pixels.tolist(), sees, inside, strict=True)
                    )
                told.append(Sighting(body.id, body.label, tuple(float(v) for v in box), visible, keypoints))  # type: ignore[arg-type]
        return tuple(sorted(told, key=lambda s: s.id))


@dataclass(frozen=True, eq=False)
class _Cover:
    """What a group hides."""

    group: list[_Body]
    area: tuple[int, int, int, int]
    mask: NDArray[np.bool_]
    own: Any


def _seed(seed: int, id_: int) -> int:
    return int(np.random.default_rng([seed, id_, 13]).integers(1 << 30))


def _hidden(
    scene: Backdrop, blocker: Floats, part: Any, corners: Floats, depths: Floats, area: tuple[int, int, int, int]
) -> tuple[Any, None]:
    """(h, w) share of the group that shows, None when nothing can stand before it."""
    veil = scene.veil_depth[part]
    near = blocker[part]
    far = float(depths.max())
    blocked, veiled = bool((near < far).any()), bool((veil < far).any())
    if not blocked and not veiled:
        return None, None
    depth = cv2.erode(fill_depth(corners, depths, area), np.ones((3, 3), np.uint8))
    shows = np.ones(near.shape, np.float32)
    if blocked:
        shows *= depth < near + 0.12
        shows = cv2.blur(shows, (2, 2))
    if veiled:
        shows *= 1 - scene.veil[part] * (veil < depth)
    return shows, None


def _index(cover: _Cover) -> NDArray[np.intp]:
    """(h, w) which body of the group is in front."""
    x1, y1, x2, y2 = cover.area
    layer = np.full((y2 - y1, x2 - x1), -1, np.float32)
    corners = np.concatenate([b.seen.corners for b in cover.group])
    depths = np.concatenate([b.seen.depths for b in cover.group])
    owner = np.repeat(np.arange(len(cover.group)), [len(b.seen.depths) for b in cover.group])
    order = np.argsort(-depths, kind="stable")
    points = np.clip(np.round((corners[order] - (x1, y1) - 0.5) * 16), -(1 << 20), 1 << 20).astype(np.int32)
    for quad, who in zip(points, owner[order].tolist(), strict=True):
        cv2.fillConvexPoly(layer, quad, float(who), cv2.LINE_8, 4)
    return layer.astype(np.intp)


def _inside(pixels: Floats, area: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    x1, y1, x2, y2 = area
    return (pixels[:, 0] >= x1) & (pixels[:, 0] < x2) & (pixels[:, 1] >= y1) & (pixels[:, 1] < y2)


def _free(pixels: Floats, depth: Floats, blocker: Floats, scene: Backdrop, after: list[_Cover], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(n,) True where a point is in the picture and nothing stands before it."""
    free = _inside(pixels, (0, 0, *size)) & (depth > 0.05)
    rows = np.flatnonzero(free)
    x, y = pixels[rows].astype(int).T
    free[rows] = (blocker[y, x] + 0.15 > depth[rows]) & ~((scene.veil[y, x] > 0.6) & (scene.veil_depth[y, x] < depth[rows]))
    for cover in after:
        rows = np.flatnonzero(free & _inside(pixels, cover.area))
        if len(rows):
            x, y = pixels[rows].astype(int).T
            free[rows] &= ~cover.mask[y - cover.area[1], x - cover.area[0]]
    return free


def _on_ground(view: View, hulls: list[Floats]) -> list[Floats]:
    """Small outlines on the ground (n, 2) metres -> (m, 2) pixels, without those that reach behind the camera."""
    if not hulls:
        return []
    flat = np.concatenate(hulls)
    pixels, depth = view.project(np.concatenate([flat, np.zeros((len(flat), 1))], 1))
    ends = np.cumsum([len(h) for h in hulls])[:-1]
    return [p for p, d in zip(np.split(pixels, ends), np.split(depth, ends), strict=True) if d.min() > 0.3]


def _softened(mask: NDArray[np.uint8], patches: list[tuple[int, int, int, int]], sigma: float) -> NDArray[np.uint8]:
    """The mask, blurred where there is something in it."""
    out = np.zeros_like(mask)
    for x1, y1, x2, y2 in patches:
        out[y1:y2, x1:x2] = cv2.GaussianBlur(mask[y1:y2, x1:x2], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return out


def _in_hand(mesh: Mesh, kind: str, held: Held, body: Skeleton, i: int) -> tuple[Mesh, Any]:
    """A bag with its bearer; -> its surface and where that is on the ground."""
    joints, heading = body.joints[i], float(body.heading[i])
    if held.hand == "back":
        axes = body.chest[i]
        middle = (joints[J["waist"]] * 0.45 + joints[J["neck"]] * 0.55) - axes[:, 1] * 0.19
        local = mesh.points - np.array([0, 0, 0.25])
        return Mesh(local @ axes.T + middle, mesh.faces, mesh.albedo, mesh.shade, mesh.hulls), middle[:2] + axes[:2, 1] * 0.19
    hand = joints[J["r_hand"]]
    low = hand[2] - props.HANG[kind]
    side = np.array([np.cos(heading), np.sin(heading)]) * 0.04
    # It hangs with its flat side along the leg.
    return mesh.moved(hand[:2] + side, heading + np.pi / 2, max(low, 0.0)), hand[:2]


def _blinded(truth: tuple[Sighting, ...], script: Script, time: float) -> tuple[Sighting, ...]:
    """Behind a covered lens nothing is visible, though it is there."""
    if any(t.kind in ("covered", "dark") and t.strength(time, script.duration) > 0.9 for t in script.tampers):
        return tuple(replace(s, visible=0.0) for s in truth)
    return truth


class SimulatedSource:
    """A staged scene as a `core.Source`: frames whose `truth` is known."""

    live = False

    def __init__(self, script: Script, *, camera: str = "") -> None:
        self.stage = Stage(script)
        self.camera = camera or script.name
        self.size, self.epoch, self.fps = script.size, script.epoch_seconds, script.fps
        self.duration = script.frame_count / script.fps

    def __len__(self) -> int:
        return len(self.stage)

    def __iter__(self) -> Iterator[SimulatedFrame]:
        for shot in self.stage:
            yield SimulatedFrame(self.camera, shot)


class SimulatedFrame(Frame):
    """A frame that knows what is really in it."""

    def __init__(self, camera: str, shot: Shot) -> None:
        super().__init__(camera, shot.time, (shot.image.shape[1], shot.image.shape[0]), lambda: shot.image)
        self.truth = shot.truth
