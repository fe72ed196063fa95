"""Detection sets from one format to another and back, without a trace: YOLO, COCO, Pascal VOC."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pahara.core.errors import DataError
from pahara.evaluation.formats.coco import read_coco
from pahara.evaluation.formats.problems import TruthError, field, items, mapping, read_json

from .boxset import BoxSet, Size, read_yolo_boxes
from .decimals import short, told
from .pictures import image_size
from .voc import read_voc, write_voc
from .yolo import OTHER_WORDS, SPLITS, read_yolo_set, to_fractions, write_yaml

Format = Literal["yolo", "coco", "voc"]
Progress = Callable[[int, int], None]
NAMES_FILE = "classes.txt"  # the order of the classes, which VOC has no place for


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written."""

    folder: Path
    pictures: Mapping[str, int]  # of each split
    boxes: int
    left_out: int  # crowds and difficult objects, for which the new format has no word


def read_boxes(path: str | Path, *, one_based: bool = False, pictures: Path | None = None) -> dict[str, BoxSet]:
    """{"train": …} of a detection set in any of the three formats. DataError with file and line.

    one_based: of VOC, see `read_voc`. pictures: the folder of a COCO file's pictures, where it is not found by itself.
    """
    from .doctor import kind_of

    path = Path(path)
    kind = kind_of(path)
    try:
        if kind == "coco":
            return _read_coco(path, pictures)
        if kind == "voc":
            listed = path / NAMES_FILE
            names = [line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()] if listed.is_file() else ()
            return read_voc(path, names=names, one_based=one_based)
        if kind == "yolo":
            data = read_yolo_set(path)
            return {split: read_yolo_boxes(data, split) for split in data.pictures}
    except TruthError as problem:
        raise DataError(str(problem)) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"{path}: this cannot be read ({problem})") from None
    raise DataError(f"{path}: these are {kind}, which hold no boxes; only YOLO, COCO and VOC sets can be converted")


def convert(
    source: str | Path,
    out: str | Path,
    to: Format,
    *,
    one_based: bool = False,
    pictures: Path | None = None,
    progress: Progress | None = None,
) -> Converted:
    """Write the set at `source` in another format into the new folder `out`, with its pictures (hard links where possible).

    Boxes come back exactly: YOLO -> COCO or VOC -> YOLO gives the same numbers, and the other way round. VOC writes fractions of a
    pixel where there are any. YOLO has no word for crowds and difficult objects: they are left out, and counted.
    """
    sets = read_boxes(source, one_based=one_based, pictures=pictures)
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: this is not an empty folder; give a new one")
    named = {split or "train": one for split, one in sets.items()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        left = {"yolo": _write_yolo, "coco": _write_coco, "voc": _write_voc}[to](out, named, one_based, progress or _silent)
    except OSError as error:
        raise DataError(f"{out}: it cannot be written ({error.strerror or error})") from None
    counts = {split: len(one.files) for split, one in named.items()}
    return Converted(out, counts, sum(len(one.rows) for one in named.values()) - left, left)


def _write_yolo(out: Path, sets: Mapping[str, BoxSet], _one_based: bool, progress: Progress) -> int:
    left = 0
    for split, one in sets.items():
        names = unique_names(one.files)
        labels = out / "labels" / split
        labels.mkdir(parents=True)
        for picture, rows in enumerate(one.by_picture):
            rows = rows[~one.rows.ignore[rows]]
            boxes = to_fractions(one.rows.boxes[rows], one.sizes[picture])
            lines = [
                " ".join([str(label), *map(told, box)]) for label, box in zip(one.rows.labels[rows].tolist(), boxes.tolist(), strict=True)
            ]
            (labels / Path(names[picture]).with_suffix(".txt").name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            link(one.files[picture], out / "images" / split / names[picture])
            progress(picture + 1, len(one.files))
        left += int(one.rows.ignore.sum())
    write_yaml(out / "data.yaml", next(iter(sets.values())).names, {split: f"images/{split}" for split in sets})
    return left


def _write_coco(out: Path, sets: Mapping[str, BoxSet], _one_based: bool, progress: Progress) -> int:
    (out / "annotations").mkdir()
    for split, one in sets.items():
        names = unique_names(one.files)
        corners = one.rows.boxes
        data: dict[str, Any] = {
            "images": [
                {"id": n + 1, "file_name": name, "width": size[0], "height": size[1]}
                for n, (name, size) in enumerate(zip(names, one.sizes, strict=True))
            ],
            "categories": [{"id": label + 1, "name": name} for label, name in enumerate(one.names)],
            "annotations": [
                {
                    "id": row + 1, "image_id": int(one.rows.frames[row]) + 1, "category_id": int(one.rows.labels[row]) + 1,
                    "bbox": box, "area": short(box[2] * box[3], 1e-8), "iscrowd": int(one.rows.ignore[row]),
                }
                for row in range(len(one.rows))
                for x1, y1, x2, y2 in [corners[row].tolist()]
                for box in [[short(value, 1e-9) for value in (x1, y1, x2 - x1, y2 - y1)]]
            ],
        }  # fmt: skip
        (out / "annotations" / f"instances_{split}.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        for n, name in enumerate(names):
            link(one.files[n], out / "images" / split / name)
            progress(n + 1, len(names))
    return 0


def _write_voc(out: Path, sets: Mapping[str, BoxSet], one_based: bool, progress: Progress) -> int:
    for folder in ("Annotations", "ImageSets/Main"):
        (out / folder).mkdir(parents=True)
    names = unique_names([file for one in sets.values() for file in one.files])  # one folder holds all splits
    first = 0
    for split, one in sets.items():
        stems = []
        for picture, rows in enumerate(one.by_picture):
            name = names[first + picture]
            objects = [(one.names[one.rows.labels[row]], one.rows.boxes[row].tolist(), bool(one.rows.ignore[row])) for row in rows]
            write_voc(out / "Annotations" / f"{Path(name).stem}.xml", name, one.sizes[picture], objects, one_based=one_based)
            link(one.files[picture], out / "JPEGImages" / name)
            stems.append(Path(name).stem)
            progress(picture + 1, len(one.files))
        (out / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(stem + "\n" for stem in stems), encoding="utf-8")
        first += len(one.files)
    (out / NAMES_FILE).write_text("".join(name + "\n" for name in next(iter(sets.values())).names), encoding="utf-8")
    return 0


def _silent(_done: int, _total: int) -> None:
    pass


def unique_names(files: Sequence[Path]) -> list[str]:
    """The files' names, told apart by their folder where two have the same (or would have the same label file)."""
    taken: set[str] = set()
    names = []
    for file in files:
        name, n = file.name, 1
        while Path(name).stem.casefold() in taken:
            name = f"{file.parent.name}-{file.name}" if n == 1 else f"{file.parent.name}-{n}-{file.name}"
            n += 1
        taken.add(Path(name).stem.casefold())
        names.append(name)
    return names


def link(file: Path, to: Path) -> None:
    """The same file under another name, without copying where the disk allows it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        os.link(file, to)
        return
    shutil.copy2(file, to)


def _read_coco(path: Path, pictures: Path | None) -> dict[str, BoxSet]:
    if path.is_file():
        return {_split_of(path) or "": _coco_file(path, pictures)}
    files = sorted({*path.glob("annotations/*.json"), *path.glob("*.json"), *path.glob("*/_annotations.coco.json")})
    found = {}
    for file in files:
        split = _split_of(file)
        if split and split not in found and not file.name.startswith(("captions", "person_keypoints", "panoptic", "stuff")):
            found[split] = _coco_file(file, pictures)
    if not found and len(files) == 1:
        return {"": _coco_file(files[0], pictures)}
    if not found:
        raise DataError(f"{path}: no COCO file of a split is here, such as annotations/instances_train.json; give the .json itself")
    if len({one.names for one in found.values()}) > 1:
        raise DataError(f"{path}: the COCO files have different categories; convert each by itself")
    return {split: found[split] for split in SPLITS if split in found}


def _split_of(file: Path) -> str:
    words = [*file.stem.lower().replace("-", "_").split("_"), file.parent.name.lower()]
    for word in words:
        word = OTHER_WORDS.get(word.rstrip("0123456789"), word.rstrip("0123456789"))
        if word in SPLITS:
            return word
    return ""


def _coco_file(file: Path, pictures: Path | None) -> BoxSet:
    rows = read_coco(file)
    split = _split_of(file)
    above = file.parent.parent
    folders = [pictures] if pictures else [
        file.parent, above / "images" / split, above / "images", above / split, *above.glob(f"{split}20[0-9][0-9]"), file.parent / "images",
        *(above / "images").glob(f"{split}20[0-9][0-9]"),
    ]  # fmt: skip
    files: list[Path] = []
    sizes: list[Size] = []
    for n, record in enumerate(items(field(mapping(read_json(file), "the file", str(file)), "images", str(file)), "images", str(file))):
        name = rows.pictures[n]
        found = next((folder / name for folder in folders if folder is not None and (folder / name).is_file()), None)
        if found is None:
            raise DataError(
                f"{file}, image {n}: {name} is in none of {', '.join(sorted({str(folder) for folder in folders}))}; say --pictures FOLDER"
            )
        files.append(found)
        wide, tall = record.get("width"), record.get("height")
        real = image_size(found)
        if (wide, tall) not in ((None, None), real) and (tall, wide) != real:
            raise DataError(f"{file}, image {n}: {name} is {real[0]} × {real[1]} pixels, not {wide} × {tall}; was the picture resized?")
        sizes.append(real)
    empty = np.flatnonzero((rows.boxes[:, 2:] <= rows.boxes[:, :2]).any(axis=1))
    if len(empty):
        raise DataError(f"{file}, annotation {int(empty[0])}: its box has no area")
    return BoxSet(rows, tuple(files), tuple(sizes))
