"""Telling classes apart: cross-entropy with label smoothing and class weights, measured by accuracy and macro-F1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from pahara.core import DataError
from pahara.report.phrases import Phrase, plain, say

from ..report.blocks import Gallery, Shot
from ..report.classes import percent
from .classes import quick_figures
from .job import Tell

UNEVEN = 2.0  # times as many of one class as of another: from here on classes are weighted
SHOWN = 8  # pictures of each gallery


class Prepare(Protocol):
    """What a batch brings, on the model's device -> what the model takes."""

    def __call__(self, x: Tensor, /) -> Tensor: ...


@dataclass
class Classify:
    """The task of every classifier. A batch is (x (b, …), labels (b,)); `prepare` makes x the model's input."""

    prepare: Prepare
    weights: tuple[float, ...] = ()  # of each class; () counts every example alike
    smoothing: float = 0.0  # share of certainty that the target gives to the other classes (Szegedy et al. 2016)
    metric: str = "accuracy"  # what decides; of equals, the smaller loss
    best: str = "deciding"
    lower_is_better: bool = False

    def loss(self, model: nn.Module, batch: Any) -> dict[str, Tensor]:
        x, labels = batch
        scores = model(self.prepare(x))  # (b, c)
        weights = scores.new_tensor(self.weights) if self.weights else None
        return {"loss": cross_entropy(scores, labels, weights, label_smoothing=self.smoothing)}

    def measure(self, model: nn.Module, batches: Iterable[Any], device: torch.device) -> dict[str, float]:
        probabilities, truth = probabilities_of(model, batches, device, self.prepare)
        sure = probabilities[np.arange(len(truth)), truth]
        figures = quick_figures(probabilities, truth)
        loss = float(-np.log(np.maximum(sure, 1e-12)).mean())
        # A small held-out set has few accuracies: between equals the surer weights are kept.
        return {**figures, "held_out_loss": loss, "deciding": figures[self.metric] + 0.5 / (len(truth) * (1 + loss))}


@torch.no_grad()
def probabilities_of(
    model: nn.Module, batches: Iterable[Any], device: torch.device, prepare: Prepare, tell: Tell | None = None
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """-> probabilities (n, c), true classes (n,), in the order of the batches."""
    model.eval()
    scores, truth = [], []
    total = len(batches) if isinstance(batches, Sized) else 0
    for done, (x, labels) in enumerate(batches, 1):
        scores.append(model(prepare(x.to(device, non_blocking=True))).float().softmax(1).cpu())
        truth.append(labels.cpu())
        if tell is not None and total:
            tell(done / total)
    return torch.cat(scores).numpy(), torch.cat(truth).numpy().astype(np.intp)


def class_weights(labels: Sequence[int], classes: int, balance: bool | None) -> tuple[float, ...]:
    """The weight of each class, inverse to how often it comes; () where all count alike. `balance` None decides by the counts.

    >>> class_weights([0, 0, 0, 1], 2, None)
    (0.6666666666666666, 2.0)
    """
    from sklearn.utils.class_weight import compute_class_weight

    counts = np.bincount(np.asarray(labels, int), minlength=classes)
    uneven = counts.max() > UNEVEN * max(int(counts.min()), 1)
    if balance is False or (balance is None and not uneven):
        return ()
    return tuple(compute_class_weight("balanced", classes=np.arange(classes), y=np.asarray(labels)).tolist())


def need_classes(names: Sequence[str], labels: Sequence[int], held_out: Sequence[int], where: object) -> None:
    """DataError unless there are two classes at least, each with something to learn from."""
    if len(names) < 2:
        only = f" ({names[0]!r})" if names else ""
        raise DataError(f"{where}: there is one class only{only}, so there is nothing to tell apart; add a folder for a second class")
    counts = np.bincount(np.asarray(labels, int), minlength=len(names))
    empty = [name for name, count in zip(names, counts.tolist(), strict=True) if not count]
    if empty:
        raise DataError(f"{where}: nothing of the class {empty[0]!r} is left to learn from; add more of it, or take its folder away")
    if not len(held_out):
        raise DataError(f"{where}: nothing is left to measure on; add more examples, or lay a val/ folder beside train/")


def same_classes(known: Sequence[str], here: Sequence[str], weights: object, data: object) -> None:
    """DataError when data has other classes than the weights that are to be measured on it."""
    missing = [name for name in here if name not in known]
    if missing:
        raise DataError(
            f"{data} has the class {missing[0]!r}, which {weights} was not taught (it knows {', '.join(known)}); "
            "measure on data of the same classes, or train on these: pahara train … --from"
        )


def galleries(
    probabilities: NDArray[np.floating[Any]],
    truth: NDArray[np.intp],
    names: Sequence[str],
    draw: Callable[[int, Phrase, Phrase, str], Shot],
) -> tuple[Gallery, ...]:
    """The most confident mistakes, and of each class the surest right ones. `draw(index, name, words, tone)` shows example `index`."""
    said = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    wrong = [int(i) for i in np.argsort(-sure, kind="stable") if said[i] != truth[i]][:SHOWN]
    right = _spread([int(i) for i in np.argsort(-sure, kind="stable") if said[i] == truth[i]], truth)
    made = []
    for key, rows, tone in (("worst", wrong, "bad"), ("best", right, "good")):
        if rows:
            shots = [
                draw(
                    i,
                    plain(names[said[i]]),
                    say(f"training.{key}.words", said=names[said[i]], true=names[truth[i]], sure=percent(float(sure[i]))),
                    tone,
                )
                for i in rows
            ]
            made.append(Gallery(say(f"training.{key}"), tuple(shots), say(f"training.{key}.about")))
    return tuple(made)


def _spread(rows: list[int], truth: NDArray[np.intp]) -> list[int]:
    """The first of every class, then the second …, so that one easy class does not fill the page."""
    turn: dict[int, int] = {}
    ranked = []
    for place, row in enumerate(rows):
        seen = turn[int(truth[row])] = turn.get(int(truth[row]), -1) + 1
        ranked.append((seen, place, row))
    return [row for _, _, row in sorted(ranked)[:SHOWN]]
