"""What is safe to mend in label files, with a copy of each file put aside first."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pahara.core.errors import DataError

from .findings import Finding, Report
from .labels import mended

BACKUP = ".pahara-backup"


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done to one label file."""

    path: Path
    dropped: int  # repeated lines
    cut: int  # boxes that stood slightly over the edge
    backup: Path  # the file as it was


def mend(report: Report, *, now: datetime | None = None) -> list[Mended]:
    """Cut boxes that stand slightly over the picture's edge, and drop repeated lines; nothing else is touched or moved.

    Each file is copied first, under `.pahara-backup/<date>/` of the data set. DataError when that cannot be written.
    """
    files = sorted({finding.path for finding in _fixable(report.findings)})
    if not files:
        return []
    root = report.path if report.path.is_dir() else report.path.parent
    aside = root / BACKUP / (now or datetime.now()).strftime("%Y%m%d-%H%M%S")
    done = []
    for file in files:
        try:
            before = file.read_bytes()
            text = before.decode("utf-8-sig")
            after, dropped, cut = mended(text)
            if not dropped and not cut:
                continue
            copy = aside / _inside(file, root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
            beside = file.with_name(f".{file.name}.part")
            beside.write_bytes(after.encode("utf-8"))
            beside.replace(file)
        except OSError as error:
            raise DataError(f"{file}: it cannot be mended ({error.strerror or error}); nothing of it was changed") from None
        done.append(Mended(file, dropped, cut, copy))
    return done


def _fixable(findings: Iterable[Finding]) -> Iterable[Finding]:
    return (finding for finding in findings if finding.fixable)


def _inside(file: Path, root: Path) -> Path:
    """The file's path below the root; of a file elsewhere, its path without the drive."""
    try:
        return file.resolve().relative_to(root.resolve())
    except ValueError:
        return Path("elsewhere", *file.resolve().parts[1:])
