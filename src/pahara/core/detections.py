"""What a detector saw in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """n objects of one frame. Row i of every array is the same object."""

    boxes: NDArray[np.float32]  # (n, 4) pixels, x1 y1 x2 y2, origin top left
    scores: NDArray[np.float32]  # (n,) detector confidence in [0, 1]
    labels: NDArray[np.intp]  # (n,) index into `names`
    names: tuple[str, ...]  # class names of the detector, e.g. ("person", "bag")

    def __post_init__(self) -> None:
        n = len(self.boxes)
        if self.boxes.shape != (n, 4):
            raise ValueError(f"boxes must have shape (n, 4), got {self.boxes.shape}")
        if self.scores.shape != (n,) or self.labels.shape != (n,):
            raise ValueError(f"scores and labels must have shape ({n},), got {self.scores.shape} and {self.labels.shape}")
        if n and (self.labels.max() >= len(self.names) or self.labels.min() < 0):
            raise ValueError(f"label {int(self.labels.max())} has no name: there are {len(self.names)} names")
        for array in (self.boxes, self.scores, self.labels):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[Any] | slice | Sequence[int]) -> Detections:
        """detections[detections.scores > 0.5] keeps the rows that are True."""
        return Detections(self.boxes[rows], self.scores[rows], self.labels[rows], self.names)

    @classmethod
    def of(cls, boxes: object, scores: object, labels: object, names: Sequence[str]) -> Detections:
        """From anything numpy understands; n may be 0."""
        return cls(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(scores, np.float32).reshape(-1),
            np.array(labels, np.intp).reshape(-1),
            tuple(names),
        )

    @classmethod
    def none(cls, names: Sequence[str] = ()) -> Detections:
        """Nothing seen."""
        return cls.of([], [], [], names)
