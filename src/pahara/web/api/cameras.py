"""Cameras as they are now: how each is, its newest picture, a stream of them, and what is drawn over it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from pahara.config import plan
from pahara.core import PaharaError, Scene, without_secrets
from pahara.pipeline.station import Station, Status

from ..access import Actor
from ..guard import Allow, actor_of
from .asking import Key, camera_of, number, service_of

router = APIRouter(prefix="/api/cameras", tags=["cameras"])
Watcher = Annotated[Actor, Depends(Allow("watch"))]
Width = Annotated[int, Query(ge=1, le=4000, description="Pixels; the next of some fixed widths is sent.")]
TRAIL = 8.0  # seconds
MOST_POINTS = 40  # of a trail
OUT_OF_SIGHT = 1.0  # seconds after which a track that is not seen is not drawn
BOUNDARY = "pahara-picture"
RECHECK = 2.0  # seconds between two looks whether a viewer still may see


@router.get("")
def cameras(request: Request, actor: Watcher) -> list[dict[str, Any]]:
    """How every camera is that one may see."""
    return [camera_json(request, actor, key) for key in actor.among(service_of(request).config.cameras)]


@router.get("/{key}")
def camera(request: Request, actor: Watcher, key: Key) -> dict[str, Any]:
    """One camera with its places; for whoever may configure it, also its source (without secrets) and every option."""
    camera_of(request, actor, key)
    service = service_of(request)
    told = camera_json(request, actor, key)
    places = places_json(service.config, key)
    if actor.may("configure"):
        told["config"] = service.config.as_dict()["cameras"][key]
    return {**told, **places}


@router.get("/{key}/latest.jpg", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def latest(request: Request, actor: Watcher, key: Key, width: Width = 640) -> Response:
    """The newest picture; `x-picture-time` is when it was taken (UTC seconds). 404 before the first."""
    station = service_of(request).live.station(camera_of(request, actor, key))
    seen = request.app.state.pictures.newest(station, width) if station is not None else None
    if seen is None:
        raise HTTPException(404, "no picture yet")
    return Response(seen[0], media_type="image/jpeg", headers={"x-picture-time": f"{seen[1]:.3f}"})


@router.get("/{key}/stream.mjpeg", response_class=StreamingResponse, responses={200: {"content": {"multipart/x-mixed-replace": {}}}})
async def stream(
    request: Request, key: Key, actor: Watcher, width: Width = 640, fps: Annotated[float, Query(ge=0.1, le=15)] = 5.0
) -> StreamingResponse:
    """Pictures without end (multipart/x-mixed-replace). It ends when one may no longer see the camera; 429 where too many look."""
    camera_of(request, actor, key)
    pictures, hub = request.app.state.pictures, request.app.state.hub
    if not pictures.room(actor.user.id):
        raise HTTPException(429, "too many streams at once", headers={"retry-after": "10"})

    async def parts() -> AsyncIterator[bytes]:
        shown: object = None
        checked = due = time.monotonic()
        if not pictures.enter(actor.user.id):
            return
        try:
            while not hub.closed:
                now = time.monotonic()
                if now - checked >= RECHECK:
                    checked = now
                    if not await anyio.to_thread.run_sync(still_sees, request, key):
                        return
                station = service_of(request).live.station(key)
                latest = station.latest if station is not None else None
                if station is not None and latest is not None and latest is not shown and now >= due:
                    shown, due = latest, max(due + 1 / fps, now)
                    seen = await anyio.to_thread.run_sync(pictures.newest, station, width)
                    if seen is not None:
                        picture, taken = seen
                        head = f"--{BOUNDARY}\r\ncontent-type: image/jpeg\r\ncontent-length: {len(picture)}\r\nx-picture-time: {taken:.3f}\r\n\r\n"
                        # A client that is slow is waited for here; meanwhile newer pictures replace older ones.
                        yield head.encode() + picture + b"\r\n"
                        continue
                await asyncio.sleep(0.03 if latest is not None else 0.25)
        finally:
            pictures.leave(actor.user.id)

    return StreamingResponse(parts(), media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}")


@router.get("/{key}/overlay")
def overlay(request: Request, actor: Watcher, key: Key) -> dict[str, Any]:
    """What is drawn over the picture, in fractions of it: people with their trails, zones and lines."""
    return overlay_json(request, camera_of(request, actor, key))


# --------------------------------------------------------------------------------------------------------------- told


def still_sees(request: Request, key: str) -> bool:
    """Whether whoever opened a stream may still have it: the session may have ended, the rights may have changed."""
    actor = actor_of(request)
    return actor is not None and actor.may("watch") and actor.sees(key) and key in service_of(request).config.cameras


def status_json(status: Status, actor: Actor) -> dict[str, Any]:
    """How a camera is. Addresses and the system's own words are for whoever looks after the system."""
    inside = actor.may("system")
    return {
        "state": status.state,
        "why": without_secrets(status.why) if inside else "",
        "size": list(status.size),
        "fps": round(status.fps, 2),
        "people": status.people,
        "last": number(status.last),
        "blind": number(status.blind) if status.blind else None,
        "problems": [without_secrets(problem) for problem in status.problems] if inside else [],
    }


def camera_json(request: Request, actor: Actor, key: str) -> dict[str, Any]:
    """One camera in a list."""
    service = service_of(request)
    chosen = service.config.cameras[key]
    station = service.live.station(key)
    if station is not None:
        told = status_json(station.status(), actor)
        looked_for = [{"name": name, "kind": kind} for name, kind in station.plan.kinds.items()]
    else:
        state = "stopped" if chosen.enabled else "disabled"
        told = {"state": state, "why": "", "size": [0, 0], "fps": 0.0, "people": 0, "last": 0.0, "blind": None, "problems": []}
        looked_for = _planned(request, key)
    return {"key": key, "name": str(chosen.name) or key, "enabled": chosen.enabled, **told, "behaviours": looked_for}


def places_json(config: Any, key: str) -> dict[str, Any]:
    """Zones and lines of a camera, in fractions of the picture."""
    chosen = config.cameras[key]
    return {
        "zones": {str(name): [list(corner) for corner in corners] for name, corners in chosen.zones.items()},
        "lines": {str(name): {"from": list(line.start), "to": list(line.end)} for name, line in chosen.lines.items()},
    }


def overlay_json(request: Request, key: str) -> dict[str, Any]:
    """See `overlay`."""
    service = service_of(request)
    station = service.live.station(key)
    scene = station.scene if station is not None else None
    places = places_json(service.config, key)
    if station is None or scene is None:
        return {"time": None, "size": [0, 0], "tracks": [], **places}
    return {
        "time": round(scene.epoch + scene.time, 3),
        "size": list(scene.size),
        "tracks": tracks_json(station, scene),
        **places,
    }


def tracks_json(station: Station, scene: Scene) -> list[dict[str, Any]]:
    """The tracks in view."""
    wide, tall = scene.size
    alerts = station.alerts
    told = []
    for track in scene.tracks:
        if scene.time - track.last_seen > OUT_OF_SIGHT:
            continue
        recent = track.since(track.last_seen - TRAIL)
        feet = track.feet[recent]
        feet = feet[:: max(1, -(-len(feet) // MOST_POINTS))]
        x1, y1, x2, y2 = (float(side) for side in track.box)
        told.append(
            {
                "id": track.id,
                "label": track.label,
                "box": [round(x1 / wide, 4), round(y1 / tall, 4), round(x2 / wide, 4), round(y2 / tall, 4)],
                "alert": track.id in alerts,
                "trail": [[round(float(x) / wide, 4), round(float(y) / tall, 4)] for x, y in feet],
            }
        )
    return told


def _planned(request: Request, key: str) -> list[dict[str, str]]:
    try:
        return [{"name": name, "kind": kind} for name, kind in plan(service_of(request).config, key).kinds.items()]
    except PaharaError:  # a plug-in that is gone: the camera is off anyway
        return []
