"""How the picture moves within a box."""

import numpy as np
import pytest

from pahara.detection.appearance import Flow


def texture(shift, size=(120, 200)):
    """A speckled wall, moved to the right by `shift` pixels."""
    rng = np.random.default_rng(0)
    import cv2

    wall = cv2.GaussianBlur(rng.uniform(0, 255, (size[0], size[1] + 40)).astype(np.uint8), (0, 0), 2)
    return np.ascontiguousarray(wall[:, 40 - shift : 40 - shift + size[1]])


def test_what_moves_to_the_right_is_seen_to_do_so_at_its_speed():
    flow = Flow()
    flow.see(texture(0), 0.0)
    flow.see(texture(3), 0.1)
    right, down, left, up, fast = flow.of(np.array([[60, 30, 120, 90]]))[0]
    assert right == pytest.approx(3 / 120 / 0.1, rel=0.15)  # picture heights a second
    assert fast == pytest.approx(right, rel=0.2)
    assert max(down, left, up) < 0.1 * right


def test_twice_the_time_is_half_the_speed():
    speeds = []
    for seconds in (0.1, 0.2):
        flow = Flow()
        flow.see(texture(0), 1.0)
        flow.see(texture(3), 1.0 + seconds)
        speeds.append(flow.of(np.array([[60, 30, 120, 90]]))[0, 4])
    assert speeds[1] == pytest.approx(speeds[0] / 2, rel=1e-3)


def test_a_still_picture_does_not_move_and_a_first_one_tells_nothing():
    flow = Flow()
    flow.see(texture(0), 0.0)
    assert np.isnan(flow.of(np.array([[10, 10, 50, 50]]))).all()
    flow.see(texture(0), 0.1)
    assert flow.of(np.array([[10, 10, 50, 50]])).tolist() == [[0.0] * 5]


def test_another_size_of_picture_begins_anew():
    flow = Flow()
    flow.see(texture(0), 0.0)
    flow.see(texture(2, (90, 160)), 0.1)
    assert np.isnan(flow.of(np.array([[10, 10, 50, 50]]))).all()
    assert flow.of(np.zeros((0, 4))).shape == (0, 5)
