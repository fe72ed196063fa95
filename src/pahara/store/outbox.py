"""Who is still to be told of what: notifications survive a crash, go out at least once, and expire instead of piling up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pahara.core import Event

from . import shelf
from .database import Database
from .tables import deliveries, events

State = Literal["waiting", "sent", "expired", "dropped"]
"""waiting: to be sent, or sent again; sent; expired: nobody could be reached in time; dropped: a policy kept it back (quiet hours, cooldown)."""

LONGEST_WHY = 300  # characters of a failure that are kept


@dataclass(frozen=True, slots=True)
class Wanted:
    """One channel that should hear of one report."""

    channel: str
    expires: float  # UTC seconds after which nobody wants to hear of it
    due: float = 0.0  # UTC seconds, not before
    state: State = "waiting"  # "dropped" where a policy keeps it back, with `why`
    why: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One report on its way to one channel."""

    id: int
    event: Event  # as last reported: it may have ended since
    phase: Literal["began", "ended"]
    channel: str
    state: State
    tries: int
    due: float
    expires: float
    made: float
    settled: float | None
    why: str


class Outbox:
    """What is to be told, in the database that holds the events themselves. Thread-safe.

    An event is *untold* until `take_over` has decided, in one transaction, which channels hear of it; so a program that is
    killed between storing an event and telling of it finds the event again, and one that is killed in the middle decides once.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._insert = (sqlite.insert if database.file else postgresql.insert)(deliveries).on_conflict_do_nothing(
            index_elements=["event_id", "channel", "phase"]
        )

    def untold(self, limit: int = 200) -> list[tuple[Event, float]]:
        """Reports that no outbox has taken over, oldest first, each with when it was stored (UTC seconds)."""
        wanted = (
            select(events).where(events.c.told != events.c.phase).order_by(events.c.stored, events.c.start_utc, events.c.id).limit(limit)
        )
        with self.database.reading() as connection:
            return [(shelf.event_of(row), row.stored) for row in connection.execute(wanted)]

    def take_over(self, event: Event, wanted: Iterable[Wanted], now: float) -> None:
        """Decide who hears of this report. The same report again changes nothing."""
        rows = [
            {
                "event_id": event.id,
                "channel": each.channel,
                "phase": event.phase,
                "state": each.state,
                "tries": 0,
                "due": max(each.due, 0.0),
                "expires": each.expires,
                "made": now,
                "settled": None if each.state == "waiting" else now,
                "why": shelf.clean(each.why)[:LONGEST_WHY],
            }
            for each in wanted
        ]
        with self.database.writing() as connection:
            if rows:
                connection.execute(self._insert, rows)
            # Only as far as was decided: an event that ended meanwhile is untold again.
            connection.execute(update(events).where(events.c.id == event.id, events.c.phase == event.phase).values(told=event.phase))
            if event.phase == "began":
                connection.execute(update(events).where(events.c.id == event.id, events.c.told == "").values(told="began"))

    def due(self, channel: str, now: float, limit: int = 20) -> list[Delivery]:
        """What may be sent now, oldest first; nothing that has expired."""
        asked = (deliveries.c.channel == channel, deliveries.c.state == "waiting", deliveries.c.due <= now, deliveries.c.expires > now)
        return self._found(select(deliveries).where(*asked).order_by(deliveries.c.id).limit(limit))

    def next_due(self, channel: str) -> float | None:
        """UTC seconds at which something waits to be tried; None when nothing waits."""
        wanted = select(func.min(deliveries.c.due)).where(deliveries.c.channel == channel, deliveries.c.state == "waiting")
        with self.database.reading() as connection:
            found = connection.execute(wanted).scalar()
        return None if found is None else float(found)

    def sent(self, numbers: Sequence[int], now: float) -> None:
        """It arrived."""
        self._change(numbers, state="sent", settled=now, tries=deliveries.c.tries + 1, why="")

    def failed(self, numbers: Sequence[int], again: float, why: str) -> None:
        """It did not; try again at `again` (UTC seconds)."""
        self._change(numbers, due=again, tries=deliveries.c.tries + 1, why=shelf.clean(why)[:LONGEST_WHY])

    def drop(self, numbers: Sequence[int], now: float, why: str) -> None:
        """A policy keeps it back."""
        self._change(numbers, state="dropped", settled=now, why=shelf.clean(why)[:LONGEST_WHY])

    def expire(self, now: float, channel: str | None = None) -> int:
        """Give up what nobody wants to hear of any more -> how many."""
        asked = [deliveries.c.state == "waiting", deliveries.c.expires <= now]
        if channel is not None:
            asked.append(deliveries.c.channel == channel)
        with self.database.writing() as connection:
            return int(connection.execute(update(deliveries).where(*asked).values(state="expired", settled=now)).rowcount)

    def abandon(self, channels: Sequence[str], now: float) -> int:
        """Give up what waits for channels other than these: the configuration no longer has them -> how many."""
        asked = (deliveries.c.state == "waiting", deliveries.c.channel.not_in(channels))
        with self.database.writing() as connection:
            values = {"state": "dropped", "settled": now, "why": "the channel is no longer configured"}
            return int(connection.execute(update(deliveries).where(*asked).values(**values)).rowcount)

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """channel -> state -> how many."""
        wanted = select(deliveries.c.channel, deliveries.c.state, func.count()).group_by(deliveries.c.channel, deliveries.c.state)
        found: dict[str, dict[str, int]] = {}
        with self.database.reading() as connection:
            for channel, state, number in connection.execute(wanted):
                found.setdefault(channel, {})[state] = int(number)
        return found

    def of_event(self, event_id: str) -> list[Delivery]:
        """Who was told, or not, of one event."""
        return self._found(select(deliveries).where(deliveries.c.event_id == event_id).order_by(deliveries.c.id))

    def sent_since(self, channel: str, camera: str, behaviour: str, since: float) -> bool:
        """Whether the channel heard, or is about to hear, of such an event that was taken over since then: what a cooldown asks."""
        wanted = select(deliveries.c.id).join(events)
        wanted = wanted.where(deliveries.c.channel == channel, deliveries.c.phase == "began", deliveries.c.made >= since)
        wanted = wanted.where(events.c.camera == camera, events.c.behaviour == behaviour)
        wanted = wanted.where(or_(deliveries.c.state == "waiting", deliveries.c.state == "sent")).limit(1)
        with self.database.reading() as connection:
            return connection.execute(wanted).first() is not None

    def _change(self, numbers: Sequence[int], **values: Any) -> None:
        with self.database.writing() as connection:
            connection.execute(update(deliveries).where(deliveries.c.id.in_(numbers), deliveries.c.state == "waiting").values(**values))

    def _found(self, wanted: Any) -> list[Delivery]:
        with self.database.reading() as connection:
            rows = list(connection.execute(wanted))
            found = {
                row.id: shelf.event_of(row) for row in connection.execute(select(events).where(events.c.id.in_({r.event_id for r in rows})))
            }
        return [
            Delivery(
                row.id, found[row.event_id], row.phase, row.channel, row.state, row.tries, row.due, row.expires, row.made, row.settled, row.why
            )
            for row in rows
        ]  # fmt: skip
