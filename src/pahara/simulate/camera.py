"""A described camera: where a point of the world falls in the picture, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
NEAR = 0.05  # metres: nothing nearer to the lens is drawn
LIMIT = 0.98  # of the radius where a barrel lens would fold back


@dataclass(frozen=True)
class View:
    """A pinhole camera with one radial distortion term (Brown's model, k1 only).

    The world has x to the right, y forward on the ground and z up, in metres. `tilt` is degrees below the
    horizon, `yaw` degrees to the right of y, `roll` degrees by which the camera's right side hangs down.
    `fov` is what the picture really shows from side to side in degrees, distortion included.
    """

    size: tuple[int, int]  # width, height in pixels
    height: float = 3.0  # metres above the ground
    tilt: float = 25.0
    fov: float = 75.0
    k1: float = 0.0  # negative is a barrel, as wide lenses have
    roll: float = 0.0
    yaw: float = 0.0
    at: tuple[float, float] = (0.0, 0.0)  # metres on the ground

    def __post_init__(self) -> None:
        if not 10 <= self.fov <= 150:
            raise ValueError(f"the field of view is 10 to 150 degrees, not {self.fov:g}")
        edge = np.tan(np.radians(self.fov) / 2)
        corner = np.hypot(*self.size) / 2
        if self.k1 < 0 and (edge > LIMIT * self._fold or corner / self.focal > self._bend(np.array([LIMIT * self._fold]))[0]):
            raise ValueError(f"a lens with k1 {self.k1:g} cannot show {self.fov:g} degrees: bring k1 nearer to 0 or the field of view down")

    @property
    def _fold(self) -> float:
        """The radius (tangent of the angle) where a barrel lens would begin to fold back."""
        return float(np.sqrt(-1 / (3 * self.k1))) if self.k1 < 0 else np.inf

    @cached_property
    def focal(self) -> float:
        """Pixels."""
        edge = np.tan(np.radians(self.fov) / 2)
        return float(self.size[0] / 2 / self._bend(np.array([edge]))[0])

    @cached_property
    def position(self) -> Floats:
        """(3,) metres."""
        return np.array([*self.at, self.height], np.float64)

    @cached_property
    def axes(self) -> Floats:
        """(3, 3): rows are the picture's right, down and forward in the world."""
        tilt, yaw, roll = np.radians([self.tilt, self.yaw, self.roll])
        forward = np.array([np.sin(yaw) * np.cos(tilt), np.cos(yaw) * np.cos(tilt), -np.sin(tilt)])
        right = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
        down = np.cross(forward, right)
        return np.stack([np.cos(roll) * right + np.sin(roll) * down, np.cos(roll) * down - np.sin(roll) * right, forward])

    def _bend(self, radius: Floats) -> Floats:
        """Ideal radius -> radius behind the lens. Beyond the fold it goes on in a straight line, so nothing folds back."""
        inner = np.minimum(radius, LIMIT * self._fold)
        result: Floats = inner * (1 + self.k1 * inner**2) + (radius - inner) * 0.04
        return result

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """(..., 3) metres -> (..., 2) pixels and (...,) depth in metres along the line of sight.

        A point behind the camera has a depth <= 0 and no meaningful pixel.
        """
        local = (points - self.position) @ self.axes.T
        depth = local[..., 2]
        flat = local[..., :2] / np.maximum(depth, NEAR)[..., None]
        if self.k1:
            radius = np.sqrt((flat**2).sum(-1))
            scale = np.divide(self._bend(radius), radius, out=np.ones_like(radius), where=radius > 1e-9)
            flat = flat * scale[..., None]
        return flat * self.focal + np.array(self.size) / 2, depth

    def rays(self, pixels: Floats) -> Floats:
        """(..., 2) pixels -> (..., 3) unit directions in the world."""
        bent = (pixels - np.array(self.size) / 2) / self.focal
        if self.k1:
            target = np.sqrt((bent**2).sum(-1))
            radius = target.copy()
            for _ in range(12):  # Newton on r (1 + k1 r^2) = target; the lens is monotone inside the fold
                radius = np.clip(radius, 0, LIMIT * self._fold)
                radius = radius - (radius * (1 + self.k1 * radius**2) - target) / np.maximum(1 + 3 * self.k1 * radius**2, 0.02)
            scale = np.divide(radius, target, out=np.ones_like(target), where=target > 1e-9)
            bent = bent * scale[..., None]
        local = np.concatenate([bent, np.ones_like(bent[..., :1])], -1)
        world = local @ self.axes
        result: Floats = world / np.linalg.norm(world, axis=-1, keepdims=True)
        return result

    def ground(self, pixels: Floats, z: float = 0.0) -> Floats:
        """(..., 2) pixels -> (..., 2) metres where each line of sight meets the plane at height `z`; nan above the horizon."""
        rays = self.rays(np.asarray(pixels, np.float64))
        down = rays[..., 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(down < -1e-9, (z - self.height) / down, np.nan)
        result: Floats = self.position[:2] + rays[..., :2] * reach[..., None]
        return result
