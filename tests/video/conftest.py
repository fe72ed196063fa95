"""Small real videos for these tests, and a real RTSP server."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

TICKS = 90_000
SYSTEM_PYTHON = "/usr/bin/python3"


def picture(number: int, size: tuple[int, int] = (128, 96)) -> np.ndarray:
    """A grey ramp with a white square that has moved `number` steps; the top left corner is blue."""
    wide, tall = size
    image = np.empty((tall, wide, 3), np.uint8)
    image[:] = np.linspace(40, 120, wide, dtype=np.uint8)[None, :, None]
    left = (4 * number) % (wide - 24)
    image[tall // 2 : tall // 2 + 24, left : left + 24] = 235
    image[: tall // 4, : wide // 4] = (220, 30, 30)
    return image


def make_video(
    path: Path,
    times: Sequence[float],
    *,
    size: tuple[int, int] = (128, 96),
    codec: str = "libx264",
    gop: int = 10,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    format: str | None = None,
) -> Path:
    """A video of `picture(0)`, `picture(1)`, … shown at `times` (seconds)."""
    with av.open(str(path), "w", format=format, options=container_options or {}) as container:
        stream = container.add_stream(codec, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        base = Fraction(1, 1000) if codec == "mpeg4" else Fraction(1, TICKS)  # MPEG-4 knows 16-bit clocks only
        stream.codec_context.time_base = stream.time_base = base
        stream.codec_context.gop_size = gop
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="bgr24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn(path: Path, degrees: int, mirrored: bool = False) -> Path:
    """Write a display matrix into an mp4: players shall turn its pictures clockwise by `degrees`."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16  # version and flags; times, id, length; reserved, layer, group, volume
    a, b, c, d = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    if mirrored:
        a, c = -a, -c
    one = 1 << 16
    struct.pack_into(">9i", data, at, a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.fixture
def video() -> SimpleNamespace:
    """video.make, video.picture, video.turn: small videos and what is to be seen in them."""
    return SimpleNamespace(make=make_video, picture=picture, turn=turn)


@pytest.fixture
def regular(tmp_path: Path) -> Path:
    """40 frames, 10 a second, a keyframe every second, index at the front."""
    return make_video(tmp_path / "regular.mp4", [k / 10 for k in range(40)], container_options={"movflags": "+faststart"})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Camera:
    """A GStreamer RTSP server in a process of its own, which can be frozen and killed."""

    def __init__(self, *options: str) -> None:
        self.port, self.options = free_port(), options
        self.process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def start(self) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        self.process = subprocess.Popen(
            [SYSTEM_PYTHON, str(script), str(self.port), *self.options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            _, told = self.process.communicate()
            unavailable(f"the RTSP test server does not start: {told.strip().splitlines()[-1:]}")

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def unavailable(reason: str) -> None:
    """A missing server fails in CI; elsewhere it skips."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def camera() -> Iterator[type[Camera]]:
    """camera() starts an RTSP server; all are killed when the test ends."""
    if not (sys.platform.startswith("linux") and shutil.which(SYSTEM_PYTHON)):
        unavailable("the RTSP test server needs Debian's python3 with python3-gi and gir1.2-gst-rtsp-server-1.0")
    started: list[Camera] = []

    class Started(Camera):
        def __init__(self, *options: str) -> None:
            super().__init__(*options)
            started.append(self)

    yield Started
    for one in started:
        one.kill()
