"""The doctor of data sets: looks at every file, says what is wrong, where, and what to do; and mends what is safe to mend."""

from __future__ import annotations

from pathlib import Path

from pahara.core.errors import DataError, PaharaError

from ..pictures import VIDEOS, files_in
from .findings import CODES, Finding, Level, Report, sorted_findings
from .looking import Progress
from .mend import Mended, mend

__all__ = ["CODES", "Finding", "Level", "Mended", "Report", "check", "kind_of", "mend"]

LOOKED = 400  # files of a folder, at most, to tell pictures from clips


def check(path: str | Path, *, progress: Progress | None = None) -> Report:
    """Examine a data set of any kind. DataError only when there is nothing at `path`; all else is a finding."""
    from .folder_check import check_clips, check_images
    from .yolo_check import check_yolo

    path = Path(path)
    kind = kind_of(path)
    if kind == "yolo":
        return check_yolo(path, progress=progress)
    if kind in ("coco", "voc"):
        return _check_by_reading(path, kind)
    return (check_clips if kind == "clips" else check_images)(path, progress=progress)


def kind_of(path: str | Path) -> str:
    """ "yolo", "coco", "voc", "clips" or "images" (class folders), by what lies there; DataError when nothing does."""
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder; give a data set's folder, or its data.yaml")
    if path.is_file():
        ending = path.suffix.lower()
        if ending in (".yaml", ".yml"):
            return "yolo"
        if ending == ".json":
            return "coco"
        raise DataError(f"{path}: give the data set's folder, its data.yaml, or a COCO .json; a {ending or 'file'} is none of these")
    below = {sub.name.lower() for sub in _folders(path)}
    if any(path.glob("*.yaml")) or any(path.glob("*.yml")) or {"images", "labels"} <= below:
        return "yolo"
    if "annotations" in below or "jpegimages" in below:
        annotations = [sub for sub in _folders(path) if sub.name.lower() == "annotations"]
        return "coco" if annotations and any(annotations[0].glob("*.json")) else "voc"
    if any(path.glob("*.coco.json")) or any(path.glob("*/*.coco.json")) or any(path.glob("instances_*.json")):
        return "coco"
    folders = [path, *_folders(path), *(sub for folder in _folders(path) for sub in _folders(folder))]
    clips = (path / "clips.csv").is_file() or any(files_in(folder, VIDEOS) for folder in folders[:LOOKED])
    return "clips" if clips else "images"


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(sub for sub in path.iterdir() if sub.is_dir() and not sub.name.startswith("."))
    except OSError as error:
        raise DataError(f"{path}: the folder cannot be read ({error.strerror or error})") from None


def _check_by_reading(path: Path, kind: str) -> Report:
    """COCO and VOC: what their reader says, picture by picture; a deeper look needs `pahara data convert --to yolo`."""
    from collections import Counter

    from ..convert import read_boxes
    from .balance import class_findings
    from .copies import find_copies
    from .looking import look_at
    from .picture_findings import picture_findings

    try:
        sets = read_boxes(path)
    except PaharaError as problem:
        return Report(path, kind, (), {}, {}, (Finding("unreadable", path, 0, {"problem": str(problem)}),))
    names = next(iter(sets.values())).names
    boxes_of = {split: Counter(one.rows.labels.tolist()) for split, one in sets.items()}
    looks = look_at([file for one in sets.values() for file in one.files])
    splits = [split for split, one in sets.items() for _ in one.files]
    findings = picture_findings(looks, path) + find_copies(looks, splits, None) + class_findings(names, boxes_of, path)
    total = {name: sum(count[label] for count in boxes_of.values()) for label, name in enumerate(names)}
    return Report(path, kind, names, {split: len(one.files) for split, one in sets.items()}, total, sorted_findings(findings))
