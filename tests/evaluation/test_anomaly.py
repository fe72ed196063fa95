"""Anomaly scores: nulls, smoothing, regions, and alerts at a budget of false alarms."""

from __future__ import annotations

import doctest
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.evaluation import (
    Regions,
    Watched,
    alerts,
    at_threshold,
    auroc,
    auroc_table,
    by_budget,
    centre_bump,
    frame_auroc,
    micro_interval,
    published_smoothing,
    random_null,
    region_report,
    threshold_for,
)


@pytest.mark.parametrize("name", ["anomaly", "budgets", "regions"])
def test_the_examples_in_the_docs_hold(name):
    done = doctest.testmod(sys.modules[f"pahara.evaluation.{name}"], extraglobs={"np": np})
    assert done.attempted
    assert not done.failed


# -- frame AUROC beside its nulls --------------------------------------------------


def test_a_clip_of_abnormal_frames_alone_needs_no_padding():
    table = auroc_table({"score": [[0.1, 0.9], [0.8, 0.7]]}, [[0, 1], [1, 1]], rounds=0)
    assert (table.clips, table.judged, table.positive) == (2, 1, 3)
    assert table["score"].micro == 1.0
    assert table["score"].macro == 1.0


def test_an_incident_in_the_middle_flatters_a_score_that_sees_nothing():
    truth = [np.arange(100) // 25 % 3 > 0] * 4
    table = auroc_table({"bump": [centre_bump(100)] * 4}, truth, rounds=0)
    assert table["null_bump"].micro == table["bump"].micro > 0.8


def test_random_numbers_know_how_many_people_there_are():
    """More people where it is abnormal: the highest of many random numbers is higher."""
    truth = [np.arange(400) >= 200] * 3
    crowd = [np.where(each, 12, 2) for each in truth]
    alone = auroc_table({}, truth, rounds=0)["null_random"].micro
    counted = auroc_table({}, truth, people=crowd, rounds=0)["null_random"].micro
    assert alone == pytest.approx(0.5, abs=0.03)
    # The highest of 12 beats the highest of 2 with probability 12 / 14.
    assert counted == pytest.approx(12 / 14, abs=0.02)


def test_nobody_in_the_picture_scores_nothing():
    assert random_null([0, 0], np.random.default_rng(0)).tolist() == [0, 0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0.1, 20))
def test_smoothing_stretches_each_clip_to_0_and_1(scores, sigma):
    smooth = published_smoothing(scores, sigma)
    assert len(smooth) == len(scores)
    assert ((smooth >= 0) & (smooth <= 1)).all()
    assert not smooth.any() or (smooth.min(), smooth.max()) == (0, 1)


def test_smoothing_sees_the_future():
    """An impulse later in the clip is felt before it comes: why the column is labelled."""
    spike = np.zeros(100)
    spike[60] = 1
    assert published_smoothing(spike, 5)[55] > 0.3


clips = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=12).map(
        lambda rows: (np.array([s for s, _ in rows], float), np.array([p for _, p in rows]))
    ),
    min_size=2,
    max_size=5,
)


@given(clips)
def test_the_bootstrap_draws_whole_clips(some):
    found = micro_interval(some, rounds=300)
    plain = frame_auroc(some).micro
    assert found.value == pytest.approx(plain, nan_ok=True)
    if found.low == found.low:
        assert 0 <= found.low <= found.high <= 1


def test_each_draw_of_the_bootstrap_is_the_auroc_of_its_clips():
    rng = np.random.default_rng(3)
    some = [(rng.integers(0, 6, 20).astype(float), rng.random(20) < 0.4) for _ in range(3)]
    found = micro_interval(some, rounds=4000)
    drawn = []
    for _ in range(1500):
        rows = rng.integers(0, 3, 3)
        drawn.append(auroc(np.concatenate([some[i][0] for i in rows]), np.concatenate([some[i][1] for i in rows])))
    assert np.quantile(drawn, (0.025, 0.975)) == pytest.approx((found.low, found.high), abs=0.02)


def test_a_column_for_other_clips_is_refused():
    with pytest.raises(ValueError, match="2 clips"):
        auroc_table({"a": [[1, 2], [3, 4]]}, [[0, 1]])


# -- regions and tracks ------------------------------------------------------------


def box(x):
    return [x, 0, x + 10, 20]


def test_finding_every_region_first_is_perfect():
    truth = Regions.of([0, 1, 2], [box(0), box(1), box(2)], tracks=[1, 1, 2])
    found = Regions.of([0, 1, 2, 2], [box(0), box(1), box(2), box(90)], [0.9, 0.9, 0.9, 0.1])
    report = region_report(truth, found, 3)
    assert (report.rbdc, report.tbdc) == (1.0, 1.0)


def test_the_right_moment_in_the_wrong_place_is_worth_nothing():
    truth = Regions.of([0, 1], [box(0), box(0)], tracks=[1, 1])
    found = Regions.of([0, 1], [box(50), box(50)], [0.9, 0.9])
    report = region_report(truth, found, 10)
    assert (report.rbdc, report.tbdc) == (0.0, 0.0)


def test_a_tenth_of_a_track_is_enough_for_the_track():
    truth = Regions.of(range(10), [box(0)] * 10, tracks=[4] * 10)
    found = Regions.of([3], [box(0)], [0.7])
    report = region_report(truth, found, 10)
    assert report.tbdc == 1.0
    assert report.rbdc == pytest.approx(0.1)


def test_true_regions_found_only_after_a_false_one_in_every_frame_count_for_nothing():
    truth = Regions.of([0], [box(0)], tracks=[1])
    found = Regions.of([0, 1, 2, 0], [box(50), box(50), box(50), box(0)], [0.9, 0.9, 0.9, 0.1])
    assert region_report(truth, found, 2).rbdc == 0.0  # 1.5 false regions a frame before the true one
    # With 6 frames the false ones cost 0.5 a frame; the curve rises there, at the same abscissa, from 0 to 1.
    assert region_report(truth, found, 6).rbdc == pytest.approx(0.5)


def test_without_anything_true_there_is_no_rate():
    assert np.isnan(region_report(Regions.of([], []), Regions.of([0], [box(0)]), 5).rbdc)


@given(st.integers(0, 2**32 - 1))
def test_areas_lie_between_0_and_1_and_a_monotone_change_of_scores_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 12)), int(rng.integers(0, 20))

    def boxes(count):
        corner = rng.uniform(0, 40, (count, 2))
        return np.concatenate([corner, corner + rng.uniform(5, 20, (count, 2))], 1)

    truth = Regions.of(rng.integers(0, 5, n), boxes(n), tracks=rng.integers(0, 3, n))
    frames, places, scores = rng.integers(0, 5, m), boxes(m), rng.integers(0, 6, m).astype(float)
    one = region_report(truth, Regions.of(frames, places, scores), 5)
    two = region_report(truth, Regions.of(frames, places, np.exp(scores)), 5)
    assert 0 <= one.rbdc <= 1
    assert 0 <= one.tbdc <= 1
    assert (one.rbdc, one.tbdc) == (two.rbdc, two.tbdc)
    assert (np.diff(one.false_per_frame) >= 0).all()


# -- alerts at a budget ------------------------------------------------------------


def watch(name, seconds, *highs, spans=(), level=1.0):
    """One score a second, `level` at the seconds named."""
    scores = np.zeros(seconds)
    for second in highs:
        scores[second] = level
    return Watched.of(name, np.arange(seconds) * 1.0, scores, spans)


def test_what_flickers_is_one_alert():
    assert alerts(np.arange(100.0), np.arange(100) % 10 == 5, 0.5).tolist() == [5.0]


def test_the_budget_of_the_threshold_holds_on_the_footage_it_was_taken_from():
    rng = np.random.default_rng(0)
    clips = [Watched.of(f"{i}", np.arange(3600) * 1.0, rng.exponential(size=3600)) for i in range(5)]
    for allowed in (1, 3, 10):
        threshold = threshold_for(clips, allowed / 5)
        counted = sum(len(alerts(clip.times, clip.scores, threshold)) for clip in clips)
        assert allowed - 2 <= counted <= allowed


def test_minutes_of_footage_cannot_hold_an_alarm_a_week():
    normal = [watch("a", 600, 100)]
    rows = by_budget(normal, [watch("b", 600, 300, spans=[(295, 320)])])
    assert [row.reachable for row in rows] == [False, False, False]
    assert all(row.threshold > 1 for row in rows)
    assert all(row.report.recall.value == 0 for row in rows)


def test_a_hit_lies_in_its_window():
    early, at, last, late = 98, 99, 110, 111  # the incident goes from 100 to 105
    for second, hit in ((early, 0), (at, 1), (last, 1), (late, 0)):
        row = at_threshold([watch("a", 300, second, spans=[(100, 105)])], 0.5, target=1)
        assert len(row.report.hits) == hit
        assert row.report.false == () if hit else len(row.report.false) == 1


def test_a_score_that_is_always_high_catches_nothing_by_it():
    clip = Watched.of("a", np.arange(1000.0), np.ones(1000), [(200, 220), (500, 520)])
    row = at_threshold([clip], 0.5, target=1)
    assert row.report.recall.value == 0
    assert len(row.report.false) == 1


def test_silence_bounds_the_rate_by_three_over_the_hours():
    row = at_threshold([watch("a", 7200)], 0.5, target=1)
    assert row.realised == 0
    assert row.realised_at_most == pytest.approx(3.0 / 2, rel=0.01)
    assert row.calibration == 0


def test_realised_over_target_is_the_calibration():
    normal = [watch("a", 36000, 1000, 5000, 9000, 20000, 30000)]
    row = at_threshold(normal, 0.5, target=0.25)
    assert row.realised == pytest.approx(0.5, rel=1e-3)
    assert row.calibration == pytest.approx(2, rel=1e-3)


def test_time_in_which_something_happens_is_no_normal_time():
    clip = watch("a", 300, spans=[(100, 200)])
    assert clip.normal_seconds == pytest.approx(300 - 102)


def test_time_must_rise():
    with pytest.raises(ValueError, match="rise"):
        Watched.of("a", [0, 0], [1, 1])
