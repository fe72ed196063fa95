"""How well classes are told apart: one place for accuracy, F1, curves and calibration, computed by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics

from pahara.evaluation.auroc import auroc

Floats = NDArray[np.floating[Any]]
BINS = 10  # of confidence, as in Guo et al. 2017


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision over recall or true over false positive rate, as the threshold falls."""

    x: Floats
    y: Floats
    limits: Floats  # the threshold of each point; of precision over recall the last point has none


@dataclass(frozen=True, slots=True, eq=False)
class ClassFigures:
    """One class against all others."""

    name: str
    precision: float
    recall: float
    f1: float
    count: int  # true examples
    average_precision: float  # area under precision over recall; not a number without examples
    auroc: float  # probability that one of it outscores another; not a number when one kind is missing
    pr: Curve
    roc: Curve


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Whether 0.8 is right in 8 of 10 cases."""

    ece: float  # expected calibration error: mean over examples of |confidence − accuracy| of their bin
    edges: Floats  # (bins + 1,)
    accuracy: Floats  # (bins,) not a number where nothing fell
    confidence: Floats  # (bins,) mean
    counts: NDArray[np.intp]  # (bins,)


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """Everything about n examples and c classes."""

    names: tuple[str, ...]
    accuracy: float
    macro_f1: float  # mean over the classes that the truth has
    log_loss: float
    classes: tuple[ClassFigures, ...]
    confusion: NDArray[np.intp]  # (c, c) true down, predicted across
    calibration: Calibration


def quick_figures(probabilities: Floats, truth: ArrayLike) -> dict[str, float]:
    """What an epoch says of itself: (n, c) and (n,) -> accuracy, macro_f1.

    >>> quick_figures(np.array([[.9, .1], [.4, .6], [.8, .2]]), [0, 1, 1])["accuracy"].__round__(3)
    0.667
    """
    true, said = np.asarray(truth), probabilities.argmax(axis=1)
    return {
        "accuracy": float(metrics.accuracy_score(true, said)),
        "macro_f1": float(metrics.f1_score(true, said, labels=np.unique(true), average="macro", zero_division=0)),
    }


def classified(probabilities: Floats, truth: ArrayLike, names: Sequence[str]) -> Classified:
    """Probabilities (n, c), true classes (n,) -> every figure and curve."""
    true, scores = np.asarray(truth, np.intp), np.asarray(probabilities, np.float64)
    scores = scores / scores.sum(axis=1, keepdims=True)  # float32 sums to one but for its last digit
    said, labels = scores.argmax(axis=1), np.arange(len(names))
    precision, recall, f1, counts = metrics.precision_recall_fscore_support(true, said, labels=labels, zero_division=0)
    figures = []
    for k, name in enumerate(names):
        here = true == k
        pr = roc = Curve(*[np.zeros(0)] * 3)
        average = float("nan")
        if here.any():
            p, r, limits = metrics.precision_recall_curve(here, scores[:, k])
            pr, average = Curve(r, p, limits), float(metrics.average_precision_score(here, scores[:, k]))
        if here.any() and not here.all():
            fpr, tpr, limits = metrics.roc_curve(here, scores[:, k])
            roc = Curve(fpr, tpr, limits)
        figures.append(
            ClassFigures(
                name, float(precision[k]), float(recall[k]), float(f1[k]), int(counts[k]), average, auroc(scores[:, k], here), pr, roc
            )
        )
    quick = quick_figures(scores, true)
    return Classified(
        tuple(names),
        quick["accuracy"],
        quick["macro_f1"],
        float(metrics.log_loss(true, scores, labels=labels)),
        tuple(figures),
        metrics.confusion_matrix(true, said, labels=labels),
        calibration(scores.max(axis=1), said == true),
    )


def calibration(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> Calibration:
    """Confidences (n,) in [0, 1] and whether they were right (n,) -> the reliability diagram and its error.

    Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", equation 3.
    Two of ten right at confidence 0.95: 0.75 too sure.

    >>> round(calibration([0.95] * 10, [True] * 2 + [False] * 8).ece, 3)
    0.75
    """
    sure, good = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = np.maximum(counts, 1)
    accuracy = np.where(counts, np.bincount(place, good, bins) / filled, np.nan)
    mean = np.where(counts, np.bincount(place, sure, bins) / filled, np.nan)
    gap = np.nan_to_num(np.abs(accuracy - mean))
    return Calibration(float((gap * counts).sum() / max(len(sure), 1)), edges, accuracy, mean, counts)
