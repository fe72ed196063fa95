"""Events between their dataclass and their row, and the questions that are asked about them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Row, tuple_

from pahara.core import Event, Reason, StoreError
from pahara.core.frozen import Frozen

from .tables import events

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
Names = str | Sequence[str] | None  # one name, any of several, or all


def to_json(value: Any) -> str:
    """Numbers of numpy become plain ones."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=_plain)


def row_of(event: Event) -> dict[str, Any]:
    """The columns that the event itself fills; ValueError when it cannot be kept."""
    if not _ID.fullmatch(event.id):
        raise StoreError(f"an event cannot be called {event.id!r}: use up to 64 letters, digits, - and _")
    start_utc = event.epoch + event.start
    if not isfinite(start_utc):
        raise StoreError(f"event {event.id} of {event.behaviour!r} has no time: epoch {event.epoch}, start {event.start}")
    reason = event.reason
    return {
        "id": event.id,
        "camera": clean(event.camera),
        "behaviour": clean(event.behaviour),
        "kind": clean(event.kind),
        "subject": to_json([int(track) for track in event.subject]),
        "phase": event.phase,
        "start": float(event.start),
        "time": float(event.time),
        "epoch": float(event.epoch),
        "start_utc": float(start_utc),
        "peak": float(event.peak),
        "peak_time": float(event.peak_time),
        "reason": to_json([reason.code, reason.measured, reason.limit, reason.unit, reason.place, dict(reason.values)]),
        "boxes": to_json([[float(side) for side in box] for box in event.boxes]),
        "width": int(event.size[0]),
        "height": int(event.size[1]),
    }


def event_of(row: Row[Any]) -> Event:
    """The event as it was handed in."""
    code, measured, limit, unit, place, values = json.loads(row.reason)
    return Event(
        id=row.id,
        camera=row.camera,
        behaviour=row.behaviour,
        kind=row.kind,
        subject=tuple(json.loads(row.subject)),
        phase=row.phase,
        start=row.start,
        time=row.time,
        epoch=row.epoch,
        peak=row.peak,
        peak_time=row.peak_time,
        reason=Reason(code, measured, limit, unit, place, Frozen(values)),
        boxes=tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in json.loads(row.boxes)),
        size=(row.width, row.height),
    )


def conditions(
    *,
    camera: Names = None,
    behaviour: Names = None,
    kind: Names = None,
    recording: int | None = None,
    since: float | None = None,
    until: float | None = None,
    reviewed: bool | None = None,
    verdict: Names = None,
    locked: bool | None = None,
) -> list[ColumnElement[bool]]:
    """What `Store.events` was asked for, as SQL."""
    asked: list[ColumnElement[bool]] = []
    for column, names in ((events.c.camera, camera), (events.c.behaviour, behaviour), (events.c.kind, kind), (events.c.verdict, verdict)):
        if names is not None:
            asked.append(column == names if isinstance(names, str) else column.in_(list(names)))
    if recording is not None:
        asked.append(events.c.recording_id == recording)
    if since is not None:
        asked.append(events.c.start_utc >= since)
    if until is not None:
        asked.append(events.c.start_utc < until)
    if reviewed is not None:
        asked.append(events.c.reviewed.is_(reviewed))
    if locked is not None:
        asked.append(events.c.locked.is_(locked))
    return asked


def beyond(cursor: str, newest_first: bool) -> ColumnElement[bool]:
    """The events that follow the one with this cursor."""
    time, tilde, event_id = cursor.partition("~")
    try:
        start = float(time)
    except ValueError:
        tilde = ""
    if not tilde or not _ID.fullmatch(event_id):
        raise StoreError(f"{cursor!r} is no place in a list of events: hand back the `cursor` of the last event you have")
    here, there = tuple_(events.c.start_utc, events.c.id), tuple_(start, event_id)
    return here < there if newest_first else here > there


def clean(text: str) -> str:
    """Text as both databases can hold it: PostgreSQL knows no NUL, and neither knows half a character."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no value of a reason: use numbers and words")
