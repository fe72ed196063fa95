"""The service follows its configuration file, and is stopped by a signal without anything half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pahara.core import ConfigError
from pahara.pipeline.service import Service
from pahara.store import Store

from .conftest import bright_blocks
from .test_live import until

pytestmark = pytest.mark.slow


def written(folder, film, *keys, extra=""):
    cameras = "".join(
        f"  {key}:\n    source: {film}\n    zones: {{right: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}}\n"
        f"    behaviours: [{{kind: intrusion, zone: right}}]\n"
        for key in keys
    )
    file = folder / "pahara.yml"
    part = folder / "pahara.yml.new"
    part.write_text(f"version: 1\ngate: off\nevidence: {{before: 1, after: 1}}\n{extra}cameras:\n{cameras}", encoding="utf-8")
    part.replace(file)
    return file


def test_a_changed_file_takes_effect_and_a_broken_one_does_not(film, tmp_path, monkeypatch):
    monkeypatch.setattr("pahara.pipeline.service.FOLLOW", 0.1)
    file = written(tmp_path, film, "yard")
    with Service(file, make=lambda chosen: bright_blocks, rate=10) as service:
        until(lambda: service.live.station("yard").looks > 2)
        yard = service.live.station("yard")
        written(tmp_path, film, "yard", "gate")
        until(lambda: service.live.station("gate") is not None)
        assert service.live.station("yard") is yard
        file.write_text("version: 1\ncameras:\n  yard: {sorce: film.mp4}\n", encoding="utf-8")
        until(lambda: service.problem)
        assert "sorce" in service.problem
        assert set(service.live.stations) == {"yard", "gate"}
        written(tmp_path, film, "yard", extra="store: {path: elsewhere}\n")
        until(lambda: "after a restart" in service.problem)
        written(tmp_path, film, "gate")
        until(lambda: set(service.live.stations) == {"gate"})
        until(lambda: service.problem == "")


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="pahara.yml"):
        Service(tmp_path / "pahara.yml")


def test_sigterm_ends_it_well_and_its_log_is_json_without_secrets(film, tmp_path):
    file = written(tmp_path, film, "yard", extra="detector: motion\n")
    with file.open("a") as more:
        more.write("  street: {source: 'rtsp://watcher:hunter2@127.0.0.1:1/live'}\n")
    command = [sys.executable, "-m", "pahara", "run", "-c", str(file), "--json", "--rate", "10", "--no-web"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        time.sleep(8)
        running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 0, told
    lines = [json.loads(line) for line in told.splitlines()]
    assert lines[-1]["event"] == "ended"
    assert "hunter2" not in told
    with Store.open(tmp_path / "pahara-data") as store:
        assert [(each.camera, each.ended is not None) for each in store.recordings()] == [("yard", True)]
        assert not list((tmp_path / "pahara-data").rglob(".part-*"))
        assert b"hunter2" not in (tmp_path / "pahara-data" / "pahara.db").read_bytes()
        assert {each.camera for each in store.blind.between(0, 1e12)} == {"yard", "street"}
