"""How a camera looks at the ground, from nothing but the boxes of people who walk there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from pahara.core.errors import ConfigError

from .camera import View

Floats = NDArray[np.floating[Any]]
TALL = 1.66  # metres of the usual person
TOE, HEAD = 0.11, 0.10  # metres from the body's axis to the tip of the shoe and the back of the head
FEWEST = 12  # people's boxes below which a view is not estimated
ENOUGH = 0.08  # spread of feet, as a share of the picture's height, from which the slope is believed
USUAL = {"height": 3.2, "fov": 62.0, "tilt": 22.0}  # metres, degrees: what a camera is like where the footage does not tell
LOOSE = {"height": 0.7, "fov": 0.22, "roll": 3.0}  # how far it may be from that: log, log, degrees


@dataclass(frozen=True)
class Scale:
    """How tall a standing person is at image row y: a * y + b pixels."""

    a: float
    b: float
    sightings: int = 0  # boxes that it was fitted to; 0 where a person told it
    spread: float = 0.0  # median deviation of those boxes, as a share of the height
    sloped: bool = True  # False: the feet lay in one row, so that a follows from a usual camera

    def at(self, y: Floats | float) -> Any:
        """Row(s) of the foot point -> pixels; never below 1."""
        return np.maximum(self.a * np.asarray(y, np.float64) + self.b, 1.0)

    @property
    def horizon(self) -> float:
        """The row in which people would be nothing."""
        return -self.b / self.a if self.a > 1e-6 else -np.inf


@dataclass(frozen=True)
class Estimate:
    """A camera that sees people as tall as this footage shows them."""

    scale: Scale
    view: View


def usable(boxes: Floats, scores: Floats, size: tuple[int, int], *, confidence: float = 0.5) -> NDArray[np.bool_]:
    """(n, 4), (n,) -> (n,) True for boxes that show a whole upright person: sure, slim, not cut by the border."""
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    edge = 0.01 * np.array([size[0], size[1]])
    whole = (boxes[:, 0] > edge[0]) & (boxes[:, 2] < size[0] - edge[0]) & (boxes[:, 1] > edge[1]) & (boxes[:, 3] < size[1] - edge[1])
    slim = (tall >= 1.5 * wide) & (tall <= 5.0 * wide) & (tall >= 12)
    return np.asarray((scores >= confidence) & whole & slim, bool)


def fit_scale(feet: Floats, heights: Floats, size: tuple[int, int]) -> Scale | None:
    """Robust line through (foot row, box height); None with fewer than a dozen boxes.

    `feet` (n, 2) pixels, `heights` (n,) pixels. Huber's weights on the relative error, so that half-hidden people (short
    boxes) and two taken for one (wide or tall boxes) pull little.
    """
    y, h = feet[:, 1].astype(np.float64), heights.astype(np.float64)
    if len(y) < FEWEST:
        return None
    low, high = np.percentile(y, [5, 95])
    if high - low < ENOUGH * size[1]:
        typical = float(np.median(h))
        return Scale(0.0, typical, len(y), float(np.median(np.abs(h / typical - 1))), sloped=False)
    design = np.stack([y, np.ones_like(y)], 1)
    # Every height of the picture counts alike, wherever most people walk.
    band = np.clip(((y - low) / (high - low) * 8).astype(int), 0, 7)
    share = 1.0 / np.bincount(band, minlength=8)[band]
    a, b = 0.0, float(np.median(h))
    weights = share.copy()
    for _ in range(25):
        root = np.sqrt(weights) / h
        a, b = np.linalg.lstsq(design * root[:, None], h * root, rcond=None)[0]
        off = np.abs((a * y + b) / h - 1)
        limit = max(1.5 * float(np.median(off)), 0.02)
        weights = share * np.minimum(1.0, limit / np.maximum(off, 1e-9)) ** 2
    if a < 0:  # nobody shrinks on the way to the camera: the rows say nothing
        typical = float(np.median(h))
        return Scale(0.0, typical, len(y), float(np.median(np.abs(h / typical - 1))), sloped=False)
    return Scale(float(a), float(b), len(y), float(np.median(np.abs(h / np.maximum(a * y + b, 1.0) - 1))))


def read_scale(told: str, size: tuple[int, int]) -> Scale:
    """ "y1:h1,y2:h2" -> the line through two people: a foot's row and the height there, both in pixels. ConfigError otherwise."""
    try:
        pairs = [tuple(float(v) for v in part.split(":")) for part in told.split(",")]
        (y1, h1), (y2, h2) = ((p[0], p[1]) for p in pairs if len(p) == 2)
    except ValueError:
        raise ConfigError(
            f"--height is y1:h1,y2:h2 (foot row and body height in pixels, twice), for example 120:60,300:140; not {told!r}"
        ) from None
    if not (min(y1, y2) >= 0 and max(y1, y2) <= size[1]) or abs(y2 - y1) < 0.05 * size[1]:
        raise ConfigError(f"--height {told}: the two rows lie within the picture (0 to {size[1]}) and well apart")
    if min(h1, h2) < 4 or max(h1, h2) > 2 * size[1]:
        raise ConfigError(f"--height {told}: people are 4 to {2 * size[1]} pixels tall")
    a = (h2 - h1) / (y2 - y1)
    if a < 0:
        raise ConfigError(f"--height {told}: whose feet are lower in the picture is nearer, and taller")
    return Scale(a, h1 - a * y1, sloped=a > 1e-3)


def fit_view(
    scale: Scale, size: tuple[int, int], feet: Floats | None = None, heights: Floats | None = None, *, fov: float = 0.0
) -> Estimate:
    """The pinhole camera over level ground that shows people of 1.66 m as tall as the scale (or the boxes themselves) says.

    Boxes alone cannot tell the field of view from the height of the camera: where `fov` (degrees) is not given, a usual
    one is preferred. What is left open changes how far a step towards the camera goes on the picture, not how tall people are.
    """
    if feet is not None and heights is not None and len(feet) >= FEWEST:
        rows = np.linspace(0, len(feet) - 1, min(len(feet), 500)).astype(int)
        spots, tall = feet[rows].astype(np.float64), heights[rows].astype(np.float64)
    else:
        y = np.linspace(max(scale.horizon + 0.15 * size[1], 0.3 * size[1]), 0.97 * size[1], 9)
        spots = np.stack([np.tile([0.2, 0.5, 0.8], 3) * size[0], y], 1)
        tall = scale.at(y)

    band = np.clip(((spots[:, 1] - spots[:, 1].min()) / max(float(np.ptp(spots[:, 1])), 1.0) * 6).astype(int), 0, 5)
    shares = np.sqrt(1.0 / np.bincount(band, minlength=6)[band])
    shares /= np.sqrt((shares**2).sum())  # every height of the picture counts alike

    def camera(p: Floats) -> View:
        return View(size, height=float(np.exp(p[0])), tilt=float(p[1]), fov=float(np.clip(np.exp(p[2]), 12, 120)), roll=float(p[3]))

    def errors(p: Floats) -> Floats:
        seen = body_heights(camera(p), spots)
        off = np.where(np.isfinite(seen), np.log(np.maximum(seen, 0.5) / tall), 2.5)
        far = np.maximum(np.abs(off), 0.08)
        off = np.where(np.abs(off) > 0.08, np.sign(off) * np.sqrt(0.08 * (2 * far - 0.08)), off) * shares  # Huber
        prior = [
            (p[0] - np.log(USUAL["height"])) / LOOSE["height"] * 0.02,
            (p[2] - np.log(fov or USUAL["fov"])) / (0.01 if fov else LOOSE["fov"]) * 0.02,
            p[3] / LOOSE["roll"] * 0.02,
        ]
        return np.concatenate([off, prior])

    best = None
    for tilt in (12.0, 30.0, 55.0):
        for high in (3.0, 8.0):
            start = np.array([np.log(high), tilt, np.log(fov or USUAL["fov"]), 0.0])
            bounds = ([np.log(0.8), -5.0, np.log(14), -12.0], [np.log(60.0), 85.0, np.log(115), 12.0])
            found = least_squares(errors, start, bounds=bounds, x_scale=[0.3, 10, 0.2, 2])
            if best is None or found.cost < best.cost:
                best = found
    assert best is not None
    view = camera(best.x)
    if not scale.sloped:
        y = np.linspace(0.2, 0.95, 12) * size[1]
        seen = body_heights(view, np.stack([np.full(12, size[0] / 2), y], 1))
        good = np.isfinite(seen)
        if good.sum() >= 2:
            a, b = np.polyfit(y[good], seen[good], 1)
            scale = Scale(float(a), float(b), scale.sightings, scale.spread, sloped=False)
    return Estimate(scale, view)


def body_heights(view: View, feet: Floats, tall: float = TALL) -> Floats:
    """(n, 2) foot points of boxes -> (n,) pixels of an upright body there; nan above the horizon."""
    near = view.ground(feet)
    away = near - view.position[:2]
    far = np.linalg.norm(away, axis=1, keepdims=True)
    way = away / np.maximum(far, 1e-6)
    axis = near + TOE * way
    top, depth = view.project(np.concatenate([axis + HEAD * way, np.full((len(feet), 1), tall - 0.04)], 1))
    front, _ = view.project(np.concatenate([axis, np.full((len(feet), 1), tall)], 1))
    result: Floats = np.where((depth > 0.1) & (far[:, 0] < 400), feet[:, 1] - np.minimum(top[:, 1], front[:, 1]), np.nan)
    return result
