"""Patches of motion become blobs: pieces of one body are joined, people side by side are told apart by their heads."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import Foreground, Mask

Box = tuple[float, float, float, float]  # x1 y1 x2 y2, pixels of the small picture

SLIM = 0.38  # width over height of someone who stands
STIFF = 0.01  # how much the usual slope counts against the measured one: as feet spread over a tenth of the picture
LEAST_SHARE = 0.008  # of a person's height squared: nothing smaller is of interest; a bag is 0.03, a person 0.2
THIN, SLIGHT = 6, 0.06  # pixels; share of a person's height squared: what is no wider or no larger may be rain
STEADY = 0.25  # and share of it that must have been foreground a moment ago
MOST = 40  # pieces in one picture; more is weather
LEAST_AREA = 18  # pixels; smaller patches are noise
OPEN = np.ones((3, 3), np.uint8)  # takes out single pixels and lines: rain, wires, waving tape
CLOSE = np.ones((5, 3), np.uint8)  # bridges belts and straps of the ground's colour


@dataclass(frozen=True, eq=False)
class Blob:
    """One connected thing, or its pieces joined."""

    box: Box
    area: int  # pixels
    contrast: float  # how far beyond chance it stands out: mean change over what chance makes; 1 is chance
    pixels: Mask  # (h, w) cut-out of the box

    @property
    def wide(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def tall(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> float:
        return (self.box[0] + self.box[2]) / 2


def join_blobs(blobs: Sequence[Blob]) -> Blob:
    """Several blobs as one."""
    if len(blobs) == 1:
        return blobs[0]
    x1, y1, x2, y2 = around = union([blob.box for blob in blobs])
    pixels = np.zeros((int(y2 - y1), int(x2 - x1)), np.uint8)
    for blob in blobs:
        top, left = int(blob.box[1] - y1), int(blob.box[0] - x1)
        pixels[top : top + blob.pixels.shape[0], left : left + blob.pixels.shape[1]] |= blob.pixels
    whole = sum(blob.area for blob in blobs)
    return Blob(around, whole, sum(blob.contrast * blob.area for blob in blobs) / max(whole, 1), pixels)


@dataclass
class Scale:
    """How tall people are, by where their feet are: a straight line over the picture's rows, learned from walkers."""

    rows: int  # height of the small picture
    _seen: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=400))  # foot row, height
    _line: tuple[float, float] | None = None  # height = a + b · row
    _fresh: int = 0

    def see(self, foot: float, tall: float) -> None:
        """Someone who certainly stood upright and whole."""
        self._seen.append((foot, tall))
        self._fresh += 1
        if self._fresh >= 10:
            self._fresh = 0
            self._fit()

    @property
    def known(self) -> bool:
        return self._line is not None

    def height(self, foot: float) -> float:
        """Pixels of a person whose feet are in row `foot`; NaN before anyone has walked by."""
        if self._line is None:
            return float("nan")
        a, b = self._line
        return float(np.clip(a + b * foot, 0.04 * self.rows, 1.5 * self.rows))

    def _fit(self) -> None:
        seen = np.array(self._seen)
        if len(seen) < 12:
            return
        foot, tall = seen.T
        weights = np.ones(len(foot))
        a = b = 0.0
        for _ in range(4):  # straight line with the far off ones weighing less, and less again
            w = weights / weights.sum()
            at, mean = float((w * foot).sum()), float((w * tall).sum())
            # Where all walk in one row no slope can be told: then people shrink to nothing well above the picture.
            usual = mean / (at + 0.6 * self.rows)
            b = float((w * (foot - at) * (tall - mean)).sum() + usual * STIFF * self.rows**2) / float(
                (w * (foot - at) ** 2).sum() + STIFF * self.rows**2
            )
            b = float(np.clip(b, 0.0, 2.0))
            a = mean - b * at
            off = np.abs(tall - a - b * foot)
            weights = 1 / np.maximum(off, 0.05 * mean)
        self._line = (a, b)


def find_blobs(foreground: Foreground, scale: Scale, before: Mask | None = None) -> list[Blob]:
    """Blobs of one picture, largest first.

    `before` is the foreground of the picture just before: what is thin and covers nothing of it is a drop of rain.
    """
    solid = cv2.morphologyEx(foreground.mask, cv2.MORPH_OPEN, OPEN)
    left, top, width, height = cv2.boundingRect(solid)
    if not width:
        return []
    left, top = max(left - 2, 0), max(top - 3, 0)
    inside = np.s_[top : top + height + 6, left : left + width + 4]  # most of the picture is empty
    solid = solid[inside]
    change, weak = foreground.change[inside], foreground.weak[inside]
    mask = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, CLOSE)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    pieces = []
    for patch in range(1, count):
        x, y, wide, tall, area = (int(v) for v in stats[patch])
        if area >= LEAST_AREA:
            pieces.append(_Piece((x, y, x + wide, y + tall), area, [patch]))
    pieces = sorted(pieces, key=lambda piece: -piece.area)[:MOST]
    joined = _join(pieces, scale, top, foreground.mask.shape[0])
    blobs = []
    for piece in joined:
        found = labels[_at(piece.box)]
        own = _trimmed(found == piece.patches[0] if len(piece.patches) == 1 else np.isin(found, piece.patches), piece)
        x1, y1, x2, y2 = piece.box
        real = own & (solid[_at(piece.box)] > 0)
        person = scale.height(y2 + top)
        least = max(LEAST_AREA, LEAST_SHARE * person * person) if person == person else LEAST_AREA
        if np.count_nonzero(real) < least:
            continue
        thin = min(x2 - x1, y2 - y1) <= THIN or np.count_nonzero(real) < SLIGHT * person * person  # not so while nobody's size is known
        if thin and before is not None and np.count_nonzero(before[inside][_at(piece.box)][real]) < STEADY * np.count_nonzero(real):
            continue
        contrast = float(np.mean(change[_at(piece.box)][real] / weak[_at(piece.box)][real]))
        box = (float(x1 + left), float(y1 + top), float(x2 + left), float(y2 + top))
        blobs.append(Blob(box, int(np.count_nonzero(own)), contrast, own.view(np.uint8)))
    return sorted(blobs, key=lambda blob: -blob.area)


@dataclass
class _Piece:
    box: tuple[int, int, int, int]
    area: int
    patches: list[int]


def _at(box: tuple[int, int, int, int]) -> tuple[slice, slice]:
    return np.s_[box[1] : box[3], box[0] : box[2]]


def _trimmed(own: NDArray[np.bool_], piece: _Piece) -> NDArray[np.bool_]:
    """Cuts thin tails off both sides: columns that hold next to nothing are a wire, a line on the ground, a shadow's end."""
    columns = own.sum(axis=0)
    thick = np.flatnonzero(columns >= max(0.12 * own.shape[0], 2))
    if not len(thick):
        return own
    left, right = int(thick[0]), int(thick[-1]) + 1
    rows = np.flatnonzero(own[:, left:right].any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    x, y = piece.box[:2]
    piece.box = (x + left, y + top, x + right, y + bottom)
    return own[top:bottom, left:right]


def _join(pieces: list[_Piece], scale: Scale, top: int, rows: int) -> list[_Piece]:
    """Pieces above one another, near, and together no taller than a person, are one body."""
    joined = True
    while joined:
        joined = False
        for i, one in enumerate(pieces):
            for other in pieces[i + 1 :]:
                if _belong_together(one.box, other.box, scale, top, rows):
                    one.box = _around(one.box, other.box)
                    one.area += other.area
                    one.patches += other.patches
                    pieces.remove(other)
                    joined = True
                    break
            if joined:
                break
    return pieces


def _belong_together(a: tuple[int, int, int, int], b: tuple[int, int, int, int], scale: Scale, top: int, rows: int) -> bool:
    overlap = min(a[2], b[2]) - max(a[0], b[0])
    narrow = min(a[2] - a[0], b[2] - b[0])
    gap = max(a[1], b[1]) - min(a[3], b[3])
    both = _around(a, b)
    tall = both[3] - both[1]
    person = scale.height(both[3] + top)
    if person != person:  # nobody has walked by yet: only what nearly touches
        largest = max(a[3] - a[1], b[3] - b[1])
        return overlap >= 0.5 * narrow and gap <= max(0.12 * largest, 3) and tall <= 0.95 * rows
    return overlap >= 0.35 * narrow and gap <= max(0.2 * person, 3) and tall <= 1.2 * person and both[2] - both[0] <= 0.9 * person


def _around(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def split_by_heads(blob: Blob, person: float) -> list[Box]:
    """Boxes of the people in a blob that is too wide for one; [its box] where only one head stands out.

    `person` is the height of a person here, in pixels. Heads are peaks of the blob's upper outline.
    """
    wide, tall = blob.wide, blob.tall
    if wide < 1.2 * SLIM * person or tall < 0.6 * person:
        return [blob.box]
    columns = blob.pixels.any(axis=0)
    top = np.where(columns, blob.pixels.argmax(axis=0), blob.pixels.shape[0]).astype(np.float64)
    reach = max(int(0.06 * person), 1)
    outline = tall - np.convolve(np.pad(top, reach, mode="edge"), np.ones(2 * reach + 1) / (2 * reach + 1), mode="valid")  # heights
    apart = max(int(0.75 * SLIM * person), 2)
    heads = _peaks(outline, apart, least=0.5 * person, prominence=0.07 * person)
    if len(heads) < 2:
        return [blob.box]
    cuts = [0, *((a + b) // 2 if b - a < 2 else a + int(outline[a:b].argmin()) for a, b in pairwise(heads)), int(wide)]
    boxes = []
    for left, right in pairwise(cuts):
        part = blob.pixels[:, left:right]
        rows = np.flatnonzero(part.any(axis=1))
        filled = np.flatnonzero(part.any(axis=0))
        if len(rows):
            boxes.append(
                (blob.box[0] + left + filled[0], blob.box[1] + rows[0], blob.box[0] + left + filled[-1] + 1.0, blob.box[1] + rows[-1] + 1.0)
            )
    return boxes or [blob.box]


def _peaks(outline: NDArray[np.float64], apart: int, least: float, prominence: float) -> list[int]:
    """Columns of the heads, left to right: tallest first, each `apart` from the next, with a dip between."""
    found: list[int] = []
    for column in np.argsort(-outline, kind="stable"):
        column = int(column)
        if outline[column] < least:
            break
        if all(abs(column - other) >= apart and _dip(outline, column, other) >= prominence for other in found):
            found.append(column)
    return sorted(found)


def _dip(outline: NDArray[np.float64], a: int, b: int) -> float:
    low, high = min(a, b), max(a, b)
    return float(min(outline[a], outline[b]) - outline[low : high + 1].min())


def overlap(a: Box, b: Box) -> float:
    """Area that two boxes share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def union(boxes: Sequence[Box]) -> Box:
    """The box around all of them."""
    xs1, ys1, xs2, ys2 = zip(*boxes, strict=True)
    return min(xs1), min(ys1), max(xs2), max(ys2)
