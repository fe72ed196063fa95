"""`pahara data split`: which files teach and which examine, written down beside them; no file is moved."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pahara.core.errors import DataError
from pahara.video.address import natural_order

from .clip_folders import read_clip_folders
from .folders import SPLIT_FILE, Item, read_class_folders, read_sources
from .splits import SHARES, groups_of, joined, split
from .yolo import SPLITS, YoloSet, label_file, read_labels, read_yolo_set, write_yaml

Progress = Callable[[int, int], None]
STRETCHES = 12  # of one recording, where recordings are too few


@dataclass(frozen=True, slots=True)
class Divided:
    """What was written."""

    file: Path  # data.yaml, or split.csv
    files: Mapping[str, int]  # of each split
    groups: Mapping[str, int]  # recordings (or single files) of each split
    joined: int  # files that stay with another because they look nearly the same
    backup: Path | None  # the file as it was
    cut: int = 0  # recordings that had to be cut into stretches of time, because there were fewer of them than splits


def divide(
    path: str | Path, *, shares: Mapping[str, float] = SHARES, seed: int = 0, near: bool = True, progress: Progress | None = None
) -> Divided:
    """Split a data set anew: classes spread evenly, recordings (and, with `near`, pictures that look the same) on one side.

    A YOLO set gets train.txt, val.txt and test.txt, which its data.yaml then names (the old one is kept); class folders get
    split.csv. A YOLO set of fewer recordings than splits, such as one labelled film, is cut into stretches of time.
    DataError where that is impossible.
    """
    from .doctor import kind_of

    path = Path(path)
    kind = kind_of(path)
    if kind == "yolo":
        return _divide_yolo(read_yolo_set(path), shares, seed, near, progress)
    if kind in ("images", "clips"):
        folders = read_clip_folders(path) if kind == "clips" else read_class_folders(path)
        if set(folders.splits) != {""} and not (path / SPLIT_FILE).is_file():
            raise DataError(
                f"{path}: its folders {', '.join(folders.splits)} are the split already; put their classes together to split anew"
            )
        return _divide_folders(path, folders.items, shares, seed, near and kind == "images", progress)
    raise DataError(f"{path}: a {kind.upper()} set says itself which picture is in which split; `pahara data convert --to yolo` it first")


def _divide_yolo(data: YoloSet, shares: Mapping[str, float], seed: int, near: bool, progress: Progress | None) -> Divided:
    pictures = list(dict.fromkeys(picture for some in data.pictures.values() for picture in some))
    labels = [read_labels(label_file(picture), len(data.names))[1] for picture in pictures]
    sources = read_sources(data.root) or read_sources(data.file.parent)
    whole = groups_of(pictures, sources)
    groups, together = _groups(pictures, whole, near, progress)
    cut, wanted = 0, sum(share > 0 for share in shares.values())
    if len(set(whole)) < wanted <= len(pictures):
        cut, lengths = len(set(whole)), stretches(pictures, whole)
        groups, together = _groups(pictures, lengths, near, progress)
        if len(set(groups)) < wanted:  # the whole film looks alike
            groups, together = lengths, 0
    parts = split(_rarest(labels, len(data.names)), groups, shares=shares, seed=seed)
    home = data.file.parent
    try:
        for name in SPLITS:
            listed = home / f"{name}.txt"
            if name in parts:
                _write(listed, "".join(f"{_listed(pictures[row], home)}\n" for row in parts[name].tolist()))
        aside = home / ".pahara-backup" / datetime.now().strftime("%Y%m%d-%H%M%S")
        aside.mkdir(parents=True, exist_ok=True)
        shutil.copy2(data.file, aside / data.file.name)
        beside = home / f".{data.file.name}.part"
        write_yaml(beside, data.names, {name: f"{name}.txt" for name in SPLITS if name in parts})
        beside.replace(data.file)
    except OSError as error:
        raise DataError(f"{home}: it cannot be written ({error.strerror or error})") from None
    return _told(data.file, parts, groups, together, aside / data.file.name, cut)


def _divide_folders(
    root: Path, items: Sequence[Item], shares: Mapping[str, float], seed: int, near: bool, progress: Progress | None
) -> Divided:
    groups, together = _groups([item.path for item in items], [item.group for item in items], near, progress)
    parts = split([item.label for item in items], groups, shares=shares, seed=seed)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("path", "split", "group"))
    for name, rows in parts.items():
        table.writerows((items[row].path.relative_to(root).as_posix(), name, groups[row]) for row in rows.tolist())
    try:
        _write(root / SPLIT_FILE, text.getvalue())
    except OSError as error:
        raise DataError(f"{root / SPLIT_FILE}: it cannot be written ({error.strerror or error})") from None
    return _told(root / SPLIT_FILE, parts, groups, together, None)


def stretches(paths: Sequence[Path], groups: Sequence[str], most: int = STRETCHES) -> list[str]:
    """The groups cut into at most `most` stretches of files that follow one another, by the numbers in their names.

    Neighbours in time look alike, so a stretch stays whole; yet the same day and place is on both sides of a split of stretches.
    """
    found = list(groups)
    for group in dict.fromkeys(groups):
        rows = sorted((row for row, its in enumerate(groups) if its == group), key=lambda row: natural_order(paths[row].name))
        many = min(most, len(rows))
        for place, row in enumerate(rows):
            found[row] = f"{group} {place * many // len(rows) + 1}/{many}"
    return found


def _groups(paths: Sequence[Path], groups: list[str], near: bool, progress: Progress | None) -> tuple[list[str], int]:
    """The groups after near-copies were put together, and how many files that concerned."""
    if not near:
        return groups, 0
    from .doctor.copies import near_pairs, same_files
    from .doctor.looking import look_at

    looks = look_at(paths, progress=progress)
    pairs = [*near_pairs(looks), *((rows[0], row) for rows in same_files(looks) for row in rows[1:])]
    apart = [(a, b) for a, b in pairs if groups[a] != groups[b]]
    return joined(groups, apart), len({b for _, b in apart})


def _rarest(labels: Sequence[NDArray[np.int64]], classes: int) -> list[int]:
    """For each picture the rarest of its classes, by which it is spread; pictures without objects are a class of their own."""
    counts = Counter(label for some in labels for label in set(some.tolist()))
    return [min(set(some.tolist()), key=lambda label: (counts[label], label), default=classes) for some in labels]


def _told(
    file: Path, parts: Mapping[str, NDArray[np.intp]], groups: Sequence[str], together: int, backup: Path | None, cut: int = 0
) -> Divided:
    names = [name for name in SPLITS if name in parts]
    counted = {name: len({groups[row] for row in parts[name].tolist()}) for name in names}
    return Divided(file, {name: len(parts[name]) for name in names}, counted, together, backup, cut)


def _listed(picture: Path, home: Path) -> str:
    """As YOLO tools read a list: ./ counts from the list's folder."""
    try:
        return f"./{picture.resolve().relative_to(home.resolve()).as_posix()}"
    except ValueError:
        return picture.resolve().as_posix()


def _write(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
