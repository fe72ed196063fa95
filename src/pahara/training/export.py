"""From trained weights to a file that the watcher runs: ONNX, checked against torch before it is put in place.

What stands in the file's metadata is described in `pahara.detection.about`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.core import ModelError, TrainingError
from pahara.detection.about import written
from pahara.detection.engine import OnnxRuntimeEngine

PARITY = 1e-4  # of the output's scale: more than this apart, and the file is not put in place
OPSET = 18
BATCHES = (1, 2, 5)  # sizes that are tried: a model whose batch got frozen into the graph fails here
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


def to_onnx(
    model: nn.Module,
    shape: Sequence[int],
    path: Path,
    about: Mapping[str, Any],
    *,
    real: Arrays | None = None,
    scale: float = 1.0,
    tolerance: float = PARITY,
) -> Exported:
    """`model` with inputs (batch, *shape) -> an ONNX file at `path`, its batch open, `about` in its metadata.

    `real` (n, *shape) are prepared inputs as the model will see them; random ones of `scale` are always tried.
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
        tries = [torch.randn((n, *shape), generator=generator) * scale for n in BATCHES]
        parity = max(_apart(model, engine, batch, path.name, tolerance) for batch in tries)
        on_real = float("nan")
        if real is not None and len(real):
            on_real = max(_apart(model, engine, torch.from_numpy(real[i : i + 4]), path.name, tolerance) for i in range(0, len(real), 4))
        ms, torch_ms = _speed(model, engine, tries[0])
        ports = engine.ports
        size = made.stat().st_size
        os.replace(made, path)
    return Exported(path, size, parity, on_real, ms, torch_ms, str(ports.inputs[0]), tuple(map(str, ports.outputs)), dict(about))


def to_openvino(onnx_file: Path, path: Path) -> Path:
    """An ONNX file -> OpenVINO's pair of .xml and .bin at `path`. ModelError when OpenVINO is not installed."""
    try:
        import openvino
    except ImportError as error:
        raise ModelError("OpenVINO is not installed. Try `pip install 'pahara[openvino]'`, or export to onnx") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        model = openvino.convert_model(onnx_file)
        for key, value in OnnxRuntimeEngine(onnx_file, threads=1).ports.metadata.items():
            model.set_rt_info(value, ["metadata", key])
        openvino.save_model(model, made, compress_to_fp16=False)
        _same_in_openvino(onnx_file, made)
        os.replace(made.with_suffix(".bin"), path.with_suffix(".bin"))
        os.replace(made, path)
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
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
        except Exception as error:  # the exporter raises classes of many libraries
            told = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise TrainingError(f"{type(model).__name__} cannot be exported to ONNX with inputs {tuple(first.shape)}: {told[:200]}") from error
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
        raise TrainingError(f"{name}: torch and ONNX Runtime differ by {worst:.2g} of the output's scale, limit {tolerance:g}: not exported")
    return worst


def _speed(model: nn.Module, engine: OnnxRuntimeEngine, one: Tensor) -> tuple[float, float]:
    """-> ms of one input in ONNX Runtime and in torch: medians, one thread each, in turns."""
    feeds = {engine.ports.inputs[0].name: one.numpy()}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taken: tuple[list[float], list[float]] = ([], [])
    try:
        with torch.inference_mode():
            until = time.perf_counter() + 3.0
            for turn in range(ROUNDS):
                for own, run in zip(taken, (lambda: engine.run(feeds), lambda: model(one)), strict=True):
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
