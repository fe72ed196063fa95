"""What answers a question to the whole network may be anything; and a camera's address is looked at with care."""

from __future__ import annotations

import resource
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core import SourceError
from pahara.video.discovery import LARGEST, discover, read_answer
from pahara.video.probe import check_host, probe

ANSWER = """<?xml version="1.0" encoding="UTF-8"?>{doctype}
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">
<SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch>
<d:Scopes>onvif://www.onvif.org/type/video onvif://www.onvif.org/name/Front%20Gate onvif://www.onvif.org/hardware/IPC-42</d:Scopes>
<d:XAddrs>{address}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>"""
HONEST = ANSWER.format(doctype="", address="http://127.0.0.1/onvif/device_service")


def test_cameras_that_answer_are_found_once(monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
        camera.bind(("127.0.0.1", 0))
        camera.settimeout(5)

        def answer():
            asked, sender = camera.recvfrom(65536)
            assert b"NetworkVideoTransmitter" in asked
            for each in (b"", b"\xff" * 100, b"<" * 2000, b"x" * (LARGEST + 10), HONEST.encode(), HONEST.encode()):
                camera.sendto(each, sender)

        threading.Thread(target=answer, daemon=True).start()
        found = discover(1.0, targets=(camera.getsockname(),))
    assert [(each.address, each.name, each.hardware) for each in found] == [("127.0.0.1", "Front Gate", "IPC-42")]


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER.format(doctype="", address="http://10.0.0.1/onvif"),  # speaks for another machine
        ANSWER.format(doctype="", address="file:///etc/passwd"),
        ANSWER.format(doctype='<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]>', address="http://127.0.0.1/&c;"),
        ANSWER.format(doctype='<!DOCTYPE a SYSTEM "file:///etc/passwd">', address="http://127.0.0.1/x"),
        "<a>" * 100 + HONEST + "</a>" * 100,
        HONEST[:200],
    ],
)
def test_an_answer_that_is_not_clean_is_passed_over(answer):
    assert read_answer(HONEST.encode(), "127.0.0.1")
    assert read_answer(answer.encode(), "127.0.0.1") is None


@given(st.binary(max_size=400))
def test_any_bytes_are_no_error(answer):
    read_answer(answer, "127.0.0.1")
    read_answer(HONEST.encode()[:300] + answer, "127.0.0.1")


def camera(reply: bytes, endless: bytes = b""):
    """A camera that answers everything so -> its port, and what it was asked."""
    server = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def talk(line):
        with line:
            try:
                asked.append(line.recv(65536))
                line.sendall(reply)
                end = time.monotonic() + 20
                while endless and time.monotonic() < end:
                    line.sendall(endless)
            except OSError:
                return

    def serve():
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(line,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return server, server.getsockname()[1], asked


def memory() -> float:
    """MiB at most held by this program so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "reply", "endless"),
    [
        ("rtsp", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2000000000\r\n\r\n", b"v=0\r\n" * 10_000),
        ("rtsp", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nX: ", b"a" * 65536),
        ("http", b"HTTP/1.1 200 OK\r\nX: ", b"a" * 65536),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n", b"\0garbage" * 8192),
    ],
)
def test_a_camera_that_sends_without_end_costs_neither_memory_nor_time(scheme, reply, endless):
    server, port, _ = camera(reply, endless)
    before, began = memory(), time.monotonic()
    with server, pytest.raises(SourceError):
        probe(f"{scheme}://127.0.0.1:{port}/stream", patience=1.5)
    assert time.monotonic() - began < 6
    assert memory() - before < 300


@pytest.mark.slow
def test_nobody_is_redirected():
    inner, secret, asked = camera(b"HTTP/1.1 200 OK\r\n\r\nsecret")
    outer, port, _ = camera(f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{secret}/x\r\n\r\n".encode())
    with inner, outer:
        with pytest.raises(SourceError) as told:
            probe(f"http://127.0.0.1:{port}/stream", patience=2)
        assert asked == []
        with pytest.raises(SourceError) as told:
            probe(f"http://127.0.0.1:{secret}/x", patience=2)
        assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://2852039166/",
        "http://[fe80::1]/",
        "rtsp://0.0.0.0/",
        "http://239.1.1.1/",
        "http://[/",
        "http://x:99999/",
    ],
)
def test_addresses_that_no_camera_has_are_not_asked(address):
    with pytest.raises(SourceError):
        check_host(address, address)


@pytest.mark.parametrize(
    "source", ["file:///etc/passwd", "gopher://x/", "concat:/etc/passwd|x", "exec:id", "pipe:0", "/dev/zero", "/etc/passwd"]
)
def test_only_sources_of_allowed_kinds_are_opened(source):
    with pytest.raises(SourceError) as told:
        probe(source, patience=2)
    assert "root:" not in str(told.value)
