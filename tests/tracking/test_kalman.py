"""The filter in seconds: no frame rate is special, and it is the textbook filter in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from pahara.tracking import kalman

seconds = st.floats(0.01, 20)


def some_tracks(seed: int, n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A state after a few sightings, and sizes (n, 1)."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(20, 200, (n, 1))
    state = kalman.begin(rng.uniform(0, 1000, (n, 4)), size)
    for _ in range(3):
        state = kalman.predict(state, size, 0.1)
        state = kalman.correct(state, state[0] + rng.normal(0, 3, (n, 4)), size, 1.0, 0.1)
    return state, size


@given(st.integers(0, 1000), seconds, seconds)
def test_two_short_steps_are_one_long_step(seed, first, second):
    state, size = some_tracks(seed)
    twice = kalman.predict(kalman.predict(state, size, first), size, second)
    once = kalman.predict(state, size, first + second)
    assert np.allclose(twice, once, rtol=1e-4, atol=1e-3)  # times are rounded to a microsecond


@given(st.integers(0, 1000), st.floats(0.01, 4))  # longer, and the reference itself loses digits
def test_prediction_is_the_textbook_one(seed, step):
    """Van Loan's integral of the same process, one coordinate at a time, with matrices."""
    state, size = some_tracks(seed, 2)
    later = kalman.predict(state, size, step)
    for row in range(2):
        for axis in range(4):
            pull = 1 / kalman.MEMORY[axis]
            push = 2 * (kalman.SPREAD[axis] * size[row, 0]) ** 2 * pull
            flow = np.array([[0, 1], [0, -pull]])
            van_loan = expm(np.block([[-flow, np.diag([0, push])], [np.zeros((2, 2)), flow.T]]) * round(step, 6))
            carry = van_loan[2:, 2:].T
            noise = carry @ van_loan[:2, 2:]
            place, velocity, pp, pv, vv = state[:, row, axis]
            mean = carry @ [place, velocity]
            spread = carry @ np.array([[pp, pv], [pv, vv]]) @ carry.T + noise
            assert later[:2, row, axis] == pytest.approx(mean, rel=1e-5, abs=1e-5)
            assert later[2:, row, axis] == pytest.approx([spread[0, 0], spread[0, 1], spread[1, 1]], rel=1e-4, abs=1e-4)


@given(st.integers(0, 1000), st.floats(0.3, 6), st.sampled_from([0.033, 0.1, 0.5]))
def test_correction_is_the_textbook_one(seed, doubt, step):
    state, size = some_tracks(seed, 1)
    seen = state[0] + np.array([[5.0, -3.0, 2.0, 8.0]])
    better = kalman.correct(state, seen, size, doubt, step)
    for axis in range(4):
        place, velocity, pp, pv, vv = state[:, 0, axis]
        spread = np.array([[pp, pv], [pv, vv]])
        error = (kalman.NOISE[axis] * doubt * size[0, 0]) ** 2 * max(1, kalman.CALM / step)
        gain = spread[:, 0] / (pp + error)
        mean = np.array([place, velocity]) + gain * (seen[0, axis] - place)
        after = spread - np.outer(gain, spread[0])
        assert better[:, 0, axis] == pytest.approx([*mean, after[0, 0], after[0, 1], after[1, 1]], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("fps", [2, 7, 10, 25, 30])
def test_a_walker_is_foreseen_at_every_frame_rate(fps):
    size = np.full((1, 1), 60.0)
    speed = np.array([80.0, 10.0, 0.0, 0.0])  # pixels a second
    state = kalman.begin(np.array([[100.0, 200, 40, 90]]), size)
    for frame in range(1, 3 * fps + 1):
        state = kalman.predict(state, size, 1 / fps)
        state = kalman.correct(state, np.array([[100.0, 200, 40, 90]]) + speed * frame / fps, size, 1.0, 1 / fps)
    later = kalman.predict(state, size, 1.0)
    wanted = np.array([100.0, 200, 40, 90]) + speed * 4
    assert np.abs(later[0, 0] - wanted).max() < 8


def test_uncertainty_grows_while_nobody_looks_but_stays_finite():
    state, size = some_tracks(1)
    spans = [kalman.deviation(kalman.predict(state, size, t)).max() for t in (0.1, 1, 10, 3600, 86400)]
    assert spans == sorted(spans)
    assert np.isfinite(spans[-1])


@given(st.integers(0, 1000), st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.3, 6)), min_size=1, max_size=30))
def test_variances_stay_positive(seed, steps):
    state, size = some_tracks(seed)
    for step, doubt in steps:
        state = kalman.correct(kalman.predict(state, size, step), state[0] + 1, size, doubt, step)
    assert (state[2] > 0).all()
    assert (state[4] > 0).all()
    assert (state[3] ** 2 <= state[2] * state[4] * (1 + 1e-6)).all()
