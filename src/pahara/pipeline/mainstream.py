"""The main stream of a camera: read for evidence in full quality, not looked at; and how its clips stand in the sub-stream's time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from pahara.config import CameraPlan
from pahara.core import Frame, SourceError
from pahara.video import VideoSource, open_source
from pahara.video.files import ClipInfo
from pahara.video.live import backoff
from pahara.video.ring import MEGABYTE, Ring

log = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds that a read may take
RING_BYTES = 128 * MEGABYTE  # about a minute and a half of 4K
SPARE = 10.0  # seconds of packets beyond the longest clip
MINUTE = 90.0  # seconds of packets that continuous recording needs: a minute, and the longest usual group of pictures
SLACK = 0.5  # seconds by which the sub-stream must show more of a clip to be preferred

Opener = Callable[[CameraPlan], VideoSource]


def ring_seconds(plan: CameraPlan, *, recording: bool = False) -> float:
    """How much of the past a ring of this camera must hold."""
    clip = plan.evidence.before + plan.evidence.longest + plan.evidence.after + SPARE
    return max(clip, MINUTE) if recording else clip


def open_main(plan: CameraPlan, *, recording: bool = False) -> VideoSource:
    """The plan's main stream: every packet is kept in the ring, keyframes alone are decoded."""
    return open_source(
        str.__str__(plan.record), camera=plan.camera, timeout=TIMEOUT, wait=True, loop=True, keyframes=True, start=None,
        ring_seconds=ring_seconds(plan, recording=recording), ring_bytes=RING_BYTES,
    )  # fmt: skip


def paced(source: VideoSource, stopping: Event) -> Iterator[Frame]:
    """A film plays at the pace at which it was filmed, as a camera would."""
    began = time.monotonic()
    for frame in source:
        ahead = frame.time - (time.monotonic() - began)
        if ahead > 0 and stopping.wait(ahead):
            return
        yield frame


class MainStream:
    """Keeps the last packets of the main stream, in a thread of its own, for as long as it takes."""

    def __init__(self, plan: CameraPlan, now: Callable[[], float], *, opener: Opener = open_main) -> None:
        """`now` gives UTC seconds."""
        self.plan, self._now, self._opener = plan, now, opener
        self.said = ""  # why there is nothing of it
        self.frames = 0  # that were decoded
        self._source: VideoSource | None = None
        self._ready = False  # the source's time is known
        self._stopping = Event()
        self._thread = Thread(target=self._read, name=f"main stream {plan.camera}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End. What the ring holds can still be written."""
        self._stopping.set()
        if self._source is not None:
            self._source.close()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def ring(self) -> Ring | None:
        """Its last packets; None before the first picture."""
        return self._source.ring if self._source is not None and self._ready else None

    def leapt(self, seconds: float) -> None:
        """The machine's clock leapt."""
        if self._source is not None:
            self._source.epoch += seconds

    def _read(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            came = self.frames
            try:
                with self._opener(self.plan) as source:
                    self._ready, self._source = False, source
                    if not source.live:
                        source.epoch = self._now()
                    for _ in source if source.live else paced(source, self._stopping):
                        if self._stopping.is_set():
                            return
                        self.frames += 1
                        self._ready, self.said = True, ""
                self.said = "the main stream ended"
            except SourceError as problem:
                self._tell(str(problem))
            except Exception as problem:  # whatever a source does, it is tried again
                log.exception("camera %s: reading its main stream failed", self.plan.camera)
                self.said = f"reading failed: {type(problem).__name__}"
            failures = 0 if self.frames > came else failures + 1
            self._stopping.wait(backoff(failures))

    def _tell(self, said: str) -> None:
        if said != self.said:
            log.warning("camera %s: no main stream, its clips are those of the sub-stream: %s", self.plan.camera, said)
        self.said = said


class ShiftedRing:
    """The main stream's ring, asked in the sub-stream's media seconds; where it lacks what the sub-stream has, the sub-stream's.

    Both are anchored to UTC by when their first packets came, so they agree to about a tenth of a second.
    """

    def __init__(self, main: Callable[[], Ring | None], sub: VideoSource) -> None:
        self._main, self._sub = main, sub

    @property
    def epoch(self) -> float:
        """UTC seconds of media time 0: the sub-stream's."""
        return self._sub.epoch

    @epoch.setter
    def epoch(self, seconds: float) -> None:
        self._sub.epoch = seconds

    @property
    def span(self) -> tuple[float, float] | None:
        """The sub-stream's: what can be had in any case."""
        return self._sub.ring.span if self._sub.ring is not None else None

    @property
    def bytes(self) -> int:
        """Of both."""
        return sum(ring.bytes for ring in (self._main(), self._sub.ring) if ring is not None)

    @property
    def codec(self) -> str:
        """Of what a clip would be made of just now."""
        ring = self._main() or self._sub.ring
        return ring.codec if ring is not None else ""

    @property
    def plays_in_browser(self) -> bool:
        """See `Ring`."""
        ring = self._main() or self._sub.ring
        return ring is not None and ring.plays_in_browser

    def covers(self, begin: float, end: float) -> float:
        """See `Ring`."""
        main, sub = self._main(), self._sub.ring
        shift = self.epoch - main.epoch if main is not None else 0.0
        there = main.covers(begin + shift, end + shift) if main is not None else 0.0
        return max(there, sub.covers(begin, end) if sub is not None else 0.0)

    def write_clip(self, path: Path, begin: float, end: float, *, transcode: bool | None = None) -> ClipInfo:
        """From whichever shows more of it; the main stream where both do."""
        main, sub = self._main(), self._sub.ring
        if main is not None:
            shift = self.epoch - main.epoch
            there = main.covers(begin + shift, end + shift)
            if sub is None or (there > 0 and there >= sub.covers(begin, end) - SLACK):
                info = main.write_clip(path, begin + shift, end + shift, transcode=transcode)
                return replace(info, begin=info.begin - shift, end=info.end - shift)
        if sub is None:
            raise SourceError(f"camera {self._sub.camera} keeps no video")
        return sub.write_clip(path, begin, end, transcode=transcode)


__all__ = ["MainStream", "ShiftedRing", "open_main", "paced", "ring_seconds"]
