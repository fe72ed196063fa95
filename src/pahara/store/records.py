"""What the store gives back: recordings, events with what people said about them, and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pahara.core import Event
from pahara.core.frozen import Frozen

EvidenceKind = Literal["clip", "snapshot", "thumbnail", "explanation"]  # explanation: a picture that shows why, beside what was seen
EvidenceState = Literal["kept", "expired", "missing"]
Verdict = Literal["real", "fine"]


@dataclass(frozen=True, slots=True)
class Recording:
    """One watch of one source: what `replay` needs, beside the trails, to make the scenes again."""

    id: int
    camera: str
    source: str  # without passwords
    size: tuple[int, int]  # width, height in pixels
    epoch: float  # UTC seconds of media time 0
    memory: float  # seconds of trail that the scene held
    beat: float  # seconds between observations
    begun: float  # UTC seconds by the clock on the wall
    ended: float | None  # UTC seconds; None while it goes on, or when it died
    version: str  # of Pahara
    config: str  # the configuration's text, "" when there was none
    config_hash: str  # SHA-256 of `config`, 64 hex digits
    settings: Mapping[str, Any] = field(default_factory=Frozen)  # whatever else was kept, as JSON allows


@dataclass(frozen=True, slots=True)
class Evidence:
    """One file that shows an event."""

    id: int
    event_id: str
    kind: EvidenceKind
    path: Path  # where the file is, or was
    relative: str  # the same under the media folder, with forward slashes
    state: EvidenceState  # expired: retention removed it; missing: someone else did
    bytes: int
    sha256: str  # 64 hex digits
    begin: float | None  # UTC seconds of a clip's first picture
    end: float | None  # UTC seconds of its last
    stored: float  # UTC seconds


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its evidence and what people said about it."""

    event: Event  # as last reported: phase "ended" once it ended
    recording: int | None  # id; None when the recording has gone
    stored: float  # UTC seconds
    reviewed: bool
    verdict: Verdict | None  # "real", "fine" (a false alarm), or None: nobody said
    note: str
    locked: bool  # retention never touches a locked event, its evidence, or the trails it stands on
    evidence: tuple[Evidence, ...]  # oldest first

    @property
    def id(self) -> str:
        return self.event.id

    @property
    def start_utc(self) -> float:
        """UTC seconds when the score rose."""
        return self.event.epoch + self.event.start

    @property
    def cursor(self) -> str:
        """Where a list that ended with this event goes on: store.events(after=last.cursor)."""
        return f"{self.start_utc!r}~{self.event.id}"

    def kept(self, kind: EvidenceKind) -> Evidence | None:
        """The newest file of one kind that is still there."""
        return next((e for e in reversed(self.evidence) if e.kind == kind and e.state == "kept"), None)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much there is."""

    recordings: int
    events: int
    locked_events: int
    evidence: int  # files kept
    evidence_bytes: int
    locked_bytes: int  # of these, under locked events
    trail_beats: int
    trail_bytes: int
    database_bytes: int  # the whole database, trails included; its log counted
