"""What goes when it is old, or when there is too much: oldest first, and never what someone locked."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, fields, replace

from sqlalchemy import delete, exists, func, select, text

from . import chain
from .database import DiskFullError, told
from .store import Store
from .tables import events, evidence, recordings, trails

GIGABYTE = 1e9  # bytes
DAY = 86400.0  # seconds
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Removed:
    """What one round of retention removed, and what it could not."""

    evidence: int = 0  # files
    bytes: int = 0  # of these files
    trails: int = 0  # stretches of observations
    trail_bytes: int = 0
    events: int = 0
    recordings: int = 0  # that had neither trails nor events left
    footage: int = 0  # files of continuous recording
    footage_bytes: int = 0
    short: int = 0  # bytes still too many: everything that is left is locked, or could not be removed

    def __bool__(self) -> bool:
        return bool(self.evidence or self.trails or self.events or self.recordings or self.footage)


@dataclass(frozen=True)
class Retention:
    """How long things are kept. None means for ever. Ages count from when a thing was stored.

    What belongs to a locked event is never touched, but counts towards `gigabytes`. An event whose evidence
    has gone stays, with its numbers and reason, until `event_days`.
    """

    days: float | None = None  # of evidence
    gigabytes: float | None = None  # of evidence in all, 1e9 bytes each
    min_free_gigabytes: float | None = None  # of the disk that holds the evidence
    track_days: float | None = None
    event_days: float | None = None
    footage_days: float | None = None  # of continuous recording
    footage_gigabytes: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value >= 0:
                raise ValueError(f"{field.name} must be 0 or more, got {value}")

    def apply(self, store: Store, now: float | None = None) -> Removed:
        """Remove what has had its time -> what was removed. `now` is UTC seconds, by default the store's clock.

        The row first, then the file: a row is marked before its file goes, so a crash in between leaves a mark
        that the next opening finishes, never a row that promises a file.
        """
        now = store.clock() if now is None else now
        try:
            return self._apply(store, now)
        except DiskFullError:
            if not store.database.give_up_reserve():
                raise
            return self._apply(store, now)
        finally:
            store.database.reserve()

    def _apply(self, store: Store, now: float) -> Removed:
        removed = Removed()
        if self.footage_days is not None:
            removed = _drop_footage(store, removed, before=now - self.footage_days * DAY)
        if self.footage_gigabytes is not None:
            removed = _drop_footage(store, removed, until_bytes=store.footage.bytes - int(self.footage_gigabytes * GIGABYTE))
        if self.days is not None:
            removed = _expire(store, removed, before=now - self.days * DAY)
        if self.event_days is not None:
            removed = _forget_events(store, removed, now - self.event_days * DAY)
        if self.track_days is not None:
            removed = _forget_trails(store, removed, now - self.track_days * DAY)
        if self.gigabytes is not None:
            over = _total(store) - int(self.gigabytes * GIGABYTE)
            removed = _make_room(store, removed, over)
        if self.min_free_gigabytes is not None:
            try:
                free = shutil.disk_usage(store.evidence.folder).free
            except OSError as problem:
                raise told(problem, str(store.evidence.folder)) from problem
            over = int(self.min_free_gigabytes * GIGABYTE) - free
            before = removed.footage_bytes
            removed = _drop_footage(store, removed, until_bytes=over)  # what nobody asked for goes before what shows an event
            removed = _make_room(store, removed, over - (removed.footage_bytes - before))
        return removed


def _total(store: Store) -> int:
    with store.database.reading() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(evidence.c.bytes), 0)).where(evidence.c.state == "kept")).scalar_one())


def _drop_footage(store: Store, removed: Removed, *, before: float | None = None, until_bytes: int | None = None) -> Removed:
    """The oldest minutes of continuous recording go."""
    if until_bytes is not None and until_bytes <= 0:
        return removed
    files, size = store.footage.remove(before=before, until_bytes=until_bytes)
    return replace(removed, footage=removed.footage + files, footage_bytes=removed.footage_bytes + size)


def _make_room(store: Store, removed: Removed, over: int) -> Removed:
    """Expire the oldest until `over` bytes are free."""
    if over <= 0:
        return removed
    before = removed.bytes
    removed = _expire(store, removed, until_bytes=over)
    left = over - (removed.bytes - before)
    return replace(removed, short=max(removed.short, left, 0))


def _expire(store: Store, removed: Removed, *, before: float | None = None, until_bytes: int | None = None) -> Removed:
    """Remove the files of unlocked evidence, oldest first: all stored before a time, or until so many bytes are free."""
    last = (-1.0e300, -1)  # a file that cannot be removed is passed over, not tried for ever
    while until_bytes is None or until_bytes > 0:
        wanted = select(evidence.c.id, evidence.c.bytes, evidence.c.stored).join(events, events.c.id == evidence.c.event_id)
        wanted = wanted.where(evidence.c.state == "kept", events.c.locked.is_(False))
        wanted = wanted.where((evidence.c.stored > last[0]) | ((evidence.c.stored == last[0]) & (evidence.c.id > last[1])))
        if before is not None:
            wanted = wanted.where(evidence.c.stored < before)
        with store.database.writing() as connection:
            oldest = list(connection.execute(wanted.order_by(evidence.c.stored, evidence.c.id).limit(_BATCH)))
            chosen, promised = [], 0
            for row in oldest:
                if until_bytes is not None and promised >= until_bytes:
                    break
                chosen.append(row)
                promised += row.bytes
            marked = store.evidence.begin_removal(connection, [row.id for row in chosen])
        if not chosen:
            break
        last = (chosen[-1].stored, chosen[-1].id)
        sizes = {row.id: row.bytes for row in chosen}
        done = store.evidence.finish_removal(marked)
        freed = sum(sizes[row] for row in done)
        removed = replace(removed, evidence=removed.evidence + len(done), bytes=removed.bytes + freed)
        if until_bytes is not None:
            until_bytes -= freed
    return removed


def _forget_events(store: Store, removed: Removed, before: float) -> Removed:
    """Old events go with whatever evidence they still have."""
    old = (events.c.stored < before, events.c.locked.is_(False))
    last = ""
    while True:
        with store.database.writing() as connection:
            wanted = select(evidence.c.id, evidence.c.bytes).join(events, events.c.id == evidence.c.event_id).where(*old)
            rows = list(connection.execute(wanted.where(evidence.c.state.in_(("kept", "missing"))).limit(_BATCH)))
            marked = store.evidence.begin_removal(connection, [row.id for row in rows])
        if not marked:
            break
        sizes = {row.id: row.bytes for row in rows}
        done = store.evidence.finish_removal(marked)
        removed = replace(removed, evidence=removed.evidence + len(done), bytes=removed.bytes + sum(sizes[row] for row in done))
    busy = exists().where(evidence.c.event_id == events.c.id, evidence.c.state != "expired")
    while True:
        with store.database.writing() as connection:
            wanted_ids = select(events.c.id).where(*old, ~busy, events.c.id > last).order_by(events.c.id).limit(_BATCH)
            ids = list(connection.execute(wanted_ids).scalars())
            left = connection.execute(delete(events).where(events.c.id.in_(ids), *old, ~busy).returning(events.c.id)).scalars().all()
            chain.append(connection, [chain.Link("gone event", each) for each in sorted(left)], store.clock())
            gone = len(left)
        if not ids:
            return removed
        last = ids[-1]
        removed = replace(removed, events=removed.events + gone)


def _forget_trails(store: Store, removed: Removed, before: float) -> Removed:
    """Old stretches go, except those that a locked event stands on: a locked event can always be replayed."""
    needed = exists().where(
        events.c.recording_id == trails.c.recording_id,
        events.c.locked.is_(True),
        recordings.c.id == trails.c.recording_id,
        trails.c.last >= events.c.start - recordings.c.memory,
        trails.c.first <= events.c.time,
    )
    last = -1
    while True:
        wanted = select(trails.c.id, trails.c.bytes).where(trails.c.stored < before, trails.c.id > last, ~needed)
        with store.database.writing() as connection:
            if store.database.file is None:  # SQLite has one writer anyway
                connection.execute(text("LOCK TABLE events IN SHARE MODE"))  # nobody locks an event while we look
            rows = list(connection.execute(wanted.order_by(trails.c.id).limit(_BATCH)))
            connection.execute(delete(trails).where(trails.c.id.in_([row.id for row in rows])))
        if not rows:
            break
        last = rows[-1].id
        removed = replace(removed, trails=removed.trails + len(rows), trail_bytes=removed.trail_bytes + sum(row.bytes for row in rows))
    empty = (
        recordings.c.ended < before,
        ~exists().where(trails.c.recording_id == recordings.c.id),
        ~exists().where(events.c.recording_id == recordings.c.id),
    )
    with store.database.writing() as connection:
        gone = connection.execute(delete(recordings).where(*empty)).rowcount
    return replace(removed, recordings=removed.recordings + gone)
