"""Tiny data that a person could tell apart at a glance, and the verbs as their owner types them."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pahara.cli import output
from pahara.cli.app import run as run_pahara
from pahara.video import VideoWriter


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def call(*words) -> Done:
    """A verb in this process, through the same door as the command; a traceback is what no user ever sees."""
    out, err = io.StringIO(), io.StringIO()
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
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def pahara(tmp_path, monkeypatch):
    """pahara("train", "image", …) in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    return call


def draw_shapes(folder: Path, many: int = 14, classes=("bright", "dark"), size: int = 32) -> Path:
    """Bright discs and dark crosses: told apart by any model."""
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for k in range(many):
            picture = rng.integers(90, 120, (size, size, 3), dtype=np.uint8)
            x, y = (int(v) for v in rng.integers(10, size - 10, 2))
            if name == "bright":
                cv2.circle(picture, (x, y), 8, (250, 250, 250), cv2.FILLED)
            else:
                cv2.line(picture, (x - 7, y - 7), (x + 7, y + 7), (5, 5, 5), 4)
            cv2.imwrite(str(folder / name / f"{name}-{chr(97 + k)}.png"), picture)
    return folder


def film(path: Path, pictures) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, threads=1) as writer:
        for k, picture in enumerate(pictures):
            writer.write(picture, k / 8)
    return path


def moving(seed: int, *, across: bool = True, frames: int = 12, odd: range = range(0)):
    """A ball that swings; a bright square appears in the frames `odd`."""
    phase = np.random.default_rng(seed).uniform(0, 6)
    for k in range(frames):
        picture = np.full((48, 48, 3), 40, np.uint8)
        shift = 13 * np.sin(phase + k)
        centre = (int(24 + shift), 24) if across else (24, int(24 + shift))
        cv2.circle(picture, centre, 7, (60, 200, 240), cv2.FILLED)
        if k in odd:
            cv2.rectangle(picture, (4, 30), (20, 46), (240, 30, 240), cv2.FILLED)
        yield picture


@pytest.fixture(scope="session")
def make():
    """make.shapes(folder, …), make.film(path, pictures), make.moving(seed, …)."""
    return SimpleNamespace(shapes=draw_shapes, film=film, moving=moving)


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """Class folders of pictures; nobody writes here."""
    return draw_shapes(tmp_path_factory.mktemp("data") / "shapes")


@pytest.fixture(scope="session")
def trained(shapes, tmp_path_factory):
    """A run of `pahara train image`, made once; its folder."""
    import os

    folder = tmp_path_factory.mktemp("trained")
    before = Path.cwd()
    os.chdir(folder)
    try:
        done = call("train", "image", shapes, "--size", 32, "--epochs", 14, "--batch", 8, "--no-augment", "--lr", "0.005", "--workers", 0)
    finally:
        os.chdir(before)
    assert done.code == 0, done
    return folder / "runs" / "image", done
