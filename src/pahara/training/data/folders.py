"""Class folders: a folder for each class, of pictures or of clips, with or without folders for the splits above them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pahara.core.errors import DataError

from .pictures import PICTURES, VIDEOS, files_in
from .splits import SHARES, groups_of, split
from .yolo import OTHER_WORDS, SPLITS

SPLIT_FILE = "split.csv"  # path,split,group: which file belongs to which split
SOURCES_FILE = "sources.csv"  # path,source: which recording a file comes from


@dataclass(frozen=True)
class Item:
    """One picture or clip."""

    path: Path
    label: int  # index into the names
    group: str  # what must stay on one side of a split: its recording, or itself


@dataclass(frozen=True)
class ClassFolders:
    """What lies in class folders."""

    root: Path
    names: tuple[str, ...]  # class names, in natural order of the folders
    splits: Mapping[str, tuple[Item, ...]]  # as laid out: "train", …; {"": items} where the folders make no split

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for items in self.splits.values() for item in items)

    @property
    def mark(self) -> str:
        """Tells this set of files from another: 16 hex digits of their names. The same set elsewhere has the same mark."""
        names = "\n".join(sorted(_relative(item.path, self.root) for item in self.items))
        return hashlib.sha256(names.encode()).hexdigest()[:16]

    def as_trained(self, about: Mapping[str, Any]) -> dict[str, tuple[Item, ...]] | None:
        """The division that a training made of this very folder (its `about["divided"]`); None where it learned from other files."""
        told = about.get("divided")
        if not told or "" not in self.splits or told["files"] != self.mark:
            return None
        return self.divided(shares={"train": 1 - told["val"], "val": told["val"]}, seed=told["seed"])

    def divided(self, *, shares: Mapping[str, float] = SHARES, seed: int = 0) -> dict[str, tuple[Item, ...]]:
        """The splits as laid out or as `split.csv` says; else made from the seed, stratified and by source.

        A set that has no "val" of its own gets one out of "train".
        """
        if "" in self.splits:
            items = self.splits[""]
            parts = split([item.label for item in items], [item.group for item in items], shares=shares, seed=seed)
            return {name: tuple(items[row] for row in rows) for name, rows in parts.items()}
        found = dict(self.splits)
        if "val" not in found and "train" in found:
            items = found["train"]
            hold = shares.get("val", 0.15) or 0.15
            parts = split(
                [item.label for item in items], [item.group for item in items], shares={"train": 1 - hold, "val": hold}, seed=seed
            )
            found |= {name: tuple(items[row] for row in rows) for name, rows in parts.items()}
        return {name: found[name] for name in SPLITS if name in found}


def read_class_folders(root: str | Path, endings: Sequence[str] = PICTURES) -> ClassFolders:
    """`root/cat/1.jpg …`, or `root/train/cat/1.jpg …`; DataError when the folders are laid out in another way.

    A file `split.csv` beside the class folders (path, split, group) says which file belongs where; `sources.csv`
    (path, source) says which recording each comes from.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder")
    kind = "clips" if tuple(endings) == VIDEOS else "pictures"
    parts = split_folders(root)
    if parts:
        per_split = {name: _classes(folder, endings) for name, folder in parts.items()}
        names = tuple(sorted({name for classes in per_split.values() for name in classes}, key=_natural))
        if not names:
            raise DataError(f"{root}: in {', '.join(parts)} there are no class folders with {kind}; put them into train/<class>/")
        splits = {
            part: tuple(Item(file, names.index(name), _relative(file, root)) for name in classes for file in classes[name])
            for part, classes in per_split.items()
        }
        empty = next((part for part, items in splits.items() if not items), None)
        if empty:
            raise DataError(f"{parts[empty]}: there are no {kind} in its class folders")
        return ClassFolders(root, names, _with_sources(splits, root))
    classes = _classes(root, endings)
    if not classes:
        loose = files_in(root, endings)
        told = f"its {len(loose)} {kind} lie in no class folder" if loose else f"there are no class folders with {kind} in it"
        raise DataError(f"{root}: {told}; make a folder for each class and put the {kind} into it")
    names = tuple(sorted(classes, key=_natural))
    items = tuple(Item(file, names.index(name), _relative(file, root)) for name in names for file in classes[name])
    splits = _with_sources({"": items}, root)
    if (root / SPLIT_FILE).is_file():
        splits = as_listed(splits[""], root)
    return ClassFolders(root, names, splits)


def split_folders(root: Path) -> dict[str, Path]:
    """{"train": folder, …} where the folders below `root` are splits and not classes."""
    found = {OTHER_WORDS.get(folder.name.lower(), folder.name.lower()): folder for folder in _folders(root)}
    return {name: found[name] for name in SPLITS if name in found} if "train" in found else {}


def read_sources(root: Path) -> dict[str, str]:
    """{file name: recording} of `sources.csv`; {} without one."""
    return {Path(row["path"]).name: row["source"] for _, row in read_table(root / SOURCES_FILE, ("path", "source"))}


def read_table(file: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers; [] when there is no such file; DataError when a column is missing."""
    if not file.is_file():
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{file}, line 1: the column {missing[0]!r} is missing; it needs {', '.join(columns)}")
            rows = []
            for row in reader:
                if any(row.get(column) is None for column in columns):
                    raise DataError(f"{file}, line {reader.line_num}: this row has too few values; it needs {', '.join(columns)}")
                rows.append(
                    (
                        reader.line_num,
                        {
                            column: (row.get(column) or "").strip()
                            for column in (*columns, "group", "label", "source", "split")
                            if column in row
                        },
                    )
                )
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: this cannot be read as CSV ({error})") from None


def as_listed(items: tuple[Item, ...], root: Path) -> dict[str, tuple[Item, ...]]:
    """The items by the splits that `split.csv` gives them; what it does not name is in none. DataError with the line."""
    by_path = {_relative(item.path, root): item for item in items}
    found: dict[str, list[Item]] = {}
    for line, row in read_table(root / SPLIT_FILE, ("path", "split")):
        name = OTHER_WORDS.get(row["split"], row["split"])
        if name not in SPLITS:
            raise DataError(f"{root / SPLIT_FILE}, line {line}: {row['split']!r} is no split; there are {', '.join(SPLITS)}")
        if row["path"] not in by_path:
            raise DataError(f"{root / SPLIT_FILE}, line {line}: there is no file {row['path']}; `pahara data split` writes the list anew")
        item = by_path[row["path"]]
        found.setdefault(name, []).append(Item(item.path, item.label, row.get("group") or item.group))
    return {name: tuple(found[name]) for name in SPLITS if name in found}


def _with_sources(splits: dict[str, tuple[Item, ...]], root: Path) -> dict[str, tuple[Item, ...]]:
    sources = read_sources(root)
    every = [item for items in splits.values() for item in items]
    groups = dict(zip((item.path for item in every), groups_of([item.path for item in every], sources), strict=True))
    return {name: tuple(Item(item.path, item.label, groups[item.path]) for item in items) for name, items in splits.items()}


def _classes(folder: Path, endings: Sequence[str]) -> dict[str, list[Path]]:
    """{class: its files} of the folders in `folder` that hold any."""
    found = {sub.name: files_in(sub, endings, deep=True) for sub in _folders(folder)}
    return {name: files for name, files in found.items() if files}


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            (sub for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith(".")), key=lambda sub: _natural(sub.name)
        )
    except OSError as error:
        raise DataError(f"{folder}: the folder cannot be read ({error.strerror or error})") from None


def _natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    from pahara.video.address import natural_order

    return natural_order(name), name


def _relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()
