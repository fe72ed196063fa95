"""A float model -> int8: smaller always, faster only where the layers and the processor allow it, and never without a measurement.

Static quantisation by ONNX Runtime: weights become signed bytes, a scale for each channel; what flows between the layers
becomes unsigned bytes, whose range comes from a set of pictures (QDQ, U8S8). Jacob et al. 2018, arxiv.org/abs/1712.05877.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from pahara.core import DataError, Detections, Image, ModelError, TrainingError
from pahara.detection.about import KEY, About, read_about
from pahara.detection.engine import OnnxRuntimeEngine
from pahara.detection.letterbox import InputBuffer
from pahara.detection.onnx import OnnxDetector, load_detector
from pahara.detection.pictures import prepare_pictures
from pahara.evaluation import Annotations, evaluate_detection

from .data.folders import read_class_folders
from .data.pictures import pictures_in, read_image
from .data.yolo import read_yolo_set

CALIBRATE = 96  # pictures from which the ranges come
CHANNELS, OPSET = 13, 17  # the first ONNX operator set with a scale for each channel; what older models are lifted to
ROUNDS = 40  # timed runs of each model
SURE = 0.3  # score from which a float model's own detections serve as truth where nobody drew any
WORTH, LOSS = 1.3, 0.02  # times faster, and points of accuracy: what int8 should bring, and may cost
Method = Literal["minmax", "percentile"]
Keep = Literal["head", "nothing"]
Arrays = NDArray[np.float32]


@dataclass(frozen=True)
class Side:
    """One of the two models."""

    path: Path
    bytes: int
    ms: float  # median of one picture on one thread
    accuracy: float  # of the metric


@dataclass(frozen=True)
class Quantized:
    """Before and after, measured in one run, in turns."""

    before: Side
    after: Side
    metric: str  # "AP50", "accuracy", or "agreement" where the pictures have no labels
    pictures: int  # measured on
    calibrated: int  # pictures that the ranges come from
    overlap: bool  # whether some of those were also measured on
    kept: tuple[str, ...]  # layers that stayed float

    @property
    def speedup(self) -> float:
        return self.before.ms / self.after.ms

    @property
    def drop(self) -> float:
        """Accuracy lost, 0..1."""
        return self.before.accuracy - self.after.accuracy

    @property
    def worth_it(self) -> bool:
        """At least 1.3 times faster at no more than two points of accuracy."""
        return self.before.accuracy > 0 and self.speedup >= WORTH and self.drop <= LOSS

    @property
    def verdict(self) -> str:
        """One honest sentence."""
        if not self.before.accuracy > 0:
            return f"nothing to judge: the float model itself has no {self.metric} on these pictures; train it first, or give pictures that it knows"
        size = f"{self.before.bytes / max(self.after.bytes, 1):.1f} times smaller"
        pace = f"{self.speedup:.2f} times as fast" if self.speedup >= 1 else f"slower ({self.speedup:.2f} times as fast)"
        cost = f"{100 * self.drop:.1f} points of {self.metric} lost" if self.drop > 0 else f"no {self.metric} lost"
        if self.worth_it:
            return f"worth it: {pace}, {size}, {cost}"
        if self.drop > LOSS and self.speedup >= WORTH:
            return f"not worth it: {pace}, but {cost}; more calibration pictures, or keep the float model"
        if self.speedup < 1.05:
            return f"not for speed on this machine: {pace}; {size}, {cost}. Depthwise convolutions gain nothing from int8"
        return f"a small gain: {pace} (goal {WORTH}), {size}, {cost}"


class Ruler(Protocol):
    """How good a model file is, and what its input looks like."""

    @property
    def metric(self) -> str:
        """What is measured."""
        ...

    def inputs(self, images: Iterable[Path]) -> Iterator[dict[str, Arrays]]:
        """Feeds of one picture each."""
        ...

    def measure(self, model: Path) -> float: ...


def quantize(
    model: Path,
    data: Path,
    out: Path | None = None,
    *,
    keep: Keep = "head",
    calibrate: int = CALIBRATE,
    method: Method = "minmax",
    most: int = 500,
) -> Quantized:
    """Write `out` (default: model-int8.onnx beside the model) and measure both on the pictures of `data`.

    `data` is a YOLO set (AP50), class folders (accuracy), or a folder of pictures (agreement with the float model). Ranges come
    from its training part, figures from its test or validation part, at most `most` pictures; where there is one part only,
    from all. `keep` "head" leaves the last convolutions in float: they hold boxes and scores of very different ranges.
    ModelError for a model that is not ours to read; DataError for a data set that does not fit it.
    """
    if not model.is_file():
        raise ModelError(f"there is no model file {model}; `pahara export` makes one")
    ruler, taught, tested = _ruler(model, data, most)
    chosen = list(spread(taught, calibrate))
    target = out or model.with_name(f"{model.stem}-int8.onnx")
    kept = to_int8(
        model, target, ruler.inputs(chosen), keep=keep, method=method, note={"pictures": len(chosen), "method": method, "keep": keep}
    )
    first = next(iter(ruler.inputs(tested[:1])))
    before, after = times((model, target), first)
    sides = [Side(path, path.stat().st_size, ms, ruler.measure(path)) for path, ms in ((model, before), (target, after))]
    return Quantized(sides[0], sides[1], ruler.metric, len(tested), len(chosen), bool(set(chosen) & set(tested)), kept)


def to_int8(
    model: Path,
    out: Path,
    feeds: Iterable[dict[str, Arrays]],
    *,
    keep: Keep = "head",
    method: Method = "minmax",
    note: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Quantise one file; -> the names of the layers that stayed float. The file appears only when it is whole."""
    import onnx
    import onnx.version_converter
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    methods = {"minmax": q.CalibrationMethod.MinMax, "percentile": q.CalibrationMethod.Percentile}
    if method not in methods or keep not in get_args(Keep):
        raise TrainingError(f"calibration is minmax or percentile, and keep is head or nothing; got {method!r} and {keep!r}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".quantize-", dir=out.parent) as folder, _quiet():
        newer, ready, made = (Path(folder) / name for name in ("newer.onnx", "ready.onnx", "int8.onnx"))
        try:
            whole = onnx.load(model)
            if max((each.version for each in whole.opset_import if each.domain in ("", "ai.onnx")), default=0) < CHANNELS:
                whole = onnx.version_converter.convert_version(whole, OPSET)
            onnx.save(whole, newer)
            quant_pre_process(str(newer), str(ready), skip_symbolic_shape=True)  # batch norm into convolutions, shapes everywhere
            graph = onnx.load(ready)
            last, after = head_of(graph.graph)
            excluded = [*last, *after] if keep != "nothing" else after
            q.quantize_static(
                str(ready),
                str(made),
                _Reader(feeds),
                quant_format=q.QuantFormat.QDQ,
                activation_type=q.QuantType.QUInt8,
                weight_type=q.QuantType.QInt8,
                per_channel=True,
                calibrate_method=methods[method],
                nodes_to_exclude=excluded,
                extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
            )
        except Exception as error:  # the quantiser raises whatever its parts raise
            told = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise TrainingError(f"{model} cannot be quantised: {told[:200]}") from error
        small = onnx.load(made)
        _metadata(small, onnx.load(model, load_external_data=False), dict(note or {}))
        onnx.save(small, made)
        OnnxRuntimeEngine(made, threads=1)
        made.replace(out)
    return tuple(last) if keep != "nothing" else ()


def head_of(graph: Any) -> tuple[list[str], list[str]]:
    """-> (the last convolutions or matrix products: after them comes no other; everything behind them), by node name."""
    heavy = ("Conv", "Gemm", "MatMul", "ConvTranspose")
    takers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    before_another: set[str] = set()  # nodes from which another heavy one is reached
    for node in reversed(graph.node):  # an ONNX graph is in order
        followers = [taker for name in node.output for taker in takers.get(name, ())]
        if any(taker.op_type in heavy or taker.name in before_another for taker in followers):
            before_another.add(node.name)
    last = [node.name for node in graph.node if node.op_type in heavy and node.name not in before_another]
    behind: set[str] = set()
    reached = {name for node in graph.node if node.name in set(last) for name in node.output}
    for node in graph.node:
        if reached & set(node.input):
            reached |= set(node.output)
            behind.add(node.name)
    return last, [node.name for node in graph.node if node.name in behind and node.name not in last]


def times(models: Sequence[Path], feeds: Mapping[str, Arrays], *, threads: int = 1, rounds: int = ROUNDS) -> list[float]:
    """Median ms of each model on one input, in turns, so that a busy machine is unfair to none."""
    engines = [OnnxRuntimeEngine(path, threads) for path in models]
    taken: list[list[float]] = [[] for _ in engines]
    for turn in range(rounds + 3):
        for engine, own in zip(engines, taken, strict=True):
            start = time.perf_counter()
            engine.run(feeds)
            if turn >= 3:
                own.append(1000 * (time.perf_counter() - start))
    return [float(np.median(own)) for own in taken]


def spread(items: Sequence[Path], count: int) -> Sequence[Path]:
    """At most `count`, evenly over all."""
    if len(items) <= count:
        return items
    return [items[int(i)] for i in np.linspace(0, len(items) - 1, count)]


# ---------------------------------------------------------------- what is measured


@dataclass(frozen=True, eq=False)
class DetectorRuler:
    """AP50 of a detector on pictures with true boxes; without them, agreement with what the float model is sure of."""

    model: OnnxDetector  # the float one
    images: Sequence[Path]
    truth: Annotations
    metric: str = "AP50"

    def inputs(self, images: Iterable[Path]) -> Iterator[dict[str, Arrays]]:
        return detector_inputs(self.model, map(read_image, images))

    def measure(self, model: Path) -> float:
        detector = self.model if model == self.model.path else load_detector(model, names=self.model.names)
        return average_precision(detector, map(read_image, self.images), self.truth)


@dataclass(frozen=True, eq=False)
class ClassifierRuler:
    """Accuracy of a classifier on pictures in class folders."""

    about: About
    images: Sequence[Path]
    labels: Sequence[str]
    metric: str = "accuracy"

    def inputs(self, images: Iterable[Path]) -> Iterator[dict[str, Arrays]]:
        for path in images:
            yield {"images": self._prepared(path)}

    def measure(self, model: Path) -> float:
        engine = OnnxRuntimeEngine(model, threads=1)
        name = engine.ports.inputs[0].name
        right = [
            self.about.classes[int(engine.run({name: self._prepared(path)})[0][0].argmax())] == label
            for path, label in zip(self.images, self.labels, strict=True)
        ]
        return float(np.mean(right))

    def _prepared(self, path: Path) -> Arrays:
        return prepare_pictures([read_image(path)], self.about)


def detector_inputs(detector: OnnxDetector, images: Iterable[Image]) -> Iterator[dict[str, Arrays]]:
    """What the detector's engine is fed for each picture."""
    port = detector.engine.ports.inputs[0].name
    buffer = InputBuffer(1, detector.size, detector.layout.preparation)
    for image in images:
        buffer.put(0, image)
        yield {port: buffer.array.copy()}


def average_precision(detector: OnnxDetector, images: Iterable[Image], truth: Annotations) -> float:
    """mAP@0.5 over the classes that the truth has; picture i is frame i of the truth."""
    found = found_by(detector, images)
    return evaluate_detection(truth, found).map50


def found_by(detector: OnnxDetector, images: Iterable[Image], *, least: float = 0.0) -> Annotations:
    """Every detection from `least` on, picture by picture."""
    rows: list[tuple[int, Detections]] = [(frame, detector([image])[0]) for frame, image in enumerate(images)]
    keep = [(frame, one[one.scores >= least]) for frame, one in rows]
    return Annotations.of(
        [frame for frame, one in keep for _ in range(len(one))],
        np.concatenate([one.boxes for _, one in keep]) if keep else [],
        labels=np.concatenate([one.labels for _, one in keep]) if keep else [],
        scores=np.concatenate([one.scores for _, one in keep]) if keep else [],
        names=detector.names,
    )


def _ruler(model: Path, data: Path, most: int) -> tuple[Ruler, Sequence[Path], Sequence[Path]]:
    """-> how to measure, the pictures for the ranges, the pictures for the figures."""
    metadata = OnnxRuntimeEngine(model, threads=1).ports.metadata
    about = read_about(metadata)
    kind = about.kind if about is not None else "detector"
    if kind == "image" and about is not None:
        return _classifier(about, data, most)
    if kind != "detector":
        raise ModelError(
            f"{model} is a model of the kind '{kind}': only detectors and classifiers of pictures are quantised; the others are small"
        )
    detector = load_detector(model, confidence=0.01)
    if not any(data.glob("*.y*ml")) and not data.is_file():
        images = pictures_in(data, deep=True)
        if not images:
            raise DataError(f"{data} holds no pictures, and no data.yaml of a YOLO set")
        tested = spread(images, most)
        truth = found_by(detector, map(read_image, tested), least=SURE)
        if not len(truth):
            raise DataError(
                f"{data}: the model finds nothing in these pictures, so nothing can be compared; give pictures with what it knows"
            )
        return DetectorRuler(detector, tested, truth, "agreement"), images, tested
    told = read_yolo_set(data)
    parts = {name: told[name] for name in ("train", "val", "test") if told.pictures.get(name)}
    part = next(name for name in ("test", "val", "train") if name in parts)
    tested = spread(parts[part], most)
    return DetectorRuler(detector, tested, _truth(told, part, tested, detector.names)), parts.get("train", tested), tested


def _truth(told: Any, part: str, tested: Sequence[Path], known: Sequence[str]) -> Annotations:
    from .data.detection import DetectionSet

    every = DetectionSet(told, part, pictures=tested)
    frames, boxes, labels = [], [], []
    for frame in range(len(tested)):
        sample = every.truth(frame)
        for box, label in zip(sample.boxes, sample.labels.tolist(), strict=True):
            if label >= 0 and told.names[label] in known:  # what the model was never asked for does not count
                frames.append(frame)
                boxes.append(box)
                labels.append(label)
    if not frames:
        raise DataError(f"{told.file}: none of its boxes in {part!r} is of a class that the model knows ({', '.join(known[:8])})")
    return Annotations.of(frames, boxes, labels=labels, names=told.names)


def _classifier(about: About, data: Path, most: int) -> tuple[Ruler, Sequence[Path], Sequence[Path]]:
    folders = read_class_folders(data)
    strange = [name for name in folders.names if name not in about.classes]
    if strange:
        raise DataError(f"{data} has the class {strange[0]!r}, which the model does not know; it knows {', '.join(about.classes)}")
    own = folders.as_trained(about.more)
    parts = own or folders.divided()
    part = next(name for name in ("test", "val", "train") if parts.get(name))
    names = {item.path: folders.names[item.label] for item in parts[part]}
    tested = spread(list(names), most)
    return ClassifierRuler(about, tested, [names[path] for path in tested]), [item.path for item in parts.get("train", parts[part])], tested


class _Reader:
    """What the quantiser asks for its pictures."""

    def __init__(self, feeds: Iterable[dict[str, Arrays]]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> dict[str, Arrays] | None:
        return next(self._feeds, None)


def _metadata(small: Any, original: Any, note: Mapping[str, Any]) -> None:
    import onnx

    told = {each.key: each.value for each in original.metadata_props}
    if KEY in told:
        told[KEY] = json.dumps({**json.loads(told[KEY]), "quantized": dict(note)}, ensure_ascii=False, sort_keys=True)
    del small.metadata_props[:]
    onnx.helper.set_model_props(small, told)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser logs advice to the root logger that its user has followed already."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):  # its histograms print
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
