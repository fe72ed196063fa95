"""Pictures with their times -> an H.264 mp4 that browsers play; what was written stays playable after an interruption."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2

from pahara.core import Frame, Image, Scene, StoreError, Tripwire, Zone

from .draw import draw
from .files import UNDER_WAY, ClipInfo, cannot_write

TICKS = 90_000  # a second, as usual in video: variable frame rates keep their true times


class VideoWriter:
    """Writes BGR pictures as H.264, each at its own time.

    A hidden `.NAME.part.mp4` grows beside `path` and takes its name at `close`. It is a fragmented
    mp4 until then, so even after a power cut everything but the last second or two can be played. Leaving
    the `with` block closes it, also by Ctrl-C; where nothing was written, nothing is left.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        crf: int = 23,
        preset: str = "veryfast",
        epoch: float = 0.0,
        threads: int = 0,
    ) -> None:
        """`crf` is x264's quality (lower is better), `epoch` the UTC seconds of media time 0, `threads` 0 lets x264 choose."""
        self.path = Path(path)
        self.frames = 0
        self.begin = self.end = 0.0
        self.size = (0, 0)  # width, height of the file: that of the first picture, made even
        self.closed = False
        self._crf, self._preset, self._epoch, self._threads = crf, preset, epoch, threads
        beside = self.path.with_name(f".{self.path.stem}.{os.getpid()}.part{self.path.suffix or '.mp4'}")
        self._temporary = self.path if self.path.name.startswith(UNDER_WAY) else beside
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream | None = None
        self._tick = -1

    def write(self, image: Image, time: float) -> None:
        """One picture (h, w, 3) BGR at media second `time`; a picture of another size is fitted into the first one's."""
        if self.closed:
            raise ValueError(f"{self.path} is closed already")
        try:
            if self._container is None:
                self._open(image, time)
            frame = av.VideoFrame.from_ndarray(self._fitted(image), format="bgr24").reformat(format="yuv420p", threads=1)
            self._tick = max(round((time - self.begin) * TICKS), self._tick + 1)
            frame.pts, frame.time_base = self._tick, Fraction(1, TICKS)
            self._put(frame)
        except (OSError, av.error.FFmpegError) as error:
            self._abandon()
            raise cannot_write(self.path, error) from error
        self.frames += 1
        self.end = max(self.end, time)

    def close(self) -> None:
        """Finishes the file and gives it its name. Closing twice is no error."""
        if self.closed:
            return
        self.closed = True
        if self._container is None:
            return
        try:
            self._put(None)
            self._container.close()
            with self._temporary.open("rb") as file:
                os.fsync(file.fileno())
            self._temporary.replace(self.path)
        except (OSError, av.error.FFmpegError) as error:
            self._abandon()
            raise cannot_write(self.path, error) from error
        finally:
            self._container = self._stream = None

    @property
    def info(self) -> ClipInfo:
        """What was written, once it is closed."""
        if not self.path.exists():
            raise StoreError(f"{self.path} was not written: no picture came")
        return ClipInfo(self.path, self.begin, self.end, self.path.stat().st_size, False, "h264", True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _open(self, image: Image, time: float) -> None:
        tall, wide = image.shape[:2]
        self.size = (wide + wide % 2, tall + tall % 2)
        self.begin = self.end = time
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(
            str(self._temporary), "w", format="mp4", options={"movflags": "+hybrid_fragmented+frag_keyframe", "flush_packets": "1"}
        )
        if self._epoch:
            self._container.metadata["creation_time"] = datetime.fromtimestamp(self._epoch + time, UTC).isoformat()
        stream = self._container.add_stream("libx264", options={"crf": str(self._crf), "preset": self._preset, "bf": "0"})
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, TICKS)
        stream.codec_context.gop_size = 50
        stream.codec_context.thread_count = self._threads
        stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1  # BT.601, limited: what swscale makes
        self._stream = stream

    def _fitted(self, image: Image) -> Image:
        """-> the file's size: one edge row or column repeated where odd; another size scaled and centred on black."""
        wide, tall = self.size
        h, w = image.shape[:2]
        if (w + w % 2, h + h % 2) != self.size:
            scale = min(wide / w, tall / h)
            image = cv2.resize(image, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)
            h, w = image.shape[:2]
            top, left = (tall - h) // 2, (wide - w) // 2
            image = cv2.copyMakeBorder(image, top, tall - h - top, left, wide - w - left, cv2.BORDER_CONSTANT)
        elif (w, h) != self.size:
            image = cv2.copyMakeBorder(image, 0, tall - h, 0, wide - w, cv2.BORDER_REPLICATE)
        return image

    def _put(self, frame: av.VideoFrame | None) -> None:
        assert self._container is not None
        assert self._stream is not None
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def _abandon(self) -> None:
        self.closed = True
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            with suppress(OSError, av.error.FFmpegError):  # it is given up already; the reason is on its way to the user
                container.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)


class AnnotatedWriter:
    """Writes what the watch sees: frames with tracks, zones, lines and alerts drawn on them."""

    def __init__(
        self, path: Path | str, *, zones: Sequence[Zone] = (), lines: Sequence[Tripwire] = (), crf: int = 23, epoch: float = 0.0
    ) -> None:
        self.zones, self.lines = tuple(zones), tuple(lines)
        self.video = VideoWriter(path, crf=crf, epoch=epoch)

    def write(self, frame: Frame, scene: Scene | None = None, alerts: Collection[int] = ()) -> None:
        """One frame; `alerts` are the ids of tracks that an event is about now."""
        self.video.write(draw(frame.image, scene=scene, zones=self.zones, lines=self.lines, alerts=alerts), frame.time)

    def close(self) -> None:
        self.video.close()

    @property
    def info(self) -> ClipInfo:
        return self.video.info

    def __enter__(self) -> AnnotatedWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
