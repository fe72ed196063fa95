"""Trained models at work on pictures and films: from a run's folder, a weights file or an exported .onnx."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.core import DataError, Detections, Image, ModelError
from pahara.language import number
from pahara.report.phrases import plain

from ..checkpoint import load_weights
from ..data.clip_folders import sampled_frames
from ..data.pictures import PICTURES, VIDEOS, files_in, read_image
from ..report import TrainingReport, write_training_report
from ..report.pictures import strip
from .doing import figure, home_of, run_kind
from .drawn import with_banner, with_detections, with_heat
from .job import Outcome, Tell

FILM_RATE = 2.0  # pictures a second that are looked at in a film


@dataclass(frozen=True)
class Trained:
    """A model ready to predict, and what is known of it."""

    kind: str
    model: nn.Module
    about: Mapping[str, Any]
    path: Path
    detector: Callable[[Sequence[Image]], list[Detections]] | None = None  # an exported detector answers by itself


@dataclass(frozen=True)
class Prediction:
    """What was seen in one picture, or one moment of a film."""

    path: Path
    time: float  # seconds into the film; 0 of a picture
    answer: Mapping[str, Any]  # for machines
    picture: Image = field(repr=False)  # with the answer drawn
    words: str = ""  # for people


class FromOnnx(nn.Module):
    """An exported model where torch's would stand: the same inputs, the same outputs."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        from pahara.detection.engine import open_engine

        self.engine = open_engine("onnxruntime", path, 1)
        self.place = nn.Parameter(torch.zeros(0), requires_grad=False)  # says that it lives on the CPU

    def forward(self, x: Tensor) -> Tensor:
        return torch.from_numpy(self.engine.run({self.engine.ports.inputs[0].name: x.detach().cpu().numpy()})[0])


def open_trained(what: str | Path) -> Trained:
    """A run's folder, a weights file, or an .onnx file of `pahara export`. ModelError for anything else."""
    path = Path(what).expanduser()
    if path.suffix == ".onnx":
        return _exported(path)
    model, about = load_weights(path)
    return Trained(run_kind(about, path), model, about, path)


def predict(trained: Trained, paths: Sequence[Path], *, least: float = 0.3) -> Iterator[Prediction]:
    """Every picture below the paths, and moments of every film; DataError for a path that holds neither."""
    if "people" in trained.about.get("window", {}):
        raise DataError(
            f"{trained.path} recognises how people move on their trails: export it and let it watch "
            f"(pahara export {trained.path}; behaviours: [{{kind: action, model: …}}])"
        )
    for path in paths:
        yield from _clip(trained, path) if trained.kind == "action" else _pictures(trained, path, least)


def pictures_and_films(path: Path) -> list[Path]:
    """The files that a path means. DataError where there is none."""
    if not path.exists():
        raise DataError(f"there is no {path}; name pictures, films, or folders of them")
    found = files_in(path, (*PICTURES, *VIDEOS), deep=True) if path.is_dir() else [path]
    if not found:
        raise DataError(f"{path}: there is neither a picture nor a film in it")
    strange = [file for file in found if file.suffix.lower() not in (*PICTURES, *VIDEOS)]
    if strange:
        raise DataError(f"{strange[0]} is neither a picture nor a film; known are {', '.join((*PICTURES, *VIDEOS))}")
    return found


def _pictures(trained: Trained, path: Path, least: float) -> Iterator[Prediction]:
    for file in pictures_and_films(path):
        if file.suffix.lower() in VIDEOS:
            for k, frame in enumerate(sampled_frames(file, FILM_RATE)):
                yield _look(trained, file, k / FILM_RATE, frame, least)
        else:
            yield _look(trained, file, 0.0, read_image(file), least)


def _look(trained: Trained, path: Path, time: float, image: Image, least: float) -> Prediction:
    if trained.kind == "detector":
        return _boxes(trained, path, time, image, least)
    home = home_of(trained.kind)
    if trained.kind == "image":
        certain = home.predict(trained.model, trained.about, [image])[0]
        return _class(trained, path, time, image, certain)
    errors, maps = home.predict(trained.model, trained.about, [image])
    limit = float(trained.about.get("thresholds", {}).get("error", float("nan")))
    odd = bool(errors[0] > limit)
    answer = {"error": float(errors[0]), "limit": limit, "unusual": odd}
    words = f"error {number(float(errors[0]))}, limit {number(limit)}: {'unusual' if odd else 'normal'}"
    return Prediction(path, time, answer, with_heat(image, maps[0], words, limit, alarm=odd), words)


def _boxes(trained: Trained, path: Path, time: float, image: Image, least: float) -> Prediction:
    if trained.detector is not None:
        found = trained.detector([image])[0]
    else:
        found = home_of("detector").predict(trained.model, trained.about, [image], least=least)[0]
    found = found[found.scores >= least]
    rows = [
        {"label": found.names[k], "score": float(s), "box": [round(float(v), 1) for v in box]}
        for box, s, k in zip(found.boxes, found.scores, found.labels, strict=True)
    ]
    counts: dict[str, int] = {}
    for row in rows:
        counts[str(row["label"])] = counts.get(str(row["label"]), 0) + 1
    words = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"
    return Prediction(path, time, {"objects": rows}, with_detections(image, found), words)


def _class(trained: Trained, path: Path, time: float, image: Image, certain: NDArray[np.floating[Any]]) -> Prediction:
    names = tuple(trained.about["classes"])
    best = int(certain.argmax())
    answer = {"label": names[best], "score": float(certain[best]), "scores": {n: float(s) for n, s in zip(names, certain, strict=True)}}
    words = f"{names[best]} {100 * float(certain[best]):.0f} %"
    return Prediction(path, time, answer, with_banner(image, words), words)


def _clip(trained: Trained, path: Path) -> Iterator[Prediction]:
    from ..data.folders import Item

    action = home_of("action")
    films = [file for file in pictures_and_films(path) if file.suffix.lower() in VIDEOS]
    if not films:
        raise DataError(f"{path} holds no film, and {trained.path} looks at clips")
    stride = float(trained.about["window"]["seconds"]) / 2
    for film in films:
        windows = action.clips_like(trained.about, [Item(film, 0, film.name)]).windows(0, stride)
        for k, window in enumerate(windows):
            certain = action.predict(trained.model, trained.about, window[None])[0]
            yield _class(trained, film, k * stride, strip(list(window), side=160), certain)


def _exported(path: Path) -> Trained:
    from pahara.detection.about import read_about

    if not path.is_file():
        raise ModelError(f"there is no model file {path}; pahara export makes one")
    model = FromOnnx(path)
    about = read_about(model.engine.ports.metadata)
    if about is None or about.kind == "detector":
        from pahara.detection.onnx import load_detector

        detector = load_detector(path)
        return Trained("detector", nn.Identity(), {"kind": "detector", "classes": detector.names}, path, detector)
    told = {
        "kind": about.kind, "model": about.model, "classes": list(about.classes), "input": list(about.input), "preparation": dict(about.preparation),
        "window": dict(about.window), "thresholds": dict(about.thresholds), "error": dict(about.error),
    }  # fmt: skip
    return Trained(about.kind, model, told, path)


def measure(what: str | Path, data: Path, *, split: str = "", tell: Tell | None = None) -> tuple[Trained, Outcome]:
    """A trained model on a data set. ModelError or DataError where the two do not fit."""
    trained = open_trained(what)
    if trained.detector is not None:
        raise ModelError(f"{what} is an exported detector: pahara evaluate detection PICTURES --detector {what}")
    if not data.exists():
        raise DataError(f"there is no {data}; name data of the kind that {what} was trained on")
    outcome: Outcome = home_of(trained.kind).evaluate(trained.model, trained.about, data, split=split, tell=tell)
    return trained, outcome


def write_measured(trained: Trained, data: Path, outcome: Outcome, path: Path, language: str = "en") -> Path:
    """The report of a measurement."""
    figures = tuple(figure(name, value) for name, value in list(outcome.figures.items())[:6])
    facts = (plain(str(trained.about.get("model", ""))), plain(str(data)))
    made = TrainingReport(trained.path.name, trained.kind, outcome.headline, figures, outcome.blocks, facts, tuple(outcome.warnings))
    return write_training_report(made, path, language)
