"""Whether there is a picture behind an address: asked once, within limits, and nothing of the answer but the picture is given on."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pahara.core import Image, SourceError

from .address import read_address
from .container import connect, file_opener, network_opener
from .open import open_source

PATIENCE = 8.0  # seconds
MOST_PACKETS = 400  # looked at for a first picture


@dataclass(frozen=True, slots=True)
class Probed:
    """What is there."""

    size: tuple[int, int]  # width, height in pixels
    codec: str  # "h264"; "" for a folder or a webcam
    fps: float  # frames a second as the stream says; 0 when it does not
    image: Image  # (h, w, 3) BGR


def probe(source: str, *, patience: float = PATIENCE) -> Probed:
    """Open, take one picture, close. SourceError in one line, without secrets, also where nothing came within `patience` seconds."""
    address = read_address(source)
    if address.kind == "network":
        check_host(address.target, address.shown)
    elif address.kind == "file" and not Path(address.target).is_file():
        raise SourceError(f"{address.shown} is no ordinary file")
    found: list[Probed | SourceError] = []

    def look() -> None:
        try:
            found.append(
                _stream(address.target, address.shown, patience, file=address.kind == "file")
                if address.kind in ("file", "network")
                else _frames(source, patience)
            )
        except SourceError as problem:
            found.append(problem)
        except Exception:  # noqa: BLE001  whatever a stranger sends
            found.append(SourceError(f"{address.shown} sends nothing that can be read"))

    thread = threading.Thread(target=look, name="probe", daemon=True)  # one that hangs for ever holds up nobody
    thread.start()
    thread.join(patience + 2)
    if not found:
        raise SourceError(f"{address.shown} does not answer in time; check the network and the camera")
    if isinstance(found[0], SourceError):
        raise found[0]
    return found[0]


def check_host(url: str, shown: str) -> None:
    """SourceError for what no camera has: a link-local address (it answers questions about a cloud machine), or one of many machines."""
    try:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port
        addresses = {
            ip_address(str(each[4][0]).partition("%")[0]) for each in socket.getaddrinfo(host, port or 80, type=socket.SOCK_STREAM)
        }
    except (ValueError, OSError, UnicodeError):
        raise SourceError(f"cannot reach {shown}; check the host name and the network") from None
    if any(each.is_link_local or each.is_multicast or each.is_unspecified for each in addresses):
        raise SourceError(f"{shown} is no address that a camera has")


def _stream(target: str, shown: str, patience: float, *, file: bool) -> Probed:
    opener = file_opener(target) if file else network_opener(target, patience)
    connection = connect(opener, shown, timeout=patience)
    try:
        rate = connection.stream.average_rate or connection.stream.guessed_rate
        for number, packet in enumerate(connection.container.demux(connection.stream)):
            for picture in connection.decoder.decode(packet):
                image: Image = picture.to_ndarray(format="bgr24")
                fps = float(rate) if rate and 0.1 <= rate <= 1000 else 0.0
                return Probed((image.shape[1], image.shape[0]), connection.decoder.name, fps, image)
            if number > MOST_PACKETS:
                break
    except (OSError, ValueError) as problem:
        raise SourceError(f"{shown} answers, but sends no picture that can be read") from problem
    finally:
        connection.close()
    raise SourceError(f"{shown} answers, but sends no picture")


def _frames(source: str, patience: float) -> Probed:
    with open_source(source, timeout=patience, reconnect=False, ring_seconds=0) as opened:
        for frame in opened:
            return Probed(frame.size, "", 0.0, frame.image)
    raise SourceError(f"{opened.shown} sends no picture")
