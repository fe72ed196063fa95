"""Whether the evidence is as it was kept: looked through in the background, one at a time."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from pahara.core import PaharaError, without_secrets
from pahara.store.verifying import Verified, verify

from ..access import Actor
from ..guard import Allow

router = APIRouter(prefix="/api", tags=["evidence"])
Exporter = Annotated[Actor, Depends(Allow("export"))]
FRESH = 60.0  # seconds for which an answer counts: asking again and again reads no disk
MOST = 500  # findings that are told
log = logging.getLogger(__name__)


@dataclass
class Check:
    """The last look through the store, or the one under way."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    running: bool = False
    what: str = ""
    done: int = 0
    found: Verified | None = None
    failed: str = ""
    at: float = 0.0  # UTC seconds when it was finished
    _finished: float = float("-inf")  # monotonic

    def begin(self, request: Request) -> None:
        """Unless one is under way, or one was finished just now."""
        with self.guard:
            if self.running or time.monotonic() - self._finished < FRESH:
                return
            self.running, self.what, self.done, self.failed = True, "", 0, ""
        state = request.app.state

        def look() -> None:
            found, failed = None, ""
            try:
                found = verify(state.service.store, tell=self._tell, most=MOST)
            except PaharaError as problem:
                failed = without_secrets(str(problem))
            except Exception:
                log.exception("looking through the store failed")
                failed = "looking through the store failed: see the log"
            with self.guard:
                self.found, self.failed, self.running = found, failed, False
                self.at, self._finished = state.clock(), time.monotonic()

        threading.Thread(target=look, name="verify", daemon=True).start()

    def _tell(self, what: str, done: int) -> None:
        self.what, self.done = what, done


@router.get("/verify")
def look_through(request: Request, actor: Exporter) -> dict[str, Any]:
    """Begins to look through chain, rows, files and signatures, or tells how far it is, or (`state` "done") what was found in the last minute.

    Who may see some cameras only is told of findings on these alone; `whole` is about everything.
    """
    check: Check = request.app.state.check
    check.begin(request)
    with check.guard:
        if check.running:
            return {"state": "running", "what": check.what, "done": check.done}
        if check.found is None:
            return {"state": "failed", "said": check.failed}
        found = check.found
        return {
            "state": "done",
            "at": check.at,
            "whole": found.whole,
            "links": found.links,
            "events": found.events,
            "files": found.files,
            "seals": found.seals,
            "sealed": found.sealed,
            "keys": found.keys,
            "findings": [
                {"wrong": each.wrong, "of": each.of, "name": each.name, "said": each.said, "camera": each.camera}
                for each in found.findings
                if actor.limited is None or (each.camera and actor.sees(each.camera))
            ],
        }
