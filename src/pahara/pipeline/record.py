"""Keeps what a watch brings: observations, events, snapshots and clips; a full disk costs evidence, never the watch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pahara.core import Event, Observation, PaharaError, Scene, Tripwire, Zone
from pahara.core.frame import Image
from pahara.store import Recording, Store
from pahara.store.records import EvidenceKind
from pahara.video.draw import snapshot, thumbnail
from pahara.video.ring import Ring

from .pictures import jpeg
from .watch import Look

log = logging.getLogger(__name__)

FLUSH = 10.0  # seconds of observations in one row of the store
THUMBNAIL = (320, 180)


@dataclass(slots=True)
class _Pending:
    """A clip that waits for its last second."""

    event: Event
    begin: float
    end: float  # media seconds; grows while the event goes on
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEG bytes of one event, for the report."""

    snapshot: bytes
    thumbnail: bytes


@dataclass
class Recorder:
    """Feeds one recording of a store. `problems` tells what could not be kept, in the user's words."""

    store: Store
    recording: Recording
    zones: Mapping[str, Zone] = field(default_factory=dict)
    lines: Mapping[str, Tripwire] = field(default_factory=dict)
    ring: Ring | None = None
    pre: float = 5.0  # seconds before an event began
    post: float = 5.0  # seconds after it ended
    longest: float = 30.0  # seconds of one event that a clip shows
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._observations: list[Observation] = []
        self._pending: dict[str, _Pending] = {}
        self.pictures: dict[str, Pictures] = {}

    def see(self, look: Look) -> None:
        """One frame and what came of it."""
        if look.moment is not None:
            self._observations.append(look.moment.observation)
            if look.frame.time - self._observations[0].time >= FLUSH:
                self._flush()
            for event in look.moment.events:
                self._keep(event, look.moment.scene, look.frame.image if event.phase == "began" else None)
        for clip in [c for c in self._pending.values() if look.frame.time >= c.end]:
            if clip.closed or clip.end - clip.begin >= self.pre + self.longest + self.post - 1e-6:
                self._write_clip(clip)
            else:
                clip.end = min(clip.end + 1.0, clip.begin + self.pre + self.longest + self.post)

    def finish(self, events: Iterable[Event] = ()) -> None:
        """The watch is over: the last events end, waiting clips are written with what there is."""
        for event in events:
            self._keep(event, None, None)
        self._flush()
        for clip in list(self._pending.values()):
            self._write_clip(clip)
        self._try("the end of the recording", lambda: self.store.end_recording(self.recording))

    def _keep(self, event: Event, scene: Scene | None, image: Image | None) -> None:
        self._try(f"event {event.id}", lambda: self.store.save_event(event, self.recording))
        if event.phase == "ended":
            if event.id in self._pending:
                clip = self._pending[event.id]
                clip.end, clip.closed = min(event.time + self.post, clip.begin + self.pre + self.longest + self.post), True
            return
        if image is not None and scene is not None:
            whole = jpeg(snapshot(image, event, self.zones, self.lines))
            box = event.boxes[0] if event.boxes else (0.0, 0.0, float(event.size[0]), float(event.size[1]))
            small = jpeg(thumbnail(image, box, THUMBNAIL))
            self.pictures[event.id] = Pictures(whole, small)
            pictures: dict[EvidenceKind, bytes] = {"snapshot": whole, "thumbnail": small}
            for kind, content in pictures.items():
                self._try(f"{kind} of event {event.id}", partial(self.store.add_evidence, event.id, kind, _writes(content)))
        if self.ring is not None:
            self._pending[event.id] = _Pending(event, max(0.0, event.start - self.pre), event.time + self.post)

    def _write_clip(self, clip: _Pending) -> None:
        del self._pending[clip.event.id]
        ring = self.ring
        if ring is None:
            return
        epoch = self.recording.epoch

        def write(path: Path) -> None:
            # Browsers do not play every codec that cameras send (MPEG-4 part 2, H.265): those are encoded anew, the rest is remuxed.
            ring.write_clip(path, clip.begin, clip.end, transcode=not ring.plays_in_browser)

        keep = partial(self.store.add_evidence, clip.event.id, "clip", write, begin=epoch + clip.begin, end=epoch + clip.end)
        self._try(f"clip of event {clip.event.id}", keep)

    def _flush(self) -> None:
        rows, self._observations = self._observations, []
        if rows:
            self._try("tracks", lambda: self.store.add_observations(self.recording, rows))

    def _try(self, what: str, keep: Callable[[], object]) -> None:
        try:
            keep()
        except (PaharaError, OSError) as problem:
            told = f"could not keep {what}: {problem}"
            log.warning(told)
            self.problems.append(told)


def _writes(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write
