"""Days, counts, a day's timeline, and where people stood: what was, for charts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from pahara.core import without_secrets
from pahara.store.past import busy, heat, quarters

from ..access import Actor
from ..guard import Allow
from .asking import Key, Lang, Moment, Words, asked_cameras, camera_names, camera_of, event_json, service_of, spoken

router = APIRouter(prefix="/api", tags=["history"])
Watcher = Annotated[Actor, Depends(Allow("watch"))]
MOST_EVENTS = 500  # on a timeline
LONGEST = 400 * 86400.0  # seconds that a chart spans
Month = Annotated[str, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Day = Annotated[str, Query(pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]$")]


@router.get("/days")
def days(request: Request, actor: Watcher, month: Month, camera: Words = None) -> dict[str, Any]:
    """Events on each day of a month, by the configuration's time zone; days without any are left out."""
    zone = zone_of(request)
    first = _date(month + "-01")
    after = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    found: Counter[str] = Counter()
    for at, _, n in _quarters(request, actor, camera, _begin(first, zone), _begin(after, zone)):
        found[f"{_local(at, zone):%Y-%m-%d}"] += n
    return {"month": month, "days": dict(sorted(found.items()))}


@router.get("/counts")
def counts(
    request: Request,
    actor: Watcher,
    by: Literal["hour", "day", "weekday", "hour_of_day"] = "day",
    of: Literal["", "camera", "behaviour", "kind"] = "",
    camera: Words = None,
    behaviour: Words = None,
    kind: Words = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> dict[str, Any]:
    """Events over time (default: the last 30 days): rows of {at, of, n}. `at` is 2026-11-23T14, 2026-11-23, 1 (Monday) to 7, or 0 to 23."""
    zone, now = zone_of(request), request.app.state.clock()
    until = now if until is None else until
    since = until - 30 * 86400 if since is None else since
    if until - since > LONGEST:
        raise HTTPException(400, "a chart spans 400 days at most")
    shape = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "weekday": "%u", "hour_of_day": "%H"}[by]
    found: Counter[tuple[str, str]] = Counter()
    # Quarters are counted from a whole quarter on, so that each lies within one hour of the clock.
    for at, what, n in _quarters(request, actor, camera, since - since % 900, until, behaviour, kind, of):
        found[_local(at, zone).strftime(shape), what] += n
    return {"since": since, "until": until, "by": by, "counts": [{"at": at, "of": what, "n": n} for (at, what), n in sorted(found.items())]}


@router.get("/timeline")
def timeline(request: Request, actor: Watcher, camera: Annotated[Key, Query()], day: Day, lang: Lang = None) -> dict[str, Any]:
    """One camera's day: its events, its blind time, and people in view for each minute (-1: not watched)."""
    service = service_of(request)
    key = camera_of(request, actor, camera)
    zone = zone_of(request)
    first = _date(day)
    since, until = _begin(first, zone), _begin(first + timedelta(days=1), zone)
    now = request.app.state.clock()
    found = service.store.events(camera=key, since=since, until=until, limit=MOST_EVENTS, newest_first=False)
    names, language, inside = camera_names(service.config), spoken(actor, lang), actor.may("system")
    return {
        "camera": key,
        "day": day,
        "begin": since,
        "end": until,
        "events": [event_json(each, names, language) for each in found],
        "more": len(found) == MOST_EVENTS,
        "blind": [
            {
                "begin": max(each.begin, since),
                "end": min(until, now if each.end is None else each.end),
                "open": each.end is None,
                "why": each.why,
                "detail": without_secrets(each.detail) if inside else "",
            }
            for each in service.store.blind.between(since, until, key)
        ],
        "blind_seconds": round(service.store.blind.seconds(since, min(until, max(now, since)), key, now), 1),
        "activity": busy(service.store, key, since, until),
    }


@router.get("/heatmap")
def heatmap(
    request: Request, actor: Watcher, camera: Annotated[Key, Query()], since: Moment | None = None, until: Moment | None = None
) -> dict[str, Any]:
    """Where people stood (default: the last day): rows of cells from the top, the fullest is 1. `looked_at`: the share of the trails that was."""
    service = service_of(request)
    key = camera_of(request, actor, camera)
    until = request.app.state.clock() if until is None else until
    since = until - 86400 if since is None else since
    cells, share = heat(service.store, key, since, until)
    most = float(cells.max())
    return {
        "camera": key,
        "width": cells.shape[1],
        "height": cells.shape[0],
        "cells": [[round(float(v) / most, 3) if most else 0.0 for v in row] for row in cells],
        "looked_at": round(share, 4),
    }


# --------------------------------------------------------------------------------------------------------------- helpers


def zone_of(request: Request) -> tzinfo | None:
    """The configuration's time zone; None is this machine's."""
    name = str(service_of(request).config.timezone)
    return None if name == "local" else ZoneInfo(name)


def _quarters(
    request: Request,
    actor: Actor,
    camera: list[str] | None,
    since: float,
    until: float,
    behaviour: list[str] | None = None,
    kind: list[str] | None = None,
    of: str = "",
) -> list[tuple[float, str, int]]:
    cameras = asked_cameras(actor, camera)
    if cameras == [] or until <= since:
        return []
    return quarters(service_of(request).store, since=since, until=until, camera=cameras, behaviour=behaviour, kind=kind, by=of)


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(400, "there is no such day") from None
    if not 1970 <= found.year < 2200:
        raise HTTPException(400, "there is no such day")
    return found


def _begin(day: date, zone: tzinfo | None) -> float:
    """UTC seconds of midnight."""
    midnight = datetime(day.year, day.month, day.day)
    return (midnight if zone is None else midnight.replace(tzinfo=zone)).timestamp()


def _local(at: float, zone: tzinfo | None) -> datetime:
    when = datetime.fromtimestamp(min(max(at, -6e10), 2e11), UTC)
    return when.astimezone(zone)
