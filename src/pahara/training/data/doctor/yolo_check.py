"""A YOLO set examined: its data.yaml, its folders, every picture and every line of every label file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pahara.core.errors import DataError

from ..folders import read_sources
from ..pictures import PICTURES, pictures_in
from ..yolo import OTHER_WORDS, SPLITS, label_file, line_of, place_of, read_yaml, root_of, splits_of, yaml_file
from .balance import class_findings
from .copies import find_copies, find_shared_sources
from .findings import Finding, Report, sorted_findings
from .labels import Labels
from .looking import Look, Progress, look_at
from .picture_findings import picture_findings

LABEL_LIKE = (".txt", ".TXT", ".Txt")


@dataclass
class _Told:
    """What the data.yaml says, as far as it can be understood."""

    root: Path
    names: tuple[str, ...] = ()
    splits: dict[str, list[Path]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    file: Path | None = None


def check_yolo(path: Path, *, progress: Progress | None = None) -> Report:
    """A data.yaml, or the folder that holds one (or that should, beside images/ and labels/)."""
    told = _description(path)
    findings = told.findings
    pictures = [picture for some in told.splits.values() for picture in some]
    split_of = [split for split, some in told.splits.items() for _ in some]
    looks = look_at(pictures, progress=progress)
    findings += picture_findings(looks, told.root)
    boxes_in = _labels(told, looks, split_of, findings)
    findings += _orphans(pictures)
    findings += find_copies(looks, split_of, None)
    findings += find_shared_sources(looks, split_of, _sources(told))
    findings += class_findings(told.names, boxes_in, told.file or told.root)
    counts = {split: len(some) for split, some in told.splits.items()}
    total = {name: sum(count[label] for count in boxes_in.values()) for label, name in enumerate(told.names)}
    return Report(path, "yolo", told.names, counts, total, sorted_findings(findings))


def _description(path: Path) -> _Told:
    folder = path if path.is_dir() else path.parent
    told = _Told(folder)
    try:
        file = yaml_file(path)
    except DataError as problem:
        several = "which of" in str(problem)
        told.findings.append(Finding("unreadable", path, 0, {"problem": str(problem)}) if several else Finding("yaml-missing", folder))
        told.splits = _by_layout(folder)
        told.findings += _wrong_case(folder)
        return told
    told.file = file
    try:
        said = read_yaml(file)
    except DataError as problem:
        text = str(problem)
        line = int(text.split(", line ")[1].split(":")[0]) if ", line " in text else 0
        told.findings.append(Finding("yaml-damaged", file, line, {"problem": text.split(": ", 1)[-1]}))
        told.splits = _by_layout(folder)
        return told
    told.names, problems = _names(said, file)
    told.findings += problems
    try:
        told.root = root_of(said, file)
    except DataError:
        told.findings.append(Finding("path-missing", file, line_of(file, "path"), {"place": str(said.get("path"))}))
    else:
        if isinstance(said.get("path"), str) and said["path"] and told.root == file.parent and not _same(said["path"], file.parent):
            told.findings.append(Finding("path-missing", file, line_of(file, "path"), {"place": said["path"]}))
    told.findings += _wrong_case(told.root)
    _read_splits(said, file, told)
    return told


def _same(place: str, folder: Path) -> bool:
    path = Path(place).expanduser()
    candidates = [path] if path.is_absolute() else [folder / path, path]
    return any(candidate.is_dir() and candidate.resolve() == folder.resolve() for candidate in candidates)


def _names(said: Mapping[str, Any], file: Path) -> tuple[tuple[str, ...], list[Finding]]:
    names, line = said.get("names"), line_of(file, "names")
    if isinstance(names, dict):
        if set(names) != set(range(len(names))):
            numbers = [key for key in names if isinstance(key, int) and 0 <= key < 100_000]
            filled = tuple(str(names.get(i) or i) for i in range(max(numbers, default=-1) + 1))
            return filled, [Finding("names-gap", file, line, {"count": len(names), "last": len(names) - 1})]
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list) or not names:
        return (), [Finding("names-missing", file, line)]
    findings = []
    words = tuple(str(name).strip() if not isinstance(name, dict | list) else "" for name in names)
    findings += [
        Finding("names-bad", file, line, {"name": repr(name), "label": label})
        for label, name in enumerate(names)
        if isinstance(name, dict | list) or name is None or not str(name).strip()
    ]
    findings += [Finding("names-twice", file, line, {"name": word}) for word, count in Counter(words).items() if word and count > 1]
    if said.get("nc", len(words)) != len(words):
        findings.append(Finding("count-differs", file, line_of(file, "nc"), {"count": str(said["nc"]), "names": len(words)}))
    return words, findings


def _read_splits(said: Mapping[str, Any], file: Path, told: _Told) -> None:
    try:
        places = splits_of(said, file)
    except DataError as problem:
        told.findings.append(Finding("unreadable", file, 0, {"problem": str(problem)}))
        return
    for split, names in places.items():
        line = line_of(file, split) or next((line_of(file, word) for word, means in OTHER_WORDS.items() if means == split), 0)
        pictures: list[Path] = []
        for name in names:
            where = place_of(name, told.root, file)
            if where is None:
                told.findings.append(Finding("split-missing", file, line, {"split": split, "place": name}))
            elif where.is_dir():
                pictures += _quietly(where)
            elif where.suffix.lower() == ".txt":
                pictures += _listed(where, told)
            elif where.suffix.lower() in PICTURES:
                pictures.append(where)
            else:
                told.findings.append(Finding("split-missing", file, line, {"split": split, "place": name}))
        if pictures:
            told.splits[split] = list(dict.fromkeys(pictures))
        elif not any(finding.values.get("split") == split for finding in told.findings):
            told.findings.append(Finding("split-empty", file, line, {"split": split}))
    if "train" not in places:
        told.findings.append(Finding("no-train", file))
    if "val" not in places:
        told.findings.append(Finding("no-val", file))


def _listed(file: Path, told: _Told) -> list[Path]:
    """The pictures of a list that are there; a finding for each that is not."""
    found = []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        told.findings.append(Finding("unreadable", file, 0, {"problem": str(problem)}))
        return []
    for n, line in enumerate(lines, 1):
        if name := line.strip():
            path = Path(name)
            candidates = [path] if path.is_absolute() else [file.parent / path, told.root / path, path]
            picture = next((candidate for candidate in candidates if candidate.is_file()), None)
            if picture is None:
                told.findings.append(Finding("list-missing", file, n, {"picture": name[:200]}))
            else:
                found.append(picture)
    return found


def _quietly(folder: Path) -> list[Path]:
    try:
        return pictures_in(folder, deep=True)
    except DataError:
        return []


def _by_layout(folder: Path) -> dict[str, list[Path]]:
    """The pictures of a set whose data.yaml says nothing, by its folders."""
    found = {split: _quietly(folder / "images" / split) for split in SPLITS if (folder / "images" / split).is_dir()}
    if not any(found.values()) and (folder / "images").is_dir():
        found = {"train": _quietly(folder / "images")}
    return {split: some for split, some in found.items() if some}


def _wrong_case(root: Path) -> list[Finding]:
    """Folders called Images or LABELS, which only some systems take for images and labels."""
    if not root.is_dir():
        return []
    return [
        Finding("folder-case", folder, 0, {"found": folder.name, "wanted": folder.name.lower()})
        for depth in ("*", "*/*")
        for folder in sorted(root.glob(depth))
        if folder.is_dir() and folder.name.lower() in ("images", "labels") and folder.name != folder.name.lower()
    ]


def _labels(told: _Told, looks: list[Look], split_of: list[str], findings: list[Finding]) -> dict[str, Counter[int]]:
    """Adds to `findings` what is wrong with label files; -> for each split, how many boxes each class has."""
    boxes_of: dict[str, Counter[int]] = {split: Counter() for split in told.splits}
    missing: defaultdict[str, list[Finding]] = defaultdict(list)
    outlines = 0
    for look, split in zip(looks, split_of, strict=True):
        file = label_file(look.path)
        if not file.is_file():
            twin = next((file.with_suffix(ending) for ending in LABEL_LIKE if file.with_suffix(ending).is_file()), None)
            if twin is not None:
                findings.append(Finding("label-ending", twin, 0, {"found": twin.suffix, "wanted": ".txt"}))
            else:
                missing[split].append(Finding("label-missing", look.path, 0, {"label": str(file)}))
            continue
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError, ValueError):
            findings.append(Finding("label-text", file))
            continue
        labels = Labels(file, text, len(told.names), look.size)
        findings += labels.findings
        outlines += labels.outlines
        if not labels.lines:
            findings.append(Finding("label-empty", file))
        boxes_of[split].update(labels.labels.tolist())
    for split, some in missing.items():
        if len(some) == split_of.count(split):  # not one label in the split: the folders are laid out in another way
            findings.append(Finding("labels-nowhere", some[0].path.parent, 0, {"split": split, "label": some[0].values["label"]}))
        else:
            findings += some
    if outlines:
        findings.append(Finding("lines-outlines", told.file or told.root, 0, {"count": outlines}))
    return boxes_of


def _orphans(pictures: list[Path]) -> list[Finding]:
    """Label files without a picture, and files beside the pictures that nothing reads."""
    wanted = {label_file(picture) for picture in pictures}
    folders = {file.parent for file in wanted}
    findings = []
    for folder in sorted(folder for folder in folders if folder.is_dir()):
        for file in sorted(folder.iterdir()):
            if (
                file.suffix == ".txt"
                and file not in wanted
                and file.name not in ("classes.txt", "train.txt", "val.txt", "test.txt", "README.txt")
            ):
                findings.append(Finding("label-orphan", file))  # noqa: PERF401  two conditions read better as a loop
    for folder in sorted({picture.parent for picture in pictures}):
        for file in sorted(folder.iterdir()):
            known = (*PICTURES, ".txt", ".yaml", ".yml", ".csv", ".json", ".cache", ".md")
            if file.is_file() and not file.name.startswith(".") and file.suffix.lower() not in known:
                findings.append(Finding("file-odd", file, 0, {"ending": file.suffix or file.name}))
    return findings


def _sources(told: _Told) -> dict[str, str]:
    try:
        return read_sources(told.root) or read_sources((told.file or told.root).parent)
    except DataError as problem:
        told.findings.append(Finding("unreadable", told.root, 0, {"problem": str(problem)}))
        return {}
