"""One cyclist is a dense cluster of moments, but still only one track."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.normality.density import Memory, remember, spread_out, unit_of


def memory(points, tracks, times=None, vouched=None):
    points = np.asarray(points, np.float32).reshape(len(tracks), -1)
    order = np.argsort(tracks, kind="stable")
    times = np.zeros(len(tracks)) if times is None else np.asarray(times, float)
    vouched = np.zeros(len(tracks), bool) if vouched is None else np.asarray(vouched)
    tracks = np.asarray(tracks, np.int64)[order]
    return Memory(points[order], tracks, times[order], np.zeros((len(tracks), 4), np.float32), np.ones(points.shape[1]), vouched[order])


def ask(held, value, k=5, hours=1, own=-1):
    return held.score(np.atleast_2d(np.asarray(value, float)), np.array([own]), k, hours)[0]


def test_a_thousand_moments_of_one_cyclist_are_no_normal_speed():
    rng = np.random.default_rng(0)
    walkers = memory(rng.normal(1, 0.1, 50), np.arange(50))
    cyclist = memory(np.append(rng.normal(1, 0.1, 50), rng.normal(5, 0.01, 1000)), np.append(np.arange(50), np.full(1000, 99)))
    assert ask(cyclist, 5.0) == pytest.approx(ask(walkers, 5.0), rel=0.1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 5))
def test_repeating_what_a_track_did_changes_nothing(seed, k, copies):
    rng = np.random.default_rng(seed)
    points, tracks = rng.normal(size=(30, 2)), rng.integers(0, 12, 30)
    once = memory(points, tracks)
    again = memory(np.concatenate([points] * copies), np.concatenate([tracks] * copies))
    asked = rng.normal(size=2)
    assert ask(once, asked, k) == ask(again, asked, k)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 3))
def test_the_distance_is_that_to_the_kth_nearest_track_and_the_nearest_hours(seed, k, hours):
    rng = np.random.default_rng(seed)
    points, tracks = rng.normal(size=(40, 2)), rng.integers(0, 10, 40)
    begins = rng.integers(0, 4, 10) * 3600.0
    held, asked, own = memory(points, tracks, begins[tracks]), rng.normal(size=2), int(rng.integers(0, 10))
    nearest = {t: np.sqrt((((points[tracks == t] - asked) ** 2).mean(1)).min()) for t in set(tracks.tolist()) - {own}}
    by_hour = [min(d for t, d in nearest.items() if begins[t] == hour) for hour in {begins[t] for t in nearest}]
    wanted = sorted(nearest.values())[k - 1] if len(nearest) >= k else np.inf
    everyone = len(set(begins[tracks].tolist()))
    if everyone >= hours > 1:
        wanted = max(wanted, sorted(by_hour)[hours - 1] if len(by_hour) >= hours else np.inf)
    assert ask(held, asked, k, hours, own) == pytest.approx(wanted, rel=1e-5)


def test_what_a_person_called_fine_is_near_at_once():
    rng = np.random.default_rng(1)
    points, tracks = np.append(rng.normal(1, 0.1, 50), [5.0]), np.arange(51)
    assert ask(memory(points, tracks), 5.0) > 3
    assert ask(memory(points, tracks, vouched=tracks == 50), 5.0) == 0


def test_midnight_is_near_to_one_at_night():
    clock = replace(memory([23.5, 12.0], [1, 2]), period=24.0)
    assert ask(clock, 0.5, k=1) == pytest.approx(1.0)


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 8))
def test_no_track_has_more_than_its_share_of_the_memory(keys, most):
    tracks = np.array(keys, np.int64)
    rows = spread_out(tracks, most)
    for track in set(keys):
        mine = np.flatnonzero(tracks == track)
        assert (tracks[rows] == track).sum() == min(len(mine), most)
        assert mine[0] in rows


def test_a_thinned_memory_keeps_what_few_do():
    rng = np.random.default_rng(2)
    usual, rare = rng.normal(0, 1, (3000, 2)), rng.normal(0, 0.05, (6, 2)) + 12
    points, tracks = np.concatenate([usual, rare]), np.arange(3006)
    unit = np.ones(2)
    held, radius = remember(
        points, tracks, np.zeros(3006), np.zeros((3006, 4), np.float32), np.zeros(3006, bool), unit=unit, points=300, per_track=8, k=5
    )
    assert len(held) <= 300
    assert radius > 0
    whole = memory(points, tracks)
    for asked in ([12.0, 12.0], [0.0, 0.0], [2.0, -1.0]):
        assert abs(ask(held, asked) - ask(whole, asked)) <= radius + 1e-6


def test_x_and_y_of_a_speed_are_measured_by_one_unit():
    values = np.random.default_rng(0).normal(size=(500, 3)) * (1.0, 0.1, 0.001)
    unit = unit_of(values, (0.05, 0.05, 0.02), ((0, 1),))
    assert unit[0] == unit[1] > 0.8
    assert unit[2] == 0.02
