"""Label files line by line: what each line is, what is wrong with it, and what could be mended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core.boxes import cxcywh_to_xyxy, iou_matrix

from ..decimals import told
from ..yolo import EDGE
from .findings import Finding

SLIGHT = 0.05  # share of the picture by which a box may stand over its edge and still be cut by `--fix`
TINY = 3.0  # pixels: thinner boxes teach nothing
HUGE = 0.98  # share of both sides of the picture
TWIN = 0.9  # IoU above which two boxes of one class are taken for one
RIVAL = 0.95  # the same, of two classes


class Labels:
    """One label file as read: its boxes, and the findings on its lines."""

    def __init__(self, file: Path, text: str, classes: int, size: tuple[int, int]) -> None:
        """classes: 0 when the names are unknown. size: of the picture, (0, 0) when it is unknown."""
        self.findings: list[Finding] = []
        self.file, self.outlines = file, 0
        boxes, labels, lines = [], [], []
        seen: dict[tuple[str, ...], int] = {}
        for n, line in enumerate(text.splitlines(), 1):
            words = tuple(line.split())
            if not words:
                continue
            if words in seen:
                self._add("line-same", n, first=seen[words])
                continue
            seen[words] = n
            read = self._line(words, n, classes)
            if read is not None:
                labels.append(read[0])
                boxes.append(read[1])
                lines.append(n)
        self.lines = len(seen)
        self.labels = np.array(labels, np.intp)
        self.boxes: NDArray[np.float64] = np.array(boxes, np.float64).reshape(-1, 4)  # fractions: cx cy w h
        self._sizes(lines, size)
        self._twins(lines)

    def _add(self, code: str, line: int, **values: Any) -> None:
        self.findings.append(Finding(code, self.file, line, values))

    def _line(self, words: tuple[str, ...], n: int, classes: int) -> tuple[int, tuple[float, float, float, float]] | None:
        values = numbers(words)
        if values is None:
            if any("," in word or ";" in word for word in words):
                self._add("line-commas", n)
            else:
                self._add("line-number", n, word=next(word for word in words if numbers((word,)) is None)[:30])
            return None
        if not all(map(math.isfinite, values)):
            self._add("line-nan", n)
            return None
        outline = len(values) >= 7 and len(values) % 2 == 1
        if len(values) == 6:
            self._add("line-confidence", n)
            return None
        if len(values) != 5 and not outline:
            self._add("line-values", n, count=len(values))
            return None
        if values[0] != int(values[0]):
            self._add("class-whole", n, word=words[0][:30])
            return None
        label = int(values[0])
        if label < 0:
            self._add("class-negative", n, label=label)
            return None
        if classes and label >= classes:
            self._add("class-unknown", n, label=label, names=classes, last=classes - 1)
            return None
        self.outlines += outline
        box = of_outline(values[1:]) if outline else (values[1], values[2], values[3], values[4])
        return (label, box) if self._box(box, n) else None

    def _box(self, box: tuple[float, float, float, float], n: int) -> bool:
        """Whether the box can be used, its findings told."""
        _, _, wide, tall = box
        if wide <= 0 or tall <= 0:
            self._add("box-area", n, wide=f"{wide:g}", tall=f"{tall:g}")
            return False
        if max(map(abs, box)) > 2:
            self._add("box-pixels", n)
            return False
        over = overhang(box)
        if over > SLIGHT:
            self._add("box-outside", n, share=f"{100 * over:.0f}")
            return False
        if over > EDGE:
            self._add("box-over", n, share=f"{100 * over:.1f}")
        return True

    def _sizes(self, lines: list[int], size: tuple[int, int]) -> None:
        if not size[0]:
            return
        for n, (wide, tall) in zip(lines, (self.boxes[:, 2:] * np.array(size)).tolist(), strict=True):
            if min(wide, tall) < TINY:
                self._add("box-tiny", n, wide=f"{wide:.1f}", tall=f"{tall:.1f}")
            elif wide > HUGE * size[0] and tall > HUGE * size[1]:
                self._add("box-huge", n)

    def _twins(self, lines: list[int]) -> None:
        corners = cxcywh_to_xyxy(self.boxes)
        overlaps = np.triu(iou_matrix(corners, corners), 1)
        for i, j in zip(*np.nonzero(overlaps > TWIN), strict=True):
            if self.labels[i] == self.labels[j]:
                self._add("boxes-same", lines[j], first=lines[i], share=f"{100 * overlaps[i, j]:.0f}")
            elif overlaps[i, j] > RIVAL:
                self._add("boxes-classes", lines[j], first=lines[i])


def numbers(words: tuple[str, ...]) -> list[float] | None:
    """The numbers that the words are; None when one is none."""
    try:
        return [float(word) for word in words]
    except ValueError:
        return None


def of_outline(values: list[float]) -> tuple[float, float, float, float]:
    """x1 y1 x2 y2 x3 y3 … -> the box around them, centre x, centre y, width, height."""
    x, y = values[0::2], values[1::2]
    return (min(x) + max(x)) / 2, (min(y) + max(y)) / 2, max(x) - min(x), max(y) - min(y)


def overhang(box: tuple[float, float, float, float]) -> float:
    """The share of the picture by which a box stands over its edge; 0 or less when it does not."""
    x, y, wide, tall = box
    return max(wide / 2 - x, x + wide / 2 - 1, tall / 2 - y, y + tall / 2 - 1)


def mended(text: str) -> tuple[str, int, int]:
    """A label file without repeated lines and with boxes that stand slightly over the edge cut to the picture.

    -> the new text, how many lines were dropped, how many boxes cut. Every other line stays as it is, to the letter.
    """
    kept: list[str] = []
    seen: set[tuple[str, ...]] = set()
    dropped = cut = 0
    for line in text.splitlines(keepends=True):
        words = tuple(line.split())
        if words and words in seen:
            dropped += 1
            continue
        seen.add(words)
        values = numbers(words)
        if values is not None and len(values) == 5 and all(map(math.isfinite, values)) and _usable(values):
            box = (values[1], values[2], values[3], values[4])
            if EDGE < overhang(box) <= SLIGHT:
                line = f"{words[0]} {' '.join(told(value) for value in _cut(box))}{line[len(line.rstrip()) :]}"
                cut += 1
        kept.append(line)
    return "".join(kept), dropped, cut


def _usable(values: list[float]) -> bool:
    return values[3] > 0 and values[4] > 0 and max(map(abs, values[1:])) <= 2


def _cut(box: tuple[float, float, float, float]) -> Iterator[float]:
    x, y, wide, tall = box
    left, right = max(x - wide / 2, 0.0), min(x + wide / 2, 1.0)
    top, bottom = max(y - tall / 2, 0.0), min(y + tall / 2, 1.0)
    yield from ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
