"""The media folder: files that show an event, each with a row that tells the truth about it, whatever dies when.

A row's state follows its file:

    writing ──→ kept ──→ removing ──→ expired
                  └────→ missing (someone else removed the file)

`writing` is committed before the file exists and `kept` after it is complete under its name; `removing` is committed
before the file goes and `expired` after. So whatever a killed process left behind stands in a `writing` or `removing`
row, and `sweep` finishes it without walking through the folder. No row says `kept` of a file that is not complete.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, cast, get_args

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pahara.core import Event, StoreError

from . import chain
from .database import NO_SPACE, Database, inserted_id, told
from .durable import make_empty, settle
from .layout import OURS, PART, final, relative_path
from .records import Evidence, EvidenceKind, EvidenceState
from .tables import about, events, evidence

try:
    import fcntl
except ImportError:  # Windows: sweep then goes by age alone
    fcntl = None  # type: ignore[assignment]

STALE = 3600.0  # seconds after which nobody can still be writing a file
_MARK = ".pahara-store"  # holds the id of the store whose media folder this is

# What every event asks, made once: making a statement costs more than running it.
_OF_EVENT = select(events.c.camera, events.c.start_utc).where(events.c.id == bindparam("event"))
_ANNOUNCE = insert(evidence)
_KEEP = update(evidence).where(evidence.c.id == bindparam("row"))
_KEPT = select(evidence).where(evidence.c.id.in_(bindparam("rows", expanding=True)))
_OLDER = select(evidence.c.id).where(
    evidence.c.event_id == bindparam("event"),
    evidence.c.kind.in_(bindparam("kinds", expanding=True)),
    evidence.c.id.not_in(bindparam("rows", expanding=True)),
    evidence.c.state.in_(("kept", "missing")),
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found and mended."""

    unfinished: int = 0  # files that a killed process was still writing, removed
    finished: int = 0  # removals that a killed process had begun
    orphans: int = 0  # files without a row, removed
    missing: int = 0  # rows whose file has gone, marked
    found: int = 0  # rows whose file came back, marked
    strangers: int = 0  # files that look like evidence of another store, left alone


@dataclass(frozen=True, slots=True)
class _Settled:
    """A file that is in its place, not yet confirmed."""

    row: int
    kind: EvidenceKind
    size: int  # bytes
    digest: str  # SHA-256
    begin: float | None  # UTC seconds
    end: float | None


class EvidenceFolder:
    """Adds, finds and removes evidence under one folder. Thread-safe."""

    def __init__(self, database: Database, folder: Path, clock: Callable[[], float]) -> None:
        self.database, self.folder, self.clock = database, folder, clock
        self._writing: set[int] = set()  # rows that a thread of ours is at
        self._guard = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".pahara-lock").open("a")  # held as long as we live: see _alone
        except OSError as problem:
            raise told(problem, str(folder)) from problem
        self.ours = self._mark()  # whether this folder belongs to this database
        self.was_alone = False  # whether nobody else had it open when it was opened

    def path_for(self, event: Event, kind: EvidenceKind, time_utc: float | None = None, *, extension: str | None = None) -> Path:
        """media/YYYY-MM-DD/HH/<camera>/MM.SS-<id>.<extension>, in UTC; `time_utc` defaults to when the event began."""
        when = event.epoch + event.start if time_utc is None else time_utc
        return self.folder / relative_path(event.camera, event.id, kind, when, extension)

    def add(
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
        """Let `write` fill a new file, then keep it. See `Store.add_evidence`."""
        if kind not in get_args(EvidenceKind):
            raise StoreError(f"no evidence of kind {kind!r}: there are {', '.join(get_args(EvidenceKind))}")
        return self._add(event_id, {kind: write}, time_utc, begin, end, extension)[0]

    def add_together(self, event_id: str, files: Mapping[EvidenceKind, Callable[[Path], object]]) -> list[Evidence]:
        """Several files of one event, all of them or none; cheaper than one by one."""
        return self._add(event_id, files, None, None, None, None)

    def _add(
        self,
        event_id: str,
        files: Mapping[EvidenceKind, Callable[[Path], object]],
        time_utc: float | None,
        begin: float | None,
        end: float | None,
        extension: str | None,
    ) -> list[Evidence]:
        announced = self._announce(event_id, list(files), time_utc, extension)
        paths = [(self.folder / relative).with_name(PART + Path(relative).name) for _, relative in announced]
        paths += [self.folder / relative for _, relative in announced]
        path = paths[0]
        try:
            done = []
            for (row, relative), (kind, write) in zip(announced, files.items(), strict=True):
                path = self.folder / relative
                part = path.with_name(PART + path.name)
                make_empty(part, self.folder)
                span = write(part)
                size, digest = settle(part, path)
                done.append(_Settled(row, kind, size, digest, *(span if isinstance(span, tuple) else (begin, end))))
            kept, replaced = self._confirm(event_id, done)
        except BaseException as problem:
            self._take_back([row for row, _ in announced], *paths)
            if isinstance(problem, OSError):
                raise told(problem, str(path)) from problem
            if (number := getattr(problem.__cause__, "errno", None)) in NO_SPACE:  # what writes videos knows no DiskFullError
                raise told(OSError(number, "No space left on device"), str(path)) from problem
            raise
        finally:
            with self._guard:
                self._writing.difference_update(row for row, _ in announced)
        self.finish_removal(replaced, forget=True)
        return kept

    def of_events(self, connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Evidence, ...]]:
        """What there is, and was, for each event; oldest first."""
        found: dict[str, list[Evidence]] = {}
        wanted = (
            select(evidence).where(evidence.c.event_id.in_(ids), evidence.c.state != "writing").order_by(evidence.c.stored, evidence.c.id)
        )
        for row in connection.execute(wanted) if ids else ():
            found.setdefault(row.event_id, []).append(self.of_row(row))
        return {event_id: tuple(items) for event_id, items in found.items()}

    def of_row(self, row: Row[Any]) -> Evidence:
        """A row as people see it: what is being removed has expired."""
        state = cast(EvidenceState, "expired" if row.state == "removing" else row.state)
        path = self.folder / row.path
        return Evidence(
            row.id, row.event_id, row.kind, path, row.path, state, row.bytes, row.sha256, row.begin_utc, row.end_utc, row.stored
        )  # fmt: skip

    def verify(self, item: Evidence) -> bool:
        """Whether the file still is byte for byte what was kept (SHA-256)."""
        try:
            with item.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == item.sha256
        except OSError:
            return False

    def begin_removal(self, connection: Connection, rows: Sequence[int]) -> list[int]:
        """Mark kept evidence `removing`, except under locked events -> the rows marked. Commit, then `finish_removal`."""
        free = select(evidence.c.id).join(events, events.c.id == evidence.c.event_id)
        free = free.where(evidence.c.id.in_(rows), evidence.c.state.in_(("kept", "missing")), events.c.locked.is_(False))
        # On PostgreSQL this waits for a `lock` that is under way, and makes the next one wait for us.
        marked = list(connection.execute(free.order_by(evidence.c.id).with_for_update(of=events)).scalars())
        connection.execute(update(evidence).where(evidence.c.id.in_(marked)).values(state="removing"))
        return marked

    def finish_removal(self, rows: Sequence[int], *, forget: bool = False) -> list[int]:
        """Remove the files of `removing` rows -> the rows done; one that cannot be removed now is tried by the next sweep."""
        if not rows:
            return []
        with self.database.reading() as connection:
            wanted = select(evidence.c.id, evidence.c.path).where(evidence.c.id.in_(rows), evidence.c.state == "removing")
            files = list(connection.execute(wanted))
        done = [row.id for row in files if self._unlink(self.folder / row.path)]
        gone = [chain.Link("gone file", row.path) for row in files if row.id in done]
        with self.database.writing() as connection:
            chain.append(connection, gone, self.clock())
            if forget:
                connection.execute(delete(evidence).where(evidence.c.id.in_(done)))
            else:
                connection.execute(update(evidence).where(evidence.c.id.in_(done)).values(state="expired"))
        return done

    def sweep(self, *, opening: bool = False) -> Swept:
        """Finish what a killed process left behind. `opening`: nobody of us writes yet."""
        alone = self.was_alone = opening and self._alone()
        if opening:
            # Nothing but the few rows in these two states is looked at: opening a store of millions is as fast.
            try:
                return self._sweep_rows(alone)
            finally:
                self._share()
        swept = self._sweep_rows(alone=False)
        return self._sweep_folder(swept)

    def close(self) -> None:
        """Let the folder go."""
        self._lock.close()

    # -- writing -------------------------------------------------------------------------------------------------

    def _announce(
        self, event_id: str, kinds: Sequence[EvidenceKind], time_utc: float | None, extension: str | None
    ) -> list[tuple[int, str]]:
        """Commit the `writing` rows -> their ids and paths. A path is new even when the same second has evidence already."""
        for attempt in range(1, 1000):
            try:
                with self.database.writing() as connection:
                    of = connection.execute(_OF_EVENT, {"event": event_id}).first()
                    if of is None:
                        raise StoreError(f"there is no event {event_id!r} that evidence could belong to: save the event first")
                    when = of.start_utc if time_utc is None else time_utc
                    announced = []
                    for kind in kinds:
                        relative = relative_path(of.camera, event_id, kind, when, extension, attempt)
                        values = {"event_id": event_id, "kind": kind, "path": relative, "state": "writing", "bytes": 0, "sha256": ""}
                        made = connection.execute(_ANNOUNCE, {**values, "stored": self.clock()})
                        announced.append((inserted_id(made), relative))
                    with self._guard:
                        self._writing.update(row for row, _ in announced)
                return announced
            except StoreError as problem:
                if not isinstance(problem.__cause__, IntegrityError):
                    raise
        raise StoreError(f"event {event_id} has a thousand files of kind {kinds[0]} in one second already")

    def _confirm(self, event_id: str, done: Sequence[_Settled]) -> tuple[list[Evidence], list[int]]:
        """Commit the `kept` rows -> them, and the rows of the same kinds that they replace, now `removing`."""
        rows = [file.row for file in done]
        with self.database.writing() as connection:
            same = {"event": event_id, "kinds": [file.kind for file in done], "rows": rows}
            replaced = list(connection.execute(_OLDER, same).scalars())
            if replaced:
                connection.execute(update(evidence).where(evidence.c.id.in_(replaced)).values(state="removing"))
            for file in done:
                values = {"bytes": file.size, "sha256": file.digest, "begin_utc": file.begin, "end_utc": file.end, "stored": self.clock()}
                if connection.execute(_KEEP, {"row": file.row, "state": "kept", **values}).rowcount != 1:
                    raise StoreError(
                        f"the evidence of event {event_id} was swept away while it was written: it took more than {STALE:.0f} s"
                    )
            found = {row.id: row for row in connection.execute(_KEPT, {"rows": rows})}
            chain.append(connection, [chain.file_link(found[row]) for row in rows], self.clock())
        return [self.of_row(found[row]) for row in rows], replaced

    def _take_back(self, rows: Sequence[int], *files: Path) -> None:
        for file in files:
            self._unlink(file)
        # On a full disk even this may fail; then the next sweep finds the rows.
        with suppress(StoreError), self.database.writing() as connection:
            connection.execute(delete(evidence).where(evidence.c.id.in_(rows)))

    def _unlink(self, file: Path) -> bool:
        try:
            file.unlink(missing_ok=True)
        except OSError:
            return False
        for parent in (file.parent, file.parent.parent, file.parent.parent.parent):  # camera, hour, day
            try:
                parent.rmdir()
            except OSError:  # not empty: something else is still there
                break
        return True

    # -- sweeping ------------------------------------------------------------------------------------------------

    def _alone(self) -> bool:
        """Whether no other Pahara has this folder open. The lock dies with its process, however that ends."""
        return fcntl is not None and _flock(self._lock.fileno(), exclusive=True)

    def _share(self) -> None:
        if fcntl is not None:
            _flock(self._lock.fileno(), exclusive=False)

    def _sweep_rows(self, alone: bool) -> Swept:
        with self.database.reading() as connection:
            wanted = select(evidence.c.id, evidence.c.path, evidence.c.state, evidence.c.stored)
            rows = list(connection.execute(wanted.where(evidence.c.state.in_(("writing", "removing")))))
        with self._guard:
            own = set(self._writing)
        left = [r for r in rows if r.state == "writing" and r.id not in own and (alone or r.stored < self.clock() - STALE)]
        gone = []
        for row in left:
            path = self.folder / row.path
            if self._unlink(path.with_name(PART + path.name)) and self._unlink(path):
                gone.append(row.id)
        if gone:
            with self.database.writing() as connection:
                connection.execute(delete(evidence).where(evidence.c.id.in_(gone), evidence.c.state == "writing"))
        finished = self.finish_removal([row.id for row in rows if row.state == "removing"])
        return Swept(unfinished=len(gone), finished=len(finished))

    def _sweep_folder(self, swept: Swept) -> Swept:
        """Compare every file with every row. Touches nothing that is not named as evidence is."""
        orphans = strangers = 0
        limit = time.time() - STALE  # of the file system's clock
        for relatives in _batches(self._files(), 500):
            names = {final(relative) for relative in relatives}
            with self.database.reading() as connection:
                known = set(
                    connection.execute(select(evidence.c.path).where(evidence.c.path.in_(names), evidence.c.state != "expired")).scalars()
                )
            for relative in relatives:
                if final(relative) in known:
                    continue
                file = self.folder / relative
                with suppress(FileNotFoundError):
                    if not self.ours:
                        strangers += 1
                    elif file.stat().st_mtime < limit or not self._being_written(relative):
                        orphans += self._unlink(file)
        missing = found = last = 0
        while True:
            with self.database.reading() as connection:
                wanted = select(evidence.c.id, evidence.c.path, evidence.c.state).where(
                    evidence.c.state.in_(("kept", "missing")), evidence.c.id > last
                )
                rows = list(connection.execute(wanted.order_by(evidence.c.id).limit(1000)))
            if not rows:
                break
            last = rows[-1].id
            there = {row.id: (self.folder / row.path).is_file() for row in rows}
            lost = [row.id for row in rows if row.state == "kept" and not there[row.id]]
            back = [row.id for row in rows if row.state == "missing" and there[row.id]]
            if lost or back:
                with self.database.writing() as connection:
                    now_missing = update(evidence).where(evidence.c.id.in_(lost), evidence.c.state == "kept").values(state="missing")
                    missing += connection.execute(now_missing).rowcount
                    now_kept = update(evidence).where(evidence.c.id.in_(back), evidence.c.state == "missing").values(state="kept")
                    found += connection.execute(now_kept).rowcount
        return Swept(swept.unfinished, swept.finished, orphans, missing, found, strangers)

    def _being_written(self, relative: str) -> bool:
        """A row may have been committed between our look at the rows and our look at the file."""
        with self.database.reading() as connection:
            name = final(relative)
            return (
                connection.execute(select(evidence.c.id).where(evidence.c.path == name, evidence.c.state != "expired")).first() is not None
            )

    def names(self) -> Iterator[str]:
        """Every file in the folder that is called like evidence, as a path under it with forward slashes."""
        return self._files()

    def _files(self) -> Iterator[str]:
        """Every file in the folder's own layout, as a path with forward slashes."""
        for folder, folders, files in os.walk(self.folder):  # does not follow links
            folders.sort()
            here = Path(folder).relative_to(self.folder).as_posix()
            for name in files:
                if OURS.fullmatch(relative := f"{here}/{name}"):
                    yield relative

    def _mark(self) -> bool:
        """Whether this folder belongs to this database; a new folder is claimed."""
        with self.database.reading() as connection:
            store_id = str(connection.execute(select(about.c.value).where(about.c.key == "id")).scalar_one())
        mark = self.folder / _MARK
        try:
            if not mark.exists():
                mark.write_text(store_id + "\n", encoding="ascii")
                return not any(self._files())  # evidence from before the mark belongs to a database that was lost
            return mark.read_text(encoding="ascii").strip() == store_id
        except OSError as problem:
            raise told(problem, str(mark)) from problem


def _flock(handle: int, *, exclusive: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
    except OSError:
        return False
    return True


def _batches(items: Iterator[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
