"""A video becomes a set that any YOLO tool opens, in one go or in several."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pahara.core import Detections
from pahara.core.errors import DataError
from pahara.training.data import DetectionSet, read_yolo_set
from pahara.training.data.dividing import divide, stretches
from pahara.training.data.doctor import check
from pahara.training.data.labelling import label_video


class RedFinder:
    """Finds what is red. A detector like any other, only simple."""

    def __init__(self, names=("thing", "person")):
        self.names, self.asked = names, 0

    def __call__(self, images):
        self.asked += len(images)
        return [self._one(image) for image in images]

    def _one(self, image):
        red = (image[..., 2].astype(int) - image[..., 1]) > 60
        if not red.any():
            return Detections.none(self.names)
        y, x = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
        return Detections.of([[x[0], y[0], x[-1] + 1, y[-1] + 1], [0, 0, 5, 5]], [0.9, 0.2], [1, 0], self.names)


@pytest.fixture
def frames(tmp_path):
    """Ten seconds at 10 a second: something red that moves, and that is gone from 4 to 7 s."""
    folder = tmp_path / "yard"
    folder.mkdir()
    for n in range(100):
        image = np.full((120, 160, 3), 90, np.uint8)
        if not 40 <= n < 70:
            cv2.rectangle(image, (n + 5, 40), (n + 34, 99), (30, 30, 220), -1)
        cv2.imwrite(str(folder / f"{n:03d}.png"), image)
    return folder


def test_a_video_becomes_a_sound_yolo_set(frames, tmp_path):
    out = tmp_path / "set"
    done = label_video(frames, RedFinder(), out, every=1.0)
    assert (done.names, done.resumed) == (("person",), 0.0)
    assert done.pictures + done.alike == 10
    assert done.alike == 2  # the empty yard is kept once
    assert done.boxes == done.pictures - 1
    data = read_yolo_set(out)
    assert data.names == ("person",)
    one = DetectionSet(data)
    sample = one.truth(0)
    np.testing.assert_allclose(sample.boxes, [[5, 40, 35, 100]], atol=2.5)
    assert {finding.code for finding in check(out).findings} <= {"no-val", "label-empty", "class-rare"}
    assert sorted(path.name for path in data["train"])[0] == "yard-t00000.00.jpg"


def test_a_run_that_was_stopped_goes_on_where_it_was(frames, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    label_video(frames, RedFinder(), whole, every=1.0)

    class Stops(RedFinder):
        def __call__(self, images):
            if self.asked == 3:
                raise KeyboardInterrupt
            return super().__call__(images)

    with pytest.raises(KeyboardInterrupt):
        label_video(frames, Stops(), parts, every=1.0)
    again = label_video(frames, RedFinder(), parts, every=1.0)
    assert again.resumed > 0

    def content(root):
        return {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.suffix in (".txt", ".jpg", ".csv")}

    assert content(parts) == content(whole)
    nothing = label_video(frames, RedFinder(), parts, every=1.0)
    assert nothing.pictures == 0


def test_only_the_classes_asked_for_are_labelled_in_their_order(frames, tmp_path):
    done = label_video(frames, RedFinder(("person", "car")), tmp_path / "set", names=("person", "car"), every=2.0)
    assert done.names == ("person", "car")
    assert all((DetectionSet(tmp_path / "set").labels(i) == 1).all() for i in range(done.pictures))


def test_a_second_video_joins_the_set_and_the_numbers_stay(frames, tmp_path):
    out = tmp_path / "set"
    label_video(frames, RedFinder(("x", "person")), out, every=2.0)
    other = frames.rename(tmp_path / "street")
    done = label_video(other, RedFinder(("x", "bag")), out, every=2.0)
    assert done.names == ("person", "bag")
    assert {path.name.split("-t")[0] for path in read_yolo_set(out)["train"]} == {"yard", "street"}


def test_other_peoples_folders_are_left_alone(frames, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("x")
    with pytest.raises(DataError, match="not empty, and no YOLO set"):
        label_video(frames, RedFinder(), tmp_path / "mine")
    with pytest.raises(DataError, match="more than 0 seconds"):
        label_video(frames, RedFinder(), tmp_path / "new", every=0)


def test_one_film_is_split_into_stretches_of_time_and_the_set_is_fit_to_train(frames, tmp_path):
    out = tmp_path / "set"
    label_video(frames, RedFinder(), out, every=0.5)
    done = divide(out)
    assert done.cut == 1
    parts = read_yolo_set(out)
    assert all(parts[name] for name in ("train", "val", "test"))
    order = sorted(path.name for name in ("train", "val", "test") for path in parts[name])
    side = {path.name: name for name in ("train", "val", "test") for path in parts[name]}
    changes = sum(side[a] != side[b] for a, b in zip(order, order[1:], strict=False))
    assert changes < len(order) - 1, "neighbours in time stay together"
    told = check(out)
    assert told.fit
    assert {"leak-few"} == {finding.code for finding in told.findings if finding.code.startswith("leak")}


def test_stretches_follow_the_numbers_in_the_names_and_stay_within_their_film():
    paths = [Path(f"{film}-t{second}.jpg") for film in ("a", "b") for second in (10, 2, 1, 11)]
    cut = stretches(paths, ["a"] * 4 + ["b"] * 4, most=2)
    assert cut == ["a 2/2", "a 1/2", "a 1/2", "a 2/2", "b 2/2", "b 1/2", "b 1/2", "b 2/2"]
