"""Files that are there wholly or not at all, and stay there when the power goes."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from pahara.core import StoreError


def make_empty(part: Path, root: Path) -> None:
    """Make the folders and the file, so that a retention that tidies empty folders leaves them alone."""
    new: list[Path] = []
    for attempt in range(10):
        try:
            part.open("xb").close()  # usually the folders are there
            break
        except FileNotFoundError:  # not yet, or tidied away in between
            if attempt == 9:
                raise
        new += [p for p in (part.parent, *part.parent.parents) if p.is_relative_to(root) and not p.exists()]
        with suppress(FileNotFoundError):
            part.parent.mkdir(parents=True, exist_ok=True)
    for folder in new:
        _fsync(folder.parent)


def settle(part: Path, path: Path) -> tuple[int, str]:
    """A file that was written becomes one that stays -> bytes, SHA-256."""
    with part.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise StoreError(f"nothing was written to {path}: the disk may be full")
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    part.replace(path)
    _fsync(path.parent)
    return size, digest


def _fsync(folder: Path) -> None:
    """A name is durable only when its folder is."""
    if os.name == "nt":  # has no such thing
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
