"""Puts a changed configuration in force: checked, written beside, renamed, taken over by the watch; or the old one stays, wholly."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fastapi import HTTPException, Request

from pahara.config import ConfigProblems, parse
from pahara.config.document import read_file
from pahara.core import PaharaError, without_secrets
from pahara.pipeline.service import Service

from .guard import note
from .hub import News

log = logging.getLogger(__name__)


class RefusedError(HTTPException):
    """422 with every problem, each with its line."""

    def __init__(self, problem: PaharaError) -> None:
        super().__init__(422, {"ok": False, "problems": problems_of(problem)})


def text_of(service: Service) -> str:
    """What stands in the file now. ConfigProblems where it cannot be read."""
    return read_file(service.file).decode("utf-8-sig", "replace")


def hash_of(text: str) -> str:
    """By which a reader tells which text they changed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def problems_of(problem: PaharaError) -> list[dict[str, object]]:
    """As JSON: line and column count from 1, 0 is unknown."""
    if isinstance(problem, ConfigProblems):
        return [
            {"line": each.line, "column": each.column, "said": without_secrets(each.message), "hint": without_secrets(each.hint)}
            for each in problem.problems
        ]
    return [{"line": 0, "column": 0, "said": without_secrets(str(problem)), "hint": ""}]


def change(request: Request, make: Callable[[str], str], what: str, base_hash: str | None = None) -> None:
    """The file's text -> its new text, in force when this returns. 409 where someone else changed the file since `base_hash`; 422 where it makes no sense."""
    service: Service = request.app.state.service
    with request.app.state.editing:
        old = text_of(service)
        if base_hash is not None and base_hash != hash_of(old):
            raise HTTPException(409, "the configuration was changed meanwhile: load it again")
        try:
            new = make(old)
            parse(new, file=service.file.name, folder=service.file.expanduser().absolute().parent)
        except PaharaError as problem:
            raise RefusedError(problem) from None
        if new == old and not service.problem:
            return
        _write(service.file, new)
        try:
            service.reload()
        except BaseException as problem:
            _write(service.file, old)
            with suppress(PaharaError):
                service.reload()
            if isinstance(problem, PaharaError):
                raise RefusedError(problem) from None
            raise
    note(request, "config", what)
    request.app.state.hub.tell(News("config"))


def _write(file: Path, text: str) -> None:
    """Wholly or not at all; the file keeps its rights. ConfigError-like 400 where it may not be written."""
    real = file.expanduser().resolve()
    part = real.with_name(f".{real.name}.part")
    content = text.encode("utf-8")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        with suppress(OSError):
            os.chmod(part, real.stat().st_mode & 0o777)  # noqa: PTH101
        try:
            part.replace(real)
        except OSError as problem:
            if problem.errno not in (errno.EBUSY, errno.EXDEV):
                raise
            real.write_bytes(content)  # a file that a container has mounted alone cannot be replaced
            part.unlink()
    except OSError as problem:
        with suppress(OSError):
            part.unlink()
        raise HTTPException(400, f"the configuration cannot be written ({problem.strerror}): check the rights of its folder") from None
