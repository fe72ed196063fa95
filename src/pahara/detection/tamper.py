"""Watches the picture itself: is the camera covered, out of focus, turned away, blind or stuck?

A small grey picture is compared, a few times a second, with what this camera usually shows. Compared are the
*directions* of its edges, which light, exposure and contrast leave as they are, while people and rain only touch a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Frame
from pahara.core.frozen import Frozen

Plane = NDArray[np.float32]
NAMES = ("tamper.covered", "tamper.defocused", "tamper.moved", "tamper.dark", "tamper.frozen")

WIDE, HIGH = 160, 120  # the small picture, pixels
LEARN_FIRST = 20.0  # seconds over which the first idea of the view is formed
SETTLE = 4.0  # seconds of looking before anything is said
SLOW = 300.0  # seconds in which the usual view follows sun and shadows
SLOWER = 3000.0  # seconds in which it follows while something seems wrong: half an hour later the new view is usual
STEADY = 0.5  # length of the mean edge direction from which an edge belongs to the view (1 = always the same)
CLEAR = 24.0  # Sobel response from which a rise of luma is fully an edge: three levels from pixel to pixel
FAINTEST = 0.04  # length of the faintest edge whose direction is believed: one Sobel count
SAME = 0.6  # cosine of the angle within which an edge still has its direction
CHANCE = 0.295  # share of random directions within that angle: arccos(0.6) / 180 degrees
FEWEST = 200  # edges of the view, of 19,200 pixels, without which nothing can be said of them
KEPT = 0.35  # share of the view's edges in place under which the view is gone
PARTS = 4  # along and across, whose sharpness is judged each by itself
ROWS = 60  # rows of the picture that are looked at for sharpness
RELIEF = 10.0  # levels of luma: a part with smaller steps has nothing that could be sharp
FEWEST_PARTS = 4  # with so few of them all are asked
SHARP = 0.5  # sharpness against the usual under which it is out of focus
FLAT = 0.5  # contrast against the usual under which it is covered
LAYOUT = 0.6  # likeness of the coarse picture from which it still is the same view, only blurred
BLACK = 32.0  # luma that hardly anything in a dark picture exceeds (16 is black in video)
BARE = 3.0  # standard deviation of luma under which there is nothing to see at all
SILENT = 5.0  # seconds without frames after which "no change" tells nothing
CHANGED = 4  # sampled pixels that must differ: one hot pixel is no life


@dataclass
class TamperSignals:
    """One per camera. A frame -> `tamper.*`, looked at `every` seconds; between the looks the last answer stands.

    covered, defocused, moved, dark: scores from 0 to 1, 0.5 where it would be called so; at most one of them is high.
    frozen: seconds since any pixel changed.
    """

    every: float = 0.5  # seconds between two looks

    def __post_init__(self) -> None:
        if not self.every > 0:
            raise ValueError(f"tamper signals: every must be more than 0 seconds, got {self.every}")
        self._next = -np.inf
        self._answer: Mapping[str, float] = Frozen(dict.fromkeys(NAMES, 0.0))
        self._view: _View | None = None
        self._stillness = _Stillness()
        self._size = (0, 0)

    def __call__(self, frame: Frame) -> Mapping[str, float]:
        if frame.time < self._next - 1e-6:
            return self._answer
        self._next = frame.time + self.every
        luma = frame.luma
        if frame.size != self._size:
            self._view, self._stillness, self._size = None, _Stillness(), frame.size
        look = _Look.at(luma)
        if self._view is None:
            self._view = _View(look, frame.time)
        scores = self._view.judge(look, frame.time)
        scores["tamper.frozen"] = self._stillness.seconds(luma, frame.time)
        self._answer = Frozen(scores)
        return self._answer


@dataclass(frozen=True, eq=False, slots=True)
class _Look:
    """What is measured in one picture."""

    edges: NDArray[np.complex64]  # (HIGH, WIDE) direction of the steepest rise, length up to 1: 0 where it is flat
    dazzled: NDArray[np.bool_]  # (HIGH, WIDE) overexposed: nothing can be seen there
    layout: Plane  # (12, 16) coarse picture, mean 0, length 1
    contrast: float  # standard deviation of luma
    brightest: float  # luma that 5 % of the small picture exceed
    sharpness: Plane  # (16,) of each part of the picture: the steepest fine steps over the steepest coarse ones
    relief: Plane  # (16,) those coarse steps, levels of luma: where there are none, nothing can be sharp

    @classmethod
    def at(cls, luma: NDArray[np.uint8]) -> _Look:
        # First drop pixels, then average by exactly two: as good here, and as cheap for a large picture as for a small one.
        some = cv2.resize(luma, (2 * WIDE, 2 * HIGH), interpolation=cv2.INTER_NEAREST)
        small = cv2.resize(some, (WIDE, HIGH), interpolation=cv2.INTER_AREA)
        dx, dy = cv2.spatialGradient(cv2.GaussianBlur(small, (3, 3), 0))
        rise = dx.astype(np.float32) + 1j * dy.astype(np.float32)
        size = np.abs(rise)
        edges = (rise / np.maximum(size, CLEAR)).astype(np.complex64)
        coarse = cv2.resize(small, (16, 12), interpolation=cv2.INTER_AREA).astype(np.float32)
        _, deviation = cv2.meanStdDev(small)
        coarse -= coarse.mean()
        levels = _histogram(small).cumsum()
        return cls(
            edges,
            small >= 250,
            coarse / max(float(np.linalg.norm(coarse)), 1.0),
            float(deviation[0, 0]),
            float(levels.searchsorted(0.95 * levels[-1])),
            *_sharpness(luma),
        )


class _View:
    """What the camera usually shows."""

    def __init__(self, first: _Look, time: float) -> None:
        self._edges, self._layout = first.edges.copy(), first.layout.copy()
        self._contrast, self._sharpness, self._relief = first.contrast, first.sharpness.copy(), first.relief.copy()
        self._kept = 1.0
        self._began = self._last = time
        self._looks = 1

    def judge(self, look: _Look, time: float) -> dict[str, float]:
        """How wrong this picture is, by name; then it is learned, slowly."""
        share = self._share_in_place(look)
        kept = share / max(self._kept, 0.6)
        sharp = self._share_of_sharpness(look)
        contrast = look.contrast / max(self._contrast, 1e-3)
        alike = float((look.layout * self._layout).sum() / max(float(np.linalg.norm(self._layout)), 1e-6))
        scores = dict.fromkeys(NAMES, 0.0)
        if time - self._began >= SETTLE:
            name, score = _verdict(look, kept, sharp, contrast, alike)
            scores[name] = score
        self._learn(look, share, time, usual=max(scores.values()) < 0.5)
        return scores

    def _share_in_place(self, look: _Look) -> float:
        """Share of the view's edges that keep their direction, 0 where only chance is left of them."""
        steady = (np.abs(self._edges) >= STEADY) & ~look.dazzled
        if np.count_nonzero(steady) < FEWEST:
            return self._kept  # nothing to go by
        usual, now = self._edges[steady], look.edges[steady]
        lengths = np.abs(now)
        cosine = (usual.real * now.real + usual.imag * now.imag) / np.maximum(np.abs(usual) * lengths, 1e-6)
        share = np.count_nonzero((cosine >= SAME) & (lengths > FAINTEST)) / len(now)
        return float(max(share - CHANCE, 0.0) / (1 - CHANCE))

    def _share_of_sharpness(self, look: _Look) -> float:
        """Against the usual, in the middle one of the parts: the camera's own clock and title stay sharp behind any lens."""
        telling = self._relief >= RELIEF
        if np.count_nonzero(telling) < FEWEST_PARTS:
            telling[:] = True
        return float(np.median(look.sharpness[telling] / np.maximum(self._sharpness[telling], 1e-3)))

    def _learn(self, look: _Look, share: float, time: float, *, usual: bool) -> None:
        passed = min(time - self._last, 10.0)
        self._last = time
        self._looks += 1
        young = usual and time - self._began < LEARN_FIRST
        weight = max(1 / self._looks, passed / LEARN_FIRST) if young else passed / (SLOW if usual else SLOWER)
        self._edges += np.complex64(weight) * (look.edges - self._edges)
        self._layout += np.float32(weight) * (look.layout - self._layout)
        self._contrast += weight * (look.contrast - self._contrast)
        self._kept += weight * (share - self._kept)
        self._sharpness += np.float32(weight) * (look.sharpness - self._sharpness)
        self._relief += np.float32(weight) * (look.relief - self._relief)


def _verdict(look: _Look, kept: float, sharp: float, contrast: float, alike: float) -> tuple[str, float]:
    """The name of what is wrong, and how much."""
    if look.brightest < 2 * BLACK and (black := _below(look.brightest, BLACK)) >= 0.5:
        return "tamper.dark", black
    if look.contrast < BARE:
        return "tamper.covered", 1.0
    blurred = _below(sharp, SHARP) if alike >= LAYOUT else 0.0
    gone = _below(kept, KEPT)
    if gone >= 0.5 and contrast < FLAT:
        return "tamper.covered", gone
    if blurred >= min(gone, 0.5):
        return "tamper.defocused", blurred
    return ("tamper.covered" if sharp < SHARP else "tamper.moved"), gone


def _below(value: float, limit: float) -> float:
    """1 at 0, 0.5 at the limit, 0 at twice the limit and above."""
    return float(min(max(1 - value / (2 * limit), 0.0), 1.0))


def _sharpness(luma: NDArray[np.uint8]) -> tuple[Plane, Plane]:
    """(16,), (16,): in each of four by four parts, the steepest steps over two pixels by the steepest across a sixteenth of the picture; these.

    A blurred picture keeps its large steps and loses the small ones; more light or contrast scales both. Only the steepest
    three in a hundred count, and a glance is averaged over three pixels first, so that sensor noise does not pass for detail.
    """
    if min(luma.shape) < 64:  # else a part would have no columns left to compare
        luma = np.asarray(cv2.resize(luma, (max(luma.shape[1], 64), max(luma.shape[0], 64))), np.uint8)
    rows = np.linspace(1, luma.shape[0] - 2, ROWS).astype(np.intp)
    thick = (luma[rows - 1].astype(np.uint16) + luma[rows] + luma[rows + 1]) // 3
    thick = cv2.blur(thick, (3, 1)).astype(np.uint8)
    far = max(3, luma.shape[1] // 16)
    wide, high = luma.shape[1] // PARTS, ROWS // PARTS
    fine, coarse = np.empty(PARTS * PARTS, np.float32), np.empty(PARTS * PARTS, np.float32)
    for part in range(PARTS * PARTS):
        top, left = high * (part // PARTS), wide * (part % PARTS)
        piece = thick[top : top + high, left : left + wide]
        fine[part] = _steep(cv2.absdiff(piece[:, 2:], piece[:, :-2]))
        coarse[part] = _steep(cv2.absdiff(piece[:, far:], piece[:, :-far]))
    return fine / (coarse + 4), coarse


def _steep(steps: NDArray[np.uint8]) -> float:
    """The step that three in a hundred exceed, as the mean of those beyond it (finer than whole levels)."""
    counts = _histogram(steps)
    most = counts[::-1].cumsum()[::-1]  # how many are at least so large
    wanted = max(1.0, 0.03 * steps.size)
    level = int(np.searchsorted(-most, -wanted, side="right")) - 1
    beyond = np.arange(level, 256)
    return float((beyond * counts[level:]).sum() / max(counts[level:].sum(), 1))


def _histogram(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(256,) pixels of each level."""
    counts: NDArray[np.float32] = cv2.calcHist([picture], [0], None, [256], [0, 256]).ravel()  # (256, 1) before OpenCV 5
    return counts


class _Stillness:
    """Since when no pixel has changed."""

    def __init__(self) -> None:
        self._before: NDArray[np.uint8] | None = None
        self._since = self._last = -np.inf

    def seconds(self, luma: NDArray[np.uint8], time: float) -> float:
        # Single pixels, not averages: what is looked for is the noise itself.
        sample = luma[:: max(1, luma.shape[0] // HIGH), :: max(1, luma.shape[1] // WIDE)].copy()
        before = self._before
        same = before is not None and time - self._last <= SILENT and int(np.count_nonzero(sample != before)) < CHANGED
        self._last = time
        if not same:
            self._before, self._since = sample, time
        return time - self._since
