"""Looks through a whole store: chain, rows, files and signatures; and tells exactly what does not fit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import and_, exists, select

from . import chain
from .chain import BEGINNING, Link
from .layout import PART
from .seal import Seal
from .store import Store
from .tables import chain as chain_table
from .tables import events, evidence, seals

BATCH = 1000
Wrong = Literal["changed", "missing", "inserted"]
Of = Literal["event", "file", "row", "link", "seal"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit."""

    wrong: Wrong
    of: Of  # row: of a file of evidence
    name: str  # an event's id, a file's path, a link's or seal's number
    said: str
    camera: str = ""  # whose, where that is known


@dataclass
class Verified:
    """What was looked at, and what was found."""

    links: int = 0
    events: int = 0
    files: int = 0
    seals: int = 0
    sealed: int = 0  # the last link under a genuine signature
    keys: list[str] = field(default_factory=list)  # public keys of genuine signatures, hex
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(
    store: Store,
    *,
    files: bool = True,
    key: str = "",
    anchor: Seal | None = None,
    tell: Callable[[str, int], None] = lambda _what, _done: None,
    most: int = 1000,
) -> Verified:
    """Everything, in one pass. `files`: read every file (its SHA-256), not only look whether it is there.

    `key` (hex): the public key that must have signed. `anchor`: a seal that was taken away earlier (of an export's manifest),
    against which even someone who rewrote the whole chain and had the key is found out. At most `most` findings are told.
    """
    found = Verified()
    for finding in _all(store, found, files, key, anchor, tell):
        found.findings.append(finding)
        if len(found.findings) >= most:
            break
    return found


def _all(store: Store, found: Verified, files: bool, key: str, anchor: Seal | None, tell: Callable[[str, int], None]) -> Iterator[Finding]:
    sealed = _seals(store)
    if anchor is not None:
        sealed.append((0, anchor))
    yield from _links(store, found, {each.link: each.hash for _, each in sealed}, tell)
    yield from _signatures(store, found, sealed, key)
    yield from _events(store, found, tell)
    yield from _files(store, found, files, tell)
    yield from _strangers(store)


def _links(store: Store, found: Verified, sealed: dict[int, str], tell: Callable[[str, int], None]) -> Iterator[Finding]:
    """Whether each link follows on the one before, and has the hash that was signed."""
    before, number = BEGINNING, 0
    while rows := _page(store, select(chain_table).where(chain_table.c.id > number).order_by(chain_table.c.id)):
        for row in rows:
            if row.id != number + 1:
                which = f"{number + 1}" if row.id == number + 2 else f"{number + 1} to {row.id - 1}"
                yield Finding("missing", "link", which, f"of the chain, link {which} was taken out")
            elif chain.hash_of(before, row.id, row.at, Link(row.what, row.object, row.digest)) != row.hash:
                yield Finding("changed", "link", f"{row.id}", f"link {row.id} of the chain (about {row.what} {row.object}) does not follow on the one before: it, or the one before, was changed")  # fmt: skip
            elif sealed.get(row.id, row.hash) != row.hash:
                yield Finding("changed", "link", f"{row.id}", f"link {row.id} of the chain has another hash than was signed: the chain up to it was made anew")  # fmt: skip
            before, number = row.hash, row.id
            found.links += 1
        tell("links", found.links)
    for each in sorted(sealed):
        if each > number:
            yield Finding("missing", "link", f"{number + 1} to {each}", f"the chain ends at link {number}, but up to {each} it was signed")
            return


def _signatures(store: Store, found: Verified, sealed: list[tuple[int, Seal]], key: str) -> Iterator[Finding]:
    for number, each in sealed:
        called = f"{number}" if number else "of the manifest"
        found.seals += 1
        if not each.genuine(store.identity):
            yield Finding("changed", "seal", called, f"seal {called} bears a signature that is not over its words")
        elif key and each.key != key:
            yield Finding("inserted", "seal", called, f"seal {called} was made with another key ({each.key[:16]}…)")
        else:
            found.sealed = max(found.sealed, each.link)
            if each.key not in found.keys:
                found.keys.append(each.key)


def _events(store: Store, found: Verified, tell: Callable[[str, int], None]) -> Iterator[Finding]:
    last = ""
    while rows := _page(store, select(events).where(events.c.id > last).order_by(events.c.id)):
        links = _last_links(store, [row.id for row in rows])
        for row in rows:
            link = links.get(row.id)
            if link is None or link[0] != "event":
                yield Finding("inserted", "event", row.id, f"event {row.id} of {row.camera} was put in afterwards: the chain knows nothing of it", row.camera)  # fmt: skip
            elif chain.event_link(row).digest != link[1]:
                yield Finding("changed", "event", row.id, f"event {row.id} of {row.camera} is not as it was reported", row.camera)
        found.events += len(rows)
        tell("events", found.events)
        last = rows[-1].id
    yield from _gone(store, "event", "gone event", ~exists().where(events.c.id == chain_table.c.object))


def _files(store: Store, found: Verified, read: bool, tell: Callable[[str, int], None]) -> Iterator[Finding]:
    last = ""
    wanted = select(evidence, events.c.camera).join_from(evidence, events, isouter=True)
    while rows := _page(store, wanted.where(evidence.c.path > last, evidence.c.state.in_(("kept", "missing"))).order_by(evidence.c.path)):
        links = _last_links(store, [row.path for row in rows])
        for row in rows:
            link, camera = links.get(row.path), row.camera or ""
            if link is None or link[0] != "file":
                yield Finding("inserted", "row", row.path, f"{row.path} was put in afterwards: the chain knows nothing of it", camera)
            elif chain.file_link(row).digest != link[1]:
                yield Finding("changed", "row", row.path, f"what the database says of {row.path} is not what was kept", camera)
            if said := _file(store, row, read):
                wrong: Wrong = "missing" if "not there" in said else "changed"
                if _still(store, row):  # retention may have been here meanwhile
                    yield Finding(wrong, "file", row.path, said, camera)
            found.files += 1
            if found.files % 20 == 0:
                tell("files", found.files)
        last = rows[-1].path
    yield from _gone(
        store, "file", "gone file", ~exists().where(and_(evidence.c.path == chain_table.c.object, evidence.c.state != "writing"))
    )


def _gone(store: Store, what: str, farewell: str, without_row: Any) -> Iterator[Finding]:
    """What the chain knows, and neither a row nor a farewell is left of."""
    later = chain_table.alias()
    said_goodbye = exists().where(later.c.object == chain_table.c.object, later.c.what == farewell, later.c.id > chain_table.c.id)
    number = 0
    told: set[str] = set()
    while rows := _page(
        store,
        select(chain_table)
        .where(chain_table.c.id > number, chain_table.c.what == what, without_row, ~said_goodbye)
        .order_by(chain_table.c.id),
    ):
        for row in rows:
            number = row.id
            if row.object not in told:
                told.add(row.object)
                of: Of = "event" if what == "event" else "row"
                yield Finding("missing", of, row.object, f"{what} {row.object} was taken out of the database, and not by retention")


def _strangers(store: Store) -> Iterator[Finding]:
    """Files that look like evidence and belong to no row."""
    names: list[str] = []
    for relative in [*store.evidence.names(), ""]:
        if relative and PART not in relative:
            names.append(relative)
        if names and (len(names) >= BATCH or not relative):
            with store.database.reading() as connection:
                known = set(
                    connection.execute(select(evidence.c.path).where(evidence.c.path.in_(names), evidence.c.state != "expired")).scalars()
                )
            for name in names:
                if name not in known:
                    yield Finding("inserted", "file", name, f"{name} lies in the evidence folder, and nobody kept it there")
            names = []


def _file(store: Store, row: Any, read: bool) -> str:
    """What is wrong with a file; "" for nothing."""
    path = store.evidence.folder / row.path
    try:
        if path.stat().st_size != row.bytes:
            return f"{row.path} has {path.stat().st_size} bytes, and {row.bytes} were kept"
        if read:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != row.sha256:
                    return f"{row.path} is not what was kept: its SHA-256 is another"
    except FileNotFoundError:
        return f"{row.path} is not there any more"
    except OSError as problem:
        return f"{row.path} cannot be read ({problem.strerror})"
    return ""


def _still(store: Store, row: Any) -> bool:
    with store.database.reading() as connection:
        return (
            connection.execute(select(evidence.c.id).where(evidence.c.id == row.id, evidence.c.state.in_(("kept", "missing")))).first()
            is not None
        )


def _last_links(store: Store, objects: list[str]) -> dict[str, tuple[str, str]]:
    wanted = select(chain_table.c.object, chain_table.c.what, chain_table.c.digest).where(chain_table.c.object.in_(objects))
    with store.database.reading() as connection:
        return {row.object: (row.what, row.digest) for row in connection.execute(wanted.order_by(chain_table.c.id))}


def _seals(store: Store) -> list[tuple[int, Seal]]:
    with store.database.reading() as connection:
        rows = list(connection.execute(select(seals).order_by(seals.c.id)))
    return [(row.id, Seal(row.at, row.link, row.hash, row.key, row.signature)) for row in rows]


def _page(store: Store, wanted: Any) -> list[Any]:
    with store.database.reading() as connection:
        return list(connection.execute(wanted.limit(BATCH)))
