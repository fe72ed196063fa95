"""An action model's file -> the function that behaviours ask: windows in, certainties out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.behaviours.learned import Recogniser, Window
from pahara.core import ModelError

from .about import About, read_about
from .engine import fixed, open_engine
from .layouts.base import sigmoid

MOST_AT_ONCE = 64  # windows per batch
ANOMALY = "unusual"  # the one class of a model that paints windows again


class OnnxWindows:
    """windows (w, t, k, 3) float32 -> (w, c) certainties in 0..1, by a model of `pahara export`."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """ModelError when the file is no action model."""
        self.path, self.threads = path, threads
        self._engine = open_engine("onnxruntime", path, threads)
        self.about = _about_of(path, self._engine.ports.metadata)
        port = self._engine.ports.inputs[0]
        self._name, self._batch = port.name, fixed(port.shape, 0)
        self.window = _window_of(path, self.about)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.threads)

    def __call__(self, windows: NDArray[np.float32]) -> NDArray[np.floating]:
        at_once = self._batch or MOST_AT_ONCE
        parts = [self._some(windows[start : start + at_once]) for start in range(0, len(windows), at_once)]
        return np.concatenate(parts) if parts else np.zeros((0, max(len(self.about.classes), 1)), np.float32)

    def _some(self, windows: NDArray[np.float32]) -> NDArray[np.floating]:
        given = shaped(windows, self.about.input)
        short = self._batch - len(given) if self._batch else 0
        if short > 0:
            given = np.concatenate([given, np.zeros((short, *given.shape[1:]), np.float32)])
        answer = self._engine.run({self._name: np.ascontiguousarray(given, np.float32)})[0][: len(windows)]
        if self.about.kind == "anomaly":  # the window painted again: its error against the usual highest one
            error = np.square((answer - given[: len(windows)]).reshape(len(windows), -1)).mean(axis=1)
            strange: NDArray[np.floating] = (error / (error + self.about.thresholds["error"]))[:, None]
            return strange
        return activated(answer, self.about.activation)


@lru_cache(maxsize=16)
def _opened(path: Path, changed: int, size: int) -> Recogniser:
    del changed, size  # a model that was trained again is another model
    function = OnnxWindows(path)
    about = function.about
    classes, thresholds = about.classes, about.thresholds
    if about.kind == "anomaly":
        if not about.thresholds.get("error", 0.0) > 0:
            raise ModelError(
                f"{path.name} does not say what error is usual ('thresholds: error'). Train it again with `pahara train anomaly`"
            )
        classes, thresholds = (ANOMALY,), {ANOMALY: 0.5}
    try:
        made = Recogniser(function, classes, function.window, thresholds, path.name)
        told = made(np.zeros((2, *function.window.shape), np.float32))
    except ModelError:
        raise
    except Exception as error:  # the runtime raises classes of its own
        said = str(error).strip().splitlines()[0][:200]
        raise ModelError(
            f"{path.name} does not fit its own description: windows {function.window.shape}: {said}. Export it again"
        ) from error
    assert told.shape == (2, len(classes))
    return made


def load_recogniser(path: str | Path) -> Recogniser:
    """The model in an .onnx file, ready for a behaviour; the same one as long as the file stays as it is.

    ModelError when the file is missing, damaged, of another kind, or does not fit what it says of itself.
    """
    path = Path(path).expanduser().absolute()
    try:
        stat = path.stat()
    except OSError:
        raise ModelError(f"there is no model file {path}. `pahara train action` and `pahara export` make one") from None
    return _opened(path, stat.st_mtime_ns, stat.st_size)


def shaped(windows: NDArray[np.float32], shape: Sequence[int]) -> NDArray[np.float32]:
    """Windows (w, t, k, 3) as a model wants them, `shape` without the batch: (t, k, 3), (t, k·3), or of two (2, t, k/2, 3), (2, t, k·3/2).

    ModelError when they do not fit.
    """
    wanted = tuple(shape)
    made = windows
    if wanted[:1] == (2,) and len(wanted) in (3, 4) and wanted[1:2] == windows.shape[1:2]:
        one, two = np.split(windows, 2, axis=2)
        made = np.stack([one, two], axis=1)
    if len(wanted) + 1 == made.ndim - 1:
        made = made.reshape(*made.shape[:-2], -1)
    if wanted and made.shape[1:] != wanted:
        raise ModelError(f"the model takes inputs of shape {wanted}, but its windows are {windows.shape[1:]}")
    return made


def activated(answer: NDArray[np.floating], activation: str) -> NDArray[np.floating]:
    """Outputs (n, c) -> certainties (n, c) in 0..1. ModelError for an activation that nobody knows."""
    certain: NDArray[np.floating]
    if activation == "softmax":
        grown = np.exp(answer - answer.max(axis=1, keepdims=True))
        certain = grown / grown.sum(axis=1, keepdims=True)
        return certain
    if activation == "sigmoid":
        certain = sigmoid(answer)
        return certain
    if activation == "none":
        return answer
    raise ModelError(f"the model's activation is {activation!r}; there are 'softmax', 'sigmoid' and 'none'. Export it again")


def _about_of(path: Path, metadata: Any) -> About:
    try:
        about = read_about(metadata)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from error
    if about is None:
        raise ModelError(
            f"{path.name} says nothing of what it recognises. Give a model of `pahara train action`, exported by `pahara export`"
        )
    if about.kind not in ("action", "anomaly"):
        hint = {"detector": "it belongs under 'detector:'", "image": "it looks at pictures, not at how people move"}[about.kind]
        raise ModelError(
            f"{path.name} is a model of the kind '{about.kind}', no action model: {hint}. Give a model of `pahara train action`"
        )
    return about


def _window_of(path: Path, about: About) -> Window:
    if not about.sees_trails:
        signal, behaviour = ("autoencoder", "anomaly") if about.kind == "anomaly" else ("clip", "clip")
        raise ModelError(
            f"{path.name} looks at pictures, not at trails of people: 'action' cannot ask it. "
            f"Write `signals: [{{kind: {signal}, model: {path.name}}}]` and the behaviour `{behaviour}`"
        )
    try:
        return Window.of(about.window)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path.name}: its window cannot be read ({error}). Export it again") from error


__all__ = ["OnnxWindows", "activated", "load_recogniser", "shaped"]
