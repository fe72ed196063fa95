"""Scores become events: when one begins, when it ends, and when the rule keeps quiet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.alarms import START, AlarmRule
from pahara.core import Reason, Scene, Track, event_id

SIZE = (640, 360)


def track(i, time, *, born=0.0, box=(100, 100, 140, 200), label="person"):
    times = np.array([born, time]) if time > born else np.array([born])
    return Track(i, label, times, np.array([box] * len(times), np.float32), born)


def scene(time, *tracks, epoch=1e9):
    return Scene("gate", time, SIZE, tuple(sorted(tracks, key=lambda t: t.id)), epoch=epoch)


def explain(scene, subject):
    return Reason("loitering.dwell", scene.time, 1.0, "s", "yard")


def play(rule, scores, *, step=1.0, tracks=None, finish=False):
    """scores: one mapping (or one number for subject (1,)) per step -> all events."""
    state, events, time = START, [], 0.0
    for k, now in enumerate(scores):
        time = k * step
        now = now if isinstance(now, dict) else {(1,): now}
        here = tracks(time) if tracks else [track(i, time) for s in now for i in s]
        state, new = rule.step(state, behaviour="loitering-yard", kind="loitering", scene=scene(time, *here), scores=now, explain=explain)
        events += new
    return events + list(rule.finish(state, time=time, explain=explain)) if finish else events


def told(events):
    return [(e.phase, e.time) for e in events]


# ---------------------------------------------------------------- beginning and ending


def test_hysteresis_begins_above_and_ends_below():
    scores = [0.3, 0.45, 0.5, 0.45, 0.41, 0.39, 0.3, 0.3, 0.3]
    assert told(play(AlarmRule(linger=2), scores)) == [("began", 2), ("ended", 6)]


def test_a_score_between_the_levels_never_begins():
    assert play(AlarmRule(), [0.45] * 20) == []


def test_hold_waits_before_the_alarm():
    assert told(play(AlarmRule(hold=3, linger=1), [0.6] * 6)) == [("began", 3)]
    assert play(AlarmRule(hold=3, linger=1), [0.6, 0.6, 0.6, 0.1, 0.1, 0.1]) == []


def test_linger_bridges_a_short_dip():
    assert told(play(AlarmRule(linger=3), [0.6, 0.1, 0.1, 0.6, 0.6])) == [("began", 0)]


def test_without_linger_it_ends_at_the_first_low_score_and_not_before():
    assert told(play(AlarmRule(linger=0, cooldown=0), [0.6, 0.6, 0.1, 0.6, 0.1])) == [
        ("began", 0),
        ("ended", 2),
        ("began", 3),
        ("ended", 4),
    ]


def test_a_subject_that_vanishes_ends_after_the_linger():
    assert told(play(AlarmRule(linger=2), [0.6, 0.6, {}, {}, {}, {}])) == [("began", 0), ("ended", 3)]


def test_the_end_of_the_recording_ends_what_is_open():
    events = play(AlarmRule(), [0.6, 0.7, 0.6], finish=True)
    assert told(events) == [("began", 0), ("ended", 2)]
    assert play(AlarmRule(hold=10), [0.6, 0.7], finish=True) == []


def test_frame_rate_does_not_change_when_it_begins_and_ends():
    for step in (0.04, 0.1, 0.5):
        scores = [0.6 if 2 <= k * step < 10 else 0.1 for k in range(int(20 / step))]
        start, end = play(AlarmRule(hold=1, linger=2), scores, step=step)
        assert start.time == pytest.approx(3, abs=step + 1e-9)
        assert end.time == pytest.approx(12, abs=step + 1e-9)


# ---------------------------------------------------------------- what an event says


def test_both_reports_share_one_id_made_of_camera_behaviour_subject_and_start():
    start, end = play(AlarmRule(hold=2, linger=1), [0.1, 0.6, 0.8, 0.7, 0.6, 0.1, 0.1])
    assert start.id == end.id == event_id("gate", "loitering-yard", (1,), 1e9 + 1)
    assert (start.camera, start.behaviour, start.kind, start.subject) == ("gate", "loitering-yard", "loitering", (1,))
    assert (start.start, start.time, start.epoch, start.size) == (1, 3, 1e9, SIZE)
    assert start.boxes == ((100, 100, 140, 200),)
    assert start.place == "yard"


def test_the_end_tells_the_peak_its_time_and_its_reason():
    start, end = play(AlarmRule(linger=1), [0.6, 0.7, 0.9, 0.7, 0.6, 0.1, 0.1])
    assert (start.peak, start.peak_time, start.reason.measured) == (0.6, 0, 0)
    assert (end.peak, end.peak_time, end.reason.measured) == (0.9, 2, 2)


def test_the_boxes_are_those_of_the_peak():
    def moving(time):
        return [track(1, time, box=(100 + 10 * time, 100, 140 + 10 * time, 200))]

    *_, end = play(AlarmRule(linger=1), [0.6, 0.7, 0.9, 0.7, 0.1, 0.1], tracks=moving)
    assert end.boxes == ((120, 100, 160, 200),)


def test_a_whole_scene_has_no_boxes():
    (start,) = play(AlarmRule(), [{(): 0.7}])
    assert start.subject == ()
    assert start.boxes == ()


def test_explain_is_asked_once_at_the_beginning_and_once_for_the_peak():
    asked = []

    def count(scene, subject):
        asked.append(scene.time)
        return explain(scene, subject)

    rule, state = AlarmRule(linger=1), START
    for k, score in enumerate([0.5 + 0.02 * k for k in range(20)] + [0.5] * 5 + [0.1] * 3):
        state, _ = rule.step(state, behaviour="b", kind="k", scene=scene(float(k), track(1, float(k))), scores={(1,): score}, explain=count)
    assert asked == [0, 19], "not at every step of a rising score"


# ---------------------------------------------------------------- repeats


def test_the_cooldown_keeps_a_repeat_quiet_and_then_lets_it_speak():
    rule = AlarmRule(linger=0, cooldown=10, same_place=0)
    assert told(play(rule, [0.6, 0.1, 0.6, 0.1, 0.6, 0.1])) == [("began", 0), ("ended", 1)]
    assert told(play(rule, [0.6, 0.1] + [0.6] * 12)) == [("began", 0), ("ended", 1), ("began", 11)]


def test_flicker_does_not_prolong_the_cooldown():
    rule = AlarmRule(linger=0, cooldown=10, same_place=0)
    flicker = [0.6, 0.1] * 6
    assert ("began", 12) in told(play(rule, [*flicker, 0.6, 0.6]))


def test_another_subject_elsewhere_is_not_kept_quiet():
    there = {1: (100, 100, 140, 200), 2: (400, 100, 440, 200)}
    events = play(AlarmRule(), [{(1,): 0.6}, {(1,): 0.6, (2,): 0.6}], tracks=lambda t: [track(i, t, box=b) for i, b in there.items()])
    assert [e.subject for e in events] == [(1,), (2,)]


def test_crossings_one_second_apart_at_the_same_place_are_two_events():
    rule = AlarmRule(linger=0, cooldown=0, same_place=0)
    events = play(rule, [{(1,): 1.0}, {(2,): 1.0}, {}], tracks=lambda t: [track(1, t), track(2, t, born=0.5)] if t else [track(1, t)])
    assert [(e.phase, e.subject) for e in events] == [("began", (1,)), ("ended", (1,)), ("began", (2,)), ("ended", (2,))]


# ---------------------------------------------------------------- one alert per stationary episode


def parked(time, ids, box=(100, 100, 200, 160)):
    """The id of the moment, in one place: ids = [(id, from, to), …]."""
    return [track(i, time, born=a, box=box, label="car") for i, a, b in ids if a <= time < b]


def test_an_open_event_goes_on_under_a_new_id():
    ids = [(1, 0, 20), (2, 20.5, 40), (3, 41.5, 60)]
    scores = [{(t.id,): min((k - t.born) / 20, 1.0) for t in parked(k, ids)} for k in range(70)]
    events = play(AlarmRule(linger=3), scores, tracks=lambda t: parked(t, ids))
    assert [(e.phase, e.subject) for e in events] == [("began", (1,)), ("ended", (1,))]
    assert events[1].time >= 60


def test_after_the_end_the_same_place_does_not_alert_again():
    ids = [(1, 0, 20), (2, 30, 50), (3, 60, 90)]
    scores = [{(t.id,): min((k - t.born) / 20, 1.0) for t in parked(k, ids)} for k in range(95)]
    events = play(AlarmRule(linger=2, cooldown=30), scores, tracks=lambda t: parked(t, ids))
    assert [e.phase for e in events] == ["began", "ended"]


def test_after_the_cooldown_a_newcomer_in_that_place_alerts():
    ids = [(1, 0, 20), (2, 80, 120)]
    scores = [{(t.id,): min((k - t.born) / 20, 1.0) for t in parked(k, ids)} for k in range(125)]
    events = play(AlarmRule(linger=2, cooldown=30), scores, tracks=lambda t: parked(t, ids))
    assert [e.subject for e in events if e.phase == "began"] == [(1,), (2,)]


def test_something_of_another_class_in_that_place_alerts():
    def here(time):
        car = [track(1, time, box=(100, 100, 200, 160), label="car")] if time < 20 else []
        return car + ([track(2, time, born=22, box=(100, 100, 200, 160))] if time >= 22 else [])

    scores = [{(t.id,): 0.7 for t in here(k)} for k in range(40)]
    events = play(AlarmRule(linger=2), scores, tracks=here)
    assert [e.subject for e in events if e.phase == "began"] == [(1,), (2,)]


def test_someone_who_walks_up_to_the_place_is_someone_else():
    def here(time):
        first = [track(1, time)] if time < 20 else []
        far, near = (500, 100, 540, 200), (100, 100, 140, 200)
        if time < 22:
            return first
        times = np.arange(22.0, time + 1)
        boxes = np.array([far if t < 25 else near for t in times], np.float32)
        return [*first, Track(2, "person", times, boxes, 22.0)]

    scores = [{(t.id,): 0.7 for t in here(k) if k < 20 or k > 26} for k in range(40)]
    events = play(AlarmRule(linger=2), scores, tracks=here)
    assert [e.subject for e in events if e.phase == "began"] == [(1,), (2,)]


def test_who_takes_over_and_then_moves_on_ends_the_event():
    def here(time):
        if time < 20:
            return [track(1, time)]
        times = np.arange(20.0, time + 1)
        boxes = np.array([(100, 100, 140, 200) if t < 30 else (300, 100, 340, 200) for t in times], np.float32)
        return [Track(2, "person", times, boxes, 20.0)]

    scores = [{(1,): 0.7} if k < 20 else {(2,): 0.1} for k in range(45)]
    events = play(AlarmRule(linger=2), scores, tracks=here)
    assert [e.phase for e in events] == ["began", "ended"]
    assert events[1].time == pytest.approx(31, abs=1)


def test_two_boxes_on_one_sleeper_are_one_event():
    def here(time):
        seen = min(time, 10.0)  # the first track is lost at 10 s but stays listed
        return [track(1, seen)] + ([track(2, time, born=11.0)] if time >= 11 else [])

    scores = [{(t.id,): 0.7 for t in here(k)} for k in range(30)]
    assert [e.subject for e in play(AlarmRule(), scores, tracks=here)] == [(1,)]


def test_an_id_that_the_tracker_gives_back_keeps_its_event():
    ids = [(1, 0, 20), (1, 21.5, 60)]
    scores = [{(t.id,): min((k - t.born) / 20, 1.0) for t in parked(k, ids)} for k in range(60)]
    events = play(AlarmRule(linger=3), scores, tracks=lambda t: parked(t, ids))
    assert [e.phase for e in events] == ["began"]


def test_a_busy_day_does_not_fill_the_memory():
    rule, state = AlarmRule(linger=1, cooldown=30), START
    for k in range(5000):
        here = [track(k // 3, float(k), born=float(k // 3 * 3), box=(10 * (k // 3 % 50), 100, 10 * (k // 3 % 50) + 30, 200))]
        state, _ = rule.step(state, behaviour="b", kind="k", scene=scene(float(k), *here), scores={(k // 3,): 0.8}, explain=explain)
        assert len(state.closed) + len(state.open) < 40


# ---------------------------------------------------------------- invariants


@st.composite
def stories(draw):
    """Random scores of a few subjects, who come and go and change their ids."""
    steps, subjects = draw(st.integers(5, 60)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step = draw(st.sampled_from([0.1, 0.5, 1.0]))
    lives = [(i + 1, step * rng.integers(0, steps), step * rng.integers(1, steps), 60.0 * rng.integers(0, 3)) for i in range(subjects)]
    levels = np.clip(np.cumsum(rng.normal(0, 0.15, (steps, subjects)), axis=0) + 0.45, 0, 1)

    def here(time):
        return [track(i, time, born=a, box=(x, 100, x + 40, 200)) for i, a, long, x in lives if a <= time < a + long]

    scores = [{(t.id,): float(levels[k, t.id - 1]) for t in here(k * step)} | {(): float(levels[k, 0])} for k in range(steps)]
    rule = AlarmRule(
        above=draw(st.sampled_from([0.5, 0.7])), below=draw(st.sampled_from([0.3, 0.5])), hold=draw(st.sampled_from([0.0, 1.0])),
        linger=draw(st.sampled_from([0.0, 2.0])), cooldown=draw(st.sampled_from([0.0, 10.0])), same_place=draw(st.sampled_from([0.0, 0.5])),
    )  # fmt: skip
    return rule, scores, step, here


@settings(max_examples=300, deadline=None)
@given(stories())
def test_invariants_of_any_story(story):
    rule, scores, step, here = story
    events = play(rule, scores, step=step, tracks=here, finish=True)
    assert events == play(rule, scores, step=step, tracks=here, finish=True), "a replay tells the same"

    starts, ends = [e for e in events if e.phase == "began"], [e for e in events if e.phase == "ended"]
    assert len({e.id for e in starts}) == len(starts), "ids are unique"
    assert sorted(e.id for e in ends) == sorted(e.id for e in starts), "every beginning has exactly one end once the recording is over"
    for e in starts:
        seen = [(k * step, now.get(e.subject, 0.0)) for k, now in enumerate(scores)]
        assert any(time == e.start and score >= rule.above for time, score in seen), "no event without a score at the level"
        assert e.time - e.start >= rule.hold - 1e-6
        assert e.start <= e.peak_time <= e.time
        assert e.peak >= rule.above
    by_id = {e.id: e for e in starts}
    for e in ends:
        assert e.time >= by_id[e.id].time
        assert e.peak >= by_id[e.id].peak
    for subject in {e.subject for e in events}:
        mine = [e for e in events if e.subject == subject]
        assert [e.phase for e in mine] == ["began", "ended"] * (len(mine) // 2), "one after the other, never two at once"
        ended = [e.time for e in mine if e.phase == "ended"]
        again = [e.time for e in mine if e.phase == "began"][1:]
        assert all(b - a >= rule.cooldown - 1e-6 for a, b in zip(ended, again, strict=False)), "the cooldown holds"


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"above": 0.3}, "0 < below <= above <= 1"),
        ({"hold": -1}, "hold is a number of seconds, 0 or more"),
        ({"linger": float("nan")}, "linger is a number of seconds"),
        ({"same_place": 2}, "same_place is an overlap"),
    ],
)
def test_a_wrong_option_gets_a_clear_sentence(given_, words):
    with pytest.raises(ValueError, match=words):
        AlarmRule(**given_)


def test_the_defaults_of_a_behaviour_are_taken_and_may_be_overridden():
    class Kind:
        alarm_defaults = {"hold": 3.0, "linger": 0.0}  # noqa: RUF012

    assert AlarmRule.of(Kind()) == AlarmRule(hold=3.0, linger=0.0)
    assert AlarmRule.of(Kind(), hold=1.0) == AlarmRule(hold=1.0, linger=0.0)
    assert AlarmRule.of(object()) == AlarmRule()
