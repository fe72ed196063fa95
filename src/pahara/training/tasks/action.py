"""What happens in a clip, or in how one or two people move: `pahara train action`, from clips in class folders or from windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.core import DataError, Image, TrainingError
from pahara.models import names as model_names
from pahara.report.phrases import Phrase, plain, say

from ..batches import Batches
from ..data.clip_folders import read_clip_folders
from ..data.clips import CALM, ClipSet, open_clips
from ..data.pictures import PICTURES, VIDEOS, files_in
from ..plan import Plan
from ..report.blocks import Chart, Gallery, Line, Shot
from ..report.classes import class_blocks
from ..report.pictures import shot, strip
from .classes import Classified, classified
from .classify import Classify, class_weights, galleries, need_classes, probabilities_of, same_classes
from .explain import time_occlusion
from .job import Job, Outcome, Tell, Wishes
from .start import begin, epochs_for, parameters_of

CLIP_MODEL, SIZE, BATCH = "cnn-lstm", 64, 8
SECONDS, RATE = 2.0, 8.0
PREPARATION: Mapping[str, Any] = {"fit": "stretch", "rgb": False, "scale": 1 / 255, "mean": [0.45] * 3, "std": [0.25] * 3}


@dataclass(frozen=True)
class ToClip:
    """Clips as they come from disk (b, t, h, w, 3) uint8 BGR -> (b, t, 3, h, w) float32 as `preparation` says."""

    preparation: Mapping[str, Any]

    def __call__(self, x: Tensor) -> Tensor:
        told = self.preparation
        planes = x.permute(0, 1, 4, 2, 3)
        if told.get("rgb"):
            planes = planes.flip(2)
        mean = torch.tensor(told.get("mean", (0.0, 0.0, 0.0)), device=x.device).view(1, 1, 3, 1, 1)
        std = torch.tensor(told.get("std", (1.0, 1.0, 1.0)), device=x.device).view(1, 1, 3, 1, 1)
        return ((planes.float() * float(told.get("scale", 1.0)) - mean) / std).contiguous()


def open_job(data: Path, wishes: Wishes) -> Job:
    """Everything for `pahara train action`. DataError, ModelError or TrainingError for what cannot be."""
    if not data.exists():
        raise DataError(f"{data}: there is no such folder; name one with a folder of clips for each class, or a set of windows")
    from . import windows

    if windows.is_set(data):
        return windows.open_job(data, wishes)
    say_if_pictures(data)
    folders = read_clip_folders(data)
    start = begin("action", wishes, CLIP_MODEL, known=model_names(takes="clip", gives="classes"))
    window = dict(start.about.get("window", {}))
    seconds = float(wishes.extra.get("seconds") or window.get("seconds", SECONDS))
    rate = float(wishes.extra.get("rate") or window.get("rate", RATE))
    size = wishes.size or start.size or SIZE
    hold = float(wishes.extra.get("hold_out", 0.2))
    if len(folders.names) < 2:
        need_classes(folders.names, [], [], data)
    augment = CALM if wishes.extra.get("augment", True) else None
    sets = open_clips(
        folders, seconds=seconds, rate=rate, size=(size, size), augment=augment, shares={"train": 1 - hold, "val": hold}, seed=wishes.seed
    )
    train, held_out = sets["train"], sets["val"]
    need_classes(folders.names, train.labels, held_out.labels, data)
    model = start.build(folders.names, wishes.options)
    about: dict[str, Any] = {
        "kind": "action",
        "model": start.model,
        "options": {**start.options, **wishes.options, "classes": len(folders.names)},
        "classes": list(folders.names),
        "names": list(folders.names),
        "input": [train.steps, 3, size, size],
        "preparation": dict(start.preparation or PREPARATION),
        "window": {"seconds": seconds, "rate": rate},
        "activation": "softmax",
    }
    weights = class_weights(train.labels, len(folders.names), wishes.extra.get("balance"))
    task = Classify(
        ToClip(about["preparation"]), weights, float(wishes.extra.get("smoothing", 0.05)), "macro_f1" if weights else "accuracy"
    )
    batch = min(wishes.batch or BATCH, len(train))
    some: dict[str, Any] = {"workers": 0 if wishes.workers is None and len(train) < 64 else wishes.workers, "collate": stacked}
    plan = start.plan(Plan(epochs=epochs_for(len(train) // batch, wanted=500), lr=1e-3, weight_decay=0.05), wishes)
    return Job(
        "action",
        model,
        task,
        Batches(train, batch, shuffle=True, seed=wishes.seed, **some),
        Batches(held_out, batch, **some),
        plan,
        about,
        data,
        {
            "classes": {name: train.labels.count(k) for k, name in enumerate(folders.names)},
            "train": len(train),
            "held_out": len(held_out),
            "sources": len({*train.groups, *held_out.groups}),
            "model": start.model,
            "parameters": parameters_of(model),
            "window": f"{seconds:g} s at {rate:g} a second, {size} x {size}",
            "batch": batch,
            "from": wishes.weights,
            "class_weights": [round(w, 2) for w in weights],
        },
        partial(examine, held_out=held_out, about=about),
        start.notes,
    )


def examine(model: nn.Module, /, *, held_out: ClipSet, about: Mapping[str, Any], tell: Tell | None = None) -> Outcome:
    """A finished model on held-out clips. A clip that is longer than the window is seen in several, and their mean counts."""
    device = next(model.parameters()).device
    probabilities = []
    for index in range(len(held_out)):
        probabilities.append(predict(model, about, held_out.windows(index)).mean(axis=0))
        if tell is not None:
            tell((index + 1) / len(held_out))
    certain, truth = np.stack(probabilities), np.array(held_out.labels, np.intp)

    def draw(index: int, name: Phrase, words: Phrase, tone: str) -> Shot:
        return shot(strip(list(held_out.windows(index, stride=1e9)[0])), name, words, tone)

    result = classified(certain, truth, tuple(about["classes"]))
    moments = time_chart(model, about, [held_out.windows(i, stride=1e9)[0] for i in _some(truth)], certain[_some(truth)].argmax(1), device)
    return outcome_of(result, certain, truth, galleries(certain, truth, result.names, draw), moments)


def outcome_of(
    result: Classified,
    probabilities: NDArray[np.floating[Any]],
    truth: NDArray[np.intp],
    pictures: Sequence[Gallery],
    moments: Sequence[Chart],
) -> Outcome:
    """The figures of a recogniser, and for each class the certainty from which on it should be believed."""
    table = [
        {"class": c.name, "count": c.count, "precision": c.precision, "recall": c.recall, "f1": c.f1, "auroc": c.auroc}
        for c in result.classes
    ]
    return Outcome(
        {"accuracy": result.accuracy, "macro_f1": result.macro_f1, "ece": result.calibration.ece, "log_loss": result.log_loss, "examples": float(len(truth))},
        say("training.headline.action", right=int((probabilities.argmax(1) == truth).sum()), all=len(truth)),
        (*class_blocks(result), *pictures, *moments),
        table,
        {"thresholds": thresholds(result)},
    )  # fmt: skip


def thresholds(result: Classified) -> dict[str, float]:
    """The certainty of each class at which F1 is best on held-out data, between 0.3 and 0.95; 0.5 where nothing was held out."""
    found = {}
    for one in result.classes:
        x, y = one.pr.x[:-1], one.pr.y[:-1]  # recall, precision; the last point is no threshold
        if not len(x):
            found[one.name] = 0.5
            continue
        f1 = 2 * x * y / np.maximum(x + y, 1e-12)
        best = np.flatnonzero(f1 >= f1.max() - 1e-9)
        found[one.name] = round(float(np.clip(one.pr.limits[best].mean(), 0.3, 0.95)), 3)  # the middle of equals
    return found


def time_chart(
    model: nn.Module, about: Mapping[str, Any], clips: Sequence[NDArray[Any]], classes: NDArray[np.intp], device: torch.device
) -> list[Chart]:
    """Which moments decide, for a few examples."""
    if not len(clips):
        return []
    x = torch.from_numpy(np.stack(clips)).to(device)
    wanted = torch.from_numpy(np.asarray(classes)).to(device)
    prepare = preparation_of(about)

    def probability(windows: Tensor) -> Tensor:
        certain: Tensor = model(prepare(windows)).softmax(1).gather(1, wanted[:, None])[:, 0]
        return certain

    model.eval()
    heat = time_occlusion(probability, x)
    rate = float(about["window"]["rate"])
    lines = tuple(
        Line(plain(f"{about['classes'][k]} {i + 1}"), np.arange(len(row)) / rate, row, i % 7)
        for i, (k, row) in enumerate(zip(classes, heat, strict=True))
    )
    return [
        Chart(
            say("training.looks"),
            lines,
            say("training.axis.seconds"),
            say("training.axis.matters"),
            say("training.looks.time"),
            None,
            (0.0, 1.0),
        )
    ]


def preparation_of(about: Mapping[str, Any]) -> Any:
    """How this recogniser's examples become its input."""
    if len(about["input"]) == 4 and about["input"][1] == 3 and "joints" not in about["window"]:
        return ToClip(about["preparation"])
    from .windows import ToWindow

    return ToWindow(int(about["window"].get("people", 1)))


@torch.no_grad()
def predict(model: nn.Module, about: Mapping[str, Any], clips: NDArray[Any]) -> NDArray[np.float32]:
    """Clips (n, t, h, w, 3) uint8 BGR, or windows (n, t, k, 3), -> (n, c) probabilities."""
    device, prepare = next(model.parameters()).device, preparation_of(about)
    model.eval()
    parts = [
        model(prepare(torch.from_numpy(np.ascontiguousarray(clips[k : k + BATCH])).to(device))).softmax(1).cpu()
        for k in range(0, len(clips), BATCH)
    ]
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found


def evaluate(model: nn.Module, about: Mapping[str, Any], data: Path, *, split: str = "", tell: Tell | None = None) -> Outcome:
    """A trained model on clips (or windows) of the same classes."""
    from . import windows

    if windows.is_set(data):
        return windows.evaluate(model, about, data, split=split, tell=tell)
    say_if_pictures(data)
    folders = read_clip_folders(data)
    same_classes(about["classes"], folders.names, "the model", data)
    parts = folders.divided() if "" not in folders.splits else {"all": folders.splits[""]}
    wanted = split or next(name for name in ("test", "val", "all", "train") if name in parts)
    if wanted not in parts:
        raise DataError(f"{data} has no part {wanted!r}, only {', '.join(parts)}")
    column = {name: k for k, name in enumerate(about["classes"])}
    items = [type(item)(item.path, column[folders.names[item.label]], item.group) for item in parts[wanted]]
    return examine(model, held_out=clips_like(about, items), about=about, tell=tell)


def clips_like(about: Mapping[str, Any], items: Sequence[Any]) -> ClipSet:
    """These clips as the model wants them."""
    size = (int(about["input"][3]), int(about["input"][2]))
    told = about["window"]
    return ClipSet(items, about["classes"], seconds=float(told["seconds"]), rate=float(told["rate"]), size=size)


def stacked(examples: Sequence[tuple[NDArray[Any], int]]) -> tuple[Tensor, Tensor]:
    """-> examples (b, …), labels (b,)."""
    return torch.from_numpy(np.stack([x for x, _ in examples])), torch.tensor([int(label) for _, label in examples])


def say_if_pictures(data: Path) -> None:
    """DataError when the folder holds pictures where clips are wanted."""
    if data.is_dir() and not files_in(data, VIDEOS, deep=True) and files_in(data, PICTURES, deep=True):
        raise DataError(f"{data} holds pictures, no clips: pahara train image {data}")


def _some(truth: NDArray[np.intp], most: int = 4) -> NDArray[np.intp]:
    """A few rows, of different classes where there are."""
    first = [int(np.flatnonzero(truth == k)[0]) for k in np.unique(truth)]
    return np.array(first[:most], np.intp)


__all__ = ["Image", "TrainingError", "evaluate", "examine", "open_job", "predict", "probabilities_of"]
