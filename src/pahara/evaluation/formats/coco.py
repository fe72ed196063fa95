"""COCO JSON: `instances` ground truth, and the list of results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..annotations import Annotations
from .problems import BIGGEST, TruthError, field, items, mapping, number, read_json, text, whole


def read_coco(path: str | Path) -> Annotations:
    """Ground truth: `images`, `categories`, `annotations`. Frames are rows of `pictures`, in the order of `images`.

    A crowd is ignored. TruthError names the record that is wrong.
    """
    path = Path(path)
    data = mapping(read_json(path), "the file", str(path))
    pictures, frame_of = _pictures(data, path)
    names, label_of = _categories(data, path)
    frames, boxes, labels, ignore = [], [], [], []
    for row, record in enumerate(items(field(data, "annotations", str(path)), "annotations", str(path))):
        where = f"{path}, annotation {row}"
        record = mapping(record, "it", where)
        frames.append(_known(record, "image_id", frame_of, where))
        labels.append(_known(record, "category_id", label_of, where))
        boxes.append(_box(record, where))
        ignore.append(bool(record.get("iscrowd", 0)) or bool(record.get("ignore", 0)))
    return Annotations.of(frames, boxes, labels=labels, ignore=ignore, names=names, pictures=pictures)


def read_coco_results(path: str | Path, truth: str | Path) -> Annotations:
    """A list of {image_id, category_id, bbox, score}; `truth` is the ground truth file that the ids refer to."""
    path, truth = Path(path), Path(truth)
    data = mapping(read_json(truth), "the file", str(truth))
    pictures, frame_of = _pictures(data, truth)
    names, label_of = _categories(data, truth)
    frames, boxes, labels, scores = [], [], [], []
    for row, record in enumerate(items(read_json(path), "the file", str(path))):
        where = f"{path}, result {row}"
        record = mapping(record, "it", where)
        frames.append(_known(record, "image_id", frame_of, where))
        labels.append(_known(record, "category_id", label_of, where))
        boxes.append(_box(record, where))
        scores.append(number(field(record, "score", where), "the score", where))
    return Annotations.of(frames, boxes, labels=labels, scores=scores, names=names, pictures=pictures)


def write_coco(path: str | Path, rows: Annotations) -> None:
    """Ground truth; image ids are 1 + the frame's row, category ids 1 + the label."""
    frames = range(len(rows.pictures)) if rows.pictures else sorted(set(rows.frames.tolist()))
    data = {
        "images": [{"id": frame + 1, "file_name": rows.pictures[frame] if rows.pictures else str(frame)} for frame in frames],
        "categories": [{"id": label + 1, "name": name} for label, name in enumerate(rows.names)],
        "annotations": [
            {
                "id": row + 1,
                "image_id": int(rows.frames[row]) + 1,
                "category_id": int(rows.labels[row]) + 1,
                "bbox": _xywh(rows, row),
                "area": float(np.prod(_xywh(rows, row)[2:])),
                "iscrowd": int(rows.ignore[row]),
            }
            for row in range(len(rows))
        ],
    }
    Path(path).write_text(json.dumps(data), encoding="utf-8")


def write_coco_results(path: str | Path, rows: Annotations) -> None:
    """Results, with the ids that `write_coco` gives."""
    data = [
        {
            "image_id": int(rows.frames[row]) + 1,
            "category_id": int(rows.labels[row]) + 1,
            "bbox": _xywh(rows, row),
            "score": float(rows.scores[row]),
        }
        for row in range(len(rows))
    ]
    Path(path).write_text(json.dumps(data), encoding="utf-8")


def _xywh(rows: Annotations, row: int) -> list[float]:
    x1, y1, x2, y2 = rows.boxes[row].tolist()
    return [x1, y1, x2 - x1, y2 - y1]


def _pictures(data: dict[str, object], path: Path) -> tuple[tuple[str, ...], dict[int, int]]:
    pictures: list[str] = []
    frame_of: dict[int, int] = {}
    for row, record in enumerate(items(field(data, "images", str(path)), "images", str(path))):
        where = f"{path}, image {row}"
        record = mapping(record, "it", where)
        frame_of[_id(record, "id", where)] = row
        pictures.append(text(record.get("file_name", str(row)), "file_name", where))
    return tuple(pictures), frame_of


def _categories(data: dict[str, object], path: Path) -> tuple[tuple[str, ...], dict[int, int]]:
    names: list[str] = []
    label_of: dict[int, int] = {}
    for row, record in enumerate(items(field(data, "categories", str(path)), "categories", str(path))):
        where = f"{path}, category {row}"
        record = mapping(record, "it", where)
        label_of[_id(record, "id", where)] = row
        names.append(text(field(record, "name", where), "the name", where))
    return tuple(names), label_of


def _id(record: dict[str, object], name: str, where: str) -> int:
    return whole(field(record, name, where), name, where, low=-1e15, high=1e15)


def _known(record: dict[str, object], name: str, rows: dict[int, int], where: str) -> int:
    number_of = _id(record, name, where)
    if number_of not in rows:
        raise TruthError(f"{where}: {name} {number_of} is not in the list of the ground truth")
    return rows[number_of]


def _box(record: dict[str, object], where: str) -> tuple[float, float, float, float]:
    left, top, wide, tall = (number(value, "bbox", where) for value in items(field(record, "bbox", where), "bbox", where, length=4))
    if wide < 0 or tall < 0 or max(abs(left + wide), abs(top + tall)) > 2 * BIGGEST:
        raise TruthError(f"{where}: width and height of bbox should not be negative, not {wide:g} and {tall:g}")
    return left, top, left + wide, top + tall
