"""Charts -> SVG shapes: where each line, bar, tick and cell stands, in the pixels of one drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pahara.report.phrases import Phrase

from .blocks import Bars, Chart, Floats, Line, Matrix, Range

WIDTH, HEIGHT = 520, 300  # of a drawing; the page scales it
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 44  # margins
MOST_POINTS = 400  # of one line: a curve of 10,000 thresholds looks no different
CELLS = 24  # classes from which a matrix shows colours only


@dataclass(frozen=True, slots=True)
class Axis:
    """Numbers -> pixels along one side."""

    low: float
    high: float
    begin: float  # pixels
    end: float

    def __call__(self, value: float) -> float:
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self, most: int = 6, *, whole: bool = False) -> list[tuple[float, str]]:
        """-> (pixels, words) at round numbers; `whole` leaves out what lies between whole ones."""
        step = max(nice_step((self.high - self.low) / most), 1.0 if whole else 0.0)
        first = math.ceil(self.low / step - 1e-9) * step
        count = math.floor((self.high - first) / step + 1e-9) + 1
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(self(first + k * step), f"{first + k * step:.{decimals}f}".replace("-0", "0", 1) if abs(first + k * step) < step / 2 else f"{first + k * step:.{decimals}f}") for k in range(count)]  # fmt: skip


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 … (or .1, .2, .5 …) that is not below `least`.

    >>> nice_step(0.17), nice_step(3.0)
    (0.2, 5.0)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(round(factor * power, 12) for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class DrawnLine:
    name: Phrase
    colour: int
    path: str
    dashed: bool
    dots: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DrawnBar:
    x: str
    y: str
    width: str
    height: str
    colour: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart, laid out."""

    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    lines: list[DrawnLine]
    bars: list[DrawnBar]
    legend: list[tuple[Phrase, int, bool]]  # name, colour, dashed
    mark: float | None = None  # pixels
    diagonal: tuple[float, float, float, float] | None = None
    left: int = LEFT
    top: int = TOP
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw_chart(chart: Chart) -> Drawing:
    """A chart of lines."""
    x = _axis(chart.x_range or _range([line.x for line in chart.lines]), LEFT, WIDTH - RIGHT)
    y = _axis(chart.y_range or _range([line.y for line in chart.lines], room=0.05), HEIGHT - BOTTOM, TOP)
    lines = [_line(line, x, y) for line in chart.lines]
    legend = [(line.name, line.colour, line.dashed) for line in chart.lines]
    return Drawing(x.ticks(whole=chart.whole), y.ticks(), lines, [], legend)


def draw_bars(bars: Bars) -> Drawing:
    """A histogram."""
    top = max((float(np.nanmax(group.heights)) for group in bars.groups if len(group.heights)), default=1.0)
    x = _axis((float(bars.edges[0]), float(bars.edges[-1])), LEFT, WIDTH - RIGHT)
    y = _axis((0.0, 1.0 if bars.diagonal else max(top, 1e-9) * 1.05), HEIGHT - BOTTOM, TOP)
    drawn = []
    for group in bars.groups:
        for low, high, height in zip(bars.edges[:-1], bars.edges[1:], group.heights, strict=True):
            if height == height and height > 0:
                left, above = x(float(low)), y(float(height))
                drawn.append(
                    DrawnBar(f"{left + 0.5:.1f}", f"{above:.1f}", f"{max(x(float(high)) - left - 1, 0.8):.1f}", f"{y.begin - above:.1f}", group.colour)
                )  # fmt: skip
    legend = [(group.name, group.colour, False) for group in bars.groups] if len(bars.groups) > 1 else []
    mark = x(bars.mark) if bars.mark is not None and x.low <= bars.mark <= x.high else None
    diagonal = (x.begin, y.begin, x.end, y.end) if bars.diagonal else None
    return Drawing(x.ticks(), y.ticks(5), [], drawn, legend, mark, diagonal)


@dataclass(frozen=True, slots=True)
class Cell:
    count: int
    share: float  # of its true class
    depth: int  # 0..9, how dark
    right: bool  # on the diagonal


def draw_matrix(matrix: Matrix) -> list[tuple[str, list[Cell]]]:
    """Rows of a confusion matrix: name of the true class, and its cells."""
    counts = np.asarray(matrix.counts)
    sums = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = counts / sums
    return [
        (
            name,
            [
                Cell(int(counts[i, j]), float(shares[i, j]), min(9, math.ceil(9 * float(shares[i, j]))), i == j)
                for j in range(len(matrix.names))
            ],
        )
        for i, name in enumerate(matrix.names)
    ]


def _axis(span: Range, begin: float, end: float) -> Axis:
    low, high = span
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high - low < 1e-12:
        low, high = low - 0.5, high + 0.5
    return Axis(low, high, begin, end)


def _range(values: list[Floats], room: float = 0.0) -> Range:
    everything = np.concatenate([np.asarray(one, np.float64).ravel() for one in values]) if values else np.zeros(0)
    everything = everything[np.isfinite(everything)]
    if not len(everything):
        return 0.0, 1.0
    low, high = float(everything.min()), float(everything.max())
    return low - room * (high - low), high + room * (high - low)


def _line(line: Line, x: Axis, y: Axis) -> DrawnLine:
    xs, ys = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    if len(xs) > MOST_POINTS:
        keep = np.unique(np.linspace(0, len(xs) - 1, MOST_POINTS).astype(int))
        xs, ys = xs[keep], ys[keep]
    path, pen, dots = [], "M", []
    for at, value in zip(xs.tolist(), ys.tolist(), strict=True):
        if not (math.isfinite(at) and math.isfinite(value)):
            pen = "M"
            continue
        px, py = x(at), min(max(y(value), -50.0), HEIGHT + 50.0)
        path.append(f"{pen}{px:.1f} {py:.1f}")
        pen = "L"
        if line.dots:
            dots.append((f"{px:.1f}", f"{py:.1f}"))
    return DrawnLine(line.name, line.colour, "".join(path), line.dashed, dots)
