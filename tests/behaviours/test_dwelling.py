"""Intrusion and loitering: being in a place where, when or for longer than one should."""

from __future__ import annotations

import pytest

from pahara.behaviours import Hours, Intrusion, Loitering, Schedule
from pahara.core import EVERYWHERE, Zone
from pahara.testing.actors import began, events_of, hidden, path, scenes, stand, walk

GATE = Zone("gate", ((0.4, 0.4), (0.6, 0.4), (0.6, 0.8), (0.4, 0.8)))
MONDAY = 1_767_571_200.0  # 2026-01-05 00:00 UTC
HOUR = 3600.0


def alerts(behaviour, actors, **options):
    actors = actors if isinstance(actors, dict) else {1: actors}
    return began(events_of(behaviour, scenes(actors, **options)))


# ---------------------------------------------------------------- loitering


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
def test_loitering_begins_after_the_limit_at_any_frame_rate(fps):
    events = events_of(Loitering(GATE, seconds=20), scenes({1: walk((0.5, 0.6), (0.51, 0.6), 1, 40)}, seconds=60, fps=fps))
    start, end = events
    assert (start.phase, end.phase) == ("began", "ended")
    assert start.time == pytest.approx(21, abs=1 / fps + 0.01)
    assert end.time == pytest.approx(40 + 1 + 3, abs=2 / fps + 0.11)  # last seen, patience of the tracker, linger
    assert end.reason.measured == pytest.approx(39, abs=1 / fps + 0.01)
    assert start.reason.limit == 20
    assert start.place == "gate"


def test_walking_past_the_gate_is_not_loitering():
    assert alerts(Loitering(GATE, seconds=20), walk((0, 0.6), (1, 0.6), 0, 60), seconds=62) == []


def test_a_short_step_outside_does_not_break_the_stay_a_long_one_does():
    def stays(away):
        return path((0, 0.5, 0.6), (15, 0.5, 0.6), (15.2, 0.7, 0.6), (15.2 + away, 0.7, 0.6), (15.4 + away, 0.5, 0.6), (31, 0.5, 0.6))

    assert len(alerts(Loitering(GATE, seconds=20, grace=2), stays(1.0), seconds=31)) == 1
    assert alerts(Loitering(GATE, seconds=20, grace=2), stays(4.0), seconds=31) == []


def test_pacing_about_inside_is_loitering_too():
    pacing = path(*((3.0 * i, 0.43 + 0.14 * (i % 2), 0.6) for i in range(12)))
    assert len(alerts(Loitering(GATE, seconds=20), pacing, seconds=34, jitter=0.01)) == 1


def test_hidden_for_seconds_and_back_is_one_stay():
    assert len(alerts(Loitering(GATE, seconds=20), hidden(stand((0.5, 0.6), 0, 40), (10, 14)), seconds=40, patience=6)) == 1


def test_a_stay_of_ten_minutes_is_one_event():
    events = alerts(Loitering(GATE, seconds=30), stand((0.5, 0.6), 0, 600), seconds=600, fps=4, jitter=0.01)
    assert len(events) == 1


def test_a_stay_longer_than_the_memory_still_counts():
    behaviour = Loitering(GATE, seconds=30)
    *_, scene = scenes({1: stand((0.5, 0.6), 0, 300)}, seconds=300, fps=5, memory=behaviour.memory)
    assert behaviour(scene)[(1,)] >= 0.6


def test_a_motion_gate_that_spares_the_detector_does_not_end_a_stay():
    # A standing person is looked at every 5 s only; meanwhile the track is alive but unseen.
    blinks = hidden(stand((0.5, 0.6), 0, 120), *((t + 0.15, t + 5.0) for t in range(5, 120, 5)))
    for behaviour in (Loitering(GATE, seconds=20), Intrusion(GATE)):
        events = events_of(behaviour, scenes({1: blinks}, seconds=110, patience=10, memory=60))
        assert [e.phase for e in events] == ["began", "ended"]
        assert events[1].time == pytest.approx(110)


def test_the_whole_picture_is_a_zone_too():
    assert len(alerts(Loitering(EVERYWHERE, seconds=10), walk((0.1, 0.9), (0.9, 0.9), 0, 15), seconds=20)) == 1


# ---------------------------------------------------------------- one alert per stationary episode


def test_a_new_id_for_the_same_sleeper_is_no_new_alert():
    sleeper = stand((0.5, 0.6), 0, 300, slim=2.0, height=0.1)
    ids = {i: hidden(sleeper, (0, 40.0 * i), (40.0 * (i + 1) - 1, 1e9)) for i in range(6)}
    events = events_of(Loitering(GATE, seconds=15), scenes(ids, seconds=260, fps=5, jitter=0.01))
    assert [e.phase for e in events] == ["began", "ended"]
    assert events[1].time - events[0].time > 200, "the event went on under the new ids"


def test_someone_else_who_walks_up_to_the_same_spot_is_a_new_alert():
    first = path((0, 0.5, 0.6), (30, 0.5, 0.6), (33, 0.9, 0.6))
    second = path((31, 0.1, 0.6), (36, 0.5, 0.6), (70, 0.5, 0.6))
    assert [e.subject for e in alerts(Loitering(GATE, seconds=15), {1: first, 2: second}, seconds=70)] == [(1,), (2,)]


# ---------------------------------------------------------------- intrusion


def test_entering_the_zone_alerts_within_a_second():
    (event,) = alerts(Intrusion(GATE), walk((0.1, 0.6), (0.9, 0.6), 0, 16), seconds=20)
    assert 6.4 <= event.time <= 7.0  # inside from 6 s on


def test_intrusion_at_the_first_sighting_if_wanted():
    (event,) = alerts(Intrusion(GATE, seconds=0), walk((0.1, 0.6), (0.9, 0.6), 0, 16), seconds=20)
    assert event.time == pytest.approx(6.0, abs=0.11)


def test_a_box_that_trembles_over_the_border_for_a_frame_is_no_intrusion():
    assert alerts(Intrusion(GATE), stand((0.38, 0.6), 0, 60), seconds=60, jitter=0.02) == []


def test_two_intruders_through_the_same_door_are_two_alerts():
    first, second = walk((0.1, 0.6), (0.9, 0.6), 0, 16), walk((0.1, 0.6), (0.9, 0.6), 6, 22)
    assert len(alerts(Intrusion(GATE), {1: first, 2: second}, seconds=25)) == 2


def test_a_schedule_decides_when_a_zone_must_be_empty():
    night = Schedule((Hours(("fri", "sat"), "22:00", "06:00"),), "UTC")
    visitor = walk((0.1, 0.6), (0.9, 0.6), 0, 16)

    def at(day, hour):
        return len(alerts(Intrusion(GATE, schedule=night), visitor, seconds=18, epoch=MONDAY + (day * 24 + hour) * HOUR))

    assert [at(4, 21), at(4, 23), at(5, 3), at(5, 12), at(6, 5), at(6, 7), at(0, 23)] == [0, 1, 1, 0, 1, 0, 0]


def test_the_night_begins_while_someone_is_inside():
    night = Schedule((Hours(start="22:00", end="06:00"),), "UTC")
    scene_options = {"seconds": 40, "epoch": MONDAY + 22 * HOUR - 20}
    (event,) = alerts(Intrusion(GATE, schedule=night), stand((0.5, 0.6), 0, 40), **scene_options)
    assert event.time == pytest.approx(20, abs=0.11)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Loitering(GATE, seconds=0), "loitering: seconds must be more than 0"),
        (lambda: Loitering(GATE, grace=-1), "loitering: grace must be 0 or more"),
        (lambda: Loitering(GATE, labels="person"), "list of class names"),
        (lambda: Intrusion(GATE, seconds=float("inf")), "intrusion: seconds"),
    ],
)
def test_a_wrong_option_gets_a_clear_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
