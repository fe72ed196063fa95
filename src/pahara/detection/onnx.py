"""An ONNX model as a detector: pictures in, detections out, whatever family the model is of."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Detections, Frame, Image, ModelError

from . import zoo
from .engine import Array, Engine, EngineName, fixed, open_engine
from .layouts import Layout, Wanted, extra_feeds, picture_port, recognise
from .letterbox import InputBuffer, Preparation
from .names import UNUSED, names_for

CONFIDENCE = 0.1  # low, because ByteTrack's second stage lives on weak detections; the tracker splits high and low
MAX_IOU = 0.5
HALF_COLOURS = True  # see `load_detector`; on PETS 2009 S2.L1: MOTA 0.823 -> 0.820, HOTA 0.634 -> 0.637, ID switches 11 -> 9; saves a third of preparing a picture
MOST_CANDIDATES = 1000  # a picture has no more objects than this; keeps suppression from growing with the square
MOST_AT_ONCE = 8  # pictures per batch


class OnnxDetector:
    """Pictures (BGR uint8, sizes may differ) -> Detections in each picture's own pixels.

    Serves one thread at a time: input and output memory is reused from call to call.
    """

    def __init__(
        self,
        engine: Engine,
        layout: Layout,
        names: Sequence[str],
        size: tuple[int, int],
        *,
        confidence: float = CONFIDENCE,
        class_confidence: Mapping[str, float] | None = None,
        classes: Sequence[str] = (),
        max_iou: float = MAX_IOU,
        half_colours: bool = HALF_COLOURS,
        path: Path | None = None,
    ) -> None:
        """Most callers want `load_detector`. `size` is the model's input (width, height) in pixels."""
        self.engine, self.layout, self.names, self.size, self.path = engine, layout, tuple(names), size, path
        self.max_iou, self.half_colours = max_iou, half_colours
        self._wanted = _wanted(self.names, confidence, class_confidence or {}, classes)
        picture = picture_port(engine.ports)
        self._port, self._fixed = picture.name, fixed(picture.shape, 0)
        self._half = picture.type == "float16"
        self._buffers: dict[int, tuple[InputBuffer, dict[str, Array]]] = {}

    def only(self, classes: Sequence[str]) -> None:
        """Report these classes alone, from now on, at the limits that they have. ModelError for one that the model does not know."""
        limits = {self.names[column]: float(limit) for column, limit in zip(self._wanted.columns, self._wanted.limits, strict=True)}
        self._wanted = _wanted(self.names, CONFIDENCE, limits, classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names that this detector reports."""
        return tuple(self.names[column] for column in self._wanted.columns)

    def __call__(self, images: Sequence[Image], /) -> list[Detections]:
        return self._all(images)

    def look(self, frames: Sequence[Frame], /) -> list[Detections]:
        """The same for frames; with `half_colours` their pictures are never made in full size."""
        return self._all(frames if self.half_colours else [frame.image for frame in frames])

    def _all(self, pictures: Sequence[Image | Frame]) -> list[Detections]:
        found: list[Detections] = []
        at_once = self._fixed or MOST_AT_ONCE
        for start in range(0, len(pictures), at_once):
            found += self._batch(pictures[start : start + at_once])
        return found

    def _batch(self, pictures: Sequence[Image | Frame]) -> list[Detections]:
        buffer, feeds = self._buffer(self._fixed or len(pictures))
        fits = [buffer.put(row, picture) for row, picture in enumerate(pictures)]
        if self._half:
            feeds[self._port] = buffer.array.astype(np.float16)
        outputs = self.engine.run(feeds)
        found = []
        for row, fit in enumerate(fits):
            boxes, scores, labels = self.layout.decode(outputs, row, self._wanted)
            if len(scores) > MOST_CANDIDATES:
                best = np.argpartition(-scores, MOST_CANDIDATES)[:MOST_CANDIDATES]
                boxes, scores, labels = boxes[best], scores[best], labels[best]
            if self.layout.overlapping:
                keep = suppress(boxes, scores, labels, self.max_iou)
            else:
                keep = np.argsort(-scores, kind="stable")
            # Fancy indexing copies: what is handed out never shares the engine's memory.
            placed = fit.to_picture(np.asarray(boxes[keep], np.float32))
            found.append(Detections(placed, np.asarray(scores[keep], np.float32), np.asarray(labels[keep], np.intp), self.names))
        return found

    def _buffer(self, batch: int) -> tuple[InputBuffer, dict[str, Array]]:
        if batch not in self._buffers:
            buffer = InputBuffer(batch, self.size, self.layout.preparation)
            self._buffers[batch] = buffer, {self._port: buffer.array, **extra_feeds(self.engine.ports, batch, self.size)}
        return self._buffers[batch]

    def ready_feeds(self) -> dict[str, Array]:
        """A grey picture, prepared: what `engine.run` takes. For measuring the engine alone."""
        buffer, feeds = self._buffer(self._fixed or 1)
        wide, tall = self.size
        for row in range(self._fixed or 1):
            buffer.put(row, np.full((tall, wide, 3), 114, np.uint8))
        return {**feeds, self._port: buffer.array.astype(np.float16)} if self._half else feeds

    def describe(self) -> dict[str, Any]:
        """For `models show`: what was loaded, how it was understood, what goes in and what comes out."""
        p = self.layout.preparation
        return {
            "path": str(self.path or ""),
            "engine": self.engine.about,
            "layout": self.layout.name,
            "about": self.layout.about,
            "input": f"{self.size[0]}x{self.size[1]} {'RGB' if p.rgb else 'BGR'} {p.fit}",
            "preparation": {field.name: getattr(p, field.name) for field in fields(p)},
            "batch": self._fixed or "any",
            "names": list(self.names),
            "classes": list(self.classes),
            "inputs": [str(port) for port in self.engine.ports.inputs],
            "outputs": [str(port) for port in self.engine.ports.outputs],
            "metadata": dict(self.engine.ports.metadata),
        }


def load_detector(
    model: str | Path,
    *,
    confidence: float | None = None,
    class_confidence: Mapping[str, float] | None = None,
    classes: Sequence[str] = (),
    names: Sequence[str] = (),
    max_iou: float = MAX_IOU,
    half_colours: bool = HALF_COLOURS,
    engine: EngineName = "onnxruntime",
    threads: int = 1,
    input_size: int | tuple[int, int] | None = None,
    activation: str = "",
    preparation: Mapping[str, Any] | None = None,
) -> OnnxDetector:
    """A detector from a zoo name ("yolox-nano") or a path to an .onnx file.

    confidence: least score of a detection (default 0.1, because the tracker makes use of weak ones);
    class_confidence: the same for single classes; classes: report these only (default: all);
    half_colours: frames are shrunk before their colours are made, which spares the full-size picture and halves the
    colours' sharpness in the model's input, brightness stays sharp;
    names: class names where the model carries none or wrong ones; input_size: pixels (or width, height) where
    the model leaves it open; activation: "sigmoid", "softmax" or "none" where a DETR is misread;
    preparation: fields of `Preparation` to override, e.g. {"rgb": True}.
    ModelError for a model that is missing, damaged, or of a layout that nobody knows, and for unknown class names.
    """
    if activation and activation not in ("sigmoid", "softmax", "none"):
        raise ModelError(f"no activation named {activation!r}; there are 'sigmoid', 'softmax' and 'none'")
    path = zoo.locate(model)
    loaded = open_engine(engine, path, threads)
    try:
        size = _input_size(loaded, input_size)
        layout = recognise(loaded, size, names, activation)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except Exception as error:  # engines raise classes of their own while they run
        raise ModelError(f"{path}: the model does not run on an input of {size[0]}x{size[1]} ({error}); try another input_size") from error
    if preparation:
        layout = _prepared(layout, preparation)
    columns = layout.classes or max(len(names), 80)
    known = names_for(columns, loaded.ports.metadata, names, detr=layout.name == "detr")
    return OnnxDetector(
        loaded,
        layout,
        known,
        size,
        confidence=CONFIDENCE if confidence is None else confidence,
        class_confidence=class_confidence,
        classes=classes,
        max_iou=max_iou,
        half_colours=half_colours,
        path=path,
    )


def suppress(boxes: NDArray[Any], scores: NDArray[Any], labels: NDArray[np.intp], max_iou: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression within each class; rows to keep, best first.

    boxes (n, 4) x0 y0 x1 y1, scores (n,), labels (n,).
    """
    if len(scores) < 2:
        return np.arange(len(scores))
    corner_and_sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    # OpenCV reads plain lists faster than arrays: of an array it takes out one number after the other.
    kept = cv2.dnn.NMSBoxesBatched(corner_and_sides.tolist(), scores.tolist(), labels.tolist(), -1.0, max_iou)
    return np.asarray(kept, np.intp)


def _wanted(names: tuple[str, ...], confidence: float, class_confidence: Mapping[str, float], classes: Sequence[str]) -> Wanted:
    for name in (*classes, *class_confidence):
        if name not in names:
            known = ", ".join(sorted(set(names) - {UNUSED})[:12])
            raise ModelError(
                f"this model has no class {name!r}{zoo.did_you_mean(name, names)}; it knows {known}{' …' if len(names) > 12 else ''}"
            )
    for name, limit in {"confidence": confidence, **class_confidence}.items():
        if not 0 <= limit <= 1:
            raise ModelError(f"the confidence of {name!r} must lie in 0..1, got {limit}")
    columns = [i for i, name in enumerate(names) if name != UNUSED and (not classes or name in classes)]
    limits = [class_confidence.get(names[i], confidence) for i in columns]
    return Wanted(np.array(columns, np.intp), np.array(limits, np.float32))


def _prepared(layout: Layout, changes: Mapping[str, Any]) -> Layout:
    allowed = {field.name for field in fields(Preparation)}
    for name in changes:
        if name not in allowed:
            raise ModelError(f"no preparation option {name!r}{zoo.did_you_mean(name, allowed)}; there are {', '.join(sorted(allowed))}")
    return replace(layout, preparation=replace(layout.preparation, **changes))  # type: ignore[type-var]


def _input_size(engine: Engine, given: int | tuple[int, int] | None) -> tuple[int, int]:
    """(width, height): what the model fixes, else what was given, else what the metadata says, else 640."""
    port = picture_port(engine.ports)
    tall, wide = fixed(port.shape, 2), fixed(port.shape, 3)
    asked = (given, given) if isinstance(given, int) else given
    if wide and tall:
        if asked and asked != (wide, tall):
            raise ModelError(f"input_size {asked[0]}x{asked[1]} was asked, but the model takes {wide}x{tall} only; leave input_size out")
        return wide, tall
    if asked:
        return asked
    try:
        told = ast.literal_eval(engine.ports.metadata.get("imgsz", ""))
        return (int(told[1]), int(told[0])) if isinstance(told, list | tuple) else (int(told), int(told))
    except (ValueError, SyntaxError, IndexError, TypeError):
        return 640, 640
