"""The last half minute of a camera, encoded: what happened before an event is still there when it is noticed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Protocol

import av

from pahara.core import Image, StoreError

from . import clip
from .clip import BROWSERS_PLAY, Entry, Template
from .files import ClipInfo
from .picture import jpeg, read_picture
from .pixels import UPRIGHT
from .writer import VideoWriter

MEGABYTE = 1 << 20
HOLE = 2.0  # seconds without a packet that count as a hole


class Ring(Protocol):
    """What a source keeps of its last seconds. Safe to read from another thread while the source runs."""

    epoch: float  # UTC seconds of media time 0

    @property
    def span(self) -> tuple[float, float] | None:
        """Media seconds of the oldest and newest frame held; None when empty."""

    @property
    def bytes(self) -> int: ...

    @property
    def codec(self) -> str:
        """As FFmpeg names it; "" before the first packet."""

    @property
    def plays_in_browser(self) -> bool:
        """Whether a browser plays the packets as they are; else a clip is encoded anew, which costs CPU."""

    def covers(self, begin: float, end: float) -> float:
        """Seconds of `begin` to `end` (media seconds) that it holds."""

    def write_clip(self, path: Path, begin: float, end: float, *, transcode: bool | None = None) -> ClipInfo: ...


class PacketRing:
    """Encoded packets of the last `seconds`, at most `max_bytes`; it always starts at a keyframe."""

    def __init__(self, seconds: float = 30.0, max_bytes: int = 64 * MEGABYTE, *, camera: str = "camera") -> None:
        self.seconds, self.max_bytes, self.camera = seconds, max_bytes, camera
        self.epoch = 0.0
        self.zero = 0.0  # joined seconds of media time 0
        self.orientation = UPRIGHT
        self._groups: deque[list[Entry]] = deque()  # each begins with a keyframe
        self._resized: dict[Template, Template] = {}
        self._bytes = 0
        self._lock = Lock()

    def append(self, packet: av.Packet, time_base: Fraction, template: Template) -> None:
        """`packet` with joined timestamps. Before the first keyframe, and without timestamps, it is not kept."""
        if packet.pts is None or not packet.size:
            return
        with self._lock:
            template = self._resized.get(template, template)
            entry = Entry(packet, time_base, packet.is_keyframe, template)
            oldest = entry.seconds - self.seconds
            if entry.keyframe:
                self._groups.append([entry])
            elif self._groups and self._groups[-1][-1].template is template:
                self._groups[-1].append(entry)
            else:
                return
            self._bytes += packet.size
            while len(self._groups) > 1 and (self._groups[1][0].seconds <= oldest or self._bytes > self.max_bytes):
                self._drop_oldest()
            if self._bytes > self.max_bytes:  # one endless group of pictures: wait for the next keyframe
                self._drop_oldest()

    def resize(self, since: float, size: tuple[int, int]) -> None:
        """The decoder found that pictures have another coded `size` since the one at joined second `since`."""
        with self._lock:
            for i, group in enumerate(self._groups):
                old = group[0].template
                if group[0].seconds >= since - 1e-6 and old.size != size:
                    first = next((t for t, new in self._resized.items() if new is old), old)
                    if self._resized.get(first, old).size != size:
                        self._resized[first] = first.resized(size)
                    self._groups[i] = [replace(entry, template=self._resized[first]) for entry in group]

    def _drop_oldest(self) -> None:
        self._bytes -= sum(entry.packet.size for entry in self._groups.popleft())

    def clear(self) -> None:
        with self._lock:
            self._groups.clear()
            self._bytes = 0

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def span(self) -> tuple[float, float] | None:
        with self._lock:
            if not self._groups:
                return None
            newest = max(entry.seconds for entry in self._groups[-1])
            return max(0.0, round(self._groups[0][0].seconds - self.zero, 6)), max(0.0, round(newest - self.zero, 6))

    @property
    def codec(self) -> str:
        with self._lock:
            return self._groups[-1][-1].template.codec if self._groups else ""

    @property
    def plays_in_browser(self) -> bool:
        return self.codec in BROWSERS_PLAY

    def write_clip(self, path: Path, begin: float, end: float, *, transcode: bool | None = None) -> ClipInfo:
        """Media seconds `begin` to `end` -> mp4, from the last keyframe at or before `begin`.

        H.264, VP9 and AV1 are remuxed: nothing is decoded, so it costs almost no CPU. What a browser may not play
        (H.265, MPEG-4, Motion JPEG …) is encoded as H.264 and cut exactly, since evidence is there to be seen.
        `transcode=False` remuxes in any case, to mkv where mp4 cannot hold the codec; `True` encodes in any case.
        A clip across a change of codec or size keeps the stretch that covers more of it. StoreError when the
        ring holds nothing of it, or the disk is full.
        """
        entries = self._between(begin, end)
        if not entries:
            raise _nothing(self.camera, begin, end, self.span)
        if transcode or (transcode is None and entries[0].template.codec not in BROWSERS_PLAY):
            return clip.transcode(entries, path, begin, end, zero=self.zero, epoch=self.epoch, orientation=self.orientation)
        return clip.remux(entries, path, zero=self.zero, epoch=self.epoch)

    def covers(self, begin: float, end: float) -> float:
        """Seconds of `begin` to `end` (media seconds) that it holds, holes of more than `HOLE` seconds left out."""
        with self._lock:
            times = sorted(entry.seconds - self.zero for group in self._groups for entry in group)
        return _covered(times, begin, end)

    def cut(self, after: float, until: float, *, rest: bool = False) -> list[list[Entry]]:
        """Whole groups of pictures whose keyframe stands after joined second `after` and before media second `until`.

        The newest group still grows, and is left for the next cut; with `rest` it is taken as it is.
        """
        with self._lock:
            groups = [*self._groups] if rest else list(self._groups)[:-1]
            return [list(group) for group in groups if group[0].seconds > after and group[0].seconds - self.zero < until]

    def _between(self, begin: float, end: float) -> Sequence[Entry]:
        begin, end = begin + self.zero, end + self.zero
        with self._lock:
            groups = list(self._groups)
            newest = list(groups[-1]) if groups else []  # it still grows
        if not groups:
            return ()
        groups[-1] = newest
        first = max((i for i, group in enumerate(groups) if group[0].seconds <= begin + 1e-6), default=0)
        stretches: dict[object, list[Entry]] = {}
        for group in groups[first:]:
            if group[0].seconds <= end + 1e-6:
                stretches.setdefault(group[0].template.parameters, []).extend(group)
        best: list[Entry] = []
        covered = -1.0
        for stretch in stretches.values():
            share = min(end, stretch[-1].seconds) - max(begin, stretch[0].seconds)
            if stretch[-1].seconds >= begin - 1e-6 and share > covered:
                best, covered = stretch, share
        if not best:
            return ()
        key = best[0].seconds
        last = max((i for i, entry in enumerate(best) if entry.seconds <= end + 1e-6), default=0)
        # Pictures shown before their keyframe lean on the group before it, which is not there.
        return [entry for entry in best[: last + 1] if entry.seconds >= key]


class FrameRing:
    """JPEG pictures of the last `seconds`, for sources without packets; a clip is encoded as H.264 when it is written."""

    codec = "mjpeg"
    plays_in_browser = True  # a clip is always H.264

    def __init__(
        self,
        seconds: float = 30.0,
        max_bytes: int = 64 * MEGABYTE,
        *,
        camera: str = "camera",
        fps: float = 10.0,
        quality: int = 85,
    ) -> None:
        """Keeps at most `fps` pictures a second; `quality` is JPEG's, 0..100."""
        self.seconds, self.max_bytes, self.camera, self.fps, self.quality = seconds, max_bytes, camera, fps, quality
        self.epoch = 0.0
        self._held: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._lock = Lock()

    def append(self, image: Image, time: float) -> None:
        """A BGR picture at media second `time`."""
        if self.wants(time):
            self.append_jpeg(jpeg(image, self.quality), time)

    def wants(self, time: float) -> bool:
        """Whether a picture at `time` would be kept."""
        with self._lock:
            return not self._held or time >= self._held[-1][0] + 0.95 / self.fps

    def append_jpeg(self, encoded: bytes, time: float) -> None:
        """A picture that is JPEG already, or anything that OpenCV reads."""
        with self._lock:
            self._held.append((time, encoded))
            self._bytes += len(encoded)
            while len(self._held) > 1 and (self._held[1][0] <= time - self.seconds or self._bytes > self.max_bytes):
                self._bytes -= len(self._held.popleft()[1])

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._bytes = 0

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def span(self) -> tuple[float, float] | None:
        with self._lock:
            return (self._held[0][0], self._held[-1][0]) if self._held else None

    def covers(self, begin: float, end: float) -> float:
        """Seconds of `begin` to `end` (media seconds) that it holds, holes of more than `HOLE` seconds left out."""
        with self._lock:
            times = [time for time, _ in self._held]
        return _covered(times, begin, end)

    def write_clip(self, path: Path, begin: float, end: float, *, transcode: bool | None = None) -> ClipInfo:  # noqa: ARG002
        """Media seconds `begin` to `end` -> H.264 in mp4. StoreError when the ring holds nothing of it, or the disk is full."""
        with self._lock:
            held = [(time, encoded) for time, encoded in self._held if begin - 1e-6 <= time <= end + 1e-6]
        if not held:
            raise _nothing(self.camera, begin, end, self.span)
        path = path.with_suffix(".mp4")
        with VideoWriter(path, epoch=self.epoch) as writer:
            for time, encoded in held:
                image = read_picture(encoded)
                if image is not None:
                    writer.write(image, time)
        return writer.info


def _covered(times: Sequence[float], begin: float, end: float) -> float:
    return sum(min(b, end) - max(a, begin) for a, b in pairwise(times) if b - a <= HOLE and b > begin and a < end)


def _nothing(camera: str, begin: float, end: float, span: tuple[float, float] | None) -> StoreError:
    holds = f"it holds {span[0]:.1f} s to {span[1]:.1f} s" if span else "it is empty"
    return StoreError(
        f"no video of camera {camera!r} from {begin:.1f} s to {end:.1f} s is left in its ring: {holds}; a longer ring keeps more"
    )
