"""When a rule is on: weekdays and hours, in the clock of a place, also across midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Hours:
    """Some days of the week, from one time of day up to another; "22:00" to "06:00" runs into the next morning.

    A day is where the window starts: Friday 22:00 to 06:00 ends on Saturday morning. The same `start` and `end`
    means the whole day.
    """

    days: tuple[str, ...] = DAYS  # "mon" … "sun", or a range such as "mon-fri" or "fri-sat"
    start: str = "00:00"  # inclusive
    end: str = "24:00"  # exclusive

    def __post_init__(self) -> None:
        if not self.weekdays:
            raise ValueError(f"hours need at least one day of {', '.join(DAYS)}, got none")
        _ = self.minutes

    @cached_property
    def weekdays(self) -> frozenset[int]:
        """0 = Monday … 6 = Sunday."""
        found: set[int] = set()
        for days in [self.days] if isinstance(self.days, str) else self.days:
            first, _, last = days.lower().partition("-")
            a, b = _weekday(first, days), _weekday(last or first, days)
            found |= {(a + i) % 7 for i in range((b - a) % 7 + 1)}
        return frozenset(found)

    @cached_property
    def minutes(self) -> tuple[int, int]:
        """Minutes after midnight of the start day; the end is later than the start, up to 48 hours."""
        start, end = _minutes(self.start), _minutes(self.end)
        return start, end if end > start else end + MINUTES_A_DAY

    def hold(self, weekday: int, minute: int) -> bool:
        """Whether this minute (0 … 1439) of this weekday lies in the window."""
        start, end = self.minutes
        today = weekday in self.weekdays and start <= minute < end
        return today or ((weekday - 1) % 7 in self.weekdays and start <= minute + MINUTES_A_DAY < end)


@dataclass(frozen=True)
class Schedule:
    """On in any of its windows; without windows always."""

    windows: tuple[Hours, ...] = ()
    timezone: str = "local"  # "Asia/Dhaka", "UTC" …; "local" is the clock of this machine

    def __post_init__(self) -> None:
        _ = self._zone

    @cached_property
    def _zone(self) -> ZoneInfo | None:
        if self.timezone == "local":
            return None
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone named {self.timezone!r}; write it like Asia/Dhaka, UTC or local") from None

    def on(self, utc: float) -> bool:
        """Whether the rule is on at this moment (UTC seconds since 1970)."""
        if not self.windows:
            return True
        clock = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(seconds=utc)
        there = clock.astimezone(self._zone)
        minute = there.hour * 60 + there.minute
        return any(window.hold(there.weekday(), minute) for window in self.windows)


ALWAYS = Schedule()


def _weekday(name: str, told: str) -> int:
    if name.strip()[:3] not in DAYS or len(name.strip()) < 3:
        raise ValueError(f"no day of the week in {told!r}; use {', '.join(DAYS)} or a range such as mon-fri")
    return DAYS.index(name.strip()[:3])


def _minutes(told: str) -> int:
    hour, colon, minute = told.partition(":")
    if not (colon and hour.isdigit() and minute.isdigit() and len(minute) == 2 and int(minute) < 60):
        raise ValueError(f'no time of day in {told!r}; write it like "22:30" (in quotes)')
    value = int(hour) * 60 + int(minute)
    if value > MINUTES_A_DAY:
        raise ValueError(f'{told!r} is later than "24:00"')
    return value
