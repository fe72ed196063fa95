"""One budget for rules and learned alarms: the important ones are told, and what is held back is not lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.alarms import UNSPENT, AlarmBudget, BudgetState
from pahara.core import Event, Reason, event_id

HOUR, DAY = 3600.0, 86400.0
EPOCH = 1_700_000_000.0


def event(behaviour, time, *, phase="began", peak=0.6, start=None):
    start = time if start is None else start
    return Event(
        id=event_id("gate", behaviour, (1,), EPOCH + start), camera="gate", behaviour=behaviour, kind=behaviour, subject=(1,), phase=phase,
        start=start, time=time, epoch=EPOCH, peak=peak, peak_time=time, reason=Reason("x", 1, 1), boxes=(), size=(640, 360),
    )  # fmt: skip


def play(budget, alarms, state=UNSPENT):
    """alarms: (seconds, behaviour), one step each -> state, [(behaviour, told, why)]."""
    told = []
    for time, behaviour in alarms:
        state, decisions = budget.step(state, [event(behaviour, time)], time=EPOCH + time)
        told += [(d.event.behaviour, d.told, d.why) for d in decisions]
    return state, told


def test_three_a_day_tells_three_and_keeps_the_fourth_quietly():
    state, told = play(AlarmBudget(3), [(k * HOUR, "unusual") for k in range(5)])
    assert [t for _, t, _ in told] == [True, True, True, False, False]
    assert told[-1][2] == "spent"
    assert (state.told, state.held) == (3, 2)


def test_the_next_day_there_is_room_again():
    _, told = play(AlarmBudget(1), [(0, "unusual"), (23 * HOUR, "unusual"), (25 * HOUR, "unusual")])
    assert [t for _, t, _ in told] == [True, False, True]


def test_one_a_week_is_one_in_any_seven_days():
    _, told = play(AlarmBudget(1 / 7), [(day * DAY, "unusual") for day in (0, 1, 6, 7.1, 8, 14.3)])
    assert [t for _, t, _ in told] == [True, False, False, True, False, True]


def test_of_two_at_once_the_more_important_one_is_told():
    budget = AlarmBudget(1, first=("intrusion",))
    _, (unusual, intrusion) = budget.step(UNSPENT, [event("unusual", 0, peak=0.9), event("intrusion", 0)], time=EPOCH)
    assert (unusual.told, intrusion.told) == (False, True), "and the decisions come in the order of the events"


def test_room_is_kept_for_what_usually_comes_and_matters_more():
    budget = AlarmBudget(3, first=("intrusion",))
    week = [(day * DAY + 20 * HOUR + k, "intrusion") for day in range(7) for k in (0.0, HOUR)]  # two every evening
    state, _ = play(budget, week)
    morning = 7 * DAY + 22 * HOUR + 60  # yesterday evening's are more than a day ago
    _, told = play(budget, [(morning + k, "unusual") for k in range(3)], state)
    assert [(t, why) for _, t, why in told] == [(True, "room"), (False, "reserved"), (False, "reserved")]


def test_without_important_alarms_in_the_past_the_others_may_have_it_all():
    budget = AlarmBudget(3, first=("intrusion",))
    state, _ = play(budget, [(day * DAY, "unusual") for day in range(7)])
    _, told = play(budget, [(8 * DAY + k, "unusual") for k in range(3)], state)
    assert all(t for _, t, _ in told)


def test_what_must_always_be_told_is_told_and_counts():
    budget = AlarmBudget(2, always=("falling",))
    _, told = play(budget, [(k, "falling") for k in range(4)] + [(10, "unusual")])
    assert [(name, t, why) for name, t, why in told] == [("falling", True, "always")] * 4 + [("unusual", False, "spent")]


def test_the_end_of_an_event_is_told_when_its_beginning_was():
    budget = AlarmBudget(1)
    state, _ = play(budget, [(0, "a"), (10, "b")])
    ends = [event("a", 20, phase="ended", start=0), event("b", 20, phase="ended", start=10)]
    state, decisions = budget.step(state, ends, time=EPOCH + 20)
    assert [d.told for d in decisions] == [True, False]
    assert not state.quiet
    assert (state.told, state.held) == (1, 1), "an end is no alarm of its own"


def test_the_realised_rate_stands_beside_the_budget():
    budget = AlarmBudget(2)
    state, _ = play(budget, [(day * DAY + k * HOUR, "unusual") for day in range(10) for k in range(3)])
    realised = budget.realised(state, time=EPOCH + 10 * DAY - HOUR)
    assert realised.told == pytest.approx(2)
    assert realised.held == pytest.approx(1)
    assert realised.ratio == pytest.approx(1)
    assert realised.days == pytest.approx(7)


def test_before_anything_happened_nothing_is_realised():
    assert AlarmBudget(2).realised(UNSPENT, time=EPOCH).told == 0


def test_a_restart_goes_on_with_what_the_store_kept():
    budget = AlarmBudget(3, first=("intrusion",))
    state, _ = play(budget, [(k * HOUR, ("intrusion", "unusual")[k % 2]) for k in range(8)])
    again = BudgetState.of(state.began, reversed(state.alarms), state.quiet)
    for k in range(8, 60):
        now = [event("unusual", k * HOUR)]
        state, before = budget.step(state, now, time=EPOCH + k * HOUR)
        again, after = budget.step(again, now, time=EPOCH + k * HOUR)
        assert before == after


@pytest.mark.parametrize(
    "wrong", [{"per_day": 0}, {"per_day": float("inf")}, {"per_day": 1, "first": "intrusion"}, {"per_day": 1, "first": ("a", "a")}]
)
def test_a_budget_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueError):
        AlarmBudget(**wrong)


alarms = st.lists(st.tuples(st.floats(0, 40 * HOUR), st.sampled_from(["fall", "rule", "unusual", "other"])), max_size=60)


@settings(deadline=None)
@given(alarms, st.sampled_from([0.2, 0.5, 1.0, 2.5, 6.0]))
def test_no_day_brings_more_than_the_budget_and_every_alarm_is_decided_once(found, per_day):
    budget = AlarmBudget(per_day, first=("fall", "rule"))
    times, state, told = 0.0, UNSPENT, []
    for gap, name in found:
        times += gap
        state, (decision,) = budget.step(state, [event(name, times)], time=EPOCH + times)
        told += [times] if decision.told else []
    assert state.told + state.held == len(found)
    assert state.told == len(told)
    for time in told:
        assert sum(time - budget.period + 1 < other <= time for other in told) <= budget.most


@settings(deadline=None)
@given(alarms)
def test_who_matters_more_is_never_held_back_where_a_lesser_one_would_be_told(found):
    budget = AlarmBudget(2, first=("fall", "rule"))
    times, state = 0.0, UNSPENT
    for gap, name in found:
        times += gap
        room = [budget.left(state, each, time=EPOCH + times) for each in ("fall", "rule", "unusual")]
        assert room == sorted(room, reverse=True)
        before = state
        state, _ = budget.step(state, [event(name, times)], time=EPOCH + times)
        assert budget.step(before, [event(name, times)], time=EPOCH + times)[0] == state, "the same state gives the same answer"
