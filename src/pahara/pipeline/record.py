"""Keeps what a watch brings: observations, events, snapshots and clips; a full disk costs evidence, never the watch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pahara.core import Event, Image, Observation, PaharaError, Scene, Tripwire, Zone
from pahara.report.explained import NOTHING, Explained
from pahara.store import DiskFullError, Recording, Retention, Store
from pahara.store.records import EvidenceKind
from pahara.video.draw import snapshot, thumbnail
from pahara.video.picture import jpeg
from pahara.video.ring import Ring

from .budgeting import Budgeting
from .explaining import composed
from .watch import Look

log = logging.getLogger(__name__)

FLUSH = 10.0  # seconds of observations in one row of the store
THUMBNAIL = (320, 180)
HELD = 600.0  # seconds of observations that wait for room on a full disk
TIDY = 3600.0  # seconds, by the clock, between two looks at what has had its time
EARLY = 10.0  # seconds that a clip may begin too early, because its keyframe does; beyond that it is encoded anew


@dataclass(slots=True)
class _Pending:
    """A clip that waits for its last second."""

    event_id: str
    begin: float  # media seconds
    end: float  # media seconds; grows while the event goes on
    last: float  # media seconds: however long the event goes on, the clip ends here
    closed: bool = False  # the event has ended


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEG bytes of one event, for the report."""

    snapshot: bytes
    thumbnail: bytes
    explained: Explained = NOTHING


@dataclass
class Recorder:
    """Feeds one recording of a store. `problems` tells what could not be kept, in the user's words, each once.

    `retention` is applied when the recording begins and every hour, and on a full disk before it tries again; what still finds no room is given up (pictures, clips) or
    waits for room (events, the last ten minutes of observations).
    """

    store: Store
    recording: Recording
    zones: Mapping[str, Zone] = field(default_factory=dict)
    lines: Mapping[str, Tripwire] = field(default_factory=dict)
    ring: Ring | None = None
    pre: float = 5.0  # seconds before an event began
    post: float = 5.0  # seconds after it ended
    longest: float = 30.0  # seconds of one event that a clip shows
    retention: Retention | None = None
    explain: Callable[[Event, Image | None], Explained] = lambda _event, _image: NOTHING  # what an event is shown beside
    budgeting: Budgeting | None = None  # who is told, where alarms have a budget
    problems: list[str] = field(default_factory=list)
    clips: dict[str, Path] = field(default_factory=dict)  # by event id, once they are written

    def __post_init__(self) -> None:
        self._observations: list[Observation] = []
        self._events: dict[str, Event] = {}  # that could not be saved yet
        self._pending: dict[str, _Pending] = {}
        self._lost: dict[str, int] = {}  # problem -> times
        self.pictures: dict[str, Pictures] = {}
        self._tidied = 0.0  # UTC seconds
        self._tidy()

    def see(self, look: Look) -> None:
        """One frame and what came of it."""
        time = look.frame.time
        if look.moment is not None:
            self._tidy()
            self._observations.append(look.moment.observation)
            if time - self._observations[0].time >= FLUSH:
                self._flush()
            if self.budgeting is not None:
                self.budgeting.decide(look.moment.events)
            for event in look.moment.events:
                self._keep(event, look.frame.image if event.phase == "began" else None, look.moment.scene)
        for clip in [clip for clip in self._pending.values() if time >= clip.end]:
            if clip.closed or clip.end >= clip.last:
                self._write_clip(clip)
            else:
                clip.end = min(clip.end + 1.0, clip.last)

    def finish(self, events: Iterable[Event] = ()) -> None:
        """The watch is over: the last events end, waiting clips are written with what there is."""
        last = tuple(events)
        if self.budgeting is not None:
            self.budgeting.decide(last)
        for event in last:
            self._keep(event, None)
        self._flush()
        for clip in list(self._pending.values()):
            self._write_clip(clip)
        self._try("the end of the recording", partial(self.store.end_recording, self.recording))
        if self._observations or self._events:
            self._lose(f"{len(self._observations)} looks at tracks and {len(self._events)} events", "there was no room until the end")

    def _keep(self, event: Event, image: Image | None, scene: Scene | None = None) -> None:
        self._save(event)
        if event.phase == "ended":
            if event.id in self.pictures:
                self._explain_again(event)
            if event.id in self._pending:
                clip = self._pending[event.id]
                clip.end, clip.closed = min(event.time + self.post, clip.last), True
            return
        if image is not None:
            self._take_pictures(event, image, scene)
        if self.ring is not None:
            begin = max(0.0, event.start - self.pre)
            self._pending[event.id] = _Pending(event.id, begin, event.time + self.post, event.start + self.longest + self.post)

    @property
    def held(self) -> set[str]:
        """Ids of events that are kept while nobody is told."""
        return self.budgeting.held if self.budgeting is not None else set()

    def _save(self, event: Event) -> None:
        self._events[event.id] = event
        for waiting in list(self._events.values()):
            if not self._try(f"event {waiting.id}", partial(self.store.save_event, waiting, self.recording)):
                return
            if waiting.id in self.held and self.budgeting is not None:
                self._try(f"event {waiting.id}", partial(self.budgeting.keep, waiting))
            del self._events[waiting.id]

    def _take_pictures(self, event: Event, image: Image, scene: Scene | None) -> None:
        box = event.boxes[0] if event.boxes else (0.0, 0.0, float(event.size[0]), float(event.size[1]))
        told = self.explain(event, image)
        pictures = Pictures(jpeg(snapshot(image, event, self.zones, self.lines, scene=scene)), jpeg(thumbnail(image, box, THUMBNAIL)), told)
        self.pictures[event.id] = pictures
        files: dict[EvidenceKind, Callable[[Path], None]] = {
            "snapshot": _writes(pictures.snapshot),
            "thumbnail": _writes(pictures.thumbnail),
        }
        if explanation := composed(told, event, image):
            files["explanation"] = _writes(explanation)
        self._try(f"the pictures of event {event.id}", partial(self.store.add_pictures, event.id, files))

    def _explain_again(self, event: Event) -> None:
        """The reason may have changed up to the peak: the report explains the last one."""
        told = self.explain(event, None)
        if told:
            self.pictures[event.id] = replace(self.pictures[event.id], explained=told)

    def _write_clip(self, clip: _Pending) -> None:
        del self._pending[clip.event_id]
        ring, epoch = self.ring, self.recording.epoch
        if ring is None:
            return

        def write(path: Path) -> tuple[float, float]:
            # The ring remuxes what browsers play (H.264) and encodes anew what they do not (MPEG-4 part 2, H.265).
            info = ring.write_clip(path, clip.begin, clip.end)
            if info.begin < clip.begin - EARLY:
                info = ring.write_clip(path, clip.begin, clip.end, transcode=True)
            return epoch + info.begin, epoch + info.end

        def keep() -> None:
            self.clips[clip.event_id] = self.store.add_evidence(clip.event_id, "clip", write).path

        self._try(f"the clip of event {clip.event_id}", keep)

    def _tidy(self) -> None:
        """What has had its time goes."""
        now = self.store.clock()
        if self.retention is None or abs(now - self._tidied) < TIDY:  # a clock may be set back
            return
        self._tidied = now
        try:
            if removed := self.retention.apply(self.store):
                log.info("retention: %s", removed)
        except (PaharaError, OSError) as problem:
            self.problems.append(f"could not remove what is older than it may be: {problem}")

    def _flush(self) -> None:
        rows = self._observations
        if rows and self._try("tracks", partial(self.store.add_observations, self.recording, rows)):
            self._observations = []
        elif rows and rows[-1].time - rows[0].time > HELD:
            self._lose(f"{len(rows)} looks at tracks", "they waited too long for room")
            self._observations = []

    def _try(self, what: str, keep: Callable[[], object]) -> bool:
        try:
            try:
                keep()
            except DiskFullError:
                if self.retention is None or not self.retention.apply(self.store):
                    raise
                keep()
        except (PaharaError, OSError) as problem:
            self._lose(what, str(problem))
            return False
        return True

    def _lose(self, what: str, why: str) -> None:
        """Told once for each reason; the log has every one."""
        self._lost[why] = self._lost.get(why, 0) + 1
        log.debug("could not keep %s: %s", what, why)
        if self._lost[why] == 1:
            self.problems.append(f"could not keep {what}: {why}")


def _writes(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write
