"""Trails and scenes: what was handed out never changes, memory is bounded, and replay sees what live saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core import Observation, Scene
from pahara.tracking import SceneMemory, on_grid
from pahara.tracking.history import History


def beat(time: float, rows: dict[int, tuple[float, bool]], *, label: str = "person", **signals: float) -> Observation:
    """rows: id -> (left edge of a 20 x 50 box, seen now)."""
    lefts = [left for left, _ in rows.values()]
    seen = np.array([s for _, s in rows.values()], bool)
    return Observation(
        time,
        np.array(list(rows), np.int64),
        np.array([[x, 10, x + 20, 60] for x in lefts], np.float32).reshape(-1, 4),
        (label,) * len(rows),
        seen,
        seen.astype(np.float32),
        signals,
    )


def memory(seconds: float = 30.0) -> SceneMemory:
    return SceneMemory("gate", (640, 480), seconds=seconds)


def test_a_trail_grows_with_every_sighting():
    keep = memory()
    for i in range(5):
        scene = keep.step(beat(i / 10, {1: (i * 4.0, True)}))
    (track,) = scene.tracks
    assert np.allclose(track.times, [0, 0.1, 0.2, 0.3, 0.4])
    assert track.boxes[:, 0].tolist() == [0, 4, 8, 12, 16]
    assert track.born == 0


def test_who_is_out_of_sight_stays_in_the_scene_but_the_trail_does_not_grow():
    keep = memory()
    keep.step(beat(0.0, {1: (0, True)}))
    scene = keep.step(beat(0.1, {1: (0, False)}))
    assert scene.tracks[0].last_seen == 0
    assert scene.time == 0.1


def test_what_is_no_longer_listed_is_past_until_memory_ends():
    keep = memory(seconds=5)
    keep.step(beat(0.0, {1: (0, True), 2: (50, True)}))
    scene = keep.step(beat(1.0, {2: (50, True)}))
    assert ([t.id for t in scene.tracks], [t.id for t in scene.past]) == ([2], [1])
    assert [t.id for t in keep.step(beat(4.9, {2: (50, True)})).past] == [1]
    assert keep.step(beat(5.1, {2: (50, True)})).past == ()


def test_who_comes_back_within_memory_goes_on_with_the_old_trail():
    keep = memory()
    keep.step(beat(0.0, {1: (0, True)}))
    keep.step(beat(3.0, {}))
    scene = keep.step(beat(8.0, {1: (2, True)}))
    (track,) = scene.tracks
    assert track.times.tolist() == [0, 8]
    assert track.born == 0
    assert scene.past == ()


def test_who_came_back_between_two_beats_has_a_row_for_it():
    keep = memory()
    keep.step(beat(0.0, {1: (0, True)}))
    keep.step(beat(3.0, {}))
    (track,) = keep.step(beat(8.0, {1: (2, False)})).tracks
    assert track.times.tolist() == [0, 8]


def test_who_comes_back_after_memory_begins_anew():
    keep = memory(seconds=5)
    keep.step(beat(0.0, {1: (0, True)}))
    keep.step(beat(3.0, {}))
    (track,) = keep.step(beat(60.0, {1: (2, True)})).tracks
    assert track.times.tolist() == [60]
    assert track.born == 60


def test_the_label_follows_the_tracker():
    keep = memory()
    keep.step(beat(0.0, {1: (0, True)}, label="car"))
    assert keep.step(beat(0.1, {1: (0, True)}, label="truck")).tracks[0].label == "truck"


def test_tracks_come_in_order_of_their_ids():
    scene = memory().step(beat(0.0, {7: (0, True), 2: (50, True), 5: (90, True)}))
    assert [t.id for t in scene.tracks] == [2, 5, 7]


def test_signals_become_series():
    keep = memory()
    keep.step(beat(0.0, {}, sharpness=0.5))
    scene = keep.step(beat(0.1, {}, sharpness=0.25))
    assert scene.signals["sharpness"].times.tolist() == [0, 0.1]
    assert scene.signals["sharpness"].values.tolist() == [0.5, 0.25]


def frozen(scene: Scene) -> list[tuple]:
    return [(t.id, t.label, t.times.tolist(), t.boxes.tolist(), t.born) for t in (*scene.tracks, *scene.past)]


steps = st.lists(
    st.tuples(st.floats(0.05, 3), st.dictionaries(st.integers(1, 4), st.tuples(st.floats(0, 600), st.booleans()), max_size=4)),
    min_size=1,
    max_size=30,
)


@given(steps)
def test_a_scene_that_was_handed_out_never_changes(told):
    keep, now, kept = memory(seconds=4), 0.0, []
    for wait, rows in told:
        now += wait
        scene = keep.step(on_grid(beat(now, rows)))
        kept.append((scene, frozen(scene)))
    for scene, then in kept:
        assert frozen(scene) == then


@given(steps)
def test_a_replay_of_the_stored_beats_gives_the_same_scenes(told):
    live, again, now = memory(seconds=4), memory(seconds=4), 0.0
    for wait, rows in told:
        now += wait
        stored = on_grid(beat(now, rows, sharpness=wait))
        assert frozen(live.step(stored)) == frozen(again.step(on_grid(stored)))


@given(steps)
def test_every_scene_is_sound(told):
    keep, now = memory(seconds=4), 0.0
    for wait, rows in told:
        now += wait
        scene = keep.step(on_grid(beat(now, rows)))
        ids = [t.id for t in (*scene.tracks, *scene.past)]
        assert len(ids) == len(set(ids))
        assert [t.id for t in scene.tracks] == sorted(rows)
        for track in (*scene.tracks, *scene.past):
            assert (np.diff(track.times) > 0).all()
            assert len(track.times) == len(track.boxes) > 0
            assert track.born <= track.times[0]
            assert not track.boxes.flags.writeable


def test_boxes_on_the_grid_stay_on_the_grid():
    told = beat(1.23456789, {1: (1.2345, True)}, dark=0.1)
    once = on_grid(told)
    assert np.array_equal(on_grid(once).boxes, once.boxes)
    assert (once.boxes * 8 % 1 == 0).all()
    assert np.abs(once.boxes - told.boxes).max() <= 1 / 16


def test_old_rows_are_thinned_and_very_old_ones_forgotten():
    history = History(4, seconds=60)
    for i in range(3000):
        history.append(i / 10, np.full(4, i, np.float32))
    times, rows = history.view()
    assert times[-1] == pytest.approx(299.9)
    assert times[0] >= 299.9 - 60
    assert len(times) < 600 * 0.7  # 600 rows came in the last minute
    recent = times[times > 290]
    assert np.allclose(np.diff(recent), 0.1)  # the last seconds are complete
    assert np.diff(times).max() <= 0.65
    assert np.allclose(rows[:, 0], times * 10, atol=0.01)


def test_a_day_of_beats_takes_no_more_room_than_two_minutes():
    history = History(4, seconds=120)
    sizes = []
    for i in range(40_000):
        history.append(i / 10, 0.0)
        sizes.append(len(history._rows))
    assert max(sizes[20_000:]) <= max(sizes[:20_000])


def looked(time: float, *people: tuple[int, float], points: int = 17) -> Observation:
    """People as (id, confidence of their joints); 0: nobody looked at them."""
    n = len(people)
    boxes = np.tile(np.array([10, 20, 50, 140], np.float32), (n, 1)) + np.float32(time)
    joints = np.zeros((n, points, 3), np.float32)
    for row, (_, sure) in enumerate(people):
        if sure:
            joints[row] = [30 + time, 60, sure]
    ids = np.array([one for one, _ in people], np.int64)
    return on_grid(Observation(time, ids, boxes, ("person",) * n, np.ones(n, bool), np.ones(n, np.float32), {}, joints))


def test_joints_stand_beside_the_boxes_and_are_zero_where_nobody_looked():
    scenes = memory()
    scenes.step(looked(0.0, (1, 0.8), (2, 0.0)))
    scene = scenes.step(looked(0.1, (1, 0.0), (2, 0.6)))
    one, two = scene.tracks
    assert one.boxes.shape == (2, 4)
    assert one.keypoints.shape == (2, 17, 3)
    assert one.keypoints[0, 0].tolist() == [30, 60, pytest.approx(0.8, abs=1 / 255)]
    assert not one.keypoints[1].any()
    assert not two.keypoints[0].any()
    assert two.keypoints[1, 3, 2] == np.float32(round(0.6 * 255) / np.float32(255))
    with pytest.raises(ValueError, match="read-only"):
        one.keypoints[0, 0, 0] = 1


def test_a_joint_of_which_nothing_is_known_is_nowhere():
    joints = np.array([[[5, 6, 0.001], [np.nan, 3, 0.9], [4.06, 5, 1.7], [1, 2, -1]]], np.float32)
    seen = on_grid(replace(looked(0.0, (1, 0.5), points=4), keypoints=joints))
    assert seen.keypoints[0].tolist() == [[0, 0, 0], [0, 0, 0], [4.0, 5, 1], [0, 0, 0]]
    assert np.array_equal(on_grid(seen).keypoints, seen.keypoints)


def test_pose_may_begin_and_end_while_somebody_is_in_view():
    scenes = memory()
    scenes.step(looked(0.0, (1, 0.0), points=0))
    before = scenes.step(looked(0.1, (1, 0.0), points=0)).tracks[0]
    during = scenes.step(looked(0.2, (1, 0.9))).tracks[0]
    after = scenes.step(looked(0.3, (1, 0.0), points=0)).tracks[0]
    assert before.keypoints.shape == (0, 0, 3)
    assert during.keypoints.shape == (3, 17, 3)
    assert not during.keypoints[:2].any()
    assert during.keypoints[2, :, 2].min() > 0.89
    assert after.keypoints.shape == (0, 0, 3)
    assert np.array_equal(after.boxes[:3], during.boxes)


def test_a_long_trail_keeps_each_row_with_its_own_joints():
    scenes = memory(seconds=60.0)
    for beat in range(500):
        scene = scenes.step(looked(beat / 10, (1, 0.5 if beat % 3 == 0 else 0.0)))
    track = scene.tracks[0]
    known = track.keypoints[..., 2].all(axis=1)
    assert 100 < len(track.times) < 400  # thinned out
    assert np.array_equal(known, np.round(track.times * 10).astype(int) % 3 == 0)
    assert np.allclose(track.keypoints[known, 0, 0], 30 + track.times[known], atol=1 / 16)


def test_an_empty_scene_with_pose_is_no_trouble():
    scenes = memory()
    assert scenes.step(looked(0.0)).tracks == ()
    assert scenes.step(looked(0.1, (1, 0.5))).tracks[0].keypoints.shape == (1, 17, 3)
    assert scenes.step(looked(0.2)).tracks == ()
