"""A run that is killed goes on, and ends with the very weights of one that was left alone."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pahara.core import TrainingError
from pahara.training import Plan, read_metrics, read_weights
from pahara.training.checkpoint import load_state, save_state

TOY = Path(__file__).with_name("toy.py")
SPEC = importlib.util.spec_from_file_location("pahara_toy", TOY)
toy = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(toy)
# All that has a memory: momentum, averaged weights, dropout, augmentation, left-over batches, a frozen beginning.
PLAN = {"epochs": 6, "lr": 0.02, "ema": 0.95, "accumulate": 2, "freeze": 2, "layer_decay": 0.7, "save_seconds": 0.0, "device": "cpu"}


def begin(folder: Path, *more: str, plan: dict | None = None) -> subprocess.Popen:
    command = [sys.executable, str(TOY), str(folder), "--plan", json.dumps(PLAN if plan is None else plan), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def finish(process: subprocess.Popen) -> tuple[dict, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out), err


def wait_for(count: int, file: Path, process: subprocess.Popen) -> None:
    """Until `count` batches were learned from."""
    for _ in range(6000):
        if file.exists() and (file.read_text(encoding="utf-8") or "0").isdigit() and int(file.read_text(encoding="utf-8") or 0) >= count:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    raise AssertionError("the run never came so far")


def same(a: Path, b: Path) -> None:
    for name in ("best.safetensors", "last.safetensors"):
        one, other = read_weights(a / name)[0], read_weights(b / name)[0]
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one), name
    rows = [[{k: v for k, v in row.items() if k != "seconds"} for row in read_metrics(folder / "metrics.csv")] for folder in (a, b)]
    assert rows[0] == rows[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The run that was left alone."""
    folder = tmp_path_factory.mktemp("whole")
    toy.learn(folder, Plan(**PLAN))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kills", [(9,), (4, 20)])
def test_a_run_that_was_killed_ends_as_if_it_never_was(tmp_path, whole, kills):
    folder, told = tmp_path / "killed", tmp_path / "count"
    learned = 0
    for batch in kills:
        process = begin(folder, "--resume", "--slow", "0.02", "--write", str(told))
        wait_for(batch - learned, told, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        told.unlink()
        learned = batch - 1  # at least: every step is saved
        assert load_state(folder / "resume.pt")["standing"]["epoch"] < 6
    result, _ = toy.learn(folder, Plan(**PLAN), resume=True)
    assert (result.stopped, result.steps) == ("finished", 18)
    same(whole, folder)


@pytest.mark.slow
def test_a_run_with_workers_and_rare_saves_goes_on_too(tmp_path, whole):
    plan = {**PLAN, "save_seconds": 0.15}
    process = begin(tmp_path / "killed", "--slow", "0.02", "--workers", "1", "--write", str(tmp_path / "count"), plan=plan)
    wait_for(22, tmp_path / "count", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert load_state(tmp_path / "killed" / "resume.pt")["standing"]["step"] < 18
    toy.learn(tmp_path / "killed", Plan(**plan), resume=True)
    same(whole, tmp_path / "killed")


@pytest.mark.parametrize("place", ["measure", "loss"])
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_any_moment_will_do(tmp_path, whole, place, turn):
    """Also between the last step of an epoch and its measurement."""

    class Cut(toy.Tell):
        def __init__(self) -> None:
            super().__init__()
            self.turns = 0

        def cut(self, where: str) -> None:
            self.turns += where == place
            if self.turns == turn and where == place:
                raise RuntimeError("the power is gone")

        def loss(self, model, batch):
            self.cut("loss")
            return super().loss(model, batch)

        def measure(self, model, batches, device):
            self.cut("measure")
            return super().measure(model, batches, device)

    with pytest.raises(RuntimeError, match="the power is gone"):
        toy.learn(tmp_path, Plan(**PLAN), task=Cut())
    toy.learn(tmp_path, Plan(**PLAN), resume=True)
    same(whole, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, whole, number):
    plan = {**PLAN, "save_seconds": 3600}  # nothing but the signal makes it save
    process = begin(tmp_path / "stopped", "--slow", "0.02", "--write", str(tmp_path / "count"), plan=plan)
    wait_for(15, tmp_path / "count", process)
    process.send_signal(number)
    result, told = finish(process)
    assert result["stopped"] == "interrupted"
    assert "all is saved in" in told
    assert "To go on: call train(…, resume=True)" in told
    assert 7 <= int(result["steps"]) < 18
    toy.learn(tmp_path / "stopped", Plan(**plan), resume=True)
    same(whole, tmp_path / "stopped")


def test_a_run_goes_on_only_with_the_plan_that_it_began_with(tmp_path):
    plan = Plan(**{**PLAN, "epochs": 1})
    toy.learn(tmp_path, plan)
    with pytest.raises(TrainingError, match=r"begun with another plan \(lr: 0\.02 then, 0\.01 now\)"):
        toy.learn(tmp_path, replace(plan, lr=0.01), resume=True)


def test_what_decides_only_the_pace_may_change(tmp_path):
    assert Plan(save_seconds=5, tensorboard=True, device="cpu").differences(Plan()) == []
    assert Plan(seed=1, lr=0.1).differences(Plan()) == ["lr: 0.001 then, 0.1 now", "seed: 0 then, 1 now"]


def test_a_damaged_state_is_told_and_runs_no_code(tmp_path):
    path = tmp_path / "resume.pt"
    save_state(path, {"weights": torch.ones(3), "list": [1, 2.0, "three"], "nothing": {}})
    assert load_state(path)["list"] == [1, 2.0, "three"]
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(TrainingError, match=r"resume\.pt is damaged .* start a new run"):
        load_state(path)
    torch.save({"bad": Path("x")}, path)  # any class at all
    with pytest.raises(TrainingError, match="is damaged"):
        load_state(path)
    with pytest.raises(TrainingError, match="nothing to go on from"):
        load_state(tmp_path / "other.pt")
