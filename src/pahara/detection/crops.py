"""One person cut out of the picture as a square, and the way back, exact to the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image


@dataclass(frozen=True)
class Square:
    """A square of the picture, in whole pixels; it may reach beyond the picture's edges."""

    left: int
    top: int
    side: int

    @classmethod
    def around(cls, box: NDArray[np.floating], margin: float) -> Square:
        """With the middle of `box` (4,) in its middle, `margin` times as large as its longer side."""
        x1, y1, x2, y2 = (float(value) for value in box)
        side = max(int(np.ceil(margin * max(x2 - x1, y2 - y1, 1.0))), 2)
        return cls(round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2), side)

    def cut(self, image: Image, size: int, pad: int = 0) -> Image:
        """-> (size, size, 3): its pixels, `pad` where there is no picture."""
        tall, wide = image.shape[:2]
        x1, y1 = min(max(self.left, 0), wide), min(max(self.top, 0), tall)
        x2, y2 = min(max(self.left + self.side, x1), wide), min(max(self.top + self.side, y1), tall)
        inside = image[y1:y2, x1:x2]
        if inside.shape[:2] != (self.side, self.side):
            whole = np.full((self.side, self.side, 3), pad, np.uint8)
            whole[y1 - self.top : y2 - self.top, x1 - self.left : x2 - self.left] = inside
            inside = whole
        smaller = self.side > size
        made: Image = cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        return made

    def to_picture(self, points: NDArray[np.floating], size: int) -> NDArray[Any]:
        """(…, 2) pixels of the cut-out -> (…, 2) pixels of the picture, both from the top left edge."""
        placed: NDArray[Any] = points * (self.side / size) + np.array([self.left, self.top])
        return placed

    def to_input(self, points: NDArray[np.floating], size: int) -> NDArray[Any]:
        """The other way."""
        placed: NDArray[Any] = (points - np.array([self.left, self.top])) * (size / self.side)
        return placed
