"""A picture belongs to one of several classes: `pahara train image`, from a folder for each class."""

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
from pahara.detection.letterbox import IMAGENET_MEAN, IMAGENET_STD
from pahara.models import names as model_names
from pahara.report.phrases import Phrase, plain, say

from ..batches import Batches
from ..data.folders import read_class_folders
from ..data.images import ImageAugment, ImageSet, open_images
from ..data.pictures import VIDEOS, files_in
from ..data.sample import resized
from ..plan import Plan
from ..report.blocks import Gallery, Shot
from ..report.classes import class_blocks, percent
from ..report.pictures import shot
from .classes import classified
from .classify import Classify, class_weights, galleries, need_classes, probabilities_of, same_classes
from .explain import overlay, what_it_looks_at
from .job import Job, Outcome, Tell, Wishes
from .start import Start, begin, epochs_for, parameters_of

MODEL, SIZE, BATCH = "tinyvgg", 64, 32
SMOOTHING = 0.05
CACHE_MB = 600.0  # decoded pictures kept in memory
LOOKED_AT = 8  # pictures with a heat map


@dataclass(frozen=True)
class ToInput:
    """Pictures as they come from disk (b, h, w, 3) uint8 BGR -> (b, 3, h, w) float32 as `preparation` says."""

    preparation: Mapping[str, Any]

    def __call__(self, x: Tensor) -> Tensor:
        told = self.preparation
        planes = x.permute(0, 3, 1, 2)
        if told.get("rgb"):
            planes = planes.flip(1)
        mean = torch.tensor(told.get("mean", (0.0, 0.0, 0.0)), device=x.device).view(1, 3, 1, 1)
        std = torch.tensor(told.get("std", (1.0, 1.0, 1.0)), device=x.device).view(1, 3, 1, 1)
        return ((planes.float() * float(told.get("scale", 1.0)) - mean) / std).contiguous()


def open_job(data: Path, wishes: Wishes) -> Job:
    """Everything for `pahara train image`. DataError, ModelError or TrainingError for what cannot be."""
    say_if_clips(data)
    folders = read_class_folders(data)
    if len(folders.names) < 2:
        need_classes(folders.names, [], [], data)
    start = begin("image", wishes, MODEL, known=(*model_names(takes="image", gives="classes"), "mlp"))
    size = wishes.size or start.size or SIZE
    if size < 8:
        raise TrainingError(f"pictures of {size} pixels show nothing; take --size 32 or more")
    extra = wishes.extra
    augment = ImageAugment(flip=0.0 if extra.get("no_flip") else 0.5) if extra.get("augment", True) else None
    sets = open_images(
        folders, size=(size, size), augment=augment, fill="stretch", shares=_shares(extra), seed=wishes.seed, cache_mb=CACHE_MB
    )
    train, held_out = sets["train"], sets["val"]
    need_classes(folders.names, train.labels, held_out.labels, data)
    options = dict(wishes.options) | ({"inputs": 3 * size * size} if start.model == "mlp" else {})
    model = start.build(folders.names, options)
    about: dict[str, Any] = {
        "kind": "image",
        "model": start.model,
        "options": {**start.options, **options, "classes": len(folders.names)},
        "classes": list(folders.names),
        "names": list(folders.names),
        "input": [3, size, size],
        "preparation": start.preparation or PREPARATION,
        "activation": "softmax",
    }
    if "" in folders.splits:  # so that whoever measures on this folder later leaves out what was learned from
        about["divided"] = {"files": folders.mark, "val": _shares(extra)["val"], "seed": wishes.seed}
    weights = class_weights(train.labels, len(folders.names), extra.get("balance"))
    prepare = ToInput(about["preparation"])
    task = Classify(prepare, weights, float(extra.get("smoothing", SMOOTHING)), "macro_f1" if weights else "accuracy")
    batch = min(wishes.batch or BATCH, len(train))
    small: dict[str, Any] = (
        {"workers": 0} if len(train) * size * size < 2_000_000 and wishes.workers is None else {"workers": wishes.workers}
    )
    plan = start.plan(Plan(epochs=epochs_for(len(train) // batch), lr=2e-3, weight_decay=0.05), wishes)
    test = sets.get("test")
    return Job(
        "image",
        model,
        task,
        Batches(train, batch, shuffle=True, seed=wishes.seed, collate=stacked, **small),
        Batches(held_out, batch, collate=stacked, **small),
        plan,
        about,
        data,
        {
            "classes": {name: train.labels.count(k) for k, name in enumerate(folders.names)},
            "train": len(train),
            "held_out": len(held_out),
            "test": len(test) if test else 0,
            "model": start.model,
            "parameters": parameters_of(model),
            "size": f"{size} x {size}",
            "batch": batch,
            "from": wishes.weights,
            "class_weights": [round(w, 2) for w in weights],
        },
        partial(examine, held_out=held_out, about=about, batch=batch),
        start.notes,
    )


def stacked(examples: Sequence[tuple[Image, int]]) -> tuple[Tensor, Tensor]:
    """-> pictures (b, h, w, 3) uint8, labels (b,)."""
    return torch.from_numpy(np.stack([image for image, _ in examples])), torch.tensor([label for _, label in examples])


PREPARATION: Mapping[str, Any] = {
    "fit": "stretch", "rgb": True, "scale": 1 / 255, "mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD),
}  # fmt: skip


def examine(model: nn.Module, /, *, held_out: ImageSet, about: Mapping[str, Any], batch: int = BATCH, tell: Tell | None = None) -> Outcome:
    """A finished model on held-out pictures: figures, curves, the best and the worst, and what it looks at."""
    device = next(model.parameters()).device
    prepare, names = ToInput(about["preparation"]), tuple(about["classes"])
    probabilities, truth = probabilities_of(model, Batches(held_out, batch, workers=0, collate=stacked), device, prepare, tell)
    result = classified(probabilities, truth, names)

    def draw(index: int, name: Phrase, words: Phrase, tone: str) -> Shot:
        return shot(_original(held_out, index), name, words, tone)

    blocks = [
        *class_blocks(result),
        *galleries(probabilities, truth, names, draw),
        *_looked_at(model, held_out, probabilities, truth, about, device),
    ]
    table = [
        {"class": c.name, "count": c.count, "precision": c.precision, "recall": c.recall, "f1": c.f1, "auroc": c.auroc}
        for c in result.classes
    ]
    return Outcome(
        {"accuracy": result.accuracy, "macro_f1": result.macro_f1, "ece": result.calibration.ece, "log_loss": result.log_loss, "examples": float(len(truth))},
        say("training.headline.image", right=int((probabilities.argmax(1) == truth).sum()), all=len(truth)),
        tuple(blocks),
        table,
    )  # fmt: skip


def evaluate(model: nn.Module, about: Mapping[str, Any], data: Path, *, split: str = "", tell: Tell | None = None) -> Outcome:
    """A trained model on a data set of the same classes: its "test" or "val" part, or all of it where it has none.

    Of the very folder that it learned from, the pictures that were held out then.
    """
    say_if_clips(data)
    folders = read_class_folders(data)
    same_classes(about["classes"], folders.names, "the model", data)
    size = (int(about["input"][2]), int(about["input"][1]))
    parts = folders.as_trained(about) or (folders.divided() if "" not in folders.splits else {"all": folders.splits[""]})
    wanted = split or next(name for name in ("test", "val", "all", "train") if name in parts)
    if wanted not in parts:
        raise DataError(f"{data} has no part {wanted!r}, only {', '.join(parts)}")
    column = {name: k for k, name in enumerate(about["classes"])}
    items = [type(item)(item.path, column[folders.names[item.label]], item.group) for item in parts[wanted]]
    return examine(model, held_out=ImageSet(items, about["classes"], size=size, fill="stretch"), about=about, tell=tell)


@torch.no_grad()
def predict(model: nn.Module, about: Mapping[str, Any], images: Sequence[Image]) -> NDArray[np.float32]:
    """BGR pictures of any size -> (n, c) probabilities."""
    x = ToInput(about["preparation"])(torch.from_numpy(as_input(images, about)))
    found: NDArray[np.float32] = model(x.to(next(model.parameters()).device)).softmax(1).cpu().numpy()
    return found


def as_input(images: Sequence[Image], about: Mapping[str, Any]) -> NDArray[np.uint8]:
    """BGR pictures of any size -> (n, h, w, 3) in the model's size, shrunk as in training."""
    size = (int(about["input"][2]), int(about["input"][1]))
    return np.stack([resized(image, size) for image in images])


def say_if_clips(data: Path) -> None:
    """DataError when the folder holds films where pictures are wanted."""
    if not data.exists():
        raise DataError(f"{data}: there is no such folder; name the folder that has a folder of pictures for each class")
    if data.is_file():
        raise DataError(f"{data} is a file; name the folder that has a folder of pictures for each class")
    films = files_in(data, VIDEOS, deep=True)
    if films and not _has_pictures(data):
        raise DataError(f"{data} holds films ({films[0].name}), no pictures: pahara train action {data}")


def _has_pictures(data: Path) -> bool:
    from ..data.pictures import PICTURES

    return any(file.suffix.lower() in PICTURES for file in data.rglob("*"))


def _shares(extra: Mapping[str, Any]) -> dict[str, float]:
    """How a folder without splits is parted; by default nothing is kept back for a test."""
    hold = float(extra.get("hold_out", 0.2))
    if not 0.01 <= hold <= 0.9:
        raise TrainingError(f"--hold-out is {hold:g}; it must be a share from 0.01 to 0.9")
    return {"train": 1 - hold, "val": hold}


def _original(data: ImageSet, index: int) -> Image:
    from ..data.pictures import read_image

    return read_image(data.items[index].path)


def _looked_at(
    model: nn.Module,
    data: ImageSet,
    probabilities: NDArray[np.floating[Any]],
    truth: NDArray[np.intp],
    about: Mapping[str, Any],
    device: torch.device,
) -> list[Gallery]:
    """Heat over a few pictures: mistakes first, then some of each class."""
    said = probabilities.argmax(axis=1)
    wrong = [i for i in range(len(truth)) if said[i] != truth[i]]
    right = [i for i in range(len(truth)) if said[i] == truth[i]]
    chosen = [*wrong[: LOOKED_AT // 2], *right[:: max(1, len(right) // LOOKED_AT)]][:LOOKED_AT]
    if not chosen or about["model"] == "mlp":
        return []
    images = [_original(data, i) for i in chosen]
    x = ToInput(about["preparation"])(torch.from_numpy(as_input(images, about)).to(device))
    heat, how = what_it_looks_at(model, x, torch.from_numpy(said[chosen]).to(device))
    shots = []
    for row, i in enumerate(chosen):
        tone = "good" if said[i] == truth[i] else "bad"
        words = say(
            "training.worst.words",
            said=about["classes"][said[i]],
            true=about["classes"][truth[i]],
            sure=percent(float(probabilities[i].max())),
        )
        shots.append(shot(overlay(images[row], heat[row]), plain(about["classes"][said[i]]), words, tone))
    return [Gallery(say("training.looks"), tuple(shots), say(f"training.looks.{how}"))]


__all__ = ["Start", "as_input", "evaluate", "examine", "open_job", "predict"]
