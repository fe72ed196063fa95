"""What the numbers of a model's classes mean: from its metadata, from an option, or from COCO."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence

COCO_80 = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
_GAPS = (0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83)  # numbers that COCO's 91 category ids leave out

UNUSED = "-"  # the name of a column that no class owns


def _coco_91() -> tuple[str, ...]:
    left = iter(COCO_80)
    return tuple(UNUSED if number in _GAPS else next(left) for number in range(91))


COCO_91 = _coco_91()  # the DETR family numbers classes by COCO's category ids: 1 person, 2 bicycle, … 90 toothbrush


def names_from_metadata(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Class names that a model carries: Ultralytics' `names` ("{0: 'person', …}"), a JSON list or object, or a
    comma or line separated `names`, `classes`, `labels` or `class_names`; () where there are none.
    """
    for key in ("names", "class_names", "classes", "labels", "id2label"):
        if told := metadata.get(key, "").strip():
            return _parse(told)
    return ()


def _parse(told: str) -> tuple[str, ...]:
    value: object = None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(told)
            break
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    if isinstance(value, Mapping) and value:
        try:
            by_number = {int(number): str(name) for number, name in value.items()}
        except ValueError:
            return ()
        if min(by_number) < 0 or max(by_number) > 100_000:
            return ()
        return tuple(by_number.get(number, UNUSED) for number in range(max(by_number) + 1))
    if isinstance(value, list | tuple):
        return tuple(str(name) for name in value)
    separator = "\n" if "\n" in told else ","
    return tuple(name.strip() for name in told.split(separator) if name.strip())


def names_for(columns: int, metadata: Mapping[str, str], given: Sequence[str] = (), *, detr: bool = False) -> tuple[str, ...]:
    """One name for each of `columns` classes: what was given, else the metadata's, else COCO's, else "class 0", …"""
    for told in (tuple(given), names_from_metadata(metadata)):
        if told:
            return (*told[:columns], *(f"class {number}" for number in range(len(told), columns)))
    if columns == len(COCO_80):
        return COCO_80
    if detr and columns in (91, 92):
        return (*COCO_91, UNUSED)[:columns]
    return tuple(f"class {number}" for number in range(columns))
