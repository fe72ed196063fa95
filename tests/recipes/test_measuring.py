"""The recipes on footage and skeletons: splits that tear no source, features that mean what they say, figures that can be checked."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parents[2] / "recipes"


def recipe(name: str):
    sys.path.insert(0, str(HERE))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def common():
    return recipe("common")


# -- intervals ---------------------------------------------------------------------


def test_an_interval_by_source_is_wider_when_clips_of_a_source_agree(common):
    sources = [f"film {i // 10}" for i in range(100)]
    by_source = np.repeat([1, 0, 1, 1, 0, 1, 1, 0, 1, 1], 10)  # a film is right or wrong as a whole
    mixed = np.tile([1, 0, 1, 1, 0, 1, 1, 0, 1, 1], 10)  # every film has the same share
    low, high = common.interval(by_source, sources)
    assert low < by_source.mean() < high
    assert high - low > 0.3
    assert common.interval(mixed, sources) == pytest.approx((0.7, 0.7))
    assert all(np.isnan(common.interval(mixed, ["one film"] * 100))), "one film says nothing of how much films differ"
    assert all(np.isnan(common.interval([], [])))


# -- skeletons ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def skeletons():
    return recipe("skeletons")


def two_people(steps: int = 24) -> np.ndarray:
    rng = np.random.default_rng(5)
    body = rng.normal(0, 0.3, (15, 3))
    walk = np.linspace(0, 0.5, steps)[:, None, None] * np.array([1, 0, 0])
    return np.stack([body + walk, body[::-1] + np.array([1.5, 0, 0.2]) - walk], axis=1).astype(np.float32)


def test_where_and_how_large_the_two_are_makes_no_difference(skeletons):
    people = two_people()
    np.testing.assert_allclose(skeletons.features(people), skeletons.features(people * 1.7 + np.float32(3.0)), atol=2e-4)


def test_swapping_the_two_swaps_what_is_seen_of_them(skeletons):
    people = two_people()
    np.testing.assert_allclose(skeletons.features(people)[::-1], skeletons.features(people[:, ::-1]), atol=1e-5)


def test_flat_skeletons_do_not_know_the_depth(skeletons):
    people = two_people()
    deeper = people.copy()
    deeper[..., 2] += np.random.default_rng(1).normal(0, 0.5, deeper.shape[:-1])
    np.testing.assert_array_equal(skeletons.features(people, flat=True), skeletons.features(deeper, flat=True))
    assert not np.allclose(skeletons.features(people), skeletons.features(deeper))


def test_no_pair_is_on_both_sides_and_strangers_share_nobody(skeletons, asset):
    takes = skeletons.read_takes(asset("skeletons/sbu"))
    asked = []
    for learnt, examined in skeletons.divided(takes, strangers=False, seed=0):
        assert not {takes[i].pair for i in learnt} & {takes[i].pair for i in examined}
        asked += examined.tolist()
    assert sorted(asked) == list(range(len(takes)))

    def people(rows):
        return {half for i in rows for half in (takes[i].pair[:3], takes[i].pair[3:])}

    for learnt, examined in skeletons.divided(takes, strangers=True, seed=0):
        assert len(learnt)
        assert not people(learnt) & people(examined)


def test_a_file_that_is_no_skeleton_is_named(skeletons, tmp_path):
    from pahara.core import DataError

    with pytest.raises(DataError, match="no <pair>/<class>/<take>"):
        skeletons.read_takes(tmp_path)
    wrong = tmp_path / "s01s02" / "01" / "001" / "skeleton_pos.txt"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("1,2,3\n")
    with pytest.raises(DataError, match=r"001.*should be a frame's number"):
        skeletons.read_takes(tmp_path)


# -- fights ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fights():
    return recipe("fights")


def test_a_camera_that_turns_is_no_movement_of_people(fights):
    turning = np.full((45, 80, 2), 0.7, np.float32)
    boxes = np.array([[0.2, 0.2, 0.4, 0.9]], np.float32)
    still = fights.moving(np.zeros_like(turning), boxes)
    np.testing.assert_allclose(fights.moving(turning, boxes)[:10], still[:10], atol=1e-6)
    fighting = np.zeros_like(turning)
    fighting[10:40:2, 16:32] = (1.0, 0.0)
    assert fights.moving(fighting, boxes)[5] > still[5]  # mean speed inside people, in their heights


def test_closeness_is_by_hand(fights):
    two = np.array([[0.0, 0.0, 0.2, 1.0], [0.1, 0.0, 0.3, 1.0]])
    overlap, apart = fights.closeness(two)
    assert overlap == pytest.approx(1 / 3)
    assert apart == pytest.approx(0.1 * 16 / 9)
    assert fights.closeness(two[:1]) == (0.0, 5.0)


def test_the_clips_real_pace_is_known_although_their_timestamps_stand_still(fights, asset):
    pictures, rate = fights.read_clip(asset("fights/fight/fi001.mp4"))
    assert 1 <= len(pictures) / rate <= 6  # they are some two seconds long


def test_every_clip_is_examined_once_and_never_with_its_source(fights):
    rng = np.random.default_rng(0)
    clips = []
    for i in range(40):
        label = i % 2
        motion = rng.normal(label, 1.0, (12, 19)).astype(np.float32)
        seen = rng.normal(0, 1 + label, (12, 384)).astype(np.float32)
        clips.append(fights.Clip(label, f"film {i // 4}", motion[:, 0] ** 2, motion, seen, np.zeros((12, 64, 112, 3), np.uint8)))
    asked = []

    def way(learnt, examined, seed):
        assert not {clips[i].source for i in learnt} & {clips[i].source for i in examined}
        asked.append(examined)
        return fights.by_quick_way("motion, linear", clips, learnt, examined)

    found = fights.examine(clips, way, repeats=1)
    assert sorted(np.concatenate(asked).tolist()) == list(range(40))
    assert found.low <= found.accuracy <= found.high
    assert found.accuracy > 0.8  # what is plain to see is learnt


# -- falls -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def falls():
    return recipe("falls")


def test_a_call_in_time_catches_the_fall_and_an_early_one_is_false(falls):
    film = falls.Film("a", (320, 240), 12.0, (5.0, 6.0), [])
    for calls, caught, false in (([], 0, 0), ([8.9], 1, 0), ([9.1], 0, 0), ([1.0, 2.0, 5.5], 1, 1), ([4.9], 0, 1)):
        exam = falls.judge([film], {"a": np.array(calls)}, 0.5)
        assert (exam.caught, exam.false_alarms) == (caught, false), calls


def test_a_film_without_a_fall_is_normal_to_its_end(falls):
    exam = falls.judge([falls.Film("b", (320, 240), 30.0, None, [])], {"b": np.array([3.0, 4.0, 20.0])}, 0.5)
    assert (exam.falls, exam.false_alarms, exam.normal_minutes) == (0, 2, 0.5)


def test_staged_falls_are_windows_of_both_kinds(falls):
    windows = falls.staged([7000, 7001])
    assert windows.inputs.shape[1:] == falls.WINDOW.shape
    assert (windows.labels == 1).sum() >= 3
    assert (windows.labels == 0).sum() > (windows.labels == 1).sum()
    fallen, upright = windows.inputs[windows.labels == 1], windows.inputs[windows.labels == 0]
    tall = fallen[:, -1, 2, 1] - fallen[:, -1, 0, 1]  # of the box at the window's end, in the window's usual heights
    assert np.median(tall) < 0.8 * np.median(upright[:, -1, 2, 1] - upright[:, -1, 0, 1])


# -- Ped2 --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ped2():
    return recipe("ped2_autoencoder")


def test_truth_counts_frames_from_one_and_includes_both_ends(ped2, tmp_path):
    (tmp_path / "test-labels.csv").write_text("clip,frames,first_anomalous,last_anomalous\n01,10,3,5\n02,4,1,4\n")
    truth = ped2.read_truth(tmp_path)
    assert truth["01"].nonzero()[0].tolist() == [2, 3, 4]
    assert truth["02"].all()


def test_a_small_thing_that_cannot_be_painted_decides_the_frame(ped2):
    import torch

    maps = torch.zeros(2, 80, 120)
    maps[1, 40:48, 60:68] = 1.0
    calm, odd = ped2.worst_block(maps).tolist()
    assert (calm, odd) == (0.0, 1.0)


def test_a_stack_ends_with_its_frame(ped2):
    clip = (np.arange(10, dtype=np.uint8)[:, None, None] * np.ones((1, 80, 120), np.uint8)).astype(np.uint8)
    stacks = ped2.Stacks([clip])
    assert len(stacks) == 10 - ped2.STACK + 1
    assert (stacks[0][:, 0, 0] * 255).round().tolist() == [0, 1, 2, 3]


# -- pictures ----------------------------------------------------------------------


def test_what_is_cut_out_of_one_photograph_stays_together(asset, tmp_path):
    import csv

    things = recipe("folder_classifier")
    counts = things.cut_out(asset("coco128"), tmp_path, seed=0)
    assert set(counts) == set(things.KINDS)
    with (tmp_path / "split.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(counts.values())
    parts: dict[str, set[str]] = {}
    for row in rows:
        parts.setdefault(Path(row["path"]).stem.rsplit("-", 1)[0], set()).add(row["split"])
    assert {len(some) for some in parts.values()} == {1}
    assert {row["split"] for row in rows} == {"train", "val", "test"}


def test_coco128_is_laid_out_without_an_overlap(asset, tmp_path):
    from pahara.training.data import read_yolo_set

    recipe("yolo_coco128").lay_out(asset("coco128"), tmp_path / "set", 0)
    told = read_yolo_set(tmp_path / "set")
    learn, examine = ({path.name for path in told[part]} for part in ("train", "val"))
    assert (len(learn), len(learn & examine)) == (100, 0)
    assert len(examine) == 28
