"""Days before a camera without pixels: people with habits, a detector with flaws, incidents that are what they are called."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.normality import measure, together
from pahara.simulate.traffic import CAUSES, Day, Seeing, random_site, simulate_day, simulate_incident
from pahara.simulate.traffic.rhythm import arrivals, free_day

THURSDAY, FRIDAY = 3, 4
SHARP = Seeing(jitter=0.0, lost=0.0, switch=0.0, ghosts=0.0)


@cache
def day_of(seed: int, number: int = THURSDAY) -> Day:
    return simulate_day(random_site(seed), seed, number)


def hours(day):
    return np.array([(track.born - day.start) / 3600 for track in day.tracks])


def incident(cause, seed, number=0, seeing=SHARP):
    day = simulate_incident(random_site(seed), seed, THURSDAY, cause, number, seeing=seeing, around=60.0)
    if day is None:
        pytest.skip(f"no room for {cause}")
    return day, [seen.track for seen in day.seen if 0 in seen.incidents]


def speeds(track):
    """Body heights a second, over half a second."""
    feet, tall = track.feet.astype(float), track.heights.astype(float)
    return np.hypot(*(feet[5:] - feet[:-5]).T) / tall[5:] / (track.times[5:] - track.times[:-5])


# ---------------------------------------------------------------- days


def test_the_same_seed_gives_the_same_day_and_another_seed_another():
    again = simulate_day(random_site(1), 1, THURSDAY)
    assert len(again.tracks) == len(day_of(1).tracks)
    for a, b in zip(again.tracks, day_of(1).tracks, strict=True):
        assert np.array_equal(a.times, b.times)
        assert np.array_equal(a.boxes, b.boxes)
    assert len(simulate_day(random_site(1), 1, THURSDAY + 7).tracks) != len(again.tracks)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 500))
def test_every_track_is_what_a_tracker_may_tell(seed):
    day = simulate_day(random_site(seed), seed, 0)
    wide, tall = day.site.view.size
    assert len({track.id for track in day.tracks}) == len(day.tracks) > 50
    for track in day.tracks:
        assert (np.diff(track.times) > 0.05).all()
        assert (np.diff(track.times) <= day.patience + 0.11).all(), "a longer gap makes a new track"
        assert (track.boxes * 8 == np.round(track.boxes * 8)).all()
        assert (track.boxes >= 0).all()
        assert (track.boxes <= [wide, tall, wide, tall]).all()
        assert (track.boxes[:, 2:] > track.boxes[:, :2]).all()


def test_rush_hours_are_busier_than_the_small_hours_and_some_come_every_day():
    for seed in range(3):
        found = hours(day_of(seed))
        rush = ((found >= 7) & (found < 9)).sum() + ((found >= 17) & (found < 19)).sum()
        assert rush > 4 * ((found >= 1) & (found < 5)).sum()


def test_a_closed_site_is_empty_at_night_but_for_dogs_and_an_open_one_has_its_watchman():
    closed = [
        t for t, hour in zip(day_of(1).tracks, hours(day_of(1)), strict=True) if hour < 4.5 and t.label == "person" and len(t.times) > 40
    ]
    watched = [
        t for t, hour in zip(day_of(0).tracks, hours(day_of(0)), strict=True) if hour < 4.5 and t.label == "person" and len(t.times) > 40
    ]
    assert random_site(1).closed
    assert not random_site(0).closed
    assert closed == []
    assert len(watched) >= 4


def test_days_off_have_no_morning_rush():
    share = {True: [], False: []}
    for number in range(28):
        times = arrivals(np.random.default_rng(number), 4, number, 100, closed=False) / 3600
        share[free_day(number)].append(((times >= 7) & (times < 10)).mean())
    assert np.mean(share[False]) > 1.5 * np.mean(share[True])


def test_a_worse_detector_breaks_trails_more_often():
    good = simulate_day(random_site(1), 1, 0, seeing=SHARP)
    bad = simulate_day(random_site(1), 1, 0, seeing=Seeing(lost=0.06, lost_for=8.0, ghosts=0.0))
    assert len(bad.tracks) > 1.15 * len(good.tracks)
    assert sum(len(t.times) for t in bad.tracks) < 0.85 * sum(len(t.times) for t in good.tracks)


# ---------------------------------------------------------------- observations, scenes and samples


def test_observations_hold_every_sighting_and_nothing_else():
    day = day_of(2)
    seen = 0
    before = -1.0
    for observation in day.observations():
        assert observation.time > before
        before = observation.time
        seen += int(observation.seen.sum())
    assert seen == sum(len(track.times) for track in day.tracks)


def test_the_products_memory_rebuilds_the_trails():
    day = day_of(2)
    bout = max(day.bouts, key=len)
    latest = {}
    for scene in day.scenes(bout, memory=1e6):
        for track in scene.tracks:
            latest[track.id] = track
    assert latest.keys() == {track.id for track in bout}
    for track in bout:
        recent = track.times >= track.last_seen - 9.0  # older rows are thinned
        assert np.isin(track.times[recent], latest[track.id].times).all()
        assert latest[track.id].born == pytest.approx(track.born)
        assert np.array_equal(latest[track.id].box, track.box)


def test_a_few_long_stretches_give_the_samples_that_the_product_would_have_measured_live():
    day = day_of(2)
    bout = max(day.bouts, key=lambda tracks: max(t.last_seen for t in tracks) - tracks[0].born)
    few = Day(day.site, day.number, tuple(seen for seen in day.seen if any(seen.track is t for t in bout)))
    fast = together([measure(scene, times=times) for scene, times in few.stretches()])
    live = together(
        [
            measure(scene) for scene in few.scenes() if abs(scene.time / 0.5 - round(scene.time / 0.5)) < 1e-6
        ]  # the same grid of half seconds
    )
    assert len(live) > 100
    one, two = (samples[np.lexsort((samples.tracks, samples.times))] for samples in (fast, live))
    assert np.array_equal(one.tracks, two.tracks)
    assert np.allclose(one.times, two.times)
    for name in two.features:
        assert np.allclose(one.features[name], two.features[name], rtol=1e-3, atol=1e-3, equal_nan=True), name


# ---------------------------------------------------------------- incidents


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_can_be_staged_and_seen_somewhere(cause):
    for seed in range(8):
        day = simulate_incident(random_site(seed), seed, THURSDAY, cause, 0, around=60.0)
        if day is not None:
            tracks = [seen.track for seen in day.seen if 0 in seen.incidents]
            (staged,) = day.staged
            assert tracks
            assert staged.cause == cause
            start, end = day.start + staged.start, day.start + staged.end
            assert any(track.last_seen > start and track.born < end for track in tracks), "it is seen while it goes on"
            return
    pytest.fail("no site of eight has room for it")


def test_who_runs_is_faster_than_the_walkers_of_the_day():
    day = simulate_day(random_site(1), 1, THURSDAY, seeing=SHARP)
    usual = np.concatenate([speeds(t) for t in day.tracks if t.label == "person" and len(t.times) > 20])
    _, tracks = incident("running", 1)
    assert np.median(np.concatenate([speeds(t) for t in tracks])) > np.percentile(usual, 90)


def test_who_lingers_stays_where_no_way_leads():
    day, tracks = incident("lingering", 1)
    (staged,) = day.staged
    track = max(tracks, key=lambda t: len(t.times))
    there = track.boxes[(track.times > day.start + staged.start + 2) & (track.times < day.start + staged.end - 2)]
    assert np.ptp(there[:, [0, 3]], axis=0).max() < track.heights.max()
    foot = day.site.view.ground(np.stack([there[:, [0, 2]].mean(1), there[:, 3]], 1).mean(0, keepdims=True))
    assert day.site.away_from(foot)[0] > 2.0


def test_who_goes_the_wrong_way_goes_against_everyone_of_that_kind():
    for seed in range(6):
        _, tracks = incident("wrong_way", seed)
        if tracks[0].label == "car":
            way = tracks[0].boxes[-1, 0] - tracks[0].boxes[0, 0]
            near = [t for t in day_of(seed).tracks if t.label == "car" and abs(t.feet[:, 1].mean() - tracks[0].feet[:, 1].mean()) < 8]
            assert near
            assert all((t.boxes[-1, 0] - t.boxes[0, 0]) * way < 0 for t in near if len(t.times) > 10)
            return
    pytest.fail("no car went the wrong way")


def test_who_falls_becomes_wider_than_tall():
    found = []
    for number in range(4):
        day, tracks = incident("falling", 4, number)
        (staged,) = day.staged
        for track in tracks:
            down = (track.times > day.start + staged.start + 2) & (track.times < day.start + staged.start + 8)
            up = track.times < day.start + staged.start - 1
            if down.any() and up.any():
                found.append(np.median(track.heights[down]) / np.median(track.heights[up]))
    assert found
    assert np.median(found) < 0.6


def test_a_crowd_that_closes_in_stands_around_one_person():
    day, tracks = incident("closing_in", 1)
    (staged,) = day.staged
    moment = day.start + staged.end - 12
    feet = [t.feet[np.searchsorted(t.times, moment) - 1] for t in tracks if t.born < moment < t.last_seen]
    tall = max(t.heights.max() for t in tracks)
    assert len(feet) >= 3
    assert np.ptp(np.array(feet), axis=0).max() < 2 * tall


def test_an_unusual_hour_is_one_at_which_nobody_else_comes():
    day, tracks = incident("unusual_hour", 1)
    assert {t.id for t in day.tracks if t.label == "person"} == {t.id for t in tracks}
    assert simulate_incident(random_site(0), 0, THURSDAY, "unusual_hour", 0) is None, "this one is watched at night"


def test_a_cause_that_nobody_knows_is_refused():
    with pytest.raises(KeyError):
        simulate_incident(random_site(0), 0, THURSDAY, "dancing", 0)
