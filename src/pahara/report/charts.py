"""Numbers -> shapes: what the page draws, in fractions of its width, without knowing how it looks."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .summary import FeetMap, TimeBins

TICK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
STAY_EDGES = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)  # seconds
FEWEST_BARS = 5
HEAT_WIDTH = 500  # pixels of the heat picture: smoother would only be heavier


def percent(share: float) -> str:
    """A fraction as SVG writes it: percent(0.1234) is "12.34%"."""
    return f"{100 * share:.2f}%"


@dataclass(frozen=True, slots=True)
class Span:
    """The time axis of a page: seconds -> fraction of its width."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return max(self.end - self.begin, 1e-3)

    def __call__(self, time: float) -> float:
        return min(1.0, max(0.0, (time - self.begin) / self.seconds))

    def ticks(self, most: int = 7) -> list[float]:
        """Round media seconds, at most `most` of them."""
        step = next((step for step in TICK_STEPS if self.seconds / step < most), TICK_STEPS[-1] * 10)
        first = np.ceil(self.begin / step - 1e-9) * step
        return [float(tick) for tick in np.arange(first, self.end + 1e-9, step)]


def hill(bins: TimeBins, span: Span, top: float, *, peaks: bool = True) -> str:
    """The path of a filled stepped hill in a box of 1000 × 100: `top` reaches the ceiling, gaps stay empty."""
    values = bins.peaks if peaks else bins.means
    if len(values) == 0 or top <= 0:
        return ""
    half = bins.width / 2
    pieces: list[str] = []
    edges: list[tuple[float, float]] = []
    for time, value in [*zip(bins.times.tolist(), values.tolist(), strict=True), (bins.times[-1] + bins.width, np.nan)]:
        left, right = 1000 * span(time - half), 1000 * span(time + half)
        if value == value:
            height = 100 * (1 - min(1.0, value / top))
            if edges and edges[-1][1] == height:
                edges[-1] = (right, height)
            else:
                edges += [(left, height), (right, height)]
        elif edges:
            line = "".join(f"L{x:.1f} {y:.1f}" for x, y in edges)
            pieces.append(f"M{edges[0][0]:.1f} 100{line}L{edges[-1][0]:.1f} 100Z")
            edges = []
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram; fractions of the chart."""

    begin: float
    end: float  # not a number for "or longer"
    count: int
    x: float
    width: float
    height: float


def stay_histogram(seconds: Sequence[float] | NDArray[np.floating]) -> list[Bar]:
    """Seconds of stays -> bars between round edges, from the first that holds something to the last."""
    stays = np.asarray(seconds, np.float64)
    if len(stays) == 0:
        return []
    edges = np.array([*STAY_EDGES, np.inf])
    counts, _ = np.histogram(stays, edges)
    filled = np.flatnonzero(counts)
    first, last = int(filled[0]), int(filled[-1])
    while last - first + 1 < FEWEST_BARS:  # one lonely column would say nothing about its length
        first, last = max(0, first - 1), min(len(counts) - 1, last + 1)
    n, top = last - first + 1, int(counts.max())
    return [
        Bar(
            float(edges[i]),
            float(edges[i + 1]) if np.isfinite(edges[i + 1]) else float("nan"),
            int(counts[i]),
            (i - first) / n,
            1 / n,
            counts[i] / top,
        )
        for i in range(first, last + 1)
    ]


def ways_over_time(
    times: NDArray[np.float64], forward: NDArray[np.bool_], span: Span, bins: int = 40
) -> list[tuple[float, float, int, int]]:
    """Crossings of one line -> (x, width, forward, backward) per bin of time that holds any."""
    edges = np.linspace(span.begin, span.begin + span.seconds, bins + 1)
    ahead, back = np.histogram(times[forward], edges)[0], np.histogram(times[~forward], edges)[0]
    return [(i / bins, 1 / bins, int(a), int(b)) for i, (a, b) in enumerate(zip(ahead, back, strict=True)) if a or b]


@dataclass(frozen=True, slots=True)
class Heat:
    """A transparent picture of where feet stood, and the seconds that its colours mean."""

    png: bytes
    top: float  # object-seconds on one spot at the warmest colour
    beyond: bool  # whether a few spots are warmer still: one sleeper must not hide everyone else

    def at(self, share: float) -> float:
        """Seconds at a place of the legend, 0..1: colours follow the square root, so that a passer-by shows too."""
        return self.top * share * share


def heat(feet: FeetMap) -> Heat | None:
    """The heat map; None when nobody was seen."""
    if not feet:
        return None
    smooth = cv2.GaussianBlur(feet.seconds, (0, 0), 1.1)
    top = float(np.percentile(smooth[smooth > smooth.max() * 1e-3], 99.5))
    rows, columns = smooth.shape
    size = (HEAT_WIDTH, max(1, round(HEAT_WIDTH * rows / columns)))
    warm = np.clip(cv2.resize(np.sqrt(np.clip(smooth / top, 0, 1)), size, interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = cv2.applyColorMap((warm * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = np.clip(warm * 2.4, 0, 0.86)  # where nobody stood, the place itself shows
    alpha[warm < 0.03] = 0
    done, png = cv2.imencode(".png", np.dstack([colours, (alpha * 255).astype(np.uint8)]), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return Heat(png.tobytes(), top, bool(smooth.max() > 1.1 * top)) if done else None


def legend_colours(steps: int = 9) -> list[tuple[str, str]]:
    """-> (offset, "#rrggbb") along the heat map's colours."""
    shades = np.linspace(0, 255, steps).astype(np.uint8).reshape(1, -1)
    bgr = cv2.applyColorMap(shades, cv2.COLORMAP_INFERNO)[0]
    return [(percent(i / (steps - 1)), f"#{r:02x}{g:02x}{b:02x}") for i, (b, g, r) in enumerate(bgr.tolist())]


def blank_picture(size: tuple[int, int]) -> bytes:
    """A plain dark JPEG of the picture's shape, for a run that kept no picture."""
    wide, tall = size
    shape = (max(1, round(320 * tall / wide)), 320, 3)
    done, encoded = cv2.imencode(".jpg", np.full(shape, 52, np.uint8))
    return encoded.tobytes() if done else b""


def data_uri(picture: bytes) -> str:
    """Bytes of a JPEG, PNG or WebP -> data URI; "" for anything else."""
    if picture.startswith(b"\xff\xd8\xff"):
        kind = "jpeg"
    elif picture.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "png"
    elif picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        kind = "webp"
    else:
        return ""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
