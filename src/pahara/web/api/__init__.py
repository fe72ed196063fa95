"""The REST API, one file a subject."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """All, in the order of the documentation."""
    from . import account, cameras, configuring, events, export, history, stream, system, trying, users, verifying

    return [each.router for each in (account, cameras, export, events, stream, history, configuring, trying, verifying, users, system)]
