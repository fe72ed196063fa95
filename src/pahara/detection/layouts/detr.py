"""The DETR family: a fixed number of queries, each one object or none (RT-DETR, D-FINE, RF-DETR, DETR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..engine import Array
from ..letterbox import IMAGENET_MEAN, IMAGENET_STD, Preparation
from .base import Facts, Found, Wanted, corners, sigmoid, within_unit
from .yolov8 import MOST, is_rtdetr, listed

PLAIN = Preparation(fit="stretch", rgb=True, scale=1 / 255)
IMAGENET = Preparation(fit="stretch", rgb=True, scale=1 / 255, mean=IMAGENET_MEAN, std=IMAGENET_STD)

Activation: TypeAlias = Literal["sigmoid", "softmax", "none"]
ACTIVATIONS: dict[str, Activation] = {"sigmoid": "sigmoid", "softmax": "softmax", "none": "none"}

BOX_NAMES = ("pred_boxes", "boxes", "dets")
CLASS_NAMES = ("pred_logits", "logits", "labels", "scores")


@dataclass(frozen=True)
class Queries:
    """Class numbers (batch, queries, columns) beside boxes (batch, queries, 4): centre, width, height as fractions.

    `sigmoid`: every column is its own yes or no. `softmax`: the columns compete and the last one means
    "nothing here". `none`: the columns are scores already.
    """

    classes: int
    size: tuple[int, int]
    activation: Activation
    logits: int  # which output; the same as `boxes` when one output holds both, boxes first
    boxes: int
    preparation: Preparation
    overlapping: bool = False
    name: str = "detr"

    @property
    def about(self) -> str:
        how = {"sigmoid": "sigmoid scores", "softmax": "softmax with a background class", "none": "ready scores"}[self.activation]
        return f"DETR family (RT-DETR, D-FINE, RF-DETR), {how}, {self.classes} classes"

    def decode(self, outputs: Sequence[Array], row: int, wanted: Wanted, /) -> Found:
        numbers, boxes = outputs[self.logits][row], outputs[self.boxes][row]
        if self.logits == self.boxes:
            numbers, boxes = numbers[:, 4:], boxes[:, :4]
        if self.activation == "softmax":
            shifted = np.exp(numbers - numbers.max(axis=1, keepdims=True))
            scores = shifted[:, wanted.columns] / shifted.sum(axis=1, keepdims=True)
        elif self.activation == "sigmoid":
            scores = sigmoid(numbers[:, wanted.columns])
        else:
            scores = numbers[:, wanted.columns]
        rows, top, labels = wanted.best(scores)
        pixels = boxes[rows].astype(np.float32) * np.array(self.size * 2, np.float32)
        return corners(pixels[:, :2], pixels[:, 2:]), top, labels


@dataclass(frozen=True)
class SizedQueries:
    """labels (batch, n), boxes (batch, n, 4) and scores (batch, n), scaled by a second input `orig_target_sizes`.

    We hand in the size of the model's own input, so the boxes come back in input pixels like everyone else's.
    """

    classes: int
    labels: int
    boxes: int
    scores: int
    preparation: Preparation = PLAIN
    overlapping: bool = False
    name: str = "detr-end-to-end"

    @property
    def about(self) -> str:
        return "DETR family with its decoding inside (labels, boxes, scores)"

    def decode(self, outputs: Sequence[Array], row: int, wanted: Wanted, /) -> Found:
        return listed(outputs[self.boxes][row], outputs[self.scores][row], outputs[self.labels][row], wanted)


def recognise(facts: Facts) -> Queries | SizedQueries | None:
    if len(facts.outputs) == 1:
        return _one_output(facts)
    return _finished(facts) or _queries(facts)


def _one_output(facts: Facts) -> Queries | None:
    """Ultralytics' RT-DETR export: (batch, queries, 4 + classes), scores ready."""
    answer = facts.outputs[0]
    if answer.ndim != 3 or answer.shape[1] > MOST or answer.shape[2] < 5:
        return None
    classes = answer.shape[2] - 4
    if not (is_rtdetr(facts) or len(facts.names) == classes or classes == 80):
        return None
    if not within_unit(answer[0, :, 4:]):
        return None
    return Queries(classes, facts.size, "none", 0, 0, PLAIN)


def _finished(facts: Facts) -> SizedQueries | None:
    by_name = {port.name: i for i, port in enumerate(facts.ports.outputs)}
    if not {"labels", "boxes", "scores"} <= by_name.keys() or len(facts.ports.inputs) != 2:
        return None
    labels, boxes, scores = (by_name[name] for name in ("labels", "boxes", "scores"))
    shapes = [facts.outputs[i].shape for i in (labels, boxes, scores)]
    if len(shapes[0]) != 2 or len(shapes[1]) != 3 or shapes[1][2] != 4 or shapes[2] != shapes[0]:
        return None
    return SizedQueries(len(facts.names) or 80, labels, boxes, scores)


def _queries(facts: Facts) -> Queries | None:
    found = _by_name(facts) or _by_shape(facts)
    if found is None:
        return None
    logits, boxes = found
    numbers = facts.outputs[logits]
    if numbers.ndim != 3 or facts.outputs[boxes].shape != (*numbers.shape[:2], 4):
        return None
    columns = numbers.shape[2]
    names = {port.name for port in facts.ports.outputs}
    activation = _activation(facts.activation, numbers[0], "labels" in names and "dets" in names)
    # RF-DETR and DETR were trained on ImageNet's mean and deviation, RT-DETR and D-FINE on plain 0..1.
    normalised = activation == "softmax" or {"dets", "labels"} <= names or columns == 91
    classes = columns - 1 if activation == "softmax" or columns == len(facts.names) + 1 else columns
    return Queries(classes, facts.size, activation, logits, boxes, IMAGENET if normalised else PLAIN)


def _by_name(facts: Facts) -> tuple[int, int] | None:
    by_name = {port.name: i for i, port in enumerate(facts.ports.outputs)}
    boxes = next((by_name[name] for name in BOX_NAMES if name in by_name), None)
    logits = next((by_name[name] for name in CLASS_NAMES if name in by_name), None)
    return None if boxes is None or logits is None else (logits, boxes)


def _by_shape(facts: Facts) -> tuple[int, int] | None:
    """Only where it cannot be mistaken: of two outputs of rank 3 exactly one has width 4."""
    if len(facts.outputs) != 2 or any(one.ndim != 3 for one in facts.outputs):
        return None
    wide = [one.shape[2] for one in facts.outputs]
    if (wide[0] == 4) == (wide[1] == 4) or facts.outputs[0].shape[1] != facts.outputs[1].shape[1]:
        return None
    return (1, 0) if wide[0] == 4 else (0, 1)


def _activation(told: str, numbers: NDArray[np.floating], rf_detr: bool) -> Activation:
    """From the answer to a black picture, where nothing is to be seen.

    A softmax head says so with a tall last column; a sigmoid head with every column far below zero.
    """
    if told in ACTIVATIONS:
        return ACTIVATIONS[told]
    if rf_detr:
        return "sigmoid"
    if within_unit(numbers):
        return "none"
    if numbers.shape[1] == 92:  # COCO's 91 ids and "no object": the original DETR
        return "softmax"
    if numbers.shape[1] < 2:
        return "sigmoid"
    background = numbers[:, -1] > numbers[:, :-1].max(axis=1) + 2
    return "softmax" if float(background.mean()) >= 0.8 else "sigmoid"
