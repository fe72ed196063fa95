"""What every request passes: limits, who it is, that no other site sent it, and headers that keep a browser strict."""

from __future__ import annotations

import secrets
from typing import Any, cast
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pahara.store import Role

from .access import Actor, Power, lesser
from .passwords import key_hash

COOKIE = "pahara_session"
CSRF = "x-csrf-token"
SAFE = ("GET", "HEAD", "OPTIONS")
LARGEST = 1 << 20  # bytes of a request's body, where a route says nothing else
IDLE, LIFE = 7 * 86400.0, 30 * 86400.0  # seconds: a session that is not used ends; and in any case
TOUCH = 60.0  # seconds between two notes that a session is in use

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class TooLargeError(HTTPException):
    """A body beyond the limit. An HTTPException, so that whoever reads the body lets it through."""

    def __init__(self) -> None:
        super().__init__(413, "the request is too large")


class Guard:
    """Plain ASGI, because a stream of events must not be held up by a middleware that waits for its end."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST) -> None:
        self.app, self.largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.largest:
                raise TooLargeError
            return message

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, limited, strict)


def actor_of(request: Request) -> Actor | None:
    """Who sent the request, by bearer token or by session cookie; None for nobody."""
    accounts, now = request.app.state.service.store.accounts, request.app.state.clock()
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        found = accounts.token(key_hash(key.strip()), now)
        if found is None:
            return None
        token, user = found
        return Actor(user, lesser(token.role, user.role))
    cookie = request.cookies.get(COOKIE, "")
    if not cookie:
        return None
    held = accounts.session(key_hash(cookie), now)
    if held is None:
        return None
    session, user = held
    if now - session.last > TOUCH:
        accounts.touch(session.id, now, min(now + IDLE, session.created + LIFE))
    return Actor(user, cast(Role, user.role), session.id, csrf_of(cookie))


def csrf_of(cookie: str) -> str:
    """What a script of ours sends along: known only to who knows the cookie, and not the cookie itself."""
    return key_hash("csrf " + cookie)


def from_elsewhere(request: Request, actor: Actor) -> bool:
    """Whether a request that changes something may have been sent by another site."""
    if not actor.session:
        return False  # a bearer token is sent by no browser on its own
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        return True
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    return not secrets.compare_digest(request.headers.get(CSRF, "").encode(), actor.csrf.encode())


class Allow:
    """A dependency: only who is logged in, has the power, and is really here. `power` None: everybody with an account.

    Every route of the API has one (a test walks them), save those in `PUBLIC`.
    """

    def __init__(self, power: Power | None = None) -> None:
        self.power = power

    def __call__(self, request: Request) -> Actor:
        actor = actor_of(request)
        if actor is None:
            raise HTTPException(401, "log in first", headers={"www-authenticate": "Bearer"})
        if self.power is not None and not actor.may(self.power):
            raise HTTPException(403, f"a {actor.role} may not do this")
        if request.method not in SAFE and from_elsewhere(request, actor):
            raise HTTPException(403, "this request did not come from the dashboard itself")
        request.state.actor = actor
        return actor


# Nobody needs to be logged in for these: that Pahara is up, the first start, logging in, and what a log-in page is made of.
PUBLIC = frozenset({"/api/health", "/api/login", "/api/setup", "/login", "/setup", "/static", "/manifest.webmanifest", "/favicon.ico", "/"})


def address_of(request: Request) -> str:
    """Where the request came from, for the audit log; a proxy's word counts only where uvicorn was told to trust it."""
    return request.client.host if request.client else ""


def note(request: Request, action: str, object: str = "", detail: Any = "", *, who: str = "") -> None:
    """A line in the audit log."""
    state = request.app.state
    actor: Actor | None = getattr(request.state, "actor", None)
    name = who or (actor.user.name if actor else "")
    state.service.store.accounts.note(action, name, object=object, detail=str(detail), address=address_of(request), now=state.clock())
