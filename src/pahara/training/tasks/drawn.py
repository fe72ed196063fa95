"""An answer drawn on its picture: a banner, boxes, or heat."""

from __future__ import annotations

import colorsys
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Detections, Image
from pahara.video.draw import FONT, INK, RED, WHITE, ascii_words

from .explain import overlay

SMALLEST = 256  # pixels: tiny pictures are enlarged, or nobody could read the words


def with_banner(image: Image, words: str, colour: tuple[int, int, int] = INK) -> Image:
    """(h, w, 3) BGR -> the picture with a line of words on top of it; tiny pictures are enlarged."""
    canvas = _large(image)
    return _banner(canvas, words, colour)


def with_detections(image: Image, found: Detections) -> Image:
    """Boxes with names and scores, a colour for each class."""
    canvas = image.copy()
    tall, wide = canvas.shape[:2]
    pen, letters = max(1, round(min(tall, wide) / 270)), max(0.4, min(tall, wide) / 1100)
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        x1, y1, x2, y2 = (int(v) for v in np.rint(box))
        colour = class_colour(int(label))
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, pen)
        words = f"{ascii_words(found.names[label]) or label} {score:.2f}"
        (w, h), below = cv2.getTextSize(words, FONT, letters, 1)
        top = max(y1, h + below + 2)
        cv2.rectangle(canvas, (x1, top - h - below - 2), (x1 + w + 2, top), colour, cv2.FILLED)
        cv2.putText(canvas, words, (x1 + 1, top - below), FONT, letters, INK if sum(colour) > 330 else WHITE, 1, cv2.LINE_AA)
    return canvas


def with_heat(image: Image, errors: NDArray[Any], words: str, limit: float, *, alarm: bool) -> Image:
    """Where the copy differs, warm from half the limit on, and the words; red where it is unusual."""
    top = limit if limit == limit and limit > 0 else float(errors.max()) or 1.0
    return _banner(overlay(_large(image), np.clip(errors / top, 0, 1)), words, RED if alarm else INK)


def class_colour(label: int) -> tuple[int, int, int]:
    """A colour that is always the same for a class, and far from its neighbours'."""
    r, g, b = colorsys.hsv_to_rgb((0.58 + label * 0.381966) % 1.0, 0.65, 0.95)  # golden-angle steps
    return int(255 * b), int(255 * g), int(255 * r)


def _large(image: Image) -> Image:
    tall, wide = image.shape[:2]
    times = -(-SMALLEST // max(tall, wide))
    return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST) if times > 1 else image.copy()


def _banner(canvas: Image, words: str, colour: tuple[int, int, int]) -> Image:
    letters = max(0.45, min(canvas.shape[:2]) / 900)
    words = ascii_words(words) or "?"
    (wide, tall), below = cv2.getTextSize(words, FONT, letters, 1)
    letters *= min(1.0, (canvas.shape[1] - 8) / max(wide, 1))
    cv2.rectangle(canvas, (0, 0), (canvas.shape[1], tall + below + 8), colour, cv2.FILLED)
    cv2.putText(canvas, words, (4, tall + 4), FONT, letters, WHITE, 1, cv2.LINE_AA)
    return canvas
