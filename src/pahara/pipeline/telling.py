"""Events as plain values for machines and as one line for people."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from pahara import language as words
from pahara.core import Event


def as_dict(event: Event) -> dict[str, Any]:
    """JSON-ready; times in media seconds, `began_at` in UTC (ISO 8601)."""
    return {
        "id": event.id,
        "camera": event.camera,
        "behaviour": event.behaviour,
        "kind": event.kind,
        "phase": event.phase,
        "subject": list(event.subject),
        "start": round(event.start, 3),
        "time": round(event.time, 3),
        "began_at": datetime.fromtimestamp(event.epoch + event.start, UTC).isoformat(timespec="milliseconds"),
        "peak": round(event.peak, 4),
        "place": event.place,
        "reason": {
            "code": event.reason.code,
            "measured": _finite(event.reason.measured),
            "limit": _finite(event.reason.limit),
            "unit": event.reason.unit,
            "text": words.explain(event.reason, "en"),
            "text_bn": words.explain(event.reason, "bn"),
        },
        "boxes": [[round(float(v), 1) for v in box] for box in event.boxes],
        "size": list(event.size),
    }


def clock_time(seconds: float) -> str:
    """Media seconds as people read a film's time.

    >>> clock_time(75.24), clock_time(3671)
    ('1:15.2', '1:01:11.0')
    """
    minutes, rest = divmod(max(0.0, round(seconds, 1)), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def one_line(event: Event, language: str = "en") -> str:
    """`1:15.2  Loitering (#3): stayed 34 s in gate, limit 30 s`; of an event that has ended, from when to when."""
    who = ", ".join(f"#{track}" for track in event.subject)
    name = words.behaviour_name(event.kind, language)
    told = words.explain(event.reason, language)
    when = clock_time(event.time) if event.phase == "began" else f"{clock_time(event.start)} – {clock_time(event.time)}"
    return f"{when}  {name}{f' ({who})' if who else ''}: {told}"


def _finite(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
