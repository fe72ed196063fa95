"""A folder of numbered pictures as a source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import cv2

from pahara.core import Frame, Grey, Image, SourceError

from .address import PICTURES, natural_order
from .picture import read_picture
from .ring import FrameRing
from .source import VideoSource


class FolderSource(VideoSource):
    """Pictures of one folder in natural order (2.jpg before 10.jpg), `fps` a second; folders inside it are not entered."""

    def __init__(
        self,
        folder: Path,
        shown: str,
        *,
        camera: str,
        fps: float,
        ring_seconds: float,
        ring_bytes: int,
        start: datetime | None,
        fps_limit: float | None,
        loop: bool,
    ) -> None:
        ring = FrameRing(ring_seconds, ring_bytes, camera=camera, fps=max(fps, 1.0)) if ring_seconds > 0 else None
        super().__init__(camera, shown, ring, fps_limit)
        try:
            found = [
                file for file in folder.iterdir() if file.suffix.lower() in PICTURES and not file.name.startswith(".") and file.is_file()
            ]
        except OSError as error:
            raise SourceError(f"cannot read the folder {shown}: {error.strerror}") from error
        if not found:
            raise SourceError(
                f"the folder {shown} holds no pictures ({', '.join(PICTURES)}); give the folder that holds them, or a video file"
            )
        self.fps, self._loop = fps, loop
        self._files = sorted(found, key=lambda file: natural_order(file.name))
        self.duration = len(found) / fps
        first = _read(self._files[0])[0]
        self.size = (first.shape[1], first.shape[0])
        self.epoch = start.timestamp() if start is not None else self._files[0].stat().st_mtime

    def _frames(self) -> Iterator[Frame]:
        self.stats = type(self.stats)()
        if self.ring is not None:
            self.ring.clear()
        number = 0
        wanted = float("-inf")  # pictures that the limit would drop are not even read
        while True:
            for file in self._files:
                if self._closing.is_set():
                    return
                time = round(number / self.fps, 6)
                number += 1
                if self.fps_limit and time < wanted - 1e-6:
                    continue
                frame = self._frame(file, time)
                if self.fps_limit:
                    wanted = max(wanted, time - 1 / self.fps_limit) + 1 / self.fps_limit
                self.stats.longest_gap = max(self.stats.longest_gap, 1 / self.fps)
                yield frame
            if not self._loop:
                return

    def _frame(self, file: Path, time: float) -> Frame:
        image, encoded = _read(file)
        self.size = (image.shape[1], image.shape[0])
        if isinstance(self.ring, FrameRing):
            if file.suffix.lower() in (".jpg", ".jpeg"):
                self.ring.append_jpeg(encoded, time)  # it is encoded already
            else:
                self.ring.append(image, time)
        return Frame(self.camera, time, self.size, lambda: image, lambda: _grey(image))


def _read(file: Path) -> tuple[Image, bytes]:
    try:
        encoded = file.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read the picture {file}: {error.strerror}") from error
    image = read_picture(encoded)
    if image is None:
        told = "is empty (0 bytes)" if not encoded else "is damaged, or no picture"
        raise SourceError(f"the picture {file} {told}; take it out of the folder, or copy it again")
    return image, encoded


def _grey(image: Image) -> Grey:
    grey: Grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return grey
