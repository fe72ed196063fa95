"""Cameras that answer on this network: ONVIF's WS-Discovery, one question by UDP multicast, and answers read with suspicion."""

from __future__ import annotations

import contextlib
import re
import socket
import time
import uuid
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

GROUP = ("239.255.255.250", 3702)
LARGEST = 32 * 1024  # bytes of one answer
MOST = 128  # cameras
MOST_ANSWERS = 1000  # datagrams that are looked at
DEEPEST = 24  # elements within elements
_QUESTION = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
    "<e:Header><w:MessageID>uuid:{id}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
    "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
    "<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
)
_SCOPE = re.compile(r"onvif://www\.onvif\.org/(name|hardware)/(\S{1,200})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A camera that answered. Its stream's address it tells only to whoever knows its password."""

    address: str  # IP address
    name: str  # as it calls itself; "" when it does not
    hardware: str  # its model
    service: str  # where its ONVIF service is


def discover(seconds: float = 3.0, *, targets: tuple[tuple[str, int], ...] = (GROUP,)) -> list[Found]:
    """Ask, and listen for `seconds` -> who answered, by address. An answer that is no clean XML, or speaks for another address, is passed over."""
    found: dict[str, Found] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)  # this network, no further
        asking.bind(("", 0))
        for target in targets:
            with contextlib.suppress(OSError):  # a machine without that network
                asking.sendto(_QUESTION.format(id=uuid.uuid4()).encode(), target)
        end = time.monotonic() + seconds
        for _ in range(MOST_ANSWERS):
            left = end - time.monotonic()
            if left <= 0 or len(found) >= MOST:
                break
            asking.settimeout(left)
            try:
                answer, (sender, _port) = asking.recvfrom(LARGEST + 1)
            except OSError:
                continue
            if len(answer) <= LARGEST and sender not in found and (told := read_answer(answer, sender)):
                found[sender] = told
    return sorted(found.values(), key=lambda each: ip_address(each.address))


def read_answer(answer: bytes, sender: str) -> Found | None:
    """What a camera at `sender` says of itself; None when it is no answer, or no XML that one would want to read."""
    try:
        texts = _texts(answer)
    except (expat.ExpatError, ValueError):
        return None
    if "XAddrs" not in texts:
        return None
    services = [each for each in texts["XAddrs"].split()[:20] if _of(each, sender)]
    if not services:
        return None
    scopes = {kind.lower(): _printable(unquote(value)) for kind, value in _SCOPE.findall(texts.get("Scopes", "")[:LARGEST])}
    return Found(sender, scopes.get("name", ""), scopes.get("hardware", ""), services[0])


def _texts(answer: bytes) -> dict[str, str]:
    """The text of each element by its local name (the first of each). No document type, no entities, no depth without end."""
    parser = expat.ParserCreate(namespace_separator=" ")
    found: dict[str, str] = {}
    open_: list[tuple[str, list[str]]] = []

    def refuse(*_: Any) -> None:
        raise ValueError("a document type")

    def begin(name: str, _attributes: Any) -> None:
        if len(open_) >= DEEPEST:
            raise ValueError("too deep")
        open_.append((name.rpartition(" ")[2], []))

    def end(_name: str) -> None:
        name, words = open_.pop()
        found.setdefault(name, "".join(words).strip())

    def words(text: str) -> None:
        if open_:
            open_[-1][1].append(text)

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, words
    parser.Parse(answer, True)
    return found


def _of(service: str, sender: str) -> bool:
    """Whether the address that it tells is its own: nobody may point at another machine."""
    try:
        parts = urlsplit(service)
        return parts.scheme in ("http", "https") and parts.hostname == sender
    except ValueError:
        return False


def _printable(text: str) -> str:
    return "".join(each for each in text if each.isprintable())[:80]
