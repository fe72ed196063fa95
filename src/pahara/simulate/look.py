"""What the footage's light, lens and sensor do to people, so that staged ones can be given the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from pahara.core import Image

from .view import Scale, usable

Floats = NDArray[np.floating[Any]]
LUMA = np.array([0.114, 0.587, 0.299])  # blue, green, red
FEWEST_PIXELS = 1500  # of real people, below which their colours tell nothing
SHADOW_REACH, SHADOW_STEP = 1.2, 0.1  # body heights around the feet, and the grid in which shadows are averaged
STANDS_OUT = 22  # levels from the background at which a pixel belongs to someone


@dataclass(frozen=True)
class Colours:
    """First and second moments of people's pixels: luma and its distance in each channel."""

    mean: float
    spread: float
    cast: tuple[float, float, float]  # mean of (channel - luma), BGR
    colour: float  # mean absolute distance from grey
    pixels: int
    darkest: float = 0.0  # luma that 2 % are below
    brightest: float = 255.0  # and that 1 % are above

    @classmethod
    def of(cls, pixels: NDArray[Any]) -> Colours:
        """(n, 3) BGR display values."""
        rows = pixels.astype(np.float64)
        luma = rows @ LUMA
        off = rows - luma[:, None]
        cast = off.mean(0)
        return cls(
            float(luma.mean()),
            float(luma.std()),
            (float(cast[0]), float(cast[1]), float(cast[2])),
            float(np.abs(off - cast).mean()),
            len(rows),
            *np.percentile(luma, [2, 99]).tolist(),
        )


@dataclass(frozen=True)
class Grade:
    """Rendered colour -> the footage's: luma' = offset + gain * luma, colour' = saturation * colour + cast."""

    gain: float = 1.0
    offset: float = 0.0
    saturation: float = 1.0
    cast: tuple[float, float, float] = (0.0, 0.0, 0.0)
    darkest: float = 0.0  # luma: blacks that lens and air never let through
    brightest: float = 255.0

    def __call__(self, colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(..., 3) BGR -> (..., 3) BGR."""
        rows = colours.astype(np.float64)
        luma = (rows @ LUMA)[..., None]
        told = self.offset + self.gain * luma
        told = self.darkest + np.logaddexp(0, (told - self.darkest) / 8) * 8  # softly: what is darker than any real one keeps its order
        made = np.minimum(told, self.brightest) + self.saturation * (rows - luma) + np.array(self.cast)
        return np.asarray(np.clip(np.round(made), 0, 255), np.uint8)


@dataclass(frozen=True)
class Shadow:
    """How people darken the ground: at their feet, and along an arrow on the picture (body heights, y downwards)."""

    contact: float = 0.30  # share of light that is missing right at the feet
    cast: float = 0.0  # the same along the arrow; 0 is no cast shadow
    way: tuple[float, float] = (0.0, 0.0)
    soft: float = 0.06  # body heights over which its edge fades
    measured: bool = False


@dataclass(frozen=True, eq=False)
class Look:
    """All that was measured in the footage about how people look in it."""

    background: Image  # (h, w, 3) median of the footage
    grade: Grade = Grade()
    blur: float = 0.5  # pixels (sigma) by which edges are softer than rendered ones
    noise: float = 1.0  # levels (sigma) from frame to frame
    grey: bool = False  # without colour (infrared)
    quality: int = 80  # of JPEG, as a stand-in for the footage's compression
    shadow: Shadow = Shadow()
    people: int = 0  # boxes of real people that it was measured on
    measured: tuple[str, ...] = field(default=())  # which of these were measured, not assumed: colours, blur, noise, shadow

    def plain(self) -> dict[str, Any]:
        """JSON-ready, without the picture."""
        return {
            "gain": round(self.grade.gain, 3), "offset": round(self.grade.offset, 1), "saturation": round(self.grade.saturation, 3),
            "blur": round(self.blur, 2), "noise": round(self.noise, 2), "grey": self.grey, "quality": self.quality,
            "shadow": {"contact": round(self.shadow.contact, 2), "cast": round(self.shadow.cast, 2), "way": [round(v, 2) for v in self.shadow.way]},
            "people": self.people, "measured": list(self.measured),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame of the footage, the one after it, and the boxes of people in it."""

    image: Image
    after: Image | None
    boxes: Floats  # (n, 4) pixels


def median_background(samples: Sequence[Sample]) -> Image:
    """(h, w, 3): what is there when nobody stands before it; in strips, so that memory stays small.

    Where someone always stands, what is usual there is all that can be told.
    """
    out = np.empty_like(samples[0].image)
    tall = out.shape[0]
    for top in range(0, tall, 48):
        strip = np.stack([s.image[top : top + 48] for s in samples])
        usual = np.median(strip, axis=0)
        hidden = np.zeros(strip.shape[:3], bool)
        for k, sample in enumerate(samples):
            for x1, y1, x2, y2 in np.round(sample.boxes).astype(int):
                hidden[k, max(y1 - 4 - top, 0) : max(y2 + 4 - top, 0), max(x1 - 4, 0) : max(x2 + 4, 0)] = True
        some = hidden.any(0) & (~hidden).any(0)
        if some.any():
            rows = strip[:, some].astype(np.float32)
            rows[hidden[:, some]] = np.nan
            usual[some] = np.nanmedian(rows, axis=0)
        out[top : top + 48] = usual.astype(np.uint8)
    return out


def standing_out(image: Image, background: Image) -> NDArray[np.bool_]:
    """(h, w) True where something is before the background."""
    apart = cv2.absdiff(image, background).max(-1)
    return np.asarray(cv2.medianBlur(apart, 3) > STANDS_OUT, bool)


def measure_look(
    samples: Sequence[Sample], background: Image, scale: Scale, rendered: Colours, rendered_blur: float, *, bits: float = 0.0
) -> Look:
    """The look of people in the footage. `rendered` and `rendered_blur` are the same measures of staged people as they come.

    `bits` of the file per pixel and frame (0 unknown). What real people cannot tell (there are none, or too few) is assumed:
    usual contrast, a soft contact shadow, no cast shadow.
    """
    told: list[str] = []
    pixels, blurs, people = [], [], 0
    for sample in samples:
        if not len(sample.boxes):
            continue
        out = standing_out(sample.image, background)
        grey = sample.image @ LUMA
        for box in _whole(sample, background):
            x1, y1, x2, y2 = np.round(box).astype(int)
            x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, out.shape[1]), min(y2, out.shape[0])
            inside = out[y1:y2, x1:x2]
            if inside.size < 60 or inside.mean() < 0.2:
                continue  # a picture on the wall, or someone who has always stood there
            people += 1
            pixels.append(sample.image[y1:y2, x1:x2][cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0][:4000])
            blurs.append(edge_blur(grey[max(y1 - 3, 0) : y2 + 3, max(x1 - 6, 0) : x2 + 6]))
    colours = np.concatenate(pixels) if pixels else np.zeros((0, 3), np.uint8)
    every = np.concatenate([s.image[::7, ::7].reshape(-1, 3) for s in samples])
    grey_picture = float(np.abs(every - (every @ LUMA)[:, None]).mean()) < 1.5
    if len(colours) >= FEWEST_PIXELS and people >= 8:
        told.append("colours")
        grade = match(rendered, Colours.of(colours), trust=people / (people + 15))
    else:
        grade = _unseen(rendered, every)
    good = [b for b in blurs if b > 0]
    blur = 0.6
    if len(good) >= 8:
        told.append("blur")
        blur = float(np.sqrt(max(np.median(good) ** 2 - rendered_blur**2, 0.0)))
    noise = _noise(samples, background)
    shadow = measure_shadow(samples, background, scale)
    if shadow.measured:
        told.append("shadow")
    quality = int(np.clip(round(58 + 90 * bits), 50, 92)) if bits else 85
    return Look(background, grade, min(blur, 3.0), noise, grey_picture, quality, shadow, people, ("noise", *told))


def _whole(sample: Sample, background: Image) -> Floats:
    """(n, 4) boxes of whole people, not cut by the border."""
    size = (background.shape[1], background.shape[0])
    return np.asarray(sample.boxes[usable(sample.boxes, np.ones(len(sample.boxes)), size)])


def match(rendered: Colours, real: Colours, trust: float = 1.0) -> Grade:
    """Rendered people's colours -> real ones': same mean and spread of luma, same mean and strength of colour (Reinhard et al., 2001).

    `trust` 0..1: with few real people their clothes are not the light's tint, so only a part of it is taken over.
    """
    gain = float(np.clip(real.spread / max(rendered.spread, 1.0), 0.35, 1.45))
    saturation = float(np.clip(real.colour / max(rendered.colour, 0.5), 0.0, 1.6))
    cast = trust * (np.array(real.cast) - saturation * np.array(rendered.cast))
    return Grade(
        gain, real.mean - gain * rendered.mean, saturation, (float(cast[0]), float(cast[1]), float(cast[2])), real.darkest, real.brightest
    )


def _unseen(rendered: Colours, picture: Floats) -> Grade:
    """Nobody to learn from: the picture's own range of light, and clothes a little darker than the ground, as they usually are."""
    luma = picture @ LUMA
    low, middle, high = np.percentile(luma, [2, 50, 98])
    mean = float(np.clip(0.72 * middle + 0.28 * low, low + 10, high))
    gain = float(np.clip((high - low) / 210.0, 0.35, 1.1))
    off = np.abs(picture - luma[:, None]).mean()
    return Grade(
        gain,
        mean - gain * rendered.mean,
        float(np.clip(off / 9.0, 0.0, 1.0)) * 0.9,
        (0.0, 0.0, 0.0),
        float(np.percentile(luma, 0.5)),
        float(high),
    )


def edge_blur(grey: Floats) -> float:
    """Sigma, in pixels, of the blur that the sharpest steps along the rows show; 0 where there are none.

    The steepest change over one pixel is to the steepest over four as the blur's shape says: for a step edge blurred by
    a Gaussian, erf(0.5 / (s * sqrt 2)) to erf(2 / (s * sqrt 2)).
    """
    if grey.shape[0] < 8 or grey.shape[1] < 10:
        return 0.0
    rows = np.asarray(grey, np.float64)
    one, four = np.abs(rows[:, 1:] - rows[:, :-1]), np.abs(rows[:, 4:] - rows[:, :-4])
    there = four.argmax(1)  # the widest step of each row, from column `there` to the fourth after it
    wide = four.max(1)
    steepest = one[np.arange(len(rows))[:, None], there[:, None] + np.arange(4)].max(1)
    clear = wide >= 25
    if clear.sum() < 6:
        return 0.0
    return float(np.interp(-float(np.median(steepest[clear] / wide[clear])), -_RATIOS, _SIGMAS))


_SIGMAS = np.linspace(0.25, 4.0, 60)
_RATIOS = np.asarray(erf(0.5 / (_SIGMAS * np.sqrt(2))) / erf(2.0 / (_SIGMAS * np.sqrt(2))))


def _noise(samples: Sequence[Sample], background: Image) -> float:
    """Sigma of what changes from frame to frame where nothing happens, levels of luma."""
    told = []
    for sample in samples:
        if sample.after is None:
            continue
        quiet = ~(standing_out(sample.image, background) | standing_out(sample.after, background))
        apart = sample.image.astype(np.int16)[..., 1] - sample.after.astype(np.int16)[..., 1]
        here = apart[quiet]
        if here.size > 1000:
            told.append(float(np.sqrt(np.clip(here.astype(np.float64), -12, 12).var()) / np.sqrt(2)))
    return float(np.clip(np.median(told), 0.0, 8.0)) if told else 1.0


def measure_shadow(samples: Sequence[Sample], background: Image, scale: Scale) -> Shadow:
    """The mean darkening around people's feet, in body heights: people differ and average out, their shadow stays."""
    n = int(2 * SHADOW_REACH / SHADOW_STEP)
    total, count = np.zeros((n, n)), np.zeros((n, n))
    usual = background.astype(np.float64) @ LUMA
    grid = (np.arange(n) + 0.5) * SHADOW_STEP - SHADOW_REACH
    used = 0
    for sample in samples:
        if not len(sample.boxes):
            continue
        ratio = (sample.image @ LUMA + 4) / (usual + 4)
        bodies = np.zeros(ratio.shape, bool)
        for x1, y1, x2, y2 in np.round(sample.boxes).astype(int):
            bodies[max(y1 - 1, 0) : max(y2 - 1, 0), max(x1 - 1, 0) : max(x2 + 1, 0)] = True
        for box in _whole(sample, background):
            foot, tall = ((box[0] + box[2]) / 2, box[3]), float(scale.at(box[3]))
            if tall < 25:
                continue
            x, y = np.meshgrid(np.round(foot[0] + grid * tall).astype(int), np.round(foot[1] + grid * tall).astype(int))
            good = (x >= 0) & (x < ratio.shape[1]) & (y >= 0) & (y < ratio.shape[0])
            x, y = np.clip(x, 0, ratio.shape[1] - 1), np.clip(y, 0, ratio.shape[0] - 1)
            good &= ~bodies[y, x]
            total += np.where(good, np.clip(1 - ratio[y, x], -0.3, 0.8), 0.0)
            count += good
            used += 1
    if used < 15:
        return Shadow()
    mean = np.where(count >= 8, total / np.maximum(count, 1), np.nan)
    gx, gy = np.meshgrid(grid, grid)
    far = np.hypot(gx, gy)
    still = float(np.nanmedian(mean[far > 0.95])) if np.isfinite(mean[far > 0.95]).any() else 0.0
    mean = mean - still
    near = mean[(far < 0.22) & (gy > -0.02)]
    contact = float(np.clip(0.2 + 2 * np.nanmean(near), 0.2, 0.6)) if np.isfinite(near).sum() >= 3 else 0.30
    dark = np.where(np.isfinite(mean) & (far > 0.2) & (far < 1.1), np.clip(mean - 0.04, 0, None), 0.0)
    # Which way has clearly more darkness than the others? Those above the feet are hidden by the body itself.
    angle = np.arctan2(gy, gx)
    bins = ((angle + np.pi) / (2 * np.pi) * 12).astype(int) % 12
    ring = (far > 0.25) & (far < 0.9)
    by = np.array([np.nanmean(np.where(np.isfinite(mean), mean, np.nan)[ring & (bins == k)]) if (ring & (bins == k) & np.isfinite(mean)).sum() > 3 else 0.0 for k in range(12)])  # fmt: skip
    best = int(by.argmax())
    if by[best] < 0.07 or by[best] < 2.2 * max(float(np.median(by)), 0.015):
        return Shadow(contact, 0.0, (0.0, 0.0), 0.06, True)
    near_way = np.cos(angle - ((best + 0.5) / 12 * 2 * np.pi - np.pi)) > 0.8
    weight = dark * near_way
    middle = (float((gx * weight).sum() / weight.sum()), float((gy * weight).sum() / weight.sum()))
    return Shadow(contact, float(np.clip(by[best] * 1.5, 0.08, 0.6)), (2 * middle[0], 2 * middle[1]), 0.05, True)
