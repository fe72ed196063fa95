"""When a rule is on."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.behaviours import ALWAYS, Hours, Schedule


def on(schedule, told, zone="UTC"):
    return schedule.on(datetime.fromisoformat(told).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_without_windows_it_is_always_on():
    assert ALWAYS.on(0)
    assert ALWAYS.on(1.8e9)


def test_office_hours_end_on_the_minute():
    office = Schedule((Hours(("mon-fri",), "09:00", "17:00"),), "UTC")
    assert not on(office, "2026-01-05 08:59:59")
    assert on(office, "2026-01-05 09:00:00")
    assert on(office, "2026-01-09 16:59:59")
    assert not on(office, "2026-01-09 17:00:00")
    assert not on(office, "2026-01-10 12:00:00")


def test_a_night_belongs_to_the_day_it_starts_on():
    night = Schedule((Hours(("sun",), "22:00", "06:00"),), "UTC")
    assert on(night, "2026-01-11 23:00")  # Sunday
    assert on(night, "2026-01-12 05:59")  # Monday morning
    assert not on(night, "2026-01-12 06:00")
    assert not on(night, "2026-01-11 05:00")  # Sunday morning


def test_the_hours_are_those_of_the_place():
    morning = Schedule((Hours(start="06:00", end="09:00"),), "Asia/Dhaka")
    assert on(morning, "2026-01-05 07:00", "Asia/Dhaka")
    assert on(morning, "2026-01-05 01:00", "UTC")
    assert not on(morning, "2026-01-05 07:00", "UTC")


def test_summer_time_moves_with_the_clock():
    noon = Schedule((Hours(start="12:00", end="13:00"),), "Europe/Berlin")
    assert on(noon, "2026-01-05 11:30", "UTC")
    assert on(noon, "2026-07-05 10:30", "UTC")
    assert not on(noon, "2026-07-05 11:30", "UTC")


def test_several_windows_add_up_and_ranges_may_wrap_the_week():
    schedule = Schedule((Hours(("fri-sun",), "10:00", "11:00"), Hours(("sat-mon",), "20:00", "24:00")), "UTC")
    assert on(schedule, "2026-01-09 10:30")
    assert on(schedule, "2026-01-12 23:59")
    assert not on(schedule, "2026-01-12 10:30")
    assert not on(schedule, "2026-01-09 20:30")


def test_the_same_start_and_end_is_the_whole_day():
    friday = Schedule((Hours(("fri",), "06:00", "06:00"),), "UTC")
    assert on(friday, "2026-01-09 06:00")
    assert on(friday, "2026-01-10 05:59")
    assert not on(friday, "2026-01-10 06:00")


@given(st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 7 * 1440 - 1))
def test_a_window_holds_exactly_its_minutes(day, start, end, minute):
    hours = Hours(
        (("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day],), f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}"
    )
    length = (end - start) % 1440 or 1440
    inside = (minute - day * 1440 - start) % (7 * 1440) < length
    assert Schedule((hours,), "UTC").on(1_767_571_200 + 60 * minute) == inside


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Hours(("someday",)), "no day of the week in 'someday'"),
        (lambda: Hours(()), "at least one day"),
        (lambda: Hours(start="9"), "no time of day in '9'"),
        (lambda: Hours(start="25:00"), "later than"),
        (lambda: Hours(end="12:60"), "no time of day"),
        (lambda: Schedule((), "Asia/Dacca_"), "no time zone named 'Asia/Dacca_'"),
    ],
)
def test_a_wrong_time_gets_a_clear_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
