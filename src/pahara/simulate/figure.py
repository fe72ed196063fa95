"""A dressed person: from joints to a surface that can be lit and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .mesh import Mesh, circle, colour, ring_faces
from .script import Look
from .skeleton import J, Skeleton

Floats = NDArray[np.floating[Any]]

SKINS = ("#8d5c3c", "#a06c48", "#7a4a30", "#b58058", "#6b4029", "#c4926c")
TOPS = {
    "tshirt": ("#9b2d2d", "#2c4a7a", "#e0ddd5", "#3d6b45", "#222428", "#c9a23a", "#7f8a94", "#b86b3c"),
    "shirt": ("#dfe4ea", "#9fb6d0", "#4b5f86", "#c9c2ae", "#7d3f49", "#55606b", "#e9e6dc", "#8fae9a"),
    "jacket": ("#23272e", "#3a4454", "#4d4238", "#2f3b33", "#6b2f2f", "#1d2a44"),
    "hoodie": ("#555b63", "#2a2d33", "#7a3038", "#33475e", "#8b8f94", "#3d4f3d"),
    "kurta": ("#e6e3da", "#cfd8dd", "#8aa3b5", "#d8cba8", "#56705c", "#2f4058", "#f0efe9"),
    "vest": ("#d8d030", "#e07a2a", "#c5cc3a"),
}
BOTTOMS = {
    "trousers": ("#23262c", "#3b3a36", "#5a5348", "#2b3442", "#6e6759", "#1c1d20"),
    "jeans": ("#2d3f5c", "#3f5677", "#1f2a3d", "#55688a"),
    "shorts": ("#3a4046", "#5b5144", "#2c3c55"),
    "lungi": ("#3c5a7d", "#7a3b3b", "#44694c", "#5d4a7a"),
    "skirt": ("#5a2f3f", "#2c3046", "#3f3a36"),
    "dress": ("#7d2742", "#264e6b", "#20242a", "#4d2f66", "#a6522d", "#2f5f4f", "#16181c"),
}


@dataclass(frozen=True)
class Dress:
    """A look with nothing left open. Colours are "#rrggbb"."""

    height: float
    build: float
    top: str
    bottom: str
    head: str
    top_colour: str
    bottom_colour: str
    skin: str
    hair: str
    shoes: str
    stripe: int  # 0 plain, 1 bands, 2 checks, 3 print on the chest
    beard: bool


def dress(look: Look, seed: int) -> Dress:
    """What the script leaves open is drawn from `seed`, always in the same order so that one choice does not change another."""
    rng = np.random.default_rng([seed, 4711])
    woman = rng.random() < 0.42
    height = float(np.clip(rng.normal(1.60 if woman else 1.71, 0.07), 1.45, 1.95))
    build = float(np.clip(rng.normal(1.0, 0.1), 0.84, 1.28))
    bottom = str(
        rng.choice(
            ["dress", "dress", "skirt", "trousers", "jeans"] if woman else ["trousers", "jeans", "trousers", "jeans", "lungi", "shorts"]
        )
    )
    top = str(rng.choice(["kurta", "shirt", "tshirt"] if woman else ["shirt", "tshirt", "jacket", "hoodie", "kurta", "shirt"]))
    head = str(rng.choice(["scarf", "long", "scarf", "long"] if woman else ["short"] * 9 + ["cap", "cap", "bald"]))
    bottom, top, head = look.bottom or bottom, look.top or top, look.head or head
    if top == "kurta" and look.head is None and not woman and rng.random() < 0.5:
        head = "topi"
    tops = TOPS["jacket" if bottom == "dress" and top == "jacket" else top]
    top_colour = str(rng.choice(tops))
    bottom_colour = str(rng.choice(BOTTOMS[bottom]))
    if bottom == "dress":
        top_colour = bottom_colour
    return Dress(
        look.height or height, look.build or build, top, bottom, head, look.top_colour or top_colour,
        look.bottom_colour or (look.top_colour if bottom == "dress" and look.top_colour else bottom_colour),
        look.skin or str(rng.choice(SKINS)),
        str(rng.choice(["#14110f", "#1d1714", "#2b211b", "#4a4644"], p=[0.45, 0.3, 0.17, 0.08])),
        str(rng.choice(["#1a1a1c", "#2e2620", "#d5d3cd", "#5a4a3a", "#3a3d44"])),
        int(rng.choice(4, p=[0.62, 0.12, 0.12, 0.14])), bool(not woman and rng.random() < 0.35),
    )  # fmt: skip


# Rings of each part: (where along its bones, half width, half depth to the front, half depth to the back), shares of the height.
TORSO = np.array([
    [-0.050, 0.050, 0.050, 0.060], [-0.020, 0.090, 0.062, 0.080], [0.025, 0.096, 0.064, 0.082], [0.075, 0.086, 0.060, 0.066],
    [0.125, 0.082, 0.060, 0.060], [0.175, 0.090, 0.066, 0.064], [0.225, 0.101, 0.072, 0.070], [0.262, 0.104, 0.062, 0.068],
    [0.284, 0.080, 0.047, 0.056], [0.300, 0.047, 0.038, 0.045], [0.318, 0.033, 0.034, 0.037], [0.345, 0.031, 0.034, 0.036],
])  # fmt: skip
HEAD = np.array([
    [-0.014, 0.026, 0.036, 0.030], [0.002, 0.034, 0.050, 0.036], [0.022, 0.041, 0.056, 0.046], [0.042, 0.045, 0.058, 0.054],
    [0.062, 0.046, 0.056, 0.057], [0.082, 0.045, 0.053, 0.057], [0.102, 0.038, 0.045, 0.049], [0.117, 0.024, 0.029, 0.032], [0.126, 0.004, 0.005, 0.005],
])  # fmt: skip
ARM = np.array([  # along collarbone - shoulder - elbow - wrist - fingers
    [0.15, 0.022], [0.55, 0.033], [0.85, 0.039], [1.12, 0.039], [1.45, 0.036], [2.0, 0.029], [2.35, 0.029], [2.7, 0.024], [3.0, 0.019], [3.35, 0.022],
    [4.0, 0.011],
])  # fmt: skip
LEG = np.array(
    [[-0.14, 0.050], [0.04, 0.068], [0.3, 0.064], [0.65, 0.053], [1.0, 0.043], [1.3, 0.044], [1.65, 0.036], [1.93, 0.031], [2.05, 0.020]]
)
FOOT = np.array([[-0.047, 0.013, 0.020, 0.020], [-0.036, 0.025, 0.030, 0.030], [0.015, 0.027, 0.034, 0.034], [0.070, 0.033, 0.021, 0.020], [0.105, 0.027, 0.014, 0.014], [0.121, 0.010, 0.008, 0.009]])  # fmt: skip
SKIRT_RINGS = 7


class Figure:
    """The body of one dressed person. Points are made per frame, everything else once per level of detail."""

    def __init__(self, worn: Dress, seed: int) -> None:
        self.worn, self.seed = worn, seed
        self._fixed: dict[int, tuple[Any, Floats, Floats, tuple[Any, ...]]] = {}
        w = worn
        self.skirt = {"dress": 0.93, "skirt": 0.66, "lungi": 0.88}.get(w.bottom, 0.0)  # how far down the legs, 0..1
        if w.top == "kurta" and not self.skirt:
            self.skirt = 0.52
        bulk = {"jacket": 0.011, "hoodie": 0.010, "kurta": 0.007, "shirt": 0.005, "vest": 0.008, "tshirt": 0.003}[w.top]
        wide, deep = w.build**0.8, w.build**1.2
        self.torso = TORSO.copy()
        self.torso[:, 1] *= wide
        self.torso[:, 2:] *= deep
        self.torso[1:9, 1:] += bulk
        if w.build > 1.08:  # a belly
            self.torso[2:6, 2] += (w.build - 1.08) * 0.12
        self.head = HEAD.copy()
        if w.head in ("short", "long", "scarf", "cap", "topi", "helmet"):
            thick = {"short": 0.004, "long": 0.008, "scarf": 0.009, "cap": 0.006, "topi": 0.005, "helmet": 0.016}[w.head]
            self.head[3:, 3] += thick
            self.head[5:8, 1:3] += thick
            if w.head in ("long", "scarf", "helmet"):
                self.head[1:5, 1] += thick * 0.8
                self.head[0:4, 3] += thick * 1.5
        self.arm = ARM.copy()
        self.arm[:, 1] *= 0.55 + 0.45 * w.build
        self.arm[1:6, 1] += bulk * 0.7
        if w.top in ("jacket", "hoodie", "kurta", "shirt"):
            self.arm[6:8, 1] += 0.006 + bulk * 0.4
        self.leg = LEG.copy()
        self.leg[:, 1] *= 0.5 + 0.5 * w.build
        if self.skirt:  # one ring of the leg hides just above the hem
            nearest = int(np.abs(self.leg[:, 0] - (self.skirt * 2 - 0.05)).argmin())
            self.leg[nearest, 0] = self.skirt * 2 - 0.05
        if w.bottom in ("trousers", "jeans"):
            self.leg[3:8, 1] += np.array([0.004, 0.007, 0.006, 0.011, 0.013])
        elif w.bottom == "shorts":
            self.leg[2:4, 1] += 0.012

    # -- what stays the same ----------------------------------------------

    def fixed(self, sectors: int) -> tuple[Any, Floats, Floats, tuple[Any, ...]]:
        """-> faces (f, 4), albedo (f, 3), shade (f,), hulls."""
        if sectors in self._fixed:
            return self._fixed[sectors]
        w = self.worn
        rng = np.random.default_rng([self.seed, sectors])
        skin, hair, top, bottom, shoes = (colour(c) for c in (w.skin, w.hair, w.top_colour, w.bottom_colour, w.shoes))
        lower = top if w.top == "kurta" and w.bottom not in ("dress", "skirt", "lungi") else bottom
        angle = (np.arange(sectors) + 1.0) * 2 * np.pi / sectors  # the middle of each face; pi / 2 is the front
        front, side = np.sin(angle), np.cos(angle)
        faces, albedo, shade, hulls = [], [], [], []
        base = 0

        def part(
            rings: int,
            paints: Floats,
            light: Floats,
            cuts: tuple[tuple[int, int], ...] = (),
            down: bool = False,
            shown: tuple[int, int] = (0, 99),
        ) -> None:
            nonlocal base
            rows = ring_faces(rings, sectors) + base
            keep = slice(shown[0] * sectors, shown[1] * sectors)  # what lies under other cloth is left out
            faces.append((rows[:, ::-1] if down else rows)[keep])  # rings that follow one another downwards turn the other way round
            albedo.append(paints.reshape(-1, 3)[keep])
            shade.append(light.reshape(-1)[keep])
            for a, b in cuts or ((0, rings),):
                hulls.append(np.arange(base + a * sectors, base + b * sectors))
            base += rings * sectors

        def cloth(rings: int, paint: Floats, depth: float = 0.10) -> Floats:
            """(rings - 1, sectors, 3) with folds."""
            rough = rng.normal(0, 1, (rings + 1, sectors))
            rough = (rough + np.roll(rough, 1, 1) * 0.5 + np.roll(rough, 1, 0) * 0.6)[: rings - 1] / 1.3
            return np.clip(paint[None, None] * (1 + depth * rough[..., None]), 0, 1)

        # Torso: belt, shirt, collar, neck.
        n = len(self.torso)
        paint = cloth(n, top)
        level = np.arange(n - 1)
        if w.top in ("tshirt", "hoodie", "jacket", "shirt", "vest"):
            paint[:2] = cloth(n, lower)[:2]
            if w.top == "shirt":
                paint[1] = paint[1] * 0.55
        if w.stripe == 1 and w.top in ("tshirt", "shirt", "hoodie"):
            paint[level % 2 == 0] = np.clip(paint[level % 2 == 0] * 0.45 + 0.03, 0, 1)
        elif w.stripe == 2 and w.top in ("shirt", "kurta"):
            paint[:, ::3] *= 0.65
            paint[level % 2 == 1] *= 0.8
        elif w.stripe == 3 and w.top in ("tshirt", "hoodie", "jacket"):
            paint[5:7, front > 0.75] = np.clip(1.2 * (0.75 - paint[5:7, front > 0.75]), 0.02, 0.9)
        if w.top == "vest":
            paint[4] = colour("#e8e8e0")
        if w.top in ("jacket", "shirt"):
            paint[2:8, front > 0.93] *= 0.72  # the row of buttons
        if w.top == "jacket":
            paint[8, front > 0.4] = colour("#d9d6cf") * 0.8
        if w.head == "scarf":
            paint[9:] = cloth(n, self._scarf())[9:]
        else:
            paint[9:] = skin * 0.92
        light = np.tile(np.linspace(0.78, 1.0, n - 1)[:, None], (1, sectors)) - 0.22 * np.abs(side) ** 4
        light[9:] = 0.62
        part(n, paint, light, shown=(2 if self.skirt else 0, 99))

        # Head: face, eyes, hair.
        n = len(self.head)
        paint = np.tile(skin, (n - 1, sectors, 1))
        paint *= 1 + rng.normal(0, 0.03, (n - 1, sectors, 1))
        eyes = (np.abs(side) > 0.25) & (np.abs(side) < 0.8) & (front > 0.4)
        paint[3, eyes] *= 0.45
        paint[4, eyes] *= 0.75
        paint[1, (front > 0.8)] *= np.array([0.75, 0.72, 0.9])
        if w.beard:
            paint[0:2, front > -0.2] = hair * 1.2
            paint[2, (front > -0.1) & (front < 0.75)] = hair * 1.2
        covered = {"bald": [0, 9], "scarf": [0, 5], "helmet": [0, 5]}.get(w.head, [2, 5])
        material = {"scarf": self._scarf(), "topi": colour("#eceae2"), "cap": colour(str(rng.choice(["#20242c", "#8d2b2b", "#2f4a6d", "#d8d5cc"]))), "helmet": colour("#b3262b")}.get(w.head, hair)  # fmt: skip
        if w.head != "bald":
            under = hair if w.head in ("cap", "topi") else material
            for ring in range(n - 1):
                if ring >= covered[1]:
                    where = np.ones(sectors, bool)
                elif ring >= covered[0]:
                    where = front < (0.30 if ring < 4 else 0.55) - (0.25 if w.head in ("short", "cap", "topi") and ring < 3 else 0.0)
                else:
                    where = np.zeros(sectors, bool)
                paint[ring, where] = (material if ring >= 5 or w.head in ("scarf", "helmet", "long") else under) * (
                    1 + rng.normal(0, 0.08, (where.sum(), 1))
                )
        if w.head == "cap":
            paint[5, front > 0.3] = material * 0.5
        light = np.tile(np.array([0.5, 0.75, 0.9, 0.92, 0.97, 1, 1, 1])[:, None], (1, sectors))
        part(n, np.clip(paint, 0, 1), light)

        # Arms: sleeve, skin, hand.
        sleeve = {"tshirt": 4, "vest": 4}.get(w.top, 7)
        for s in (-1.0, 1.0):
            n = len(self.arm)
            paint = cloth(n, top, 0.08)
            paint[sleeve:] = skin * (1 + rng.normal(0, 0.04, (n - 1 - sleeve, sectors, 1)))
            if sleeve == 7:
                paint[6] *= 0.85
            light = np.tile(np.full(n - 1, 0.95)[:, None], (1, sectors)) - 0.38 * np.clip(-s * side, 0, 1)
            part(n, np.clip(paint, 0, 1), light, ((0, 6), (5, n)), down=True)
        # Legs.
        for s in (-1.0, 1.0):
            n = len(self.leg)
            paint = cloth(n, bottom)
            if w.bottom in ("shorts", "skirt"):
                paint[4 if w.bottom == "shorts" else 5 :] = skin
            if w.bottom == "jeans":
                paint[2:4, front > 0.5] = np.clip(paint[2:4, front > 0.5] * 1.12, 0, 1)
            light = np.tile(np.linspace(0.85, 0.72, n - 1)[:, None], (1, sectors)) - 0.34 * np.clip(-s * side, 0, 1)
            hidden = int(np.sum(self.leg[:, 0] < self.skirt * 2 - 0.06)) if self.skirt else 0
            part(n, paint, light, ((0, 5), (4, n)), down=True, shown=(hidden, 99))
        for _ in range(2):
            n = len(FOOT)
            paint = np.tile(shoes, (n - 1, sectors, 1))
            paint[:, front < -0.5] = 0.02 if shoes.mean() > 0.3 else 0.3 * shoes
            part(n, paint, np.full((n - 1, sectors), 0.65))
        if self.skirt:
            paint = cloth(SKIRT_RINGS, lower, 0.16)
            if w.bottom == "lungi":
                paint[:, ::3] *= 0.7
            light = np.tile(np.linspace(0.95, 0.75, SKIRT_RINGS - 1)[:, None], (1, sectors))
            part(SKIRT_RINGS, paint, light, down=True)
        made = (np.concatenate(faces), np.concatenate(albedo), np.clip(np.concatenate(shade), 0.2, 1), tuple(hulls))
        self._fixed[sectors] = made
        return made

    def _scarf(self) -> Floats:
        if self.worn.bottom == "dress" and self.seed % 3:
            return colour(self.worn.bottom_colour)
        return colour(["#2a2c33", "#6d3b52", "#33566b", "#a58d6f", "#e0dbd0"][self.seed % 5])

    # -- what moves -------------------------------------------------------

    def points(self, body: Skeleton, i: int, sectors: int) -> Floats:
        """(v, 3) metres of moment `i` of `body`."""
        h = self.worn.height
        joints, pelvis, chest, head = body.joints[i], body.pelvis[i], body.chest[i], body.head[i]
        turn = circle(sectors)
        centres, sides, fronts, backs = [], [], [], []

        # Torso: along pelvis - waist - neck, its axes turning from the pelvis to the chest.
        t = self.torso[:, 0] * h
        spine = np.array([-0.2, 0.0, 0.15, 0.295, 0.6]) * h
        knots = np.stack([
            joints[J["pelvis"]] - pelvis[:, 2] * 0.2 * h, joints[J["pelvis"]], joints[J["waist"]], joints[J["neck"]],
            joints[J["neck"]] + (joints[J["head"]] - joints[J["neck"]]) * (0.305 / 0.052),
        ])  # fmt: skip
        centres.append(np.stack([np.interp(t, spine, knots[:, k]) for k in range(3)], -1))
        u = np.clip(self.torso[:, 0:1] / 0.24, 0, 1)
        side = (1 - u) * pelvis[:, 0] + u * chest[:, 0]
        ahead = (1 - u) * pelvis[:, 1] + u * chest[:, 1]
        sides.append(side * self.torso[:, 1:2] * h)
        fronts.append(ahead * self.torso[:, 2:3] * h)
        backs.append(ahead * self.torso[:, 3:4] * h)

        centres.append(joints[J["head"]] + head[:, 2] * (self.head[:, 0:1] * h))
        sides.append(head[:, 0] * self.head[:, 1:2] * h)
        fronts.append(head[:, 1] * self.head[:, 2:3] * h)
        backs.append(head[:, 1] * self.head[:, 3:4] * h)

        for s in ("l", "r"):
            shoulder = joints[J[f"{s}_shoulder"]]
            collar = shoulder + (joints[J["neck"]] - shoulder) * 0.62 - chest[:, 2] * 0.012 * h
            bones = np.stack(
                [collar, shoulder - chest[:, 2] * 0.012 * h, joints[J[f"{s}_elbow"]], joints[J[f"{s}_wrist"]], joints[J[f"{s}_hand"]]]
            )
            self._limb(bones, self.arm, chest[:, 1], h, centres, sides, fronts, backs, flat_from=9)
        for s in ("l", "r"):
            bones = joints[[J[f"{s}_hip"], J[f"{s}_knee"], J[f"{s}_ankle"]]]
            bones = np.concatenate([bones, bones[2:] + (bones[2:] - bones[1:2])])
            self._limb(bones, self.leg, pelvis[:, 1], h, centres, sides, fronts, backs)
        for k, s in enumerate(("l", "r")):
            axes = body.feet[i, k]
            lift = np.array([0.020, 0.030, 0.034, 0.020, 0.014, 0.009])[:, None] - 0.039
            centres.append(joints[J[f"{s}_ankle"]] + (axes[:, 1] * FOOT[:, 0:1] + axes[:, 2] * lift) * h)
            sides.append(-axes[:, 0] * FOOT[:, 1:2] * h)
            fronts.append(axes[:, 2] * FOOT[:, 2:3] * h)
            backs.append(axes[:, 2] * FOOT[:, 3:4] * h)
        if self.skirt:
            self._hang(joints, pelvis, h, centres, sides, fronts, backs)

        c, a, f, b = (np.concatenate(x) for x in (centres, sides, fronts, backs))
        depth = np.where(turn[None, :, 1:] > 0, f[:, None], b[:, None])
        points: Floats = c[:, None] + turn[None, :, :1] * a[:, None] + turn[None, :, 1:] * depth
        return points.reshape(-1, 3)

    @staticmethod
    def _limb(
        bones: Floats, rings: Floats, ahead: Floats, h: float, centres: list[Floats], sides: list[Floats], fronts: list[Floats], backs: list[Floats],
        flat_from: int = 99,
    ) -> None:  # fmt: skip
        t = rings[:, 0]
        lower = np.clip(np.floor(t), 0, len(bones) - 2).astype(int)
        ways = np.diff(bones, axis=0)
        centre = bones[lower] + ways[lower] * (t - lower)[:, None]
        ways = ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)
        # At a joint the ring looks along the bisector, near it partly.
        mix = np.clip(0.5 + 0.5 * (t - np.round(t)) / 0.25, 0, 1)[:, None]
        before, after = np.clip(np.round(t) - 1, 0, len(ways) - 1).astype(int), np.clip(np.round(t), 0, len(ways) - 1).astype(int)
        along = ways[before] * (1 - mix) + ways[after] * mix
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        side = np.cross(ahead, along)
        norm = np.linalg.norm(side, axis=1, keepdims=True)
        if norm.min() < 0.25:  # the limb points straight ahead: use another reference
            other = np.cross(along[0], np.array([0.3, 0.2, 1.0]))
            fallback = np.cross(other, along)
            side = np.where(norm < 0.25, fallback, side)
            norm = np.linalg.norm(side, axis=1, keepdims=True)
        side = side / np.maximum(norm, 1e-9)
        front = np.cross(along, side)
        radius = rings[:, 1:2] * h
        thin = np.where(np.arange(len(t)) >= flat_from, 0.6, 1.0)[:, None]
        centres.append(centre)
        sides.append(-side * radius * thin)
        fronts.append(front * radius)
        backs.append(front * radius)

    def _hang(
        self,
        joints: Floats,
        pelvis: Floats,
        h: float,
        centres: list[Floats],
        sides: list[Floats],
        fronts: list[Floats],
        backs: list[Floats],
    ) -> None:
        """A skirt or the long part of a kurta: round both legs, from the hips down."""
        down = np.linspace(-0.12, self.skirt * 2, SKIRT_RINGS)
        legs = []
        for s in ("l", "r"):
            bones = joints[[J[f"{s}_hip"], J[f"{s}_knee"], J[f"{s}_ankle"]]]
            k = np.clip(np.floor(down), 0, 1).astype(int)
            legs.append(bones[k] + (bones[k + 1] - bones[k]) * (down - k)[:, None])
        left, right = legs
        centre = (left + right) / 2
        half = (right - left) / 2
        narrow = self.worn.bottom in ("lungi",)
        room = np.linspace(0.058, 0.060 if narrow else 0.075, SKIRT_RINGS)[:, None] * h * (0.5 + 0.5 * self.worn.build)
        along = np.gradient(centre, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        side = pelvis[:, 0] - along * (along @ pelvis[:, 0])[:, None]
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
        front = np.cross(side, along) * -1.0
        wide = np.abs((half * side).sum(1, keepdims=True)) + room
        deep = np.abs((half * front).sum(1, keepdims=True)) + room * 0.95
        if np.dot(front[0], pelvis[:, 1]) < 0:
            front = -front
        centres.append(centre)
        sides.append(side * wide)
        fronts.append(front * deep)
        backs.append(front * deep * 1.1)

    def mesh(self, body: Skeleton, i: int, sectors: int) -> Mesh:
        faces, albedo, shade, hulls = self.fixed(sectors)
        return Mesh(self.points(body, i, sectors), faces, albedo, shade, hulls)
