"""The configuration: shown without its secrets, checked, changed with its comments kept, and tried before it counts."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import ConfigDict, Field, model_validator

from pahara.config import json_schema, parse
from pahara.config.editing import add_camera, masked, merge, remove_camera, set_behaviours, set_places, unmasked
from pahara.core import PaharaError, without_secrets

from ..access import Actor
from ..guard import Allow
from ..writing import change, hash_of, problems_of, text_of
from .asking import Body, Key, Plain, camera_of, service_of
from .cameras import camera_json, places_json

router = APIRouter(prefix="/api", tags=["configuration"])
Owner = Annotated[Actor, Depends(Allow("configure"))]
LARGEST = 512 * 1024  # characters of a configuration
Point = tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]]
Name = Annotated[Plain, Field(min_length=1, max_length=80)]
Behaviour = dict[str, Any] | Annotated[str, Field(max_length=80)]


class Text(Body):
    """A configuration's text."""

    text: str = Field(max_length=LARGEST)

    model_config = ConfigDict(**{**Body.model_config, "str_max_length": LARGEST})


class NewConfig(Text):
    """A whole new text (`***` stands for the secret that was there), or the plain values of a form, as `data` came."""

    text: str | None = Field(None, max_length=LARGEST)  # type: ignore[assignment]
    data: dict[str, Any] | None = None
    base_hash: str = Field(max_length=64, description="`hash` of what was changed")

    @model_validator(mode="after")
    def _one_of_both(self) -> NewConfig:
        if (self.text is None) == (self.data is None):
            raise ValueError("give text or data")
        return self


class Line(Body):
    """A directed line."""

    start: Point = Field(alias="from")
    end: Point = Field(alias="to")


class Places(Body):
    """Zones and lines of a camera; what is left out stays as it is."""

    zones: dict[Name, Annotated[list[Point], Field(min_length=3, max_length=64)]] | None = Field(None, max_length=64)
    lines: dict[Name, Line] | None = Field(None, max_length=64)
    behaviours: list[Behaviour] | None = Field(None, max_length=64, description="With them, where a place that goes is still used")


class Behaviours(Body):
    """What a camera looks for, as in the file; null: what cameras do that say nothing."""

    behaviours: list[Behaviour] | None = Field(max_length=64)


class NewCamera(Body):
    """One camera more."""

    key: Key
    name: Plain = Field("", max_length=80)
    source: Plain = Field(min_length=1, max_length=2000)
    record: Plain = Field("", max_length=2000)
    zones: dict[Name, Annotated[list[Point], Field(min_length=3, max_length=64)]] = Field({}, max_length=64)
    lines: dict[Name, Line] = Field({}, max_length=64)
    behaviours: list[Behaviour] | None = Field(None, max_length=64)


@router.get("/config")
def config(request: Request, actor: Owner) -> dict[str, Any]:
    """The file's text, and the plain values that are in force; secrets are `***`. `hash` goes along with a change."""
    service = service_of(request)
    text = text_of(service)
    return {
        "text": masked(text),
        "data": service.config.as_dict(),
        "hash": hash_of(text),
        "problem": without_secrets(service.problem),
        "notes": [{"line": each.line, "said": each.message, "hint": each.hint} for each in service.config.notes],
    }


@router.get("/config/schema")
def schema(request: Request, actor: Owner) -> dict[str, Any]:
    """What may stand in it (JSON schema, with every plug-in's options)."""
    return _schema()


@router.post("/config/check")
def check(request: Request, actor: Owner, body: Text) -> dict[str, Any]:
    """What is wrong with a text, each with its line; nothing is changed."""
    service = service_of(request)
    try:
        made = parse(unmasked(body.text, text_of(service)), folder=service.config.folder)
    except PaharaError as problem:
        return {"ok": False, "problems": problems_of(problem)}
    return {"ok": True, "problems": [], "cameras": list(made.cameras)}


@router.put("/config")
def replace(request: Request, actor: Owner, body: NewConfig) -> dict[str, Any]:
    """In force when this answers. 409 where someone else changed it meanwhile, 422 with every problem where it makes no sense."""
    text, data = body.text, body.data

    def make(old: str) -> str:
        if text is not None:
            return unmasked(text, old)
        service = service_of(request)
        return merge(old, parse(old, folder=service.config.folder).as_dict(), data or {})

    change(request, make, "the whole file" if text is not None else "settings", body.base_hash)
    return config(request, actor)


@router.put("/cameras/{key}/places")
def places(request: Request, actor: Owner, key: Key, body: Places) -> dict[str, Any]:
    """Zones and lines, written into the file with its comments kept."""
    camera_of(request, actor, key)
    lines = None if body.lines is None else {name: {"from": list(line.start), "to": list(line.end)} for name, line in body.lines.items()}
    zones = None if body.zones is None else {name: [list(corner) for corner in corners] for name, corners in body.zones.items()}

    def make(old: str) -> str:
        new = set_places(old, key, zones, lines)
        return new if body.behaviours is None else set_behaviours(new, key, body.behaviours)

    change(request, make, f"places of {key}")
    return places_json(service_of(request).config, key)


@router.put("/cameras/{key}/behaviours")
def behaviours(request: Request, actor: Owner, key: Key, body: Behaviours) -> dict[str, Any]:
    """What this camera looks for."""
    camera_of(request, actor, key)
    change(request, lambda old: set_behaviours(old, key, body.behaviours), f"behaviours of {key}")
    return camera_json(request, actor, key)


@router.post("/cameras", status_code=201)
def add(request: Request, actor: Owner, body: NewCamera) -> dict[str, Any]:
    """It is watched from now on."""
    told: dict[str, Any] = body.model_dump(by_alias=True, exclude={"key"}, exclude_defaults=True, mode="json")
    told = {key: told[key] for key in ("name", "source", "record", "zones", "lines", "behaviours") if key in told}
    change(request, lambda old: add_camera(old, body.key, told), f"camera {body.key} added")
    if body.key not in service_of(request).config.cameras:
        raise HTTPException(409, "the configuration was changed meanwhile: load it again")
    return camera_json(request, actor, body.key)


@router.delete("/cameras/{key}", status_code=204)
def remove(request: Request, actor: Owner, key: Key) -> None:
    """It is watched no longer; its events and evidence stay."""
    camera_of(request, actor, key)
    change(request, lambda old: remove_camera(old, key), f"camera {key} removed")


@cache
def _schema() -> dict[str, Any]:
    return json_schema()
