"""What pixels tell of each box beyond its outline: how the picture moves in it, for the attribute "flow" of `pahara.normality`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]

DIRECTIONS = 8  # sectors of 45 degrees
STILL = 0.1  # pixels between two frames, below which a pixel stands still
LEAST = 0.02  # share of a box's pixels that a direction needs to count


class Flow:
    """How the picture moves within boxes, from one frame to the next (DIS optical flow, Kroeger et al. 2016).

    One instance per camera: it remembers the frame before.
    """

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._before: NDArray[np.uint8] | None = None
        self._time = 0.0
        self.field: NDArray[np.float32] | None = None  # (height, width, 2) pixels, of the last frame

    def see(self, image: Image, time: float) -> None:
        """The next frame, BGR or grey, at `time` (seconds)."""
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        grey = np.ascontiguousarray(grey)
        same = self._before is not None and self._before.shape == grey.shape and time > self._time
        self.field = self._dis.calc(self._before, grey, None) if same and self._before is not None else None
        self._seconds = max(time - self._time, 1e-3)
        self._before, self._time = grey, time

    def of(self, boxes: NDArray[np.floating]) -> Vectors:
        """(n, 4) pixels -> (n, 5): mean speed to the right, down, left and up, and the 90 % speed of what moves.

        Picture heights per second; NaN rows on the first frame. Each way is told by the fastest of its three sectors of 45
        degrees; a sector that few pixels take counts as 0.
        """
        told = np.full((len(boxes), 5), np.nan, np.float32)
        if self.field is None or not len(boxes):
            return told
        tall, wide = self.field.shape[:2]
        speed = np.hypot(self.field[..., 0], self.field[..., 1])
        sector = (np.floor((np.arctan2(self.field[..., 1], self.field[..., 0]) + np.pi / DIRECTIONS) / (2 * np.pi / DIRECTIONS))).astype(
            int
        )
        sector %= DIRECTIONS
        unit = tall * self._seconds
        for row, box in enumerate(np.asarray(boxes, np.float64)):
            x1, y1 = int(np.clip(box[0], 0, wide - 2)), int(np.clip(box[1], 0, tall - 2))
            x2, y2 = int(np.clip(np.ceil(box[2]), x1 + 2, wide)), int(np.clip(np.ceil(box[3]), y1 + 2, tall))
            part, where = speed[y1:y2, x1:x2].ravel(), sector[y1:y2, x1:x2].ravel()
            moving = part > STILL
            if not moving.any():
                told[row] = 0.0
                continue
            count = np.bincount(where[moving], minlength=DIRECTIONS)
            total = np.bincount(where[moving], part[moving], minlength=DIRECTIONS)
            mean = np.where(count >= LEAST * len(part), total / np.maximum(count, 1), 0.0)
            told[row, :4] = np.maximum(np.maximum(mean, np.roll(mean, 1)), np.roll(mean, -1))[::2] / unit
            told[row, 4] = np.percentile(part[moving], 90) / unit
        return told
