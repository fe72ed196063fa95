"""Timestamps become media time: from 0, strictly increasing, whatever a camera's clock does."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.video.clock import BACKWARD, FILE_GAP, FrameClock, PacketClock, seconds_of, ticks_of

stamps = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=60)


def joined(clock: PacketClock, stamps: list[float], arrivals: list[float] | None = None) -> list[float]:
    return [clock.place(stamp, arrival) for stamp, arrival in zip(stamps, arrivals or stamps, strict=True)]


@given(stamps)
def test_media_time_begins_at_zero_and_strictly_increases(told: list[float | None]) -> None:
    clock = FrameClock(step=0.04)
    times = [time for stamp in told if (time := clock.time(stamp)) is not None]
    assert times[0] == 0.0
    assert all(a < b for a, b in pairwise(times))
    assert len(times) + clock.dropped == len(told), "every frame is either yielded or counted"


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=60), st.booleans())
def test_whatever_a_clock_does_the_joined_times_never_leap_back_or_run_away(told: list[float], live: bool) -> None:
    clock = PacketClock(live=live, step=0.04)
    arrivals = [k * 0.04 for k in range(len(told))]
    times = joined(clock, told, arrivals)
    assert times[0] == 0.0
    for before, after in pairwise(times):
        assert after - before >= -BACKWARD - 0.1
        assert after - before <= (11.0 if live else FILE_GAP) + 2 * BACKWARD


@given(st.lists(st.floats(0.001, 5.0), min_size=1, max_size=60), st.floats(-1e5, 1e5))
def test_a_sound_clock_is_left_alone_whatever_it_starts_at(steps: list[float], start: float) -> None:
    told = [start]
    for step in steps:
        told.append(told[-1] + step)
    times = joined(PacketClock(live=False, step=0.04), told)
    assert times == pytest.approx([stamp - start for stamp in told], abs=1e-6)


def test_frames_of_a_clock_that_stood_still_or_ran_back_a_little_are_dropped_and_counted() -> None:
    clock = FrameClock(step=0.1)
    assert [clock.time(t) for t in (5.0, 5.1, 5.1, 5.05, 5.2)] == [0.0, 0.1, None, None, 0.2]
    assert clock.dropped == 2


def test_a_frame_without_timestamp_is_estimated_from_the_pace_so_far() -> None:
    clock = FrameClock(step=0.04)
    for k in range(16):
        clock.time(k * 0.1)
    assert clock.time(None) == pytest.approx(1.6)


def test_a_camera_that_sets_its_clock_back_an_hour_goes_on_where_our_clock_stands() -> None:
    clock = PacketClock(live=True, step=0.04)
    assert joined(clock, [4000.0, 4000.5], [100.0, 100.5]) == [0.0, 0.5]
    assert clock.place(400.0, 101.0) == pytest.approx(1.0)
    assert clock.place(400.5, 101.5) == pytest.approx(1.5)
    assert clock.resets == 1


def test_a_camera_that_gets_the_date_right_after_its_first_seconds_does_not_jump_fifty_years() -> None:
    clock = PacketClock(live=True, step=0.04)
    assert joined(clock, [5.0, 5.5, 1.7e9, 1.7e9 + 0.5], [100.0, 100.5, 101.0, 101.5]) == pytest.approx([0.0, 0.5, 1.0, 1.5])


def test_a_real_hole_in_a_file_stays_a_hole() -> None:
    times = joined(PacketClock(live=False, step=0.1), [0.0, 0.1, 600.0])
    assert times == [0.0, 0.1, 600.0]


def test_a_reset_inside_a_file_goes_on_one_frame_later() -> None:
    assert joined(PacketClock(live=False, step=0.1), [50.0, 50.1, 3.0, 3.1]) == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_stall_of_the_network_is_no_reset() -> None:
    clock = PacketClock(live=True, step=0.1)
    assert joined(clock, [0.0, 0.1, 0.2, 0.3], [10.0, 17.0, 17.0, 17.0]) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert clock.resets == 0


def test_a_thousand_reconnects_do_not_add_up_to_an_error() -> None:
    clock = PacketClock(live=True, step=0.04)
    now = 1000.0
    clock.place(0.0, now)
    for _ in range(1000):
        clock.new_stretch()
        now += 60.0
        time = clock.place(77.0, now)  # every connection begins at another time of its own
        clock.place(77.04, now + 0.3)  # … and its second packet comes late
    assert time == pytest.approx(60_000.0, abs=0.01)


@given(st.integers(-(2**40), 2**40), st.integers(1, 100_000), st.integers(1, 10_000_000))
def test_ticks_and_seconds_are_those_of_exact_fractions(ticks: int, above: int, below: int) -> None:
    base = Fraction(above, below)
    assert seconds_of(ticks, base) == float(ticks * base)
    assert ticks_of(seconds_of(ticks, base), base) == round(seconds_of(ticks, base) / base)
