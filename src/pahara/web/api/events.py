"""Events: lists that page by a cursor, one event with all that explains it, its evidence, and what people say about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse
from pydantic import Field

from pahara.core import without_secrets
from pahara.pipeline.hindsight import scores_around, track_of
from pahara.store import EvidenceKind, StoredEvent, Verdict

from ..access import Actor
from ..guard import Allow, note
from ..hub import News
from .asking import (
    MOST_IDS,
    Body,
    EventId,
    Lang,
    Moment,
    Plain,
    Words,
    asked_cameras,
    camera_names,
    event_json,
    event_of,
    number,
    service_of,
    spoken,
)

router = APIRouter(prefix="/api/events", tags=["events"])
Watcher = Annotated[Actor, Depends(Allow("watch"))]
Reviewer = Annotated[Actor, Depends(Allow("review"))]
SIBLINGS = 60.0  # seconds around an event
MOST_SIBLINGS = 12
PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}
FILM: dict[int | str, dict[str, Any]] = {200: {"content": {"video/mp4": {}}}, 206: {"content": {"video/mp4": {}}}, 416: {}}


class Change(Body):
    """What someone says about an event; what is left out stays as it is."""

    reviewed: bool | None = None
    verdict: Verdict | Literal[""] | None = Field(None, description='"real", "fine" (a false alarm), or "" to take it back')
    note: Plain | None = Field(None, max_length=4000)
    locked: bool | None = Field(None, description="Kept from retention")


class Review(Body):
    """The same of several at once."""

    ids: list[EventId] = Field(min_length=1, max_length=MOST_IDS)
    reviewed: bool = True
    verdict: Verdict | Literal[""] | None = None


@router.get("")
def events(
    request: Request,
    actor: Watcher,
    camera: Words = None,
    behaviour: Words = None,
    kind: Words = None,
    since: Moment | None = None,
    until: Moment | None = None,
    reviewed: bool | None = None,
    verdict: Annotated[list[Verdict] | None, Query(max_length=4)] = None,
    locked: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=120, description="`next` of the page before")] = None,
    lang: Lang = None,
) -> dict[str, Any]:
    """The newest first. `next` is where the following page begins; null on the last."""
    service = service_of(request)
    cameras = asked_cameras(actor, camera)
    if cameras == []:
        return {"events": [], "next": None}
    found = service.store.events(
        camera=cameras, behaviour=behaviour, kind=kind, since=since, until=until, reviewed=reviewed, verdict=verdict, locked=locked,
        limit=limit + 1, after=after,
    )  # fmt: skip
    names, language = camera_names(service.config), spoken(actor, lang)
    page = found[:limit]
    return {"events": [event_json(each, names, language) for each in page], "next": page[-1].cursor if len(found) > limit else None}


@router.get("/{event_id}")
def event(request: Request, actor: Watcher, event_id: EventId, lang: Lang = None) -> dict[str, Any]:
    """One event, with the track drawn on the scene, its score before and after, near misses, who was told, and what else happened then."""
    service = service_of(request)
    stored = event_of(request, actor, event_id)
    names, language = camera_names(service.config), spoken(actor, lang)
    around = scores_around(service.store, stored)
    deliveries = service.store.outbox.of_event(event_id) if actor.may("review") else []
    start, end = stored.start_utc, stored.event.epoch + stored.event.time
    near = service.store.events(
        camera=asked_cameras(actor, None), since=start - SIBLINGS, until=end + SIBLINGS, limit=MOST_SIBLINGS + 1
    )  # fmt: skip
    wide, tall = stored.event.size
    return {
        **event_json(stored, names, language),
        "size": [wide, tall],
        "subject": list(stored.event.subject),
        "peak_time": round(stored.event.epoch + stored.event.peak_time, 3),
        "boxes": [
            [round(x1 / wide, 4), round(y1 / tall, 4), round(x2 / wide, 4), round(y2 / tall, 4)] for x1, y1, x2, y2 in stored.event.boxes
        ]
        if wide and tall
        else [],
        "track": track_of(service.store, stored),
        "scores": [[round(at, 2), number(score)] for at, score in around.scores],
        "near_misses": [{"time": round(at, 2), "score": number(score), "subject": list(who)} for at, score, who in around.near],
        "clip": _span(stored),
        "deliveries": [
            {
                "channel": each.channel,
                "phase": each.phase,
                "state": each.state,
                "tries": each.tries,
                "at": each.settled,
                "why": without_secrets(each.why),
            }
            for each in deliveries
        ],
        "siblings": [event_json(each, names, language) for each in near if each.id != event_id][:MOST_SIBLINGS],
    }


@router.get("/{event_id}/clip.mp4", response_class=FileResponse, responses=FILM)
def clip(request: Request, actor: Watcher, event_id: EventId) -> FileResponse:
    """The film of the event; parts of it by `Range`."""
    return _file(request, event_of(request, actor, event_id), "clip", "video/mp4")


@router.get("/{event_id}/snapshot.jpg", response_class=FileResponse, responses=PICTURE)
def snapshot(request: Request, actor: Watcher, event_id: EventId) -> FileResponse:
    """The moment at which it began, with what is drawn over it."""
    return _file(request, event_of(request, actor, event_id), "snapshot", "image/jpeg")


@router.get("/{event_id}/thumbnail.jpg", response_class=FileResponse, responses=PICTURE)
def thumbnail(request: Request, actor: Watcher, event_id: EventId) -> FileResponse:
    """Who or what it was about, small."""
    return _file(request, event_of(request, actor, event_id), "thumbnail", "image/jpeg")


@router.get("/{event_id}/explanation.jpg", response_class=FileResponse, responses=PICTURE)
def explanation(request: Request, actor: Watcher, event_id: EventId) -> FileResponse:
    """What is usual here beside what was seen, or where the picture was strange."""
    return _file(request, event_of(request, actor, event_id), "explanation", "image/jpeg")


@router.patch("/{event_id}")
def change(request: Request, actor: Reviewer, event_id: EventId, body: Change, lang: Lang = None) -> dict[str, Any]:
    """Say whether it was real, write a note, lock it."""
    service = service_of(request)
    stored = event_of(request, actor, event_id)
    if body.reviewed is not None or body.verdict is not None or body.note is not None:
        verdict = stored.verdict if body.verdict is None else body.verdict or None
        reviewed = stored.reviewed if body.reviewed is None and not body.verdict else body.reviewed is not False
        stored = service.store.review(event_id, verdict, body.note, reviewed=reviewed)
    if body.locked is not None:
        stored = service.store.lock(event_id, body.locked)
    said = ", ".join(f"{name} {value}" for name, value in body.model_dump(exclude_none=True, exclude={"note"}).items())
    note(request, "review", event_id, said + (", note" if body.note is not None else ""))
    request.app.state.hub.tell(News("review", stored.event.camera, stored.event, event_id))
    return event_json(stored, camera_names(service.config), spoken(actor, lang))


@router.post("/review")
def review(request: Request, actor: Reviewer, body: Review) -> dict[str, int]:
    """Several at once: all of them, or, where one does not exist (or is not theirs), none."""
    service = service_of(request)
    ids = list(dict.fromkeys(body.ids))
    found = visible(request, actor, ids)
    verdict: Any = body.verdict
    changed = service.store.review_all(ids, reviewed=body.reviewed, **({} if verdict is None else {"verdict": verdict or None}))
    note(request, "review", f"{changed} events", f"reviewed {body.reviewed}" + (f", verdict {verdict}" if verdict is not None else ""))
    for stored in found:
        request.app.state.hub.tell(News("review", stored.event.camera, stored.event, stored.id))
    return {"changed": changed}


# ------------------------------------------------------------------------------------------------------------- helpers


def visible(request: Request, actor: Actor, ids: list[str]) -> list[StoredEvent]:
    """All these events; 404 where one does not exist or is not theirs."""
    found = service_of(request).store.find_all(ids)
    if len(found) != len(ids) or not all(actor.sees(each.event.camera) for each in found):
        raise HTTPException(404, "no such event")
    return found


def safe_path(request: Request, path: Path) -> Path | None:
    """The file, if it is one and lies in the media folder: whatever the database says."""
    folder = service_of(request).store.evidence.folder.resolve()
    try:
        real = path.resolve(strict=True)
    except OSError:
        return None
    return real if real.is_relative_to(folder) and real.is_file() else None


def _file(request: Request, stored: StoredEvent, kind: EvidenceKind, media: str) -> FileResponse:
    kept = stored.kept(kind)
    path = safe_path(request, kept.path) if kept is not None else None
    if kept is None or path is None:
        raise HTTPException(404, f"no {kind} of this event")
    return FileResponse(path, media_type=media, headers={"x-sha256": kept.sha256})


def _span(stored: StoredEvent) -> dict[str, float | None] | None:
    kept = stored.kept("clip")
    return None if kept is None else {"begin": kept.begin, "end": kept.end}
