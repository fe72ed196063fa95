"""A run's folder is new, says what was asked and where, and its card can be read by anyone."""

from __future__ import annotations

import getpass
import json
import socket
from pathlib import Path

import pytest

from pahara.core import TrainingError
from pahara.training import Plan, new_run, read_config, read_metrics, write_card, write_config, write_environment
from pahara.training.keeping import write_metrics


def test_a_name_that_exists_gets_a_number_and_nothing_is_overwritten(tmp_path):
    assert [new_run(tmp_path / "runs", "fights").name for _ in range(3)] == ["fights", "fights-2", "fights-3"]
    for name in ("", "../up", "a/b", ".hidden", "dot."):
        with pytest.raises(TrainingError, match="cannot be the name of a run"):
            new_run(tmp_path, name)
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError):
        new_run(tmp_path / "file", "fights")


def test_what_was_asked_comes_back_as_it_was(tmp_path):
    config = {"kind": "image", "data": "ছবি/দোকান", "plan": Plan(epochs=3).as_dict(), "wishes": {"size": None, "extra": [1, 2]}}
    write_config(tmp_path, config)
    assert read_config(tmp_path) == config
    assert list(read_config(tmp_path)) == list(config)
    with pytest.raises(TrainingError, match="is not the folder of a run"):
        read_config(tmp_path / "other")
    (tmp_path / "config.yml").write_text("plan: [", encoding="utf-8")
    with pytest.raises(TrainingError, match="is damaged"):
        read_config(tmp_path)


def test_the_environment_names_versions_and_neither_person_nor_machine(tmp_path):
    write_environment(tmp_path)
    write_environment(tmp_path)
    text = (tmp_path / "environment.json").read_text(encoding="utf-8")
    told = json.loads(text)
    assert len(told) == 2
    assert {"torch", "numpy"} <= told[0]["versions"].keys()
    assert told[0]["cores"] >= 1
    assert str(Path.home()) not in text
    assert socket.gethostname() not in text
    assert f'"{getpass.getuser()}"' not in text


@pytest.mark.parametrize("language", ["en", "bn"])
def test_the_card_tells_data_classes_figures_limits_and_licence(tmp_path, language):
    path = write_card(
        tmp_path, {"kind": "image", "model": "tinyvgg", "classes": ["cat", "a|b", "<b>"], "input": [3, 64, 64]},
        data={"pictures": 120, "held out": 30}, figures={"accuracy": 0.93333}, limits=["Only by day."], licence="Apache-2.0",
        plan=Plan(epochs=3).as_dict(), language=language,
    )  # fmt: skip
    text = path.read_text(encoding="utf-8")
    for part in (
        "tinyvgg",
        "cat",
        "a\\|b",
        "\\<b\\>",
        "3 × 64 × 64",
        "| accuracy | 0.9333 |",
        "| pictures | 120 |",
        "Only by day.",
        "Apache-2.0",
        "| epochs | 3 |",
    ):
        assert part in text, part
    assert "{" not in text
    assert ("পাহারা" in text or "মডেল" in text) == (language == "bn")


def test_metrics_are_a_table_that_comes_back(tmp_path):
    rows = [{"epoch": 1.0, "loss": 0.125}, {"epoch": 2.0, "loss": float("nan"), "f1": 0.5}]
    write_metrics(tmp_path / "metrics.csv", rows)
    read = read_metrics(tmp_path / "metrics.csv")
    assert read[0] == rows[0]
    assert read[1]["f1"] == 0.5
    assert read[1]["loss"] != read[1]["loss"]
    (tmp_path / "metrics.csv").write_text("epoch\nfirst\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="no table of numbers"):
        read_metrics(tmp_path / "metrics.csv")
    with pytest.raises(TrainingError, match="folder of a run"):
        read_metrics(tmp_path / "none.csv")
