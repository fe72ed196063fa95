"""What the user wrote as a source: which kind it is, and the same text without its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

from pahara.core import SourceError, without_secrets

NETWORK = ("rtsp", "rtsps", "http", "https")
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C:\ is a Windows drive

Kind = Literal["file", "folder", "webcam", "network"]


@dataclass(frozen=True, slots=True)
class Address:
    """A source's kind, what to open, and how to show it."""

    kind: Kind
    target: str
    shown: str  # never holds a password
    fps: float = 0.0  # of a folder, when its address says so


def read_address(spec: str | Path) -> Address:
    """The address of `spec`; SourceError when nothing can be meant by it."""
    if isinstance(spec, str) and not spec.strip():
        raise SourceError("the source is empty; give a video file, a folder of pictures, webcam:0 or rtsp://…")
    if isinstance(spec, Path):
        return _path_address(spec)
    spec = spec.strip()
    if spec.isdecimal() and not Path(spec).exists():
        return Address("webcam", spec, f"webcam {spec}")
    if spec.startswith("/dev/video"):
        return Address("webcam", spec, spec)
    if match := SCHEME.match(spec):
        scheme = match[1].lower()
        if scheme == "webcam":
            device = spec.split(":", 1)[1] or "0"
            return Address("webcam", device, f"webcam {device}")
        if scheme in NETWORK and spec[len(scheme) :].startswith("://"):
            return Address("network", spec, without_secrets(spec))
        if not Path(spec).exists():
            raise SourceError(
                f"sources of the kind {scheme!r} are not opened ({without_secrets(spec)}); "
                "give a file, a folder of pictures, webcam:0, rtsp://…, rtsps://…, http://… or https://…"
            )
    return _path_address(Path(spec))


def _path_address(path: Path) -> Address:
    fps = 0.0
    if not path.exists() and "?" in path.name:
        name, query = path.name.rsplit("?", 1)
        folder = path.with_name(name) if name else path.parent
        if folder.is_dir():
            path, fps = folder, _fps_of(query, folder)
    path = path.expanduser()
    if path.is_dir():
        return Address("folder", str(path.absolute()), str(path), fps)
    if not path.exists():
        raise SourceError(f"no such file or folder: {path}{_nearest(path)}")
    return Address("file", str(path.absolute()), str(path))


def _fps_of(query: str, folder: Path) -> float:
    told = parse_qs(query, keep_blank_values=True)
    try:
        fps = float(told.pop("fps")[-1])
    except (KeyError, ValueError):
        fps = 0.0
    if told or not 0 < fps <= 1000:
        raise SourceError(f"a folder takes only the option fps, a number of pictures a second: {folder}?{query}; try {folder}?fps=10")
    return fps


def _nearest(path: Path) -> str:
    try:
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        beside = []
    if near := get_close_matches(path.name, beside, 1, 0.6):
        return f"; did you mean {path.with_name(near[0])}?"
    return f"; is the path right? (looked from {Path.cwd()})" if not path.is_absolute() else "; is the path right?"


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """Sort key: 2.jpg before 10.jpg.

    >>> sorted(["10.jpg", "2.jpg", "a1.jpg"], key=natural_order)
    ['2.jpg', '10.jpg', 'a1.jpg']
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
