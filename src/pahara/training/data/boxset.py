"""Pictures with boxes, between formats: what YOLO, COCO and Pascal VOC sets have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pahara.evaluation.annotations import Annotations

from .pictures import image_size
from .yolo import YoloSet, label_file, read_labels

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class BoxSet:
    """One split: p pictures and the boxes in them."""

    rows: Annotations  # frames are rows of `pictures`; boxes in pixels, x1 y1 x2 y2; ignore: a crowd, or difficult
    files: tuple[Path, ...]  # (p,) the picture files, in the order of rows.pictures
    sizes: tuple[Size, ...]  # (p,) width, height, upright

    @property
    def names(self) -> tuple[str, ...]:
        """Class names."""
        return self.rows.names

    def boxes(self, picture: int) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_]]:
        """-> boxes (n, 4), labels (n,) and ignore (n,) of one picture, in their order."""
        rows = np.flatnonzero(self.rows.frames == picture)
        return self.rows.boxes[rows], self.rows.labels[rows], self.rows.ignore[rows]

    @property
    def by_picture(self) -> list[NDArray[np.intp]]:
        """(p,) the rows of each picture, in their order."""
        return self.rows.rows_in(np.arange(len(self.files)))


def box_set(
    files: Sequence[Path], sizes: Sequence[Size], names: Sequence[str], frames: object, boxes: object, labels: object, ignore: object = None
) -> BoxSet:
    """From anything numpy understands."""
    told = Annotations.of(frames, boxes, labels=labels, ignore=ignore, names=names, pictures=[file.name for file in files])
    return BoxSet(told, tuple(files), tuple(sizes))


def read_yolo_boxes(data: YoloSet, split: str) -> BoxSet:
    """One split of a YOLO set, in pixels. DataError with file and line. Boxes are not cut, so that nothing changes on the way."""
    frames: list[int] = []
    boxes: list[NDArray[np.float64]] = []
    labels: list[int] = []
    sizes = []
    for frame, picture in enumerate(data[split]):
        size = image_size(picture)
        sizes.append(size)
        some, kinds = read_labels(label_file(picture), len(data.names))
        wide, tall = size
        half = some[:, 2:] / 2
        boxes.append(np.concatenate([some[:, :2] - half, some[:, :2] + half], axis=1) * np.array([wide, tall, wide, tall], np.float64))
        labels += kinds.tolist()
        frames += [frame] * len(some)
    return box_set(data[split], sizes, data.names, frames, np.concatenate(boxes) if boxes else [], labels)
