"""Continuous recording: files of about a minute, each with a row, so that nothing half-written and nothing forgotten is left on the disk.

The rows' states are those of evidence: `writing` is committed before the file exists, `kept` after it is complete; `removing` before it goes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pahara.core import StoreError

from .database import NO_SPACE, Database, inserted_id, told
from .durable import make_empty, settle
from .layout import FOOTAGE, PART, final, footage_path
from .tables import footage

STALE = 3600.0  # seconds after which nobody can still be writing a file
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a camera's continuous recording."""

    id: int
    camera: str
    path: Path
    begin: float  # UTC seconds
    end: float
    bytes: int


class Footage:
    """Adds, finds and removes pieces under the media folder. Thread-safe."""

    def __init__(self, database: Database, folder: Path, clock: Callable[[], float]) -> None:
        self.database, self.folder, self.clock = database, folder, clock
        self._writing: set[int] = set()
        self._guard = Lock()

    def add(self, camera: str, begin: float, end: float, write: Callable[[Path], object], *, extension: str = ".mp4") -> Piece:
        """Let `write` fill a new file that shows `begin` to `end` (UTC seconds), then keep it. DiskFullError, StoreError."""
        row, relative = self._announce(camera, begin, end, extension)
        path = self.folder / relative
        part = path.with_name(PART + path.name)
        try:
            make_empty(part, self.folder)
            write(part)
            size, _ = settle(part, path)
            with self.database.writing() as connection:
                kept = update(footage).where(footage.c.id == row).values(state="kept", bytes=size, stored=self.clock())
                if connection.execute(kept).rowcount != 1:
                    raise StoreError(f"the recording {path} was swept away while it was written")
        except BaseException as problem:
            self._unlink(part)
            self._unlink(path)
            with suppress(StoreError), self.database.writing() as connection:
                connection.execute(delete(footage).where(footage.c.id == row))
            cause = problem if isinstance(problem, OSError) else problem.__cause__
            if isinstance(problem, OSError) or getattr(cause, "errno", None) in NO_SPACE:
                raise told(OSError(getattr(cause, "errno", None), str(cause)), str(path)) from problem
            raise
        finally:
            with self._guard:
                self._writing.discard(row)
        return Piece(row, camera, path, begin, end, size)

    def between(self, camera: str, begin: float, end: float) -> list[Piece]:
        """Pieces that show any of `begin` to `end` (UTC seconds), in order."""
        wanted = select(footage).where(footage.c.camera == camera, footage.c.state == "kept")
        wanted = wanted.where(footage.c.begin_utc < end, footage.c.end_utc > begin).order_by(footage.c.begin_utc, footage.c.id)
        with self.database.reading() as connection:
            return [self._piece(row) for row in connection.execute(wanted)]

    def piece(self, piece_id: int) -> Piece | None:
        """One by its id, where it is still there."""
        with self.database.reading() as connection:
            row = connection.execute(select(footage).where(footage.c.id == piece_id, footage.c.state == "kept")).first()
        return None if row is None else self._piece(row)

    @property
    def bytes(self) -> int:
        """Of all that is kept."""
        with self.database.reading() as connection:
            return int(
                connection.execute(select(func.coalesce(func.sum(footage.c.bytes), 0)).where(footage.c.state == "kept")).scalar_one()
            )

    def remove(self, *, before: float | None = None, until_bytes: int | None = None) -> tuple[int, int]:
        """Oldest first: all that ended before a time (UTC seconds), or until so many bytes are free -> files, bytes."""
        files = size = 0
        last = (-1.0e300, -1)  # one that cannot be removed is passed over, not tried for ever
        while until_bytes is None or size < until_bytes:
            wanted = select(footage.c.id, footage.c.bytes, footage.c.begin_utc).where(footage.c.state == "kept")
            wanted = wanted.where((footage.c.begin_utc > last[0]) | ((footage.c.begin_utc == last[0]) & (footage.c.id > last[1])))
            if before is not None:
                wanted = wanted.where(footage.c.end_utc < before)
            with self.database.writing() as connection:
                chosen, promised = [], size
                for row in connection.execute(wanted.order_by(footage.c.begin_utc, footage.c.id).limit(_BATCH)):
                    if until_bytes is not None and promised >= until_bytes:
                        break
                    chosen.append(row)
                    promised += row.bytes
                marked = [row.id for row in chosen]
                connection.execute(update(footage).where(footage.c.id.in_(marked)).values(state="removing"))
            if not chosen:
                break
            last = (chosen[-1].begin_utc, chosen[-1].id)
            done = set(self._finish(marked))
            files += len(done)
            size += sum(row.bytes for row in chosen if row.id in done)
        return files, size

    def sweep(self, *, alone: bool = False, before: float | None = None) -> int:
        """Finish what a killed process left behind -> files and rows mended. `alone`: whoever wrote before `before` is dead."""
        with self.database.reading() as connection:
            rows = list(connection.execute(select(footage).where(footage.c.state.in_(("writing", "removing")))))
        with self._guard:
            own = set(self._writing)
        limit = self.clock() - STALE if not alone else float("inf") if before is None else before
        left = [row for row in rows if row.state == "writing" and row.id not in own and row.stored <= limit]
        gone = []
        for row in left:
            path = self.folder / row.path
            if self._unlink(path.with_name(PART + path.name)) and self._unlink(path):
                gone.append(row.id)
        if gone:
            with self.database.writing() as connection:
                connection.execute(delete(footage).where(footage.c.id.in_(gone), footage.c.state == "writing"))
        return len(gone) + len(self._finish([row.id for row in rows if row.state == "removing"]))

    def sweep_folder(self, *, ours: bool) -> tuple[int, int]:
        """Compare every file with every row -> files without a row that were removed (only where the folder is `ours`), rows without a file."""
        with self.database.reading() as connection:
            known = {row.path: row for row in connection.execute(select(footage))}
        orphans = 0
        limit = time.time() - STALE  # of the file system's clock
        for relative in self._files() if ours else ():
            file = self.folder / relative
            with suppress(FileNotFoundError):
                if final(relative) not in known and file.stat().st_mtime < limit:
                    orphans += self._unlink(file)
        lost = [row.id for row in known.values() if row.state == "kept" and not (self.folder / row.path).is_file()]
        with self.database.writing() as connection:
            for start in range(0, len(lost), _BATCH):
                connection.execute(delete(footage).where(footage.c.id.in_(lost[start : start + _BATCH])))
        return orphans, len(lost)

    def _announce(self, camera: str, begin: float, end: float, extension: str) -> tuple[int, str]:
        for attempt in range(1, 1000):
            relative = footage_path(camera, begin, extension, attempt)
            values = {"camera": camera, "path": relative, "state": "writing", "bytes": 0, "begin_utc": begin, "end_utc": end}
            try:
                with self._guard, self.database.writing() as connection:
                    row = inserted_id(connection.execute(insert(footage).values(**values, stored=self.clock())))
                    self._writing.add(row)
                return row, relative
            except StoreError as problem:
                if not isinstance(problem.__cause__, IntegrityError):
                    raise
        raise StoreError(f"camera {camera} has a thousand recordings in one second already")

    def _finish(self, rows: list[int]) -> list[int]:
        if not rows:
            return []
        with self.database.reading() as connection:
            wanted = select(footage.c.id, footage.c.path).where(footage.c.id.in_(rows), footage.c.state == "removing")
            files = list(connection.execute(wanted))
        done = [row.id for row in files if self._unlink(self.folder / row.path)]
        with self.database.writing() as connection:
            connection.execute(delete(footage).where(footage.c.id.in_(done)))
        return done

    def _files(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.folder):  # does not follow links
            folders.sort()
            here = Path(folder).relative_to(self.folder).as_posix()
            for name in files:
                if FOOTAGE.fullmatch(relative := f"{here}/{name}"):
                    yield relative

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

    def _piece(self, row: Row[tuple[object, ...]]) -> Piece:
        return Piece(row.id, row.camera, self.folder / row.path, row.begin_utc, row.end_utc, row.bytes)
