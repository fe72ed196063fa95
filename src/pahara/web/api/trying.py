"""Trying before saving: a camera's address, the cameras of this network, and a changed rule on the last days."""

from __future__ import annotations

import base64
import threading
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import Field

from pahara.config import parse
from pahara.config.editing import set_behaviours, set_places
from pahara.core import Event, PaharaError, SourceError, without_secrets
from pahara.pipeline.backtest import try_lately
from pahara.video.discovery import discover as ask_network
from pahara.video.picture import jpeg
from pahara.video.probe import probe as look_at

from ..access import Actor
from ..guard import Allow, note
from ..pictures import shrunk
from ..writing import RefusedError, text_of
from .asking import Body, Key, Lang, Plain, camera_names, camera_of, report_json, service_of, spoken
from .configuring import Behaviour, Line, Name, Point

router = APIRouter(prefix="/api", tags=["trying"])
Owner = Annotated[Actor, Depends(Allow("configure"))]
MOST_LISTED = 200  # events of a back-test that are told one by one
_probing, _asking, _trying = threading.Semaphore(3), threading.Lock(), threading.Lock()


class Address(Body):
    """What the owner typed."""

    source: Plain = Field(min_length=1, max_length=2000)


class Trial(Body):
    """Rules (and places) as they might be."""

    camera: Key
    behaviours: list[Behaviour] | None = Field(None, max_length=64, description="null: as they are")
    zones: dict[Name, Annotated[list[Point], Field(min_length=3, max_length=64)]] | None = Field(None, max_length=64)
    lines: dict[Name, Line] | None = Field(None, max_length=64)
    days: float = Field(3.0, gt=0, le=90)
    seconds: float = Field(30.0, gt=0, le=120, description="To spend on it: the newest is tried first")


@router.post("/probe")
def probe(request: Request, actor: Owner, body: Address) -> dict[str, Any]:
    """One picture of what is behind an address (rtsp, rtsps, http, https, a file, a folder or a webcam). 400 in one line where there is none.

    Nothing of the answer but size, codec, rate and the picture itself is given on; nobody is redirected.
    """
    if not _probing.acquire(blocking=False):
        raise HTTPException(429, "three addresses are being tried already", headers={"retry-after": "5"})
    try:
        found = look_at(str(body.source).strip())
    except SourceError as problem:
        raise HTTPException(400, without_secrets(str(problem))) from None
    finally:
        _probing.release()
        note(request, "probe", without_secrets(body.source))
    picture = jpeg(shrunk(found.image, 960))
    return {"size": list(found.size), "codec": found.codec, "fps": round(found.fps, 2), "jpeg": base64.b64encode(picture).decode()}


@router.post("/discover")
def discover(request: Request, actor: Owner) -> list[dict[str, str]]:
    """Cameras of this network that speak ONVIF (WS-Discovery; takes three seconds). Their stream's address they tell only with a password."""
    if not _asking.acquire(blocking=False):
        raise HTTPException(429, "the network is being asked already", headers={"retry-after": "3"})
    try:
        found = ask_network()
    finally:
        _asking.release()
    note(request, "discover", f"{len(found)} cameras")
    return [{"address": each.address, "name": each.name or each.hardware, "hardware": each.hardware} for each in found]


@router.post("/backtest")
def backtest(request: Request, actor: Owner, body: Trial, lang: Lang = None) -> dict[str, Any]:
    """What changed rules would have done on the last days: nothing is saved. `complete` is false where the time was too short for all of it."""
    service = service_of(request)
    key = camera_of(request, actor, body.camera)
    old = text_of(service)
    lines = None if body.lines is None else {name: {"from": list(line.start), "to": list(line.end)} for name, line in body.lines.items()}
    try:
        new = set_places(old, key, body.zones, lines)
        if body.behaviours is not None:
            new = set_behaviours(new, key, body.behaviours)
        after = parse(new, file=service.file.name, folder=service.config.folder)
    except PaharaError as problem:
        raise RefusedError(problem) from None
    if not _trying.acquire(blocking=False):
        raise HTTPException(429, "another rule is being tried", headers={"retry-after": "10"})
    end = time.monotonic() + body.seconds
    try:
        since = request.app.state.clock() - body.days * 86400
        tried = try_lately(service.store, key, service.config, after, since, lambda: time.monotonic() > end)
    finally:
        _trying.release()
    names, language, result = camera_names(service.config), spoken(actor, lang), tried.result

    def told(event: Event) -> dict[str, Any]:
        return {**report_json(event, names, language), "verdict": result.verdicts.get(event.id)}

    return {
        "hours": round(result.hours, 3),
        "asked_hours": round(tried.asked, 3),
        "complete": tried.complete,
        "before": len(result.kept) + len(result.removed),
        "after": len(result.kept) + len(result.added),
        "removed": [told(event) for event in result.removed[:MOST_LISTED]],
        "added": [told(event) for event in result.added[:MOST_LISTED]],
        "removed_count": len(result.removed),
        "added_count": len(result.added),
        "missed_confirmed": result.confirmed_missed,
        "removed_false": sum(result.verdicts.get(event.id) == "fine" for event in result.removed),
        "warnings": list(tried.warnings),
    }
