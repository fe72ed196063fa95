"""What every source has in common: frames with media time, counts of what went wrong, a ring, an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from threading import Event
from types import TracebackType
from typing import Self

import av

from pahara.core import Frame

from .clock import FrameClock, seconds_of, ticks_of
from .pixels import UPRIGHT, Orientation, to_image, to_luma, to_small_planes
from .ring import FrameRing, PacketRing


@dataclass(slots=True)
class SourceStats:
    """What a source has met so far; written by the source alone."""

    frames: int = 0  # yielded
    corrupt: int = 0  # packets that could not be read or decoded, and frames that the decoder had to mend
    truncated: bool = False  # the file ends before its end
    dropped: int = 0  # frames whose clock stood still or ran backwards
    resets: int = 0  # jumps of the camera's clock that were joined
    skipped: int = 0  # packets of a live stream passed over because the consumer was too slow
    reconnects: int = 0
    longest_gap: float = 0.0  # seconds between two frames
    trouble: str = ""  # why a live source has no picture just now; "" when it has


class VideoSource:
    """A camera, file or folder, open for reading. Iterate over it for frames; close it, or use it with `with`.

    A file or folder may be iterated over again, from its start; a live source goes on.
    """

    live = False

    def __init__(self, camera: str, shown: str, ring: PacketRing | FrameRing | None, fps_limit: float | None) -> None:
        self.camera, self.shown, self.ring, self.fps_limit = camera, shown, ring, fps_limit
        self.stats = SourceStats()
        self.size = (0, 0)  # width, height after rotation; of a live source, known once it is connected
        self.duration = 0.0  # seconds; 0 when unknown or endless
        self._epoch = 0.0
        self._closing = Event()

    @property
    def epoch(self) -> float:
        """UTC seconds of media time 0; of a live source, set by its first frame."""
        return self._epoch

    @epoch.setter
    def epoch(self, seconds: float) -> None:
        self._epoch = seconds
        if self.ring is not None:
            self.ring.epoch = seconds

    def __iter__(self) -> Iterator[Frame]:
        due = float("-inf")
        for frame in self._frames():
            if self.fps_limit:
                if frame.time < due - 1e-6:
                    continue
                period = 1 / self.fps_limit
                due = due + period if due > frame.time - period else frame.time + period
            self.stats.frames += 1
            yield frame

    def _frames(self) -> Iterator[Frame]:
        raise NotImplementedError

    def close(self) -> None:
        """Ends every iteration, also from another thread. Closing twice is no error."""
        self._closing.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.camera!r}, {self.shown!r})"


class Decoding:
    """Packets of one source -> its frames. Counts into the source's stats, writes size and zero to source and ring."""

    def __init__(self, source: VideoSource, step: float) -> None:
        self.source = source
        self.clock = FrameClock(step)
        self.orientation = UPRIGHT
        self.untimed: dict[int, av.Packet] = {}
        self._coded_size = (0, 0)

    def without_picture_time(self, packet: av.Packet) -> None:
        """A packet with a decoding time alone (AVI): it is marked, and told its picture's time once the decoder knows it."""
        packet.pts = packet.dts
        self.untimed[packet.pts] = packet
        if len(self.untimed) > 256:  # no decoder holds back so many: these are lost
            del self.untimed[next(iter(self.untimed))]

    def frames(self, decoder: av.VideoCodecContext, new: av.Packet | None, time_base: Fraction) -> list[Frame]:
        """Decode one packet (None: what the decoder still holds) of a stream with `time_base`."""
        stats = self.source.stats
        try:
            pictures = decoder.decode(new)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            stats.corrupt += 1
            return []
        found = []
        for picture in pictures:
            # A damaged picture is yielded and counted: some cameras mark every picture as damaged.
            stats.corrupt += picture.is_corrupt
            packet = self.untimed.pop(picture.pts, None) if self.untimed else None
            stamp = picture.dts if packet is not None or picture.pts is None else picture.pts
            time = self.clock.time(None if stamp is None else seconds_of(stamp, time_base))
            if (picture.width, picture.height) != self._coded_size:
                self._look_at(picture, None if stamp is None else seconds_of(stamp, time_base))
            if packet is not None and time is not None:
                packet.pts = ticks_of(time + (self.clock.zero or 0.0), time_base)
            stats.dropped, stats.longest_gap = self.clock.dropped, self.clock.longest_gap
            if time is not None:
                found.append(self._frame(picture, time))
        return found

    def _look_at(self, picture: av.VideoFrame, joined: float | None) -> None:
        first = self._coded_size == (0, 0)
        self._coded_size = (picture.width, picture.height)
        self.orientation = Orientation.of(picture)
        self.source.size = self.orientation.size(*self._coded_size)
        if isinstance(self.source.ring, PacketRing):
            self.source.ring.orientation = self.orientation
            if first:
                self.source.ring.zero = self.clock.zero or 0.0
            elif joined is not None:
                self.source.ring.resize(joined, self._coded_size)

    def _frame(self, picture: av.VideoFrame, time: float) -> Frame:
        orientation, source = self.orientation, self.source
        frame = Frame(
            source.camera,
            time,
            source.size,
            lambda: to_image(picture, orientation),
            lambda: to_luma(picture, orientation),
            lambda size: to_small_planes(picture, size, orientation),
        )
        if isinstance(source.ring, FrameRing) and source.ring.wants(time):
            source.ring.append(frame.image, time)
        return frame
