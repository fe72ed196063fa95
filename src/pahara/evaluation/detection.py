"""How well boxes are found: average precision in the COCO convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core.boxes import area, intersection_matrix

from .annotations import Annotations

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST_PER_PICTURE = 100  # of one class, the best first

Array = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Average precision of one class; the figures are not numbers when the truth has no box of it."""

    ap: float  # mean over IoU 0.5, 0.55 … 0.95
    ap50: float  # at IoU 0.5
    ap75: float
    truths: int  # true boxes that count
    found: int  # found boxes of the class, at most 100 a picture
    best_f1: float  # highest F1 over all score limits, at IoU 0.5
    best_score: float  # the score limit that gives it


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """Means over the classes that the truth has."""

    map: float  # mAP@0.5:0.95
    map50: float  # mAP@0.5
    map75: float
    classes: Mapping[str, ClassScore]  # by name, those of the truth first
    pictures: int  # pictures with a true or found box


def evaluate_detection(truth: Annotations, found: Annotations) -> DetectionReport:
    """mAP of found boxes against true ones; classes are compared by *name*.

    COCO convention: area under precision, made monotone, at 101 recalls; one found box for one true box; at most
    100 boxes of a class in a picture; a found box that fits only an ignored true box (overlap ÷ its own area,
    as COCO does for crowds) counts neither way.

    Two true boxes, one found at once, a false one, then the other: precision is 1 up to recall 0.5, then 2/3.

    >>> true = Annotations.of([1, 2], [[0, 0, 10, 10]] * 2)
    >>> seen = Annotations.of([1, 1, 2], [[0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 10, 10]], scores=[0.9, 0.8, 0.7])
    >>> round(evaluate_detection(true, seen).map50, 4) == round((51 + 50 * 2 / 3) / 101, 4)
    True
    """
    names = [name for i, name in enumerate(truth.names) if (truth.labels == i).any()]
    names += [name for i, name in enumerate(found.names) if (found.labels == i).any() and name not in names]
    frames = np.union1d(truth.frames, found.frames)
    classes = {name: _class_score(truth.only(name), found.only(name), frames) for name in names}
    counted = [score for score in classes.values() if score.truths]

    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else float("nan")

    return DetectionReport(
        mean([c.ap for c in counted]), mean([c.ap50 for c in counted]), mean([c.ap75 for c in counted]), classes, len(frames)
    )


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """One class at one IoU, as the score limit falls: row i counts the i + 1 best found boxes."""

    recall: Array  # (n,)
    precision: Array  # (n,)
    scores: Array  # (n,) the limit itself


def precision_recall(truth: Annotations, found: Annotations, name: str, *, iou: float = 0.5) -> PrecisionRecall:
    """The curve behind the average precision of class `name`; `iou` is one of 0.5, 0.55 … 0.95. Empty without true boxes.

    >>> true = Annotations.of([1, 2], [[0, 0, 10, 10]] * 2)
    >>> seen = Annotations.of([1, 1, 2], [[0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 10, 10]], scores=[0.9, 0.8, 0.7])
    >>> precision_recall(true, seen, "person").precision.round(2).tolist()
    [1.0, 0.5, 0.67]
    """
    level = int(np.abs(THRESHOLDS - iou).argmin())
    if abs(THRESHOLDS[level] - iou) > 1e-6:
        raise ValueError(f"iou must be one of 0.5, 0.55 … 0.95, not {iou}")
    truth, found = truth.only(name), found.only(name)
    wanted = int(np.count_nonzero(~truth.ignore))
    everything, order, hit, counts = _matched(truth, found, np.union1d(truth.frames, found.frames))
    kept = counts[level]
    good, bad = np.cumsum(hit[level] & kept)[kept], np.cumsum(~hit[level] & kept)[kept]
    if not wanted:
        return PrecisionRecall(np.zeros(0), np.zeros(0), np.zeros(0))
    return PrecisionRecall(good / wanted, good / np.maximum(good + bad, 1), everything[order][kept])


def _matched(truth: Annotations, found: Annotations, frames: NDArray[np.int64]) -> tuple[Array, NDArray[np.intp], Bools, Bools]:
    """One class -> scores (m,), their order (m,), and in that order (10, m): whether matched, whether it counts."""
    scores: list[Array] = []
    hits: list[Bools] = []  # each (10, m)
    void: list[Bools] = []
    for true, here in zip(truth.rows_in(frames), found.rows_in(frames), strict=True):
        if not len(here):
            continue
        here = here[np.argsort(-found.scores[here], kind="stable")[:MOST_PER_PICTURE]]
        hit, ignored = _match(found.boxes[here], truth.boxes[true], truth.ignore[true])
        scores.append(found.scores[here])
        hits.append(hit)
        void.append(ignored)
    everything = np.concatenate([*scores, np.zeros(0)])
    order = np.argsort(-everything, kind="stable")
    empty = np.zeros((len(THRESHOLDS), 0), bool)
    return everything, order, np.concatenate([*hits, empty], axis=1)[:, order], ~np.concatenate([*void, empty], axis=1)[:, order]


def _class_score(truth: Annotations, found: Annotations, frames: NDArray[np.int64]) -> ClassScore:
    wanted = int(np.count_nonzero(~truth.ignore))
    everything, order, hit, counts = _matched(truth, found, frames)
    if not wanted:
        nothing = float("nan")
        return ClassScore(nothing, nothing, nothing, 0, len(everything), nothing, nothing)
    good = np.cumsum(hit & counts, axis=1)
    bad = np.cumsum(~hit & counts, axis=1)
    recall, precision = good / wanted, good / np.maximum(good + bad, 1)
    ap = [_area(r, p) for r, p in zip(recall, precision, strict=True)]
    f1 = 2 * good[0] / (wanted + good[0] + bad[0])
    best = int(np.argmax(f1)) if len(f1) else 0
    return ClassScore(
        float(np.mean(ap)),
        ap[0],
        ap[5],
        wanted,
        len(everything),
        float(f1[best]) if len(f1) else 0.0,
        float(everything[order[best]]) if len(f1) else float("nan"),
    )


def _match(boxes: Array, truths: Array, ignore: Bools) -> tuple[Bools, Bools]:
    """Found boxes, best first (m, 4), true boxes (n, 4) -> (10, m) matched, (10, m) not to be counted."""
    order = np.argsort(ignore, kind="stable")  # real ones first
    truths, ignore = truths[order], ignore[order]
    shared = intersection_matrix(boxes, truths)
    own = area(boxes)[:, None]
    union = np.where(ignore, own, own + area(truths) - shared)
    iou = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    real = int(np.count_nonzero(~ignore))
    hit = np.zeros((len(THRESHOLDS), len(boxes)), bool)
    void = np.zeros_like(hit)
    for level, limit in enumerate(THRESHOLDS):
        free = np.ones(len(truths), bool)
        for row in range(len(boxes)):
            near = iou[row] * free
            candidates = near[:real] if real and near[:real].max() >= limit else near
            if not len(candidates) or candidates.max() < limit:
                continue
            best = len(candidates) - 1 - int(np.argmax(candidates[::-1]))  # COCO lets the later of two equals win
            hit[level, row] = True
            if ignore[best]:
                void[level, row] = True  # a crowd takes any number
            else:
                free[best] = False
    return hit, void


def _area(recall: Array, precision: Array) -> float:
    if not len(recall):
        return 0.0
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    at = recall.searchsorted(RECALLS, side="left")
    return float(np.where(at < len(recall), best_from_here[np.minimum(at, len(recall) - 1)], 0.0).mean())
