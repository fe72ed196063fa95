"""How the machine and the whole watch are: for a load balancer, for Prometheus, for a system page."""

from __future__ import annotations

import os
import platform
import shutil
import threading
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from pahara import __version__
from pahara.core import PaharaError, without_secrets
from pahara.pipeline.service import Service
from pahara.pipeline.setup import versions
from pahara.store import Usage

from ..access import Actor
from ..guard import Allow
from ..metrics import exposition
from .asking import number, service_of
from .cameras import status_json

router = APIRouter(tags=["system"])
Keeper = Annotated[Actor, Depends(Allow("system"))]
Anyone = Annotated[Actor, Depends(Allow())]
COUNT = 60.0  # seconds for which the store's sums are kept: counting a large store takes a moment


class Load:
    """How busy this program is, measured between two questions; and what is in the store, counted once a minute."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._wall, self._cpu, self.cpu = time.monotonic(), time.process_time(), 0.0
        self._usage: tuple[float, Usage] | None = None

    def cores(self) -> float:
        """Processor cores in use, over the last seconds."""
        with self._guard:
            wall, cpu = time.monotonic(), time.process_time()
            if wall - self._wall >= 1.0:
                self.cpu = (cpu - self._cpu) / (wall - self._wall)
                self._wall, self._cpu = wall, cpu
            return self.cpu

    def usage(self, service: Service) -> Usage:
        """What the store holds."""
        with self._guard:
            if self._usage is None or time.monotonic() - self._usage[0] > COUNT:
                self._usage = (time.monotonic(), service.store.usage())
            return self._usage[1]


@router.get("/api/health", responses={503: {"description": "Nothing is watched"}})
def health(request: Request) -> JSONResponse:
    """Whether Pahara works; nothing else is told to strangers. A camera that is off is no failure of Pahara's."""
    service = service_of(request)
    try:
        service.store.accounts.count()
        well = service.live.running
    except PaharaError:
        well = False
    return JSONResponse({"ok": well}, 200 if well else 503)


@router.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request, actor: Anyone) -> dict[str, Any]:
    """What this API takes and gives, as OpenAPI 3.1."""
    told: dict[str, Any] = request.app.openapi()
    return told


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, actor: Keeper) -> Response:
    """For Prometheus; give it a token of an operator who sees every camera."""
    content, media = exposition(request.app, actor)
    return Response(content, media_type=media)


@router.get("/api/stats")
def stats(request: Request, actor: Keeper) -> dict[str, Any]:
    """All that a system page shows."""
    service: Service = service_of(request)
    load: Load = request.app.state.load
    live, usage = service.live.health(), load.usage(service)
    disk = shutil.disk_usage(service.store.evidence.folder)
    blind = service.store.blind
    now = request.app.state.clock()
    return {
        "version": __version__,
        "versions": dict(versions()),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "time": now,
        "running": round(live.running, 1),
        "cores": os.cpu_count(),
        "cpu": round(load.cores(), 3),
        "load": [round(each, 2) for each in os.getloadavg()] if hasattr(os, "getloadavg") else [],
        "memory": memory(),
        "disk": {"total": disk.total, "free": disk.free},
        "store": {
            "events": usage.events,
            "locked": usage.locked_events,
            "evidence": usage.evidence,
            "evidence_bytes": usage.evidence_bytes,
            "trail_bytes": usage.trail_bytes,
            "database_bytes": usage.database_bytes,
        },
        "cameras": [
            {
                "key": each.camera,
                "name": each.name,
                **status_json(each, actor),
                "frames": each.frames,
                "looks": each.looks,
                "detected": each.detected,
                "dropped": each.dropped,
                "skipped": each.skipped,
                "corrupt": each.corrupt,
                "reconnects": each.reconnects,
                "latency": round(each.latency, 4),
                "blind_today": round(blind.seconds(now - 86400, now, each.camera, now), 1),
            }
            for each in live.cameras
            if actor.sees(each.camera)
        ],
        "detectors": {name: without_secrets(said) for name, said in live.detectors.items()},
        "backlog": live.backlog,
        "refused": live.refused,
        "slowest_write": number(live.slowest_write),
        "pictures": live.pictures,
        "restarts": live.restarts,
        "channels": {channel: dict(counts) for channel, counts in service.store.outbox.counts().items()},
        "viewers": request.app.state.pictures.viewers,
        "listeners": request.app.state.hub.listeners,
        "problem": without_secrets(service.problem),
    }


def memory() -> int:
    """Bytes that this program holds just now; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  no file of ours
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):  # not Linux
        return 0
