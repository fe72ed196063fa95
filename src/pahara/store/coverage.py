"""The ledger of blind time: from when to when nobody watched a camera, and why; what is not in it was watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, insert, or_, select, update

from . import shelf
from .database import Database, inserted_id
from .tables import blind

Why = Literal["stalled", "offline", "off", "disabled", "detector"]
"""stalled: connected, but no pictures; offline: no connection; off: Pahara was not running; disabled: the owner switched the camera off;
detector: pictures came, but nothing could look at them."""


@dataclass(frozen=True, slots=True)
class Blind:
    """A stretch without eyes."""

    id: int
    camera: str
    begin: float  # UTC seconds: the last picture before
    end: float | None  # UTC seconds: the first picture after; None while it lasts
    why: Why
    detail: str  # what the camera or the system said, without secrets

    def seconds(self, now: float) -> float:
        """How long it lasted, or lasts at `now` (UTC seconds)."""
        return max(0.0, (now if self.end is None else self.end) - self.begin)


class Ledger:
    """Blind time of every camera of a store. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def begin(self, camera: str, begin: float, why: Why, detail: str = "") -> Blind:
        """A camera went blind at `begin` (UTC seconds)."""
        return self.add(camera, begin, None, why, detail)

    def add(self, camera: str, begin: float, end: float | None, why: Why, detail: str = "") -> Blind:
        """A stretch that is known already."""
        values = {"camera": camera, "begin_utc": float(begin), "end_utc": end, "why": why, "detail": shelf.clean(detail)[:500]}
        with self.database.writing() as connection:
            number = inserted_id(connection.execute(insert(blind).values(**values)))
        return Blind(number, camera, float(begin), end, why, str(values["detail"]))

    def end(self, stretch: Blind | int, end: float) -> None:
        """It sees again since `end` (UTC seconds); a stretch never ends before it began."""
        number = stretch.id if isinstance(stretch, Blind) else stretch
        with self.database.writing() as connection:
            begin = connection.execute(select(blind.c.begin_utc).where(blind.c.id == number)).scalar()
            if begin is not None:
                connection.execute(update(blind).where(blind.c.id == number).values(end_utc=max(float(end), begin)))

    def open(self, camera: str) -> list[Blind]:
        """Stretches that nobody has ended: a killed program may have left one."""
        return self._found(select(blind).where(blind.c.camera == camera, blind.c.end_utc.is_(None)))

    def between(self, since: float, until: float, camera: str | Sequence[str] | None = None) -> list[Blind]:
        """Stretches that touch [since, until) (UTC seconds), oldest first."""
        wanted = select(blind).where(blind.c.begin_utc < until, or_(blind.c.end_utc.is_(None), blind.c.end_utc > since))
        if camera is not None:
            wanted = wanted.where(blind.c.camera.in_([camera] if isinstance(camera, str) else list(camera)))
        return self._found(wanted)

    def seconds(self, since: float, until: float, camera: str, now: float) -> float:
        """Blind seconds of one camera within [since, until), stretches that overlap counted once."""
        total, reached = 0.0, since
        for stretch in self.between(since, until, camera):
            end = min(until, now if stretch.end is None else stretch.end)
            begin = max(reached, stretch.begin)
            if end > begin:
                total, reached = total + end - begin, end
        return total

    def _found(self, wanted: Any) -> list[Blind]:
        with self.database.reading() as connection:
            rows: list[Row[Any]] = list(connection.execute(wanted.order_by(blind.c.begin_utc, blind.c.id)))
        return [Blind(row.id, row.camera, row.begin_utc, row.end_utc, row.why, row.detail) for row in rows]
