"""The dashboard and its API as one ASGI application around a running service."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from pahara import __version__
from pahara.core import PaharaError, without_secrets
from pahara.pipeline.service import Service

from . import pages
from .guard import Guard
from .hub import Hub
from .passwords import Throttle
from .pictures import Pictures


def create_app(service: Service, *, clock: Callable[[], float] = time.time, setup_code: str | None = None) -> FastAPI:
    """`service` is running, or will be. `setup_code`: what the first start asks for (default: a new random one, in `app.state.setup_code`)."""
    from .api import routers
    from .api.system import Load
    from .api.verifying import Check

    app = FastAPI(
        title="Pahara",
        version=__version__,
        description="Cameras, events and evidence of one Pahara. Send `Authorization: Bearer <token>`.",
        openapi_url=None,  # it has a route of its own, for those who are logged in
        docs_url=None,  # its page would load scripts from another host
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.service = service
    app.state.clock = clock
    app.state.throttle = Throttle()
    app.state.setup_code = setup_code or secrets.token_urlsafe(9)
    app.state.pictures, app.state.hub, app.state.load = Pictures(), Hub(), Load()
    app.state.editing, app.state.check = threading.Lock(), Check()
    service.live.listen(app.state.hub.report)
    app.add_middleware(Guard)
    app.add_exception_handler(PaharaError, _mistake)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for router in routers():
        app.include_router(router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    return app


async def _mistake(_: Request, problem: Exception) -> JSONResponse:
    """What a user can mend is a 400 with the same line that the command line would print."""
    return JSONResponse({"detail": without_secrets(str(problem))}, 400)


async def _http(_: Request, problem: Any) -> JSONResponse:
    return JSONResponse({"detail": problem.detail}, problem.status_code, headers=problem.headers)


async def _invalid(_: Request, problem: Any) -> JSONResponse:
    """What was wrong and where; never what was sent, which may hold a password."""
    told = [{"where": [_text(part) for part in each["loc"]], "what": _text(each["msg"])} for each in problem.errors()[:50]]
    return JSONResponse({"detail": told}, 422)


def _text(part: object) -> str:
    """Short, and without the half characters that JSON may bring."""
    return str(part)[:200].encode("utf-8", "replace").decode()
