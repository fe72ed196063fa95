"""From trained weights to a file that the watcher runs: ONNX, checked against torch before it is put in place.

What stands in the file's metadata is described in `pahara.detection.about`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.behaviours.learned import Window, near_pairs
from pahara.core import Image, ModelError, TrainingError
from pahara.detection.about import About, read_about, written
from pahara.detection.autoencoder import open_autoencoder
from pahara.detection.engine import OnnxRuntimeEngine
from pahara.detection.onnx import load_detector
from pahara.detection.pictures import prepare_pictures
from pahara.detection.recogniser import load_recogniser, shaped
from pahara.models.registry import MODELS
from pahara.models.yolox import YOLOX

from .checkpoint import load_weights
from .data.pictures import pictures_in, read_image

PARITY = 1e-4  # of the output's scale: more than this apart, and the file is not put in place
OPSET = 18
BATCHES = (1, 2, 5)  # sizes that are tried: a model whose batch got frozen into the graph fails here
REAL = 8  # real pictures that torch and ONNX Runtime are compared on
ROUNDS = 30  # runs that the speed is the median of
Arrays = NDArray[np.float32]


@dataclass(frozen=True)
class Exported:
    """A file in place, and what was measured before."""

    path: Path
    bytes: int
    parity: float  # largest difference from torch, relative to the output's scale (at least 1)
    parity_real: float  # the same on real inputs; not a number where there were none
    ms: float  # median of one input on one thread
    torch_ms: float  # the same in torch
    inputs: str  # "images (batch, 3, 416, 416) float32"
    outputs: tuple[str, ...]
    about: Mapping[str, Any]


def export(source: Path, out: Path | None = None, *, data: Path | None = None) -> Exported:
    """A run's folder or a weights file -> an ONNX file, by default beside the weights (`model.onnx` in a run).

    Compared with torch on random inputs and on real ones: pictures of `data`, else staged scenes. ModelError for weights
    that do not say what they are; TrainingError when the file would not do what the weights do.
    """
    model, told = load_weights(source)
    about = describe(told, source)
    target = out or (source / "model.onnx" if source.is_dir() else source.with_suffix(".onnx"))
    if target.suffix != ".onnx":
        raise ModelError(f"{target} should end in .onnx")
    if isinstance(model, YOLOX):
        model = model.deployed()
    whole = read_about(written(about))
    assert whole is not None
    return to_onnx(model, whole.input, target, about, real=real_inputs(whole, data), spread=_spread(whole))


def describe(told: Mapping[str, Any], source: Path) -> dict[str, Any]:
    """What weights say of themselves -> what the exported file says. ModelError where the kind or the input's shape is missing."""
    about = {"classes": told.get("names", ()), **told}
    about.pop("names", None)
    entry = MODELS.get(str(about.get("model", "")))
    if "kind" not in about and entry is not None:
        about["kind"] = "anomaly" if entry.gives == "copy" else {"image": "image", "window": "action"}.get(entry.takes)
    if not about.get("kind"):
        raise ModelError(f"{source} does not say what kind of model it is (image, detector, action, anomaly); train it with `pahara train`")
    if not about.get("input"):
        raise ModelError(f"{source} does not say the shape of its input; train it with `pahara train`")
    if about["kind"] in ("image", "action"):
        about.setdefault("activation", "softmax")
    about["classes"] = list(about["classes"])
    return about


def real_inputs(about: About, data: Path | None = None) -> Arrays | None:
    """A few inputs of the kind that the watcher will give: prepared pictures, or windows of people; None where there are none to be had."""
    if about.kind in ("image", "detector", "anomaly") and len(about.input) == 3 and about.input[0] in (1, 3):
        images = [read_image(path) for path in _some(pictures_in(data, deep=True))] if data is not None else _staged()
        return prepare_pictures(images, about) if images else None
    if about.sees_trails:
        return _windows(about)
    return None


def _some(paths: Sequence[Path]) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // REAL)][:REAL]


def _staged() -> list[Image]:
    from pahara.simulate import Stage, random_script

    script = replace(random_script(5, duration=20.0, size=(480, 270)), fps=1.0)
    return [shot.image for shot in islice(Stage(script), 4, None, 3)]


def _windows(about: About) -> Arrays | None:
    from pahara.testing.actors import fall, run, scenes, walk

    window = Window.of(about.window)
    if window.joints:
        return None  # the stage's trails have no skeletons
    pair = {
        1: walk((0.2, 0.7), (0.6, 0.7), 0, 20),
        2: walk((0.25, 0.7), (0.65, 0.7), 0, 20),
        3: run((0.1, 0.9), (0.9, 0.9), 2),
        4: fall((0.3, 0.9), 3, 8, 20),
    }
    found = []
    for scene in list(scenes(pair, seconds=20))[::20]:
        groups = near_pairs(scene.tracks, 10.0) if window.people == 2 else [(track,) for track in scene.tracks]
        found += [made for made in map(window.take, groups) if made is not None]
    return shaped(np.stack(found[:32]), about.input) if found else None


def _spread(about: About) -> tuple[float, float]:
    """The values that the input can take."""
    if len(about.input) != 3 or about.sees_trails:
        return -2.0, 2.0
    p = about.prepared()
    ends = [(value * p.scale - mean) / std for value in (0.0, 255.0) for mean, std in zip(p.mean, p.std, strict=True)]
    return min(ends), max(ends)


def to_onnx(
    model: nn.Module,
    shape: Sequence[int],
    path: Path,
    about: Mapping[str, Any],
    *,
    real: Arrays | None = None,
    spread: tuple[float, float] = (-2.0, 2.0),
    tolerance: float = PARITY,
) -> Exported:
    """`model` with inputs (batch, *shape) -> an ONNX file at `path`, its batch open, `about` in its metadata.

    `real` (n, *shape) are prepared inputs as the model will see them; random ones, spread evenly, are always tried.
    The file appears only after ONNX Runtime gave what torch gives; what stood there before is replaced at once.
    TrainingError when the model cannot be exported or the two differ.
    """
    model = model.eval().cpu()
    first = torch.zeros((2, *shape))
    name = "images" if len(shape) == 3 else "input"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        made = Path(folder) / "model.onnx"
        _write(model, first, made, name, {**about, "input": list(shape)})
        engine = OnnxRuntimeEngine(made, threads=1)
        generator = torch.Generator().manual_seed(0)
        low, high = spread
        tries = [torch.rand((n, *shape), generator=generator) * (high - low) + low for n in BATCHES]
        parity = max(_apart(model, engine, batch, path.name, tolerance) for batch in tries)
        on_real = float("nan")
        if real is not None and len(real):
            on_real = max(_apart(model, engine, torch.from_numpy(real[i : i + 4]), path.name, tolerance) for i in range(0, len(real), 4))
        _understood(made, about, path.name)
        ms, torch_ms = _speed(model, engine, tries[0])
        ports = engine.ports
        size = made.stat().st_size
        made.replace(path)
    return Exported(path, size, parity, on_real, ms, torch_ms, str(ports.inputs[0]), tuple(map(str, ports.outputs)), dict(about))


def need_openvino() -> None:
    """ModelError, with what to install, where OpenVINO is not."""
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        raise ModelError("OpenVINO is not installed. Try `pip install 'pahara[openvino]'`, or export to onnx") from error


def to_openvino(onnx_file: Path, path: Path) -> Path:
    """An ONNX file -> OpenVINO's pair of .xml and .bin at `path`. ModelError when OpenVINO is not installed."""
    need_openvino()
    import openvino

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        model = openvino.convert_model(onnx_file)
        for key, value in OnnxRuntimeEngine(onnx_file, threads=1).ports.metadata.items():
            model.set_rt_info(value, ["metadata", key])
        openvino.save_model(model, made, compress_to_fp16=False)
        _same_in_openvino(onnx_file, made)
        made.with_suffix(".bin").replace(path.with_suffix(".bin"))
        made.replace(path)
    return path


def _write(model: nn.Module, first: Tensor, path: Path, name: str, about: Mapping[str, Any]) -> None:
    import onnx

    with _quiet():
        try:
            program = torch.onnx.export(
                model,
                (first,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[name],
                output_names=_output_names(model, first),
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
        except Exception as error:  # the exporter raises classes of many libraries
            told = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise TrainingError(
                f"{type(model).__name__} cannot be exported to ONNX with inputs {tuple(first.shape)}: {told[:200]}"
            ) from error
    assert program is not None
    proto = program.model_proto
    # The exporter notes the source line of every node, with the paths of this machine: nobody's business, and half the file.
    for node in (*proto.graph.node, *(node for function in proto.functions for node in function.node)):
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        del value.metadata_props[:]
    del proto.graph.metadata_props[:]
    del proto.metadata_props[:]
    proto.doc_string, proto.producer_name = "", "pahara"
    onnx.helper.set_model_props(proto, written(about))
    onnx.save(proto, path)


def _output_names(model: nn.Module, first: Tensor) -> list[str]:
    with torch.inference_mode():
        answer = model(first)
    count = len(answer) if isinstance(answer, tuple | list) else 1
    return ["output"] if count == 1 else [f"output{i}" for i in range(count)]


def _apart(model: nn.Module, engine: OnnxRuntimeEngine, batch: Tensor, name: str, tolerance: float) -> float:
    """The largest difference between torch and ONNX Runtime on this batch, relative to the output's scale."""
    with torch.inference_mode():
        answer = model(batch)
    wanted = [one.numpy() for one in (answer if isinstance(answer, tuple | list) else (answer,))]
    try:
        found = engine.run({engine.ports.inputs[0].name: batch.numpy()})
    except Exception as error:  # the runtime raises a dozen classes of its own
        raise TrainingError(f"{name}: the exported model does not run on a batch of {len(batch)}: {str(error).strip()[:200]}") from error
    worst = 0.0
    for ours, theirs in zip(wanted, found, strict=True):
        if ours.shape != theirs.shape:
            raise TrainingError(f"{name}: the exported model gives {theirs.shape} where torch gives {ours.shape}")
        if not np.isfinite(ours).all():
            raise TrainingError(f"{name}: the model's own output is no number: its weights are spoilt. Export an earlier checkpoint")
        worst = max(worst, float(np.abs(ours - theirs).max(initial=0.0)) / max(1.0, float(np.abs(ours).max(initial=0.0))))
    if worst > tolerance:
        raise TrainingError(
            f"{name}: torch and ONNX Runtime differ by {worst:.2g} of the output's scale, limit {tolerance:g}: not exported"
        )
    return worst


def _understood(made: Path, about: Mapping[str, Any], name: str) -> None:
    """The watcher must read the file as what it is."""
    try:
        if about["kind"] == "detector":
            names = load_detector(made).names
            if list(names) != list(about["classes"]):
                raise ModelError(f"its classes are read as {', '.join(names)}, not {', '.join(about['classes'])}")
        elif {"people", "joints"} & dict(about.get("window") or {}).keys():
            load_recogniser(made)
        elif about["kind"] == "anomaly":
            open_autoencoder(made)
    except ModelError as error:
        raise TrainingError(f"{name}: the watcher would not understand the exported model: {error}") from error


def _speed(model: nn.Module, engine: OnnxRuntimeEngine, one: Tensor) -> tuple[float, float]:
    """-> ms of one input in ONNX Runtime and in torch: medians, one thread each, in turns."""
    feeds = {engine.ports.inputs[0].name: one.numpy()}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taken: tuple[list[float], list[float]] = ([], [])
    runs: tuple[Callable[[], object], ...] = (lambda: engine.run(feeds), lambda: model(one))
    try:
        with torch.inference_mode():
            until = time.perf_counter() + 3.0
            for turn in range(ROUNDS):
                for own, run in zip(taken, runs, strict=True):
                    start = time.perf_counter()
                    run()
                    own.append(1000 * (time.perf_counter() - start))
                if turn >= 4 and time.perf_counter() > until:
                    break
    finally:
        torch.set_num_threads(threads)
    return float(np.median(taken[0])), float(np.median(taken[1]))


def _same_in_openvino(onnx_file: Path, made: Path) -> None:
    import openvino

    engine = OnnxRuntimeEngine(onnx_file, threads=1)
    port = engine.ports.inputs[0]
    shape = [side if isinstance(side, int) and i else 2 for i, side in enumerate(port.shape)]
    batch = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    compiled = openvino.Core().compile_model(made, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for ours, theirs in zip(engine.run({port.name: batch}), compiled([batch]).values(), strict=True):
        apart = float(np.abs(ours - theirs).max()) / max(1.0, float(np.abs(ours).max()))
        if not apart <= 10 * PARITY:  # OpenVINO sums in another order, and this file is a copy of one that was checked
            raise TrainingError(f"{onnx_file.name}: OpenVINO and ONNX Runtime differ by {apart:.2g}: not exported")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks of its own future and of libraries that are not needed here."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
