"""Putting the truth beside what a film shows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pahara.core import PaharaError
from pahara.evaluation import Annotations, read_truth
from pahara.pipeline.measure import on_frames, read_any_truth, shared_classes


@pytest.fixture
def truth(tmp_path):
    """One person in each of ten frames, 0.1 s apart; the box's left edge is the number of the frame."""
    person = {"id": 1, "label": "person", "visible": 1.0}
    frames = [{"time": n / 10, "objects": [{**person, "box": [n, 0, n + 5, 9]}]} for n in range(10)]
    told = {
        "format": "pahara-truth", "version": 1, "size": [64, 48], "fps": 10, "duration": 1.0, "epoch": 0.0,
        "frames": frames, "incidents": [],
    }  # fmt: skip
    (tmp_path / "truth.json").write_text(json.dumps(told), encoding="utf-8")
    return read_truth(tmp_path / "truth.json")


def pairs(rows):
    """(frame of the film, frame of the truth)"""
    return list(zip(rows.frames.tolist(), rows.boxes[:, 0].astype(int).tolist(), strict=True))


def test_each_frame_of_the_film_has_its_own_truth(truth):
    assert pairs(on_frames(truth, [n / 10 for n in range(10)])) == [(n, n) for n in range(10)]
    assert pairs(on_frames(truth, [n / 10 + 0.02 for n in range(10)])) == [(n, n) for n in range(10)]


def test_a_film_that_was_cut_short_is_not_blamed_for_the_rest(truth):
    assert pairs(on_frames(truth, [0.0, 0.1, 0.2])) == [(0, 0), (1, 1), (2, 2)]


def test_a_film_with_every_other_frame(truth):
    assert pairs(on_frames(truth, [0.0, 0.2, 0.4])) == [(0, 0), (1, 2), (2, 4)]


def test_a_film_of_twice_the_rate_shows_each_truth_once(truth):
    rows = on_frames(truth, [n / 20 for n in range(20)])
    assert len(rows) == 10
    assert len(set(rows.boxes[:, 0].tolist())) == 10


def test_a_film_of_another_time_is_told(truth):
    with pytest.raises(PaharaError, match="do they belong together"):
        on_frames(truth, [50.0, 50.1])
    with pytest.raises(PaharaError, match="has no frames"):
        on_frames(truth, [])


def test_two_hours_need_no_table_of_every_frame_against_every_other(truth):
    from dataclasses import replace

    n = 72_000
    boxes = Annotations.of(np.arange(n), np.tile([0.0, 0, 5, 9], (n, 1)), ids=np.ones(n), names=("person",))
    long = replace(truth, boxes=boxes, visible=np.ones(n), keypoints=np.zeros((n, 17, 3)), times=np.arange(n) / 10)
    assert np.array_equal(on_frames(long, np.arange(n) / 10).frames, np.arange(n))


def test_mot_counts_frames_from_one(tmp_path):
    (tmp_path / "gt.txt").write_text("1,7,10,20,30,40,1,1,1\n2,7,11,20,30,40,1,1,1\n")
    assert on_frames(read_any_truth(tmp_path / "gt.txt"), [0.0, 0.1]).frames.tolist() == [0, 1]


def test_json_is_told_apart_by_what_it_says(tmp_path, truth):
    assert read_any_truth(tmp_path / "truth.json").fps == 10
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}],
        "annotations": [],
        "categories": [{"id": 1, "name": "person"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    assert read_any_truth(tmp_path / "coco.json").pictures == ("a.jpg",)
    with pytest.raises(PaharaError, match=r"no\.json: there is no such file"):
        read_any_truth(tmp_path / "no.json")


def test_classes_that_only_one_side_names_do_not_count():
    ours = Annotations.of([0, 0], [[0, 0, 1, 1]] * 2, labels=[0, 1], names=("person", "cat"))
    theirs = Annotations.of([0], [[0, 0, 1, 1]], names=("person",))
    assert [len(side) for side in shared_classes(ours, theirs)] == [1, 1]
    with pytest.raises(PaharaError, match="no class is the same"):
        shared_classes(theirs, Annotations.of([0], [[0, 0, 1, 1]], names=("cat",)))
