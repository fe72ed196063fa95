"""What a person is told: a title, a sentence, a picture and a link, in the receiver's language."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from pahara.core import Event, PaharaError
from pahara.language import behaviour_name, counted, explain, text

Phase = Literal["began", "ended"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. `events` holds one event, or several where they are told together after an outage."""

    events: tuple[Event, ...]
    phase: Phase
    title: str  # "Loitering · Gate"
    text: str  # "21:04:10: stayed 34 s in gate, limit 30 s"
    language: str
    camera_name: str  # what people call it; "" where there are several
    link: str = ""  # to the event's page; "" where no address is configured
    picture: bytes | None = None  # JPEG of the moment

    @property
    def event(self) -> Event:
        """The event, or the first of several."""
        return self.events[0]

    @property
    def several(self) -> bool:
        return len(self.events) > 1


class NotifyError(PaharaError):
    """A message did not arrive. `lasting`: trying again will not help until someone changes something."""

    def __init__(self, said: str, *, lasting: bool = False) -> None:
        super().__init__(said)
        self.lasting = lasting


class Notifier(Protocol):
    """A way to tell someone. `send` returns once the other side has taken the message; NotifyError when it has not.

    `together`: whether events that piled up during an outage go into one message (a person) or one by one (a machine).
    """

    together: bool

    def send(self, notice: Notice, /) -> None: ...

    def close(self) -> None: ...


def notice_of(
    event: Event,
    phase: Phase,
    language: str,
    *,
    camera_name: str,
    zone: ZoneInfo | None = None,
    address: str = "",
    picture: bytes | None = None,
) -> Notice:
    """One event as a message. `zone`: of the clock in the message, None for this machine's; `address`: of the dashboard."""
    began = _clock(event.epoch + event.start, zone)
    name = behaviour_name(event.kind, language)
    if phase == "ended":
        title = text("notify.title.ended", language, behaviour=name, camera=camera_name)
        seconds = max(0.0, event.time - event.start)
        said = text("notify.text.ended", language, time=began, reason=explain(event.reason, language), seconds=f"{seconds:.0f}")
    else:
        title = text("notify.title.began", language, behaviour=name, camera=camera_name)
        said = text("notify.text.began", language, time=began, reason=explain(event.reason, language))
    link = f"{address.rstrip('/')}/events/{event.id}" if address else ""
    return Notice((event,), phase, title, said, language, camera_name, link, picture)


def digest_of(
    events: Sequence[Event],
    language: str,
    *,
    expired: int,
    camera_name: Callable[[str], str],
    zone: ZoneInfo | None = None,
    address: str = "",
) -> Notice:
    """Several events as one message, after a time in which nobody could be reached; `expired` more are too old to be listed."""
    kinds: dict[tuple[str, str], int] = {}
    for event in events:
        kinds[event.camera, event.kind] = kinds.get((event.camera, event.kind), 0) + 1
    lines = [
        text("notify.digest.line", language, n=n, behaviour=behaviour_name(kind, language), camera=camera_name(camera))
        for (camera, kind), n in sorted(kinds.items(), key=lambda each: -each[1])[:8]
    ]
    if len(kinds) > 8:
        lines.append("…")
    if expired:
        lines.append(counted("notify.digest.expired", expired, language))
    since = _clock(min(event.epoch + event.start for event in events), zone) if events else ""
    title = counted("notify.digest.title", len(events) + expired, language)
    said = "\n".join([*([text("notify.digest.since", language, time=since)] if since else []), *lines])
    return Notice(tuple(events), "began", title, said, language, "", f"{address.rstrip('/')}/review" if address else "")


def as_json(event: Event, phase: Phase, *, camera_name: str, link: str = "") -> dict[str, Any]:
    """An event for machines (webhook, MQTT): plain values, times in UTC seconds, the reason in both languages."""
    reason = event.reason
    return {
        "id": event.id,
        "type": "new" if phase == "began" else "end",
        "camera": event.camera,
        "camera_name": camera_name,
        "behaviour": event.behaviour,
        "kind": event.kind,
        "began_at": round(event.epoch + event.start, 3),
        "ended_at": round(event.epoch + event.time, 3) if phase == "ended" else None,
        "score": round(event.peak, 4),
        "place": reason.place,
        "reason": {
            "code": reason.code,
            "measured": _finite(reason.measured),
            "limit": _finite(reason.limit),
            "unit": reason.unit,
            "en": explain(reason, "en"),
            "bn": explain(reason, "bn"),
        },
        "link": link or None,
    }


def dump(value: Any) -> str:
    """JSON as it goes over the wire: UTF-8, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: float) -> float | None:
    return round(float(value), 4) if value - value == 0 else None


def _clock(utc: float, zone: ZoneInfo | None) -> str:
    when = datetime.fromtimestamp(utc).astimezone() if zone is None else datetime.fromtimestamp(utc, zone)
    return f"{when:%Y-%m-%d %H:%M:%S}"
