"""Files of truth and results: read as they are meant, refused in one clear line, never with a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pahara.core import PaharaError
from pahara.evaluation import (
    Annotations,
    Incident,
    TruthError,
    evaluate_detection,
    read_coco,
    read_coco_results,
    read_mot,
    read_truth,
    read_yolo,
    write_coco,
    write_coco_results,
    write_mot,
)
from pahara.evaluation.formats import picture_size

SCENE = {
    "format": "pahara-truth", "version": 1, "fps": 10, "size": [640, 360], "duration": 0.2, "epoch": 1.7e9,
    "frames": [
        {"time": 0.0, "objects": [{"id": 1, "label": "person", "box": [1, 2, 11, 32], "visible": 0.8}]},
        {"time": 0.1, "objects": [
            {"id": 1, "label": "person", "box": [2, 2, 12, 32], "visible": 0.1, "keypoints": [[5, 6, 1]] * 17},
            {"id": 2, "label": "car", "box": [50, 60, 90, 80]},
        ]},
    ],
    "incidents": [{"kind": "loitering", "start": 0.1, "end": 0.2, "subjects": [1], "box": [1, 2, 3, 4], "place": "gate", "sure": False}],
}  # fmt: skip


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def png(wide: int, tall: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + wide.to_bytes(4, "big") + tall.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"


def test_mot_truth_is_read_with_its_scale(tmp_path):
    rows = read_mot(write(tmp_path / "gt.txt", "1,9,16,32,16,32,1,1,1\n3, 4, 0, 0, 16, 16, 0, 1, 1\n"), scale=1 / 1.6)
    assert rows.frames.tolist() == [1, 3]
    assert rows.ids.tolist() == [9, 4]
    assert np.allclose(rows.boxes[0], [10, 20, 20, 40])
    assert rows.ignore.tolist() == [False, True]


def test_mot16_distractors_are_ignored_and_mot15_world_coordinates_are_not_classes(tmp_path):
    assert read_mot(write(tmp_path / "a", "1,1,0,0,9,9,1,1,1\n1,2,0,0,9,9,1,8,1")).ignore.tolist() == [False, True]
    assert read_mot(write(tmp_path / "b", "1,1,0,0,9,9,1,8,3.5,0")).ignore.tolist() == [False]


def test_mot_results_come_back_as_they_were_written(tmp_path):
    rows = Annotations.of([2, 1, 1], [[0, 1, 2, 3.5], [4, 4, 8, 9], [1, 1, 2, 2]], ids=[1, 2, 1], scores=[0.5, 0.25, 1])
    write_mot(tmp_path / "out.txt", rows)
    back = read_mot(tmp_path / "out.txt", result=True)
    assert back.frames.tolist() == [1, 1, 2]
    assert back.ids.tolist() == [1, 2, 1]
    assert back.scores.tolist() == [1, 0.25, 0.5]
    assert np.allclose(back.boxes[2], [0, 1, 2, 3.5])


def test_yolo_labels_become_pixels_of_their_picture(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder / "val").mkdir(parents=True)
    (tmp_path / "images/val/b.png").write_bytes(png(200, 100))
    (tmp_path / "images/val/a.png").write_bytes(png(10, 10))
    write(tmp_path / "labels/val/b.txt", "1 0.5 0.5 0.2 0.4\n0 0 0 0.5 0 0.5 1 0 1\n")
    rows = read_yolo(tmp_path / "images/val", names=["person", "car"])
    assert rows.pictures == ("a.png", "b.png")
    assert rows.frames.tolist() == [1, 1]
    assert np.allclose(rows.boxes, [[80, 30, 120, 70], [0, 0, 100, 100]])
    assert [rows.names[label] for label in rows.labels] == ["car", "person"]


def test_real_coco128_labels_are_read(asset):
    folder = asset("coco128/images")
    rows = read_yolo(folder, names=[str(i) for i in range(80)])
    assert len(rows.pictures) == 128
    assert len(rows) > 800
    assert (rows.boxes[:, 2:] > rows.boxes[:, :2]).all()
    assert picture_size(sorted(folder.iterdir())[0]) == (640, 480)


def test_coco_truth_and_results_come_back_as_they_were_written(tmp_path):
    truth = Annotations.of(
        [0, 1, 1], [[0, 0, 10, 10], [5, 5, 9, 9], [1, 2, 3, 4]], labels=[0, 1, 1], ignore=[0, 0, 1], names=("person", "bag"), pictures=("a", "b")
    )  # fmt: skip
    write_coco(tmp_path / "gt.json", truth)
    write_coco_results(tmp_path / "dt.json", truth[:2])
    back, found = read_coco(tmp_path / "gt.json"), read_coco_results(tmp_path / "dt.json", tmp_path / "gt.json")
    assert back.names == truth.names
    assert back.pictures == truth.pictures
    assert back.ignore.tolist() == [False, False, True]
    assert np.array_equal(back.boxes, truth.boxes)
    assert evaluate_detection(back, found).map == pytest.approx(1)


def test_a_staged_scene_is_read_with_its_incidents(tmp_path):
    truth = read_truth(write(tmp_path / "t.json", json.dumps(SCENE)))
    assert truth.boxes.frames.tolist() == [0, 1, 1]
    assert truth.boxes.names == ("person", "car")
    assert truth.times.tolist() == [0.0, 0.1]
    assert truth.incidents == (Incident("loitering", 0.1, 0.2, "gate", (1,), (1, 2, 3, 4), sure=False),)
    assert truth.keypoints[:, 0, 2].tolist() == [0, 1, 0]
    assert truth.seen(0.25).ignore.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("gt.txt", "1,1,0,0,5,5,1\n1,2,0,0,five,5,1", r"gt\.txt, line 2: width should be a number, not 'five'"),
        ("gt.txt", "1,1,0,0", "line 1: need at least frame"),
        ("gt.txt", "1,1,0,0,-5,5,1", "line 1: width and height should be more than 0"),
        ("gt.txt", "1.5,1,0,0,5,5,1", r"the frame should be a whole number, not '1\.5'"),
        ("gt.txt", "1,1,nan,0,5,5", "left should lie between"),
        ("t.json", "{", r"t\.json, line 1: this is not JSON"),
        ("t.json", "[1]", "should be an object"),
        ("t.json", '{"format": "other"}', "no truth file of Pahara"),
        ("t.json", json.dumps({**SCENE, "version": 9}), "version 1 of truth files, not 9"),
        ("t.json", json.dumps({**SCENE, "frames": [{"time": 1, "objects": [{"id": 1, "label": "a"}]}]}), "frame 0: 'box' is missing"),
        ("t.json", json.dumps({**SCENE, "frames": [{"time": 1, "objects": []}] * 2}), "frame 1: its time 1 is not after"),
        ("t.json", json.dumps({**SCENE, "incidents": [{"kind": "x", "start": 5, "end": 4}]}), "incident 0: it ends at 4 s, before"),
        ("c.json", '{"images": [], "categories": [], "annotations": [{"image_id": 3}]}', "annotation 0: image_id 3 is not in the list"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(tmp_path, name, text, told):
    path = write(tmp_path / name, text)
    read = {"gt.txt": read_mot, "t.json": read_truth, "c.json": read_coco}[name]
    with pytest.raises(TruthError, match=told):
        read(path)


def test_a_missing_file_or_folder_is_told(tmp_path):
    for read in (read_mot, read_truth, read_coco):
        with pytest.raises(TruthError, match="no such file"):
            read(tmp_path / "nowhere")
    with pytest.raises(TruthError, match="no such folder"):
        read_yolo(tmp_path / "nowhere", names=["a"])
    with pytest.raises(TruthError, match="no picture"):
        read_yolo(tmp_path, names=["a"])
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    write(tmp_path / "a.txt", "0 0.5 0.5 0.1 0.1")
    with pytest.raises(TruthError, match="no JPEG or PNG"):
        read_yolo(tmp_path, names=["a"])


def complaint(read, path: Path) -> str:
    """What the reader says of this file; "" when it takes it. Any error but PaharaError goes through."""
    try:
        read(path)
    except PaharaError as error:
        return str(error)
    return ""


def survives(read, path: Path) -> None:
    told = complaint(read, path)
    assert not told or (told.startswith(str(path.parent)) and "\n" not in told)


garbage = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
cells = st.one_of(st.integers(-5, 12).map(str), st.floats().map(str), st.sampled_from(["", "x", "1e400", "0x1", "٣", "1_0", "--", "#"]))
lines = st.lists(st.lists(cells, max_size=12).map(",".join), max_size=5).map("\n".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@garbage
@given(st.one_of(lines, st.text(max_size=60)))
def test_no_garbage_breaks_the_mot_reader(tmp_path, text):
    survives(read_mot, write(tmp_path / "gt.txt", text.replace("\ud800", "")))


@garbage
@given(st.binary(max_size=200))
@example(b"[" * 200_000)
@example(b"9" * 5000)
def test_no_bytes_break_any_reader(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    for read in (read_mot, read_truth, read_coco, picture_size):
        survives(read, path)


@garbage
@given(st.lists(st.lists(cells, max_size=9).map(" ".join), max_size=4).map("\n".join))
def test_no_garbage_breaks_the_yolo_reader(tmp_path, text):
    (tmp_path / "a.png").write_bytes(png(10, 10))
    write(tmp_path / "a.txt", text)
    told = complaint(lambda folder: read_yolo(folder, names=["a", "b"]), tmp_path)
    assert not told or "a.txt, line" in told


@st.composite
def damaged(draw: st.DrawFn, whole: dict) -> object:
    """A right file in which one value, anywhere, has been replaced or lost."""
    data = json.loads(json.dumps(whole))
    at, key = data, draw(st.sampled_from(sorted(data)))
    while True:
        inner = at[key]
        deeper = sorted(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
        if not deeper or draw(st.integers(0, 3)) == 0:
            break
        at, key = inner, draw(st.sampled_from(deeper))
    if draw(st.booleans()):
        at[key] = draw(json_values)
    else:
        del at[key]
    return data


@garbage
@given(damaged(SCENE))
def test_no_damage_breaks_the_truth_reader(tmp_path, data):
    survives(read_truth, write(tmp_path / "t.json", json.dumps(data)))


COCO = {
    "images": [{"id": 1, "file_name": "a"}], "categories": [{"id": 1, "name": "person"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0}],
}  # fmt: skip


@garbage
@given(damaged(COCO), damaged({"all": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]}))
def test_no_damage_breaks_the_coco_readers(tmp_path, data, results):
    survives(read_coco, write(tmp_path / "c.json", json.dumps(data)))
    write(tmp_path / "right.json", json.dumps(COCO))
    answers = results.get("all", results) if isinstance(results, dict) else results
    survives(lambda path: read_coco_results(path, tmp_path / "right.json"), write(tmp_path / "r.json", json.dumps(answers)))
