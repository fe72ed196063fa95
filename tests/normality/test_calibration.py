"""What "1 in N" is worth: p-values of normal people are never too small."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.normality.calibration import LEAST, Calibration, pareto


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(5, 60), st.sampled_from(["normal", "exponential", "few values"]))
def test_people_who_are_like_the_others_get_small_p_values_no_more_often_than_that(seed, tracks, kind):
    rng = np.random.default_rng(seed)
    draw = {
        "normal": lambda n: rng.normal(size=n), "exponential": lambda n: rng.exponential(size=n), "few values": lambda n: rng.integers(0, 4, n),
    }[kind]  # fmt: skip
    p = np.array(
        [
            Calibration.fit(np.asarray(scores[1:], float), np.arange(tracks)).p(np.asarray(scores[:1], float))[0]
            for scores in (draw(tracks + 1) for _ in range(300))
        ]
    )
    for level in (1 / (tracks + 1), 0.2, 0.5, 0.9):  # below 1 in as many tracks as there are the tail is a guess
        assert (p <= level + 1e-9).mean() <= level + 4.5 * np.sqrt(level * (1 - level) / 300)  # standard deviations of a share of 300


def test_a_track_that_stays_long_counts_no_more_than_one_that_passes_by():
    passers = Calibration.fit(np.arange(9.0), np.arange(9))
    with_sitter = Calibration.fit(np.append(np.arange(9.0), np.full(500, 8.5)), np.append(np.arange(9), np.full(500, 9)))
    assert passers.p(np.array([7.5]))[0] == pytest.approx(2 / 10)
    assert with_sitter.p(np.array([7.5]))[0] == pytest.approx(3 / 11)


@given(st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=80), st.integers(1, 9))
def test_what_is_odder_is_never_likelier(scores, tracks):
    told = Calibration.fit(np.array(scores), np.arange(len(scores)) % tracks)
    p = told.p(np.sort(np.array([*scores, *(s * 1.5 + 1 for s in scores), np.inf])))
    assert (np.diff(p) <= 1e-12).all()
    assert ((p >= LEAST) & (p <= 1)).all()


def test_beyond_all_that_was_seen_the_tail_goes_on():
    rng = np.random.default_rng(0)
    told = Calibration.fit(rng.exponential(size=2000), np.arange(2000))
    far = told.p(np.array([15.0]))[0]
    assert 1e-9 < far < 1e-4  # e⁻¹⁵ is 3·10⁻⁷; two thousand values alone would end at 5·10⁻⁴
    assert told.p(np.array([5.0]))[0] == pytest.approx(np.exp(-5), rel=0.5)


@given(st.integers(0, 1000))
def test_the_tail_of_an_exponential_is_found_to_be_one(seed):
    shape, size = pareto(np.random.default_rng(seed).exponential(2.0, 4000), np.ones(4000))
    assert 0 <= shape <= 0.12
    assert size == pytest.approx(2.0, rel=0.15)


def test_the_scores_it_was_made_from_are_judged_as_if_their_own_track_were_unknown():
    scores, tracks = np.array([1.0, 2.0, 9.0, 8.0, 3.0]), np.array([0, 0, 1, 1, 2])
    told = Calibration.fit(scores, tracks)
    left_out = told.p_left_out(scores, tracks)
    for track in (0, 1, 2):
        mine = tracks == track
        above = np.array([_weight(scores[~mine], tracks[~mine], limit) for limit in scores[mine]])
        counted = above > 0
        assert left_out[mine][counted] == pytest.approx((1 + above[counted]) / 3)


def _weight(scores, tracks, limit):
    """Tracks' worth of scores at or above the limit."""
    return sum(np.mean(scores[tracks == t] >= limit) for t in np.unique(tracks))
