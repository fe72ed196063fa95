"""Two processes share every batch, and end where one alone would."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pahara.training import Plan, read_metrics, read_weights
from pahara.training.batches import available_cores

pytestmark = [pytest.mark.slow, pytest.mark.skipif(available_cores() < 2, reason="two processes want two cores")]
TOY = Path(__file__).with_name("toy.py")
SPEC = importlib.util.spec_from_file_location("pahara_toy", TOY)
toy = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(toy)
PLAN = {"epochs": 3, "lr": 0.02, "ema": 0.95, "accumulate": 2, "freeze": 1, "device": "cpu"}
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(folder: Path, devices: int, *more: str) -> list[str]:
    return [sys.executable, str(TOY), str(folder), "--plan", json.dumps({**PLAN, "devices": devices}), "--dropout", "0.0", *more]


def run(folder: Path, devices: int, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(folder, devices, *more), capture_output=True, text=True, timeout=240, env=ONE_THREAD, check=False)


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Path:
    """A run of two processes."""
    folder = tmp_path_factory.mktemp("both")
    done = run(folder, 2)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch ") == 3, "one process speaks for both"
    return folder


def test_two_processes_give_the_result_of_one(tmp_path, both):
    toy.learn(tmp_path, Plan(**PLAN), dropout=0.0)
    one, two = (read_weights(folder / "last.safetensors")[0] for folder in (tmp_path, both))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-6)
    rows = [read_metrics(folder / "metrics.csv") for folder in (tmp_path, both)]
    for alone, together in zip(*rows, strict=True):
        assert together["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-4)
        assert together["accuracy"] == pytest.approx(alone["accuracy"], abs=0.03)


def test_batch_norms_reckon_with_what_both_processes_see(tmp_path):
    toy.learn(tmp_path / "one", Plan(**PLAN), norm=True)
    done = run(tmp_path / "two", 2, "--norm")
    assert done.returncode == 0, done.stderr
    one, two = (read_weights(tmp_path / each / "last.safetensors")[0] for each in ("one", "two"))
    assert one["1.running_var"].std() > 0
    for name, value in one.items():  # norms of the halves alone would differ in the second digit
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-5)


def test_a_mistake_in_a_process_ends_all_with_the_same_words(tmp_path):
    done = run(tmp_path, 2, "--fail", "5")
    assert done.returncode != 0
    assert "pahara.core.errors.TrainingError: the loss is not a finite number at step 3" in done.stderr.splitlines()[-1]


def test_ctrl_c_stops_both_after_the_same_step_and_the_run_goes_on(tmp_path, both):
    process = subprocess.Popen(
        command(tmp_path / "stopped", 2, "--slow", "0.1", "--write", str(tmp_path / "count")),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ONE_THREAD, start_new_session=True,
    )  # fmt: skip
    for _ in range(6000):
        if (tmp_path / "count").exists() and int((tmp_path / "count").read_text(encoding="utf-8") or 0) >= 5:
            break
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # the terminal sends it to all of them; the group is this test's own
    out, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert json.loads(out)["stopped"] == "interrupted"
    assert told.count("all is saved in") == 1
    done = run(tmp_path / "stopped", 2, "--resume")
    assert done.returncode == 0, done.stderr
    one, other = (read_weights(folder / "last.safetensors")[0] for folder in (tmp_path / "stopped", both))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_command_trains_with_two_processes_and_keeps_its_logs_for_tensorboard(tmp_path):
    for name, light in (("bright", 220), ("dark", 30)):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for k in range(10):
            cv2.imwrite(str(tmp_path / "shapes" / name / f"{k}.png"), np.full((20, 20, 3), light + k, np.uint8))
    words = "train image shapes --model tinyvgg --size 16 --batch 4 --epochs 1 --devices 2 --device cpu --workers 0 --tensorboard --json"
    pahara = Path(sys.executable).with_name("pahara")
    done = subprocess.run([pahara, *words.split()], cwd=tmp_path, capture_output=True, text=True, timeout=280, env=ONE_THREAD, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["epochs"] == 1
    assert (tmp_path / told["report"]).is_file()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(tmp_path / "runs" / "image" / "tensorboard")).Reload()
    assert any("accuracy" in tag for tag in board.Tags()["scalars"])
