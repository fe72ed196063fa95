"""Accounts of others, and the log of who did what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import Field

from pahara.core import StoreError
from pahara.store import Role, User

from ..access import Actor
from ..guard import Allow, note
from ..passwords import hash_password, weak
from .asking import Body, Key, Language, Plain, service_of

router = APIRouter(prefix="/api", tags=["users"])
Owner = Annotated[Actor, Depends(Allow("administer"))]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class NewUser(Body):
    """Someone who may come in."""

    name: Plain = Field(min_length=1, max_length=80)
    password: str = Field(max_length=1000)
    role: Role
    cameras: list[Key] | None = Field(None, max_length=1000, description="Keys of the cameras that they may see; null is all")
    language: Language = "en"


class ChangedUser(Body):
    """What becomes otherwise; what is left out stays. Every session of theirs ends."""

    password: str | None = Field(None, max_length=1000)
    role: Role | None = None
    cameras: list[Key] | None = Field(None, max_length=1000)
    every_camera: bool = Field(False, description="They may see all, also those that come later")
    disabled: bool | None = None
    without_totp: bool = Field(False, description="Take the second factor away, for someone who lost their phone")
    without_tokens: bool = Field(False, description="Take every token away")


def user_json(request: Request, user: User) -> dict[str, Any]:
    """An account as an owner sees it; never its password, not even hashed."""
    accounts = service_of(request).store.accounts
    sessions = accounts.sessions(user.id)
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "cameras": None if user.cameras is None or user.role == "owner" else list(user.cameras),
        "language": user.language,
        "totp": bool(user.totp),
        "disabled": bool(user.disabled),
        "created": user.created,
        "last": sessions[0].last if sessions else None,
        "sessions": len(sessions),
        "tokens": [{"id": each.id, "name": each.name, "role": each.role, "last": each.last} for each in accounts.tokens(user.id)],
    }


@router.get("/users")
def users(request: Request, actor: Owner) -> list[dict[str, Any]]:
    """Everybody."""
    return [user_json(request, each) for each in service_of(request).store.accounts.users()]


@router.post("/users", status_code=201)
def add(request: Request, actor: Owner, body: NewUser) -> dict[str, Any]:
    """One more account; 400 where the name is taken or the password is too easy."""
    _good(body.password, body.name)
    _known(request, body.cameras)
    made = service_of(request).store.accounts.add(
        body.name, hash_password(body.password), body.role, cameras=body.cameras, language=body.language, now=request.app.state.clock()
    )
    note(request, "user added", made.name, f"{made.role}, {_seen(body.cameras)}")
    return user_json(request, made)


@router.patch("/users/{number}")
def change(request: Request, actor: Owner, number: Number, body: ChangedUser) -> dict[str, Any]:
    """Other rights, a new password. 400 where nobody would be left who may change anything."""
    state, accounts = request.app.state, service_of(request).store.accounts
    user = _user(request, number)
    values: dict[str, Any] = {}
    if body.password is not None:
        _good(body.password, user.name)
        values["password"] = hash_password(body.password)
    if body.role is not None:
        values["role"] = body.role
    if body.cameras is not None or body.every_camera:
        _known(request, body.cameras)
        values["cameras"] = None if body.every_camera else body.cameras
    if body.disabled is not None:
        values["disabled"] = body.disabled
    if body.without_totp:
        values["totp"] = ""
    if values:
        user = accounts.change(number, state.clock(), **values)
    if body.without_tokens:
        for each in accounts.tokens(number):
            accounts.remove_token(each.id)
    told = {key: value for key, value in values.items() if key not in ("password", "totp")}
    said = [*(f"{key} {value}" for key, value in told.items()), *(key for key in ("password", "totp") if key in values)]
    note(request, "user changed", user.name, ", ".join([*said, *(["tokens"] if body.without_tokens else [])]))
    return user_json(request, user)


@router.delete("/users/{number}", status_code=204)
def remove(request: Request, actor: Owner, number: Number) -> None:
    """With sessions and tokens. 400 for the last owner."""
    user = _user(request, number)
    service_of(request).store.accounts.remove(number)
    note(request, "user removed", user.name)


@router.get("/audit")
def audit(
    request: Request,
    actor: Owner,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
) -> dict[str, Any]:
    """Who did what, the newest first."""
    found = service_of(request).store.accounts.log(limit + 1, before)
    page = found[:limit]
    entries = [
        {"id": e.id, "at": e.at, "who": e.who, "address": e.address, "action": e.action, "object": e.object, "detail": e.detail} for e in page
    ]  # fmt: skip
    return {"entries": entries, "next": page[-1].id if len(found) > limit else None}


def _user(request: Request, number: int) -> User:
    try:
        return service_of(request).store.accounts.user(number)
    except StoreError:
        raise HTTPException(404, "no such user") from None


def _known(request: Request, cameras: list[str] | None) -> None:
    if unknown := sorted(set(cameras or ()) - set(service_of(request).config.cameras)):
        raise HTTPException(400, f"no camera '{unknown[0]}'")


def _good(password: str, name: str) -> None:
    if why := weak(password, name):
        raise HTTPException(400, f"password_{why}")


def _seen(cameras: list[str] | None) -> str:
    return "every camera" if cameras is None else f"cameras {', '.join(cameras) or 'none'}"
