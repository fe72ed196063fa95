"""NanoDet: class scores and, per side of the box, a distribution of distances (GFL, Li et al. 2020, arXiv 2006.04388)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..engine import Array
from ..letterbox import Preparation
from .base import Facts, Found, Wanted, grid, sigmoid, within_unit

STRIDES = (8, 16, 32)
PLUS_STRIDES = (8, 16, 32, 64)
SIDES = 32  # 4 sides × 8 bins: reg_max 7, as every released NanoDet has it

MEAN, STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # BGR, 0..255
LETTERBOX = Preparation(place="centre", pad=0.0, mean=MEAN, std=STD)  # NanoDet-m: `keep_ratio: True`
STRETCH = Preparation(fit="stretch", mean=MEAN, std=STD)  # NanoDet-Plus: `keep_ratio: False`


@dataclass(frozen=True)
class NanoDet:
    """Either one output (batch, cells, classes + 32), or two per stride: (cells, classes) and (cells, 32)."""

    classes: int
    size: tuple[int, int]
    strides: tuple[int, ...]
    offset: float  # 0.5: distances from the cell's centre; 0: from its corner (NanoDet-Plus)
    pairs: tuple[tuple[int, int], ...]  # which outputs hold classes and sides, per stride; () for one joint output
    logits: bool  # whether class scores still need the sigmoid
    preparation: Preparation
    overlapping: bool = True
    name: str = "nanodet"

    @property
    def about(self) -> str:
        kind = "NanoDet-Plus" if len(self.strides) == 4 else "NanoDet"
        return f"{kind}, box distances as distributions, {self.classes} classes"

    @cached_property
    def _grid(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return grid(self.size, self.strides, self.offset)

    def decode(self, outputs: Sequence[Array], row: int, wanted: Wanted, /) -> Found:
        if not self.pairs:
            whole = outputs[0][row]
            rows, scores, labels = self._pick(whole[:, wanted.columns], wanted)
            sides = whole[rows, self.classes : self.classes + SIDES]
        else:
            joined = [(_of_batch(outputs[a], row), _of_batch(outputs[b], row)) for a, b in self.pairs]
            columns = wanted.columns
            rows, scores, labels = self._pick(np.concatenate([a[:, columns] for a, _ in joined]), wanted)
            starts = np.cumsum([0, *(len(a) for a, _ in joined)])
            parts = [b[rows[(rows >= low) & (rows < high)] - low] for (_, b), low, high in zip(joined, starts, starts[1:], strict=False)]
            sides = np.concatenate(parts)
        places, strides = self._grid
        bins = sides.reshape(len(rows), 4, -1).astype(np.float32)
        weights = np.exp(bins - bins.max(axis=2, keepdims=True)) if len(rows) else bins
        expected = weights @ np.arange(bins.shape[2], dtype=np.float32) / weights.sum(axis=2)
        distance = expected * strides[rows, None]  # (n, 4) left, top, right, bottom
        centres = places[rows]
        boxes = np.concatenate([centres - distance[:, :2], centres + distance[:, 2:]], axis=1)
        return boxes, scores, labels

    def _pick(self, scores: NDArray[np.float32], wanted: Wanted) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.intp]]:
        return wanted.best(sigmoid(scores) if self.logits else scores)


def _of_batch(output: Array, row: int) -> Array:
    """(cells, width) of one picture; some exports have no batch dimension."""
    result: Array = output[row] if output.ndim == 3 else output
    return result


def recognise(facts: Facts) -> NanoDet | None:
    if len(facts.outputs) == 1 and facts.outputs[0].ndim == 3:
        return _joint(facts)
    if len(facts.outputs) in (6, 8) and all(one.ndim in (2, 3) for one in facts.outputs):
        return _in_pairs(facts)
    return None


def _joint(facts: Facts) -> NanoDet | None:
    answer = facts.outputs[0][0]
    classes = answer.shape[1] - SIDES
    for strides in (PLUS_STRIDES, STRIDES):
        if len(answer) == facts.cells(strides) and classes >= 1 and not within_unit(answer[:, classes:]):
            plus = strides == PLUS_STRIDES
            logits = not within_unit(answer[:, :classes])
            return NanoDet(classes, facts.size, strides, 0.0 if plus else 0.5, (), logits, STRETCH if plus else LETTERBOX)
    return None


def _in_pairs(facts: Facts) -> NanoDet | None:
    """Pairs are found by their number of cells and their width: the names of known exports are wrong."""
    strides = PLUS_STRIDES if len(facts.outputs) == 8 else STRIDES
    answers = [_of_batch(one, 0) for one in facts.outputs]
    pairs = []
    for stride in strides:
        same = [i for i, one in enumerate(answers) if len(one) == facts.cells((stride,))]
        if len(same) != 2:
            return None
        sides = [i for i in same if answers[i].shape[1] == SIDES]
        if len(sides) == 2:  # 32 classes: the distributions are the ones that are no probabilities
            sides = [i for i in same if not within_unit(answers[i])]
        if len(sides) != 1:
            return None
        pairs.append((next(i for i in same if i != sides[0]), sides[0]))
    widths = {answers[a].shape[1] for a, _ in pairs}
    if len(widths) != 1:
        return None
    logits = not all(within_unit(answers[a]) for a, _ in pairs)
    return NanoDet(widths.pop(), facts.size, strides, 0.5, tuple(pairs), logits, LETTERBOX if len(strides) == 3 else STRETCH)
