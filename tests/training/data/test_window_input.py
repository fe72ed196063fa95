"""A model's input: the same movement gives the same window, wherever, however large and at whatever frame rate it is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.behaviours.windows import BOX_POINTS, box_points, ends_of, windows
from pahara.core import Track


def person(seconds=6.0, fps=10.0, *, start=0.0, height=120.0, x=300.0, speed=60.0, keypoints=False, number=1):
    """Someone who walks to the right at `speed` pixels a second and bows in the middle."""
    times = start + np.arange(round(seconds * fps) + 1) / fps
    tall = height * (1 - 0.3 * np.exp(-((times - start - seconds / 2) ** 2)))
    middle = x + speed * (times - start)
    boxes = np.stack([middle - height / 5, 400 - tall, middle + height / 5, np.full_like(times, 400)], axis=1).astype(np.float32)
    if not keypoints:
        return Track(number, "person", times, boxes)
    joints = np.stack([np.stack([middle + j, 400 - tall * j / 17, np.ones_like(times)], axis=1) for j in range(17)], axis=1)
    return Track(number, "person", times, boxes, keypoints=joints.astype(np.float32))


def moved(track, scale, dx, dy, dt=0.0):
    boxes = (track.boxes.astype(np.float64) * scale + [dx, dy, dx, dy]).astype(np.float32)
    joints = track.keypoints.astype(np.float64).copy()
    if joints.size:
        joints[..., :2] = joints[..., :2] * scale + [dx, dy]
    return Track(track.id, track.label, track.times + dt, boxes, keypoints=joints.astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.2, 5), dx=st.floats(-500, 500), dy=st.floats(-500, 500), dt=st.floats(0, 1e5), pose=st.booleans())
def test_place_size_and_hour_do_not_matter(scale, dx, dy, dt, pose):
    track = person(keypoints=pose)
    np.testing.assert_allclose(windows(moved(track, scale, dx, dy, dt), 2, 10), windows(track, 2, 10), atol=3e-3)


@pytest.mark.parametrize("fps", [7.0, 12.5, 25.0, 30.0])
def test_the_frame_rate_does_not_matter(fps):
    slow, fast = windows(person(fps=10), 2, 10, ends=[4.0, 5.9]), windows(person(fps=fps), 2, 10, ends=[4.0, 5.9])
    np.testing.assert_allclose(fast[:, :-1], slow[:, :-1], atol=0.03)
    np.testing.assert_allclose(fast[:, -1], slow[:, -1], atol=0.08)  # between two sightings the newest moment waits on the last one


def test_movement_within_the_window_remains():
    made = windows(person(speed=60, height=120), 2, 10)[0]
    assert made.shape == (20, len(BOX_POINTS), 3)
    foot = made[:, BOX_POINTS.index("foot"), 0]
    assert foot[-1] - foot[0] == pytest.approx(60 * 1.9 / 120, rel=0.1)  # body heights in 1.9 s


def test_a_window_never_looks_past_its_end():
    whole = person(seconds=6)
    known = whole.times <= 3.05
    until_then = Track(1, "person", whole.times[known], whole.boxes[known])
    np.testing.assert_array_equal(windows(whole, 2, 10, ends=[3.05]), windows(until_then, 2, 10, ends=[3.05]))


def test_before_the_first_sighting_and_in_a_long_gap_nothing_is_known():
    made = windows(person(seconds=1.0, start=10.0), 2, 10)
    assert (made[0, :9] == 0).all()
    assert (made[0, 10:, :, 2] == 1).all()
    track = person(seconds=6)
    for gap, known in ((0.8, True), (2.0, False)):
        keep = (track.times <= 2) | (track.times >= 2 + gap)
        made = windows(Track(1, "person", track.times[keep], track.boxes[keep]), 6, 10, ends=[6.0])[0]
        assert (made[59 - round((4 - gap / 2) * 10), 0, 2] > 0) == known


def test_a_pair_shares_one_origin_and_one_measure():
    near, far = person(x=100, number=1), person(x=340, speed=0, number=2)
    made, wider = windows([near, far], 2, 10), windows([near, moved(far, 1, 120, 0)], 2, 10)
    assert made.shape[1:] == (20, 12, 3)
    apart = made[0, 0, 10, 0] - made[0, 0, 4, 0]
    assert wider[0, 0, 10, 0] - wider[0, 0, 4, 0] == pytest.approx(apart + 1, rel=0.1)  # 120 px is about a body
    assert windows([person(), person(start=100)], 2, 10).shape == (0, 20, 12, 3)


def test_an_unseen_joint_is_zero_and_pulls_nothing():
    track = person(keypoints=True)
    joints = track.keypoints.copy()
    joints[10:40:2, 5] = (9999, 9999, 0)
    assert np.abs(windows(Track(1, "person", track.times, track.boxes, keypoints=joints), 2, 10)).max() < 5
    joints[:, 5, 2] = 0
    assert (windows(Track(1, "person", track.times, track.boxes, keypoints=joints), 2, 10)[:, :, 5] == 0).all()


def test_joints_are_taken_where_there_are_any_and_boxes_when_asked():
    assert windows(person(keypoints=True), 2, 10).shape[2] == 17
    assert windows(person(keypoints=True), 2, 10, keypoints=False).shape[2] == 6
    with pytest.raises(ValueError, match="no keypoints"):
        windows(person(), 2, 10, keypoints=True)


def test_ends_come_with_the_stride_and_include_the_last_sighting():
    np.testing.assert_allclose(ends_of([person(seconds=6)], 2.0, 2.0), [2, 4, 6])
    np.testing.assert_allclose(ends_of([person(seconds=1)], 2.0), [1])


def test_a_box_is_four_corners_a_centre_and_a_foot():
    points = [[10, 20, 1], [30, 20, 1], [10, 60, 1], [30, 60, 1], [20, 40, 1], [20, 60, 1]]
    np.testing.assert_allclose(box_points(np.array([[10.0, 20, 30, 60]]))[0], points)
