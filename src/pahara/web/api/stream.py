"""What happens, as it happens: server-sent events, each reader hearing only of their own cameras."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from ..access import Actor
from ..guard import Allow, actor_of
from ..hub import Listener, News
from .asking import Key, Lang, camera_names, event_json, report_json, service_of, spoken
from .cameras import camera_json, overlay_json

router = APIRouter(prefix="/api", tags=["stream"])
Watcher = Annotated[Actor, Depends(Allow("watch"))]
LOOK = 1.0  # seconds between two looks at how the cameras are, and whether the reader may still hear
HEARTBEAT = 15.0  # seconds of silence after which a comment is sent, so that nobody takes the line for dead
OVERLAY = 0.2  # seconds between two overlays of one camera
RETRY = 3000  # milliseconds after which a browser connects again


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream(
    request: Request,
    actor: Watcher,
    lang: Lang = None,
    overlay: Annotated[
        list[Key] | None, Query(max_length=32, description="Cameras whose overlays are sent along, up to five a second")
    ] = None,
) -> StreamingResponse:
    """Server-sent events: `camera` (at first, and on each change), `event` (began, ended), `review`, `overlay`, `system`.

    `system` tells of a changed configuration (`{"config": true}`) and of messages that a slow reader missed (`{"missed": true}`:
    read the lists again). It ends when the session ends. 429 where too many listen.
    """
    hub = request.app.state.hub
    listener = hub.join(actor.user.id, asyncio.get_running_loop())
    if listener is None:
        raise HTTPException(429, "too many open dashboards", headers={"retry-after": "10"})
    return StreamingResponse(
        _messages(request, listener, actor, lang, tuple(overlay or ())),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _messages(request: Request, listener: Listener, actor: Actor, lang: Any, overlays: tuple[str, ...]) -> AsyncIterator[str]:
    hub = request.app.state.hub
    known: dict[str, str] = {}
    drawn: dict[str, float | None] = {}
    looked = drew = float("-inf")
    spoke = time.monotonic()
    try:
        yield f"retry: {RETRY}\n\n"
        while not hub.closed:
            parts: list[str] = []
            now = time.monotonic()
            if now - looked >= LOOK:
                looked = now
                here = await anyio.to_thread.run_sync(actor_of, request)
                if here is None or not here.may("watch"):
                    return
                actor = here
                parts += await anyio.to_thread.run_sync(_cameras, request, actor, known)
            for news in listener.take():
                parts += await anyio.to_thread.run_sync(_told, request, actor, lang, news)
            if listener.missed:
                listener.missed = False
                parts.append(message("system", {"missed": True}))
            if overlays and now - drew >= OVERLAY:
                drew = now
                parts += _overlays(request, actor, overlays, drawn)
            if not parts and now - spoke >= HEARTBEAT:
                parts.append(": here\n\n")
            if parts:
                spoke = now
                yield "".join(parts)  # a reader that is slow is waited for here; what comes meanwhile waits in a bounded queue
            try:
                async with asyncio.timeout(OVERLAY if overlays else LOOK):
                    await listener.bell.wait()
            except TimeoutError:
                pass
    finally:
        hub.leave(listener)


def message(name: str, data: Any) -> str:
    """One server-sent event. JSON holds no line breaks of its own.

    >>> message("system", {"missed": True})
    'event: system\\ndata: {"missed":true}\\n\\n'
    """
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


def _cameras(request: Request, actor: Actor, known: dict[str, str]) -> list[str]:
    """Cameras that are otherwise than they were told; those that are gone (or no longer theirs) are told as gone."""
    parts = []
    mine = actor.among(service_of(request).config.cameras)
    for key in mine:
        told = camera_json(request, actor, key)
        steady = {name: value for name, value in told.items() if name not in ("fps", "last")}
        shape = json.dumps([steady, round(told["fps"])])
        if known.get(key) != shape:
            known[key] = shape
            parts.append(message("camera", told))
    for key in [key for key in known if key not in mine]:
        del known[key]
        parts.append(message("camera", {"key": key, "state": "gone"}))
    return parts


def _told(request: Request, actor: Actor, lang: Any, news: News) -> list[str]:
    """What this reader hears of it: nothing of other people's cameras."""
    if news.what == "config":
        return [message("system", {"config": True})]
    if news.event is None or not actor.sees(news.camera):
        return []
    names, language = camera_names(service_of(request).config), spoken(actor, lang)
    stored = service_of(request).store.find(news.event.id)
    told = event_json(stored, names, language) if stored is not None else report_json(news.event, names, language)
    return [message(news.what, told)]


def _overlays(request: Request, actor: Actor, wanted: tuple[str, ...], drawn: dict[str, float | None]) -> list[str]:
    parts = []
    cameras = service_of(request).config.cameras
    for key in wanted:
        if key not in cameras or not actor.sees(key):
            continue
        told = overlay_json(request, key)
        if key not in drawn or told["time"] != drawn[key]:
            drawn[key] = told["time"]
            parts.append(message("overlay", {"camera": key, **told}))
    return parts
