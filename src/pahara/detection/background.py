"""What the scene looks like without anyone in it, learned from the video: the ground that moving things stand out from.

One colour and one measure of unrest per pixel, after Wren et al. (Pfinder, 1997); pixels of things that are being
watched do not learn, so whoever stands still for minutes is not absorbed. Cast shadows are told from bodies by their
colour and texture, which a shadow keeps (Horprasert et al. 1999). A change of the light is undone before comparing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Grey, Image

Plane = NDArray[np.float32]
Mask = NDArray[np.uint8]  # 0 or 1

LEARN = 8.0  # seconds in which the background follows what it sees
SETTLE = 1.0  # seconds of fast learning after the light has changed all over
UNREST = 15.0  # seconds over which a pixel's unrest is measured
WEAK, STRONG = 3.5, 7.0  # times the unrest: belongs to a thing; is certain to
FLOOR_WEAK, FLOOR_STRONG = 10, 20  # grey levels, at least
UPHEAVAL = 0.45  # share of the picture that changes only when the light does
CERTAIN = 2  # pixels of a patch that must be beyond STRONG
SHADOW_DARKEST, SHADOW_LIGHTEST = 0.40, 0.97  # brightness of a shadow, against the ground in the sun
FAINT = 0.8  # brightness of a shadow from which it is faint
HUE = 9.0  # grey levels by which a shadow's colour may differ from the ground's
SLENDER = (2.2, 3.0)  # height over width of someone seen from head to foot, at least and usually
BODY = 0.3  # share of a patch that is no shadow, at least, where there is a body
_SQUARE, _CROSS = np.ones((3, 3), np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True, eq=False)
class Foreground:
    """What differs from the background in one picture."""

    mask: Mask  # (h, w) things, shadows taken out
    change: Grey  # (h, w) grey levels from the background, the most of three channels
    weak: Grey  # (h, w) grey levels from which a change counts
    now: Image  # (h, w, 3) the picture
    ground: Image  # (h, w, 3) the background, in the same light
    upheaval: bool  # the light changed all over: nothing can be said of this picture

    def outline_is_real(self, region: Mask, at: tuple[int, int]) -> float:
        """Whether the outline of a patch stands in the picture (towards 1) or in the background (towards −1).

        A thing that is there has its edges in the picture. Where something went away, or was never there, the edges
        stand in the background alone. `region` (h, w) is a cut-out of the patch with a margin, `at` its top left corner.
        """
        rows, columns = slice(at[1], at[1] + region.shape[0]), slice(at[0], at[0] + region.shape[1])
        rim = cv2.morphologyEx(region, cv2.MORPH_GRADIENT, _CROSS) > 0
        here = _gradient(cv2.cvtColor(self.now[rows, columns], cv2.COLOR_BGR2GRAY))[rim].sum()
        there = _gradient(cv2.cvtColor(self.ground[rows, columns], cv2.COLOR_BGR2GRAY))[rim].sum()
        return float((here - there) / max(here + there, 1e-6))


class Background:
    """One per camera; pictures are (h, w, 3) BGR uint8, always of one size."""

    def __init__(self, picture: Image) -> None:
        self._now: Image = cv2.GaussianBlur(picture, (3, 3), 0)
        self._ground8: Image = self._now
        self.ground: Plane = self._now.astype(np.float32)
        self.unrest: Plane = np.full(picture.shape[:2], 2.0, np.float32)
        self._watched: Mask = np.zeros(picture.shape[:2], np.uint8)
        self._change: Grey = np.zeros(picture.shape[:2], np.uint8)
        self._settled = SETTLE  # seconds since the start or the last upheaval, up to SETTLE

    def compare(self, picture: Image) -> Foreground:
        """The picture against the background, in the light of now."""
        now = self._now = cv2.GaussianBlur(picture, (3, 3), 0)
        self._relight(now)
        ground = self._ground8 = cv2.convertScaleAbs(self.ground)
        change = self._change = _most(cv2.absdiff(now, ground))
        weak = cv2.max(cv2.convertScaleAbs(self.unrest, alpha=WEAK), FLOOR_WEAK)
        mask = (change > weak).view(np.uint8)
        changed = cv2.countNonZero(mask)
        upheaval = changed > UPHEAVAL * mask.size
        if upheaval:
            self._start_again(now)
            mask = np.zeros_like(mask)
        elif changed:
            mask = self._sift(mask, change > cv2.max(cv2.convertScaleAbs(self.unrest, alpha=STRONG), FLOOR_STRONG))
        return Foreground(mask, change, weak, now, ground, upheaval)

    def _sift(self, mask: Mask, core: NDArray[np.bool_]) -> Mask:
        """Patch by patch: shadows and patches without a certain pixel are taken out."""
        now, ground = self._now, self._ground8
        whole, kept_whole = mask, np.zeros_like(mask)
        left, top, width, height = cv2.boundingRect(mask)
        inside = np.s_[top : top + height, left : left + width]  # most of the picture is empty
        mask, core, kept, now, ground = whole[inside], core[inside], kept_whole[inside], now[inside], ground[inside]
        count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(mask, _SQUARE), connectivity=8)
        for patch in range(1, count):
            x, y, wide, tall, _ = stats[patch]
            at = np.s_[y : y + tall, x : x + wide]
            own = ((labels[at] == patch) & (mask[at] > 0)).view(np.uint8)
            certain = core[at] & (own > 0)
            if np.count_nonzero(certain) < CERTAIN:
                continue
            own = _without_shadow(own, _shadow(now[at], ground[at]))
            if np.count_nonzero(certain & (own > 0)) >= CERTAIN:
                kept[at] |= own
        return kept_whole

    def learn(self, watched: Mask, seconds: float) -> None:
        """After `compare`: the ground follows the picture, except where something is watched. `seconds` since the last picture."""
        self._settled = min(self._settled + seconds, SETTLE)
        tau = LEARN if self._settled >= SETTLE else SETTLE / 3
        free = 1 - watched
        cv2.accumulateWeighted(self._now, self.ground, float(1 - np.exp(-seconds / tau)), mask=free)
        # Clipped: what passes once teaches a little unrest, a tree that waves all day teaches all of it.
        limit = cv2.max(cv2.convertScaleAbs(self.unrest, alpha=4.0), 2 * FLOOR_WEAK)
        cv2.accumulateWeighted(cv2.min(self._change, limit), self.unrest, float(1 - np.exp(-seconds / UNREST)), mask=free)
        self._watched = watched

    def absorb(self, region: Mask) -> None:
        """What is seen there is ground from now on."""
        here = region > 0
        self.ground[here] = self._now[here]

    def _relight(self, now: Image) -> None:
        """One gain per channel: the median over points where nothing is watched, so that people do not count."""
        points = np.s_[4::8, 4::8]
        small, ground = now[points].astype(np.float32), self.ground[points]
        free = (self._watched[points] == 0) & (ground.min(axis=2) > 8) & (small.max(axis=2) < 250)
        if np.count_nonzero(free) < 40:
            return
        gain = np.median(small[free] / ground[free], axis=0)
        if np.abs(gain - 1).max() > 0.004:
            cv2.multiply(self.ground, (*np.clip(gain, 0.2, 5.0).tolist(), 1.0), dst=self.ground)
            np.minimum(self.ground, 255.0, out=self.ground)

    def _start_again(self, now: Image) -> None:
        """All is new. What lay behind the watched things is guessed from how their surroundings changed."""
        watched = cv2.dilate(self._watched, np.ones((5, 5), np.uint8)) > 0
        if 0 < watched.mean() < 0.5:
            gain = np.median(now[~watched] / np.maximum(self.ground[~watched], 1), axis=0)
            behind = np.clip(self.ground[watched] * gain, 0, 255)
            self.ground = now.astype(np.float32)
            self.ground[watched] = behind
        else:
            self.ground = now.astype(np.float32)
        self.unrest[:] = np.maximum(self.unrest, 2.0)
        self._settled = 0.0


def _most(three: NDArray[Any]) -> NDArray[Any]:
    """(h, w, 3) -> (h, w): the largest channel."""
    b, g, r = cv2.split(three)
    largest: NDArray[Any] = cv2.max(cv2.max(b, g), r)
    return largest


def _gradient(grey: Grey) -> Plane:
    """(h, w) -> (h, w) grey levels per pixel."""
    x = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, scale=0.25)
    y = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3, scale=0.25)
    size: Plane = cv2.magnitude(x, y)
    return size


def _shadow(now_image: Image, ground_image: Image) -> Mask:
    """(h, w, 3) twice -> (h, w): darker by one and the same factor in all channels, and with the ground's own texture.

    2 where so faint that hardly anyone wears it: the soft end of a shadow, or a reflection in the floor.
    """
    now, ground = now_image.astype(np.float32), ground_image.astype(np.float32)
    grey, ground_grey = cv2.cvtColor(now, cv2.COLOR_BGR2GRAY), cv2.cvtColor(ground, cv2.COLOR_BGR2GRAY)
    ratio = grey / np.maximum(ground_grey, 1.0)
    dark = (ratio > SHADOW_DARKEST) & (ratio < SHADOW_LIGHTEST)
    hue = _most(cv2.absdiff(now, ground * ratio[..., None]))  # what is left when the brightness is undone
    shadow: Mask = (dark & (hue < HUE)).view(np.uint8)
    shadow[(shadow > 0) & (ratio > FAINT)] = 2
    return shadow


def _without_shadow(own: Mask, shadow: Mask) -> Mask:
    """A patch without its cast shadow. Grey clothes look like shadow too, so what lies below a body stays: its legs.

    Where next to nothing but deep shadow is left, the patch stays whole: it is someone in grey.
    """
    deep = own & (shadow < 2).view(np.uint8)
    body = cv2.morphologyEx(own & (shadow == 0).view(np.uint8), cv2.MORPH_OPEN, _SQUARE)
    if cv2.countNonZero(body) < BODY * cv2.countNonZero(deep):
        return np.asarray(deep, np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(body, connectivity=8)
    kept: Mask = own & (shadow == 0).view(np.uint8)
    for x, y, wide, tall, area in stats[1:count]:
        if area >= 0.2 * wide * tall and tall >= wide / 2:
            beside = np.s_[y : y + tall, x : x + wide]
            kept[beside] |= own[beside]
            if tall < SLENDER[0] * wide:  # else it is seen from head to foot, and what lies below is shadow
                legs = np.s_[y : y + round(SLENDER[1] * wide), x : x + wide]
                kept[legs] |= deep[legs]
    return kept
