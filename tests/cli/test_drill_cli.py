"""`pahara drill`: what cannot be drilled is told in one line, before any work; what can be is a page, a picture and figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def told(result) -> str:
    assert result.code != 0
    assert "Traceback" not in result.err
    lines = [line for line in result.err.splitlines() if line.startswith("pahara:")]
    assert len(lines) == 1, result.err
    return lines[0]


def config(folder: Path, *behaviours: object) -> Path:
    path = folder / "pahara.yml"
    path.write_text(
        json.dumps({"version": 1, "cameras": {"yard": {"source": "film.mp4", "behaviours": list(behaviours)}}}), encoding="utf-8"
    )
    return path


@pytest.fixture(scope="module")
def grey(tmp_path_factory) -> Path:
    """Six seconds of an empty street."""
    import numpy as np

    from pahara.video import VideoWriter

    path = tmp_path_factory.mktemp("film") / "grey.mp4"
    rng = np.random.default_rng(0)
    picture = np.clip(np.kron(rng.normal(120, 25, (12, 16, 3)), np.ones((15, 15, 1))), 0, 255).astype(np.uint8)
    with VideoWriter(path, threads=1) as writer:
        for k in range(60):
            writer.write(np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8), k / 10)
    return path


def test_footage_that_is_not_there(verb, tmp_path: Path) -> None:
    assert "no such file" in told(verb("drill", "nowhere.mp4", "--out", str(tmp_path / "o")))
    path = config(tmp_path, "running")
    assert "no camera 'gate'" in told(verb("drill", "gate", "-c", str(path), "--out", str(tmp_path / "o")))
    assert not (tmp_path / "o").exists()


def test_rules_that_cannot_be_drilled(verb, tmp_path: Path, grey: Path) -> None:
    nothing = config(tmp_path)
    assert "nothing that can be staged" in told(verb("drill", str(grey), "-c", str(nothing), "--out", str(tmp_path / "o")))
    assert "no behaviour 'flying'" in told(verb("drill", str(grey), "--behaviours", "flying", "--out", str(tmp_path / "o")))


def test_recordings_are_named_with_their_store(verb, tmp_path: Path) -> None:
    assert "--store" in told(verb("drill", "recording:1"))
    assert "no store" in told(verb("drill", "recording:1", "--store", str(tmp_path)))


def test_a_field_of_view_that_no_camera_has(verb, grey: Path) -> None:
    assert "field of view" in told(verb("drill", str(grey), "--fov", "5"))


@pytest.mark.slow
def test_a_view_in_which_nobody_walks_asks_for_a_height(verb, tmp_path: Path, grey: Path) -> None:
    said = told(verb("drill", str(grey), "--detector", "motion", "--out", str(tmp_path / "o")))
    assert "--height" in said
    said = told(verb("drill", str(grey), "--detector", "motion", "--height", "90:40,90:41", "--out", str(tmp_path / "o")))
    assert "well apart" in said


@pytest.mark.slow
def test_with_a_told_height_an_empty_street_can_be_drilled(verb, tmp_path: Path, grey: Path) -> None:
    out = tmp_path / "o"
    path = config(tmp_path, {"kind": "crossing", "line": "gate"}, {"kind": "running"})
    data = json.loads(path.read_text())
    data["cameras"]["yard"]["lines"] = {"gate": {"from": [0.5, 0.5], "to": [0.5, 1.0]}}
    path.write_text(json.dumps(data))
    before = grey.read_bytes()
    result = verb(
        "drill",
        str(grey),
        "-c",
        str(path),
        "--detector",
        "motion",
        "--height",
        "100:50,170:90",
        "--seeds",
        "1",
        "--out",
        str(out),
        "--json",
    )
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert {b["kind"] for b in figures["behaviours"]} == {"crossing", "running"}
    assert {b["why_unstaged"] for b in figures["behaviours"]} == {"short"}  # six seconds are too few for anything
    assert figures["realism"]["verdict"] == "unknown"
    assert figures["view"]["told"] is True
    for name in ("report.html", "blind.png", "drill.json", "takes.jsonl"):
        assert (out / name).is_file()
    assert grey.read_bytes() == before
    again = verb(
        "drill",
        str(grey),
        "-c",
        str(path),
        "--detector",
        "motion",
        "--height",
        "100:50,170:95",
        "--seeds",
        "1",
        "--out",
        str(out),
        "--resume",
    )
    assert "another scale" in told(again)
