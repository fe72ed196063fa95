"""How unusual the picture is: an autoencoder that was taught normal pictures paints it again, and paints badly what it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Frame, ModelError
from pahara.core.frozen import Frozen

from .about import About, read_about
from .engine import Engine, EngineName, open_engine
from .letterbox import Fit
from .pictures import picture_shape, prepare_pictures

ERROR, UNUSUAL = "autoencoder.error", "autoencoder.unusual"


@dataclass
class AutoencoderSignal:
    """One per camera. A frame -> `autoencoder.*`, looked at `every` seconds; between the looks the last answer stands.

    error: squared difference between the picture and what was painted, of the worst patch where the model says so;
    unusual: the same as a multiple of the highest error that is usual on normal pictures (its limit from training).
    ModelError for a file that is missing or no autoencoder of Pahara's own.
    """

    model: Path  # the .onnx file of a trained autoencoder
    every: float = 0.5  # seconds between two looks
    engine: EngineName = "onnxruntime"
    threads: int = 1

    about: About = field(init=False, repr=False)
    _engine: Engine = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.every > 0:
            raise ModelError(f"autoencoder: every must be more than 0 seconds, got {self.every}")
        self._engine, self.about = open_autoencoder(self.model, self.engine, self.threads)
        self._limit = limit_of(self.about)
        self._next = -np.inf
        self._answer: Mapping[str, float] = Frozen()
        self._difference = np.zeros((0, 0), np.float32)  # of the last picture looked at, pixel by pixel of the model's input
        self._seen = (0, 0)  # its size: width, height

    def __call__(self, frame: Frame) -> Mapping[str, float]:
        if frame.time >= self._next - 1e-6:
            self._next = frame.time + self.every
            pictures = prepare_pictures([frame.image], self.about)
            differences = difference_of(pictures, paint(self._engine, pictures))
            self._difference, self._seen = differences[0], (frame.image.shape[1], frame.image.shape[0])
            error = float(worst_of(differences, patch=self._patch)[0])
            self._answer = Frozen({ERROR: error, UNUSUAL: error / self._limit})
        return self._answer

    @property
    def _patch(self) -> int:
        return int(self.about.error.get("patch", 0))

    @property
    def heat(self) -> NDArray[np.float32]:
        """(h, w) where the last picture was strange: the error around each spot, 1 at the highest that is usual. It covers the whole
        picture, if in fewer pixels; (0, 0) before the first look."""
        if not self._difference.size:
            return self._difference
        _, tall, wide = picture_shape(self.about)
        fit = Fit.of(self._seen, (wide, tall), self.about.prepared())
        left, top = fit.offset
        inside = self._difference[top : top + fit.inner[1], left : left + fit.inner[0]]
        patch = max(self._patch, 3)  # single pixels flicker
        around: NDArray[np.float32] = cv2.blur(np.ascontiguousarray(inside), (min(patch, inside.shape[1]), min(patch, inside.shape[0])))
        return around / np.float32(self._limit)


def open_autoencoder(path: str | Path, engine: EngineName = "onnxruntime", threads: int = 1) -> tuple[Engine, About]:
    """The loaded model and what it says of itself. ModelError when the file is missing, damaged, or something else."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise ModelError(f"there is no model file {path}. `pahara train anomaly` and `pahara export` make one")
    loaded = open_engine(engine, path, threads)
    about = read_about(loaded.ports.metadata)
    if about is None or about.kind != "anomaly":
        told = "says nothing of what it is" if about is None else f"is of the kind '{about.kind}'"
        raise ModelError(f"{path.name} is no autoencoder: it {told}. Give a model of `pahara train anomaly`, exported by `pahara export`")
    picture_shape(about)
    limit_of(about)
    shape = loaded.ports.outputs[0].shape
    if len(shape) != 4 or tuple(shape[1:]) != about.input:
        raise ModelError(f"{path.name} does not paint its picture again: {loaded.ports}. Give a model of `pahara train anomaly`")
    return loaded, about


def limit_of(about: About) -> float:
    """The highest error that is usual. ModelError when training did not say."""
    limit = about.thresholds.get("error", about.usual.get("high", 0.0))
    if not limit > 0:
        raise ModelError("the model does not say what error is usual ('thresholds: error'). Train it again with `pahara train anomaly`")
    return limit


def picture_errors(engine: Engine, about: About, pictures: NDArray[np.float32]) -> NDArray[np.float64]:
    """Prepared pictures (n, channels, height, width) -> (n,) errors, as `error_of` measures them."""
    return error_of(pictures, paint(engine, pictures), patch=int(about.error.get("patch", 0)))


def paint(engine: Engine, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Prepared pictures -> what the model makes of them, of the same shape."""
    again: NDArray[np.float32] = engine.run({engine.ports.inputs[0].name: pictures})[0]
    return again


def error_of(pictures: NDArray[np.float32], again: NDArray[np.float32], *, patch: int = 0) -> NDArray[np.float64]:
    """(n, channels, height, width) twice -> (n,) mean squared difference; with `patch`, that of the worst patch × patch pixels.

    One person who runs is a hundredth of the picture: in the mean over all of it nobody sees him, in the worst patch one does.

    >>> seen = np.zeros((1, 1, 8, 8), np.float32); seen[0, 0, 2:4, 2:4] = 1
    >>> error_of(seen, np.zeros_like(seen)), error_of(seen, np.zeros_like(seen), patch=2)
    (array([0.0625]), array([1.]))
    """
    return worst_of(difference_of(pictures, again), patch=patch)


def difference_of(pictures: NDArray[np.float32], again: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, channels, height, width) twice -> (n, height, width) squared difference, the mean of the channels."""
    difference: NDArray[np.float32] = np.square(pictures - again).mean(axis=1)
    return difference


def worst_of(difference: NDArray[np.float32], *, patch: int = 0) -> NDArray[np.float64]:
    """(n, height, width) -> (n,) of the worst patch, or of the whole picture."""
    if patch <= 1:
        mean: NDArray[np.float64] = difference.mean(axis=(1, 2), dtype=np.float64)
        return mean
    size = (min(patch, difference.shape[2]), min(patch, difference.shape[1]))
    # Only windows that lie wholly inside count: a border that is mirrored would count its pixels twice.
    left, top = size[0] // 2, size[1] // 2
    right, bottom = size[0] - left - 1, size[1] - top - 1
    worst = [
        float(cv2.blur(each, size)[top : each.shape[0] - bottom, left : each.shape[1] - right].max())
        for each in np.ascontiguousarray(difference)
    ]
    return np.array(worst, np.float64)


__all__ = ["ERROR", "UNUSUAL", "AutoencoderSignal", "error_of", "limit_of", "open_autoencoder", "picture_errors"]
