"""The pose exports of YOLOv8 and its successors, for those who bring such a file: raw, and end-to-end with suppression inside."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pahara.core import ModelError

from ..engine import Array, Ports, fixed
from ..layouts.base import corners
from ..layouts.yolov8 import MOST, PREPARATION, STRIDE_SETS
from ..letterbox import Preparation
from ..names import names_from_metadata
from .base import JOINTS, Bodies


@dataclass(frozen=True)
class YoloPose:
    """Raw: (n, 4 + classes + 17·d, cells), centre x, y, width, height in input pixels, class scores, then x, y(, confidence) of each joint.

    `across` is False where the export was transposed. `each` is d: 3, or 2 where the model tells no confidence of its joints;
    then each has the person's.
    """

    size: tuple[int, int]
    classes: int = 1
    person: int = 0  # its column
    each: int = 3
    across: bool = True
    order: Literal["channels-first"] = "channels-first"
    preparation: Preparation = PREPARATION
    sees: Literal["all"] = "all"
    overlapping: bool = True
    name: str = "yolo-pose"

    @property
    def about(self) -> str:
        return "YOLO pose raw export: everybody in the picture at once"

    def decode(self, outputs: Sequence[Array], row: int, least: float, /) -> Bodies:
        told = outputs[0][row] if self.across else outputs[0][row].T
        scores = told[4 + self.person]
        sure = np.flatnonzero(scores >= least)
        joints = told[4 + self.classes :, sure].T.reshape(len(sure), JOINTS, self.each)
        return Bodies.of(corners(told[:2, sure].T, told[2:4, sure].T), scores[sure], _with_confidence(joints, scores[sure]))


@dataclass(frozen=True)
class YoloPoseEndToEnd:
    """(n, people, 6 + 17·d): x1 y1 x2 y2 in input pixels, score, class, then the joints."""

    size: tuple[int, int]
    person: int = 0
    each: int = 3
    order: Literal["channels-first"] = "channels-first"
    preparation: Preparation = PREPARATION
    sees: Literal["all"] = "all"
    overlapping: bool = False
    name: str = "yolo-pose-end-to-end"

    @property
    def about(self) -> str:
        return "YOLO pose end-to-end export: everybody in the picture at once"

    def decode(self, outputs: Sequence[Array], row: int, least: float, /) -> Bodies:
        told = outputs[0][row]
        sure = np.flatnonzero((told[:, 4] >= least) & (np.rint(told[:, 5]) == self.person))
        joints = told[sure, 6:].reshape(len(sure), JOINTS, self.each)
        return Bodies.of(told[sure, :4], told[sure, 4], _with_confidence(joints, told[sure, 4]))


def _with_confidence(joints: Array, scores: Array) -> Array:
    if joints.shape[2] == 3:
        return joints
    return np.concatenate([joints, np.broadcast_to(scores[:, None, None], (*joints.shape[:2], 1))], axis=2)


def recognise(ports: Ports) -> YoloPose | YoloPoseEndToEnd | None:
    """One output of rank 3 whose rows hold seventeen joints; ModelError for a pose model with other joints."""
    if len(ports.inputs) != 1 or len(ports.outputs) != 1 or len(ports.outputs[0].shape) != 3:
        return None
    shape, out = ports.inputs[0].shape, ports.outputs[0].shape
    if len(shape) != 4 or fixed(shape, 1) not in (0, 3):
        return None
    size = fixed(shape, 3), fixed(shape, 2)
    names = names_from_metadata(ports.metadata)
    classes, person = max(len(names), 1), names.index("person") if "person" in names else 0
    for each in _each(ports.metadata):
        raw, finished = 4 + classes + JOINTS * each, 6 + JOINTS * each
        first, second = fixed(out, 1), fixed(out, 2)
        if first == raw and second != raw:
            return YoloPose(size, classes, person, each)
        if second == raw and (raw != finished or first in _cells(size)):  # with two classes the widths are the same
            return YoloPose(size, classes, person, each, across=False)
        if second == finished and first <= MOST:
            return YoloPoseEndToEnd(size, person, each)
    return None


def _cells(size: tuple[int, int]) -> set[int]:
    """How many grid cells a raw export may have."""
    return {sum(-(-size[0] // stride) * -(-size[1] // stride) for stride in strides) for strides in STRIDE_SETS}


def _each(metadata: Mapping[str, str]) -> tuple[int, ...]:
    """Numbers of each joint: what the metadata says, else what is usual."""
    told = metadata.get("kpt_shape", "")
    if not told:
        return 3, 2
    try:
        joints, each = ast.literal_eval(told)
    except (ValueError, SyntaxError, TypeError):
        return 3, 2
    if joints != JOINTS or each not in (2, 3):
        raise ModelError(
            f"this pose model finds {joints} joints of {each} numbers; Pahara reads COCO's {JOINTS} of a body, and nothing else"
        )
    return (int(each),)
