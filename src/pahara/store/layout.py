"""Where a file of evidence lies: by day, hour and camera, under names that are safe on every file system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime

from pahara.core import StoreError

from .records import EvidenceKind

PART = ".part-"  # a file that is being written
_ENDINGS: dict[EvidenceKind, str] = {"clip": ".mp4", "snapshot": ".jpg", "thumbnail": ".thumb.jpg", "explanation": ".why.jpg"}
_INFIX: dict[EvidenceKind, str] = {"thumbnail": ".thumb.", "explanation": ".why."}
OURS = re.compile(r"\d{4}-\d\d-\d\d/\d\d/[a-z0-9-]+/(\.part-)?\d\d\.\d\d-[A-Za-z0-9_-]+(\.\d+)?(\.thumb|\.why)?\.[a-z0-9]{2,4}")

FOOTAGE = re.compile(r"\d{4}-\d\d-\d\d/\d\d/[a-z0-9-]+/(\.part-)?\d\d\.\d\d(\.\d+)?\.(mp4|mkv)")


def slug(camera: str) -> str:
    """A camera's name, in any script, as a folder name: its ASCII letters and a hash of all of it.

    >>> slug("Front door"), slug("গেট"), slug("../../etc")
    ('front-door-a135ec', 'camera-96ef20', 'etc-d5994f')
    """
    plain = unicodedata.normalize("NFKD", camera).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return f"{words or 'camera'}-{hashlib.blake2b(camera.encode('utf-8', 'surrogatepass'), digest_size=3).hexdigest()}"


def relative_path(camera: str, event_id: str, kind: EvidenceKind, time_utc: float, extension: str | None, attempt: int = 1) -> str:
    """YYYY-MM-DD/HH/<camera>/MM.SS-<id>.<ending> in UTC; a further `attempt` gets a number. StoreError when no such file can be."""
    try:
        when = datetime.fromtimestamp(time_utc, UTC)
    except (ValueError, OverflowError, OSError):
        raise StoreError(f"{time_utc} is no time that evidence can have: give seconds since 1970 in UTC") from None
    ending = _ENDINGS[kind] if extension is None else _INFIX.get(kind, ".") + extension.lstrip(".").lower()
    again = "" if attempt == 1 else f".{attempt}"
    made = f"{when:%Y-%m-%d}/{when:%H}/{slug(camera)}/{when:%M.%S}-{event_id}{again}{ending}"
    if not OURS.fullmatch(made):
        raise StoreError(
            f"an event called {event_id!r} with a file ending {ending!r} cannot have evidence: use letters, digits, - and _ only"
        )
    return made


def footage_path(camera: str, time_utc: float, extension: str = ".mp4", attempt: int = 1) -> str:
    """YYYY-MM-DD/HH/<camera>/MM.SS.mp4 in UTC, of continuous recording; a further `attempt` gets a number."""
    try:
        when = datetime.fromtimestamp(time_utc, UTC)
    except (ValueError, OverflowError, OSError):
        raise StoreError(f"{time_utc} is no time that a recording can have: give seconds since 1970 in UTC") from None
    again = "" if attempt == 1 else f".{attempt}"
    return f"{when:%Y-%m-%d}/{when:%H}/{slug(camera)}/{when:%M.%S}{again}{extension}"


def final(relative: str) -> str:
    """The name that a file under way will have."""
    return relative.replace("/" + PART, "/")
