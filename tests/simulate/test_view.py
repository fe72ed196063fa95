"""How tall people are in a view is found from boxes of people alone, and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.core import ConfigError
from pahara.evaluation import read_mot
from pahara.simulate.camera import View
from pahara.simulate.view import Scale, body_heights, fit_scale, fit_view, read_scale, usable

SIZE = (640, 480)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 0.6), st.floats(-30, 60), st.integers(0, 1000))
def test_the_line_survives_half_hidden_people_and_pairs_taken_for_one(a: float, b: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.uniform(150, 470, 300)
    h = np.maximum(a * y + b, 8) * rng.normal(1, 0.05, 300)
    h[:45] *= 0.55  # behind something
    h[45:60] *= 1.4  # two in one box
    scale = fit_scale(np.stack([np.full(300, 320.0), y], 1), h, SIZE)
    assert scale is not None
    rows = np.linspace(200, 450, 6)
    assert np.abs(scale.at(rows) / np.maximum(a * rows + b, 8) - 1).max() < 0.12  # any draw of 300 people; 0.0815 was met


def test_too_few_people_tell_nothing() -> None:
    assert fit_scale(np.zeros((5, 2)), np.full(5, 50.0), SIZE) is None


def test_people_in_one_row_tell_their_height_but_no_slope() -> None:
    y = np.full(50, 300.0)
    scale = fit_scale(np.stack([np.linspace(50, 600, 50), y], 1), np.full(50, 120.0), SIZE)
    assert scale is not None
    assert not scale.sloped
    estimate = fit_view(scale, SIZE, np.stack([np.linspace(50, 600, 50), y], 1), np.full(50, 120.0))
    assert estimate.scale.at(300.0) == pytest.approx(120, rel=0.08)
    assert estimate.scale.at(440.0) > 1.1 * estimate.scale.at(300.0)  # a usual camera sees nearer people larger


@pytest.mark.parametrize(("height", "tilt", "fov"), [(3.0, 20.0, 70.0), (6.0, 35.0, 50.0), (2.4, 12.0, 85.0), (9.0, 50.0, 60.0)])
def test_the_fitted_camera_shows_people_as_tall_as_the_real_one(height: float, tilt: float, fov: float) -> None:
    real = View(SIZE, height, tilt, fov)
    rng = np.random.default_rng(3)
    feet = np.stack([rng.uniform(40, 600, 400), rng.uniform(0, 470, 400)], 1)
    tall = body_heights(real, feet)
    good = np.isfinite(tall) & (tall > 20) & (tall < 400)
    feet, tall = feet[good], tall[good]
    scale = fit_scale(feet, tall, SIZE)
    assert scale is not None
    found = fit_view(scale, SIZE, feet, tall)
    assert np.nanmedian(np.abs(body_heights(found.view, feet) / tall - 1)) < 0.03


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("tall", "y1:h1"),
        ("100:50", "y1:h1"),
        ("100:50,900:90", "rows"),
        ("100:50,110:60", "apart"),
        ("100:90,400:50", "nearer"),
        ("100:1,400:2", "pixels"),
    ],
)
def test_a_height_that_makes_no_sense_is_told_in_one_line(told: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as problem:
        read_scale(told, SIZE)
    assert "\n" not in str(problem.value)


def test_a_told_height_is_the_line_through_both_people() -> None:
    scale = read_scale("120:60,320:160", SIZE)
    assert (scale.at(120), scale.at(320), scale.at(220)) == (60, 160, 110)


@pytest.mark.slow
def test_on_real_footage_the_detectors_boxes_tell_the_true_heights(asset) -> None:
    from pahara.detection import load_detector
    from pahara.video import open_source

    detector = load_detector(asset("models/yolox-nano-416.onnx"), classes=("person",))
    boxes, scores = [], []
    with open_source(asset("footage/pets-s2l1/video.avi"), ring_seconds=0) as source:
        for k, frame in enumerate(source):
            if k % 12 == 0:
                found = detector([frame.image])[0]
                boxes.append(found.boxes)
                scores.append(found.scores)
    every = np.concatenate(boxes)
    whole = every[usable(every, np.concatenate(scores), (480, 360))]
    feet = np.stack([(whole[:, 0] + whole[:, 2]) / 2, whole[:, 3]], 1)
    scale = fit_scale(feet, whole[:, 3] - whole[:, 1], (480, 360))
    assert isinstance(scale, Scale)
    truth = read_mot(asset("footage/pets-s2l1/gt.txt")).scaled(1 / 1.6).boxes  # never seen by the estimate
    ratio = scale.at(truth[:, 3]) / (truth[:, 3] - truth[:, 1])
    assert np.median(np.abs(ratio - 1)) < 0.08
    assert abs(np.median(ratio) - 1) < 0.04
    for low in range(80, 320, 40):
        band = (truth[:, 3] >= low) & (truth[:, 3] < low + 40)
        assert abs(np.median(ratio[band]) - 1) < 0.09
