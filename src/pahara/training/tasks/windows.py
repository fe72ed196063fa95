"""How one or two people move in a few seconds: actions from windows of boxes or skeletons, out of staged scenes or a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.behaviours.learned import Window
from pahara.behaviours.windows import BOX_POINTS
from pahara.core import DataError, TrainingError
from pahara.models import names as model_names
from pahara.report.phrases import Phrase

from ..batches import Batches
from ..data.windows import NOTHING, WindowSet, store_windows, truth_windows
from ..plan import Plan
from ..report.blocks import Shot
from ..report.pictures import shot, skeleton
from .action import outcome_of, predict, stacked, time_chart
from .classes import classified
from .classify import Classify, class_weights, galleries, need_classes, same_classes
from .job import Job, Outcome, Tell, Wishes
from .start import begin, epochs_for, parameters_of

MODEL, BATCH = "tcn", 64
STRIDE = 0.25  # seconds between two windows of one trail
KINDS = ("climbing", "falling", "fight", "running")  # incidents that are actions of one person, or of two
JITTER = 0.015  # body heights: how much a detector's boxes tremble
# COCO-17: left and right change places in a mirror; the bones that a picture shows.
MIRROR = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
BONES = ((5, 7), (7, 9), (6, 8), (8, 10), (5, 6), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (0, 5), (0, 6))
BOX = len(BOX_POINTS)
BOX_MIRROR, BOX_BONES = (1, 0, 3, 2, 4, 5), ((0, 1), (1, 3), (3, 2), (2, 0))


@dataclass(frozen=True)
class ToWindow:
    """Windows (b, t, people · k, 3) -> as the model wants them: of two people (b, 2, t, k, 3)."""

    people: int

    def __call__(self, x: Tensor) -> Tensor:
        return x if self.people == 1 else torch.stack(x.chunk(2, dim=2), dim=1)


class Varied:
    """Windows to learn from: mirrored and trembling, anew in every epoch."""

    def __init__(self, windows: WindowSet) -> None:
        self.windows = windows
        people, k = windows.window.people, windows.window.joints or BOX
        order = MIRROR if windows.window.joints == 17 else BOX_MIRROR if not windows.window.joints else tuple(range(k))
        # In a mirror the one on the left stands on the right: the second person's points come first.
        self.mirror = np.concatenate([np.array(order) + k * (people - 1 - p) for p in range(people)])

    def __len__(self) -> int:
        return len(self.windows)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], int]:
        x, label = self.windows[index]
        x = x.copy()
        if rng.random() < 0.5:
            x = x[:, self.mirror]
            x[..., 0] *= -1
        seen = x[..., 2:] > 0
        x[..., :2] = x[..., :2] * np.float32(rng.uniform(0.92, 1.08)) + seen * rng.normal(0, JITTER, x[..., :2].shape).astype(np.float32)
        return x, label


def is_set(data: Path) -> bool:
    """Whether windows can be made of it: the truth of staged scenes, or a store."""
    if data.is_file():
        return data.name.endswith(".json")
    return (data / "pahara.db").is_file() or next(data.rglob("truth.json"), None) is not None


def read_set(data: Path, window: Window, actions: Sequence[str]) -> WindowSet:
    """All windows of the truth files below `data`, or of the store in it. DataError where there is none."""
    if (data / "pahara.db").is_file():
        from pahara.store import Store

        wanted = list(actions)
        if not wanted:
            raise DataError(f"{data} is a store: say which behaviours' confirmed events to learn (--watch-for fighting)")
        if window.joints:
            raise DataError(f"{data} is a store, which keeps boxes and no joints: leave --joints out")
        store = Store.open(data)
        try:
            found = store_windows(store, window, labels={name: name for name in wanted}, names=(NOTHING, *wanted))
        finally:
            store.close()
    else:
        from pahara.simulate import read_truth

        files = [data] if data.is_file() else sorted(data.rglob("truth.json"))
        if not files:
            raise DataError(f"{data}: there is no truth.json below it; pahara simulate makes some")
        truths = {file: read_truth(file) for file in files}
        kinds = list(actions) or sorted({i.kind for truth in truths.values() for i in truth.incidents if i.kind in KINDS})
        if not kinds:
            raise DataError(f"{data}: nothing happens in these scenes; stage some with pahara simulate --kind fight")
        parts = [truth_windows(truth, window, kinds, stride=STRIDE, group=str(file.parent)) for file, truth in truths.items()]
        found = WindowSet.join(parts)
        if not actions:
            found = _with_examples(found)
    if not len(found):
        raise DataError(f"{data}: no trail is {window.seconds * window.least:.1f} s long, so there is no window; take --seconds smaller")
    return found


def _with_examples(found: WindowSet) -> WindowSet:
    """Without the classes of which there is no window: nobody falls in twos."""
    kept = [k for k in range(len(found.names)) if (found.labels == k).any()]
    column = np.full(len(found.names) + 1, -1)  # the last one is for windows that nobody labelled
    column[kept] = np.arange(len(kept))
    return WindowSet(found.inputs, column[found.labels], found.groups, tuple(found.names[k] for k in kept), found.window)


def open_job(data: Path, wishes: Wishes) -> Job:
    """Everything for `pahara train action` on windows."""
    extra = wishes.extra
    start = begin("action", wishes, MODEL, known=model_names(takes="window", gives="classes"))
    told = dict(start.about.get("window", {}))
    asked = {
        "seconds": extra.get("seconds"),
        "rate": extra.get("rate"),
        "people": extra.get("people"),
        "joints": 17 if extra.get("joints") else None,
    }
    try:
        window = Window.of({**told, **{name: value for name, value in asked.items() if value}})
    except ValueError as error:
        raise TrainingError(f"{error}; see --seconds, --rate and --people") from error
    every = read_set(data, window, extra.get("watch_for") or ())
    need_classes(every.names, every.labels[every.labels >= 0].tolist(), every.labels.tolist(), data)
    hold = float(extra.get("hold_out", 0.2))
    parts = every.split(shares={"train": 1 - hold, "val": hold}, seed=wishes.seed)
    train, held_out = parts["train"], parts["val"]
    need_classes(every.names, train.labels.tolist(), held_out.labels.tolist(), data)
    inputs = (window.joints or BOX) * 3
    options = {**wishes.options, "inputs": inputs, "persons": window.people}
    model = start.build(every.names, options)
    shape = [window.shape[0], inputs // 3, 3] if window.people == 1 else [2, window.shape[0], inputs // 3, 3]
    about: dict[str, Any] = {
        "kind": "action",
        "model": start.model,
        "options": {**start.options, **options, "classes": len(every.names)},
        "classes": list(every.names),
        "names": list(every.names),
        "input": shape,
        "window": asdict(window),
        "activation": "softmax",
    }
    weights = class_weights(train.labels.tolist(), len(every.names), extra.get("balance"))
    task = Classify(ToWindow(window.people), weights, float(extra.get("smoothing", 0.05)), "macro_f1" if weights else "accuracy")
    batch = min(wishes.batch or BATCH, len(train))
    plan = start.plan(Plan(epochs=epochs_for(len(train) // batch, wanted=800), lr=2e-3, weight_decay=0.05, clip=5.0), wishes)
    some: dict[str, Any] = {"workers": wishes.workers or 0, "collate": stacked}
    return Job(
        "action",
        model,
        task,
        Batches(Varied(train), batch, shuffle=True, seed=wishes.seed, **some),
        Batches(held_out, batch, **some),
        plan,
        about,
        data,
        {
            "classes": {name: int((train.labels == k).sum()) for k, name in enumerate(every.names)},
            "train": len(train),
            "held_out": len(held_out),
            "sources": len(set(every.groups)),
            "model": start.model,
            "parameters": parameters_of(model),
            "window": f"{window.seconds:g} s at {window.rate:g} a second, {window.people} people, {f'{window.joints} joints' if window.joints else 'boxes'}",
            "batch": batch,
            "from": wishes.weights,
            "class_weights": [round(w, 2) for w in weights],
        },
        partial(examine, held_out=held_out, about=about),
        start.notes,
    )


def examine(model: nn.Module, /, *, held_out: WindowSet, about: Mapping[str, Any], tell: Tell | None = None) -> Outcome:
    """A finished model on held-out windows."""
    probabilities, truth = predict(model, about, held_out.inputs), held_out.labels.astype(np.intp)
    if tell is not None:
        tell(1.0)
    result = classified(probabilities, truth, tuple(about["classes"]))
    window = held_out.window
    k = window.joints or BOX
    one = BONES if window.joints == 17 else BOX_BONES if not window.joints else ()
    edges = [(a + k * p, b + k * p) for p in range(window.people) for a, b in one]

    def draw(index: int, name: Phrase, words: Phrase, tone: str) -> Shot:
        return shot(skeleton(held_out.inputs[index], edges), name, words, tone, side=160)

    first = [int(np.flatnonzero(truth == c)[0]) for c in np.unique(truth)][:4]
    moments = time_chart(
        model, about, [held_out.inputs[i] for i in first], probabilities[first].argmax(1).astype(np.intp), next(model.parameters()).device
    )
    return outcome_of(result, probabilities, truth, galleries(probabilities, truth, result.names, draw), moments)


def evaluate(model: nn.Module, about: Mapping[str, Any], data: Path, *, split: str = "", tell: Tell | None = None) -> Outcome:
    """A trained model on other scenes, or another store; all of their windows count."""
    if split:
        raise DataError(f"{data} has no parts to choose from; leave --split out")
    if "people" not in about["window"]:
        raise DataError(f"{data} holds windows of trails, and the model looks at clips; measure it on clips in class folders")
    classes = list(about["classes"])
    found = read_set(data, Window.of(about["window"]), [name for name in classes if name != NOTHING])
    same_classes(classes, found.names, "the model", data)
    known = found.rows(np.flatnonzero(found.labels >= 0))
    column = np.array([classes.index(name) for name in found.names])
    renamed = WindowSet(known.inputs, column[known.labels], known.groups, tuple(classes), known.window)
    return examine(model, held_out=renamed, about=about, tell=tell)
