"""One staged scene for all verbs, and the verbs as their owner types them."""

import io
import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from pahara.cli import output
from pahara.cli.app import run as run_pahara

YARD = """\
version: 1
name: yard
size: [320, 180]
duration: 16
fps: 10
seed: 3
camera: {height: 3.6, tilt: 20, fov: 70}
place:
  ground: concrete
  walls:
    - {start: [-8, 18], end: [8, 18], high: 4, kind: brick}
light: {kind: day, sun: [140, 52]}
zones: {store: [[0.5, 7], [4, 7], [4, 12], [0.5, 12]]}
lines: {middle: [[-1.5, 5], [-1.5, 16]]}
rules:
  - {kind: intrusion, zone: store}
  - {kind: crossing, line: middle, direction: both}
actors:
  - id: 1
    at: [-7, 9]
    enters: 3
    does:
      - walk: [[2, 9], [2.5, 9.6], [1.5, 9.2], [7.5, 9]]
"""  # one man crosses the line at 7.2 s and is in the zone from 9.4 s on


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Scene:
    """Files of the staged yard; nobody writes here."""

    film: Path
    truth: Path
    config: Path
    watched: Path  # output folder of a watch


@contextmanager
def inside(folder):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def call(*words, encoding="utf-8"):
    """A verb in this process, through the same door as the command; a traceback is what no user ever sees."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in range(2))
    err.reconfigure(errors="backslashreplace")  # as Python's own stderr
    typed, sys.argv = sys.argv, ["pahara", *map(str, words)]
    code = 0
    for cached in (output.out, output.err):
        cached.cache_clear()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            run_pahara()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = typed
        for cached in (output.out, output.err):
            cached.cache_clear()
    return Done(code, *(stream.buffer.getvalue().decode(encoding) for stream in (out, err)))


@pytest.fixture
def verb(tmp_path, monkeypatch):
    """verb("watch", …) in an empty folder, without a model and without a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    for name in ("PAHARA_MODELS", "PAHARA_LANG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # whoever tries to download fails at once
    return call


@pytest.fixture
def command(tmp_path):
    """command("watch", …) -> a real process that has been started, for signals and limits; `before` is a shell prefix."""
    started = []

    def start(*words, before=None, **env):
        words = [str(Path(sys.executable).with_name("pahara")), *map(str, words)]
        process = subprocess.Popen(
            words if before is None else ["sh", "-c", f'{before}; exec "$@"', "sh", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / ".cache"), "PAHARA_MODELS": "", "OMP_NUM_THREADS": "1", **env},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def yard(tmp_path_factory):
    """The yard, filmed once and watched once for everyone."""
    folder = tmp_path_factory.mktemp("yard")
    (folder / "yard.yml").write_text(YARD, encoding="utf-8")
    with inside(folder):
        filmed = call("simulate", "yard.yml", "--out", "scene")
        assert (filmed.code, filmed.err) == (0, ""), filmed
        watched = call("watch", "scene/scene.mp4", "-c", "scene/pahara.yml", "--detector", "motion", "--out", "watched")
        assert watched.code == 0, watched
    return Scene(folder / "scene/scene.mp4", folder / "scene/truth.json", folder / "scene/pahara.yml", folder / "watched")
