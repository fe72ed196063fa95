"""Staged incidents against alarms: what is a hit, a miss, a false alarm, and how sure the figures are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core import Event, Reason
from pahara.evaluation import Alarm, Incident, alarms_of, by_kind, evaluate_alarms, pooled
from pahara.evaluation.alarms import clopper_pearson, rate_at_most, wilson


def hits(incidents: list[Incident], alarms: list[Alarm]) -> int:
    return len(evaluate_alarms(incidents, alarms, hours=1).hits)


def test_an_alarm_hits_from_one_second_before_to_ten_after_the_start():
    fall = Incident("fall", 100, 102)
    for time, caught in ((98.9, 0), (99, 1), (110, 1), (110.1, 0)):
        assert hits([fall], [Alarm("fall", time)]) == caught, time


def test_a_long_incident_may_be_reported_until_it_ends():
    assert hits([Incident("loitering", 100, 160)], [Alarm("loitering", 159)]) == 1
    assert hits([Incident("loitering", 100, 160)], [Alarm("loitering", 161)]) == 0


def test_another_kind_or_another_place_is_no_hit():
    at_gate = Incident("intrusion", 10, 12, place="gate")
    assert hits([at_gate], [Alarm("running", 11, "gate")]) == 0
    assert hits([at_gate], [Alarm("intrusion", 11, "yard")]) == 0
    assert hits([at_gate], [Alarm("intrusion", 11)]) == 1


def test_one_alarm_cannot_report_two_incidents():
    report = evaluate_alarms([Incident("fall", 10, 11), Incident("fall", 12, 13)], [Alarm("fall", 13)], hours=1)
    assert (len(report.hits), len(report.missed)) == (1, 1)


def test_two_alarms_for_one_incident_are_a_hit_and_a_repeat():
    report = evaluate_alarms([Incident("fall", 10, 11)], [Alarm("fall", 11), Alarm("fall", 14)], hours=1)
    assert (len(report.hits), len(report.false), report.repeats) == (1, 1, 1)
    assert report.precision.value == 0.5


def test_a_short_incident_within_a_long_one_is_not_lost():
    long, short = Incident("fall", 0, 60), Incident("fall", 5, 6)
    assert hits([long, short], [Alarm("fall", 7), Alarm("fall", 50)]) == 2


def test_an_unsure_incident_counts_neither_way():
    doubtful = Incident("running", 10, 12, sure=False)
    for alarms in ([], [Alarm("running", 11)]):
        report = evaluate_alarms([doubtful], alarms, hours=1)
        assert (report.incidents, len(report.false), report.tolerated) == (0, 0, 1)


def test_the_delay_is_from_the_start_to_the_report():
    incidents = [Incident("fall", t, t + 1) for t in (0, 100, 200)]
    report = evaluate_alarms(incidents, [Alarm("fall", t) for t in (1, 102, 206)], hours=2)
    assert report.median_delay == 2
    assert report.p95_delay == pytest.approx(5.6)
    assert report.false_per_hour == 0


def test_no_alarm_in_twelve_hours_bounds_the_rate_by_a_quarter_an_hour():
    report = evaluate_alarms([], [], hours=12)
    assert report.false_per_hour == 0
    assert report.false_per_hour_at_most == pytest.approx(3 / 12, rel=0.002)
    assert np.isnan(report.recall.value)


def test_only_the_beginning_of_an_event_is_an_alarm():
    def event(phase: str, time: float) -> Event:
        reason = Reason("loitering.dwell", 1, 1, place="gate")
        return Event("1", "c", "b", "loitering", (1,), phase, 3.0, time, 0.0, 1.0, 3.0, reason, (), (640, 480))

    assert alarms_of([event("began", 5.0), event("ended", 9.0)]) == [Alarm("loitering", 5.0, "gate")]


def test_kinds_are_reported_one_by_one_and_recordings_together():
    incidents = [Incident("fall", 10, 11), Incident("running", 10, 11)]
    alarms = [Alarm("fall", 11), Alarm("tamper", 50)]
    kinds = by_kind(incidents, alarms, hours=1)
    assert {kind: len(report.hits) for kind, report in kinds.items()} == {"fall": 1, "running": 0, "tamper": 0}
    whole = evaluate_alarms(incidents, alarms, hours=1)
    two = pooled([whole, whole])
    assert (len(two.hits), len(two.missed), len(two.false), two.hours) == (2, 2, 2, 2)
    assert pooled(kinds.values()).recall == whole.recall


times = st.floats(0, 300, allow_nan=False)


@given(st.lists(times, max_size=8), st.lists(times, max_size=8))
def test_every_incident_and_every_alarm_is_counted_once(starts, reports):
    incidents = [Incident("fall", t, t + 3) for t in starts]
    alarms = [Alarm("fall", t) for t in reports]
    report = evaluate_alarms(incidents, alarms, hours=1)
    assert len(report.hits) + len(report.missed) == len(incidents)
    assert len(report.hits) + len(report.false) == len(alarms)
    assert all(-1 <= hit.delay <= 10 for hit in report.hits)
    # No better pairing exists: the greedy one is as large as the largest (here by the Hungarian method).
    from scipy.optimize import linear_sum_assignment

    could = np.array([[t - 1 <= r <= t + 10 for r in reports] for t in starts], float).reshape(len(starts), len(reports))
    assert len(report.hits) == int(could[linear_sum_assignment(-could)].sum())


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_intervals_cover_the_true_share_about_as_often_as_they_say(interval):
    rng = np.random.default_rng(0)
    for share in (0.5, 0.9):
        drawn = rng.binomial(30, share, 2000)
        bounds = {k: interval(k, 30) for k in set(drawn.tolist())}
        covered = np.mean([bounds[k].low <= share <= bounds[k].high for k in drawn.tolist()])
        assert covered > 0.92
        assert all(0 <= b.low <= b.value <= b.high <= 1 for b in bounds.values())


def test_the_bound_on_a_rate_falls_with_time_and_rises_with_alarms():
    assert rate_at_most(0, 10) == pytest.approx(0.29957, abs=1e-5)
    assert rate_at_most(3, 10) > rate_at_most(2, 10) > rate_at_most(2, 20)


def test_a_recording_of_no_length_is_refused():
    with pytest.raises(ValueError, match="hours"):
        evaluate_alarms([], [], hours=0)
