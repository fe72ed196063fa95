"""YOLO detection sets: data.yaml, pictures, and a text file of boxes for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pahara.core.errors import DataError

from .pictures import PICTURES, files_in, pictures_in

SPLITS = ("train", "val", "test")
OTHER_WORDS = {"validation": "val", "valid": "val"}  # what other tools call a split
EDGE = 1.0 / 512  # share of the picture by which a box may stand over its edge: rounding of the tool that wrote it


@dataclass(frozen=True)
class YoloSet:
    """What a data.yaml says: the class names, and the pictures of each split."""

    file: Path  # the data.yaml
    root: Path  # what its paths are relative to
    names: tuple[str, ...]
    pictures: Mapping[str, tuple[Path, ...]]  # "train", "val", "test"; those that it names

    def __getitem__(self, split: str) -> tuple[Path, ...]:
        """The pictures of one split; DataError when the data set has none."""
        if split not in self.pictures:
            raise DataError(f"{self.file}: there is no {split!r} in it, only {', '.join(self.pictures)}; `pahara data split` makes splits")
        return self.pictures[split]


def read_yolo_set(path: str | Path) -> YoloSet:
    """A data.yaml, or the folder that holds it, as Ultralytics' tools write them; DataError with file and line.

    `path:` in it may be absolute, relative to the file, or relative to the working folder; without it the file's folder
    counts. A split is a folder, a list of folders, or a text file that lists pictures. `../images` of a Roboflow export is
    understood, and where `path:` leads nowhere but the splits stand beside the file, these are taken.
    """
    file = yaml_file(path)
    told = read_yaml(file)
    names = class_names(told, file)
    root = root_of(told, file)
    pictures = {split: tuple(pictures_of(places, file, root, split)) for split, places in splits_of(told, file).items()}
    if not pictures:
        raise DataError(f"{file}: it names no 'train', 'val' or 'test'; add `train: images/train`")
    return YoloSet(file, root, names, pictures)


def _class_folders(root: Path) -> list[str]:
    """The classes, where the folder (or its train/) is laid out for a classifier of pictures."""
    inside = root / "train" if (root / "train").is_dir() else root
    folders = sorted(each for each in inside.iterdir() if each.is_dir() and not each.name.startswith("."))
    found = [each.name for each in folders if each.name not in ("images", "labels", *SPLITS) and files_in(each, PICTURES)]
    return found if len(found) > 1 else []


def yaml_file(path: str | Path) -> Path:
    """The data.yaml that `path` (itself or its folder) means; DataError when there is none."""
    path = Path(path)
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"{path}: there is no such file or folder")
    found = [path / name for name in ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml") if (path / name).is_file()]
    if not found:
        found = sorted(file for ending in ("*.yaml", "*.yml") for file in path.glob(ending) if not file.name.startswith("."))
    if not found:
        if classes := _class_folders(path):
            said = (
                f"{path} holds a folder of pictures for each class ({', '.join(classes[:3])}{', …' if len(classes) > 3 else ''}), no boxes"
            )
            raise DataError(f"{said}: `pahara train image {path}` learns from it. For a detector, draw boxes: see `pahara data label`")
        raise DataError(f"{path}: there is no data.yaml in this folder; write one with `train:`, `val:` and `names:`")
    if len(found) > 1 and not found[0].name.startswith("data"):
        raise DataError(f"{path}: which of {', '.join(file.name for file in found)} is meant? Give the file itself")
    return found[0]


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a YAML file; DataError with the line."""
    try:
        told = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8-sig"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DataError(f"{file}, line {mark.line + 1 if mark else 1}: this is not YAML: {error.problem or error.context}") from None
    except (YAMLError, OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DataError(
            f"{file}: this cannot be read as YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from None
    if not isinstance(told, dict):
        raise DataError(f"{file}, line 1: this should be a list of `key: value`, with `train:`, `val:` and `names:`")
    return {str(key): value for key, value in told.items()}


def line_of(file: Path, key: str) -> int:
    """The line in which `key:` stands in a YAML file, from 1; 0 when it is not found."""
    try:
        lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return 0
    return next((n for n, line in enumerate(lines, 1) if re.match(rf"""['"]?{re.escape(key)}['"]?\s*:""", line)), 0)


def class_names(told: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    """`names:` (a list, or a mapping from 0 on); DataError when it is missing, uneven, or another count than `nc:`."""
    here = f"{file}, line {max(line_of(file, 'names'), 1)}"
    names = told.get("names")
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise DataError(f"{here}: the numbers in `names` should run from 0 to {len(names) - 1} without a gap")
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DataError(f"{here}: `names:` is missing; list the class names, e.g. `names: [person, bag]`")
    wrong = [name for name in names if isinstance(name, dict | list) or name is None or not str(name).strip()]
    if wrong:
        raise DataError(f"{here}: {wrong[0]!r} is no class name; write a word")
    words = tuple(str(name).strip() for name in names)
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise DataError(f"{here}: the class {twice!r} stands twice in `names`")
    count = told.get("nc", len(words))
    if count != len(words):
        raise DataError(
            f"{file}, line {max(line_of(file, 'nc'), 1)}: `nc` says {count!r} but `names` has {len(words)}; leave `nc` out, or correct it"
        )
    return words


def root_of(told: Mapping[str, Any], file: Path) -> Path:
    """The folder to which the paths of the splits are relative."""
    said = told.get("path")
    beside = file.parent
    if said is None or said == "":
        return beside
    if not isinstance(said, str):
        raise DataError(f"{file}, line {max(line_of(file, 'path'), 1)}: `path` should be a folder, not {said!r}")
    path = Path(said).expanduser()
    candidates = [path] if path.is_absolute() else [beside / path, path]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    return beside  # the set was moved with its data.yaml: what it names is looked for beside it


def splits_of(told: Mapping[str, Any], file: Path) -> dict[str, list[str]]:
    """{"train": [places], …} as written; DataError for what is no path."""
    splits: dict[str, list[str]] = {}
    for key, value in told.items():
        split = OTHER_WORDS.get(key, key)
        if split not in SPLITS or value is None or value == "":
            continue
        places = value if isinstance(value, list) else [value]
        if not all(isinstance(place, str) for place in places):
            raise DataError(f"{file}, line {max(line_of(file, key), 1)}: {key!r} should be a folder or a list of folders, not {value!r}")
        splits.setdefault(split, []).extend(places)
    return {split: splits[split] for split in SPLITS if split in splits}


def place_of(place: str, root: Path, file: Path) -> Path | None:
    """The file or folder that a split names; None when it is nowhere."""
    path = Path(place).expanduser()
    if path.is_absolute():
        return path if path.exists() else None
    candidates = [root / path, file.parent / path]
    if place.startswith("../"):
        candidates += [root / place[3:], file.parent / place[3:]]  # Roboflow's exports count from a folder that is not there
    return next((candidate for candidate in candidates if candidate.exists()), None)


def pictures_of(places: list[str], file: Path, root: Path, split: str) -> list[Path]:
    """The pictures of one split, in natural order; DataError when a place is missing or holds none."""
    found: list[Path] = []
    for place in places:
        here = (
            f"{file}, line {max(line_of(file, split), *(line_of(file, word) for word, means in OTHER_WORDS.items() if means == split), 1)}"
        )
        where = place_of(place, root, file)
        if where is None:
            raise DataError(f"{here}: {split!r} names {place!r}, which is not under {root}")
        if where.is_dir():
            found += pictures_in(where, deep=True)
        elif where.suffix.lower() == ".txt":
            found += listed_pictures(where, root)
        elif where.suffix.lower() in PICTURES:
            found.append(where)
        else:
            raise DataError(f"{here}: {split!r} should name a folder of pictures or a .txt that lists them, not {where.name}")
    if not found:
        raise DataError(f"{file}: {split!r} ({', '.join(places)}) holds no picture ({', '.join(PICTURES)})")
    return list(dict.fromkeys(found))


def listed_pictures(file: Path, root: Path) -> list[Path]:
    """The pictures that a text file lists, one a line; `./…` counts from the list's own folder. DataError with the line."""
    pictures = []
    for n, line in enumerate(read_lines(file), 1):
        if not (told := line.strip()):
            continue
        path = Path(told)
        candidates = [path] if path.is_absolute() else [file.parent / path, root / path, path]
        picture = next((candidate for candidate in candidates if candidate.is_file()), None)
        if picture is None:
            raise DataError(f"{file}, line {n}: there is no picture {told}")
        pictures.append(picture)
    return pictures


def label_file(picture: Path) -> Path:
    """Where a picture's boxes stand: the last folder "images" in its path read as "labels", and .txt for its ending."""
    parts = list(picture.parts[:-1])
    for at in reversed(range(len(parts))):
        if parts[at] == "images":
            return Path(*parts[:at], "labels", *parts[at + 1 :], f"{picture.stem}.txt")
    return picture.with_suffix(".txt")


def read_labels(file: Path, classes: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """-> boxes (n, 4) centre x, centre y, width, height in fractions of the picture, and classes (n,).

    A missing file is a picture without objects. Outlines (`class x1 y1 x2 y2 x3 y3 …`) become their boxes. Boxes a little
    over the edge are left as they are. DataError with file and line for all else.
    """
    boxes, labels = [], []
    if file.exists():
        for n, line in enumerate(read_lines(file), 1):
            if line.strip():
                try:
                    label, box = read_line(line, classes)
                except ValueError as problem:
                    raise DataError(f"{file}, line {n}: {problem}") from None
                labels.append(label)
                boxes.append(box)
    return np.array(boxes, np.float64).reshape(-1, 4), np.array(labels, np.int64)


def read_line(line: str, classes: int) -> tuple[int, tuple[float, float, float, float]]:
    """One line -> its class, and its box in fractions; ValueError that says what is wrong with it."""
    fields = line.split()
    values = []
    for word in fields:
        try:
            value = float(word)
        except ValueError:
            raise ValueError(f"{word[:20]!r} is no number; a line is `class x y width height`") from None
        if not np.isfinite(value):
            raise ValueError(f"{word!r} is no place in the picture")
        values.append(value)
    if len(values) == 5:
        x, y, wide, tall = values[1:]
    elif len(values) >= 7 and len(values) % 2 == 1:
        corners = np.array(values[1:]).reshape(-1, 2)
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        x, y, wide, tall = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    else:
        raise ValueError(f"{len(values)} values; a line is `class x y width height`, in fractions of the picture")
    if values[0] != int(values[0]):
        raise ValueError(f"the class should be a whole number, not {fields[0]}")
    label = int(values[0])
    if not 0 <= label < classes:
        raise ValueError(f"class {label} has no name: there are {classes} names, from 0 to {classes - 1}")
    if wide <= 0 or tall <= 0:
        raise ValueError(f"a box {wide:g} wide and {tall:g} high has no area")
    if max(abs(value) for value in values[1:]) > 2:
        raise ValueError("these look like pixels; YOLO boxes are fractions of the picture, from 0 to 1")
    over = max(wide / 2 - x, x + wide / 2 - 1, tall / 2 - y, y + tall / 2 - 1)
    if over > EDGE:
        raise ValueError(f"the box stands {over:.3f} of the picture over its edge; `pahara data check --fix` cuts it")
    return label, (x, y, wide, tall)


def read_lines(file: Path) -> list[str]:
    """A text file's lines; DataError when it cannot be read as text."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{file}: this cannot be read as text ({error})") from None
    return text.splitlines()


def to_pixels(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """(n, 4) centre x, centre y, width, height in fractions -> (n, 4) x1 y1 x2 y2 in pixels of `size`, cut to the picture."""
    wide, tall = size
    half = boxes[:, 2:] / 2
    corners = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1).clip(0, 1)
    result: NDArray[np.float64] = corners * np.array([wide, tall, wide, tall], np.float64)
    return result


def to_fractions(boxes: NDArray[np.floating[Any]], size: tuple[int, int]) -> NDArray[np.float64]:
    """(n, 4) x1 y1 x2 y2 in pixels of `size` -> (n, 4) centre x, centre y, width, height in fractions."""
    corners = np.asarray(boxes, np.float64) / np.array([*size, *size], np.float64)
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)


def write_yaml(file: Path, names: tuple[str, ...], places: Mapping[str, str]) -> None:
    """A data.yaml beside its pictures: relative places, so that the folder can be moved."""
    import io

    text = io.StringIO()
    yaml = YAML()
    yaml.allow_unicode = True
    yaml.dump({**places, "nc": len(names), "names": dict(enumerate(names))}, text)
    file.write_text(text.getvalue(), encoding="utf-8")
