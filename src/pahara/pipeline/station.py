"""One camera of an always-on watch: a thread that reads, an analyst that thinks, a ledger of when it was blind."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Event, Lock, RLock, Thread
from typing import TYPE_CHECKING, Literal

from pahara.config import CameraPlan, Config
from pahara.config.labels import fit_labels
from pahara.core import Detections, Frame, Image, PaharaError, Scene, Signal, SourceError
from pahara.core import Event as Report
from pahara.store import Blind, DiskFullError, Store
from pahara.video import VideoSource, open_source
from pahara.video.live import backoff
from pahara.video.ring import Ring

from .analyst import Analyst
from .health import over, trouble
from .keeper import Keeper
from .mainstream import RING_BYTES, MainStream, ShiftedRing, open_main, paced, ring_seconds
from .record import Recorder
from .setup import analyst_of, recorder_of, taught
from .slot import Arrived, Slot
from .tape import tape_of
from .watch import Gate, Look, PoseStep

if TYPE_CHECKING:
    from .learning import Learning

log = logging.getLogger(__name__)

STALLED = 4.0  # seconds without a picture after which a camera counts as stalled
OFFLINE = 12.0  # seconds without a picture after which its owner is told
BLIND = 2.0  # seconds without a picture that stand in the ledger
TIMEOUT = 5.0  # seconds that a read of a network camera may take
AGAIN = 5.0  # seconds before a camera whose thinking failed is tried again
FULL_AGAIN = 10.0  # seconds between two looks whether a full disk has room again
ROOM = 4 << 20  # bytes free that count as room
JUMP = 5.0  # seconds by which the machine's clock must leap to be called a leap

State = Literal["starting", "watching", "stalled", "offline", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class Status:
    """One camera just now."""

    camera: str
    name: str
    state: State
    why: str  # what the camera or the system said; "" when all is well
    size: tuple[int, int]  # pixels; (0, 0) before the first picture
    frames: int  # that came
    looks: int  # that were thought about
    detected: int  # that the detector saw
    dropped: int  # that were due and pushed out by newer ones
    skipped: int  # packets passed over because reading was too slow
    corrupt: int
    reconnects: int
    fps: float  # frames a second over the last seconds
    last: float  # UTC seconds of the last picture; 0 before the first
    people: int  # tracks in view
    latency: float  # seconds from a picture's coming to its being thought about, smoothed
    blind: float  # UTC seconds since when it is blind; 0 when it sees
    problems: tuple[str, ...] = ()


class Clock:
    """The wall's time, counted on by the monotonic clock: a leap of the wall clock is noticed, never mistaken for a pause."""

    def __init__(self, utc: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._utc, self.steady = utc, steady
        self.offset = utc() - steady()

    def now(self) -> float:
        """UTC seconds."""
        return self.steady() + self.offset

    def leap(self) -> float:
        """Seconds by which the wall clock leapt since the last call (0 for less than `JUMP`); from now on the new time counts."""
        by = self._utc() - self.steady() - self.offset
        if abs(by) < JUMP:
            self.offset += 0.1 * by  # a clock that is being steered: follow it gently
            return 0.0
        self.offset += by
        return by


@dataclass
class _Watch:
    """What lasts as long as the picture keeps its size."""

    analyst: Analyst
    recorder: Recorder | None
    gate: Gate | None
    signals: tuple[Signal, ...]
    size: tuple[int, int]
    pose: PoseStep | None = None
    learning: Learning | None = None
    ongoing: dict[str, tuple[int, ...]] = field(default_factory=dict)  # event id -> subject


Publish = Callable[[Report], None]
Opener = Callable[[CameraPlan], VideoSource]


def open_live(plan: CameraPlan) -> VideoSource:
    """The plan's source for an always-on watch: a camera may still be off, and a film begins again at its end."""
    return open_source(
        str.__str__(plan.source), camera=plan.camera, timeout=TIMEOUT, wait=True, loop=True, ring_seconds=ring_seconds(plan), start=None
    )


def open_recorded(plan: CameraPlan) -> VideoSource:
    """As `open_live`, with a ring for continuous recording."""
    return open_source(
        str.__str__(plan.source), camera=plan.camera, timeout=TIMEOUT, wait=True, loop=True, start=None,
        ring_seconds=ring_seconds(plan, recording=True), ring_bytes=RING_BYTES,
    )  # fmt: skip


class Station:
    """Reads one camera in a thread of its own into a slot; `look` is called by whoever runs the detector.

    `rate`: looks a second at most. `publish` is called, in the keeper's thread, with each report once it is stored.
    """

    def __init__(
        self,
        plan: CameraPlan,
        config: Config,
        store: Store,
        keeper: Keeper,
        bell: Condition,
        publish: Publish,
        *,
        detector_name: str,
        names: tuple[str, ...] = (),
        rate: float = 5.0,
        clock: Clock | None = None,
        opener: Opener = open_live,
    ) -> None:
        self.plan, self.said = fit_labels(plan, names)
        self.config, self.store, self.keeper, self.publish = config, store, keeper, publish
        self.detector_name, self.names, self.rate = detector_name, names, rate
        self.clock = clock or Clock()
        self.slot = Slot(bell)
        self.frames = self.looks = self.detected = 0
        self.latest: Arrived | None = None
        records = config.recording.enabled
        self._opener = open_recorded if records and opener is open_live and not plan.record else opener
        self._main = MainStream(plan, self.clock.now, opener=partial(open_main, recording=records)) if plan.record else None
        self._tape = tape_of(config, plan.camera, store, keeper, self._evidence_ring, self._disk_full)
        self._source: VideoSource | None = None
        self._watch: _Watch | None = None
        self._stopping = Event()
        self._guard = Lock()  # of what both the reader and the supervisor change
        self._thinking = RLock()  # held while a frame is thought about
        self._said = ""  # why there is no picture
        self._last = self.clock.steady()  # monotonic seconds of the last picture; at first, of the beginning
        self._seen_utc = 0.0
        self._rate: list[float] = []  # monotonic seconds of the last pictures
        self._latency = 0.0
        self._due = float("-inf")
        self._blind: tuple[float, float, Blind | None] | None = None  # begin UTC, begin steady, its row
        self._offline: Report | None = None
        self._failure: Report | None = None
        self._failed_at = float("-inf")
        self._full: Report | None = None  # the disk is full: what was told of it
        self._full_kept, self._full_due = False, 0.0  # whether that is stored; monotonic seconds of the next try
        self._wrong: str = ""
        self._thread = Thread(target=self._read, name=f"camera {plan.camera}", daemon=True)

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self, off_since: float = 0.0) -> None:
        """Begin to read. `off_since`: UTC seconds since when nobody watched it; 0 when nobody knows."""
        for left in self.store.blind.open(self.plan.camera):  # a killed program could not end it
            off_since = min(off_since, left.begin) if off_since else left.begin
            self.store.blind.end(left, max(left.begin, off_since))
        begin = off_since or self.clock.now()
        self._blind = (begin, self.clock.steady() - (self.clock.now() - begin), self._keep_blind(begin, "off"))
        self._thread.start()
        if self._main is not None:
            self._main.start()

    def stop(self, timeout: float = 5.0) -> None:
        """No more pictures. What is going on ends now and is handed to the keeper."""
        self._stopping.set()
        if self._source is not None:
            self._source.close()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if self._main is not None:
            self._main.stop()
        self.slot.clear()
        self.end_watch()
        if self._tape is not None:
            self._tape.cut(rest=True)
        if self._offline is not None:
            self._tell(over(self._offline, self.clock.now()))
            self._offline = None
        if self._blind is not None and self._blind[2] is not None:
            self._end_blind()

    @property
    def alive(self) -> bool:
        """Whether it still reads."""
        return not self._stopping.is_set()

    # -- reading (its own thread) --------------------------------------------------------------------------------

    def _read(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            came = self.frames
            try:
                with self._opener(self.plan) as source:
                    self._source = source
                    if not source.live:
                        source.epoch = self.clock.now()
                    for frame in source if source.live else paced(source, self._stopping):
                        if self._stopping.is_set():
                            return
                        self._arrived(frame)
                self._said = f"{self.plan.source_shown} ended"
            except SourceError as problem:
                self._said = str(problem)
            except Exception as problem:  # whatever a source does, the camera is tried again
                log.exception("camera %s: reading failed", self.plan.camera)
                self._said = f"reading failed: {type(problem).__name__}"
            failures = 0 if self.frames > came else failures + 1
            self._stopping.wait(backoff(failures))

    def _arrived(self, frame: Frame) -> None:
        now = self.clock.steady()
        with self._guard:
            self.frames += 1
            self._last, self._seen_utc = now, self.clock.now()
            self._rate = [*self._rate[-50:], now]
            if self._blind is not None:
                self._end_blind()
        arrived = Arrived(frame, now)
        self.latest = arrived
        if frame.time < self._due - 1e-6 and self._due - frame.time <= 1 / self.rate:
            return
        late = frame.time - self._due
        self._due = frame.time + 1 / self.rate - (late if 0 <= late < 1 / self.rate else 0.0)
        self.slot.put(frame, now)

    # -- thinking (the detector's thread) ------------------------------------------------------------------------

    def take(self) -> Arrived | None:
        """The newest frame that is due, once; None while a failure rests."""
        if not self.alive or self.clock.steady() - self._failed_at < AGAIN:
            return None
        return self.slot.take()

    def wants_detector(self, arrived: Arrived) -> bool:
        """Whether the detector should see this frame."""
        with self._thinking:
            watch = self._watch_of(arrived.frame)
        return watch.gate is None or watch.gate.look(arrived.frame, watch.analyst.busy)

    def look(self, arrived: Arrived, detections: Detections | None) -> None:
        """One frame and what the detector saw in it; None when it was spared."""
        with self._thinking:
            if self.alive:
                self._look(arrived, detections)

    def _look(self, arrived: Arrived, detections: Detections | None) -> None:
        frame, watch = arrived.frame, self._watch_of(arrived.frame)
        values: Mapping[str, float] = {name: value for signal in watch.signals for name, value in signal(frame).items()}
        moment = watch.analyst.look(frame.time, detections, values, None if watch.pose is None else partial(watch.pose, frame))
        self.looks += 1
        self.detected += detections is not None
        self._latency += 0.1 * (self.clock.steady() - arrived.at - self._latency)
        if self._failure is not None:
            self._tell(over(self._failure, self.clock.now()))
            self._failure, self._wrong = None, ""
        if moment is None:
            return
        if watch.learning is not None:
            watch.learning.see(Look(frame, detections, moment))
        began = [event for event in moment.events if event.phase == "began"]
        for event in moment.events:
            if event.phase == "began":
                watch.ongoing[event.id] = event.subject
            else:
                watch.ongoing.pop(event.id, None)
        if watch.recorder is not None:
            # A frame holds the decoder's memory: only what an event will show waits for the disk.
            kept = Look(frame if began else Frame(frame.camera, frame.time, frame.size, _no_picture), detections, moment)
            self.keeper.put(partial(self._keep, watch.recorder, kept), must=bool(moment.events))

    def failed(self, problem: BaseException) -> None:
        """Thinking about this camera failed: it rests a little, and begins anew; the others go on."""
        log.error("camera %s: %s", self.plan.camera, problem, exc_info=problem)
        self._failed_at = self.clock.steady()
        self._wrong = f"{type(problem).__name__}: {problem}"[:200] if not isinstance(problem, PaharaError) else str(problem)
        self._watch = None  # whatever state it is in: nothing of it is asked again
        if self._failure is None:
            now = self.clock.now()
            self._failure = trouble("camera_failed", self.plan.camera, now, now, said=self._wrong)
            self._tell(self._failure)

    def _watch_of(self, frame: Frame) -> _Watch:
        if self._watch is not None and self._watch.size != frame.size:
            log.info("camera %s: pictures are now %d x %d", self.plan.camera, *frame.size)
            self.end_watch()
        if self._watch is None:
            source = self._source
            if source is None:
                raise SourceError(f"camera {self.plan.camera} has no source")
            recorder = None
            try:
                recorder = recorder_of(
                    self.plan, source, self.store, config=self.config, detector_name=self.detector_name, classes=self.names,
                    ring=ShiftedRing(self._main_ring, source) if self._main is not None else None,
                )  # fmt: skip
            except DiskFullError as problem:  # it watches on, and tells, though nothing can be kept
                self._disk_full(str(problem))
            plan, signals, learning = taught(self.plan, recorder, self.config, background=True)
            analyst = analyst_of(plan, source)
            self._watch = _Watch(analyst, recorder, self.plan.make_gate(), signals, frame.size, self.plan.make_pose(), learning)
        return self._watch

    def end_watch(self) -> None:
        """What goes on ends now; the next frame begins a new recording."""
        had = self._thinking.acquire(timeout=2.0)  # what hangs is not waited for
        try:
            watch, self._watch = self._watch, None
            if watch is None:
                return
            last = watch.analyst.finish()
        finally:
            if had:
                self._thinking.release()
        if watch.recorder is not None:
            recorder = watch.recorder

            def finish() -> None:
                recorder.finish(last)
                if watch.learning is not None:
                    watch.learning.finish()
                for event in last:
                    self.publish(event)

            self.keeper.put(finish)

    # -- keeping (the keeper's thread) ---------------------------------------------------------------------------

    def _keep(self, recorder: Recorder, look: Look) -> None:
        before = len(recorder.problems)
        recorder.see(look)
        for event in look.moment.events if look.moment is not None else ():
            self.publish(event)
        for problem in recorder.problems[before:]:
            if "disk full" in problem:
                self._disk_full(problem)

    def _disk_full(self, said: str) -> None:
        if self._full is None:
            now = self.clock.now()
            self._full, self._full_kept = trouble("disk_full", self.plan.camera, now, now, said=said), False
            self.publish(self._full)

    def _settle_full(self) -> None:
        """What was told of a full disk is stored as soon as that is possible, and ends when there is room."""
        full = self._full
        if full is None:
            return
        try:
            room = shutil.disk_usage(self.store.evidence.folder).free >= ROOM
        except OSError:
            room = False
        if self._full_kept and not room:
            return
        event = over(full, self.clock.now()) if room else full
        try:
            self.store.save_event(event)
        except PaharaError:  # still full: the next try
            return
        self._full_kept = True
        if room:
            self._full = None
            self.publish(event)

    def _tell(self, event: Report) -> None:
        def keep() -> None:
            try:
                self.store.save_event(event)
            finally:
                self.publish(event)

        self.keeper.put(keep)

    # -- supervising ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Called about twice a second: is it blind, is it time to tell?"""
        steady, now = self.clock.steady(), self.clock.now()
        if self._tape is not None and self.alive:
            self._tape.check(now)
        if self._full is not None and steady >= self._full_due:
            self._full_due = steady + FULL_AGAIN
            self.keeper.put(self._settle_full, must=False)
        silent = steady - self._last
        with self._guard:
            if self._blind is None and silent > BLIND:
                begin = now - silent
                why = "stalled" if self._source is not None and not self._source.stats.trouble else "offline"
                self._blind = (begin, self._last, self._keep_blind(begin, why))
        if self._offline is None and silent >= OFFLINE and self.alive:
            self._offline = trouble("offline", self.plan.camera, now - silent, now, limit=OFFLINE, said=self.why)
            self._tell(self._offline)
        elif self._offline is not None and silent < BLIND:
            self._tell(over(self._offline, now))
            self._offline = None

    def leapt(self, seconds: float) -> None:
        """The machine's clock leapt: what is seen from now on bears the new time, in a new recording."""
        if self._tape is not None:
            self._tape.cut()
        if self._source is not None:
            self._source.epoch += seconds
        if self._main is not None:
            self._main.leapt(seconds)
        self.end_watch()

    def _main_ring(self) -> Ring | None:
        return self._main.ring if self._main is not None else None

    def _evidence_ring(self) -> Ring | None:
        """What continuous recording writes: the main stream, where the camera has one."""
        if self._main is not None:
            return self._main.ring
        return self._source.ring if self._source is not None and self.frames else None

    @property
    def why(self) -> str:
        """Why there is no picture, as the camera or the system said it."""
        source = self._source
        return (source.stats.trouble if source is not None and source.stats.trouble else self._said) or self._wrong

    @property
    def state(self) -> State:
        """How it is just now."""
        if not self.alive:
            return "stopped"
        silent = self.clock.steady() - self._last
        if self._failure is not None:
            return "failed"
        if not self.frames:
            return "starting" if silent < OFFLINE else "offline"
        return "offline" if silent >= OFFLINE else "stalled" if silent >= STALLED else "watching"

    @property
    def scene(self) -> Scene | None:
        """What it knows just now."""
        return self._watch.analyst.scene if self._watch is not None else None

    @property
    def alerts(self) -> frozenset[int]:
        """Tracks that an event is open about."""
        watch = self._watch
        return frozenset(track for subject in list(watch.ongoing.values()) for track in subject) if watch is not None else frozenset()

    def picture(self) -> tuple[Image, float] | None:
        """The newest picture and its time (UTC seconds); None before the first."""
        latest, source = self.latest, self._source
        return None if latest is None or source is None else (latest.frame.image, source.epoch + latest.frame.time)

    def status(self) -> Status:
        """All that a status page shows."""
        source, scene, recent = self._source, self.scene, self._rate
        stats = source.stats if source is not None else None
        span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
        problems = tuple(self._watch.recorder.problems) if self._watch is not None and self._watch.recorder is not None else ()
        state = self.state
        return Status(
            self.plan.camera,
            self.plan.name,
            state,
            "" if state == "watching" else self.why,
            source.size if source is not None else (0, 0),
            self.frames,
            self.looks,
            self.detected,
            self.slot.dropped,
            stats.skipped if stats else 0,
            stats.corrupt if stats else 0,
            stats.reconnects if stats else 0,
            (len(recent) - 1) / span if span > 0 and state == "watching" else 0.0,
            self._seen_utc,
            len(scene.tracks) if scene is not None else 0,
            self._latency,
            self._blind[0] if self._blind is not None else 0.0,
            problems,
        )

    def _keep_blind(self, begin: float, why: str) -> Blind | None:
        try:
            return self.store.blind.begin(self.plan.camera, begin, why, self.why)  # type: ignore[arg-type]
        except PaharaError as problem:  # a full disk: the end will be written with the beginning
            log.warning("camera %s: the ledger could not be written: %s", self.plan.camera, problem)
            return None

    def _end_blind(self) -> None:
        if self._blind is None:
            return
        begin, steady, row = self._blind
        self._blind = None
        end = begin + (self.clock.steady() - steady)

        def keep() -> None:
            if row is None:
                self.store.blind.add(self.plan.camera, begin, end, "offline", self._said)
            else:
                self.store.blind.end(row, end)

        self.keeper.put(keep)


def _no_picture() -> Image:
    raise RuntimeError("this frame was kept without its picture")
