"""Timestamps as cameras and files give them -> media time: seconds from 0, strictly increasing."""

from __future__ import annotations

from fractions import Fraction
from statistics import median

BACKWARD = 1.0  # seconds: a clock that falls back further has been reset; less, and its frames are dropped until it catches up
AHEAD = 10.0  # seconds that a live camera's clock may run ahead of ours between two packets before it counts as reset
FILE_GAP = 3600.0  # seconds: a longer hole inside a file is a broken timestamp, not a pause of the recorder


def seconds_of(ticks: int, time_base: Fraction) -> float:
    """As float(ticks * time_base), at a tenth of its cost: this is asked several times a frame."""
    return ticks * time_base.numerator / time_base.denominator


def ticks_of(seconds: float, time_base: Fraction) -> int:
    """The nearest tick; as round(seconds / time_base)."""
    return round(seconds / (time_base.numerator / time_base.denominator))


class PacketClock:
    """Joins stretches of timestamps (connections, loops, resets, wraps) into one line.

    Works on packets, in decoding order, so that the ring and the decoder see the same times. After a reconnect
    or a reset, a live stream goes on where our own clock stands, counted from the first packet, so that a
    thousand reconnects do not add up to an error; a file goes on one frame's step later.
    """

    def __init__(self, *, live: bool, step: float) -> None:
        """`step` is the nominal time between frames, seconds."""
        self.live, self.step = live, step
        self.offset = 0.0  # seconds to add to this stretch's timestamps
        self.resets = 0  # jumps of the camera's clock that were joined
        self._last: float | None = None  # latest joined time
        self._began = 0.0  # arrival of the first packet
        self._last_arrival = 0.0
        self._fresh = True

    def new_stretch(self) -> None:
        """The next timestamp belongs to a new connection or a new round of a loop."""
        self._fresh = True

    def place(self, stamp: float, arrival: float) -> float:
        """One packet's timestamp (seconds, decoding order) and when it arrived (monotonic seconds) -> joined seconds."""
        waited = max(0.0, arrival - self._last_arrival)
        if self._last is None:
            self.offset = -stamp
            self._began = arrival
        else:
            jump = stamp + self.offset - self._last
            farthest = waited + AHEAD if self.live else FILE_GAP
            reset = not -BACKWARD <= jump <= farthest
            if self._fresh or reset:
                self.resets += reset and not self._fresh
                follows = self._last + self.step
                self.offset = (max(follows, arrival - self._began) if self.live else follows) - stamp
        self._fresh = False
        self._last_arrival = arrival
        joined = stamp + self.offset
        self._last = joined if self._last is None else max(self._last, joined)
        return joined


class FrameClock:
    """Decoded frames' times -> media time. The first frame is at 0.0; a frame whose clock stood still or ran backwards is dropped."""

    def __init__(self, step: float) -> None:
        """`step` is the nominal time between frames, seconds: the estimate where a frame has no timestamp."""
        self.zero: float | None = None  # joined seconds of media time 0
        self.dropped = 0
        self.longest_gap = 0.0  # seconds between two frames
        self._step = step
        self._last: float | None = None
        self._steps: list[float] = []  # the latest distances, to learn the real step

    def time(self, joined: float | None) -> float | None:
        """Joined seconds, or None for a frame without timestamp -> media seconds, or None to drop it."""
        if self._last is None:
            self.zero = 0.0 if joined is None else joined
            self._last = 0.0
            return 0.0
        assert self.zero is not None
        if joined is None:
            now = round(self._last + self._step, 6)
        else:
            now = round(joined - self.zero, 6)
            if now <= self._last:
                self.dropped += 1
                return None
            self._learn(now - self._last)
        self.longest_gap = max(self.longest_gap, now - self._last)
        self._last = now
        return now

    def _learn(self, step: float) -> None:
        if len(self._steps) < 15:
            self._steps.append(step)
            if len(self._steps) == 15:
                self._step = median(self._steps)
