"""Where things are in a picture, and what they are: `pahara train detector`, from a data set in YOLO's folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from pahara.core import DataError, Detections, Image, ModelError, TrainingError
from pahara.core.boxes import nms
from pahara.detection import zoo
from pahara.detection.about import read_about
from pahara.detection.engine import OnnxRuntimeEngine
from pahara.detection.letterbox import Fit
from pahara.detection.names import COCO_80
from pahara.evaluation import Annotations, evaluate_detection
from pahara.models.yolox import YOLOX, cells, decode
from pahara.models.yolox_weights import load_official, settle_norms
from pahara.report.phrases import say

from ..batches import Batches
from ..data.augment import Augment
from ..data.detection import DetectionSet, collate
from ..data.pictures import image_size
from ..data.sample import PAD, letterboxed, sample_of
from ..data.yolo import read_yolo_set
from ..plan import Plan
from ..report.detection import detection_blocks
from ..simota import detection_loss
from .job import Job, Outcome, Tell, Wishes
from .start import Start, begin, epochs_for, parameters_of

MODELS = ("yolox-nano", "yolox-tiny", "yolox-s", "yolox")
MODEL, BATCH = "yolox-nano", 16
PIXELS = 416 * 416  # of the model's input, where nobody asked for a size: what the official nano and tiny were taught on
STEP, SHORTEST = 32, 64  # sides of a YOLOX's input are multiples of its coarsest stride
LEAST = 0.01  # score below which no box counts, as COCO's evaluation has it
LOOKED_AT = 200  # pictures whose shape is read to choose the input's
MAX_IOU = 0.65  # of two boxes of one class, when measuring
MOST = 100  # boxes a picture
CACHE_MB = 800.0  # decoded pictures kept in memory
PREPARATION: Mapping[str, Any] = {"fit": "letterbox", "place": "top-left", "pad": 114.0, "rgb": False}
Size = tuple[int, int]  # width, height
OFFICIAL = (".onnx", ".pth", ".tar")
BY_NAME = ("yolox-nano", "yolox-tiny", "yolox-s", "pahara-nano")  # weights to start from that have a name


@dataclass
class Detect:
    """A `training.loop.Task`. A batch is pictures (b, h, w, 3) uint8 BGR, boxes and labels of each (`data.detection.collate`)."""

    names: tuple[str, ...]
    best: str = "map50"
    lower_is_better: bool = False

    def loss(self, model: nn.Module, batch: Any) -> dict[str, Tensor]:
        pictures, boxes, labels = batch
        x = planes(pictures)
        device = x.device
        return detection_loss(model(x), [b.to(device) for b in boxes], [k.to(device) for k in labels], (x.shape[3], x.shape[2]))

    def measure(self, model: nn.Module, batches: Iterable[Any], device: torch.device) -> dict[str, float]:
        truth, found = look(model, batches, device, self.names)
        report = evaluate_detection(truth, found)
        return {"map50": _number(report.map50), "map": _number(report.map)}


def planes(pictures: Tensor) -> Tensor:
    """(b, h, w, 3) uint8 -> (b, 3, h, w) float32, still BGR 0..255."""
    return pictures.permute(0, 3, 1, 2).float()  # stays channels-last in memory, which is the fast order on a CPU


@torch.no_grad()
def look(
    model: nn.Module, batches: Iterable[Any], device: torch.device, names: Sequence[str], tell: Tell | None = None
) -> tuple[Annotations, Annotations]:
    """-> true and found boxes in the pixels of the model's input; pictures are numbered in the order of the batches."""
    model.eval()
    frames: list[int] = []
    true: list[Any] = []
    kinds: list[int] = []
    rows: list[tuple[int, Detections]] = []
    number = 0
    total = len(batches) if isinstance(batches, Sized) else 0
    for done, (pictures, boxes, labels) in enumerate(batches, 1):
        for seen, b, k in zip(boxes_of(model, pictures.to(device), names), boxes, labels, strict=True):
            rows.append((number, seen))
            frames += [number] * len(b)
            true += b.tolist()
            kinds += k.tolist()
            number += 1
        if tell is not None and total:
            tell(done / total)
    every = np.array(kinds, np.intp)
    truth = Annotations.of(frames, true, labels=np.maximum(every, 0), ignore=every < 0, names=names)
    found = Annotations.of(
        [n for n, f in rows for _ in range(len(f))],
        np.concatenate([f.boxes for _, f in rows]) if rows else [],
        labels=np.concatenate([f.labels for _, f in rows]) if rows else [],
        scores=np.concatenate([f.scores for _, f in rows]) if rows else [],
        names=names,
    )
    return truth, found


@torch.no_grad()
def boxes_of(model: nn.Module, pictures: Tensor, names: Sequence[str], *, least: float = LEAST) -> list[Detections]:
    """Prepared pictures (b, h, w, 3) uint8 on the model's device -> what is in each, in their own pixels, best first."""
    x = planes(pictures)
    rows = model(x).float()
    corners, strides = cells((x.shape[3], x.shape[2]), x.device)
    places = decode(rows, corners, strides).cpu().numpy()
    scores = (rows[..., 5:].sigmoid() * rows[..., 4:5].sigmoid()).cpu().numpy()
    found = []
    for where, score in zip(places, scores, strict=True):
        kept: list[tuple[float, int, int]] = []
        for kind in range(score.shape[1]):
            here = np.flatnonzero(score[:, kind] >= least)
            here = here[np.argsort(-score[here, kind], kind="stable")[:300]]
            kept += [(float(score[row, kind]), int(row), kind) for row in here[nms(where[here], score[here, kind], MAX_IOU)]]
        kept.sort(reverse=True)
        kept = kept[:MOST]
        cell = [row for _, row, _ in kept]
        clipped = where[cell].clip(0, np.array([x.shape[3], x.shape[2]] * 2, np.float32))
        found.append(Detections.of(clipped, [s for s, _, _ in kept], np.array([k for _, _, k in kept], np.intp), names))
    return found


def open_job(data: Path, wishes: Wishes) -> Job:
    """Everything for `pahara train detector`. DataError, ModelError or TrainingError for what cannot be.

    Without a size the model's input has the shape of the pictures and about as many pixels as 416 x 416.
    `--from` takes a run, or a YOLOX that was published or exported: a name ("yolox-nano", "pahara-nano"), a .pth or an .onnx file.
    """
    told = read_yolo_set(data)
    size = _size(wishes.extra.get("size") or wishes.size)
    known = _known(wishes.weights)
    official = known is not None
    plan = Plan(lr=1e-3 if official else 2e-3, weight_decay=0.01, ema=0.998, warm_up=1.0)
    start = begin("detector", replace(wishes, weights="") if known else wishes, known.model if known else MODEL, known=MODELS)
    places = {"train": "train", "held out": "val" if told["val"] else "test"}
    if not told[places["held out"]]:
        raise DataError(f"{data} has no val pictures to measure on; `pahara data split` parts them, or name `val:` in its data.yaml")
    batch = min(wishes.batch or BATCH, len(told["train"]) or 1)
    epochs = int(wishes.plan.get("epochs", epochs_for(max(1, len(told["train"]) // batch))))
    size = size or _size_of(start.about.get("input")) or _size_for(told["train"])
    augment = Augment() if wishes.extra.get("augment", True) else None
    train = DetectionSet(told, "train", size=size, augment=augment, seed=wishes.seed, calm_from=round(0.8 * epochs), cache_mb=CACHE_MB)
    held_out = DetectionSet(told, places["held out"], size=size, cache_mb=CACHE_MB / 2)
    if not len(train) or not any(len(train.labels(i)) for i in range(len(train))):
        raise DataError(f"{data}: no training picture has a box to learn from; `pahara data check {data}` says what was found")
    model: nn.Module
    options: dict[str, Any]
    if known is not None:
        model, options = _from_known(known, start, told.names, wishes, train)
    else:
        model, options = start.build(told.names, wishes.options), {**start.options, **wishes.options}
    about = {
        "kind": "detector", "model": start.model, "options": {**options, "classes": len(told.names)}, "classes": list(told.names),
        "names": list(told.names), "input": [3, size[1], size[0]], "preparation": dict(PREPARATION),
    }  # fmt: skip
    plan = start.plan(replace(plan, epochs=epochs), wishes)
    counts = {name: sum(int((train.labels(i) == k).sum()) for i in range(len(train))) for k, name in enumerate(told.names)}
    return Job(
        "detector",
        model,
        Detect(told.names),
        Batches(train, batch, shuffle=True, seed=wishes.seed, collate=collate, workers=wishes.workers),
        Batches(held_out, batch, collate=collate, workers=wishes.workers),
        plan,
        about,
        data,
        {
            "classes": counts, "train": len(train), "held_out": len(held_out), "model": start.model, "parameters": parameters_of(model),
            "size": f"{size[0]} x {size[1]}", "batch": batch, "from": wishes.weights,
        },
        partial(examine, held_out=held_out, names=told.names),
        (*start.notes, *(f"no training picture shows a {name!r}" for name, n in counts.items() if not n)),
    )  # fmt: skip


def examine(model: nn.Module, /, *, held_out: DetectionSet, names: tuple[str, ...], tell: Tell | None = None) -> Outcome:
    """A finished model on held-out pictures: AP of each class, precision over recall, the worst pictures."""
    device = next(model.parameters()).device
    truth, found = look(model, Batches(held_out, BATCH, workers=0, collate=collate), device, names, tell)
    truth = replace(truth, pictures=tuple(path.name for path in held_out.pictures))
    report = evaluate_detection(truth, found)
    table = [
        {"class": name, "boxes": c.truths, "ap50": c.ap50, "ap": c.ap, "best_f1": c.best_f1, "best_score": c.best_score}
        for name, c in report.classes.items()
    ]
    limits = {name: round(float(c.best_score), 3) for name, c in report.classes.items() if c.best_score == c.best_score}
    return Outcome(
        {"map50": report.map50, "map": report.map, "map75": report.map75, "pictures": float(len(held_out))},
        say("training.headline.detector", ap50=f"{100 * _number(report.map50):.1f} %", pictures=len(held_out)),
        detection_blocks(report, truth, found, held_out.shown),
        table,
        {"thresholds": limits},
    )


def evaluate(model: nn.Module, about: Mapping[str, Any], data: Path, *, split: str = "", tell: Tell | None = None) -> Outcome:
    """A trained model on a YOLO set of the same classes: its test part, else val, else train, or the one asked for."""
    told = read_yolo_set(data)
    names = tuple(about["classes"])
    if tuple(told.names) != names:
        raise DataError(
            f"{data} has the classes {', '.join(told.names)}, the model knows {', '.join(names)}; they must be the same, in the same order"
        )
    wanted = split or next((part for part in ("test", "val", "train") if told[part]), "train")
    size = (int(about["input"][2]), int(about["input"][1]))
    held_out = DetectionSet(told, wanted, size=size)
    if not len(held_out):
        raise DataError(f"{data} has no pictures in its part {wanted!r}")
    return examine(model, held_out=held_out, names=names, tell=tell)


def predict(model: nn.Module, about: Mapping[str, Any], images: Sequence[Image], *, least: float = 0.1) -> list[Detections]:
    """BGR pictures of any size -> what is in each, in its own pixels."""
    size = (int(about["input"][2]), int(about["input"][1]))
    device = next(model.parameters()).device
    model.eval()
    answers = []
    for image in images:
        prepared = letterboxed(sample_of(image), size).image
        (found,) = boxes_of(model, torch.from_numpy(prepared)[None].to(device), tuple(about["classes"]), least=least)
        fit = Fit.of((image.shape[1], image.shape[0]), size, _preparation())
        answers.append(Detections.of(fit.to_picture(found.boxes.copy()), found.scores, found.labels, found.names))
    return answers


def _preparation() -> Any:
    from pahara.detection.letterbox import Preparation

    return Preparation(place="top-left", pad=float(PAD))


def _size(asked: int | str | None) -> Size | None:
    """What `--size` asks for, as (width, height): a side, or "544x320"; None where it was left out."""
    if asked is None:
        return None
    words = str(asked).lower().replace("×", "x").split("x")
    if len(words) > 2 or not all(word.strip().isdecimal() for word in words):
        raise TrainingError(f"--size is {asked!r}; give a side in pixels, or width x height: --size 416, --size 544x320")
    size = int(words[0]), int(words[-1])
    if any(side < SHORTEST or side % STEP for side in size):
        raise TrainingError(
            f"--size is {asked}; a YOLOX sees pictures of {SHORTEST} pixels or more, in steps of {STEP} (416, 640, 544x320)"
        )
    return size


def _size_of(shape: Sequence[int] | None) -> Size | None:
    """(width, height) of the input that a run was trained with."""
    return (int(shape[2]), int(shape[1])) if shape else None


def _size_for(pictures: Sequence[Path], pixels: int = PIXELS) -> Size:
    """The input of about so many pixels that shows these pictures largest: for a camera's 16:9 it is 544 x 320, and no place is lost to padding."""
    some = [image_size(pictures[k]) for k in range(0, len(pictures), max(1, len(pictures) // LOOKED_AT))]
    wide, tall = np.array(some, np.float64).reshape(-1, 2).T
    best, least = (0, 0), np.inf
    for width in range(SHORTEST, 4 * round(pixels**0.5), STEP):
        height = round(pixels / width / STEP) * STEP
        if height < SHORTEST or width * height > 1.02 * pixels:
            continue
        shrunk = float(np.maximum(wide / width, tall / height).mean())  # how much smaller pictures become, on average
        if shrunk < least - 1e-9:
            best, least = (width, height), shrunk
    return best


@dataclass(frozen=True)
class Known:
    """A file of weights that is no run of ours: published, or exported."""

    path: Path
    model: str  # name in the registry; "" where the file does not say
    classes: tuple[str, ...]


def _known(weights: str) -> Known | None:
    """What `--from` names, where that is a name of the zoo, a .pth or an .onnx file. ModelError for a model that is no YOLOX."""
    if not weights:
        return None
    if weights in zoo.MODELS:
        path = zoo.locate(weights) if weights in BY_NAME else None
        if path is None:
            raise ModelError(f"training can start from {', '.join(BY_NAME)}, not from {weights}")
        return _told_by(path) or Known(path, weights, COCO_80)
    path = Path(weights).expanduser()
    if path.suffix not in OFFICIAL:
        return None
    if not path.is_file():
        raise ModelError(f"there is no weights file {path}; check the path, or take a name: {', '.join(BY_NAME)}")
    name = path.name.lower().replace("_", "-")
    return _told_by(path) or Known(path, next((one for one in BY_NAME if name.startswith(one)), ""), COCO_80)


def _told_by(path: Path) -> Known | None:
    """What an .onnx file of `pahara export` says of itself; None for others."""
    if path.suffix != ".onnx":
        return None
    about = read_about(OnnxRuntimeEngine(path, threads=1).ports.metadata)
    if about is None:
        return None
    if about.kind != "detector" or about.model not in MODELS:
        raise ModelError(
            f"{path} holds a {about.model or about.kind}, which is no detector that can be trained; there are {', '.join(MODELS)}"
        )
    return Known(path, about.model, about.classes)


def _from_known(known: Known, start: Start, names: Sequence[str], wishes: Wishes, train: DetectionSet) -> tuple[YOLOX, dict[str, Any]]:
    """A YOLOX with what it was taught; new last layers where its classes were others, in which a class of the same name keeps what was known."""
    from pahara.models import build

    if wishes.model and known.model and wishes.model != known.model:
        raise ModelError(f"{known.path.name} holds a {known.model}, and --model asks for {wishes.model}; leave one of them out")
    torch.manual_seed(wishes.seed)
    model = cast(YOLOX, build(start.model, **{**wishes.options, "classes": len(known.classes)}))
    load_official(model, known.path)
    if tuple(names) != known.classes:
        model.replace_head(len(names), tuple((known.classes.index(name),) if name in known.classes else () for name in names))
    if known.path.suffix == ".onnx":
        some = range(0, len(train), max(1, len(train) // 32))
        settle_norms(model, (planes(collate([train[i]])[0]) for i in some))
    return model, dict(wishes.options)


def _number(value: float) -> float:
    """0 where nothing could be measured: such an epoch is no best one."""
    return value if value == value else 0.0
