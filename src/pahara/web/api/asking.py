"""What the routes share: how input is limited, who may see which object, and how an event is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from fastapi import HTTPException, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pahara.config import Config
from pahara.core import Event, Reason, without_secrets
from pahara.language import behaviour_name, explain
from pahara.pipeline.service import Service
from pahara.store import EvidenceKind, StoredEvent

from ..access import Actor

Language = Literal["bn", "en"]
MOST_IDS = 500  # events that one request may name
EVIDENCE: tuple[EvidenceKind, ...] = ("clip", "snapshot", "thumbnail", "explanation")


def _plain(text: str) -> str:
    """PostgreSQL knows no NUL, and neither database knows half a character."""
    if "\0" in text:
        raise ValueError("a NUL character is no part of a name")
    text.encode("utf-8")
    return text


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not a number")
    return value


Plain = Annotated[str, AfterValidator(_plain)]
Word = Annotated[str, Field(max_length=160), AfterValidator(_plain)]
Words = Annotated[list[Word] | None, Query(max_length=64)]
Key = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]  # of a camera
EventId = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Moment = Annotated[float, Field(ge=-1e11, le=1e11), AfterValidator(_finite)]  # UTC seconds
Lang = Annotated[Language | None, Query(description="Of the words; by default the account's own.")]


class Body(BaseModel):
    """What a request brings; a key that nobody knows is refused, and what was sent is never said back."""

    model_config = ConfigDict(extra="forbid", str_max_length=20_000, hide_input_in_errors=True, allow_inf_nan=False)


def service_of(request: Request) -> Service:
    """The running service."""
    return cast(Service, request.app.state.service)


def spoken(actor: Actor, lang: Language | None) -> Language:
    """The reader's language."""
    return lang or ("bn" if actor.user.language == "bn" else "en")


def camera_of(request: Request, actor: Actor, key: str) -> str:
    """The key, if there is such a camera and it is theirs; else 404, whichever it is."""
    if key not in service_of(request).config.cameras or not actor.sees(key):
        raise HTTPException(404, "no such camera")
    return key


def event_of(request: Request, actor: Actor, event_id: str) -> StoredEvent:
    """The event, if there is one and its camera is theirs; else 404, whichever it is."""
    found = service_of(request).store.find(event_id)
    if found is None or not actor.sees(found.event.camera):
        raise HTTPException(404, "no such event")
    return found


def asked_cameras(actor: Actor, cameras: list[str] | None) -> list[str] | None:
    """The cameras that a question is limited to: what was asked for, as far as it is theirs; None for all."""
    if actor.limited is None:
        return cameras
    return list(actor.limited) if cameras is None else actor.among(cameras)


def camera_names(config: Config) -> dict[str, str]:
    """What people call the cameras, by key."""
    return {key: str(camera.name) or key for key, camera in config.cameras.items()}


def number(value: float) -> float | None:
    """As JSON knows it: infinity and "not a number" are nothing."""
    return round(float(value), 4) if math.isfinite(value) else None


def reason_json(reason: Reason, language: Language) -> dict[str, Any]:
    """Why it fired, in words and numbers."""
    return {
        "text": without_secrets(explain(reason, language)),
        "code": reason.code,
        "measured": number(reason.measured),
        "limit": number(reason.limit),
        "unit": reason.unit,
        "place": reason.place,
        "values": {name: number(v) if isinstance(v, int | float) else without_secrets(str(v)) for name, v in reason.values.items()},
    }


def event_json(stored: StoredEvent, names: Mapping[str, str], language: Language) -> dict[str, Any]:
    """An event in a list."""
    return {
        **report_json(stored.event, names, language),
        "reviewed": bool(stored.reviewed),
        "verdict": stored.verdict,
        "note": stored.note,
        "locked": bool(stored.locked),
        "has": {kind: stored.kept(kind) is not None for kind in EVIDENCE},
    }


def report_json(event: Event, names: Mapping[str, str], language: Language) -> dict[str, Any]:
    """What the watch itself said of an event."""
    return {
        "id": event.id,
        "camera": event.camera,
        "camera_name": names.get(event.camera, event.camera),
        "behaviour": event.behaviour,
        "kind": event.kind,
        "title": behaviour_name(event.kind, language),
        "reason": reason_json(event.reason, language),
        "start": round(event.epoch + event.start, 3),
        "end": round(event.epoch + event.time, 3) if event.phase == "ended" else None,
        "peak": number(event.peak),
    }
