"""Nothing that was learnt is examined: groups stay whole, classes are spread, and near-copies go together."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from damage import image_set, picture, yolo_set
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pahara.cli.app import app
from pahara.core.errors import DataError
from pahara.training.data.dividing import divide
from pahara.training.data.doctor import check
from pahara.training.data.folders import read_class_folders
from pahara.training.data.splits import folds, groups_of, joined, separate, source_of, split
from pahara.training.data.yolo import read_yolo_set


@settings(max_examples=12, deadline=None)
@given(data=st.data(), groups=st.integers(4, 25), seed=st.integers(0, 100))
def test_no_group_is_ever_on_two_sides(data, groups, seed):
    n = data.draw(st.integers(groups, 120))
    rng = np.random.default_rng(seed)
    whose = [f"g{g}" for g in [*range(groups), *rng.integers(0, groups, n - groups).tolist()]]
    labels = rng.integers(0, 3, n).tolist()
    parts = split(labels, whose, seed=seed)
    owners = [{whose[row] for row in rows.tolist()} for rows in parts.values()]
    assert sum(map(len, owners)) == len(set.union(*owners))
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(n))
    assert all(len(rows) for rows in parts.values())


def test_classes_are_spread_evenly():
    labels = [0] * 700 + [1] * 200 + [2] * 100
    parts = split(labels, shares={"train": 0.8, "val": 0.1, "test": 0.1})
    for name, share in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        counts = np.bincount(np.array(labels)[parts[name]], minlength=3)
        np.testing.assert_allclose(counts, np.array([700, 200, 100]) * share, atol=12)


def test_folds_examine_everything_once_and_tear_no_group():
    labels, groups = [0, 1] * 30, [f"v{i // 4}" for i in range(60)]
    examined = []
    for learn, examine in folds(labels, groups, n=5):
        assert not {groups[i] for i in learn} & {groups[i] for i in examine}
        examined += examine.tolist()
    assert sorted(examined) == list(range(60))


def test_too_few_groups_are_told():
    with pytest.raises(DataError, match="2 sources cannot be split into 3 parts"):
        split([0, 1, 0, 1], ["a", "a", "b", "b"])
    with pytest.raises(DataError, match="sum to 1"):
        split([0, 1], shares={"train": 0.5, "val": 0.1})
    with pytest.raises(DataError, match="5 folds"):
        list(folds([0, 1, 0], ["a", "b", "c"], n=5))


def test_a_torn_group_is_refused_wherever_it_comes_from():
    with pytest.raises(DataError, match="'gate' stands in 'train' and in 'test'"):
        separate({"train": np.array([0]), "test": np.array([1])}, ["gate", "gate"])


def test_names_tell_the_recording_only_where_they_can_be_believed():
    assert source_of(Path("cat/cat_001.jpg")) == ""
    assert source_of(Path("a/cam3_frame_000120.jpg")) == "cam3"
    assert source_of(Path("a/shop-12_jpg.rf.0a1b2c3d.jpg")) == "shop"
    frames = [Path(f"a/cam{c}x_{n:04d}.jpg") for c in "abcdef" for n in range(4)]
    assert len(set(groups_of(frames))) == 6
    own = [Path(f"{name}/{name}{n}.jpg") for name in ("cat", "dog") for n in range(5)]
    assert len(set(groups_of(own))) == 10
    assert set(groups_of(own, {f"cat{n}.jpg": "film" for n in range(5)})) >= {"film"}


def test_pairs_join_their_groups():
    assert len(set(joined(["a", "b", "c", "d"], [(0, 1), (1, 2)]))) == 2


def test_a_recording_and_a_near_copy_stay_together_in_a_yolo_set(tmp_path):
    root = yolo_set(tmp_path)
    cv2.imwrite(str(root / "images/val/again.jpg"), cv2.imread(str(root / "images/train/000.jpg")), [cv2.IMWRITE_JPEG_QUALITY, 60])
    (root / "sources.csv").write_text("path,source\nimages/train/001.jpg,gate\nimages/val/006.jpg,gate\nimages/val/007.jpg,gate\n")
    assert {"leak-near", "leak-source"} <= {finding.code for finding in check(root).findings}
    before = (root / "data.yaml").read_text()
    done = CliRunner().invoke(app, ["data", "split", str(root), "--val", "0.3", "--test", "0"])
    assert done.exit_code == 0, done.output
    data = read_yolo_set(root)
    where = {picture.name: split for split in data.pictures for picture in data[split]}
    assert len(where) == 10
    assert where["again.jpg"] == where["000.jpg"]
    assert where["001.jpg"] == where["006.jpg"] == where["007.jpg"]
    assert check(root).fit
    assert next((root / ".pahara-backup").rglob("data.yaml")).read_text() == before


def test_class_folders_get_a_list_and_no_file_moves(tmp_path):
    root = image_set(tmp_path)
    cv2.imwrite(str(root / "cat/again.png"), cv2.resize(picture(0), (64, 43), interpolation=cv2.INTER_AREA))
    before = sorted(root.rglob("*.png"))
    done = CliRunner().invoke(app, ["data", "split", str(root)])
    assert done.exit_code == 0, done.output
    assert sorted(root.rglob("*.png")) == before
    parts = read_class_folders(root).divided()
    where = {item.path.relative_to(root).as_posix(): split for split, items in parts.items() for item in items}
    assert where["cat/again.png"] == where["cat/0.png"]
    assert set(where.values()) == {"train", "val", "test"}


def test_folders_that_are_a_split_already_are_left_alone(tmp_path):
    image_set(tmp_path / "train")
    with pytest.raises(DataError, match="are the split already"):
        divide(tmp_path)
