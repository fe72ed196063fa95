"""What is measured of people, in units that neither the camera's resolution nor its clock changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core import Scene, Track
from pahara.normality import BodyScale, Samples, measure, none_of, together, track_key
from pahara.testing.actors import run, scenes, stand, walk

STORY = {1: walk((0.05, 0.7), (0.95, 0.7), 0, 9), 2: stand((0.5, 0.8), 0, 12), 3: run((0.9, 0.9), (0.1, 0.9), 2)}


def at(time, **options):
    return next(scene for scene in scenes(STORY, seconds=12, **options) if scene.time >= time - 1e-6)


def row(samples, scene, track):
    return samples[samples.tracks == track_key(scene.camera, scene.epoch, scene.by_id[track])]


def test_a_walker_goes_as_fast_as_the_script_says():
    scene = at(5.0)
    vx, vy, spread = row(measure(scene), scene, 1).features["motion"][0]
    assert vx == pytest.approx(0.9 / 9 * 640 / 360, rel=0.01)  # picture heights a second
    assert abs(vy) < 0.005
    assert spread < 0.005


def test_who_stands_has_stayed_since_coming():
    scene = at(8.0)
    assert row(measure(scene), scene, 2).features["dwell"][0, 0] == pytest.approx(8.0, abs=0.6)
    assert row(measure(scene), scene, 1).features["dwell"][0, 0] < 4


def test_only_rows_up_to_the_moment_count():
    late, early = at(7.0), at(4.0)
    then, now = measure(late, times=[4.0]), measure(early)
    assert len(then) >= 2
    for key in then.tracks.tolist():  # the runner has left by seven
        for name, values in now.features.items():
            if name != "interaction":  # the runner was company then
                assert np.array_equal(then.features[name][then.tracks == key], values[now.tracks == key], equal_nan=True)


@given(st.integers(0, 2**32))
def test_the_future_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    scene, moved = at(7.0), []
    for track in scene.tracks:
        boxes = track.boxes.copy()
        future = track.times > 4.0 + 1e-6
        boxes[future] = boxes[future] + rng.normal(0, 20, (int(future.sum()), 4)).astype(np.float32)
        moved.append(replace(track, boxes=boxes))
    a, b = measure(scene, times=[4.0]), measure(replace(scene, tracks=tuple(moved)), times=[4.0])
    assert a.tracks.tolist() == b.tracks.tolist()
    for name in a.features:
        assert np.array_equal(a.features[name], b.features[name], equal_nan=True)


def test_a_moment_that_has_not_come_cannot_be_measured():
    with pytest.raises(ValueError, match="nothing is known"):
        measure(at(3.0), times=[4.0])


@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_another_resolution_measures_the_same(size):
    a, b = at(5.0), at(5.0, size=size)
    for name, values in measure(a).features.items():
        assert measure(b).features[name] == pytest.approx(values, nan_ok=True, abs=0.03)


def test_a_box_that_the_border_cuts_still_tells_the_speed_but_not_the_shape():
    times = np.arange(0, 1.05, 0.1)
    boxes = np.array([[0, 100, 20 + 50 * t, 200] for t in times], np.float32)
    samples = measure(Scene("test", 1.0, (640, 360), (Track(1, "person", times, boxes),)))
    assert samples.features["motion"][0, 0] == pytest.approx(50 / 360, rel=0.02)
    assert np.isnan(samples.features["shape"]).all()


def test_one_edge_that_jumps_is_no_motion():
    times = np.arange(0, 1.05, 0.1)
    boxes = np.array([[100, 100, 140, 200 - 40 * (t > 0.5)] for t in times], np.float32)  # the legs vanish behind a wall
    samples = measure(Scene("test", 1.0, (640, 360), (Track(1, "person", times, boxes),)))
    assert abs(samples.features["motion"][0, 1]) < 0.01


def test_an_embedding_finds_its_person():
    scene = at(5.0)
    samples = measure(scene, extra={"appearance": {2: np.array([1.0, 2.0])}})
    looks = samples.features["appearance"]
    assert row(samples, scene, 2).features["appearance"].tolist() == [[1.0, 2.0]]
    assert np.isnan(looks).all(axis=1).sum() == len(samples) - 1


def test_people_are_as_tall_as_the_line_says_whatever_a_few_boxes_claim():
    rng = np.random.default_rng(0)
    y = rng.uniform(0.3, 1.0, 400)
    tall = 0.4 * y - 0.05 + rng.normal(0, 0.01, 400)
    tall[:60] *= 0.5  # half hidden
    fitted = BodyScale.fit(y, tall, np.arange(400) // 4)
    assert fitted.at(np.array([0.4, 0.9])) == pytest.approx([0.11, 0.31], abs=0.015)


def test_where_all_walk_at_one_row_the_level_alone_is_fitted():
    fitted = BodyScale.fit(np.full(50, 0.8), np.full(50, 0.2), np.arange(50))
    assert fitted.slope == 0
    assert fitted.at(np.array([0.1]))[0] == pytest.approx(0.2)


def test_samples_put_together_keep_every_row_and_fill_what_one_lacks():
    a = measure(at(5.0))
    b = a.with_feature("appearance", np.ones((len(a), 3)))
    both = together([a, b, none_of(a.size)])
    assert len(both) == 2 * len(a)
    assert np.isnan(both.features["appearance"][: len(a)]).all()
    assert Samples.from_arrays(both.arrays()).times.tolist() == both.times.tolist()
