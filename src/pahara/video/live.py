"""A camera as a source: read in a thread of its own, with a timeout that holds, and reconnected for as long as it takes."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from threading import Condition, Thread

import av

from pahara.core import Frame, SourceError

from .clip import Template
from .clock import PacketClock
from .container import Connection, Opener, connect, explain, mends_itself
from .file import move
from .ring import FrameRing, PacketRing
from .source import Decoding, VideoSource

LONGEST_WAIT = 30.0  # seconds between two attempts to connect
BACKLOG = 3.0  # seconds of undecoded packets after which a slow consumer is moved to the newest keyframe
ENDLESS_BACKLOG = 10.0  # the same where no keyframe is waiting: drop all and wait for one
RAW = frozenset({"rawvideo", "v210", "yuv4"})


@dataclass(frozen=True, slots=True)
class _Waiting:
    packet: av.Packet
    decoder: av.VideoCodecContext
    time_base: Fraction
    seconds: float


class LiveSource(VideoSource):
    """Frames of a network camera or webcam.

    A reader thread takes packets as they come into the ring and a short queue; whoever iterates decodes. So the
    ring is whole even when the consumer is slow; a consumer that is more than three seconds late goes on at the
    newest keyframe (`stats.skipped`): it loses frames, never time. `close` returns at once; a read that
    hangs ends in its thread, after `timeout` at the latest.
    """

    live = True

    def __init__(
        self,
        opener: Opener,
        shown: str,
        *,
        camera: str,
        timeout: float,
        reconnect: bool,
        wait: bool,
        ring_seconds: float,
        ring_bytes: int,
        start: datetime | None,
        fps_limit: float | None,
        threads: int,
    ) -> None:
        super().__init__(camera, shown, None, fps_limit)
        self.timeout = timeout
        self._opener, self._reconnect, self._threads = opener, reconnect, threads
        self._ring_seconds, self._ring_bytes, self._start = ring_seconds, ring_bytes, start
        self._queue: deque[_Waiting] = deque()
        self._changed = Condition()
        self._ended = False
        self._error: SourceError | None = None
        self._decoding: Decoding | None = None
        self._need_keyframe = True
        self.epoch = start.timestamp() if start is not None else time.time()
        first = None if wait else self._connect()
        self._thread = Thread(target=self._read, args=(first,), name=f"read {camera}", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether pictures are coming just now."""
        return not self.stats.trouble and not self._ended

    # The consumer's side.

    def _frames(self) -> Iterator[Frame]:
        while True:
            with self._changed:
                while not self._queue and not self._ended and not self._closing.is_set():
                    self._changed.wait()
                if self._closing.is_set():
                    return
                if not self._queue:
                    if self._error is not None:
                        raise self._error
                    return
                waiting = self._queue.popleft()
            if self._decoding is None:
                self._decoding = Decoding(self, 0.04)
            for frame in self._decoding.frames(waiting.decoder, waiting.packet, waiting.time_base):
                if frame.time == 0.0 and self._start is None:
                    self.epoch = time.time()
                yield frame
                if self._closing.is_set():
                    return

    def close(self) -> None:
        super().close()
        with self._changed:
            self._queue.clear()
            self._changed.notify_all()

    # The reader's side.

    def _connect(self) -> Connection:
        connection = connect(self._opener, self.shown, self._threads)
        decoder = connection.decoder
        if self.size == (0, 0):
            self.size = (decoder.width, decoder.height)
        if self.ring is None and self._ring_seconds > 0:
            if decoder.name in RAW:
                self.ring = FrameRing(self._ring_seconds, self._ring_bytes, camera=self.camera)
            else:
                self.ring = PacketRing(self._ring_seconds, self._ring_bytes, camera=self.camera)
            self.ring.epoch = self.epoch
        return connection

    def _read(self, connection: Connection | None) -> None:
        """The thread: read, and when that ends, connect again."""
        clock = PacketClock(live=True, step=connection.step if connection else 0.04)
        failures = 0
        was_connected = connection is not None
        try:
            while not self._closing.is_set():
                error: SourceError
                try:
                    if connection is None:
                        connection = self._connect()
                        self.stats.reconnects += was_connected
                        was_connected = True
                    clock.new_stretch()
                    came = self._read_connection(connection, clock)
                    error = SourceError(f"{self.shown} ended the stream")
                    if not self._reconnect:
                        return
                    failures = 0 if came else failures
                except SourceError as trouble:
                    error = trouble
                    if not self._reconnect or not (was_connected or mends_itself(trouble.__cause__)):
                        self._error = trouble
                        return
                    if self._came:
                        failures = 0
                finally:
                    if connection is not None:
                        connection.close()
                    connection = None
                self.stats.trouble = str(error)
                self._came = False
                self._closing.wait(backoff(failures))
                failures += 1
        except Exception as error:  # noqa: BLE001  whatever it is, the consumer must hear of it
            self._error = SourceError(explain(error, self.shown))
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    _came = False  # whether this connection has brought a packet

    def _read_connection(self, connection: Connection, clock: PacketClock) -> bool:
        """Packets until the stream ends or the source is closed -> whether any came. SourceError when it breaks."""
        template = None if isinstance(self.ring, FrameRing) else Template(connection.stream)
        base = connection.time_base
        began = time.monotonic()
        self._need_keyframe = True
        failures = 0
        while not self._closing.is_set():
            try:
                for packet in connection.container.demux(connection.stream):
                    if self._closing.is_set() or not packet.size:
                        break
                    failures = 0
                    self._came = True
                    self.stats.trouble = ""
                    self.stats.corrupt += packet.is_corrupt
                    arrival = time.monotonic()
                    if packet.pts is None and packet.dts is None:
                        packet.pts = packet.dts = round((arrival - began) / base)
                    stamp = packet.dts if packet.dts is not None else packet.pts
                    clock.place(float(stamp * base), arrival)
                    self.stats.resets = clock.resets
                    move(packet, clock.offset, base)
                    seconds = float((packet.pts if packet.pts is not None else packet.dts) * base)
                    if template is not None and isinstance(self.ring, PacketRing):
                        self.ring.append(packet, base, template)
                    self._hand_over(_Waiting(packet, connection.decoder, base, seconds))
                return self._came
            except (av.error.InvalidDataError, av.error.UndefinedError) as error:
                self.stats.corrupt += 1
                failures += 1
                if failures >= 20:
                    raise SourceError(explain(error, self.shown)) from error
            except (OSError, ValueError, av.error.FFmpegError) as error:
                raise SourceError(explain(error, self.shown)) from error
        return self._came

    def _hand_over(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._need_keyframe:
                if not waiting.packet.is_keyframe:
                    return
                self._need_keyframe = False
            queue = self._queue
            queue.append(waiting)
            late = waiting.seconds - queue[0].seconds
            if late > BACKLOG:
                newest = next((i for i in range(len(queue) - 1, 0, -1) if queue[i].packet.is_keyframe), 0)
                if newest:
                    self.stats.skipped += newest
                    for _ in range(newest):
                        queue.popleft()
                elif late > ENDLESS_BACKLOG:
                    self.stats.skipped += len(queue)
                    queue.clear()
                    self._need_keyframe = True
            self._changed.notify_all()


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling from half a second to `LONGEST_WAIT`, with jitter.

    The jitter keeps a hundred cameras behind one broken switch from knocking all at once.
    """
    longest = min(LONGEST_WAIT, 0.5 * 2.0 ** min(failures, 10))
    return longest * random.uniform(0.5, 1.0)
