"""A video file as a source; what is broken in it is skipped and counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from itertools import islice
from pathlib import Path
from threading import RLock

import av

from pahara.core import Frame, SourceError

from .clip import Template
from .clock import PacketClock, seconds_of, ticks_of
from .container import Connection, Opener, connect, explain, sniff
from .ring import FrameRing, PacketRing
from .source import Decoding, VideoSource

GIVE_UP = 200  # unreadable packets in a row that end a file
GLANCE = 16  # packets from whose timestamps one tells that a file's clock stands still
OLDEST = 631_152_000.0  # 1990: creation times before are clocks that nobody set


class FileSource(VideoSource):
    """Frames of one file (or of a finished video behind http), from its start to its end."""

    def __init__(
        self,
        opener: Opener,
        shown: str,
        *,
        camera: str,
        path: Path | None,
        ring_seconds: float,
        ring_bytes: int,
        start: datetime | None,
        fps_limit: float | None,
        loop: bool,
        threads: int,
    ) -> None:
        self._opener, self._path, self._threads, self._loop = opener, path, threads, loop
        ring = PacketRing(ring_seconds, ring_bytes, camera=camera) if ring_seconds > 0 else None
        super().__init__(camera, shown, ring, fps_limit)
        self._lock = RLock()  # whoever holds it may touch the container
        self._open: Connection | None = None
        self._paced = 0  # ticks from picture to picture of a file whose clock stands still; 0: it runs
        connection = self._connect()
        try:
            self._check(connection)
        finally:
            connection.close()
        self.epoch = self._epoch_of(connection_metadata=self._metadata, start=start)

    def _connect(self) -> Connection:
        try:
            return connect(self._opener, self.shown, self._threads)
        except SourceError as error:
            if self._path is not None and error.__cause__ is not None and (told := sniff(self._path)):
                raise SourceError(f"{self.shown} {told}") from error
            raise

    def _check(self, connection: Connection) -> None:
        """Decode up to the first picture: it shows the size, and that there is one."""
        container, stream = connection.container, connection.stream
        length = container.duration / av.time_base if container.duration else 0.0
        if not length and stream.duration:
            length = float(stream.duration * connection.time_base)
        if container.start_time and container.format.name.startswith("matroska"):  # counts from 0, not from its first frame
            length -= container.start_time / av.time_base
        self.duration = max(0.0, length)
        self._metadata = {**container.metadata, **stream.metadata}
        probe = Decoding(self, connection.step)
        timed = False
        ring, self.ring = self.ring, None
        packets, glance = _packets(connection, self), []
        for packet in packets:
            timed |= bool(packet.size) and (packet.pts is not None or packet.dts is not None)
            glance.append(packet)
            if probe.frames(connection.decoder, packet if packet.size else None, connection.time_base):
                break
        else:
            raise SourceError(f"{self.shown} holds no picture that can be decoded; it may be damaged or empty")
        glance += islice(packets, max(0, GLANCE - len(glance)))
        self._paced = _pace(glance, connection)
        if self._paced and stream.frames:
            self.duration = float(stream.frames * self._paced * connection.time_base)
        self.stats = type(self.stats)()
        if ring is not None and (not timed or Template.of(stream) is None):  # bare H.264 has packets, but no times for them
            ring = FrameRing(ring.seconds, ring.max_bytes, camera=self.camera)
        self.ring = ring

    def _epoch_of(self, connection_metadata: dict[str, str], start: datetime | None) -> float:
        if start is not None:
            return start.timestamp()
        try:
            told = datetime.fromisoformat(connection_metadata["creation_time"]).timestamp()
        except (KeyError, ValueError):
            told = 0.0
        if told > OLDEST:
            return told
        written = self._path.stat().st_mtime if self._path is not None else time.time()
        return written - self.duration

    def _frames(self) -> Iterator[Frame]:
        if self.ring is not None:
            self.ring.clear()
        self.stats = type(self.stats)()
        clock: PacketClock | None = None
        decoding: Decoding | None = None
        while not self._closing.is_set():
            with self._lock:
                connection = self._connect()
                self._release()
                self._open = connection
            if clock is None or decoding is None:
                clock, decoding = PacketClock(live=False, step=connection.step), Decoding(self, connection.step)
            clock.new_stretch()
            try:
                yield from self._play(connection, clock, decoding)
            finally:
                with self._lock:
                    if self._open is connection:
                        self._release()
            if not self._loop:
                return

    def _play(self, connection: Connection, clock: PacketClock, decoding: Decoding) -> Iterator[Frame]:
        template = Template.of(connection.stream) if isinstance(self.ring, PacketRing) else None
        packets = _packets(connection, self)
        base = connection.time_base
        read = 0
        while True:
            with self._lock:
                if self._closing.is_set():
                    return
                packet = next(packets, None)
                if packet is None:
                    return
                if self._paced and packet.size:
                    packet.dts, packet.pts = read * self._paced, None
                    read += 1
                stamp = packet.dts if packet.dts is not None else packet.pts
                if packet.size and stamp is not None:
                    clock.place(seconds_of(stamp, base), 0.0)
                    move(packet, clock.offset, base)
                    self.stats.resets = clock.resets
                    if packet.pts is None:
                        decoding.without_picture_time(packet)
                    if template is not None and isinstance(self.ring, PacketRing):
                        self.ring.append(packet, base, template)
                found = decoding.frames(connection.decoder, packet if packet.size else None, base)
            yield from found

    def close(self) -> None:
        super().close()
        with self._lock:
            self._release()

    def _release(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _pace(packets: list[av.Packet], connection: Connection) -> int:
    """Ticks from picture to picture where the file's clock stands still (some converters write 0 everywhere); else 0.

    Then the pictures are taken to follow each other evenly, as their own length or the stream's frame rate says.
    """
    pictures = [packet for packet in packets if packet.size]
    stamps = {packet.dts if packet.dts is not None else packet.pts for packet in pictures}
    if len(pictures) < 3 or len(stamps) > 1 or None in stamps:
        return 0
    rate = connection.stream.guessed_rate
    told = pictures[0].duration or (round(1 / (rate * connection.time_base)) if rate and 1 <= rate <= 240 else 0)
    return told or max(1, round(0.04 / connection.time_base))


def move(packet: av.Packet, offset: float, time_base: Fraction) -> None:
    """Shift a packet's timestamps by `offset` seconds."""
    ticks = ticks_of(offset, time_base)
    if packet.pts is not None:
        packet.pts += ticks
    if packet.dts is not None:
        packet.dts += ticks


def _packets(connection: Connection, source: VideoSource) -> Iterator[av.Packet]:
    """Packets, then one empty packet; unreadable ones are counted and passed over."""
    stats = source.stats
    failures = read = 0
    torn = False
    while True:
        try:
            for packet in connection.container.demux(connection.stream):
                if packet.size:
                    failures, torn = 0, packet.is_corrupt
                    read += 1
                    stats.corrupt += torn
                else:
                    indexed = connection.stream.frames if connection.container.format.name.startswith("mov") else 0
                    stats.truncated = torn or failures > 0 or read < indexed
                yield packet
            return
        except (av.error.InvalidDataError, av.error.UndefinedError, av.error.ArgumentError):
            failures += 1
            stats.corrupt += 1
            if failures >= GIVE_UP:
                stats.truncated = True
                yield av.Packet()
                return
        except (OSError, av.error.FFmpegError) as error:
            raise SourceError(explain(error, source.shown)) from error
