"""The motion gate: spares the detector while nothing moves, and says how much it spared.

It looks at a small grey picture. Each pixel has its own idea of what is usual there (a running mean and a running
deviation), so rain, sensor noise and a flickering lamp raise the bar where they are; a change of the light all over
is taken out first; and what remains must stick together: a few pixels here and there are weather, a compact patch
that is larger than chance would make it is someone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Frame

LOOK_WIDTH, LOOK_HEIGHT = 192, 144  # pixels at most
Plane = NDArray[np.float32]


@dataclass
class GateStatistics:
    """What the gate did so far."""

    frames: int = 0
    detected: int = 0
    opened_by: dict[str, int] = field(default_factory=dict)  # reason -> frames

    @property
    def share(self) -> float:
        """The share of frames that went to the detector, 0..1; 1 before the first frame."""
        return self.detected / self.frames if self.frames else 1.0


class MotionGate:
    """One per camera. `look(frame, tracks_alive)` says whether to detect on this frame, and remembers why.

    beat: seconds without a detection after which one is made whatever happens, so that nobody who stood still while
    the gate learned, and nobody who crept in, stays unseen. stay: seconds that the gate stays open after the last motion.
    least: area of the smallest motion that opens it, as a share of the picture (0.0003 is 8 of 192 x 144 pixels:
    a walker a fifteenth of the picture tall). enabled False opens it for every frame.
    """

    def __init__(self, *, beat: float = 2.0, stay: float = 0.3, least: float = 0.0003, enabled: bool = True) -> None:
        self.beat, self.stay, self.least, self.enabled = beat, stay, least, enabled
        self.statistics = GateStatistics()
        self.reason = ""  # why the last look opened the gate; "" when it stayed shut
        self._model: _Usual | None = None
        self._last_detect = self._last_motion = -np.inf
        self._last_time = -np.inf

    def look(self, frame: Frame, tracks_alive: bool) -> bool:
        """Whether the detector should see this frame."""
        reason = self._why(frame, tracks_alive) if self.enabled else "off"
        self.reason = reason
        self.statistics.frames += 1
        if not reason:
            return False
        self._last_detect = frame.time
        self.statistics.detected += 1
        self.statistics.opened_by[reason] = self.statistics.opened_by.get(reason, 0) + 1
        return True

    def _why(self, frame: Frame, tracks_alive: bool) -> str:
        gap = frame.time - self._last_time
        self._last_time = frame.time
        small = shrink(frame)
        if self._model is None or self._model.mean.shape != small.shape or gap > 10 or gap < 0:
            self._model = _Usual(small)
            self._last_motion = frame.time
            return "start"
        if self._model.moves(small, min(gap, 1.0), self.least):
            self._last_motion = frame.time
        if frame.time - self._last_motion <= self.stay:
            return "motion"
        if tracks_alive:
            return "tracks"
        if frame.time - self._last_detect >= self.beat - 1e-6:
            return "beat"
        return ""


def shrink(frame: Frame) -> NDArray[np.uint8]:
    """The frame's luma, at most 192 x 144, keeping its shape."""
    luma = frame.luma
    tall, wide = luma.shape
    ratio = min(LOOK_WIDTH / wide, LOOK_HEIGHT / tall, 1.0)
    if ratio == 1.0:
        return luma
    size = (max(round(wide * ratio), 1), max(round(tall * ratio), 1))
    if ratio < 1 / 6:  # every pixel of a large picture need not be read for this
        luma = cv2.resize(luma, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


class _Usual:
    """What is usual at each pixel: a running mean and a running mean absolute deviation, both by seconds."""

    def __init__(self, small: NDArray[np.uint8]) -> None:
        self.mean: Plane = small.astype(np.float32)
        self.deviation: Plane = np.full(small.shape, 3.0, np.float32)
        self._before: NDArray[np.uint8] = np.zeros(small.shape, np.uint8)  # the last look's mask
        self._patch: NDArray[np.uint8] | None = None  # and what was compact in it

    def moves(self, small: NDArray[np.uint8], seconds: float, least: float) -> bool:
        """Whether something compact moved; learns from the picture as it goes. `seconds` since the last look."""
        now = small.astype(np.float32)
        change = now - _relit(self.mean, now)
        size = np.abs(change)
        threshold = np.maximum(self.deviation * SIGMAS, FLOOR)
        mask = (size > threshold).view(np.uint8)

        changed = cv2.countNonZero(mask) / mask.size
        if changed > UPHEAVAL:  # the light was switched, or the camera turned: all is new, and new is usual
            self.mean, self._before, self._patch = now, np.zeros_like(mask), None
            return True

        # The mean follows the picture itself, not the relit mean: feeding the compensation back would let it swing.
        cv2.accumulateWeighted(now, self.mean, 1 - np.exp(-seconds / MEAN_SECONDS))
        # Clipped: a passer-by teaches a little unrest, a tree that waves all day teaches all of it.
        cv2.accumulateWeighted(np.minimum(size, 3 * threshold), self.deviation, 1 - np.exp(-seconds / DEVIATION_SECONDS))
        before, self._before = self._before, mask
        least_pixels = max(least * mask.size, 4.0)
        if seconds > SPARSE:  # so few looks that a walker is elsewhere each time
            return _patches(mask, least_pixels) is not None
        # A body still covers part of where it was at the last look; a rain drop is elsewhere. Who runs leaves no such
        # trace, but is thick. And what is there goes on: a patch counts when one was near at the last look.
        patch = _patches(mask & before, least_pixels)
        if patch is None:
            patch = _patches(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _SQUARE), least_pixels)
        last, self._patch = self._patch, patch
        return patch is not None and last is not None and bool((cv2.dilate(last, _NEAR) & patch).any())


def _patches(mask: NDArray[np.uint8], pixels: float) -> NDArray[np.uint8] | None:
    """The compact patches of so many pixels; None where there is none."""
    if cv2.countNonZero(mask) < pixels:
        return None
    # Of nine neighbours at least five: single pixels and thin streaks vanish.
    dense = cv2.boxFilter(mask, cv2.CV_8U, (3, 3), normalize=False, borderType=cv2.BORDER_REPLICATE)
    solid = ((dense >= 5) & (mask > 0)).view(np.uint8)
    if cv2.countNonZero(solid) < pixels:
        return None
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= pixels
    large[0] = False
    return large[labels].view(np.uint8) if large.any() else None


SIGMAS = 5.0  # times the mean absolute deviation: four standard deviations of Gaussian noise
FLOOR = 7.0  # grey levels; no smaller change counts, however still the camera
UPHEAVAL = 0.4  # share of the picture
MEAN_SECONDS = 3.0  # what stands still this long is usual
DEVIATION_SECONDS = 12.0
SPARSE = 0.25  # seconds between looks beyond which a patch need not overlap its last place
_SQUARE, _NEAR = np.ones((5, 5), np.uint8), np.ones((9, 9), np.uint8)


def _relit(mean: Plane, now: Plane) -> Plane:
    """The usual picture in the light of now: one gain for all, and an offset that changes slowly across the picture.

    The offset is the median over neighbouring cells, so that a person, who is smaller, does not count as light.
    """
    (mean_of, spread), (now_of, now_spread) = (cv2.meanStdDev(mean), cv2.meanStdDev(now))
    gain = float(np.clip(now_spread[0, 0] / max(spread[0, 0], 1e-3), 0.25, 4.0)) if spread[0, 0] > 4 else 1.0
    relit = (mean - np.float32(mean_of[0, 0])) * np.float32(gain) + np.float32(now_of[0, 0])
    cells = cv2.resize(now - relit, (12, 9), interpolation=cv2.INTER_AREA)
    offset = cv2.resize(cv2.medianBlur(cells, 3), (mean.shape[1], mean.shape[0]), interpolation=cv2.INTER_LINEAR)
    result: Plane = relit + offset
    return result
