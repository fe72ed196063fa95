"""Sun, sky and lamps: what falls on a surface, and how it changes with time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .script import Script

Floats = NDArray[np.floating[Any]]

# sky above, light thrown back from below, sun: linear BGR
KINDS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]] = {
    "day": ((0.62, 0.52, 0.45), (0.20, 0.21, 0.22), (1.45, 1.55, 1.62)),
    "overcast": ((0.98, 0.96, 0.93), (0.34, 0.34, 0.34), (0.10, 0.10, 0.10)),
    "dusk": ((0.25, 0.19, 0.16), (0.08, 0.07, 0.07), (0.10, 0.20, 0.34)),
    "night_ir": ((0.012, 0.012, 0.012), (0.006, 0.006, 0.006), (0.0, 0.0, 0.0)),
    "night_lamp": ((0.030, 0.024, 0.020), (0.012, 0.010, 0.009), (0.0, 0.0, 0.0)),
    "indoor": ((0.30, 0.31, 0.31), (0.17, 0.18, 0.19), (0.85, 0.90, 0.95)),
}
IR_LAMP = "ir"


@dataclass(frozen=True, eq=False)
class Source:
    """One lamp: where, and what it throws at one metre, linear BGR."""

    name: str
    at: Floats
    power: Floats


class Lighting:
    """The light of a script. `levels(t)` says how much of sky, sun and each lamp there is at a time."""

    def __init__(self, script: Script) -> None:
        light = script.light
        self.kind = light.kind
        self.ir = light.kind == "night_ir"
        self.sky, self.below, self.sun = (np.array(c) for c in KINDS[light.kind])
        turn, high = np.radians(light.sun)
        yaw = np.radians(script.camera.yaw)
        self.sun_way = np.array([np.sin(turn + yaw) * np.cos(high), np.cos(turn + yaw) * np.cos(high), np.sin(high)])  # towards the sun
        self.indoor = light.kind == "indoor"
        self.lamps: list[Source] = []
        for lamp in light.lamps:
            white, orange = np.array([1.0, 1.0, 0.97]), np.array([0.25, 0.62, 1.05])
            tint = white * (1 - lamp.warm) + orange * lamp.warm
            if self.ir:
                tint = np.full(3, tint.mean())
            self.lamps.append(Source(lamp.name, np.array(lamp.at), tint * lamp.power * 6.0))
        if self.ir:
            self.lamps.append(Source(IR_LAMP, script.view.position, np.full(3, 30.0)))
        self._script = script
        self._axis = script.view.axes[2]

    def levels(self, time: float) -> dict[str, float]:
        """Shares of sky, sun and lamps, rounded so that a steady light stays exactly the same."""
        light = self._script.light
        sun = 1.0
        lamps = {lamp.name: float(lamp.on) for lamp in light.lamps}
        if self.ir:
            lamps[IR_LAMP] = 1.0
        for change in sorted(light.changes, key=lambda c: c.at):
            u = np.clip((time - change.at) / max(change.seconds, 1e-3), 0, 1)
            u = float(u * u * (3 - 2 * u))
            named = [change.lamp] if change.lamp else list(lamps)
            if change.kind == "cloud":
                sun += (change.amount - sun) * u
            elif change.kind == "lamp":
                for name in named:
                    lamps[name] += (change.amount - lamps[name]) * u
            elif change.at <= time < change.at + change.seconds:
                beat = np.random.default_rng([self._script.seed, int(time * 9), 5]).random()
                for name in named:
                    lamps[name] *= change.amount if beat < 0.45 else 1.0
        sky = 0.55 + 0.45 * sun if self.kind in ("day", "dusk", "overcast") else 1.0
        told = {"sky": sky, "sun": sun, **lamps}
        return {name: round(value * 100) / 100 for name, value in told.items()}

    def lamp(self, source: Source, points: Floats, normals: Floats | None) -> Floats:
        """(..., 3) places (and normals) -> (...,) share of the lamp's power that arrives there."""
        way = source.at - points
        far2 = (way**2).sum(-1)
        if source.name == IR_LAMP:  # a beam along the camera's axis; real ones fall off less than they should, for the sensor adapts
            far = np.sqrt(far2)
            beam = np.clip((-(way @ self._axis) / np.maximum(far, 1e-6) - 0.35) / 0.65, 0, 1)
            falloff = beam**1.3 / (far2 + 6.0) ** 0.8
        else:
            falloff = 1.0 / (far2 + 0.8)
        if normals is None:
            result: Floats = falloff
            return result
        cos = (normals * way).sum(-1) / np.sqrt(far2 + 1e-9)
        lit: Floats = falloff * np.clip((cos + 0.12) / 1.12, 0, 1)
        return lit

    def on(self, points: Floats, normals: Floats, albedo: Floats, shade: Floats, levels: dict[str, float], sunlit: float) -> Floats:
        """(f, 3) places, normals, albedo, (f,) openness and the share of sun at the place -> (f, 3) linear BGR that the faces send back."""
        up = (normals[:, 2:] * 0.5 + 0.5) * levels["sky"]
        light = (self.sky * up + self.below * (levels["sky"] - up)) * shade[:, None]
        if sunlit > 0 and levels["sun"] > 0:
            cos = np.clip((normals @ self.sun_way + 0.10) / 1.10, 0, 1) * (0.35 + 0.65 * shade)
            light = light + cos[:, None] * (self.sun * (levels["sun"] * sunlit))
        for source in self.lamps:
            level = levels.get(source.name, 1.0)
            if level > 0:
                share = self.lamp(source, points, normals) * (0.4 + 0.6 * shade) * level
                light = light + share[:, None] * source.power
        result: Floats = self.paint(albedo) * light
        return result

    def paint(self, albedo: Floats) -> Floats:
        """What colours are under this light: infrared sees grey, and cloth brighter than it looks by day."""
        if not self.ir:
            return albedo
        grey = albedo.mean(-1, keepdims=True)
        result: Floats = np.repeat(0.10 + 0.75 * grey**0.8, 3, -1)
        return result
