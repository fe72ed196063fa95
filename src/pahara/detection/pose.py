"""A picture and boxes of people -> their joints: where the body is, never who it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image, ModelError
from pahara.core.boxes import iou_matrix
from pahara.tracking.association import assign

from . import zoo
from .crops import Square
from .engine import Array, Engine, fixed, open_engine
from .letterbox import InputBuffer
from .onnx import suppress
from .pose_layouts import JOINTS, Bodies, PoseLayout, recognise
from .tflite import TfliteEngine

MARGIN = 1.25  # a crop's side ÷ the longer side of the box
LEAST = 0.2  # score of a person, where the model sees the whole picture
MAX_IOU = 0.65  # above it two found in one picture are one person
SAME = 0.3  # IoU of a tracked box and a found person that belong together
INPUT = 640  # pixels, where the model leaves it open

Joints = NDArray[np.float32]  # (n, 17, 3): x, y in picture pixels, confidence in 0..1; zeros where nothing was found


class PoseModel:
    """A picture (BGR uint8) and boxes (n, 4) -> joints (n, 17, 3) in COCO's order.

    `sees` is "one" for a model that looks at a crop of each box, and "all" for one that looks at the whole picture once,
    whatever the number of boxes. Serves one thread at a time.
    """

    def __init__(
        self,
        engine: Engine,
        layout: PoseLayout,
        size: tuple[int, int],
        *,
        least: float = LEAST,
        margin: float = MARGIN,
        path: Path | None = None,
    ) -> None:
        """Most callers want `load_pose`. `size` is the input's (width, height) in pixels."""
        self.engine, self.layout, self.size, self.path = engine, layout, size, path
        self.least, self.margin = least, margin
        self._port = engine.ports.inputs[0]
        wide, tall = size
        self._buffer = InputBuffer(1, size, layout.preparation)
        batch = max(fixed(self._port.shape, 0), 1)
        last = layout.order == "channels-last"
        self._input = np.zeros((batch, tall, wide, 3) if last else (batch, 3, tall, wide), self._port.type)

    @property
    def sees(self) -> Literal["one", "all"]:
        """What one run of the model looks at."""
        return self.layout.sees

    def __call__(self, image: Image, boxes: NDArray[np.floating], /) -> Joints:
        made = np.zeros((len(boxes), JOINTS, 3), np.float32)
        if not len(boxes):
            return made
        if self.sees == "one":
            for row, box in enumerate(boxes):
                made[row] = self._one(image, box)
            return made
        found = self.everybody(image)
        mine, theirs = assign(iou_matrix(np.asarray(boxes, np.float64), found.boxes.astype(np.float64)), SAME)
        made[mine] = found.joints[theirs]
        return made

    def everybody(self, image: Image) -> Bodies:
        """All whom a model that sees the whole picture finds in it, best first, in picture pixels."""
        fit = self._buffer.put(0, image)
        self._input[0] = self._buffer.array[0]
        found = self.layout.decode(self._run(), 0, self.least)
        keep = np.argsort(-found.scores, kind="stable")
        if self.layout.overlapping:
            keep = suppress(found.boxes, found.scores, np.zeros(len(found), np.intp), MAX_IOU)
        joints = found.joints[keep]
        joints[..., :2] = (joints[..., :2] - np.array(fit.offset, np.float32)) / np.array(fit.scale, np.float32)
        return Bodies(fit.to_picture(found.boxes[keep]), found.scores[keep], joints)

    def _one(self, image: Image, box: NDArray[np.floating]) -> NDArray[np.float32]:
        """(17, 3) of the person in the middle of the crop."""
        square = Square.around(box, self.margin)
        self._fill(square.cut(image, self.size[0], int(self.layout.preparation.pad)))
        found = self.layout.decode(self._run(), 0, 0.0)
        if not len(found):
            return np.zeros((JOINTS, 3), np.float32)
        joints: NDArray[np.float32] = found.joints[0]
        joints[:, :2] = square.to_picture(joints[:, :2], self.size[0])
        return joints

    def _fill(self, crop: Image) -> None:
        picture = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB) if self.layout.preparation.rgb else crop
        self._input[0] = picture if self.layout.order == "channels-last" else picture.transpose(2, 0, 1)

    def _run(self) -> list[Array]:
        return self.engine.run({self._port.name: self._input})

    def ready(self) -> dict[str, Array]:
        """What `engine.run` takes, filled with grey: for measuring the engine alone."""
        self._input[:] = 114
        return {self._port.name: self._input}

    def describe(self) -> dict[str, Any]:
        """For `models show`."""
        return {
            "path": str(self.path or ""),
            "engine": self.engine.about,
            "layout": self.layout.name,
            "about": self.layout.about,
            "input": f"{self.size[0]}x{self.size[1]} {'RGB' if self.layout.preparation.rgb else 'BGR'}",
            "joints": JOINTS,
            "inputs": [str(port) for port in self.engine.ports.inputs],
            "outputs": [str(port) for port in self.engine.ports.outputs],
            "metadata": dict(self.engine.ports.metadata),
        }


def load_pose(
    model: str | Path = "movenet",
    *,
    threads: int = 1,
    least: float = LEAST,
    margin: float = MARGIN,
    input_size: int | tuple[int, int] | None = None,
) -> PoseModel:
    """A pose model from a name of `zoo.POSES` ("movenet", "rtmo-t") or a path to an .onnx or .tflite file.

    least: score from which a model of the whole picture has found a person; margin: how much larger than its box a crop is;
    input_size: pixels (or width, height) where the model leaves it open. ModelError when the model is missing, damaged or
    of a kind that nobody knows, and when LiteRT is needed and not installed.
    """
    path = zoo.locate(model, known=zoo.POSES)
    engine: Engine = TfliteEngine(path, threads) if path.suffix == ".tflite" else open_engine("onnxruntime", path, threads)
    try:
        layout = recognise(engine.ports)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    asked = (input_size, input_size) if isinstance(input_size, int) else input_size
    size = layout.size if all(layout.size) else (asked or (INPUT, INPUT))
    if asked and asked != size:
        raise ModelError(f"{path}: input_size {asked[0]}x{asked[1]} was asked, but the model takes {size[0]}x{size[1]} only; leave it out")
    made = PoseModel(engine, layout, size, least=least, margin=margin, path=path)
    try:
        made(np.zeros((64, 64, 3), np.uint8), np.array([[8.0, 8.0, 40.0, 60.0]]))
    except Exception as error:  # engines raise classes of their own while they run
        raise ModelError(f"{path}: the model does not run on an input of {size[0]}x{size[1]} ({error}); try another input_size") from error
    return made


__all__ = ["PoseModel", "load_pose"]
