"""Who may come in, with which rights, and who did what: rows only; how a password is checked is the dashboard's affair."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from pahara.core import StoreError

from . import shelf
from .database import Database, inserted_id
from .tables import audit, sessions, tokens, users

Role = Literal["owner", "operator", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)  # the most powerful first


@dataclass(frozen=True, slots=True)
class User:
    """Someone with an account."""

    id: int
    name: str
    password: str  # Argon2id in its own notation; "" cannot log in
    role: Role
    cameras: tuple[str, ...] | None  # keys of the cameras that may be seen; None is all
    totp: str  # base32 secret; "" without a second factor
    totp_step: int
    language: str
    created: float  # UTC seconds
    changed: float  # UTC seconds: password, role, cameras or second factor
    disabled: bool

    def sees(self, camera: str) -> bool:
        """Whether this camera is among theirs."""
        return self.cameras is None or camera in self.cameras

    def __repr__(self) -> str:
        return f"User({self.id}, {self.name!r}, {self.role})"


@dataclass(frozen=True, slots=True)
class Session:
    """Someone who is logged in on one device."""

    id: str
    user: int
    created: float
    last: float
    expires: float
    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Token:
    """A key for a program."""

    id: int
    user: int
    name: str
    role: Role  # at most this
    created: float
    last: float | None
    expires: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log."""

    id: int
    at: float
    who: str
    address: str
    action: str
    object: str
    detail: str


class Accounts:
    """Users, sessions, tokens and the audit log of a store. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- users ---------------------------------------------------------------------------------------------------

    def add_first(self, name: str, password: str, *, language: str, now: float) -> User:
        """The owner, made by the first start; StoreError when there is a user already, also when two try at once."""
        with self.database.writing() as connection:
            if self.database.file is None:
                connection.execute(text("LOCK TABLE users IN EXCLUSIVE MODE"))
            if connection.execute(select(func.count()).select_from(users)).scalar_one():
                raise StoreError("there is an owner already: log in, or ask them for an account")
            number = inserted_id(connection.execute(insert(users).values(**_new(name, password, "owner", None, language, now))))
        return self.user(number)

    def add(self, name: str, password: str, role: Role, *, cameras: Sequence[str] | None, language: str, now: float) -> User:
        """A further user; StoreError when the name is taken."""
        try:
            with self.database.writing() as connection:
                number = inserted_id(connection.execute(insert(users).values(**_new(name, password, role, cameras, language, now))))
        except StoreError as problem:
            if isinstance(problem.__cause__, IntegrityError):
                raise StoreError(f"there is a user named {name!r} already") from problem
            raise
        return self.user(number)

    def user(self, number: int) -> User:
        """StoreError when there is none."""
        with self.database.reading() as connection:
            row = connection.execute(select(users).where(users.c.id == number)).first()
        if row is None:
            raise StoreError(f"there is no user {number}")
        return _user(row)

    def named(self, name: str) -> User | None:
        """The user of that name, whatever its case."""
        with self.database.reading() as connection:
            row = connection.execute(select(users).where(users.c.folded == _folded(name))).first()
        return None if row is None else _user(row)

    def users(self) -> list[User]:
        """All, by name."""
        with self.database.reading() as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.folded))]

    def count(self) -> int:
        """How many; 0 before the first start was completed."""
        with self.database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(users)).scalar_one())

    def change(self, number: int, now: float, **values: Any) -> User:
        """Change password, role, cameras, totp or disabled: every session of theirs ends. `language` alone changes nothing else.

        StoreError when it would leave no owner who can log in.
        """
        if "cameras" in values:
            values["cameras"] = None if values["cameras"] is None else json.dumps(list(values["cameras"]))
        guarded = set(values) - {"language"}
        with self.database.writing() as connection:
            if guarded:
                values["changed"] = now
                connection.execute(delete(sessions).where(sessions.c.user_id == number))
            connection.execute(update(users).where(users.c.id == number).values(**values))
            _an_owner_is_left(connection)
        return self.user(number)

    def remove(self, number: int) -> None:
        """With sessions and tokens; StoreError when it would leave no owner."""
        with self.database.writing() as connection:
            connection.execute(delete(users).where(users.c.id == number))
            _an_owner_is_left(connection)

    def use_step(self, number: int, step: int) -> bool:
        """A one-time code of this time step was shown -> whether it is its first time."""
        with self.database.writing() as connection:
            done = connection.execute(update(users).where(users.c.id == number, users.c.totp_step < step).values(totp_step=step))
            return bool(done.rowcount)

    # -- sessions and tokens -------------------------------------------------------------------------------------

    def begin_session(self, key: str, user: int, *, now: float, expires: float, agent: str, address: str) -> None:
        """`key`: SHA-256 of the cookie, in hex."""
        values = {"id": key, "user_id": user, "created": now, "last": now, "expires": expires}
        with self.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= now))
            connection.execute(insert(sessions).values(**values, agent=shelf.clean(agent)[:300], address=address[:64]))

    def session(self, key: str, now: float) -> tuple[Session, User] | None:
        """Who it is; None when it is unknown, has expired, or its user is disabled."""
        with self.database.reading() as connection:
            found = connection.execute(select(sessions).where(sessions.c.id == key, sessions.c.expires > now)).first()
            if found is None:
                return None
            owner = connection.execute(select(users).where(users.c.id == found.user_id, users.c.disabled.is_(False))).first()
        if owner is None:
            return None
        return _session(found), _user(owner)

    def touch(self, key: str, now: float, expires: float) -> None:
        """It was used."""
        with self.database.writing() as connection:
            connection.execute(update(sessions).where(sessions.c.id == key).values(last=now, expires=expires))

    def end_session(self, key: str) -> None:
        """Logged out."""
        with self.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.id == key))

    def end_sessions(self, user: int, *, but: str = "") -> int:
        """Logged out everywhere else -> how many."""
        with self.database.writing() as connection:
            return int(connection.execute(delete(sessions).where(sessions.c.user_id == user, sessions.c.id != but)).rowcount)

    def sessions(self, user: int) -> list[Session]:
        """Where they are logged in, the latest first."""
        with self.database.reading() as connection:
            wanted = select(sessions).where(sessions.c.user_id == user).order_by(sessions.c.last.desc())
            return [_session(row) for row in connection.execute(wanted)]

    def add_token(self, user: int, name: str, key: str, role: Role, *, now: float, expires: float | None) -> Token:
        """`key`: SHA-256 of the token, in hex."""
        values = {"user_id": user, "name": shelf.clean(name)[:80], "hash": key, "role": role, "created": now, "expires": expires}
        with self.database.writing() as connection:
            number = inserted_id(connection.execute(insert(tokens).values(**values)))
        return Token(number, user, str(values["name"]), role, now, None, expires)

    def token(self, key: str, now: float) -> tuple[Token, User] | None:
        """Whose it is; None when it is unknown, has expired, or its user is disabled. Its use is noted once a minute."""
        with self.database.reading() as connection:
            row = connection.execute(select(tokens).where(tokens.c.hash == key)).first()
            if row is None or (row.expires is not None and row.expires <= now):
                return None
            owner = connection.execute(select(users).where(users.c.id == row.user_id, users.c.disabled.is_(False))).first()
        if owner is None:
            return None
        if row.last is None or now - row.last > 60:
            with self.database.writing() as connection:
                connection.execute(update(tokens).where(tokens.c.id == row.id).values(last=now))
        return _token(row), _user(owner)

    def tokens(self, user: int | None = None) -> list[Token]:
        """Theirs, or all."""
        wanted = select(tokens).order_by(tokens.c.id)
        if user is not None:
            wanted = wanted.where(tokens.c.user_id == user)
        with self.database.reading() as connection:
            return [_token(row) for row in connection.execute(wanted)]

    def remove_token(self, number: int) -> None:
        """It opens nothing any more."""
        with self.database.writing() as connection:
            connection.execute(delete(tokens).where(tokens.c.id == number))

    # -- audit ---------------------------------------------------------------------------------------------------

    def note(self, action: str, who: str, *, object: str = "", detail: str = "", address: str = "", now: float) -> None:
        """Someone did something. `detail` must hold no secret."""
        values = {
            "at": now,
            "who": shelf.clean(who)[:80],
            "address": address[:64],
            "action": action[:40],
            "object": shelf.clean(object)[:500],
        }
        with self.database.writing() as connection:
            connection.execute(insert(audit).values(**values, detail=shelf.clean(detail)[:2000]))

    def log(self, limit: int = 200, before: int | None = None) -> list[Entry]:
        """The newest first; `before`: the id of the last one seen."""
        wanted = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(audit.c.id < before)
        with self.database.reading() as connection:
            return [Entry(row.id, row.at, row.who, row.address, row.action, row.object, row.detail) for row in connection.execute(wanted)]


def _an_owner_is_left(connection: Any) -> None:
    left = select(func.count()).select_from(users).where(users.c.role == "owner", users.c.disabled.is_(False), users.c.password != "")
    if not connection.execute(left).scalar_one():
        raise StoreError("nobody would be left who may change anything: make another owner first")


def _new(name: str, password: str, role: str, cameras: Sequence[str] | None, language: str, now: float) -> dict[str, Any]:
    name = shelf.clean(name).strip()
    if not 0 < len(name) <= 80 or not name.isprintable():
        raise StoreError("a user's name has 1 to 80 printable characters")
    if role not in ROLES:
        raise StoreError(f"no role {role!r}: there are {', '.join(ROLES)}")
    return {
        "name": name,
        "folded": _folded(name),
        "password": password,
        "role": role,
        "cameras": None if cameras is None else json.dumps(list(cameras)),
        "totp": "",
        "totp_step": 0,
        "language": language,
        "created": now,
        "changed": now,
        "disabled": False,
    }


def _folded(name: str) -> str:
    return shelf.clean(name).strip().casefold()[:160]


def _user(row: Row[Any]) -> User:
    cameras = None if row.cameras is None else tuple(json.loads(row.cameras))
    return User(
        row.id, row.name, row.password, row.role, cameras, row.totp, row.totp_step, row.language, row.created, row.changed, row.disabled
    )  # fmt: skip


def _session(row: Row[Any]) -> Session:
    return Session(row.id, row.user_id, row.created, row.last, row.expires, row.agent, row.address)


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.user_id, row.name, row.role, row.created, row.last, row.expires)
