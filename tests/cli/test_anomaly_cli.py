"""`pahara evaluate anomaly`, as its owner types it."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def some_of_ped2(asset, tmp_path):
    """Every fourth frame of four clips, laid out as the whole."""
    source = asset("ped2/train").parent
    for part, names in (("train", ("01", "02", "03")), ("test", ("01",))):
        for name in names:
            folder = tmp_path / "data" / part / name
            folder.mkdir(parents=True)
            for file in sorted((source / part / name).iterdir())[::4]:
                (folder / file.name).write_bytes(file.read_bytes())
    (tmp_path / "data" / "labels.csv").write_text("clip,start,end\n01,6.0,18\n")
    return tmp_path / "data"


@pytest.mark.slow
def test_folders_of_pictures_with_labels_are_measured(verb, some_of_ped2, tmp_path):
    words = ("evaluate", "anomaly", some_of_ped2, "--fps", "2.5", "--detector", "motion")
    done = verb(*words, "--json", "--plot", tmp_path / "plot.png")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["clips"], told["judged"]) == (1, 1)
    assert set(told["auroc"]) == {"unusual", "evidence", "speed", "null_bump", "null_random"}
    assert 0 <= told["auroc"]["unusual"]["micro"] <= 1
    assert (tmp_path / "plot.png").stat().st_size > 1000
    shown = verb(*words)
    assert "null" in shown.out
    assert "published-style" in shown.out


def test_a_folder_of_another_kind_ends_in_one_line(verb, tmp_path):
    done = verb("evaluate", "anomaly", tmp_path)
    assert done.code != 0
    assert done.err.count("\n") == 1
    assert "train/" in done.err


def test_without_anything_it_says_what_to_give(verb):
    done = verb("evaluate", "anomaly")
    assert done.code != 0
    assert "--labels" in done.err
