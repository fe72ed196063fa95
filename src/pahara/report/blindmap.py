"""Where a camera is blind, as a picture: colours, patterns and numbers over its own view, so that nobody needs to tell red from green."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image

Floats = NDArray[np.floating[Any]]
WIDE = 800  # pixels of the picture
COLUMNS = 8
FEWEST = 8  # looks at a cell below which nothing is said of it
GOOD, FAIR = 0.8, 0.5  # shares from which a cell is green, or yellow
GREEN, YELLOW, RED, GREY = (96, 158, 0), (40, 190, 240), (30, 60, 200), (150, 150, 150)  # BGR, apart for colour-blind eyes too


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts over a grid on the picture."""

    tried: NDArray[np.int64]  # (rows, columns)
    found: NDArray[np.int64]

    @classmethod
    def of(cls, spots: Floats, found: NDArray[np.bool_], size: tuple[int, int], columns: int = COLUMNS) -> Cells:
        """(n, 2) foot points as fractions, (n,) whether it was found."""
        rows = max(2, round(columns * size[1] / size[0]))
        tried, hits = np.zeros((rows, columns), np.int64), np.zeros((rows, columns), np.int64)
        if len(spots):
            x = np.clip((spots[:, 0] * columns).astype(int), 0, columns - 1)
            y = np.clip((spots[:, 1] * rows).astype(int), 0, rows - 1)
            np.add.at(tried, (y, x), 1)
            np.add.at(hits, (y, x), np.asarray(found, bool).astype(np.int64))
        return cls(tried, hits)

    @property
    def share(self) -> NDArray[np.float64]:
        """(rows, columns) 0..1; nan where nobody stood."""
        return np.where(self.tried > 0, self.found / np.maximum(self.tried, 1), np.nan)


def draw_cells(background: Image, cells: Cells, *, fewest: int = FEWEST, counts: bool = False) -> Image:
    """The grid over the (greyed) view: green plain from 80 %, yellow striped from 50 %, red hatched below, grey "?" where too few tried.

    `counts` writes "3/4" instead of a percentage. Cells where nobody stood are left open.
    """
    picture = _ground(background)
    h, w = picture.shape[:2]
    rows, columns = cells.tried.shape
    for i in range(rows):
        for j in range(columns):
            n = int(cells.tried[i, j])
            if n == 0:
                continue
            y1, y2, x1, x2 = i * h // rows, (i + 1) * h // rows, j * w // columns, (j + 1) * w // columns
            share = cells.found[i, j] / n
            few = n < fewest
            colour, step = (GREY, 0) if few else (GREEN, 0) if share >= GOOD else (YELLOW, 12) if share >= FAIR else (RED, 9)
            part = picture[y1:y2, x1:x2]
            part[:] = cv2.addWeighted(part, 0.5, np.full_like(part, colour), 0.5, 0)
            if step:
                _stripes(part, colour, step, crossed=share < FAIR)
            cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), (255, 255, 255), 1)
            words = f"{int(cells.found[i, j])}/{n}" if counts else "?" if few else f"{100 * share:.0f}%"
            _write(picture, words, ((x1 + x2) // 2, (y1 + y2) // 2), 0.62)
    return picture


def draw_incidents(background: Image, spots: Floats, caught: Sequence[bool]) -> Image:
    """One mark for each incident at its feet: a filled ring where it was caught, a cross where it was missed."""
    picture = _ground(background)
    h, w = picture.shape[:2]
    for (x, y), good in sorted(zip(np.asarray(spots).tolist(), caught, strict=True), key=lambda row: not row[1]):
        at = (int(np.clip(x * w, 10, w - 10)), int(np.clip(y * h, 10, h - 10)))
        if good:
            cv2.circle(picture, at, 9, (255, 255, 255), -1, cv2.LINE_AA)
            cv2.circle(picture, at, 7, GREEN, -1, cv2.LINE_AA)
        else:
            for thick, colour in ((7, (255, 255, 255)), (3, RED)):
                cv2.line(picture, (at[0] - 8, at[1] - 8), (at[0] + 8, at[1] + 8), colour, thick, cv2.LINE_AA)
                cv2.line(picture, (at[0] - 8, at[1] + 8), (at[0] + 8, at[1] - 8), colour, thick, cv2.LINE_AA)
    return picture


def blind_map(background: Image, seen: Cells, spots: Floats, caught: Sequence[bool]) -> Image:
    """Both pictures below one another: where staged people are seen, and which incidents were caught."""
    first, second = draw_cells(background, seen), draw_incidents(background, spots, caught)
    gap = np.full((10, first.shape[1], 3), 255, np.uint8)
    return np.concatenate([first, gap, second], axis=0)


def _ground(background: Image) -> Image:
    tall = max(2, round(background.shape[0] * WIDE / background.shape[1]))
    picture = cv2.resize(background, (WIDE, tall), interpolation=cv2.INTER_AREA if background.shape[1] > WIDE else cv2.INTER_CUBIC)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.addWeighted(picture, 0.35, grey, 0.5, 20), np.uint8)


def _stripes(part: Image, colour: tuple[int, int, int], step: int, *, crossed: bool) -> None:
    h, w = part.shape[:2]
    dark = tuple(int(c * 0.55) for c in colour)
    for k in range(-h, w + h, step):
        cv2.line(part, (k, h), (k + h, 0), dark, 1, cv2.LINE_AA)
        if crossed:
            cv2.line(part, (k, 0), (k + h, h), dark, 1, cv2.LINE_AA)


def _write(picture: Image, words: str, middle: tuple[int, int], size: float) -> None:
    (wide, tall), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 2)
    at = (middle[0] - wide // 2, middle[1] + tall // 2)
    cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 5, cv2.LINE_AA)
    cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 2, cv2.LINE_AA)
