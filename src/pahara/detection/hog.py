"""Upright people by the shape of their edges, with nothing to download (Dalal and Triggs, CVPR 2005; OpenCV's own weights).

Slow, and blind to people who sit, lie or are small; the motion detector finds more on a camera that stands still. HOG
is for the others: a camera that moves, a single picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from pahara.core import Detections, Image, ModelError
from pahara.core.boxes import nms

NAMES = ("person",)
WINDOW = (64, 128)  # pixels, width and height
FILLED = (0.48, 0.70)  # share of a window's width and height that the body takes, measured on PETS
SURE = 1.0  # distance from the separating plane at which confidence is 0.73


def available() -> bool:
    """Whether this OpenCV has HOG: the main wheel of OpenCV 5 does not, its contrib wheel and every OpenCV 4 do."""
    return hasattr(cv2, "HOGDescriptor")


@dataclass
class HogDetector:
    """A plain detector without memory.

    smallest: share of the picture's height of the smallest person looked for: the picture is enlarged or shrunk until
    such a person fills the 128 pixel window. step: pixels between windows. factor: between two sizes looked for.
    ModelError when this OpenCV has no HOG.
    """

    smallest: float = 0.12  # share of the picture's height of the smallest person looked for
    confidence: float = 0.1
    step: int = 8
    factor: float = 1.08
    max_iou: float = 0.45
    names: tuple[str, ...] = field(default=NAMES, init=False)

    def __post_init__(self) -> None:
        if not available():
            raise ModelError("this OpenCV has no HOG detector; try: pip install opencv-contrib-python-headless")
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())  # type: ignore[attr-defined]  # OpenCV 5 has no stub of it

    def __call__(self, images: Sequence[Image], /) -> list[Detections]:
        return [self._look(image) for image in images]

    def describe(self) -> dict[str, object]:
        """For `models show`."""
        return {
            "layout": "hog",
            "about": "histograms of oriented gradients, OpenCV's people weights: no download",
            "names": list(NAMES),
            "batch": 1,
        }

    def _look(self, image: Image) -> Detections:
        tall, wide = image.shape[:2]
        scale = min(WINDOW[1] * FILLED[1] / (self.smallest * tall), 2.0)
        size = (max(round(wide * scale), WINDOW[0]), max(round(tall * scale), WINDOW[1]))
        resized = (
            image if size == (wide, tall) else cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        )
        grey = cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY)
        windows, weights = self._hog.detectMultiScale(
            grey, hitThreshold=-0.2, winStride=(self.step, self.step), padding=(16, 16), scale=self.factor, groupThreshold=0
        )
        if not len(windows):
            return Detections.none(NAMES)
        x, y, w, h = np.asarray(windows, np.float32).T
        middle, half = np.stack([x + w / 2, y + h / 2]), np.stack([w * FILLED[0] / 2, h * FILLED[1] / 2])
        boxes = np.concatenate([middle - half, middle + half]).T * np.array([wide / size[0], tall / size[1]] * 2, np.float32)
        scores = 1 / (1 + np.exp(-2.0 * (np.asarray(weights, np.float32).ravel() - SURE / 2)))
        rows = np.flatnonzero(scores >= self.confidence)
        rows = rows[nms(boxes[rows], scores[rows], self.max_iou)]
        np.clip(boxes, 0, [wide, tall, wide, tall], out=boxes)
        return Detections.of(boxes[rows], scores[rows], np.zeros(len(rows)), NAMES)
