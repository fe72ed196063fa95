"""The REST API, one file a subject."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """All, in the order of the documentation."""
    from . import account

    return [account.router]
