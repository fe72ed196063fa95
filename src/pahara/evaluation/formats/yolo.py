"""YOLO labels: a text file beside each picture, one line per object, in fractions of the picture."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..annotations import Annotations
from .problems import TruthError, number, read_text, whole

PICTURES = (".jpg", ".jpeg", ".png")
ORIENTATION, SHORT = 0x0112, 3  # EXIF 2.32: the tag of the turn, and its type
SIDEWAYS = (5, 6, 7, 8)  # turns that exchange width and height


def read_yolo(pictures: str | Path, labels: str | Path | None = None, *, names: Sequence[str]) -> Annotations:
    """Labels of every picture in the folder `pictures`, in the order of their names; frame numbers are rows of `pictures`.

    `labels` is the folder of text files; when left out it is the last folder named "images" in the path turned into
    "labels", as YOLO tools do, or else `pictures` itself. A picture without a file has no objects. Lines are
    `class cx cy w h`, with a confidence at the end in results, or `class x1 y1 x2 y2 x3 y3 …` for outlines.
    """
    folder = Path(pictures)
    if not folder.is_dir():
        raise TruthError(f"{folder}: there is no such folder of pictures")
    where = Path(labels) if labels is not None else _labels_of(folder)
    if not where.is_dir():
        raise TruthError(f"{where}: there is no such folder of labels")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES)
    if not files:
        raise TruthError(f"{folder}: there is no picture ({', '.join(PICTURES)}) in this folder")
    frames, boxes, kinds, scores = [], [], [], []
    for frame, picture in enumerate(files):
        file = where / f"{picture.stem}.txt"
        if not file.exists():
            continue
        wide, tall = picture_size(picture)
        for line_number, line in enumerate(read_text(file).splitlines(), 1):
            if not line.strip():
                continue
            kind, box, score = _read_line(line, f"{file}, line {line_number}", len(names))
            frames.append(frame)
            kinds.append(kind)
            boxes.append(box * np.array([wide, tall, wide, tall]))
            scores.append(score)
    return Annotations.of(frames, boxes, labels=kinds, scores=scores, names=tuple(names), pictures=tuple(file.name for file in files))


def picture_size(path: str | Path) -> tuple[int, int]:
    """(width, height) of a JPEG or PNG as it is shown, its EXIF turn applied, from its head; TruthError otherwise."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TruthError(f"{path}: the picture cannot be read ({error})") from None
    stored = _stored_size(data)
    if stored is None:
        raise TruthError(f"{path}: this is no JPEG or PNG picture, or it is damaged")
    (wide, tall), exif = stored
    return (tall, wide) if _exif_turn(exif) in SIDEWAYS else (wide, tall)


def _stored_size(data: bytes) -> tuple[tuple[int, int], bytes] | None:
    """-> (width, height) as stored, and the EXIF block (a TIFF header and what follows; b"" without one)."""
    exif = b""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        wide, tall = struct.unpack(">II", data[16:24])
        at = 8
        while at + 8 <= len(data):
            length = int.from_bytes(data[at : at + 4], "big")
            if data[at + 4 : at + 8] == b"eXIf":
                exif = data[at + 8 : at + 8 + length]
            at += 12 + length
        return (wide, tall), exif
    if data[:2] == b"\xff\xd8":
        at = 2
        while at + 9 <= len(data) and data[at] == 0xFF:
            marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
            if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0" and not exif:
                exif = data[at + 10 : at + 2 + length]
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
                tall, wide = struct.unpack(">HH", data[at + 5 : at + 9])
                return (wide, tall), exif
            at += 1 if marker == 0xFF else 2 + length
    return None


def _exif_turn(exif: bytes) -> int:
    """The orientation 1..8 of an EXIF block; 1 (upright) where it says none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    (at,) = struct.unpack(order + "I", exif[4:8])
    if at + 2 > len(exif):
        return 1
    (entries,) = struct.unpack(order + "H", exif[at : at + 2])
    for entry in range(at + 2, min(at + 2 + 12 * entries, len(exif) - 11), 12):
        tag, kind, count, value = struct.unpack(order + "HHIH", exif[entry : entry + 10])
        if tag == ORIENTATION and kind == SHORT and count == 1:
            return int(value)
    return 1


def _labels_of(folder: Path) -> Path:
    parts = list(folder.parts)
    for at in reversed(range(len(parts))):
        if parts[at] == "images":
            beside = Path(*parts[:at], "labels", *parts[at + 1 :])
            if beside.is_dir():
                return beside
    return folder


def _read_line(line: str, where: str, classes: int) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.float64]], float]:
    """-> class, (4,) x1 y1 x2 y2 in fractions, score."""
    fields = line.split()
    kind = whole(fields[0], "the class", where, low=0)
    if kind >= classes:
        raise TruthError(f"{where}: class {kind} has no name: there are {classes} names")
    values = np.array([number(value, "a place", where, low=-2, high=3) for value in fields[1:]])
    if len(values) in (4, 5):
        half = values[2:4] / 2
        if (half <= 0).any():
            raise TruthError(f"{where}: width and height should be more than 0")
        return kind, np.concatenate([values[:2] - half, values[:2] + half]), float(values[4]) if len(values) == 5 else 1.0
    if len(values) >= 6 and len(values) % 2 == 0:
        corners = values.reshape(-1, 2)
        return kind, np.concatenate([corners.min(axis=0), corners.max(axis=0)]), 1.0
    raise TruthError(
        f"{where}: need class, centre x, centre y, width, height (and a confidence), or an outline; there are {len(fields)} values"
    )
