"""Servers that benchmarks start, kill and freeze, and a wire that can be made noisy."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")


def free_port() -> int:
    """Of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A GStreamer RTSP server in a process of its own."""

    def __init__(self, *films: Path, port: int = 0) -> None:
        self.port, self.films = port or free_port(), films
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def address(self, path: str = "live") -> str:
        """Of one of its streams."""
        return f"rtsp://127.0.0.1:{self.port}/{path}"

    def start(self) -> None:
        """Until it listens; SystemExit where there is no GStreamer."""
        command = [SYSTEM_PYTHON, str(SCRIPT), str(self.port), *map(str, self.films)]
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        except OSError as problem:
            sys.exit(f"the RTSP server does not start: {problem}")
        if self.process.stdout is None or self.process.stdout.readline() != "ready\n":
            sys.exit("the RTSP server needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0 and gstreamer1.0-plugins-bad")

    def signal(self, number: int) -> None:
        """Of the operating system, to the server."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """At once."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def cpu(self) -> float:
        """Seconds of processor time that it has taken."""
        if self.process is None:
            return 0.0
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(told[11]) + int(told[12])) / 100.0


class Wire:
    """Carries bytes between a client and a server; while `noisy`, what comes from the server is partly noise."""

    def __init__(self, port: int) -> None:
        self.target, self.noisy, self.spoilt = port, False, 0
        self._random = random.Random(1)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                continue
            for one, other, spoils in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._carry, args=(one, other, spoils), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, spoils: bool) -> None:
        try:
            while piece := one.recv(16384):
                if spoils and self.noisy:
                    spoilt = bytearray(piece)
                    for _ in range(max(1, len(piece) // 200)):
                        spoilt[self._random.randrange(len(spoilt))] = self._random.randrange(256)
                    piece = bytes(spoilt)
                    self.spoilt += 1
                other.sendall(piece)
        except OSError:
            pass
        for each in (one, other):
            each.close()

    def close(self) -> None:
        """No further connections."""
        self._listener.close()


def wait_for(what: Callable[[], object], seconds: float) -> float | None:
    """Seconds until it was true; None when it never was."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if what():
            return time.monotonic() - began
        time.sleep(0.05)
    return None
