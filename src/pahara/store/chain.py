"""A chain of hashes under all that was kept: whatever is changed, taken away or put in afterwards does not fit any more.

Each link holds the SHA-256 of the link before it, of its own place and time, and of what it is about: an event as it was
reported, a file of evidence with its own SHA-256, or that retention removed one of these. Links are written in the same
transaction as what they are about, so no crash can part them, and they are never changed.

What people say about an event (reviewed, verdict, note, lock) is no part of it: opinions change, and the audit log tells whose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, insert, select, text

from .tables import chain

What = Literal["event", "file", "gone event", "gone file"]
BEGINNING = "0" * 64  # what the first link follows on
EVENT = (
    "id", "camera", "behaviour", "kind", "subject", "phase", "start", "time", "epoch", "start_utc", "peak", "peak_time", "reason", "boxes",
    "width", "height", "stored",
)  # fmt: skip
FILE = ("event_id", "kind", "path", "bytes", "sha256", "begin_utc", "end_utc", "stored")
_LOCK = 0x70616861726B  # any number that all Paharas share, for PostgreSQL: one link at a time

_LAST = select(chain.c.id, chain.c.hash).order_by(chain.c.id.desc()).limit(1)
_OF = select(chain.c.what, chain.c.digest).where(chain.c.object == bindparam("object")).order_by(chain.c.id.desc()).limit(1)
_ADD = insert(chain)


@dataclass(frozen=True, slots=True)
class Link:
    """What is to be linked: `digest` is "" for what is gone."""

    what: What
    object: str  # an event's id, or a file's path under the media folder
    digest: str = ""


def event_link(row: Any) -> Link:
    """An event's row as it stands in the database."""
    return Link("event", row.id, _digest(row, EVENT))


def file_link(row: Any) -> Link:
    """A row of evidence that is kept."""
    return Link("file", row.path, _digest(row, FILE))


def hash_of(before: str, number: int, at: float, link: Link) -> str:
    """The hash of one link, 64 hex digits.

    >>> hash_of(BEGINNING, 1, 0.0, Link("gone event", "a"))[:8]
    'b5f98872'
    """
    told = json.dumps([before, number, float(at), link.what, link.object, link.digest], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def append(connection: Connection, links: Iterable[Link], now: float) -> None:
    """Add links inside the caller's transaction. What stands there already, unchanged, is not linked again."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
    last = connection.execute(_LAST).first()
    number, before = (last.id, last.hash) if last is not None else (0, BEGINNING)
    rows: list[Mapping[str, Any]] = []
    for link in links:
        had = connection.execute(_OF, {"object": link.object}).first()
        if had is not None and (had.what, had.digest) == (link.what, link.digest):
            continue
        number += 1
        before = hash_of(before, number, now, link)
        rows.append({"id": number, "at": float(now), "what": link.what, "object": link.object, "digest": link.digest, "hash": before})
    if rows:
        connection.execute(_ADD, rows)


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last link; (0, zeros) while there is none."""
    last = connection.execute(_LAST).first()
    return (0, BEGINNING) if last is None else (int(last.id), str(last.hash))


def _digest(row: Any, columns: Sequence[str]) -> str:
    values = [getattr(row, name) for name in columns]
    return hashlib.sha256(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
