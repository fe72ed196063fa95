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

from .clip import RAW, Template
from .clock import PacketClock, seconds_of
from .container import Connection, Opener, connect, explain, mends_itself
from .file import move
from .ring import FrameRing, PacketRing
from .source import Decoding, VideoSource

LONGEST_WAIT = 6.0  # seconds between two attempts to connect: pictures are back within ten seconds of the camera's return
BACKLOG = 3.0  # seconds of undecoded packets after which a slow consumer is moved to the newest keyframe
ENDLESS_BACKLOG = 10.0  # the same where no keyframe is waiting: drop all and wait for one
FINE = Fraction(1, 90_000)  # the time base where a stream brings no times of its own


@dataclass(frozen=True, slots=True)
class _Waiting:
    packet: av.Packet
    decoder: av.VideoCodecContext
    time_base: Fraction
    seconds: float  # joined
    arrival: float  # monotonic seconds


class _Burst:
    """The first packets of a connection: what the camera, or the search for its parameters, had kept back comes at once.

    They are held until packets come at the camera's own pace; then it is known when the first of them was due.
    """

    def __init__(self) -> None:
        self._held: list[tuple[av.Packet, float]] = []
        self._newest = self._now = 0.0

    def add(self, packet: av.Packet, stamp: float, arrival: float, waited: float) -> bool:
        """-> whether the burst is over with this packet (`stamp` seconds, `waited` for so long)."""
        step = stamp - self._newest if self._held else float("inf")
        self._held.append((packet, stamp))
        self._newest, self._now = stamp, arrival
        at_pace = waited > 0.001 and waited > 0.3 * step
        return at_pace or abs(stamp - self._held[0][1]) > ENDLESS_BACKLOG or len(self._held) > 500

    def arrivals(self) -> Iterator[tuple[av.Packet, float]]:
        """-> each packet, and when it would have come without being kept back (monotonic seconds)."""
        for packet, stamp in self._held:
            yield packet, self._now - min(max(0.0, self._newest - stamp), ENDLESS_BACKLOG)


def _stamp(packet: av.Packet, time_base: Fraction) -> float:
    return seconds_of(packet.dts if packet.dts is not None else packet.pts, time_base)


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
        keyframes: bool = False,
    ) -> None:
        super().__init__(camera, shown, None, fps_limit)
        self.timeout = timeout
        self._opener, self._reconnect, self._threads = opener, reconnect, threads
        self._keyframes = keyframes  # only these are decoded; the ring holds every packet
        self._ring_seconds, self._ring_bytes, self._start = ring_seconds, ring_bytes, start
        self._queue: deque[_Waiting] = deque()
        self._changed = Condition()
        self._ended = False
        self._error: SourceError | None = None
        self._decoding: Decoding | None = None
        self._need_keyframe = True
        self._came = False  # whether this connection has brought a packet
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
                    self._changed.wait(0.5)  # without a limit, Ctrl-C would not be heard on Windows
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
                    # Of keyframes alone the decoder may keep some back: the one that came out is not the one that went in.
                    held = waiting.seconds - (self._decoding.clock.zero or 0.0) if self._keyframes else 0.0
                    self.epoch = time.time() - (time.monotonic() - waiting.arrival) - held
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
        connection = connect(self._opener, self.shown, self._threads, self.timeout)
        decoder = connection.decoder
        if self.size == (0, 0):
            self.size = (decoder.width, decoder.height)
        if self.ring is None and self._ring_seconds > 0:
            if Template.of(connection.stream) is None:
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
        error: SourceError
        try:
            while not self._closing.is_set():
                self._came = False
                try:
                    if connection is None:
                        connection = self._connect()
                        self.stats.reconnects += was_connected
                        was_connected = True
                    self._read_connection(connection, clock)
                    error = SourceError(f"{self.shown} ended the stream")
                    if not self._reconnect:
                        return
                except SourceError as trouble:
                    error = trouble
                    if not self._reconnect or not (was_connected or mends_itself(trouble.__cause__)):
                        self._error = trouble
                        return
                finally:
                    if connection is not None:
                        connection.close()
                    connection = None
                self.stats.trouble = str(error)
                failures = 0 if self._came else failures + 1
                self._closing.wait(backoff(failures))
        except Exception as unforeseen:  # noqa: BLE001  whatever it is, the consumer must hear of it
            self._error = SourceError(explain(unforeseen, self.shown))
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _read_connection(self, connection: Connection, clock: PacketClock) -> None:
        """Packets until the stream ends or the source is closed. SourceError when it breaks."""
        template = Template.of(connection.stream) if isinstance(self.ring, PacketRing) else None
        base = FINE if connection.timeless else connection.time_base
        clock.new_stretch()
        self._need_keyframe = connection.decoder.name not in RAW
        first: _Burst | None = _Burst()

        def deliver(packet: av.Packet, arrival: float) -> None:
            if self._closing.is_set():
                return
            clock.place(_stamp(packet, base), arrival)
            self.stats.resets = clock.resets
            move(packet, clock.offset, base)
            if packet.pts is None:
                packet.pts = packet.dts
            if template is not None and isinstance(self.ring, PacketRing):
                self.ring.append(packet, base, template)
            self._hand_over(_Waiting(packet, connection.decoder, base, seconds_of(packet.pts, base), arrival))

        for packet, arrival, waited in self._packets(connection, base):
            if first is None:
                deliver(packet, arrival)
            elif first.add(packet, _stamp(packet, base), arrival, waited):
                for early, came in first.arrivals():
                    deliver(early, came)
                first = None
        for early, came in first.arrivals() if first else ():
            deliver(early, came)

    def _packets(self, connection: Connection, base: Fraction) -> Iterator[tuple[av.Packet, float, float]]:
        """-> each packet, when it came (monotonic seconds), and how long it was waited for."""
        failures = 0
        began = asked = time.monotonic()
        while True:
            try:
                for packet in connection.container.demux(connection.stream):
                    if self._closing.is_set() or not packet.size:
                        return
                    arrival = time.monotonic()
                    if arrival - asked >= self.timeout:  # the read was broken off; this is what the parser had left: a picture from before
                        raise SourceError(explain(TimeoutError(), self.shown, late=True))
                    failures = 0
                    self._came = True
                    self.stats.trouble = ""
                    self.stats.corrupt += packet.is_corrupt
                    if connection.timeless or (packet.pts is None and packet.dts is None):
                        packet.pts = packet.dts = round((arrival - began) / base)
                    yield packet, arrival, arrival - asked
                    asked = time.monotonic()
                return
            except (OSError, ValueError, av.error.FFmpegError) as error:
                if self._closing.is_set():
                    return
                late = time.monotonic() - asked > 0.9 * self.timeout
                if late or not isinstance(error, av.error.InvalidDataError) or failures >= 20:
                    raise SourceError(explain(error, self.shown, late=late)) from error
                self.stats.corrupt += 1
                failures += 1

    def _hand_over(self, waiting: _Waiting) -> None:
        if self._keyframes and not waiting.packet.is_keyframe:
            return
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
