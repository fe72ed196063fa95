"""Pictures on disk: read upright, measured, and found in folders."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from pahara.core import Image
from pahara.core.errors import DataError
from pahara.evaluation.formats.yolo import picture_size as head_size
from pahara.video.address import natural_order

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts", ".3gp", ".flv")
BIGGEST_SIDE = 20_000  # pixels; no camera makes more, and a damaged head may claim anything


def read_image(path: str | Path) -> Image:
    """A picture file -> (h, w, 3) BGR uint8, turned upright as its EXIF says; DataError when it cannot be read."""
    path = Path(path)
    return decode(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The file's bytes; DataError when it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such picture; was it moved or renamed?") from None
    except OSError as error:
        raise DataError(f"{path}: the picture cannot be read ({error.strerror or error})") from None


def decode(data: bytes, path: Path) -> Image:
    """A picture file's bytes -> (h, w, 3) BGR uint8, upright; `path` is only named in the DataError."""
    if not data:
        raise DataError(f"{path}: the picture is empty (0 bytes); copy it again or take it out of the data set")
    image: Image | None = None
    with suppress(cv2.error):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)  # applies the EXIF turn
    if image is None:
        raise DataError(f"{path}: this is no picture, or it is damaged; `pahara data check` lists all such files")
    return image


def image_size(path: str | Path) -> tuple[int, int]:
    """(width, height) of a picture as `read_image` gives it; from the head of the file where that is enough. DataError."""
    path = Path(path)
    if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        with suppress(Exception):
            wide, tall = head_size(path)
            if 0 < wide <= BIGGEST_SIDE and 0 < tall <= BIGGEST_SIDE:
                return wide, tall
    image = read_image(path)
    return image.shape[1], image.shape[0]


def pictures_in(folder: Path, *, deep: bool = False) -> list[Path]:
    """The picture files of a folder in natural order (2.jpg before 10.jpg), hidden ones left out; `deep` enters folders."""
    return files_in(folder, PICTURES, deep=deep)


def files_in(folder: Path, endings: Iterable[str], *, deep: bool = False) -> list[Path]:
    """The files with these endings (any case), in natural order. DataError when the folder cannot be read."""
    wanted = tuple(endings)
    try:
        found = [
            file
            for file in (folder.rglob("*") if deep else folder.iterdir())
            if file.suffix.lower() in wanted and not file.name.startswith(".") and file.is_file()
        ]
    except OSError as error:
        raise DataError(f"{folder}: the folder cannot be read ({error.strerror or error})") from None
    return sorted(found, key=lambda file: [natural_order(part) for part in file.relative_to(folder).parts])
