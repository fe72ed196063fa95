"""What is unusual: `pahara train anomaly`, an autoencoder that is taught what is normal and paints badly what it never saw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.core import DataError, Image, TrainingError
from pahara.detection.autoencoder import error_of
from pahara.evaluation import frame_auroc
from pahara.language import number
from pahara.models import build
from pahara.report.phrases import Phrase, plain, say
from pahara.video import open_source

from ..batches import Batches
from ..data.clip_folders import sampled_frames
from ..data.pictures import PICTURES, VIDEOS, files_in, pictures_in, read_image
from ..data.splits import split
from ..plan import Plan
from ..report.anomaly import anomaly_blocks, clip_table
from ..report.blocks import Block, Gallery, Shot
from ..report.classes import percent
from ..report.pictures import shot
from .explain import overlay
from .job import Job, Outcome, Tell, Wishes
from .start import begin, epochs_for, parameters_of

MODEL, WINDOWS_MODEL, SIZE, BATCH = "autoencoder", "sequence-autoencoder", 96, 16
RATE = 5.0  # frames a second out of films
FOLDER_RATE = 10.0  # frames a second of a folder of pictures, whose times nobody knows
PATCH = 16  # pixels of the model's input: the size of what should be noticed
USUAL = 0.995  # share of normal frames that are below the limit
ROOM = 1.1  # times that: the next day is never quite like this one
LABELS = "labels.csv"  # clip,first,last: which frames of a clip are abnormal, from 1, both included
SHOWN = 8
PREPARATION: Mapping[str, Any] = {"fit": "stretch", "rgb": False, "scale": 1 / 255, "mean": [0.0] * 3, "std": [1.0] * 3}


@dataclass(frozen=True)
class Footage:
    """One film, or one folder of pictures in their order."""

    name: str
    path: Path
    rate: float  # frames a second; 0 takes every frame of a film

    def frames(self) -> Iterator[tuple[float, Image]]:
        """Seconds and picture, one after the other."""
        if self.path.is_dir():
            for k, picture in enumerate(pictures_in(self.path)):
                yield k / (self.rate or FOLDER_RATE), read_image(picture)
        elif self.rate:
            for k, image in enumerate(sampled_frames(self.path, self.rate)):
                yield k / self.rate, image
        else:
            with open_source(self.path) as source:
                for frame in source:
                    yield frame.time, frame.image


@dataclass
class Paint:
    """The task of every autoencoder: paint again what you see. A batch is x (b, …)."""

    best: str = "held_out_loss"
    lower_is_better: bool = True

    def loss(self, model: nn.Module, batch: Any) -> dict[str, Tensor]:
        return {"loss": (model(batch) - batch).square().mean()}

    def measure(self, model: nn.Module, batches: Iterable[Any], device: torch.device) -> dict[str, float]:
        total, count = 0.0, 0
        for batch in batches:
            x = batch.to(device)
            total += float((model(x) - x).square().mean()) * len(x)
            count += len(x)
        return {"held_out_loss": total / max(count, 1)}


def open_job(data: Path, wishes: Wishes) -> Job:
    """Everything for `pahara train anomaly`. DataError, ModelError or TrainingError for what cannot be.

    `data` holds normal footage: films or folders of pictures, loose or in train/; a test/ beside it may hold abnormal
    footage too, with the frames told in test/labels.csv (clip, first, last). Or it is a store: then windows of trails are learned.
    """
    if not data.exists():
        raise DataError(f"{data}: there is no such folder; name one with films, or with pictures, of what is normal")
    if (data / "pahara.db").is_file() or wishes.model == WINDOWS_MODEL:
        from . import trails

        return trails.open_job(data, wishes)
    start = begin("anomaly", wishes, MODEL, known=(MODEL,))
    size = wishes.size or start.size or SIZE
    if size % 16:
        raise TrainingError(f"--size is {size}; an autoencoder takes sides that 16 divides, e.g. 96 or 128")
    rate = float(wishes.extra.get("rate") or RATE)
    root = data / "train" if (data / "train").is_dir() else data
    footage = footage_in(root, rate)
    frames, whose, _ = read_frames(footage, size)
    if len(frames) < 20:
        raise DataError(f"{root}: {len(frames)} frames are too few to learn what is normal; film some minutes, or raise --rate")
    train, held_out = _parted(frames, whose, float(wishes.extra.get("hold_out", 0.2)), wishes.seed)
    options = {**wishes.options, "channels": 3}
    torch.manual_seed(wishes.seed)
    model = start.weights or build(start.model, **options)
    about: dict[str, Any] = {
        "kind": "anomaly",
        "model": start.model,
        "options": {**start.options, **options},
        "input": [3, size, size],
        "preparation": dict(start.preparation or PREPARATION),
        "error": {"patch": int(wishes.extra.get("patch") or PATCH)},
        "activation": "none",
    }
    batch = min(wishes.batch or BATCH, len(train))
    plan = start.plan(Plan(epochs=epochs_for(len(train) // batch, wanted=1500, most=80), lr=3e-3, weight_decay=0.0), wishes)
    return Job(
        "anomaly",
        model,
        Paint(),
        Batches(Planes(train), batch, shuffle=True, seed=wishes.seed, workers=0),
        Batches(Planes(held_out), batch, workers=0),
        plan,
        about,
        data,
        {
            "train": len(train), "held_out": len(held_out), "clips": len(footage), "model": start.model, "parameters": parameters_of(model),
            "size": f"{size} x {size}", "rate": rate, "batch": batch, "from": wishes.weights,
        },
        partial(examine, held_out=held_out, about=about, test=data / "test" if (data / "test").is_dir() else None, rate=rate),
        start.notes,
    )  # fmt: skip


class Planes:
    """Frames (n, h, w, 3) uint8 as a model's input (3, h, w) in 0..1."""

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        self.frames = frames

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(self.frames[index].transpose(2, 0, 1).astype(np.float32) / np.float32(255))


def footage_in(root: Path, rate: float = RATE) -> list[Footage]:
    """The films below a folder, and the folders of pictures. DataError where there is none."""
    films = [Footage(film.relative_to(root).as_posix(), film, rate) for film in files_in(root, VIDEOS, deep=True)]
    folders = sorted({picture.parent for picture in files_in(root, PICTURES, deep=True)})
    found = [*films, *(Footage(folder.relative_to(root).as_posix(), folder, FOLDER_RATE) for folder in folders)]
    if not found:
        raise DataError(f"{root}: there is neither a film nor a picture in it; put films of what is normal there")
    return found


def read_frames(footage: Sequence[Footage], size: int) -> tuple[NDArray[np.uint8], list[str], NDArray[np.float64]]:
    """All frames as the model sees them (n, size, size, 3), which footage each comes from, and its seconds (n,)."""
    found: list[Image] = []
    whose: list[str] = []
    times: list[float] = []
    for one in footage:
        for time, frame in one.frames():
            found.append(cv2.resize(frame, (size, size), interpolation=cv2.INTER_LINEAR))  # as the watcher prepares it
            whose.append(one.name)
            times.append(time)
    return np.stack(found) if found else np.zeros((0, size, size, 3), np.uint8), whose, np.array(times)


@torch.no_grad()
def errors_of(model: nn.Module, about: Mapping[str, Any], frames: NDArray[np.uint8], tell: Tell | None = None) -> NDArray[np.float64]:
    """Prepared frames (n, h, w, 3) uint8 -> their errors (n,), measured as the watcher does."""
    device, patch = next(model.parameters()).device, int(about.get("error", {}).get("patch", 0))
    model.eval()
    found = []
    for k in range(0, len(frames), BATCH):
        x = torch.stack([Planes(frames)[i] for i in range(k, min(k + BATCH, len(frames)))])
        found.append(error_of(x.numpy(), model(x.to(device)).cpu().numpy(), patch=patch))
        if tell is not None:
            tell(min(k + BATCH, len(frames)) / len(frames))
    return np.concatenate(found) if found else np.zeros(0)


def limit_from(errors: NDArray[np.float64]) -> float:
    """The highest error that is usual, from normal frames that were not learned."""
    return float(np.quantile(errors, USUAL) * ROOM)


def examine(
    model: nn.Module,
    /,
    *,
    held_out: NDArray[np.uint8],
    about: Mapping[str, Any],
    test: Path | None,
    rate: float = RATE,
    tell: Tell | None = None,
) -> Outcome:
    """The limit from held-out normal frames; and on test footage with labels, how well the abnormal stands out."""
    errors = errors_of(model, about, held_out)
    limit = limit_from(errors)
    usual = {"median": float(np.median(errors)), "high": limit}
    found = {"thresholds": {"error": limit}, "usual": usual}
    if test is not None:
        told = on_footage(model, about, test, limit, tell=tell)
        normal = {"error": usual["median"], "limit": limit}
        return Outcome({**told.figures, **normal}, told.headline, told.blocks, told.table, found, told.warnings)
    above = float((errors > limit).mean())
    clips = {"normal": (np.arange(len(errors)) / rate, None, errors)}
    blocks: tuple[Block, ...] = (*anomaly_blocks(clips, None, limit), *heat_maps(model, held_out, errors, rate))
    return Outcome(
        {"error": usual["median"], "limit": limit, "above_limit": above, "frames": float(len(errors))},
        say("training.headline.normal", share=percent(above)),
        blocks,
        (),
        found,
        (say("training.anomaly.only_normal"),),
    )


def on_footage(model: nn.Module, about: Mapping[str, Any], data: Path, limit: float, *, tell: Tell | None = None) -> Outcome:
    """Test footage with `labels.csv`: frame-level AUROC, micro and macro, without padding."""
    size = int(about["input"][1])
    footage = footage_in(data, 0.0)  # every frame, as labels count them
    ranges = read_ranges(data)
    if unknown := set(ranges) - {one.name for one in footage}:
        raise DataError(
            f"{data / LABELS} names {sorted(unknown)[0]!r}, which is not among the footage ({', '.join(one.name for one in footage[:5])} …)"
        )
    clips: dict[str, tuple[NDArray[np.float64], NDArray[np.bool_] | None, NDArray[np.float64]]] = {}
    worst: list[tuple[float, str, float, NDArray[np.uint8]]] = []
    for done, one in enumerate(footage, 1):
        frames, _, times = read_frames([one], size)
        errors = errors_of(model, about, frames)
        true = np.zeros(len(errors), bool) if ranges is not None and (data / LABELS).is_file() else None
        for first, last in ranges.get(one.name, ()):
            assert true is not None
            true[max(first - 1, 0) : last] = True
        clips[one.name] = (times, true, errors)
        if len(errors):
            top = int(errors.argmax())
            worst.append((float(errors[top]), one.name, float(times[top]), frames[top]))
        if tell is not None:
            tell(done / len(footage))
    known = {name: (errors, true) for name, (_, true, errors) in clips.items() if true is not None}
    figures = frame_auroc(known.values()) if known else None
    rows = []
    for name, (_, true, errors) in clips.items():
        odd = int(true.sum()) if true is not None else 0
        auc = frame_auroc([(errors, true)]).micro if true is not None and 0 < odd < len(errors) else float("nan")
        rows.append((name, len(errors), odd, auc, float(errors.max()) if len(errors) else float("nan")))
    worst.sort(key=lambda row: -row[0])
    pictures = [_map(model, frame, plain(name), error, second) for error, name, second, frame in worst[:SHOWN]]
    gallery = Gallery(say("training.anomaly.maps"), tuple(pictures), say("training.anomaly.maps.about"))
    micro, macro = (figures.micro, figures.macro) if figures is not None else (float("nan"), float("nan"))
    return Outcome(
        {
            "auroc_micro": micro,
            "auroc_macro": macro,
            "clips": float(len(clips)),
            "frames": float(sum(len(e) for _, _, e in clips.values())),
        },
        say("training.headline.anomaly", micro=percent(micro), clips=len(clips)),
        (*anomaly_blocks(clips, figures, limit), clip_table(rows), gallery),
        [{"clip": name, "frames": n, "abnormal": odd, "auroc": auc, "highest": high} for name, n, odd, auc, high in rows],
    )


def evaluate(model: nn.Module, about: Mapping[str, Any], data: Path, *, split: str = "", tell: Tell | None = None) -> Outcome:
    """A trained autoencoder on labelled footage."""
    if about.get("window"):
        raise DataError("a model of windows is measured on the footage that it watches: pahara watch, then pahara evaluate events")
    root = data / split if split else data / "test" if (data / "test").is_dir() else data
    limit = float(about.get("thresholds", {}).get("error", float("nan")))
    return on_footage(model, about, root, limit if limit == limit else 1.0, tell=tell)


def read_ranges(data: Path) -> dict[str, list[tuple[int, int]]]:
    """clip -> its abnormal frames (first, last), from 1, both included, of `labels.csv`; {} without one. DataError with the line."""
    from ..data.folders import read_table

    found: dict[str, list[tuple[int, int]]] = {}
    for line, row in read_table(data / LABELS, ("clip", "first", "last")):
        try:
            first, last = int(row["first"]), int(row["last"])
        except ValueError:
            raise DataError(f"{data / LABELS}, line {line}: first and last should be whole numbers") from None
        if not 1 <= first <= last:
            raise DataError(f"{data / LABELS}, line {line}: frames run from 1, and first is not after last")
        found.setdefault(row["clip"], []).append((first, last))
    return found


def heat_maps(model: nn.Module, frames: NDArray[np.uint8], errors: NDArray[np.float64], rate: float) -> tuple[Gallery, ...]:
    """The frames with the highest errors, and where."""
    rows = np.argsort(-errors, kind="stable")[:SHOWN]
    shots = tuple(_map(model, frames[i], plain(f"{i}"), float(errors[i]), i / rate) for i in rows.tolist())
    return (Gallery(say("training.anomaly.maps"), shots, say("training.anomaly.maps.about")),) if shots else ()


@torch.no_grad()
def error_map(model: nn.Module, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A prepared frame (h, w, 3) -> where the copy differs (h, w), smoothed over the size of a patch."""
    x = Planes(frame[None])[0][None].to(next(model.parameters()).device)
    wrong = (model(x) - x).square().mean(1)[0].cpu().numpy()
    smooth: NDArray[np.float32] = cv2.blur(wrong, (max(PATCH // 2, 1), max(PATCH // 2, 1)))
    return smooth


def _map(model: nn.Module, frame: NDArray[np.uint8], name: Phrase, error: float, second: float) -> Shot:
    model.eval()
    wrong = error_map(model, frame)
    heat = wrong / max(float(wrong.max()), 1e-9)
    words = say("training.anomaly.map.words", error=number(error), second=f"{second:.1f}")
    return shot(overlay(frame, heat), name, words)


def predict(model: nn.Module, about: Mapping[str, Any], images: Sequence[Image]) -> tuple[NDArray[np.float64], list[NDArray[np.float32]]]:
    """BGR pictures of any size -> their errors (n,), and for each where the copy differs (h, w) of the model's input."""
    size = (int(about["input"][2]), int(about["input"][1]))
    frames = np.stack([cv2.resize(image, size, interpolation=cv2.INTER_LINEAR) for image in images])
    return errors_of(model, about, frames), [error_map(model, frame) for frame in frames]


def _parted(frames: NDArray[np.uint8], whose: Sequence[str], hold: float, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """To learn from and to hold out: whole films where there are several, else the last part of the one."""
    if len(set(whose)) >= 4:
        parts = split([0] * len(frames), list(whose), shares={"train": 1 - hold, "val": hold}, seed=seed)
        return frames[parts["train"]], frames[parts["val"]]
    cut = max(1, round(len(frames) * (1 - hold)))
    return frames[:cut], frames[cut:]


__all__ = ["Footage", "evaluate", "examine", "open_job", "predict"]
