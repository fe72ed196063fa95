"""Every picture looked at once: can it be read, is it whole, what is it really, and what does it resemble."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image
from pahara.core.errors import DataError

from ..pictures import decode, read_bytes

SIDE = 32  # pixels of the small grey picture that copies are told by
KINDS = (
    (b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF8", "gif"), (b"BM", "bmp"), (b"II*\0", "tiff"), (b"MM\0*", "tiff"),
)  # fmt: skip
ENDINGS = {"jpeg": (".jpg", ".jpeg"), "png": (".png",), "gif": (".gif",), "bmp": (".bmp",), "tiff": (".tif", ".tiff"), "webp": (".webp",)}
NOTHING = np.zeros((0, 0), np.uint8)

Progress = Callable[[int, int], None]  # done, in all


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture is."""

    path: Path
    problem: str = ""  # "missing", "empty", "damaged", "cut", or "" for a whole picture
    size: tuple[int, int] = (0, 0)  # width, height, upright
    kind: str = ""  # by its first bytes: "jpeg", "png" …
    turned: bool = False  # by EXIF, sideways
    digest: bytes = b""  # BLAKE2 of the file
    hash: int = 0  # 64 bits: of pictures that look alike, few bits differ
    small: NDArray[np.uint8] = field(default_factory=lambda: NOTHING)  # (32, 32) grey; (0, 0) when it cannot be read

    @property
    def readable(self) -> bool:
        return self.small.size > 0


def look_at(pictures: Sequence[Path], *, progress: Progress | None = None) -> list[Look]:
    """A look at each picture, several at a time. Never raises for what is wrong with a picture."""
    looks: list[Look] = []
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for done, seen in enumerate(pool.map(look, pictures), 1):
            looks.append(seen)
            if progress is not None:
                progress(done, len(pictures))
    return looks


def look(path: Path) -> Look:
    """One picture."""
    try:
        data = read_bytes(path)
    except DataError:
        return Look(path, "missing")
    if not data:
        return Look(path, "empty")
    kind = kind_of(data)
    digest = hashlib.blake2b(data, digest_size=16).digest()
    whole = is_whole(data, kind)
    try:
        image = decode(data, path)
    except DataError:
        return Look(path, "damaged" if whole else "cut", kind=kind, digest=digest)
    tall, wide = image.shape[:2]
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return Look(path, "" if whole else "cut", (wide, tall), kind, is_turned(data, image), digest, picture_hash(small), small)


def kind_of(data: bytes) -> str:
    """What a file is by its first bytes; "" when that is unknown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for head, kind in KINDS if data.startswith(head)), "")


def is_whole(data: bytes, kind: str) -> bool:
    """False for a JPEG, PNG or WebP whose end is missing: a copy that broke off, a full disk."""
    if kind == "jpeg":
        begin = data.rfind(b"\xff\xda")  # the last scan; a thumbnail's end stands before it
        return data.find(b"\xff\xd9", max(begin, 2)) >= 0
    if kind == "png":
        return b"IEND" in data[-64:] or data.rfind(b"IEND") > 0
    if kind == "webp":
        return len(data) >= int.from_bytes(data[4:8], "little") + 8
    return True


def is_turned(data: bytes, image: Image) -> bool:
    """Whether EXIF turns the picture on its side: then its labels must be made for the turned picture."""
    stored = (
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_IGNORE_ORIENTATION)
        if b"Exif" in data[:4096] or b"eXIf" in data
        else None
    )
    return stored is not None and stored.size > 0 and (stored.shape[1] > stored.shape[0]) != (image.shape[1] > image.shape[0])


def picture_hash(small: NDArray[np.uint8]) -> int:
    """(32, 32) grey -> 64 bits: which of the lowest frequencies are above their median (pHash, Zauner 2010)."""
    waves = cv2.dct(small.astype(np.float32))[:8, :8].reshape(-1)
    waves[0] = 0  # the mean brightness says nothing about the shape
    bits = np.packbits(waves > np.median(waves))
    return int.from_bytes(bits.tobytes(), "big")
