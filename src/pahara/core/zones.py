"""Places drawn on the camera's picture, in fractions of its width and height."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import hypot

import numpy as np
from numpy.typing import NDArray

from .boxes import Floats

LAST = 1 - 1e-9  # a foot point on the picture's border belongs to the picture
Point = tuple[float, float]  # x, y as fractions of the picture, 0..1


@dataclass(frozen=True)
class Zone:
    """A polygon on the picture; the region of interest (ROI) of a behaviour."""

    name: str
    corners: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.corners) < 3:
            raise ValueError(f"zone {self.name!r} needs at least 3 corners, got {len(self.corners)}")
        if not all(-0.001 <= v <= 1.001 for corner in self.corners for v in corner):
            raise ValueError(
                f"zone {self.name!r}: corners are fractions of the picture from 0 to 1, got {self.corners}; "
                "divide pixels by the picture's width and height"
            )
        if abs(self._signed_area()) < 1e-6:
            raise ValueError(f"zone {self.name!r} has no area: its corners lie on one line")

    def _signed_area(self) -> float:
        x, y = np.array(self.corners).T
        return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2

    @cached_property
    def _edges(self) -> tuple[Floats, ...]:
        start = np.array(self.corners, np.float64)
        end = np.roll(start, -1, axis=0)
        rise = end[:, 1] - start[:, 1]
        slope = np.divide(end[:, 0] - start[:, 0], rise, out=np.zeros_like(rise), where=rise != 0)
        return start[:, :1], start[:, 1:], end[:, 1:], slope[:, None]

    def contains(self, points: Floats, size: tuple[int, int]) -> NDArray[np.bool_]:
        """(n, 2) pixels in a picture of `size` (width, height) -> (n,) True where inside (even-odd rule).

        A foot point below the last row (a box cut off by the frame) counts as on the border.
        """
        x1, y1, y2, slope = self._edges  # (edges, 1) each: the points run along the second axis
        x = points[..., 0] / np.float64(size[0])  # in float32, LAST would be 1
        y = points[..., 1] / np.float64(size[1])
        x, y = np.minimum(np.maximum(x, 0.0), LAST), np.minimum(np.maximum(y, 0.0), LAST)
        crosses = (y1 > y) != (y2 > y)  # (edges, n)
        crosses &= x < x1 + slope * (y - y1)
        inside: NDArray[np.bool_] = np.logical_xor.reduce(crosses, axis=0)
        return inside

    def pixels(self, size: tuple[int, int]) -> Floats:
        """-> (corners, 2) pixels, for drawing."""
        return np.array(self.corners, np.float64) * np.array(size, np.float64)


EVERYWHERE = Zone("everywhere", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


@dataclass(frozen=True)
class Tripwire:
    """A directed line on the picture.

    Walk from `start` to `end`: what goes from the left hand to the right hand crosses *forward*,
    from the right hand to the left hand *backward* (y grows downwards, as on the screen).
    """

    name: str
    start: Point
    end: Point

    def __post_init__(self) -> None:
        if not all(-0.001 <= v <= 1.001 for v in (*self.start, *self.end)):
            raise ValueError(f"line {self.name!r}: ends are fractions of the picture from 0 to 1, got {self.start}, {self.end}")
        if np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]) < 1e-3:
            raise ValueError(f"line {self.name!r}: its two ends are the same point {self.start}")

    def side(self, points: Floats, size: tuple[int, int]) -> Floats:
        """(n, 2) pixels -> (n,) signed distance from the endless line in pixels; positive on the right hand."""
        (x1, y1), (x2, y2) = self._ends(size)
        long = hypot(x2 - x1, y2 - y1)
        across, down = (y2 - y1) / long, (x2 - x1) / long
        result: Floats = points[..., 1] * down - points[..., 0] * across + (x1 * across - y1 * down)
        return result

    def along(self, points: Floats, size: tuple[int, int]) -> Floats:
        """(n, 2) pixels -> (n,) place of each point's projection: 0 at `start`, 1 at `end`."""
        (x1, y1), (x2, y2) = self._ends(size)
        squared = (x2 - x1) ** 2 + (y2 - y1) ** 2
        result: Floats = ((points[..., 0] - x1) * (x2 - x1) + (points[..., 1] - y1) * (y2 - y1)) / squared
        return result

    def _ends(self, size: tuple[int, int]) -> tuple[Point, Point]:
        """Start and end in pixels."""
        wide, tall = size
        return (self.start[0] * wide, self.start[1] * tall), (self.end[0] * wide, self.end[1] * tall)

    def pixels(self, size: tuple[int, int]) -> Floats:
        """-> (2, 2) pixels: start and end, for drawing."""
        return np.array([self.start, self.end], np.float64) * np.array(size, np.float64)
