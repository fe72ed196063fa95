"""One watch of one source from the first frame to the report's summary; the command line and the demo run it."""

from __future__ import annotations

import signal
import threading
import time as clock
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pahara.core import Detector, Event, PaharaError, Signal, Subject
from pahara.report import RunFacts, RunSummary, SourceStats, SummaryCollector
from pahara.video.source import VideoSource
from pahara.video.writer import AnnotatedWriter

from .analyst import Analyst
from .record import Recorder
from .watch import Gate, Look, PoseStep, watch

if TYPE_CHECKING:
    from .learning import Learning

BLIND = 2.0  # seconds without a frame that count as not having watched


@dataclass
class Session:
    """What a watch needs, and what it has counted so far."""

    source: VideoSource
    detect: Detector
    analyst: Analyst
    collector: SummaryCollector
    gate: Gate | None = None
    signals: Sequence[Signal] = ()
    pose: PoseStep | None = None
    recorder: Recorder | None = None
    learning: Learning | None = None
    annotate: AnnotatedWriter | None = None
    seconds: float = float("inf")  # media seconds to watch
    title: str = ""
    detector_name: str = ""
    detector_note: str | Mapping[str, str] = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    said_instead: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what the detector says -> for which labels of the rules
    events: list[Event] = field(default_factory=list)  # every report, in order
    ongoing: dict[str, Subject] = field(default_factory=dict)  # events that have begun and not ended, by id
    frames: int = 0
    detected: int = 0
    time: float = 0.0  # media seconds of the last frame
    people: int = 0  # tracks in view at the last beat
    interrupted: bool = False
    _undrawn: list[str] = field(default_factory=list)
    _finishing: bool = False
    gaps: list[tuple[float, float]] = field(default_factory=list)  # blind time: media seconds from, to

    def run(self, tell: Callable[[Session, Look], None] | None = None) -> RunSummary:
        """Watch to the end, to `seconds`, or until Ctrl-C, which ends the watch after the frame at hand and keeps what was seen.

        `tell(session, look)` is called after each frame. The interruption is remembered in `interrupted`; a second Ctrl-C
        does not wait for the frame. Where the source or the detector fails for good, what was seen is kept before the error is raised.
        """
        cpu, wall = clock.process_time(), clock.perf_counter()
        with self._interruptible():
            try:
                for look in watch(self.source, self.detect, self.analyst, gate=self.gate, signals=self.signals, pose=self.pose):
                    self._see(look)
                    if tell is not None:
                        tell(self, look)
                    if self.interrupted or look.frame.time >= self.seconds:
                        break
            except KeyboardInterrupt:
                self.interrupted = True
            except BaseException:
                summary = self._finish(clock.process_time() - cpu, clock.perf_counter() - wall)
                if self.interrupted:  # the camera was closed under the reader's hands
                    return summary
                raise
            return self._finish(clock.process_time() - cpu, clock.perf_counter() - wall)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C lets the frame at hand be finished: a beat that behaviours have seen must reach the store, or a replay would differ."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, _: object) -> None:
            if self.interrupted and not self._finishing:
                signal.default_int_handler(number, None)
            self.interrupted = True
            if getattr(self.source, "live", False):  # it may be waiting for a camera; a handler must not wait for it
                threading.Thread(target=self.source.close, daemon=True).start()

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _see(self, look: Look) -> None:
        if self.frames and look.frame.time - self.time > BLIND:
            self.gaps.append((self.time, look.frame.time))
        self.frames += 1
        self.detected += look.detections is not None
        self.time = look.frame.time
        if self.recorder is not None:
            self.recorder.see(look)
        if self.collector.background.wants(look.frame.time):
            self.collector.background.add(look.frame.time, look.frame.image)
        if look.moment is not None:
            self.people = len(look.moment.scene.tracks)
            self.collector.see(look.moment.scene, look.moment.scores)
            for event in look.moment.events:
                self._event(event)
        if self.learning is not None:
            self.learning.see(look)
        if self.annotate is not None:
            alerts = {track for subject in self.ongoing.values() for track in subject}
            self._draw(lambda film: film.write(look.frame, self.analyst.scene, alerts))

    def _event(self, event: Event) -> None:
        self.events.append(event)
        if event.phase == "began":
            self.ongoing[event.id] = event.subject
        else:
            self.ongoing.pop(event.id, None)
        pictures = self.recorder.pictures.get(event.id) if self.recorder is not None else None
        held = event.id in self.held
        if pictures is None:
            self.collector.event(event, held=held)
        else:
            self.collector.event(event, snapshot=pictures.snapshot, thumbnail=pictures.thumbnail, explained=pictures.explained, held=held)

    def _finish(self, cpu: float, wall: float) -> RunSummary:
        self._finishing = True  # from here on Ctrl-C changes nothing: what was seen is being kept
        last = self.analyst.finish()
        if self.recorder is not None:
            self.recorder.finish(last)
        for event in last:
            self._event(event)
        if self.recorder is not None:
            for event_id, clip in self.recorder.clips.items():
                self.collector.evidence(event_id, clip=clip)
        if self.learning is not None:
            self.learning.finish()
        self._draw(lambda film: film.close())
        told = self.source.stats
        facts = RunFacts(
            frames=self.frames,
            detected=self.detected,
            wall_seconds=wall,
            cpu_seconds=cpu,
            fps=(self.frames - 1) / self.time if self.time > 0 else 0.0,
            detector=self.detector_name,
            detector_note=self.detector_note,
            versions=self.versions,
            judged=self.learning.judged if self.learning is not None else 0.0,
            unusual=self.learning.alarms if self.learning is not None else 0,
            budget=self.learning.budget if self.learning is not None else 0.0,
        )
        stats = SourceStats(corrupt_packets=told.corrupt, dropped_frames=told.skipped, reconnects=told.reconnects, gaps=tuple(self.gaps))
        return self.collector.finish(end=self.time, facts=facts, stats=stats, warnings=self.problems, title=self.title)

    @property
    def held(self) -> set[str]:
        """Ids of events that went beyond the alarm budget: kept, and nobody is told."""
        return self.recorder.held if self.recorder is not None else set()

    @property
    def problems(self) -> list[str]:
        """What could not be kept, in the user's words."""
        kept = [each.problems for each in (self.recorder, self.learning) if each is not None]
        return [*(problem for problems in kept for problem in problems), *self._undrawn]

    def _draw(self, work: Callable[[AnnotatedWriter], None]) -> None:
        """A film that cannot be written costs the film, not the watch."""
        if self.annotate is None:
            return
        try:
            work(self.annotate)
        except (PaharaError, OSError) as problem:
            self._undrawn.append(str(problem))
            self.annotate = None
