"""The REST API, one file a subject."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """All, in the order of the documentation."""
    from . import account, cameras, events, export, stream, system

    return [account.router, cameras.router, export.router, events.router, stream.router, system.router]
