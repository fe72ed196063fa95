"""What grounds and walls are made of, computed from the place on them in metres."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .mesh import colour

Floats = NDArray[np.floating[Any]]
TILE = 512


@cache
def _noise(seed: int) -> NDArray[np.float32]:
    """(512, 512) of smooth noise, mean 0, deviation 1, that repeats without a seam; its finest grain is about 3 pixels."""
    rng = np.random.default_rng([seed, 99])
    white = np.fft.fft2(rng.normal(size=(TILE, TILE)))
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(TILE) * TILE, np.fft.fftfreq(TILE) * TILE))
    made = np.fft.ifft2(white * np.exp(-((f / 120) ** 2)) * (f > 6)).real
    return np.asarray(made / made.std(), np.float32)


def grain(u: Floats, v: Floats, size: float, pixel: Floats, seed: int) -> NDArray[np.float32]:
    """Noise with features of about `size` metres, faded out where a pixel covers more than that."""
    scale = 8.0 / size  # eight cells of the tile to a feature
    # cv2.remap cannot address beyond 32767, so the place is folded into the tile first.
    x, y = np.mod(u * scale, TILE).astype(np.float32), np.mod(v * scale, TILE).astype(np.float32)
    got: NDArray[np.float32] = cv2.remap(_noise(seed % 7), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    fade = np.clip(size * 1.6 / np.maximum(pixel, 1e-4) - 0.6, 0, 1).astype(np.float32)
    return got * fade


def _lines(u: Floats, every: float, wide: float, pixel: Floats) -> NDArray[np.float32]:
    """1 on lines `wide` metres across that repeat `every` metres, softened to the pixel."""
    d = np.abs(np.mod(u + every / 2, every) - every / 2)
    soft = np.maximum(pixel, 1e-4)
    on = np.clip((wide / 2 - d) / soft + 0.5, 0, 1)
    resolved = np.clip(every / (3 * soft), 0, 1)
    return np.asarray(on * resolved + (wide / every) * (1 - resolved), np.float32)


def _cell(u: Floats, v: Floats, wide: float, high: float, seed: int) -> NDArray[np.float32]:
    """One random number of -1..1 for each cell of a grid."""
    i, j = np.floor(u / wide).astype(np.int64), np.floor(v / high).astype(np.int64)
    h = (i * 374761393 + j * 668265263 + seed * 1442695041) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return np.asarray(((h ^ (h >> 16)) & 0xFFFF) / 32767.5 - 1, np.float32)


BASE = {
    "asphalt": "#54555a", "tiles": "#a9a293", "grass": "#54693a", "corridor": "#a59c8a", "shop": "#b9b4a8", "concrete": "#86847e", "paving": "#8f857a",
    "carpet": "#6e2f35", "dirt": "#8a7559",
    "plaster": "#b7ae9c", "brick": "#8a4f3d", "shutter": "#7f868c", "fence": "#7c8084", "glass": "#2c363d", "panel": "#7a6a57", "tiled": "#c9cbc4",
}  # fmt: skip
GLOSS = {"corridor": 0.35, "shop": 0.30, "tiles": 0.12, "glass": 0.5, "tiled": 0.15}


def material(kind: str, u: Floats, v: Floats, pixel: Floats, seed: int, told: str = "") -> tuple[Floats, Floats]:
    """Places (h, w) in metres and metres per pixel -> linear BGR (h, w, 3) and cover (h, w) 0..1 (below 1 one sees through)."""
    base = colour(told or BASE[kind]).astype(np.float32)
    tone = np.ones(u.shape, np.float32)
    cover = np.ones(u.shape, np.float32)
    tint = np.zeros((*u.shape, 3), np.float32)
    rough = 0.5 * grain(u, v, 1.7, pixel, seed) + 0.5 * grain(u, v, 0.5, pixel, seed + 1)
    fine = grain(u, v, 0.06, pixel, seed + 2)
    stain = np.clip(grain(u * 0.7, v, 2.6, pixel, seed + 3) - 0.9, 0, 1.5)
    if kind == "asphalt":
        tone += 0.10 * rough + 0.16 * fine - 0.22 * stain
        crack = np.clip(1 - np.abs(grain(u, v, 1.9, pixel, seed + 4)) * 14, 0, 1) * (grain(u, v, 4.0, pixel, seed + 5) > 0.4)
        tone *= 1 - 0.35 * crack
        patch = (np.abs(np.mod(u + seed % 5, 9.0) - 3) < 0.9) & (np.abs(np.mod(v, 13.0) - 7) < 1.4)
        tone *= np.where(patch, 0.8, 1.0)
    elif kind in ("tiles", "shop", "tiled"):
        every = {"tiles": 0.6, "shop": 0.8, "tiled": 0.3}[kind]
        joint = np.maximum(_lines(u, every, 0.012, pixel), _lines(v, every, 0.012, pixel))
        tone += 0.045 * _cell(u, v, every, every, seed) + 0.05 * rough + 0.03 * fine - 0.14 * stain
        tone *= 1 - 0.42 * joint
        if kind == "tiled":
            upper = np.clip((v - 1.5) / 0.02, 0, 1)
            tone = tone * (1 - upper) + upper * (1.05 + 0.05 * rough)
    elif kind == "grass":
        tone += 0.20 * rough + 0.30 * grain(u, v, 0.12, pixel, seed + 2) + 0.25 * fine
        dry = np.clip(0.5 + 0.5 * grain(u, v, 3.0, pixel, seed + 6), 0, 1)[..., None]
        tint += dry * np.array([0.0, 0.012, 0.035], np.float32)
    elif kind == "corridor":
        tone += 0.03 * rough + 0.05 * fine - 0.08 * stain - 0.10 * np.clip(grain(u, v * 0.15, 0.5, pixel, seed + 6) - 1.1, 0, 1)
        tone *= 1 - 0.2 * np.maximum(_lines(u, 1.2, 0.008, pixel), _lines(v, 1.2, 0.008, pixel))
    elif kind == "concrete":
        tone += 0.12 * rough + 0.07 * fine - 0.2 * stain
        tone *= 1 - 0.3 * np.maximum(_lines(u, 3.0, 0.02, pixel), _lines(v, 2.4, 0.02, pixel))
    elif kind == "paving":
        row = np.floor(v / 0.2)
        shifted = u + 0.2 * np.mod(row, 2)
        tone += 0.09 * _cell(shifted, v, 0.4, 0.2, seed) + 0.08 * rough + 0.08 * fine - 0.2 * stain
        tone *= 1 - 0.35 * np.maximum(_lines(shifted, 0.4, 0.015, pixel), _lines(v, 0.2, 0.015, pixel))
    elif kind == "carpet":
        row = np.mod(v, 1.25)
        arch = np.abs(np.mod(u, 0.62) - 0.31)
        edge = np.clip((0.05 - np.abs(row - 0.95 + arch * arch * 2.6)) / np.maximum(pixel, 0.01) + 0.5, 0, 1) * np.clip(
            0.25 / np.maximum(pixel, 1e-3), 0, 1
        )
        band = _lines(v, 1.25, 0.09, pixel)
        tone += 0.07 * rough + 0.08 * fine
        tint += (np.maximum(edge, band) * 0.5)[..., None] * (colour("#c7a765").astype(np.float32) - base)
    elif kind == "dirt":
        tone += 0.18 * rough + 0.14 * grain(u, v, 0.2, pixel, seed + 2) + 0.15 * fine - 0.15 * stain
    elif kind == "plaster":
        drip = np.clip(grain(u, v * 0.18, 0.35, pixel, seed + 4) - 0.5, 0, 1.5)
        tone += 0.05 * rough + 0.025 * fine - 0.13 * drip - 0.30 * np.exp(-np.clip(v, 0, None) / 0.22) * (0.7 + 0.3 * rough)
        flake = np.clip((grain(u, v, 0.9, pixel, seed + 5) - 1.7) * 6, 0, 1)[..., None]
        tint += flake * (colour("#7f7566").astype(np.float32) - base) * 0.7
    elif kind == "brick":
        row = np.floor(v / 0.075)
        shifted = u + 0.11 * np.mod(row, 2)
        tone += 0.18 * _cell(shifted, v, 0.22, 0.075, seed) * np.clip(0.15 / np.maximum(pixel, 1e-3), 0, 1) + 0.10 * rough + 0.06 * fine
        mortar = np.maximum(_lines(shifted, 0.22, 0.012, pixel), _lines(v, 0.075, 0.012, pixel))[..., None]
        tint += 0.55 * mortar * (colour("#9b958a").astype(np.float32) - base)
        tone -= 0.25 * np.exp(-np.clip(v, 0, None) / 0.3)
    elif kind == "shutter":
        tone += 0.24 * np.sin(2 * np.pi * v / 0.11) * np.clip(0.05 / np.maximum(pixel, 1e-3), 0, 1) + 0.05 * rough - 0.12 * stain
    elif kind == "glass":
        streak = np.clip(np.sin((u + 0.7 * v) * 1.9 + seed) * 2 - 0.9, 0, 1)
        tone += 0.4 * streak + 0.12 * rough
        tone *= 1 + 1.4 * _lines(u, 1.5, 0.06, pixel)
    elif kind == "panel":
        tone += 0.09 * _cell(u, v * 0, 0.16, 9.0, seed) + 0.08 * grain(u, v * 0.12, 0.1, pixel, seed) - 0.15 * stain
        tone *= 1 - 0.35 * _lines(u, 0.16, 0.012, pixel)
    elif kind == "fence":
        a, b = (u + v) / np.sqrt(2), (u - v) / np.sqrt(2)
        wire = np.maximum(_lines(a, 0.07, 0.006, pixel), _lines(b, 0.07, 0.006, pixel))
        post = _lines(u, 2.5, 0.07, pixel)
        rail = np.clip((0.03 - np.abs(v - 0.06)) / np.maximum(pixel, 1e-3) + 0.5, 0, 1)
        cover = np.clip(np.maximum(np.maximum(wire * 1.2, post), rail), 0, 1)
        tone += 0.1 * rough
    made = np.clip(base * np.clip(tone, 0.12, 2.2)[..., None] + tint, 0.003, 0.95)
    return made.astype(np.float32), cover


def opening(kind: str, u: Floats, v: Floats, wide: float, high: float, pixel: Floats, seed: int, told: str) -> Floats:
    """A door, window, shutter, poster or board: place from its lower left corner (h, w) -> linear BGR (h, w, 3)."""
    rng = np.random.default_rng([seed, 17])
    edge = np.minimum(np.minimum(u, wide - u), np.minimum(v + (10 if kind == "door" else 0), high - v))
    frame = np.clip((0.06 - edge) / np.maximum(pixel, 1e-3) + 0.5, 0, 1)[..., None].astype(np.float32)
    fine = grain(u, v, 0.3, pixel, seed)[..., None]
    if kind == "door":
        base = colour(told or str(rng.choice(["#5d4630", "#44546a", "#6f6a60", "#3d4a3f"])))
        panel = ((np.abs(np.mod(u / wide * 2, 1) - 0.5) < 0.33) & (np.abs(np.mod(v / high * 2, 1) - 0.5) < 0.36))[..., None]
        made = base * (1 + 0.06 * fine) * np.where(panel, 0.86, 1.0)
        knob = (np.hypot(u - 0.12, v - 1.0) < 0.04)[..., None]
        made = np.where(knob, 0.45, made)
        return np.asarray(made * (1 - frame) + frame * base * 0.55, np.float32)
    if kind == "window":
        base = colour(told or "#27323b")
        streak = np.clip(np.sin((u * 1.2 + v) * 3.0 + seed) * 2 - 0.8, 0, 1)[..., None]
        made = base * (1 + 1.6 * streak + 0.2 * fine)
        bars = np.maximum(_lines(u, wide / 4, 0.025, pixel), _lines(v, high / 2, 0.03, pixel))[..., None]
        frame = np.maximum(frame, bars)
        return np.asarray(made * (1 - frame) + frame * colour("#8d8a83"), np.float32)
    if kind == "shutter":
        made, _ = material("shutter", u, v, pixel, seed, told)
        return made
    base = colour(told or str(rng.choice(["#b8402f", "#2f62a8", "#d8c04a", "#e8e6df", "#2f8a5a"])))
    other = colour(str(rng.choice(["#f2efe6", "#1d1f24", "#f2d24a"])))
    text = (np.mod(v / high * (3 if kind == "poster" else 1.6) + 0.2, 1) < 0.45) & (
        _cell(u, v * 0 + np.floor(v / high * 3), wide / 13, 1.0, seed) > -0.35
    )
    inner = (edge > min(wide, high) * 0.09) & text
    return np.where(inner[..., None], other, base * (1 + 0.05 * fine)).astype(np.float32)
