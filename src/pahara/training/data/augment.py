"""Pictures made different in ways that do not change what they show; boxes stay exact to the pixel.

Every function takes its randomness as an argument, so that the same item of the same epoch is the same everywhere.
Geometry is flipping, scaling, shifting, mosaic and mixup only: a turned box is no longer a tight one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image

from .degrade import blurred, jpeg_noise, night, video_noise
from .sample import PAD, Boxes, Sample, kept

Rng = np.random.Generator


@dataclass(frozen=True)
class Augment:
    """How training pictures are varied. A probability of 0 leaves a step out; `Augment.none()` changes nothing."""

    flip: float = 0.5  # probability of left for right
    hue: float = 0.015  # largest shift, in turns of the colour circle
    saturation: float = 0.5  # largest relative change
    value: float = 0.4  # largest relative change of brightness
    scale: tuple[float, float] = (0.5, 1.5)  # of the picture within its frame
    translate: float = 0.1  # largest shift, in frames
    mosaic: float = 0.5  # probability of four pictures in one (Bochkovskiy et al. 2020)
    mixup: float = 0.0  # probability that another picture shines through (Zhang et al. 2018)
    blur: float = 0.05  # probability of defocus or motion blur
    jpeg: float = 0.1  # probability of a strongly compressed picture
    video: float = 0.05  # probability of the noise of an H.264 stream of few bits
    night: float = 0.05  # probability of a night picture: dark, noisy, often grey as under infrared light
    visible: float = 0.25  # share of a cut box that must remain, or it is left out
    smallest: float = 3.0  # pixels: thinner boxes are left out

    @classmethod
    def none(cls) -> Augment:
        """Nothing but fitting to the frame."""
        return cls(0, 0, 0, 0, (1, 1), 0, 0, 0, 0, 0, 0, 0)

    def __call__(self, sample: Sample, size: tuple[int, int], rng: Rng, another: Callable[[Rng], Sample]) -> Sample:
        """A sample of any size -> one of `size` (width, height). `another(rng)` gives more samples for mosaic and mixup."""
        made = self._framed(sample, size, rng, another)
        if self.mixup and rng.random() < self.mixup:
            made = mixed(made, self._framed(another(rng), size, rng, another))
        if self.flip and rng.random() < self.flip:
            made = flipped(made)
        return made._replace(image=self.pixels(made.image, rng))

    def _framed(self, sample: Sample, size: tuple[int, int], rng: Rng, another: Callable[[Rng], Sample]) -> Sample:
        if self.mosaic and rng.random() < self.mosaic:
            four = [sample, *(another(rng) for _ in range(3))]
            return mosaic(four, size, rng, scale=self.scale, visible=self.visible, smallest=self.smallest)
        zoom = float(rng.uniform(*self.scale))
        shift = rng.uniform(-self.translate, self.translate, 2)
        return placed(sample, size, zoom, (float(shift[0]), float(shift[1])), visible=self.visible, smallest=self.smallest)

    def pixels(self, image: Image, rng: Rng) -> Image:
        """The steps that leave every box where it is: colour, night, blur, compression."""
        if self.hue or self.saturation or self.value:
            image = recoloured(image, rng, self.hue, self.saturation, self.value)
        if self.night and rng.random() < self.night:
            image = night(image, rng)
        if self.blur and rng.random() < self.blur:
            image = blurred(image, rng)
        if self.jpeg and rng.random() < self.jpeg:
            image = jpeg_noise(image, int(rng.integers(15, 60)))
        if self.video and rng.random() < self.video:
            image = video_noise(image, int(rng.integers(30, 44)), rng)
        return image


def flipped(sample: Sample) -> Sample:
    """Left for right."""
    wide = sample.image.shape[1]
    boxes = sample.boxes.copy()
    boxes[:, 0], boxes[:, 2] = wide - sample.boxes[:, 2], wide - sample.boxes[:, 0]
    return Sample(cv2.flip(sample.image, 1), boxes, sample.labels)


def placed(
    sample: Sample,
    size: tuple[int, int],
    zoom: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    *,
    visible: float = 0.25,
    smallest: float = 3.0,
) -> Sample:
    """The picture in a frame of `size` (width, height): at zoom 1 it just fits, its middle `shift` frames from the frame's."""
    (wide, tall), (frame_wide, frame_tall) = sample.size, size
    scale = min(frame_wide / wide, frame_tall / tall) * zoom
    left = frame_wide * (0.5 + shift[0]) - wide * scale / 2
    top = frame_tall * (0.5 + shift[1]) - tall * scale / 2
    canvas: Image = np.full((frame_tall, frame_wide, 3), PAD, np.uint8)
    boxes, labels = _paste(canvas, sample, scale, left, top, (0, 0, frame_wide, frame_tall), visible, smallest)
    return Sample(canvas, boxes, labels)


def mosaic(
    four: list[Sample],
    size: tuple[int, int],
    rng: Rng,
    *,
    scale: tuple[float, float] = (0.5, 1.5),
    visible: float = 0.25,
    smallest: float = 3.0,
) -> Sample:
    """Four pictures around a random point of one frame; each shows a random part of itself where it is larger than its place."""
    wide, tall = size
    x, y = round(wide * rng.uniform(0.3, 0.7)), round(tall * rng.uniform(0.3, 0.7))
    canvas: Image = np.full((tall, wide, 3), PAD, np.uint8)
    boxes, labels = [], []
    for sample, (x1, y1, x2, y2) in zip(four, ((0, 0, x, y), (x, 0, wide, y), (0, y, x, tall), (x, y, wide, tall)), strict=True):
        zoom = min(wide / sample.size[0], tall / sample.size[1]) * float(rng.uniform(*scale))
        spare_x, spare_y = (x2 - x1) - sample.size[0] * zoom, (y2 - y1) - sample.size[1] * zoom
        # A larger picture slides under its window; a smaller one stands against the middle point.
        left = x1 + (spare_x * rng.random() if spare_x < 0 else spare_x * (x1 == 0))
        top = y1 + (spare_y * rng.random() if spare_y < 0 else spare_y * (y1 == 0))
        some, kinds = _paste(canvas, sample, zoom, left, top, (x1, y1, x2, y2), visible, smallest)
        boxes.append(some)
        labels.append(kinds)
    return Sample(canvas, np.concatenate(boxes), np.concatenate(labels))


def mixed(a: Sample, b: Sample, share: float = 0.5) -> Sample:
    """Two samples of one size laid over each other, with the boxes of both; `share` is how much of `a` is seen."""
    image: Image = cv2.addWeighted(a.image, share, b.image, 1 - share, 0)
    return Sample(image, np.concatenate([a.boxes, b.boxes]), np.concatenate([a.labels, b.labels]))


def recoloured(image: Image, rng: Rng, hue: float = 0.015, saturation: float = 0.5, value: float = 0.4) -> Image:
    """Another light: hue shifted, saturation and brightness multiplied, all at random within their limits."""
    turn = rng.uniform(-hue, hue) * 180
    gains = 1 + rng.uniform(-1, 1, 2) * (saturation, value)
    levels = np.arange(256, dtype=np.float64)
    tables = np.stack([(levels + turn) % 180, (levels * gains[0]).clip(0, 255), (levels * gains[1]).clip(0, 255)], axis=-1)
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2HSV), tables.astype(np.uint8)[None])
    result: Image = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return result


def _paste(
    canvas: Image, sample: Sample, scale: float, left: float, top: float, window: tuple[int, int, int, int], visible: float, smallest: float
) -> tuple[Boxes, NDArray[np.int64]]:
    """Draw the picture, `scale` times as large and its corner at (left, top), into the window of the canvas; -> its boxes there."""
    x1, y1, x2, y2 = window
    (wide, tall) = sample.size
    image, inner = sample.image, (scale, scale)
    if scale < 0.9:  # bilinear sampling alone would skip pixels: shrink by areas first, then place what remains exactly
        small = (max(round(wide * scale), 1), max(round(tall * scale), 1))
        image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        inner = (wide * scale / small[0], tall * scale / small[1])
    # warpAffine counts from the middle of pixel 0, boxes count from its edge.
    matrix = np.array([
        [inner[0], 0, left - x1 + (inner[0] - 1) / 2],
        [0, inner[1], top - y1 + (inner[1] - 1) / 2],
    ])  # fmt: skip
    view = canvas[y1:y2, x1:x2]
    view[:] = cv2.warpAffine(
        image, matrix, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(PAD, PAD, PAD)
    )
    moved = (sample.boxes * scale + np.array([left, top, left, top])).astype(np.float32)
    return kept(moved, sample.labels, (float(x1), float(y1), float(x2), float(y2)), visible=visible, smallest=smallest)
