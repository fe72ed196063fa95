"""A .tflite model as an engine, through LiteRT (the optional extra `pahara[pose]`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pahara.core import ModelError

from .engine import Array, Port, Ports

EXTRA = "pip install 'pahara[pose]'"


class TfliteEngine:
    """LiteRT on the CPU with its XNNPACK kernels: without them MoveNet takes five times as long."""

    def __init__(self, path: Path, threads: int) -> None:
        """ModelError when LiteRT is not installed or cannot load the file."""
        try:
            from ai_edge_litert import interpreter
        except ImportError as error:
            raise ModelError(f"{path.name} needs LiteRT, which is not installed; try: {EXTRA}, or give the same model as .onnx") from error
        try:
            with _without_chatter():
                self._model = interpreter.Interpreter(str(path), num_threads=max(threads, 1))
                self._model.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"{path} is no TFLite model that LiteRT can load ({told[:200]}); fetch it again") from error
        inputs, outputs = self._model.get_input_details(), self._model.get_output_details()
        self._rows = {one["name"]: one["index"] for one in inputs}
        self._wanted = [one["index"] for one in outputs]
        self.ports = Ports(tuple(map(_port, inputs)), tuple(map(_port, outputs)))
        self.about = f"LiteRT, {max(threads, 1)} thread{'s' if threads > 1 else ''}"

    def run(self, feeds: Mapping[str, Array], /) -> list[Array]:
        for name, array in feeds.items():
            self._model.set_tensor(self._rows[name], array)
        self._model.invoke()
        return [self._model.get_tensor(index) for index in self._wanted]


def _port(told: Mapping[str, object]) -> Port:
    shape = np.asarray(told["shape"]).tolist()
    return Port(str(told["name"]), tuple(int(side) for side in shape), np.dtype(told["dtype"]).name)  # type: ignore[call-overload]


@contextmanager
def _without_chatter() -> Iterator[None]:
    """LiteRT greets on the standard error of the process, past Python; what is wrong it raises."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a service without standard error
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
