"""Places drawn on the camera's picture, in fractions of its width and height."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .boxes import Floats

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
        return start[:, 0], start[:, 1], end[:, 1], slope

    def contains(self, points: Floats, size: tuple[int, int]) -> NDArray[np.bool_]:
        """(n, 2) pixels in a picture of `size` (width, height) -> (n,) True where inside (even-odd rule).

        A foot point below the last row (a box cut off by the frame) counts as on the border.
        """
        x1, y1, y2, slope = self._edges
        x = np.clip(points[..., 0] / size[0], 0.0, 1 - 1e-9)[:, None]
        y = np.clip(points[..., 1] / size[1], 0.0, 1 - 1e-9)[:, None]
        crosses = (y1 > y) != (y2 > y)  # (n, edges)
        left = x < x1 + slope * (y - y1)
        inside: NDArray[np.bool_] = (np.count_nonzero(crosses & left, axis=1) % 2).astype(bool)
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
        start, end = self.pixels(size)
        along = end - start
        off = points - start
        result: Floats = (along[0] * off[..., 1] - along[1] * off[..., 0]) / np.hypot(*along)
        return result

    def along(self, points: Floats, size: tuple[int, int]) -> Floats:
        """(n, 2) pixels -> (n,) place of each point's projection: 0 at `start`, 1 at `end`."""
        start, end = self.pixels(size)
        line = end - start
        result: Floats = ((points - start) @ line) / float(line @ line)
        return result

    def pixels(self, size: tuple[int, int]) -> Floats:
        """-> (2, 2) pixels: start and end, for drawing."""
        return np.array([self.start, self.end], np.float64) * np.array(size, np.float64)
