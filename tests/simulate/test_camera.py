"""A described camera puts the world where a real one would."""

import numpy as np
import pytest

from pahara.simulate.camera import View

SIZE = (640, 480)


def at(view: View, *point: float) -> tuple[float, float, float]:
    pixels, depth = view.project(np.array([point], float))
    return (*np.round(pixels[0], 3).tolist(), round(float(depth[0]), 3))


def test_a_level_camera_sees_its_own_height_in_the_middle():
    view = View(SIZE, height=2, tilt=0, fov=90)
    assert at(view, 0, 10, 2) == (320, 240, 10)


def test_hand_checked_points_of_a_level_camera():
    view = View(SIZE, height=2, tilt=0, fov=90)  # focal length 320 pixels
    assert at(view, 1, 4, 2) == (400, 240, 4)  # 320 + 320 * 1 / 4
    assert at(view, 0, 4, 0) == (320, 400, 4)  # two metres lower at four metres: 240 + 320 * 2 / 4


def test_at_45_degrees_the_middle_is_as_far_as_the_camera_is_high():
    view = View(SIZE, height=4, tilt=45, fov=90)
    assert at(view, 0, 4, 0) == (320, 240, round(4 * 2**0.5, 3))
    assert at(view, 1, 4, 0)[0] == pytest.approx(320 + 320 / (4 * 2**0.5), abs=0.01)


def test_yaw_turns_to_the_right_and_roll_lets_the_right_side_hang():
    assert at(View(SIZE, height=2, tilt=0, fov=90, yaw=45), 5, 5, 2)[:2] == (320, 240)
    x, y, _ = at(View(SIZE, height=2, tilt=0, fov=90, roll=10), 2, 4, 2)
    assert x < 480  # 480 without roll
    assert y < 240  # the camera's right side is lower, so what is right of the middle stands higher in the picture


def test_a_barrel_lens_draws_things_inwards_and_still_shows_its_field_of_view():
    plain, barrel = View(SIZE, height=2, tilt=0, fov=80), View(SIZE, height=2, tilt=0, fov=80, k1=-0.15)
    edge = np.tan(np.radians(40)) * 5
    assert at(plain, edge, 5, 2)[0] == pytest.approx(640, abs=0.01)
    assert at(barrel, edge, 5, 2)[0] == pytest.approx(640, abs=0.01)
    far_in_the_corner = (edge, 5, 2 + 0.7 * edge)
    bowed = np.array(at(barrel, *far_in_the_corner)[:2]) - (320, 240)
    straight = np.array(at(plain, *far_in_the_corner)[:2]) - (320, 240)
    assert np.hypot(*bowed) < np.hypot(*straight)


@pytest.mark.parametrize("k1", [0.0, -0.12, 0.08])
def test_ground_is_the_inverse_of_project(k1):
    view = View(SIZE, height=3.4, tilt=31, fov=78, k1=k1, roll=2.5, yaw=-12, at=(1.0, -2.0))
    spots = np.random.default_rng(0).uniform((-3, 2), (3, 9), (200, 2))
    pixels, depth = view.project(np.concatenate([spots, np.zeros((200, 1))], 1))
    seen = (pixels >= 0).all(1) & (pixels <= SIZE).all(1) & (depth > 0)
    assert seen.sum() > 80
    assert np.abs(view.ground(pixels[seen]) - spots[seen]).max() < 1e-6


def test_there_is_no_ground_above_the_horizon():
    assert np.isnan(View(SIZE, height=3, tilt=10, fov=90).ground(np.array([[320.0, 0.0]]))).all()


def test_what_lies_far_outside_does_not_fold_back_into_the_picture():
    view = View(SIZE, height=3, tilt=20, fov=80, k1=-0.15)
    sides = np.array([[x, 2.0, 0.5] for x in np.linspace(3, 60, 50)])
    pixels, _ = view.project(sides)
    assert (np.diff(pixels[:, 0]) >= -1e-6).all()
    assert (pixels[10:, 0] > SIZE[0]).all()


def test_a_lens_that_cannot_show_so_much_is_refused():
    with pytest.raises(ValueError, match="k1"):
        View(SIZE, fov=110, k1=-0.3)
    with pytest.raises(ValueError, match="field of view"):
        View(SIZE, fov=5)
