"""The pages of the dashboard: small HTML shells in the reader's language, filled by scripts through the API."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pahara import __version__
from pahara.language import LANGUAGES, catalogue

from .access import POWERS, Actor, Power
from .guard import actor_of

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGE = "pahara_language"  # a cookie: what someone who is not logged in chose
PREFIXES = ("web.", "behaviour.")  # keys of the words that scripts may need

router = APIRouter(include_in_schema=False)

# path -> (template, key of its title, the power that it needs; None: everybody with an account)
PAGES: dict[str, tuple[str, str, Power | None]] = {
    "/": ("wall", "web.nav.live", "watch"),
    "/cameras/{key}": ("camera", "web.nav.live", "watch"),
    "/review": ("review", "web.nav.review", "watch"),
    "/events/{event_id}": ("event", "web.event.title", "watch"),
    "/timeline": ("timeline", "web.nav.timeline", "watch"),
    "/cameras/{key}/edit": ("edit", "web.edit.title", "configure"),
    "/settings": ("settings", "web.nav.settings", "configure"),
    "/users": ("users", "web.nav.users", "administer"),
    "/account": ("account", "web.nav.account", None),
    "/system": ("system", "web.nav.system", "system"),
}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def words(language: str) -> dict[str, str]:
    """What scripts may need to say, in one language."""
    return {key: told for key, told in catalogue(language).items() if key.startswith(PREFIXES)}


def language_of(request: Request, user_language: str = "") -> str:
    """Of the account, else as chosen in this browser, else as the browser asks, else of the configuration."""
    if user_language in LANGUAGES:
        return user_language
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in LANGUAGES:
        return chosen
    for asked in request.headers.get("accept-language", "")[:200].split(","):
        if asked.strip()[:2].lower() in LANGUAGES:
            return asked.strip()[:2].lower()
    return str(request.app.state.service.config.language)


def page(request: Request, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
    """One page, in the reader's language."""
    actor = values.pop("actor", None)
    language = language_of(request, actor.user.language if actor is not None else "")
    told = words(language)

    def w(key: str, tag: str = "span", **more: Any) -> Markup:
        """Words that change with the language without a reload: the script finds them by their key."""
        return Markup('<{tag} data-w="{key}"{more}>{said}</{tag}>').format(
            tag=Markup(tag), key=key, said=told[key], more=Markup("".join(f' {escape(k)}="{escape(v)}"' for k, v in more.items()))
        )

    boot = {
        "language": language,
        "languages": list(LANGUAGES),
        "version": __version__,
        "me": None
        if actor is None
        else {
            "name": actor.user.name,
            "role": actor.role,
            "powers": sorted(POWERS[actor.role]),
            "csrf": actor.csrf,
            "totp": bool(actor.user.totp),
        },
        "title": title,
        **values,
    }
    html = _environment().get_template(f"{template}.html.jinja").render(
        w=w, t=told.__getitem__, language=language, title=title, me=boot["me"], here=request.url.path, version=__version__,
        boot=Markup(json.dumps(boot).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")),
        why=values.get("why", ""),
        may=lambda power: actor is not None and actor.may(power),
    )  # fmt: skip
    return HTMLResponse(html, status)


def _shell(template: str, title: str, power: Power | None) -> Any:
    def show(request: Request) -> Response:
        actor = actor_of(request)
        if actor is None:
            if request.app.state.service.store.accounts.count() == 0:
                return RedirectResponse("/setup", 303)
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse("/login" if asked == "/" else f"/login?next={_safe(asked)}", 303)
        if power is not None and not actor.may(power):
            return page(request, "nothing", "web.nothing.title", status=403, actor=actor, why="web.nothing.forbidden")
        if not _there(request, actor):
            return page(request, "nothing", "web.nothing.title", status=404, actor=actor, why="web.nothing.gone")
        return page(request, template, title, actor=actor, parameters=dict(request.path_params))

    return show


for _path, (_template, _title, _power) in PAGES.items():
    router.add_api_route(_path, _shell(_template, _title, _power), methods=["GET"], response_class=HTMLResponse, name=_template)


@router.get("/login", response_class=HTMLResponse)
def login(request: Request) -> Response:
    """Who are you?"""
    if request.app.state.service.store.accounts.count() == 0:
        return RedirectResponse("/setup", 303)
    return page(request, "login", "web.login.title")


@router.get("/setup", response_class=HTMLResponse)
def setup(request: Request) -> Response:
    """The first start: an owner, a camera, a zone."""
    actor = actor_of(request)
    if request.app.state.service.store.accounts.count() and (actor is None or not actor.may("configure")):
        return RedirectResponse("/login", 303)
    return page(request, "setup", "web.setup.title", actor=actor, owner=actor is not None)


@router.get("/words/{language}.json")
def words_of(language: str) -> Response:
    """All words of one language, for the toggle; no secret among them."""
    if language not in LANGUAGES:
        return JSONResponse({"detail": "no such language"}, 404)
    return JSONResponse(words(language), headers={"cache-control": "no-cache"})


def _there(request: Request, actor: Actor) -> bool:
    """Whether what the address names exists and is theirs; the same answer for both."""
    service = request.app.state.service
    key, event_id = request.path_params.get("key"), request.path_params.get("event_id")
    if key is not None:
        return key in service.config.cameras and actor.sees(key)
    if event_id is not None:
        found = service.store.find(event_id) if len(event_id) <= 64 and event_id.isascii() and event_id.isprintable() else None
        return found is not None and actor.sees(found.event.camera)
    return True


def _safe(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/")
