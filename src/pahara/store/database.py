"""One database, SQLite or PostgreSQL: how it is opened, brought up to date, read and written."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from pahara.core import StoreError

from .tables import HEAD, VERSION_TABLE, metadata

BUSY = 15.0  # seconds to wait for another program that is writing
RESERVE = 1 << 20  # bytes
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ADVISORY_LOCK = 0x7061686172  # any number that all Paharas share: "pahar" in ASCII


class DiskFullError(StoreError):
    """There is no room to write. Reading goes on; `Retention.apply` can still make room."""


class Database:
    """Transactions on one database. Thread-safe; errors come out as StoreError.

    SQLite: write-ahead log (readers never wait for the writer), foreign keys on, and synchronous=FULL: a
    transaction that has returned survives `kill -9` and a power cut, at one fsync per commit.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.shown = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
        self.file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        self._reserve = self.file and self.file.with_name(self.file.name + "-reserve")
        # SQLite lets one writer in at a time; queueing our own threads here is fairer than its busy loop.
        self._turn: AbstractContextManager[Any] = threading.RLock() if self.file else nullcontext()
        with self._telling():
            try:
                if self.file:
                    self.engine = create_engine(url, connect_args={"timeout": BUSY, "isolation_level": None})
                    event.listen(self.engine, "connect", _set_up_sqlite)
                    event.listen(self.engine, "begin", _begin_sqlite)
                else:
                    self.engine = create_engine(url, pool_pre_ping=True)
            except (ModuleNotFoundError, NoSuchModuleError) as problem:
                hint = "pip install 'pahara[postgres]'" if url.drivername == "postgresql+pg8000" else "install its driver"
                raise StoreError(f"no driver for the database {self.shown} ({problem}): {hint}") from None

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one moment of the database."""
        return self._transaction(write=False)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that is committed when the block ends, and rolled back when it fails."""
        return self._transaction(write=True)

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        with self._telling(), self._turn if write else nullcontext(), self.engine.connect() as connection:
            connection = connection.execution_options(pahara_write=write)
            with connection.begin():
                yield connection

    def bring_up_to_date(self) -> None:
        """Make or migrate the tables; StoreError when they belong to a newer Pahara or to someone else."""
        with self.reading() as connection:
            if _version(connection) == HEAD:  # the usual case pays neither for a lock nor for importing Alembic
                return
        with self.writing() as connection:
            if not self.file:
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})
            found = _version(connection)
            if found == HEAD:  # another program was faster
                return
            if found is None and (strangers := set(metadata.tables) & set(inspect(connection).get_table_names())):
                raise StoreError(
                    f"{self.shown} is not a Pahara store, but has tables of the same name ({', '.join(sorted(strangers))}): choose another place"
                )
            from . import migrations

            if found is not None and found not in migrations.known():
                raise StoreError(
                    f"{self.shown} was written by a newer Pahara (schema {found}; this one knows up to {HEAD}): "
                    "update pahara, or choose another place"
                )
            migrations.upgrade(connection)

    def reserve(self) -> None:
        """Put a file of 1 MiB beside an SQLite database, to be given up when the disk is full: deleting needs room too."""
        if self._reserve is None or self._reserve.exists():
            return
        try:
            if shutil.disk_usage(self._reserve.parent).free < 2 * RESERVE:
                return  # the last room is for the work itself
            with self._reserve.open("xb") as file:
                file.write(bytes(RESERVE))
        except OSError:
            self.give_up_reserve()

    def give_up_reserve(self) -> bool:
        """-> whether there was one."""
        if self._reserve is None:
            return False
        try:
            self._reserve.unlink()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let every connection go."""
        if self.file:
            try:
                with self.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA optimize")
            except (SQLAlchemyError, sqlite3.Error):
                pass  # only a hint for the query planner: a full disk may refuse it
        self.engine.dispose()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as problem:
            raise told(problem, str(self.shown), full=self._full()) from problem

    def _full(self) -> bool:
        """Whether SQLite's folder has not even room for its log; it then speaks of anything but a full disk."""
        try:
            return self.file is not None and shutil.disk_usage(self.file.parent).free < (1 << 16)
        except OSError:
            return False


def parse_url(where: str) -> URL:
    """`postgresql://` means pg8000 (BSD licence); another driver is used only when the URL names it."""
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise StoreError("this is no database URL: write sqlite:///folder/pahara.db or postgresql://user:password@host/name") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+pg8000")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"a store is SQLite or PostgreSQL, not {url.get_backend_name()}: {url.render_as_string(hide_password=True)}")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise StoreError("a store in memory would be lost: write sqlite:///folder/pahara.db")
    return url


def told(problem: BaseException, where: str, *, full: bool = False) -> StoreError:
    """A database's or the system's error as one line: what was wrong, where, what to try."""
    cause = problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    words = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    no_space = isinstance(cause, OSError) and cause.errno in NO_SPACE
    if (
        no_space
        or any(sign in words for sign in ("disk is full", "No space left", "53100"))
        or (full and any(sign in words for sign in ("disk I/O", "unable to open")))
    ):
        return DiskFullError(f"disk full: {where} could not be written; nothing half-written was kept. Free some space, or lower retention")
    if "malformed" in words or "not a database" in words or "encrypted" in words:
        return StoreError(
            f"the database {where} is damaged ({words}). Keep a copy and try: sqlite3 {where} .recover | sqlite3 rescued.db; "
            "or move it away, and a new one will be made"
        )
    if (
        "readonly" in words
        or "read-only" in words
        or (isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EROFS, errno.EPERM))
    ):
        return StoreError(f"{where} cannot be written ({words}): check the folder's permissions, or choose another place")
    if "unable to open" in words:
        return StoreError(f"the database {where} cannot be opened or made: check that the folder exists and may be written")
    if "locked" in words:
        return StoreError(f"the database {where} was held by another program for {BUSY:.0f} s: close it and try again")
    if "disk I/O" in words:
        return StoreError(f"the database {where} cannot be read or written ({words}): check the disk and its free space")
    return StoreError(f"the database {where} failed: {words}")


def inserted_id(made: CursorResult[Any]) -> int:
    """The number that the database gave to the row just inserted."""
    key = made.inserted_primary_key
    if key is None:
        raise StoreError("the database gave no number to a new row")
    return int(key[0])


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return None if found is None else str(found)


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "journal_size_limit=16777216",  # bytes: a log that grew once is cut back
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that first reads and then writes cannot fail half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("pahara_write") else "BEGIN")
