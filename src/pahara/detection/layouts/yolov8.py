"""The exports of YOLOv8 and its successors (YOLO11, YOLOv10, YOLO26): raw, and end-to-end with suppression inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..engine import Array
from ..letterbox import Preparation
from .base import Facts, Found, Wanted, corners

PREPARATION = Preparation(place="centre", rgb=True, scale=1 / 255)
STRIDE_SETS = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
MOST = 1000  # an end-to-end export reports at most this many objects


@dataclass(frozen=True)
class YoloV8:
    """(batch, 4 + classes, cells): centre x, y, width, height in input pixels, then class scores.

    `across` is True for the usual order and False where the export was transposed to (batch, cells, 4 + classes).
    """

    classes: int
    across: bool = True
    preparation: Preparation = PREPARATION
    overlapping: bool = True
    name: str = "yolov8"

    @property
    def about(self) -> str:
        return f"YOLOv8/YOLO11 raw export, {self.classes} classes"

    def decode(self, outputs: Sequence[Array], row: int, wanted: Wanted, /) -> Found:
        answer = outputs[0][row] if self.across else outputs[0][row].T
        if len(wanted.columns) == 1:
            scores = answer[4 + wanted.columns[0]]
            rows = np.flatnonzero(scores >= wanted.limits[0])
            top, labels = scores[rows], np.full(len(rows), wanted.columns[0], np.intp)
        else:
            scores = answer[4 : 4 + self.classes] if len(wanted.columns) == self.classes else answer[4 + wanted.columns]
            some = np.flatnonzero(scores.max(axis=0) >= wanted.floor)  # few cells see anything
            keep, top, labels = wanted.best(scores[:, some].T)
            rows = some[keep]
        return corners(answer[:2, rows].T, answer[2:4, rows].T), top, labels


@dataclass(frozen=True)
class EndToEnd:
    """(batch, objects, 6 …): x1 y1 x2 y2 in input pixels, score, class."""

    classes: int
    preparation: Preparation = PREPARATION
    overlapping: bool = False
    name: str = "yolo-end-to-end"

    @property
    def about(self) -> str:
        return f"YOLO end-to-end export (no suppression needed), {self.classes or '?'} classes"

    def decode(self, outputs: Sequence[Array], row: int, wanted: Wanted, /) -> Found:
        return listed(outputs[0][row][:, :4], outputs[0][row][:, 4], outputs[0][row][:, 5], wanted)


def listed(boxes: Array, scores: Array, labels: Array, wanted: Wanted) -> Found:
    """A finished list, sifted by what is wanted."""
    rows = np.flatnonzero(scores >= wanted.floor)
    known = np.rint(labels[rows]).astype(np.intp)
    place = np.searchsorted(wanted.columns, known)
    place[place == len(wanted.columns)] = 0
    passes = (wanted.columns[place] == known) & (scores[rows] >= wanted.limits[place])
    rows = rows[passes]
    return boxes[rows].astype(np.float32), scores[rows], known[passes]


def recognise(facts: Facts) -> YoloV8 | EndToEnd | None:
    """A first output of rank 3; masks of a segmentation export may follow and are left alone."""
    if not facts.outputs or facts.outputs[0].ndim != 3:
        return None
    if len(facts.outputs) > 1 and not (len(facts.outputs) == 2 and facts.outputs[1].ndim == 4):
        return None
    task = facts.metadata.get("task", "detect")
    if is_rtdetr(facts) or task not in ("detect", "segment", "pose"):
        return None
    first, second = facts.outputs[0].shape[1:]
    plain = task == "detect" and len(facts.outputs) == 1
    for strides in STRIDE_SETS:
        cells = facts.cells(strides)
        if second == cells and first >= 5:
            return YoloV8(first - 4 if plain else _named(facts, first - 4))
        if first == cells and second >= 5 and len(facts.names) == second - 4:
            return YoloV8(second - 4, across=False)
    if first <= MOST and (second == 6 or (not plain and second > 6)):
        return EndToEnd(len(facts.names))
    return None


def is_rtdetr(facts: Facts) -> bool:
    """Whether the metadata names RT-DETR, whose export looks alike when it knows two classes."""
    told = facts.metadata.get("description", "").lower().replace("-", "")
    return "rtdetr" in told


def _named(facts: Facts, columns: int) -> int:
    """Pose and segmentation rows carry more than classes; only the names tell where the classes end."""
    return min(len(facts.names) or 1, columns)
