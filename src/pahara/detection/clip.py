"""What the last seconds look like: a model of `pahara train action` on clips, asked about the pictures that a camera gave just now."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pahara.behaviours.clip import CERTAINTY, LIMIT
from pahara.behaviours.learned import QUIET
from pahara.core import Frame, ModelError
from pahara.core.frozen import Frozen

from .about import About, read_about
from .engine import Engine, EngineName, open_engine
from .letterbox import InputBuffer
from .pictures import shrunk
from .recogniser import activated

GAP = 2.0  # seconds without a picture after which what was before belongs to another clip


@dataclass
class ClipSignal:
    """One per camera. A frame -> `clip.<class>`, the certainty (0..1) of each class of the model, looked at `every` seconds.

    The pictures of the model's window are taken as in training: at its rate by the clock, whatever the frame rate of the
    camera, and shrunk at once. Until the window is full, all certainties are 0; between the looks the last ones stand.
    `clip.limit.<class>` is the class's limit from training, so that a stored scene tells all that an alarm needs.
    ModelError for a file that is missing or no model of clips.
    """

    model: Path  # the .onnx file of a model trained on clips
    every: float = 0.5  # seconds between two looks
    engine: EngineName = "onnxruntime"
    threads: int = 1

    about: About = field(init=False, repr=False)
    _engine: Engine = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.every > 0:
            raise ModelError(f"clip: every must be more than 0 seconds, got {self.every}")
        self._engine, self.about = open_clip_model(self.model, self.engine, self.threads)
        steps, _, tall, wide = self.about.input
        self._rate = float(self.about.window["rate"])
        self._buffer = InputBuffer(1, (wide, tall), self.about.prepared())
        self._seen: deque[NDArray[np.float32]] = deque(maxlen=steps)
        self._due = self._next = self._last = -np.inf
        self._limits = {
            f"{LIMIT}{name}": self.about.thresholds.get(name, 0.5) for name in self.about.classes if name.casefold() not in QUIET
        }
        self._answer: Mapping[str, float] = self._told([0.0] * len(self.about.classes))

    @property
    def gives(self) -> tuple[str, ...]:
        """The names of its numbers."""
        return tuple(self._answer)

    def __call__(self, frame: Frame) -> Mapping[str, float]:
        if frame.time - self._last > GAP:
            self._seen.clear()
            self._due = self._next = frame.time
            self._answer = self._told([0.0] * len(self.about.classes))
        self._last = frame.time
        if frame.time >= self._due - 1e-6:
            picture = self._prepared(frame)
            while frame.time >= self._due - 1e-6:  # a camera that is slower than the model shows its pictures again
                self._seen.append(picture)
                self._due += 1 / self._rate
        if frame.time >= self._next - 1e-6 and len(self._seen) == self._seen.maxlen:
            self._next = frame.time + self.every
            answer = self._engine.run({self._engine.ports.inputs[0].name: np.stack(self._seen)[None]})[0]
            self._answer = self._told(activated(answer, self.about.activation)[0].tolist())
        return self._answer

    def _prepared(self, frame: Frame) -> NDArray[np.float32]:
        """(3, height, width) as the model sees one picture."""
        self._buffer.put(0, shrunk(frame.image, self._buffer.size, self._buffer.preparation))
        picture: NDArray[np.float32] = self._buffer.array[0].copy()
        return picture

    def _told(self, certainties: list[float]) -> Mapping[str, float]:
        named = {f"{CERTAINTY}{name}": value for name, value in zip(self.about.classes, certainties, strict=True)}
        return Frozen({**named, **self._limits})


def open_clip_model(path: str | Path, engine: EngineName = "onnxruntime", threads: int = 1) -> tuple[Engine, About]:
    """The loaded model and what it says of itself. ModelError when the file is missing, damaged, or something else."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise ModelError(f"there is no model file {path}. `pahara train action` on clips and `pahara export` make one")
    loaded = open_engine(engine, path, threads)
    about = read_about(loaded.ports.metadata)
    if about is None or about.kind != "action" or about.sees_trails:
        told = "says nothing of what it is" if about is None else f"is of the kind '{about.kind}'"
        if about is not None and about.kind == "action":
            told = "looks at how people move, and belongs to the behaviour 'action'"
        raise ModelError(
            f"{path.name} is no model of clips: it {told}. Give a model of `pahara train action CLIPS`, exported by `pahara export`"
        )
    shape = loaded.ports.inputs[0].shape
    good = len(about.input) == 4 and about.input[1] == 3 and len(shape) == 5 and about.classes and float(about.window.get("rate", 0)) > 0
    if not good:
        raise ModelError(f"{path.name} does not fit its own description: {loaded.ports}, clips of {about.input or '?'}. Export it again")
    told_classes = loaded.ports.outputs[0].shape[-1]
    if isinstance(told_classes, int) and told_classes != len(about.classes):
        raise ModelError(f"{path.name} names {len(about.classes)} classes and tells {told_classes} apart. Export it again")
    return loaded, about


__all__ = ["ClipSignal", "open_clip_model"]
