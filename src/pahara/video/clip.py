"""Encoded packets -> a clip, without decoding them; or through H.264, for codecs that a browser does not play."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import IO

import av

from pahara.core import StoreError

from .clock import seconds_of
from .files import ClipInfo, new_file
from .pixels import UPRIGHT, Orientation, to_image
from .writer import VideoWriter

BROWSERS_PLAY = frozenset({"h264", "av1", "libdav1d", "vp9", "libvpx-vp9"})  # in mp4, on every current browser
MP4_HOLDS = BROWSERS_PLAY | {"hevc", "mpeg4", "mjpeg", "mpeg2video", "mpeg1video"}
RAW = frozenset({"rawvideo", "wrapped_avframe", "v210"})  # too big to be kept as packets


@dataclass(frozen=True, slots=True)
class Entry:
    """One packet in the ring."""

    packet: av.Packet  # its timestamps are joined (see PacketClock), in `time_base`
    time_base: Fraction
    keyframe: bool
    template: Template

    @property
    def seconds(self) -> float:
        """Joined seconds of its picture."""
        return seconds_of(self.packet.pts, self.time_base)


class Template:
    """What a muxer must know of a stream (codec, size, parameter sets, rotation), kept after the stream itself is closed."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.codec: str = stream.codec_context.name
        self.size = (stream.codec_context.width, stream.codec_context.height)
        self.in_band = False  # whether the parameter sets must be looked for in the packets
        self._home = av.open(io.BytesIO(), "w", format="matroska")  # holds any codec; nothing is ever written to it
        self._stream = self._home.add_stream_from_template(stream, opaque=True)
        self.parameters: tuple[object, ...] = (self.codec, stream.codec_context.extradata, *self.size)

    @classmethod
    def of(cls, stream: av.VideoStream) -> Template | None:
        """None for raw pictures, and for codecs that no file can hold."""
        if stream.codec_context.name in RAW:
            return None
        try:
            return cls(stream)
        except ValueError:
            return None

    def resized(self, size: tuple[int, int]) -> Template:
        """The same stream after its pictures changed their size: its parameter sets come within its packets from then on."""
        new = copy(self)
        new.size, new.in_band, new.parameters = size, True, (self.codec, None, *size)
        return new

    def add_to(self, container: av.container.OutputContainer) -> av.VideoStream:
        if self.in_band:
            return container.add_mux_stream(self.codec, width=self.size[0], height=self.size[1])
        return container.add_stream_from_template(self._stream, opaque=True)


def remux(entries: Sequence[Entry], path: Path, *, zero: float = 0.0, epoch: float = 0.0) -> ClipInfo:
    """Packets (one template, from a keyframe on, decoding order) -> a file; the pictures are not touched.

    `zero` is the joined time of media second 0, `epoch` its UTC seconds.
    """
    codec = entries[0].template.codec
    if path.suffix.lower() == ".mp4" and codec not in MP4_HOLDS:
        path = path.with_suffix(".mkv")
    times = [round(entry.seconds - zero, 6) for entry in entries]
    with new_file(path) as temporary:
        _mux(entries, str(temporary), path.suffix, epoch + times[0] if epoch else 0.0)
    return ClipInfo(path, max(0.0, times[0]), max(times), path.stat().st_size, True, codec, codec in BROWSERS_PLAY)


def _mux(entries: Sequence[Entry], target: str | IO[bytes], suffix: str, epoch: float) -> None:
    kind = "mp4" if suffix.lower() == ".mp4" else "matroska"
    container = av.open(target, "w", format=kind, options={"movflags": "+faststart"} if kind == "mp4" else {})
    try:
        if epoch:
            container.metadata["creation_time"] = datetime.fromtimestamp(epoch, UTC).isoformat()
        stream = entries[0].template.add_to(container)
        first = min(entry.packet.pts for entry in entries)
        for entry, dts in zip(entries, _decoding_times(entries), strict=True):
            old = entry.packet
            new = av.Packet(old)  # shares the bytes; the old one may be in use elsewhere
            new.time_base, new.pts, new.dts = entry.time_base, old.pts - first, dts - first
            new.duration, new.is_keyframe, new.stream = old.duration or 0, entry.keyframe, stream
            container.mux_one(new)
    except BaseException:
        _close_quietly(container)
        raise
    container.close()


def _close_quietly(container: av.container.OutputContainer) -> None:
    try:
        container.close()
    except (OSError, av.error.FFmpegError):
        return  # the first error is the one to tell


def _decoding_times(entries: Sequence[Entry]) -> list[int]:
    """Decoding timestamps that muxers accept: strictly increasing and never after the picture's own time.

    The stream's own where they are sound; else the sorted picture times, moved back by the longest reordering.
    """
    own = [entry.packet.dts for entry in entries]
    shown = [entry.packet.pts for entry in entries]
    if None not in own and all(a < b for a, b in pairwise(own)) and all(d <= p for d, p in zip(own, shown, strict=True)):
        return own
    ordered = sorted(shown)
    delay = max(a - b for a, b in zip(ordered, shown, strict=True))
    times: list[int] = []
    for stamp in ordered:
        times.append(max(stamp - delay, times[-1] + 1) if times else stamp - delay)
    return times


def transcode(
    entries: Sequence[Entry],
    path: Path,
    begin: float,
    end: float,
    *,
    zero: float = 0.0,
    epoch: float = 0.0,
    orientation: Orientation = UPRIGHT,
) -> ClipInfo:
    """Packets -> H.264 in mp4, cut to the frames from `begin` to `end` (media seconds)."""
    memory = io.BytesIO()
    _mux(entries, memory, ".mkv", 0.0)
    memory.seek(0)
    start = min(entry.seconds for entry in entries) - zero
    path = path.with_suffix(".mp4")
    with VideoWriter(path, epoch=epoch) as writer, av.open(memory) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and begin - 1e-3 <= start + frame.time <= end + 1e-3:
                writer.write(to_image(frame, orientation), start + frame.time)
        if not writer.frames:
            raise StoreError(f"no frame between {begin:.1f} s and {end:.1f} s could be decoded for {path}")
    return writer.info
