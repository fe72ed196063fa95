"""What a training report is made of: charts, matrices, tables and pictures, in reading order and in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pahara.report.phrases import Phrase, plain
from pahara.report.view import Figure

Floats: TypeAlias = NDArray[np.floating[Any]]
Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: Phrase
    x: Floats  # (n,)
    y: Floats  # (n,) not a number where the line is broken
    colour: int = 0  # 0..6, the page's own colours
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over two axes. A range of None is taken from the lines."""

    title: Phrase
    lines: tuple[Line, ...]
    x: Phrase
    y: Phrase
    about: Phrase | None = None
    x_range: Range | None = None
    y_range: Range | None = None
    whole: bool = False  # x counts something, such as epochs: nothing is marked between whole numbers


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of one kind in a histogram."""

    name: Phrase
    heights: Floats  # (n,) one a bin, in the unit of the chart
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Bars:
    """A histogram; several groups lie over one another, half transparent."""

    title: Phrase
    edges: Floats  # (n + 1,)
    groups: tuple[Group, ...]
    x: Phrase
    y: Phrase
    about: Phrase | None = None
    mark: float | None = None  # a threshold, drawn upright
    diagonal: bool = False  # the line y = x, as a reliability diagram has it


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts, true class down, predicted class across."""

    title: Phrase
    names: tuple[str, ...]
    counts: NDArray[np.integer[Any]]  # (c, c)
    about: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words and numbers."""

    title: Phrase
    columns: tuple[Phrase, ...]
    rows: Sequence[tuple[Phrase | str, ...]]
    numbers: tuple[int, ...] = ()  # which columns hold numbers
    about: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture with what is to be said about it."""

    picture: bytes  # JPEG or PNG
    size: tuple[int, int]  # width, height in pixels
    name: Phrase
    words: Phrase
    tone: str = ""  # "good", "bad" or ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures side by side."""

    title: Phrase
    shots: tuple[Shot, ...]
    about: Phrase | None = None


Block: TypeAlias = Chart | Bars | Matrix | Table | Gallery


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """One run, ready to be written."""

    title: str  # the run's name
    kind: str  # image, detector, action, anomaly
    headline: Phrase
    figures: tuple[Figure, ...]
    blocks: tuple[Block, ...]
    facts: tuple[Phrase, ...] = ()  # under the headline
    warnings: tuple[Phrase, ...] = ()
    details: tuple[tuple[Phrase, Phrase], ...] = ()  # plan and environment


def words(text: object) -> Phrase:
    """A name or a number: the same in every language."""
    return plain(str(text))
