"""What an owner must hear about the watch itself: a camera that is blind, a detector that failed; told as events like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pahara.core import Event, Reason, event_id

Trouble = Literal["offline", "detector_failed", "camera_failed", "disk_full"]
KINDS: tuple[Trouble, ...] = ("offline", "detector_failed", "camera_failed", "disk_full")


def trouble(kind: Trouble, camera: str, start: float, now: float, *, limit: float = 0.0, said: str = "") -> Event:
    """Something is wrong since `start`; `now` it is told (both UTC seconds). `said`: what the camera or the system answered."""
    return Event(
        id=event_id(camera, kind, (), start),
        camera=camera,
        behaviour=kind,
        kind=kind,
        subject=(),
        phase="began",
        start=start,
        time=now,
        epoch=0.0,
        peak=1.0,
        peak_time=now,
        reason=Reason(f"health.{kind}", now - start, limit, "s", values={"said": said} if said else {"said": "-"}),
        boxes=(),
        size=(0, 0),
    )


def over(event: Event, now: float) -> Event:
    """It is well again at `now` (UTC seconds)."""
    reason = replace(event.reason, measured=max(now, event.time) - event.start)
    return replace(event, phase="ended", time=max(now, event.time), reason=reason)
