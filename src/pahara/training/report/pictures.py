"""Pictures in a report: small JPEGs, boxes drawn on them, and heat over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image
from pahara.core.boxes import Floats
from pahara.report.phrases import Phrase
from pahara.video.draw import AMBER, INK, RED, ascii_words

from .blocks import Shot

SIDE = 320  # pixels of the longer side: enough to see, small enough to carry dozens
GREEN = (90, 170, 40)


def shot(image: Image, name: Phrase, words: Phrase, tone: str = "", *, side: int = SIDE) -> Shot:
    """A picture for a gallery, shrunk or, where it is tiny, enlarged without smoothing."""
    tall, wide = image.shape[:2]
    ratio = side / max(tall, wide)
    size = (max(1, round(wide * ratio)), max(1, round(tall * ratio)))
    shown = cv2.resize(image, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_NEAREST)
    done, encoded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return Shot(encoded.tobytes() if done else b"", size, name, words, tone)


def with_boxes(
    image: Image,
    truth: Floats,
    found: Floats,
    words: Sequence[str] = (),
    *,
    missed: NDArray[np.bool_] | None = None,
    false: NDArray[np.bool_] | None = None,
) -> Image:
    """True boxes green (amber where missed), found ones white (red where false), in pixels x1 y1 x2 y2."""
    tall, wide = image.shape[:2]
    ratio = min(1.0, 2 * SIDE / max(tall, wide))  # twice as fine as it is shown: it may be enlarged
    canvas = cv2.resize(image, (round(wide * ratio), round(tall * ratio)), interpolation=cv2.INTER_AREA)
    for i, box in enumerate(np.asarray(truth, np.float64) * ratio):
        _box(canvas, box, AMBER if missed is not None and missed[i] else GREEN, 3)
    for i, box in enumerate(np.asarray(found, np.float64) * ratio):
        colour = RED if false is not None and false[i] else (255, 255, 255)
        _box(canvas, box, colour, 1)
        said = ascii_words(words[i]) if i < len(words) else ""
        if said:
            at = (int(box[0]) + 2, max(11, int(box[1]) - 3))
            cv2.putText(canvas, said, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 3, cv2.LINE_AA)
            cv2.putText(canvas, said, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    result: Image = canvas
    return result


def strip(frames: Sequence[Image], side: int = 112) -> Image:
    """Frames of a clip side by side, four at most, as one picture."""
    keep = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, min(4, len(frames))).astype(int))]
    small = [cv2.resize(one, (max(1, round(side * one.shape[1] / one.shape[0])), side), interpolation=cv2.INTER_AREA) for one in keep]
    rows = [np.concatenate(small[k : k + 2], axis=1) for k in range(0, len(small), 2)]
    widest = max(row.shape[1] for row in rows)
    joined: Image = np.concatenate([cv2.copyMakeBorder(row, 0, 0, 0, widest - row.shape[1], cv2.BORDER_CONSTANT) for row in rows])
    return joined


def skeleton(points: NDArray[Any], edges: Sequence[tuple[int, int]], side: int = 160, colour: Sequence[int] = (30, 110, 230)) -> Image:
    """(t, k, ≥2) points of a window -> its last figure over faint earlier ones, fitted into a square picture."""
    canvas = np.full((side, side, 3), 245, np.uint8)
    xy = np.asarray(points, np.float64)[..., :2]
    seen = np.asarray(np.isfinite(xy).all(axis=-1), bool)
    if np.shape(points)[-1] > 2:
        seen = seen & (np.asarray(points)[..., 2] > 0)
    known = xy[seen]
    if not len(known):
        return canvas
    low, span = known.min(axis=0), max(float((known.max(axis=0) - known.min(axis=0)).max()), 1e-6)
    pixels = (xy - low) / span * (side - 24) + 12
    steps = np.unique(np.linspace(0, len(xy) - 1, min(6, len(xy))).astype(int))
    for n, step in enumerate(steps):
        share = (n + 1) / len(steps)
        ink = tuple(round(245 + (c - 245) * share**2) for c in colour)
        for a, b in edges:
            ends = pixels[step, [a, b]]
            if seen[step, [a, b]].all():
                cv2.line(
                    canvas, tuple(np.rint(ends[0]).astype(int).tolist()), tuple(np.rint(ends[1]).astype(int).tolist()), ink, 2, cv2.LINE_AA
                )
    return canvas


def _box(canvas: NDArray[Any], box: NDArray[np.float64], colour: Sequence[int], pen: int) -> None:
    x1, y1, x2, y2 = (int(v) for v in np.rint(box))
    cv2.rectangle(canvas, (x1, y1), (x2, y2), tuple(colour), pen)
