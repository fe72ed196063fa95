"""The store: everything that must survive, behind one door."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, get_args

from sqlalchemy import Row, Select, bindparam, case, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from pahara import __version__
from pahara.core import Event, Observation, StoreError, without_secrets
from pahara.core.frozen import Frozen

from . import chain, shelf, trails
from .accounts import Accounts
from .coverage import Ledger
from .database import Database, DiskFullError, inserted_id, parse_url, told
from .evidence import EvidenceFolder, Swept
from .footage import Footage
from .outbox import Outbox
from .records import Evidence, EvidenceKind, Recording, StoredEvent, Usage, Verdict
from .shelf import Names
from .tables import about, events, evidence, recordings
from .tables import trails as trail_table

_FACTS = select(*(events.c[name] for name in chain.EVENT)).where(events.c.id == bindparam("id"))

MOST_APART = 64  # cameras that are asked for one by one


class Store:
    """Recordings, trails, events and evidence of any number of cameras.

    Thread-safe; several programs may have the same store open. What a method that writes has returned from
    is durable: it survives `kill -9` and a power cut. Every error that a user can mend is a StoreError.
    """

    def __init__(self, database: Database, media: Path, clock: Callable[[], float]) -> None:
        """Use `Store.open`."""
        self.database, self.clock = database, clock
        dialect = sqlite.insert if database.file else postgresql.insert  # made once: making a statement costs more than running it
        self._keep_event, self._keep_trail = _keep_event(dialect(events)), _keep_trail(dialect(trail_table))
        self.evidence = EvidenceFolder(database, media, clock)
        self.footage = Footage(database, media, clock)  # continuous recording
        self.blind, self.outbox, self.accounts = Ledger(database), Outbox(database), Accounts(database)

    @classmethod
    def open(cls, where: str | Path, *, media: Path | str | None = None, clock: Callable[[], float] = time.time) -> Store:
        """Open a store, make it where there is none, bring an older one up to date, finish what a killed program left.

        `where` is a folder (the database is `pahara.db` in it, the evidence in `media/`), or a database URL:
        `sqlite:///folder/pahara.db` or `postgresql://user:password@host/name` with `media`, the folder of the evidence.
        `clock` gives UTC seconds; ages are counted by it. StoreError when it cannot be used, is damaged, or is newer than this program.
        """
        url, folder = _place(where, None if media is None else Path(media))
        database = Database(url)
        try:
            if database.file:
                try:
                    database.file.parent.mkdir(parents=True, exist_ok=True)
                except OSError as problem:
                    raise told(problem, str(database.file.parent)) from problem
            try:
                database.bring_up_to_date()
            except DiskFullError:
                if not database.give_up_reserve():
                    raise
                database.bring_up_to_date()
            _name(database)
            store = cls(database, folder, clock)
        except BaseException:
            database.close()
            raise
        try:
            with suppress(DiskFullError):  # what is there can still be looked at, and retention can still make room
                now = clock()
                store.evidence.sweep(opening=True)
                store.footage.sweep(alone=store.evidence.was_alone, before=now)
            database.reserve()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let everything go. Closing twice is no error."""
        self.evidence.close()
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.database.shown!r}, media={str(self.evidence.folder)!r})"

    @cached_property
    def identity(self) -> str:
        """Which store this is: 32 hex digits, made with it."""
        with self.database.reading() as connection:
            return str(connection.execute(select(about.c.value).where(about.c.key == "id")).scalar_one())

    # -- recordings and their trails -----------------------------------------------------------------------------

    def begin_recording(
        self,
        camera: str,
        source: str,
        size: tuple[int, int],
        *,
        epoch: float = 0.0,
        memory: float = 120.0,
        beat: float = 0.1,
        config: str = "",
        settings: Mapping[str, Any] | None = None,
        begun: float | None = None,
    ) -> Recording:
        """A watch of one source begins. Passwords in `source` are not kept.

        `size` width, height in pixels; `epoch` UTC seconds of media time 0; `memory` seconds of trail in the scene; `beat` seconds
        between observations; `config` the configuration's text; `settings` whatever else a replay needs, as JSON allows.
        """
        values = {
            "camera": shelf.clean(camera),
            "source": shelf.clean(without_secrets(source)),
            "width": int(size[0]),
            "height": int(size[1]),
            "epoch": float(epoch),
            "memory": float(memory),
            "beat": float(beat),
            "begun": float(self.clock() if begun is None else begun),
            "version": __version__,
            "config": shelf.clean(config),
            "config_hash": hashlib.sha256(shelf.clean(config).encode()).hexdigest(),
            "settings": shelf.to_json(dict(settings or {})),
        }
        with self.database.writing() as connection:
            number = inserted_id(connection.execute(insert(recordings).values(**values)))
        return self.recording(number)

    def end_recording(self, recording: Recording | int, ended: float | None = None) -> None:
        """The watch ended, by default now (UTC seconds)."""
        when = float(self.clock() if ended is None else ended)
        with self.database.writing() as connection:
            connection.execute(update(recordings).where(recordings.c.id == _id(recording)).values(ended=when))

    def recording(self, recording_id: int) -> Recording:
        """StoreError when there is none."""
        with self.database.reading() as connection:
            row = connection.execute(select(recordings).where(recordings.c.id == recording_id)).first()
        if row is None:
            raise StoreError(f"there is no recording {recording_id} in {self.database.shown}")
        return _recording(row)

    def recordings(self, *, camera: Names = None, since: float | None = None, until: float | None = None) -> list[Recording]:
        """Oldest first; `since` and `until` are UTC seconds of their beginning."""
        wanted = select(recordings).order_by(recordings.c.begun, recordings.c.id)
        if camera is not None:
            wanted = wanted.where(recordings.c.camera.in_([camera] if isinstance(camera, str) else list(camera)))
        if since is not None:
            wanted = wanted.where(recordings.c.begun >= since)
        if until is not None:
            wanted = wanted.where(recordings.c.begun < until)
        with self.database.reading() as connection:
            return [_recording(row) for row in connection.execute(wanted)]

    def add_observations(self, recording: Recording | int, observations: Sequence[Observation]) -> None:
        """Keep a stretch of observations (about ten seconds) as one row. The same stretch again replaces itself."""
        if not observations:
            return
        blob = trails.encode(observations)
        values = {
            "recording_id": _id(recording),
            "first": float(observations[0].time),
            "last": float(observations[-1].time),
            "beats": len(observations),
            "rows": sum(map(len, observations)),
            "bytes": len(blob),
            "stored": float(self.clock()),
            "blob": blob,
        }
        with self.database.writing() as connection:
            connection.execute(self._keep_trail, values)

    def observations(
        self, recording: Recording | int, since: float | None = None, until: float | None = None, *, sparse: bool = False
    ) -> Iterator[Observation]:
        """What was kept, in order of time; `since` (included) and `until` (not included) are media seconds.

        `sparse`: of a stretch in which nobody was in view only the first and the last observation.

        Holds one stretch in memory at a time and no transaction open. StoreError at a stretch that is damaged.
        """
        number = _id(recording)
        after = -float("inf")
        while True:
            wanted = select(trail_table).where(trail_table.c.recording_id == number, trail_table.c.first > after)
            if since is not None:
                wanted = wanted.where(trail_table.c.last >= since)
            if until is not None:
                wanted = wanted.where(trail_table.c.first < until)
            with self.database.reading() as connection:
                row = connection.execute(wanted.order_by(trail_table.c.first).limit(1)).first()
            if row is None:
                return
            after = row.first
            stretch = trails.decode(row.blob, f"the trails of recording {number} from {row.first:.1f} s to {row.last:.1f} s")
            for observation in [stretch[0], stretch[-1]] if sparse and not row.rows and len(stretch) > 2 else stretch:
                if (since is None or observation.time >= since) and (until is None or observation.time < until):
                    yield observation

    def span(self, recording: Recording | int) -> tuple[float, float] | None:
        """Media seconds of the first and the last observation kept; None when there is none."""
        wanted = select(func.min(trail_table.c.first), func.max(trail_table.c.last)).where(trail_table.c.recording_id == _id(recording))
        with self.database.reading() as connection:
            first, last = connection.execute(wanted).one()
        return None if first is None else (first, last)

    # -- events --------------------------------------------------------------------------------------------------

    def save_event(self, event: Event, recording: Recording | int | None = None) -> None:
        """Keep one report. The same report again changes nothing, and `began` never overwrites `ended`.

        What people said about the event (reviewed, verdict, note, locked) stays as it is.
        """
        values = shelf.row_of(event) | {
            "recording_id": None if recording is None else _id(recording),
            "stored": float(self.clock()),
            "reviewed": False,
            "note": "",
            "locked": False,
        }
        with self.database.writing() as connection:
            connection.execute(self._keep_event, values)
            row = connection.execute(_FACTS, {"id": event.id}).one()  # as it stands now: an older report changes nothing
            chain.append(connection, [chain.event_link(row)], values["stored"])

    def events(
        self,
        *,
        camera: Names = None,
        behaviour: Names = None,
        kind: Names = None,
        recording: Recording | int | None = None,
        since: float | None = None,
        until: float | None = None,
        reviewed: bool | None = None,
        verdict: Names = None,
        locked: bool | None = None,
        limit: int = 100,
        newest_first: bool = True,
        after: str | None = None,
    ) -> list[StoredEvent]:
        """Events by when they began, with their evidence; at most `limit`.

        Names may be one or several; `since` (included) and `until` (not included) are UTC seconds. The next page
        begins `after` the last event's `cursor`, however many have come in between.
        """
        # Of several cameras and nothing rarer, each is asked by itself, and their lists are merged: an index gives each one's newest at
        # once, while a database asked for all together sorts everything that they ever had.
        several = not isinstance(camera, str) and camera is not None and 1 < len(set(camera)) <= MOST_APART
        rare = behaviour is not None or kind is not None or verdict is not None or locked or recording is not None
        each: Sequence[Names] = sorted(set(camera)) if several and camera is not None and not rare else [camera]
        wanted = []
        for one in each:
            asked = shelf.conditions(
                camera=one, behaviour=behaviour, kind=kind, recording=None if recording is None else _id(recording), since=since, until=until, reviewed=reviewed, verdict=verdict, locked=locked,
            )  # fmt: skip
            if after is not None:
                asked.append(shelf.beyond(after, newest_first))
            order = (events.c.start_utc.desc(), events.c.id.desc()) if newest_first else (events.c.start_utc, events.c.id)
            wanted.append(select(events).where(*asked).order_by(*order).limit(max(0, limit)))
        return self._stored(*wanted, limit=limit, newest_first=newest_first)

    def every_event(self, *, newest_first: bool = False, **asked: Any) -> Iterator[StoredEvent]:
        """All events that `events` would page through, however many; oldest first."""
        cursor: str | None = None
        while page := self.events(**asked, newest_first=newest_first, limit=500, after=cursor):
            yield from page
            cursor = page[-1].cursor

    def count(self, **asked: Any) -> int:
        """How many events there are of what `events` may be asked for (without limit, order and after)."""
        if isinstance(asked.get("recording"), Recording):
            asked["recording"] = asked["recording"].id
        with self.database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(events).where(*shelf.conditions(**asked))).scalar_one())

    def event(self, event_id: str) -> StoredEvent:
        """StoreError when there is none."""
        found = self.find(event_id)
        if found is None:
            raise StoreError(f"there is no event {event_id!r} in {self.database.shown}")
        return found

    def find(self, event_id: str) -> StoredEvent | None:
        """The event of that id, or None."""
        return next(iter(self._stored(select(events).where(events.c.id == event_id))), None)

    def lock(self, event_id: str, locked: bool = True) -> StoredEvent:
        """Keep an event, its evidence and its trails from retention, or release them.

        Evidence that is `kept` in what this returns is not removed until the event is released.
        """
        return self._change(event_id, locked=locked)

    def review(self, event_id: str, verdict: Verdict | None = None, note: str | None = None, *, reviewed: bool = True) -> StoredEvent:
        """Someone looked: it was "real", "fine" (a false alarm), or nothing is said. `note` None leaves the note as it is."""
        if verdict is not None and verdict not in get_args(Verdict):
            raise StoreError(f"no verdict {verdict!r}: it was 'real' or 'fine'")
        values: dict[str, Any] = {"reviewed": reviewed, "verdict": verdict}
        if note is not None:
            values["note"] = shelf.clean(note)
        return self._change(event_id, **values)

    def find_all(self, ids: Sequence[str]) -> list[StoredEvent]:
        """Those of these events that there are, in the same order."""
        found = {each.id: each for each in self._stored(select(events).where(events.c.id.in_(list(ids))))}
        return [found[each] for each in ids if each in found]

    def review_all(self, ids: Sequence[str], *, reviewed: bool = True, **verdict: Verdict | None) -> int:
        """Someone looked at several at once -> how many there were. `verdict=` as with `review`; left out, verdicts stay."""
        values: dict[str, Any] = {"reviewed": reviewed, **verdict}
        with self.database.writing() as connection:
            return int(connection.execute(update(events).where(events.c.id.in_(list(ids))).values(**values)).rowcount)

    def _change(self, event_id: str, **values: Any) -> StoredEvent:
        with self.database.writing() as connection:
            changed = connection.execute(update(events).where(events.c.id == event_id).values(**values)).rowcount
        if not changed:
            raise StoreError(f"there is no event {event_id!r} in {self.database.shown}")
        return self.event(event_id)

    def _stored(self, *wanted: Select[Any], limit: int | None = None, newest_first: bool = True) -> list[StoredEvent]:
        with self.database.reading() as connection:
            rows: list[Row[Any]] = [row for each in wanted for row in connection.execute(each)]
            if len(wanted) > 1:
                rows = sorted(rows, key=lambda row: (row.start_utc, row.id), reverse=newest_first)[:limit]
            files = self.evidence.of_events(connection, [row.id for row in rows])
        return [
            StoredEvent(
                shelf.event_of(row), row.recording_id, row.stored, row.reviewed, row.verdict, row.note, row.locked, files.get(row.id, ())
            )
            for row in rows
        ]  # fmt: skip

    # -- evidence ------------------------------------------------------------------------------------------------

    def add_evidence(
        self,
        event_id: str,
        kind: EvidenceKind,
        write: Callable[[Path], object],
        *,
        time_utc: float | None = None,
        begin: float | None = None,
        end: float | None = None,
        extension: str | None = None,
    ) -> Evidence:
        """Keep a file that shows an event, wholly or not at all; an older file of the same kind is replaced.

        `write` gets the path of an empty file, with the right ending, and fills it; what it raises comes out as it is, an OSError as
        StoreError. Where it returns a pair, these are the UTC seconds of the clip's first and last picture, better known than `begin` and `end`. The file is named by `time_utc` (default: when the event began). `begin` and `end` are UTC seconds of a clip;
        `extension` overrules mp4 and jpg.
        """
        return self.evidence.add(event_id, kind, write, time_utc=time_utc, begin=begin, end=end, extension=extension)

    def add_pictures(self, event_id: str, files: Mapping[EvidenceKind, Callable[[Path], object]]) -> list[Evidence]:
        """Several files of one event at once, all of them or none: as `add_evidence`, with fewer transactions."""
        return self.evidence.add_together(event_id, files)

    def sweep(self) -> Swept:
        """Compare the media folder with the database, file by file, and mend both.

        Opening a store does the quick part already (what a killed program left behind); this also finds files without a
        row and rows without a file, which only a restored backup or another program's hand can make.
        """
        swept = self.evidence.sweep()
        self.footage.sweep()
        orphans, missing = self.footage.sweep_folder(ours=self.evidence.ours)
        return replace(swept, orphans=swept.orphans + orphans, missing=swept.missing + missing)

    def usage(self) -> Usage:
        """How much there is."""
        with self.database.reading() as connection:
            kept = select(func.count(), func.coalesce(func.sum(evidence.c.bytes), 0), func.coalesce(func.sum(case((events.c.locked, evidence.c.bytes), else_=0)), 0))  # fmt: skip
            files, size, locked = connection.execute(kept.join_from(evidence, events).where(evidence.c.state == "kept")).one()
            beats, packed = connection.execute(
                select(func.coalesce(func.sum(trail_table.c.beats), 0), func.coalesce(func.sum(trail_table.c.bytes), 0))
            ).one()
            watched = connection.execute(select(func.count()).select_from(recordings)).scalar_one()
            if self.database.file is None:
                whole = int(connection.execute(select(func.pg_database_size(func.current_database()))).scalar_one())
            else:
                name = str(self.database.file)
                whole = sum(p.stat().st_size for p in (Path(name), Path(name + "-wal")) if p.exists())
        return Usage(watched, self.count(), self.count(locked=True), files, int(size), int(locked), int(beats), int(packed), whole)


def _place(where: str | Path, media: Path | None) -> tuple[URL, Path]:
    if isinstance(where, str) and "://" in where:
        url = parse_url(where)
        if media is None and url.get_backend_name() != "sqlite":
            raise StoreError("a store on a database server needs a folder for its evidence: give media=")
        return url, media if media is not None else Path(url.database or "").parent / "media"
    folder = Path(where).expanduser()
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file: a store is a folder; give the one that holds it, {folder.parent}")
    return URL.create("sqlite", database=str(folder / "pahara.db")), media if media is not None else folder / "media"


def _name(database: Database) -> None:
    """Give a new store its identity, by which a media folder knows its database."""
    with database.reading() as connection:
        if connection.execute(select(about.c.value).where(about.c.key == "id")).first():
            return
    made = (sqlite.insert if database.file else postgresql.insert)(about).values(key="id", value=uuid.uuid4().hex)
    with database.writing() as connection:
        connection.execute(made.on_conflict_do_nothing())


def _keep_event(new: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    news = ("phase", "time", "peak", "peak_time", "reason", "boxes", "width", "height")
    return new.on_conflict_do_update(
        index_elements=["id"],
        set_={name: new.excluded[name] for name in news},
        where=or_(events.c.phase == "began", new.excluded.phase == "ended"),
    )


def _keep_trail(new: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    key = ["recording_id", "first"]
    set_ = {column.name: new.excluded[column.name] for column in trail_table.c if column.name not in ("id", *key)}
    return new.on_conflict_do_update(index_elements=key, set_=set_)


def _id(recording: Recording | int) -> int:
    return recording.id if isinstance(recording, Recording) else int(recording)


def _recording(row: Row[Any]) -> Recording:
    return Recording(
        id=row.id,
        camera=row.camera,
        source=row.source,
        size=(row.width, row.height),
        epoch=row.epoch,
        memory=row.memory,
        beat=row.beat,
        begun=row.begun,
        ended=row.ended,
        version=row.version,
        config=row.config,
        config_hash=row.config_hash,
        settings=Frozen(json.loads(row.settings)),
    )
