"""What all tests share: where the assets are, and how a missing one is told."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASSETS = Path(os.environ.get("PAHARA_ASSETS", ROOT.parent / "shared" / "assets"))


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell does so to what runs in the background; programs would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)


def asset_path(name: str) -> Path:
    """A file of the assets; where it is missing, CI fails and everyone else skips with the reason."""
    path = ASSETS / name
    if not path.exists():
        message = f"the asset {name} is missing under {ASSETS} (set PAHARA_ASSETS)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def asset():
    """asset("models/yolox-nano-416.onnx") -> its path."""
    return asset_path
