"""One picture with its boxes: what detection learns from, and what augmentation changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image

Boxes = NDArray[np.float32]
PAD = 114  # pixel value around a picture that does not fill its place, as YOLOX has it


class Sample(NamedTuple):
    """A picture and its n boxes."""

    image: Image  # (h, w, 3) uint8, BGR
    boxes: Boxes  # (n, 4) float32 pixels, x1 y1 x2 y2, inside the picture
    labels: NDArray[np.int64]  # (n,)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.image.shape[1], self.image.shape[0]


def sample_of(image: Image, boxes: Any = (), labels: Any = ()) -> Sample:
    """From anything numpy understands."""
    return Sample(image, np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray(labels, np.int64).reshape(-1))


def resized(image: Image, size: tuple[int, int]) -> Image:
    """(h, w, 3) -> size (width, height): area averages when it shrinks, bilinear when it grows."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    shrinks = size[0] < image.shape[1] and size[1] < image.shape[0]
    result: Image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return result


def letterboxed(sample: Sample, size: tuple[int, int]) -> Sample:
    """The picture at the top left of `size` (width, height), its shape kept, the rest grey: as YOLOX sees it when watching."""
    from pahara.detection.letterbox import Fit, Preparation

    if sample.size == size:
        return sample
    fit = Fit.of(sample.size, size, Preparation())
    canvas: Image = np.full((size[1], size[0], 3), PAD, np.uint8)
    canvas[: fit.inner[1], : fit.inner[0]] = resized(sample.image, fit.inner)
    return Sample(canvas, fit.to_input(sample.boxes).astype(np.float32), sample.labels)


def kept(
    boxes: Boxes, labels: NDArray[np.int64], frame: tuple[float, float, float, float], *, visible: float, smallest: float
) -> tuple[Boxes, NDArray[np.int64]]:
    """Boxes cut to `frame` (x1, y1, x2, y2); those of which less than the share `visible` remains, or that are smaller than
    `smallest` pixels on a side, are left out."""
    low, high = np.array(frame[:2] * 2, np.float32), np.array(frame[2:] * 2, np.float32)
    cut = boxes.clip(low, high)
    sides, whole = cut[:, 2:] - cut[:, :2], boxes[:, 2:] - boxes[:, :2]
    share = sides.prod(axis=1) / np.maximum(whole.prod(axis=1), 1e-6)
    stay = (share >= visible) & (sides >= smallest).all(axis=1)
    return cut[stay], labels[stay]
