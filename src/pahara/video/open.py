"""One way in: a file, a folder, a webcam or a network camera becomes a source of frames."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import av

from pahara.core import SourceError

from .address import Address, read_address
from .container import Opener, connect, file_opener, network_opener
from .file import FileSource
from .folder import FolderSource
from .live import LiveSource
from .ring import MEGABYTE
from .source import VideoSource

FOLDER_FPS = 10.0  # pictures a second where nobody says


def open_source(
    spec: str | Path,
    *,
    camera: str = "camera",
    timeout: float = 10.0,
    reconnect: bool = True,
    wait: bool = False,
    ring_seconds: float = 30.0,
    ring_bytes: int = 64 * MEGABYTE,
    start: datetime | None = None,
    fps: float | None = None,
    fps_limit: float | None = None,
    loop: bool = False,
    threads: int = 1,
    keyframes: bool = False,
) -> VideoSource:
    """Open a video file, a folder of pictures (`folder`, `folder?fps=10`), a webcam (`0`, `webcam:0`, `/dev/video0`)
    or a network camera (`rtsp://`, `rtsps://`, `http://`, `https://`) for reading.

    timeout: seconds without a picture after which a network camera counts as lost.
    reconnect: connect again when a live source is lost, for as long as it takes; else SourceError.
    wait: do so also when the very first connection fails (for a service that starts before its cameras do).
    ring_seconds: how much of the past is kept for clips, 0 for no ring; ring_bytes bounds its memory.
    start: when media time 0 was; else the file's creation time, else its last change minus its length.
    fps: of a folder of pictures. fps_limit: yield at most so many frames a second.
    loop: a file or folder begins again at its end, and time goes on. threads: of the decoder, 0 for all cores.
    keyframes: of a live source, decode keyframes alone, for who wants the ring and no pictures.

    SourceError, in one line, when it cannot be opened.
    """
    for name, value in (("timeout", timeout), ("fps", fps), ("fps_limit", fps_limit)):
        if value is not None and not value > 0:
            raise SourceError(f"{name} must be more than 0, got {value} ({camera})")
    address = read_address(spec)
    if address.kind == "folder":
        rate = fps or address.fps or FOLDER_FPS
        return FolderSource(
            Path(address.target), address.shown, camera=camera, fps=rate, ring_seconds=ring_seconds, ring_bytes=ring_bytes,
            start=start, fps_limit=fps_limit, loop=loop,
        )  # fmt: skip
    if address.kind == "file" or (address.kind == "network" and _ends(address, timeout, wait)):
        path = Path(address.target) if address.kind == "file" else None
        opener = file_opener(address.target) if path else network_opener(address.target, timeout)
        return FileSource(
            opener, address.shown, camera=camera, path=path, ring_seconds=ring_seconds, ring_bytes=ring_bytes,
            start=start, fps_limit=fps_limit, loop=loop, threads=threads,
        )  # fmt: skip
    opener = network_opener(address.target, timeout) if address.kind == "network" else webcam_opener(address, timeout)
    return LiveSource(
        opener, address.shown, camera=camera, timeout=timeout, reconnect=reconnect, wait=wait, ring_seconds=ring_seconds,
        ring_bytes=ring_bytes, start=start, fps_limit=fps_limit, threads=threads, keyframes=keyframes,
    )  # fmt: skip


def _ends(address: Address, timeout: float, wait: bool) -> bool:
    """Whether what stands behind an http address is a finished video, which may be read like a file."""
    if address.target.lower().startswith("rtsp") or wait:
        return False
    connection = connect(network_opener(address.target, timeout), address.shown, timeout=timeout)
    try:
        return bool(connection.container.duration)
    finally:
        connection.close()


def webcam_opener(address: Address, timeout: float) -> Opener:
    """`0`, `/dev/video0` (Linux), an index (macOS) or a device's name (Windows). SourceError where there is no such camera."""
    device = address.target
    if sys.platform.startswith("linux"):
        path = Path(f"/dev/video{device}" if device.isdecimal() else device)
        if not path.exists() or not path.is_char_device():
            present = sorted(str(p) for p in Path("/dev").glob("video*"))
            told = f"there is {', '.join(present)}" if present else "this machine has none (no /dev/video*)"
            raise SourceError(f"no {address.shown}: {told}; check that it is plugged in")
        name, kind = str(path), "v4l2"
    elif sys.platform == "darwin":
        name, kind = device, "avfoundation"
    else:
        name, kind = f"video={device}", "dshow"
    return lambda: av.open(name, format=kind, timeout=timeout)
