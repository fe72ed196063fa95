"""A run that is killed goes on, and ends with the very weights of one that was left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pahara.core import TrainingError
from pahara.training import Plan, read_metrics, read_weights
from pahara.training.checkpoint import load_state, save_state

TOY = Path(__file__).with_name("toy.py")
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


@pytest.mark.slow
@pytest.mark.parametrize("kills", [(9,), (8, 20), (3, 12, 26)])
def test_a_run_that_was_killed_ends_as_if_it_never_was(tmp_path, kills):
    finish(begin(tmp_path / "whole"))
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
    result, _ = finish(begin(folder, "--resume"))
    assert result["stopped"] == "finished"
    assert result["steps"] == "18"
    same(tmp_path / "whole", folder)


@pytest.mark.slow
def test_a_run_with_workers_and_rare_saves_goes_on_too(tmp_path):
    plan = {**PLAN, "save_seconds": 0.15}
    finish(begin(tmp_path / "whole", "--workers", "2", plan=plan))
    process = begin(tmp_path / "killed", "--slow", "0.02", "--workers", "1", "--write", str(tmp_path / "count"), plan=plan)
    wait_for(22, tmp_path / "count", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert load_state(tmp_path / "killed" / "resume.pt")["standing"]["step"] < 18
    finish(begin(tmp_path / "killed", "--resume", plan=plan))
    same(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, number):
    plan = {**PLAN, "save_seconds": 3600}  # nothing but the signal makes it save
    finish(begin(tmp_path / "whole", plan=plan))
    process = begin(tmp_path / "stopped", "--slow", "0.02", "--write", str(tmp_path / "count"), plan=plan)
    wait_for(15, tmp_path / "count", process)
    process.send_signal(number)
    result, told = finish(process)
    assert result["stopped"] == "interrupted"
    assert "all is saved in" in told
    assert "To go on: call train(…, resume=True)" in told
    assert 7 <= int(result["steps"]) < 18
    finish(begin(tmp_path / "stopped", "--resume", plan=plan))
    same(tmp_path / "whole", tmp_path / "stopped")


@pytest.mark.slow
def test_a_run_goes_on_only_with_the_plan_that_it_began_with(tmp_path):
    finish(begin(tmp_path, plan={**PLAN, "epochs": 1}))
    process = begin(tmp_path, "--resume", plan={**PLAN, "epochs": 1, "lr": 0.01})
    assert process.wait(60) != 0
    assert "begun with another plan (lr: 0.02 then, 0.01 now)" in process.communicate()[1]


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
