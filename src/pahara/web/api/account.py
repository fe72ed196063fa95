"""The first start, logging in and out, and one's own account: password, second factor, sessions, tokens."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from pahara.core import StoreError
from pahara.store import Role, User

from ..access import ORDER, POWERS, Actor
from ..guard import COOKIE, IDLE, Allow, address_of, csrf_of, note
from ..passwords import hash_password, key_hash, matches, new_key, new_totp, totp_address, totp_step, weak

router = APIRouter(prefix="/api", tags=["account"])
Anyone = Annotated[Actor, Depends(Allow())]
Language = Literal["bn", "en"]


class Body(BaseModel):
    """What a request brings; a key that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=2000, hide_input_in_errors=True)


class Setup(Body):
    """The first owner."""

    code: str = Field(max_length=100)
    """As `pahara run` printed it."""
    name: str = Field(max_length=80)
    password: str = Field(max_length=1000)
    language: Language = "en"


class Login(Body):
    name: str = Field(max_length=80)
    password: str = Field(max_length=1000)
    totp: str = Field("", max_length=20)
    """Six digits, where the account has a second factor."""


class PasswordChange(Body):
    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)


class TotpOn(Body):
    secret: str = Field(max_length=64)
    code: str = Field(max_length=20)


class PasswordOnly(Body):
    password: str = Field(max_length=1000)


class Preferences(Body):
    language: Language


class NewToken(Body):
    name: str = Field(min_length=1, max_length=80)
    role: Role = "viewer"
    days: float | None = Field(None, gt=0, le=3650)


def me_of(actor: Actor) -> dict[str, Any]:
    """What a dashboard needs to know of who is at it."""
    user = actor.user
    return {
        "id": user.id,
        "name": user.name,
        "role": actor.role,
        "powers": sorted(POWERS[actor.role]),
        "cameras": None if actor.limited is None else list(actor.limited),
        "language": user.language,
        "totp": bool(user.totp),
        "csrf": actor.csrf,
    }


@router.get("/setup")
def first_start(request: Request) -> dict[str, bool]:
    """Whether there is no owner yet."""
    return {"needed": request.app.state.service.store.accounts.count() == 0}


@router.post("/setup", status_code=201)
def set_up(request: Request, response: Response, body: Setup) -> dict[str, Any]:
    """Make the owner, and log in. 403 with a wrong code, 409 when there is an owner already."""
    state = request.app.state
    address = address_of(request)
    _not_too_often(request, "setup", address)
    if not secrets.compare_digest(body.code.strip().encode(), state.setup_code.encode()):
        state.throttle.failed("setup", address)
        raise HTTPException(403, "wrong_code")
    _good(body.password, body.name)
    try:
        user = state.service.store.accounts.add_first(body.name, hash_password(body.password), language=body.language, now=state.clock())
    except StoreError as problem:
        raise HTTPException(409 if "already" in str(problem) else 400, str(problem)) from None
    note(request, "setup", who=user.name)
    return _begin(request, response, user)


@router.post("/login")
def log_in(request: Request, response: Response, body: Login) -> dict[str, Any]:
    """401 `wrong` for a wrong name or password (nobody learns which), 401 `totp` where a code is needed, 429 with `retry-after`."""
    state = request.app.state
    accounts, address, now = state.service.store.accounts, address_of(request), state.clock()
    _not_too_often(request, body.name, address)
    user = accounts.named(body.name)
    usable = user is not None and not user.disabled
    right = matches(user.password if user is not None and usable else "", body.password)
    if user is None or not right:
        state.throttle.failed(body.name, address)
        note(request, "login failed", who=body.name[:80])
        raise HTTPException(401, "wrong")
    if user.totp:
        if not body.totp.strip():
            raise HTTPException(401, "totp")
        step = totp_step(user.totp, body.totp, now)
        if step is None or not accounts.use_step(user.id, step):
            state.throttle.failed(body.name, address)
            note(request, "login failed", who=user.name, detail="second factor")
            raise HTTPException(401, "wrong")
    state.throttle.succeeded(body.name, address)
    note(request, "login", who=user.name)
    return _begin(request, response, user)


@router.post("/logout", status_code=204)
def log_out(request: Request, response: Response, actor: Anyone) -> None:
    """End this session."""
    if actor.session:
        request.app.state.service.store.accounts.end_session(actor.session)
    response.delete_cookie(COOKIE, path="/")
    note(request, "logout")


@router.get("/me")
def me(actor: Anyone) -> dict[str, Any]:
    """Who is logged in, and what they may do."""
    return me_of(actor)


@router.patch("/me")
def prefer(request: Request, actor: Anyone, body: Preferences) -> dict[str, Any]:
    """One's own language."""
    state = request.app.state
    user = state.service.store.accounts.change(actor.user.id, state.clock(), language=body.language)
    return me_of(Actor(user, actor.role, actor.session, actor.csrf))


@router.post("/me/password")
def change_password(request: Request, response: Response, actor: Anyone, body: PasswordChange) -> dict[str, Any]:
    """Every other session ends; this one goes on under a new cookie."""
    state = request.app.state
    _here(actor)
    _prove(request, actor, body.old)
    _good(body.new, actor.user.name)
    user = state.service.store.accounts.change(actor.user.id, state.clock(), password=hash_password(body.new))
    note(request, "password changed")
    return _begin(request, response, user)


@router.post("/me/totp/new")
def offer_totp(actor: Anyone) -> dict[str, str]:
    """A new secret for an authenticator app; nothing changes before it is confirmed."""
    _here(actor)
    secret = new_totp()
    return {"secret": secret, "address": totp_address(secret, actor.user.name)}


@router.post("/me/totp")
def turn_totp_on(request: Request, response: Response, actor: Anyone, body: TotpOn) -> dict[str, Any]:
    """Confirm the secret with a code of it."""
    state = request.app.state
    _here(actor)
    if not (16 <= len(body.secret) <= 64 and set(body.secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")):
        raise HTTPException(400, "no such secret")
    step = totp_step(body.secret, body.code, state.clock())
    if step is None:
        raise HTTPException(400, "wrong_code")
    user = state.service.store.accounts.change(actor.user.id, state.clock(), totp=body.secret, totp_step=step)
    note(request, "second factor on")
    return _begin(request, response, user)


@router.post("/me/totp/off")
def turn_totp_off(request: Request, response: Response, actor: Anyone, body: PasswordOnly) -> dict[str, Any]:
    """With the password once more."""
    state = request.app.state
    _here(actor)
    _prove(request, actor, body.password)
    user = state.service.store.accounts.change(actor.user.id, state.clock(), totp="")
    note(request, "second factor off")
    return _begin(request, response, user)


@router.get("/me/sessions")
def my_sessions(request: Request, actor: Anyone) -> list[dict[str, Any]]:
    """Where one is logged in."""
    found = request.app.state.service.store.accounts.sessions(actor.user.id)
    return [
        {"created": each.created, "last": each.last, "agent": each.agent, "address": each.address, "this": each.id == actor.session}
        for each in found
    ]


@router.delete("/me/sessions", status_code=204)
def end_other_sessions(request: Request, actor: Anyone) -> None:
    """Log out everywhere else."""
    request.app.state.service.store.accounts.end_sessions(actor.user.id, but=actor.session)
    note(request, "sessions ended")


@router.get("/me/tokens")
def my_tokens(request: Request, actor: Anyone) -> list[dict[str, Any]]:
    """Keys of one's own programs; never the keys themselves."""
    found = request.app.state.service.store.accounts.tokens(actor.user.id)
    return [
        {"id": each.id, "name": each.name, "role": each.role, "created": each.created, "last": each.last, "expires": each.expires}
        for each in found
    ]


@router.post("/me/tokens", status_code=201)
def make_token(request: Request, actor: Anyone, body: NewToken) -> dict[str, Any]:
    """A key for a program, shown this once. It can do no more than its role, and never more than its user."""
    state = request.app.state
    _here(actor)
    if ORDER.index(body.role) > ORDER.index(actor.role):
        raise HTTPException(403, "a token cannot do more than its user")
    key, now = "pahara_" + new_key(), state.clock()
    expires = None if body.days is None else now + body.days * 86400
    made = state.service.store.accounts.add_token(actor.user.id, body.name, key_hash(key), body.role, now=now, expires=expires)
    note(request, "token made", made.name)
    return {"id": made.id, "name": made.name, "role": made.role, "expires": expires, "token": key}


@router.delete("/me/tokens/{number}", status_code=204)
def remove_token(request: Request, actor: Anyone, number: int) -> None:
    """It opens nothing any more. 404 for a token of someone else."""
    accounts = request.app.state.service.store.accounts
    if number not in [each.id for each in accounts.tokens(actor.user.id)]:
        raise HTTPException(404, "no such token")
    accounts.remove_token(number)
    note(request, "token removed", str(number))


# --------------------------------------------------------------------------------------------------------------- helpers


def _begin(request: Request, response: Response, user: User) -> dict[str, Any]:
    state = request.app.state
    cookie, now = new_key(), state.clock()
    agent = request.headers.get("user-agent", "")
    key = key_hash(cookie)
    state.service.store.accounts.begin_session(key, user.id, now=now, expires=now + IDLE, agent=agent, address=address_of(request))
    response.set_cookie(COOKIE, cookie, max_age=int(IDLE), httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")
    return me_of(Actor(user, user.role, key, csrf_of(cookie)))


def _here(actor: Actor) -> None:
    """What changes an account is done by a person who is logged in, not by a token."""
    if not actor.session:
        raise HTTPException(403, "this needs a log-in; a token cannot do it")


def _prove(request: Request, actor: Actor, password: str) -> None:
    _not_too_often(request, actor.user.name, address_of(request))
    if not matches(actor.user.password, password):
        request.app.state.throttle.failed(actor.user.name, address_of(request))
        raise HTTPException(403, "wrong")


def _not_too_often(request: Request, name: str, address: str) -> None:
    wait = request.app.state.throttle.wait(name, address)
    if wait > 0:
        raise HTTPException(429, "too_often", headers={"retry-after": str(int(wait) + 1)})


def _good(password: str, name: str) -> None:
    if why := weak(password, name):
        raise HTTPException(400, f"password_{why}")
