"""Who hears of what, and when: cameras, behaviours, quiet hours, cooldown, and how long a message is worth sending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pahara.behaviours.schedule import Hours, Schedule
from pahara.core import Event

URGENT = ("offline", "detector_failed", "camera_failed", "disk_full", "tamper", "falling")  # what quiet hours do not silence by default


@dataclass(frozen=True)
class Route:
    """What one channel wants to hear of."""

    cameras: tuple[str, ...] = ()  # keys of cameras; () is all
    behaviours: tuple[str, ...] = ()  # names or kinds of behaviours; () is all
    quiet: tuple[Hours, ...] = ()  # hours in which nobody wants to be woken
    even_in_quiet: tuple[str, ...] = URGENT  # names or kinds that are told even then
    cooldown: float = 0.0  # seconds in which the same behaviour of the same camera is told once
    expires: float = 6 * 3600.0  # seconds after which a message that could not be sent is worth nothing
    ended: bool = False  # whether the end of an event is told too
    timezone: str = "local"  # of the quiet hours

    def __post_init__(self) -> None:
        if not self.cooldown >= 0:
            raise ValueError(f"cooldown is a number of seconds, 0 or more, got {self.cooldown}")
        if not self.expires > 0:
            raise ValueError(f"expires is a number of seconds above 0, got {self.expires}")

    def hears_of(self, event: Event) -> bool:
        """Whether the channel cares at all."""
        if event.phase == "ended" and not self.ended:
            return False
        return (not self.cameras or event.camera in self.cameras) and (not self.behaviours or _named(event, self.behaviours))

    def quiet_at(self, event: Event, utc: float) -> bool:
        """Whether quiet hours hold it back at this moment (UTC seconds)."""
        return bool(self.quiet) and not _named(event, self.even_in_quiet) and Schedule(self.quiet, self.timezone).on(utc)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one report for one channel."""

    state: Literal["waiting", "dropped", "expired"]
    expires: float  # UTC seconds
    why: str = ""


def decide(
    route: Route, event: Event, stored: float, now: float, *, told_since: Callable[[float], bool], muted: bool = False
) -> Decision | None:
    """Whether a channel hears of a report; None when it does not care.

    `stored`: when the event was stored (UTC seconds); a message is worth nothing `route.expires` seconds after that, however
    late this is decided. `told_since(t)`: whether it heard of the same behaviour of the same camera since `t`.
    """
    if not route.hears_of(event):
        return None
    expires = stored + route.expires
    if expires <= now:
        return Decision("expired", expires, "too old when it was found")
    if muted:
        return Decision("dropped", expires, "muted")
    if route.quiet_at(event, now):
        return Decision("dropped", expires, "quiet hours")
    if route.cooldown and event.phase == "began" and told_since(now - route.cooldown):
        return Decision("dropped", expires, "cooldown")
    return Decision("waiting", expires)


def _named(event: Event, names: tuple[str, ...]) -> bool:
    return event.behaviour in names or event.kind in names
