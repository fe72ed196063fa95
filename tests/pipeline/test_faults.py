"""The faults of `benchmarks/faults.py`, in short: cameras, kill -9, a full disk, receivers that are away, a clock that leaps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = Path(__file__).parents[2] / "benchmarks" / "faults.py"


@pytest.mark.slow
def test_every_fault_is_survived_and_nothing_is_lost():
    done = subprocess.run(
        [sys.executable, str(FAULTS), "--short"], capture_output=True, text=True, timeout=280, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    if "RTSP server" in done.stderr and os.environ.get("CI") != "true":
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    figures = {
        words[0]: words[1] for words in map(str.split, done.stdout.splitlines()) if words and words[0] in ("faults", "survived", "lost")
    }
    assert int(figures["faults"]) == int(figures["survived"]) >= 7, done.stdout
    assert figures["lost"] == "0"


@pytest.mark.slow
def test_the_figures_are_one_json_object_under_their_names():
    done = subprocess.run(
        [sys.executable, str(FAULTS), "--short", "--only", "clock", "--json"], capture_output=True, text=True, timeout=120
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {"faults": 1, "survived": 1, "lost": 0}, done.stderr[-2000:]
