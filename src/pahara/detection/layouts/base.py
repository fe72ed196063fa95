"""What every output layout shares: the question that is asked, and the facts by which a layout is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..engine import Array, Ports
from ..letterbox import Preparation

Found: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]  # boxes (n, 4) input pixels, scores (n,), columns (n,)


@dataclass(frozen=True, eq=False)
class Wanted:
    """Which classes are asked for, and how sure the model must be of each."""

    columns: NDArray[np.intp]  # (k,) classes of the model, ascending
    limits: NDArray[np.float32]  # (k,) least score of each

    @cached_property
    def floor(self) -> np.float32:
        """No score below this is of use."""
        least: np.float32 = self.limits.min() if len(self.limits) else np.float32(2)
        return least

    def best(self, scores: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[np.intp]]:
        """(n, k) scores of the wanted classes -> rows that pass, their best score, and its class."""
        if scores.shape[1] == 1:  # people only is the usual question
            top = scores[:, 0]
            rows = (top >= self.limits[0]).nonzero()[0]
            return rows, top[rows], np.full(len(rows), self.columns[0], np.intp)
        which = scores.argmax(axis=1)
        top = np.take_along_axis(scores, which[:, None], axis=1)[:, 0]
        rows = (top >= self.limits[which]).nonzero()[0]
        return rows, top[rows], self.columns[which[rows]]


class Layout(Protocol):
    """How the numbers of one family of models are read."""

    @property
    def name(self) -> str:
        """ "yolox", "nanodet", …"""
        ...

    @property
    def about(self) -> str:
        """One line for people."""
        ...

    @property
    def classes(self) -> int: ...

    @property
    def preparation(self) -> Preparation: ...

    @property
    def overlapping(self) -> bool:
        """Whether the model reports one object several times, so that non-maximum suppression is due."""
        ...

    def decode(self, outputs: Sequence[Array], row: int, wanted: Wanted, /) -> Found:
        """The outputs of a batch, and which picture of it."""
        ...


@dataclass(frozen=True, eq=False)
class Facts:
    """By these a layout is recognised."""

    ports: Ports
    size: tuple[int, int]  # the input's width and height in pixels
    outputs: tuple[Array, ...]  # what the model answers to a black picture
    names: tuple[str, ...] = ()  # class names that were given or stand in the metadata
    activation: str = ""  # "sigmoid", "softmax" or "none" where the user says so

    @property
    def metadata(self) -> Mapping[str, str]:
        return self.ports.metadata

    def cells(self, strides: Sequence[int]) -> int:
        """How many grid cells the strides make on this input."""
        return sum(-(-self.size[0] // stride) * -(-self.size[1] // stride) for stride in strides)


def grid(size: tuple[int, int], strides: Sequence[int], offset: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """-> (cells, 2) x, y of every cell in input pixels, (cells,) its stride; row by row, stride by stride.

    `offset` is 0 for a cell's top left corner, 0.5 for its centre.
    """
    places, sides = [], []
    for stride in strides:
        wide, tall = -(-size[0] // stride), -(-size[1] // stride)
        y, x = np.mgrid[:tall, :wide].astype(np.float32)
        places.append((np.stack([x.ravel(), y.ravel()], axis=1) + np.float32(offset)) * np.float32(stride))
        sides.append(np.full(wide * tall, stride, np.float32))
    return np.concatenate(places), np.concatenate(sides)


def corners(centres: NDArray[Any], sides: NDArray[Any]) -> NDArray[np.float32]:
    """(n, 2) centres, (n, 2) widths and heights -> (n, 4) x1 y1 x2 y2."""
    boxes = np.empty((len(centres), 4), np.float32)
    half = sides * np.float32(0.5)
    np.subtract(centres, half, out=boxes[:, :2])
    np.add(centres, half, out=boxes[:, 2:])
    return boxes


def sigmoid(values: NDArray[Any]) -> NDArray[Any]:
    """1 / (1 + e^-x), without overflow."""
    result: NDArray[Any] = 0.5 * (1.0 + np.tanh(0.5 * values))
    return result


def within_unit(values: NDArray[Any]) -> bool:
    """Whether these can be probabilities."""
    return bool(values.size) and bool(values.min() >= -1e-4) and bool(values.max() <= 1 + 1e-4)
