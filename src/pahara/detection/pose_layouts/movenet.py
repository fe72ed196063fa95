"""MoveNet single-pose, Lightning and Thunder (Google 2021): one person in a square crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..engine import Array, Ports, fixed
from ..letterbox import Preparation
from .base import JOINTS, Bodies

PREPARATION = Preparation(fit="stretch", pad=0.0, rgb=True)


@dataclass(frozen=True)
class MoveNet:
    """(1, 1, 17, 3): y, x as fractions of the input, and confidence. Pixels in 0..255, RGB; black around what lies outside the picture."""

    size: tuple[int, int]
    order: Literal["channels-first", "channels-last"] = "channels-last"
    preparation: Preparation = PREPARATION
    sees: Literal["one"] = "one"
    overlapping: bool = False
    name: str = "movenet"

    @property
    def about(self) -> str:
        return f"MoveNet single-pose at {self.size[0]}: one person in a square crop"

    def decode(self, outputs: Sequence[Array], row: int, least: float, /) -> Bodies:
        told = outputs[0].reshape(-1, JOINTS, 3)[row].astype(np.float32)
        joints = np.stack([told[:, 1] * self.size[0], told[:, 0] * self.size[1], told[:, 2]], axis=1)
        score = float(told[:, 2].mean())
        if not score >= least:
            return Bodies.of([], [], [])
        corners = [*joints[:, :2].min(axis=0), *joints[:, :2].max(axis=0)]
        return Bodies.of([corners], [score], joints[None])


def recognise(ports: Ports) -> MoveNet | None:
    """One square picture in, seventeen joints of one person out."""
    if len(ports.inputs) != 1 or len(ports.outputs) != 1 or len(ports.inputs[0].shape) != 4:
        return None
    out = ports.outputs[0].shape
    if tuple(out[-2:]) != (JOINTS, 3) or len(out) not in (3, 4) or any(fixed(out, at) > 1 for at in range(len(out) - 2)):
        return None
    shape = ports.inputs[0].shape
    for order, channel, tall, wide in (("channels-last", 3, 1, 2), ("channels-first", 1, 2, 3)):
        if fixed(shape, channel) == 3 and fixed(shape, tall) and fixed(shape, tall) == fixed(shape, wide):
            return MoveNet((fixed(shape, wide), fixed(shape, tall)), order)  # type: ignore[arg-type]
    return None
