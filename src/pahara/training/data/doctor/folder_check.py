"""Class folders examined: pictures or clips, one folder a class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from pahara.core.errors import DataError, PaharaError

from ..folders import ClassFolders, Item, read_class_folders, read_sources, split_folders
from ..pictures import PICTURES, VIDEOS, files_in
from .balance import class_findings
from .copies import find_copies, find_shared_sources
from .findings import Finding, Report, sorted_findings
from .looking import Look, Progress, look_at
from .picture_findings import picture_findings

SHORT = 0.5  # seconds: a shorter clip shows no action


def check_images(root: Path, *, progress: Progress | None = None) -> Report:
    """Class folders of pictures."""
    folders, findings = _read(root, PICTURES)
    if folders is None:
        return Report(root, "images", (), {}, {}, sorted_findings(findings))
    items, splits = _items(folders)
    looks = look_at([item.path for item in items], progress=progress)
    findings += picture_findings(looks, root)
    findings += find_copies(looks, splits, [item.label for item in items])
    findings += find_shared_sources(looks, splits, _sources(root))
    return _report(root, "images", folders, findings, PICTURES)


def check_clips(root: Path, *, progress: Progress | None = None) -> Report:
    """Class folders of clips: each is opened, and its first picture decoded."""
    from ..clip_folders import clip_length, read_clip_folders

    findings: list[Finding] = []
    try:
        folders: ClassFolders = read_clip_folders(root)
    except DataError as problem:
        return Report(root, "clips", (), {}, {}, (Finding("unreadable", root, 0, {"problem": str(problem)}),))
    items, splits = _items(folders)
    looks = []
    for done, item in enumerate(items, 1):
        looks.append(Look(item.path, digest=_digest(item.path)))
        try:
            seconds = clip_length(item.path)
        except PaharaError as problem:
            findings.append(Finding("clip-damaged", item.path, 0, {"problem": str(problem)}))
        else:
            if seconds < SHORT:
                findings.append(Finding("clip-short", item.path, 0, {"seconds": f"{seconds:.2f}"}))
        if progress is not None:
            progress(done, len(items))
    findings += find_copies(looks, splits, [item.label for item in items], near=False)
    findings += find_shared_sources(looks, splits, {item.path.name: item.group for item in items if item.group != item.path.name})
    return _report(root, "clips", folders, findings, VIDEOS)


def _read(root: Path, endings: Sequence[str]) -> tuple[ClassFolders | None, list[Finding]]:
    try:
        return read_class_folders(root, endings), []
    except DataError as problem:
        loose = root.is_dir() and not [sub for sub in root.iterdir() if sub.is_dir() and not sub.name.startswith(".")]
        if loose or "no class folder" in str(problem):
            return None, [Finding("folder-none", root)]
        return None, [Finding("unreadable", root, 0, {"problem": str(problem)})]


def _items(folders: ClassFolders) -> tuple[list[Item], list[str]]:
    rows = [(item, split) for split, items in folders.splits.items() for item in items]
    return [item for item, _ in rows], [split for _, split in rows]


def _report(root: Path, kind: str, folders: ClassFolders, findings: list[Finding], endings: Sequence[str]) -> Report:
    counts = {split: Counter(item.label for item in items) for split, items in folders.splits.items()}
    findings += class_findings(folders.names, counts, root)
    findings += _layout(root, folders, endings)
    total = {name: sum(count[label] for count in counts.values()) for label, name in enumerate(folders.names)}
    return Report(
        root, kind, folders.names, {split: len(items) for split, items in folders.splits.items()}, total, sorted_findings(findings)
    )


def _layout(root: Path, folders: ClassFolders, endings: Sequence[str]) -> list[Finding]:
    findings = []
    if len(folders.names) == 1:
        findings.append(Finding("folder-one", root, 0, {"name": folders.names[0]}))
    twins: defaultdict[str, list[str]] = defaultdict(list)
    for name in folders.names:
        twins[name.casefold().strip("s ")].append(name)
    findings += [Finding("folder-twins", root, 0, {"names": ", ".join(names)}) for names in twins.values() if len(names) > 1]
    parts = split_folders(root) or {"": root}
    for part, folder in parts.items():
        loose = files_in(folder, endings)
        if loose:
            findings.append(Finding("folder-loose", folder, 0, {"count": len(loose), "first": loose[0].name}))
        present = {sub.name for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith(".")}
        findings += [Finding("folder-empty", folder / name) for name in sorted(present) if not files_in(folder / name, endings, deep=True)]
        lacking = sorted(set(folders.names) - present)
        if part and lacking:
            findings.append(Finding("folder-differs", folder, 0, {"split": part, "names": ", ".join(lacking)}))
        for name in sorted(present):
            for file in sorted((folder / name).rglob("*")):
                if file.is_file() and not file.name.startswith(".") and file.suffix.lower() not in endings:
                    findings.append(Finding("file-odd", file, 0, {"ending": file.suffix or file.name}))
    return findings


def _sources(root: Path) -> dict[str, str]:
    try:
        return read_sources(root)
    except DataError:
        return {}  # told when the folders were read


def _digest(file: Path) -> bytes:
    import hashlib

    try:
        with file.open("rb") as data:
            return hashlib.file_digest(data, lambda: hashlib.blake2b(digest_size=16)).digest()
    except OSError:
        return b""
