"""Boxes of many pictures in one table: ground truth and results alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """n boxes. Row i of every array is the same box."""

    frames: NDArray[np.int64]  # (n,) which picture: the MOT frame number, or the row of `pictures`
    ids: NDArray[np.int64]  # (n,) identity; -1 where the file tells none
    boxes: NDArray[np.float64]  # (n, 4) pixels, x1 y1 x2 y2
    labels: NDArray[np.intp]  # (n,) index into `names`
    scores: NDArray[np.float64]  # (n,) confidence; 1 in ground truth
    ignore: NDArray[np.bool_]  # (n,) True: a crowd or a doubtful box, neither to be found nor held against anyone
    names: tuple[str, ...]  # class names
    pictures: tuple[str, ...] = ()  # file name of each picture; () for video

    def __post_init__(self) -> None:
        n = len(self.frames)
        if self.boxes.shape != (n, 4) or any(len(column) != n for column in (self.ids, self.labels, self.scores, self.ignore)):
            raise ValueError(f"every column must have {n} rows and boxes the shape ({n}, 4)")
        if n and not (self.labels.min() >= 0 and self.labels.max() < len(self.names)):
            raise ValueError(f"labels run from {self.labels.min()} to {self.labels.max()} but there are {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: NDArray[Any] | slice | Sequence[int]) -> Annotations:
        """annotations[annotations.scores > 0.5] keeps the rows that are True."""
        columns = {name: getattr(self, name)[rows] for name in ("frames", "ids", "boxes", "labels", "scores", "ignore")}
        return replace(self, **columns)

    @classmethod
    def of(
        cls,
        frames: object,
        boxes: object,
        *,
        ids: object = None,
        labels: object = None,
        scores: object = None,
        ignore: object = None,
        names: Sequence[str] = ("person",),
        pictures: Sequence[str] = (),
    ) -> Annotations:
        """From anything numpy understands; what is left out is -1 (ids), 0 (labels), 1 (scores) or False (ignore)."""
        frame = np.array(frames, np.int64).reshape(-1)
        n = len(frame)
        return cls(
            frame,
            np.full(n, -1, np.int64) if ids is None else np.array(ids, np.int64).reshape(-1),
            np.array(boxes, np.float64).reshape(-1, 4),
            np.zeros(n, np.intp) if labels is None else np.array(labels, np.intp).reshape(-1),
            np.ones(n) if scores is None else np.array(scores, np.float64).reshape(-1),
            np.zeros(n, bool) if ignore is None else np.array(ignore, bool).reshape(-1),
            tuple(names),
            tuple(pictures),
        )

    def only(self, *names: str) -> Annotations:
        """The boxes of these classes; a name that nothing has gives no rows."""
        return self[np.isin(self.labels, [i for i, name in enumerate(self.names) if name in names])]

    def scaled(self, x: float, y: float | None = None) -> Annotations:
        """Boxes multiplied by `x` (and `y`): truth made for another picture size."""
        return replace(self, boxes=self.boxes * np.array([x, x if y is None else y] * 2))

    def rows_in(self, frames: NDArray[np.int64]) -> list[NDArray[np.intp]]:
        """For each frame number, the rows of its boxes in their order."""
        order = np.argsort(self.frames, kind="stable")
        sorted_frames = self.frames[order]
        starts, ends = sorted_frames.searchsorted(frames, "left"), sorted_frames.searchsorted(frames, "right")
        return [order[start:end] for start, end in zip(starts, ends, strict=True)]
