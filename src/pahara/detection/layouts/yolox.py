"""YOLOX: one row per grid cell with box, objectness and class scores (Ge et al. 2021, arXiv 2107.08430)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..engine import Array
from ..letterbox import Preparation
from .base import Facts, Found, Wanted, corners, grid, within_unit

STRIDES = (8, 16, 32)
PREPARATION = Preparation(place="top-left")  # BGR, 0..255, pad 114


@dataclass(frozen=True)
class Yolox:
    """(batch, cells, 5 + classes): x y w h objectness classes…, already through the sigmoid.

    Exports differ in one point: `raw` boxes still are grid offsets and log sizes; otherwise they are pixels.
    """

    classes: int
    size: tuple[int, int]
    raw: bool
    preparation: Preparation = PREPARATION
    overlapping: bool = True
    name: str = "yolox"

    @property
    def about(self) -> str:
        return f"YOLOX, {'before' if self.raw else 'after'} grid decode, {self.classes} classes"

    @cached_property
    def _grid(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return grid(self.size, STRIDES, 0.0)

    def decode(self, outputs: Sequence[Array], row: int, wanted: Wanted, /) -> Found:
        cells = outputs[0][row]
        # Objectness bounds the score: with it most cells are gone before a class or a box is looked at.
        rows = (cells[:, 4] >= wanted.floor).nonzero()[0]
        scores = cells[rows[:, None], 5 + wanted.columns] * cells[rows, 4, None]
        keep, scores, labels = wanted.best(scores)
        rows = rows[keep]
        near = cells[rows, :4]
        centres, sides = near[:, :2], near[:, 2:4]
        if self.raw:
            places, strides = self._grid
            stride = strides[rows, None]
            centres = centres * stride + places[rows]
            sides = np.exp(np.minimum(sides, 20.0)) * stride
        return corners(centres, sides), scores, labels


def recognise(facts: Facts) -> Yolox | None:
    """One output (n, cells, 5 + classes) whose scores lie in 0..1; raw or not is told by where the boxes lie."""
    if len(facts.outputs) != 1 or facts.outputs[0].ndim != 3:
        return None
    answer = facts.outputs[0][0]
    cells, width = answer.shape
    if cells != facts.cells(STRIDES) or width < 6 or not within_unit(answer[:, 4:]):
        return None
    if facts.names and len(facts.names) == width - 4:
        return None  # a YOLOv8 whose output was transposed has no objectness
    places, _ = grid(facts.size, STRIDES, 0.5)
    from_corner = np.median(np.abs(answer[:, :2]))
    from_cell = np.median(np.abs(answer[:, :2] - places))
    return Yolox(width - 5, facts.size, raw=bool(from_corner < from_cell))
