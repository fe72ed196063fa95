"""`pahara doctor` really tries each thing, says what to do, and ends with 1 when a watch would fail."""

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from pahara.cli import checks
from pahara.cli.checks import CHECKS, TINY_MODEL, Finding, Room, examine
from pahara.config.detectors import EMBEDDED
from pahara.detection import zoo
from pahara.language import catalogue, text


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PAHARA_MODELS", raising=False)
    return Room(tmp_path / "data")


def one(check, room):
    found = list(check(room))
    assert found
    return found[0]


def test_this_machine_is_well(room, asset, monkeypatch):
    monkeypatch.setenv("PAHARA_MODELS", str(asset("models/yolox-nano-416.onnx").parent))
    findings = list(examine(room))
    assert [finding for finding in findings if finding.state == "fail"] == []
    assert {finding.check for finding in findings} >= {check.__name__ for check in CHECKS}
    (models,) = [finding for finding in findings if finding.check == "models"]
    assert "auto: yolox-nano" in models.detail


def test_the_tiny_model_is_a_model():
    model = onnx.load_from_string(TINY_MODEL)
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["Mul", "ReduceSum"]
    assert ReferenceEvaluator(model).run(None, {"x": np.array([1, 2, 3], np.float32)})[0] == 14.0


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(room, monkeypatch):
    def decode(_):
        raise RuntimeError("libav is gone\nand more")
        yield

    monkeypatch.setattr(checks, "CHECKS", (decode, checks.clock))
    first, second = examine(room)
    assert (first.check, first.state, first.detail) == ("decode", "fail", "RuntimeError: libav is gone")
    assert second.state == "ok"


def test_a_fresh_machine_has_the_model_that_comes_with_pahara(room):
    found = one(checks.models, room)
    assert (found.state, found.advice) == ("ok", "")
    assert EMBEDDED in found.detail


def test_without_any_model_it_warns_and_says_how_to_get_one(room, monkeypatch):
    monkeypatch.setitem(zoo.MODELS, EMBEDDED, replace(zoo.MODELS[EMBEDDED], name="not-in-the-package"))
    found = one(checks.models, room)
    assert (found.state, found.advice) == ("warn", "no_model")
    assert "pahara models pull yolox-nano" in text("doctor.advice.no_model", "bn", **found.values)


def test_a_damaged_model_is_found(room, tmp_path, monkeypatch):
    (tmp_path / "yolox-nano.onnx").write_bytes(b"<html>not found</html>")
    monkeypatch.setenv("PAHARA_MODELS", str(tmp_path))
    assert (one(checks.models, room).state, one(checks.models, room).advice) == ("fail", "model_broken")


def test_a_data_folder_that_is_a_file_is_found(tmp_path):
    (tmp_path / "data").write_text("")
    assert one(checks.storage, Room(tmp_path / "data")).advice == "not_a_folder"
    assert one(checks.storage, Room(tmp_path / "data" / "deeper")).advice == "not_a_folder"


def test_a_data_folder_that_cannot_be_written_is_found():
    found = one(checks.storage, Room(Path("/proc/pahara")))
    assert (found.state, found.advice) == ("fail", "cannot_write")


def test_a_full_disk_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 10**8))
    assert (one(checks.storage, Room(tmp_path)).state, one(checks.storage, Room(tmp_path)).advice) == ("fail", "space")


def test_looking_leaves_nothing_behind(room, tmp_path):
    list(checks.storage(room))
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_lost_its_battery_is_found(room, monkeypatch):
    monkeypatch.setattr(checks.time, "time", lambda: 12345.0)
    assert one(checks.clock, room).state == "fail"


def test_two_opencv_wheels_at_once_are_found(room, monkeypatch):
    monkeypatch.setattr(checks, "_version", lambda name: "5.0")
    assert [finding.advice for finding in checks.packages(room)] == ["", "opencv_twice"]


def test_a_configuration_is_checked_too(tmp_path):
    (tmp_path / "p.yml").write_text("version: 1\ncameras: {gate: {source: '0'}}")
    assert one(checks.configuration, Room(tmp_path, tmp_path / "p.yml")).state == "ok"
    (tmp_path / "p.yml").write_text("version: 1\ncamras: {}")
    found = one(checks.configuration, Room(tmp_path, tmp_path / "p.yml"))
    assert (found.state, found.advice) == ("fail", "config")
    assert "Did you mean 'cameras'?" in found.detail


def test_every_sentence_of_the_doctor_is_there():
    source = Path(checks.__file__).read_text(encoding="utf-8")
    words = catalogue("en")
    for check in CHECKS:
        assert f"doctor.{check.__name__}" in words
    advice = [key.removeprefix("doctor.advice.") for key in words if key.startswith("doctor.advice.")]
    assert advice
    assert [key for key in advice if f'"{key}"' not in source] == [], "advice that nobody gives"
    assert Finding("python", "ok").advice == ""


@pytest.mark.slow
def test_the_command_tells_people_and_machines_the_same(tmp_path, asset):
    def run(*words, **env):
        extra = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PAHARA_MODELS": str(asset("models/yolox-nano-416.onnx").parent), **env}
        command = Path(sys.executable).with_name("pahara")
        return subprocess.run(
            [command, "doctor", *words], capture_output=True, encoding="utf-8", cwd=tmp_path, env={**os.environ, **extra}, check=False
        )

    people = run()
    assert (people.returncode, people.stderr) == (0, "")
    assert "Detection models" in people.stdout
    machine = json.loads(run("--json", "--lang", "bn").stdout)
    assert machine["ok"] is True
    assert [each["title"] for each in machine["checks"] if each["check"] == "decode"] == ["ভিডিও"]
    (tmp_path / "file").write_text("")
    broken = run("--data", "file/data", "--json")
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["ok"] is False
    assert run("--lang", "fr").stderr == "pahara: no language 'fr'. There are 'bn' and 'en'\n"


def test_a_taken_port_is_told_before_a_watch_begins(room, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "pahara.yml"
        config.write_text(f"version: 1\nweb: {{host: 127.0.0.1, port: {port}}}\nstore: {{path: elsewhere}}\n")
        found = one(checks.dashboard, replace(room, config=config))
        assert (found.state, found.advice, found.values) == ("warn", "port", {"port": port})
    assert one(checks.dashboard, replace(room, config=config)).state == "ok"
    config.write_text("version: 1\nweb: {host: 127.0.0.1, port: 0, certificate: none.pem, key: none.key}\n")
    assert one(checks.dashboard, replace(room, config=config)).advice == "certificate"


def test_the_disk_is_that_of_the_configuration(room, tmp_path):
    config = tmp_path / "pahara.yml"
    config.write_text("version: 1\nstore: {path: elsewhere}\n")
    assert str(tmp_path / "elsewhere") in one(checks.storage, Room(checks.USUAL, config)).detail
    assert str(tmp_path / "data") in one(checks.storage, replace(room, config=config)).detail
