"""A picture of anomaly scores: one strip a clip, the truth shaded, the thresholds of the budgets across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import PaharaError

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]

WIDE, TALL, HEAD, LEFT, RIGHT, GAP = 1100, 110, 64, 150, 24, 16  # pixels
INK: Colour = (50, 45, 40)  # BGR, as OpenCV wants it
FAINT: Colour = (214, 210, 205)
SHADE: Colour = (190, 200, 246)
LINE: Colour = (166, 92, 28)
LIMIT: Colour = (70, 70, 200)


def draw_scores(
    path: Path,
    clips: Sequence[tuple[str, Floats, Floats, NDArray[np.bool_]]],
    *,
    title: str,
    limits: Mapping[str, float] | None = None,
) -> None:
    """`clips`: name, times (n,) seconds, scores (n,), abnormal (n,). Writes a PNG. PaharaError when it cannot be written."""
    limits = limits or {}
    every = np.concatenate([scores for _, _, scores, _ in clips])
    top = max(float(np.quantile(every, 0.995)), *(value for value in limits.values() if np.isfinite(value)), 1e-9) * 1.08
    canvas = np.full((HEAD + len(clips) * (TALL + GAP) + 28, WIDE, 3), 255, np.uint8)
    _write(canvas, title, (18, 26), 0.55, INK)
    cv2.rectangle(canvas, (18, 38), (38, 50), SHADE, -1)
    _write(canvas, "abnormal in the truth", (44, 49), 0.42, INK)
    cv2.line(canvas, (232, 44), (256, 44), LINE, 2, cv2.LINE_AA)
    _write(canvas, "score", (262, 49), 0.42, INK)
    if limits:
        cv2.line(canvas, (332, 44), (356, 44), LIMIT, 1, cv2.LINE_AA)
        _write(canvas, "alarm threshold: " + ", ".join(limits), (362, 49), 0.42, INK)
    for row, (name, times, scores, abnormal) in enumerate(clips):
        _strip(canvas, HEAD + row * (TALL + GAP), name, times, scores, abnormal, top, limits)
    done, encoded = cv2.imencode(".png", canvas)
    if not done:
        raise PaharaError(f"the picture {path} could not be made")
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise PaharaError(f"cannot write {path}: {error.strerror}") from error


def _strip(
    canvas: NDArray[np.uint8], y: int, name: str, times: Floats, scores: Floats, abnormal: NDArray[np.bool_], top: float,
    limits: Mapping[str, float],
) -> None:  # fmt: skip
    first, last = float(times[0]), float(times[-1])
    wide = WIDE - LEFT - RIGHT

    def across(time: float | Floats) -> NDArray[np.int_]:
        return np.asarray(LEFT + (np.asarray(time) - first) / max(last - first, 1e-9) * wide).round().astype(int)

    def up(value: float | Floats) -> NDArray[np.int_]:
        return np.asarray(y + TALL - np.clip(np.asarray(value) / top, 0, 1) * TALL).round().astype(int)

    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], abnormal, [False]]).astype(int)))
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        left, right = int(across(times[a])), int(across(min(times[b - 1] + step, last)))
        cv2.rectangle(canvas, (left, y), (max(right, left + 1), y + TALL), SHADE, -1)
    cv2.rectangle(canvas, (LEFT, y), (LEFT + wide, y + TALL), FAINT, 1)
    for value in limits.values():
        if np.isfinite(value) and value <= top:
            cv2.line(canvas, (LEFT, int(up(value))), (LEFT + wide, int(up(value))), LIMIT, 1, cv2.LINE_AA)
    points = np.stack([across(times), up(scores)], axis=1).astype(np.int32)
    cv2.polylines(canvas, [points.reshape(-1, 1, 2)], False, LINE, 2, cv2.LINE_AA)
    _write(canvas, name[:18], (14, y + 22), 0.46, INK)
    _write(canvas, f"{last - first:.0f} s", (14, y + 42), 0.4, INK)
    _write(canvas, f"{top:.1f}", (LEFT - 44, y + 10), 0.36, INK)
    _write(canvas, "0", (LEFT - 16, y + TALL), 0.36, INK)


def _write(canvas: NDArray[np.uint8], words: str, at: tuple[int, int], size: float, colour: Colour) -> None:
    plain = words.encode("ascii", "replace").decode()  # OpenCV's letters are ASCII
    cv2.putText(canvas, plain, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
