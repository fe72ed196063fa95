"""A case to take away: the evidence of chosen events in one zip, with a manifest that tells of every file's hash."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from pahara import __version__
from pahara.store import StoredEvent
from pahara.store.seal import signed_manifest

from ..access import Actor
from ..guard import Allow, note
from .asking import EVIDENCE, Body, EventId, camera_names, event_json, service_of
from .events import safe_path, visible

router = APIRouter(prefix="/api/events", tags=["events"])
Exporter = Annotated[Actor, Depends(Allow("export"))]
CHUNK = 1 << 18  # bytes
MOST = 200  # events of one export
ENDINGS = {"clip": "clip.mp4", "snapshot": "snapshot.jpg", "thumbnail": "thumbnail.jpg", "explanation": "explanation.jpg"}


class Export(Body):
    """What to take away."""

    ids: list[EventId] = Field(min_length=1, max_length=MOST)


@router.post("/export", response_class=StreamingResponse, responses={200: {"content": {"application/zip": {}}}})
def export(request: Request, actor: Exporter, body: Export) -> StreamingResponse:
    """A zip: `<id>/clip.mp4` and so on, and `manifest.json` with the SHA-256 of each file, reasons and configuration hashes.

    `manifest.sig` is its Ed25519 signature by `public.pem`; the manifest holds the chain's newest seal, which `pahara verify --manifest` holds the store against.
    """
    found = visible(request, actor, list(dict.fromkeys(body.ids)))
    note(request, "export", f"{len(found)} events", " ".join(each.id for each in found))
    made = datetime.fromtimestamp(request.app.state.clock(), UTC)
    name = f"pahara-{made:%Y-%m-%d-%H%M%S}.zip"
    return StreamingResponse(
        _zipped(request, actor, found, made),
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _zipped(request: Request, actor: Actor, found: list[StoredEvent], made: datetime) -> Iterator[bytes]:
    """Made while it is sent: nothing of it waits on the disk or in memory."""
    service = service_of(request)
    names = camera_names(service.config)
    out = _Pipe()
    told: list[dict[str, Any]] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as whole:  # film and JPEG are packed already
        for stored in found:
            files: list[dict[str, Any]] = []
            for kind in EVIDENCE:
                kept = stored.kept(kind)
                path = safe_path(request, kept.path) if kept is not None else None
                if kept is None:
                    continue
                inside = f"{stored.id}/{ENDINGS[kind]}"
                if path is None:
                    files.append({"name": inside, "kind": kind, "missing": True, "sha256_when_kept": kept.sha256})
                    continue
                digest, size = hashlib.sha256(), 0
                entry = zipfile.ZipInfo(inside, datetime.fromtimestamp(max(stored.start_utc, 0.0), UTC).timetuple()[:6])
                if entry.date_time[0] < 1980:
                    entry.date_time = (1980, 1, 1, 0, 0, 0)
                with path.open("rb") as file, whole.open(entry, "w", force_zip64=True) as part:
                    while chunk := file.read(CHUNK):
                        digest.update(chunk)
                        size += len(chunk)
                        part.write(chunk)
                        yield out.taken()
                same = digest.hexdigest() == kept.sha256
                files.append(
                    {
                        "name": inside, "kind": kind, "bytes": size, "sha256": digest.hexdigest(), "sha256_when_kept": kept.sha256,
                        "unchanged": same, "kept": kept.stored, "begin": kept.begin, "end": kept.end,
                    }
                )  # fmt: skip
            told.append({**_event(request, stored, names), "files": files})
        manifest = {
            "pahara": __version__,
            "made": made.isoformat(timespec="seconds"),
            "by": actor.user.name,
            "store": service.store.identity,
            "events": told,
        }
        for name, content in signed_manifest(service.store, manifest):
            whole.writestr(zipfile.ZipInfo(name, made.timetuple()[:6]), content)
        yield out.taken()
    yield out.taken()


def _event(request: Request, stored: StoredEvent, names: dict[str, str]) -> dict[str, Any]:
    """What is told of an event, in both languages, with the configuration that judged."""
    english, bangla = event_json(stored, names, "en"), event_json(stored, names, "bn")
    english["reason"]["text_bn"] = bangla["reason"]["text"]
    english["title_bn"] = bangla["title"]
    del english["has"]
    config_hash = version = None
    if stored.recording is not None:
        recording = service_of(request).store.recording(stored.recording)
        config_hash, version = recording.config_hash, recording.version
    return {**english, "config_sha256": config_hash, "recorded_by": version}


class _Pipe(io.RawIOBase):
    """What a zip file is written to: nothing can be sought in it, and what was written is taken away at once."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        return len(self._waiting[-1])

    def taken(self) -> bytes:
        taken, self._waiting = b"".join(self._waiting), []
        return taken
