"""RTMO (Lu et al. 2024): everybody in the picture at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..engine import Array, Ports, fixed
from ..letterbox import Preparation
from .base import JOINTS, Bodies

PREPARATION = Preparation()


@dataclass(frozen=True)
class Rtmo:
    """`dets` (n, people, 5): x1 y1 x2 y2 score, and `keypoints` (n, people, 17, 3), all in input pixels; BGR 0..255, letterbox top left.

    The export of MMDeploy suppresses at a loose IoU inside; what overlaps still is told apart here.
    """

    size: tuple[int, int]
    boxes_at: int = 0  # which output holds the boxes
    order: Literal["channels-first"] = "channels-first"
    preparation: Preparation = PREPARATION
    sees: Literal["all"] = "all"
    overlapping: bool = True
    name: str = "rtmo"

    @property
    def about(self) -> str:
        return "RTMO: everybody in the picture at once"

    def decode(self, outputs: Sequence[Array], row: int, least: float, /) -> Bodies:
        found, joints = outputs[self.boxes_at][row], outputs[1 - self.boxes_at][row]
        sure = np.flatnonzero(found[:, 4] >= least)
        return Bodies.of(found[sure, :4], found[sure, 4], joints[sure])


def recognise(ports: Ports) -> Rtmo | None:
    """Two outputs: rows of five (or more), and seventeen joints for each."""
    if len(ports.inputs) != 1 or len(ports.outputs) != 2:
        return None
    shape = ports.inputs[0].shape
    if len(shape) != 4 or fixed(shape, 1) not in (0, 3):
        return None
    for at in (0, 1):
        boxes, joints = ports.outputs[at].shape, ports.outputs[1 - at].shape
        if len(boxes) == 3 and len(joints) == 4 and fixed(boxes, 2) in (0, 5, 6) and tuple(joints[2:]) == (JOINTS, 3):
            return Rtmo((fixed(shape, 3), fixed(shape, 2)), at)
    return None
