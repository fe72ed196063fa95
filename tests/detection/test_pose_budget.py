"""Looks at people are shared out: never more than were granted, the new first, the suspicious often, nobody forgotten."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.detection.pose_budget import CLOSE, NOBODY_YET, PATIENT, PoseBudget

RATES = st.one_of(st.integers(1, 30).map(float), st.floats(0.2, 30))
BEAT = 0.1


@st.composite
def evenings(draw: st.DrawFn) -> list[tuple[float, list[int], dict[int, float]]]:
    """Beats with gaps; people come and go; some are suspicious."""
    time, made = draw(st.floats(0, 1e6)), []
    for _ in range(draw(st.integers(1, 80))):
        ids = draw(st.lists(st.integers(1, 12), unique=True, max_size=8))
        made.append((time, ids, {one: draw(st.floats(0, 1)) for one in ids if one % 3 == 0}))
        time += draw(st.sampled_from([0.1, 0.1, 0.1, 0.04, 0.2, 1.3, 60.0]))
    return made


def run(budget: PoseBudget, evening, **more):
    """-> [(time, id)] of every look."""
    state, looks = NOBODY_YET, []
    for time, ids, suspicion in evening:
        chosen, state = budget.choose(state, time, ids, suspicion, **more)
        assert set(chosen) <= set(ids)
        assert len(set(chosen)) == len(chosen)
        looks += [(time, one) for one in chosen]
    return looks


def steady(seconds: float, ids: list[int], suspicion: dict[int, float] | None = None, beat: float = BEAT):
    return [(n * beat, ids, suspicion or {}) for n in range(round(seconds / beat))]


@given(RATES, evenings())
@settings(max_examples=80, deadline=None)
def test_in_no_second_are_there_more_looks_than_were_granted(rate, evening):
    times = [time for time, _ in run(PoseBudget(rate), evening)]
    for begin in times:
        within = [time for time in times if begin <= time < begin + 1 - 1e-5]
        assert len(within) <= -(-rate // 1)
    if len(times) > 1:
        assert len(times) <= rate * (times[-1] - times[0]) + max(1.0, rate) + rate / 2 + 1e-3


@given(RATES, evenings())
@settings(max_examples=50, deadline=None)
def test_the_same_evening_gives_the_same_looks(rate, evening):
    assert run(PoseBudget(rate), evening) == run(PoseBudget(rate), evening)


@given(RATES, evenings())
@settings(max_examples=50, deadline=None)
def test_nobody_is_looked_at_again_while_a_newcomer_waits(rate, evening):
    budget, state, seen = PoseBudget(rate), NOBODY_YET, set[int]()
    for time, ids, suspicion in evening:
        seen &= set(ids)
        chosen, state = budget.choose(state, time, ids, suspicion)
        again = [one for one in chosen if one in seen]
        seen |= set(chosen)
        if again:
            assert set(ids) <= seen


@given(st.integers(1, 15).map(float), st.integers(1, 12), st.lists(st.integers(1, 12), max_size=4), st.sampled_from([0.04, 0.1, 0.14]))
@settings(max_examples=30, deadline=None)
def test_nobody_starves_however_suspicious_the_others_are(rate, people, suspects, beat):
    ids = list(range(1, people + 1))
    looks = run(PoseBudget(rate), steady(40.0, ids, dict.fromkeys(suspects, 0.9), beat))
    longest = (PATIENT + 2) * people / rate + 2 * beat
    for one in ids:
        times = [0.0, *(time for time, who in looks if who == one), 40.0]
        assert max(b - a for a, b in pairwise(times)) <= longest + 1.0


def test_what_is_granted_is_used():
    for rate in (1.0, 2.5, 7.0, 10.0, 25.0):
        looks = run(PoseBudget(rate), steady(60.0, list(range(40)), beat=0.04))
        assert len(looks) == pytest.approx(60 * rate, rel=0.03, abs=rate)


def test_looks_are_spread_over_the_second():
    looks = run(PoseBudget(5.0), steady(20.0, [1, 2]))
    gaps = [b - a for (a, _), (b, _) in pairwise(looks[6:])]
    assert max(gaps) <= 0.2 + 1e-6
    assert min(gaps) >= 0.1 - 1e-6


def test_calm_people_take_turns():
    looks = [who for _, who in run(PoseBudget(10.0), steady(30.0, [1, 2, 3]))][30:]
    assert all(set(looks[n : n + 3]) == {1, 2, 3} for n in range(0, len(looks) - 3))


def test_the_most_suspicious_is_looked_at_most():
    looks = run(PoseBudget(10.0), steady(60.0, list(range(1, 11)), {4: 0.9, 7: 0.6, 9: 0.1}))
    times = {one: [time for time, who in looks if who == one] for one in range(1, 11)}
    assert len(times[4]) / 60 == pytest.approx(1 / CLOSE, rel=0.25)
    assert len(times[4]) >= len(times[7]) > 2 * len(times[9])
    assert len(times[9]) == pytest.approx(len(times[1]), abs=3)  # a little is not suspicious


def test_a_crowd_that_comes_in_at_once_is_seen_soon():
    evening = [*steady(5.0, []), *[(5.0 + n * BEAT, list(range(1, 9)), {}) for n in range(30)]]
    looks = run(PoseBudget(10.0), evening)
    assert len({who for time, who in looks if time < 5.05}) == 6  # in advance
    assert {who for time, who in looks if time < 5.45} == set(range(1, 9))


def test_who_was_hidden_for_a_moment_is_not_new():
    budget = PoseBudget(1.0)
    first, state = budget.choose(NOBODY_YET, 0.0, [1, 2])
    assert first == (1,)
    _, state = budget.choose(state, 0.5, [2], alive=[1])
    second, state = budget.choose(state, 1.0, [1, 2])
    assert second == (2,)
    assert set(state.last) == {1, 2}
    _, state = budget.choose(state, 1.5, [2])
    assert set(state.last) == {2}  # forgotten with its track


def test_a_budget_of_nothing_makes_no_sense():
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="per_second"):
            PoseBudget(rate)
