"""What an event is shown beside: the heat map of an autoencoder's error, or what is usual here and its nearest examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pahara.core import Event, Image, Signal
from pahara.normality import Normality
from pahara.report.explained import NOTHING, Example, Explained, Usual
from pahara.store.gallery import Gallery
from pahara.video.draw import thumbnail
from pahara.video.heat import heated
from pahara.video.picture import jpeg, read_picture

if TYPE_CHECKING:
    from .learning import Learning

CELL = (160, 120)  # pixels of one person in the composed picture
INK, PAPER, LINE, RED = (40, 33, 23), (236, 243, 245), (207, 219, 223), (24, 56, 173)  # BGR
Models = Callable[[int], Normality | None]


@dataclass
class Explainer:
    """Asked once an event begins and again when it ends. `learning` is of the camera that learns, if it does."""

    signals: Sequence[Signal] = ()
    learning: Learning | None = None
    _heats: dict[str, bytes] = field(default_factory=dict)  # event id -> the heat map of its beginning

    def __call__(self, event: Event, image: Image | None = None) -> Explained:
        """`image` is the picture of the moment, where it is at hand."""
        if event.kind == "anomaly":
            return self._strange(event, image)
        if event.kind == "unusual":
            return (
                explained(event, self.learning.model, self.learning.gallery) if self.learning is not None else explained(event, None, None)
            )
        return NOTHING

    def _strange(self, event: Event, image: Image | None) -> Explained:
        if image is not None and event.id not in self._heats:
            heat = next((h for each in self.signals if isinstance(h := getattr(each, "heat", None), np.ndarray) and h.size), None)
            if heat is not None:
                self._heats[event.id] = jpeg(heated(image, heat))
        heat_map = self._heats.get(event.id, b"")
        if event.phase == "ended":
            self._heats.pop(event.id, None)
        return Explained(heat=heat_map) if heat_map else NOTHING


def explained(event: Event, models: Models | None, gallery: Gallery | None) -> Explained:
    """What is usual here and its nearest examples, from the numbers of the event's reason alone."""
    values = event.reason.values
    quantity = event.reason.code.partition(".")[2]
    usual = Usual()
    if models is not None and isinstance(attribute := values.get("attribute"), str):
        model = models(int(values.get("version", 0)))
        known = model.known.get(attribute) if model is not None else None
        if known is not None and quantity in known.ranges:
            found = known.ranges[quantity]
            usual = Usual(quantity, event.reason.unit, found.low, found.high, event.reason.measured, found.steps)
    examples = []
    for word in str(values.get("like", "")).split():
        with suppress(ValueError):
            key, _, time = word.partition("@")
            if gallery is not None and (picture := gallery.find(int(key), float(time))):
                examples.append(Example(picture, float(time)))
    return Explained(usual=usual, examples=tuple(examples)) if usual or examples else NOTHING


def composed(told: Explained, event: Event, image: Image | None) -> bytes:
    """One JPEG that explains: the heat map, or the person beside the nearest normal examples with the distribution below; b"" for nothing."""
    if not told:
        return b""
    if told.heat:
        return told.heat if isinstance(told.heat, bytes) else told.heat.read_bytes()
    cells = []
    if image is not None and event.boxes:
        scale = np.tile(np.array([image.shape[1], image.shape[0]]) / np.array(event.size), 2)
        who = thumbnail(image, np.array(event.boxes[0]) * scale, CELL)
        cells.append(cv2.rectangle(who, (0, 0), (CELL[0] - 1, CELL[1] - 1), RED, 3))
    for example in told.examples:
        picture = read_picture(example.picture if isinstance(example.picture, bytes) else example.picture.read_bytes())
        if picture is not None:
            cells.append(cv2.resize(picture, CELL, interpolation=cv2.INTER_AREA))
    wide = max(len(cells), 3) * (CELL[0] + 8) + 8
    plot = _plot(told.usual, wide) if told.usual else np.full((8, wide, 3), PAPER, np.uint8)
    top = np.full((CELL[1] + 16 if cells else 0, wide, 3), PAPER, np.uint8)
    for number, cell in enumerate(cells):
        left = 8 + number * (CELL[0] + 8)
        top[8 : 8 + CELL[1], left : left + CELL[0]] = cell
    return jpeg(np.concatenate([top, plot]))


def _plot(usual: Usual, wide: int, tall: int = 96) -> Image:
    """The hill of what is usual with the observed value in red; numbers only, so that every language can read it."""
    sheet: Image = np.full((tall, wide, 3), PAPER, np.uint8)
    left, right, floor = 12, wide - 12, tall - 26
    across = right - left
    points: list[Any] = [
        (left + float(x) / 1000 * across, 10 + float(y) / 100 * (floor - 10))
        for x, y in (pair.split() for pair in usual.hill()[1:-1].split("L"))
    ]
    band = [left + round(usual.at(value) * across) for value in (usual.low, usual.high)]
    cv2.rectangle(sheet, (band[0], 10), (band[1], floor), LINE, -1)
    cv2.fillPoly(sheet, [np.array(points, np.int32)], (150, 140, 60), cv2.LINE_AA)
    cv2.line(sheet, (left, floor), (right, floor), INK, 1)
    here = left + round(usual.at(usual.observed) * across)
    cv2.line(sheet, (here, 6), (here, floor + 4), RED, 2, cv2.LINE_AA)
    from pahara.language import number

    for value, colour in ((usual.low, INK), (usual.high, INK), (usual.observed, RED)):
        text = number(value)
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
        x = min(max(left + round(usual.at(value) * across) - width // 2, 0), wide - width)
        cv2.putText(sheet, text, (x, tall - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    return sheet


__all__ = ["Explainer", "composed", "explained"]
