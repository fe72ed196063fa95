"""Someone goes through a line: each crossing once, and nothing that is no crossing."""

from __future__ import annotations

import pytest

from pahara.behaviours import Crossing
from pahara.core import Tripwire
from pahara.testing.actors import (
    Cast,
    began,
    cut_below,
    displaced,
    events_of,
    first_then,
    hidden,
    path,
    run,
    scenes,
    stand,
    walk,
)  # fmt: skip

# Drawn from top to bottom: who walks to the left goes from the left hand to the right hand (forward).
LINE = Tripwire("gate", (0.5, 0.4), (0.5, 0.9))
LEFT, RIGHT = (0.2, 0.7), (0.8, 0.7)


def crossings(actor, *, seconds=20.0, direction="both", line=LINE, **options):
    events = events_of(Crossing(line, direction), scenes({1: actor}, seconds=seconds, **options))
    assert len({e.id for e in began(events)}) == len(began(events))
    assert len(events) == 2 * len(began(events)), "every crossing that began has ended"
    return [e.reason.code.removeprefix("crossing.") for e in began(events)]


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
def test_walking_through_the_line_is_one_crossing_in_its_direction(fps):
    assert crossings(walk(RIGHT, LEFT, 1, 9), fps=fps) == ["forward"]
    assert crossings(walk(LEFT, RIGHT, 1, 9), fps=fps) == ["backward"]


def test_only_the_wanted_direction_counts():
    assert crossings(walk(RIGHT, LEFT, 1, 9), direction="backward") == []
    assert crossings(walk(RIGHT, LEFT, 1, 9), direction="forward") == ["forward"]


def test_a_flicker_of_one_frame_is_no_crossing():
    for fps in (2, 10, 25):
        flicker = displaced(stand((0.46, 0.7), 0, 20), 10, 10 + 0.9 / fps, 0.08, 0)
        assert crossings(flicker, fps=fps) == []


def test_a_flicker_on_the_line_does_not_double_a_true_crossing():
    walker = displaced(walk(RIGHT, LEFT, 1, 9), 5.4, 5.5, 0.1, 0)
    assert crossings(walker) == ["forward"]


def test_touching_the_line_and_turning_back_is_none():
    assert crossings(path((0, *RIGHT), (6, 0.5, 0.7), (8, 0.5, 0.7), (14, *RIGHT))) == []
    assert crossings(path((0, *RIGHT), (6, 0.495, 0.7), (12, *RIGHT))) == []


def test_standing_on_the_line_with_a_trembling_box_is_none():
    assert crossings(stand((0.5, 0.7), 0, 60), seconds=60, jitter=0.02) == []


def test_waiting_on_the_line_for_a_minute_and_going_on_is_one():
    assert crossings(path((0, *RIGHT), (5, 0.5, 0.7), (25, 0.5, 0.7), (30, *LEFT)), seconds=35, jitter=0.01) == ["forward"]


def test_passing_beyond_the_ends_of_the_line_is_none():
    assert crossings(walk((0.8, 0.95), (0.2, 0.95), 1, 9)) == []
    assert crossings(walk((0.8, 0.35), (0.2, 0.35), 1, 9)) == []


def test_walking_around_the_end_and_back_through_the_line_is_one():
    around = path((0, 0.6, 0.7), (3, 0.6, 0.97), (6, 0.4, 0.97), (9, 0.4, 0.7), (12, 0.7, 0.7))
    assert crossings(around) == ["backward"]


def test_there_and_back_are_two():
    assert crossings(path((0, *RIGHT), (5, *LEFT), (10, *RIGHT))) == ["forward", "backward"]


@pytest.mark.parametrize("fps", [5, 10, 25])
def test_a_quick_there_and_back_are_two(fps):
    assert crossings(path((0, 0.6, 0.7), (1, 0.4, 0.7), (2, 0.6, 0.7), (3, 0.4, 0.7), (6, 0.4, 0.7)), fps=fps) == [
        "forward",
        "backward",
        "forward",
    ]


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.2, 0.3, 0.4])
def test_a_sprinter_at_two_frames_a_second_still_counts(shift):
    assert crossings(run((0.95, 0.7), (0.05, 0.7), 1 + shift, speed=4.0), fps=2) == ["forward"]


def test_two_people_one_second_apart_at_the_same_place_are_two_events():
    people = {1: walk(RIGHT, LEFT, 1, 9), 2: walk(RIGHT, LEFT, 2, 10)}
    events = began(events_of(Crossing(LINE), scenes(people, seconds=15)))
    assert [e.subject for e in events] == [(1,), (2,)]
    assert events[1].time - events[0].time == pytest.approx(1.0, abs=0.11)


def test_a_crossing_out_of_sight_counts_when_the_person_is_seen_again():
    assert crossings(hidden(walk(RIGHT, LEFT, 1, 9), (4.3, 5.8)), patience=3) == ["forward"]


def test_leaving_the_picture_right_behind_the_line_counts():
    assert crossings(hidden(walk(RIGHT, LEFT, 1, 9), (5.6, 20)), fps=10, patience=0.5) == ["forward"]


def test_an_identity_that_jumps_across_the_line_has_not_crossed():
    jump = first_then(stand((0.8, 0.7), 0, 20), stand((0.2, 0.7), 0, 20), 8)
    assert crossings(jump) == []


def test_legs_that_vanish_behind_a_car_are_no_step_over_the_line():
    line = Tripwire("kerb", (0.1, 0.65), (0.9, 0.65))
    assert crossings(cut_below(walk((0.3, 0.7), (0.7, 0.7), 0, 12), 4, 6), line=line) == []
    assert crossings(cut_below(walk((0.3, 0.7), (0.7, 0.7), 0, 12), 0, 6), line=line) == []


def test_a_bag_is_not_a_person():
    events = events_of(Crossing(LINE), scenes({1: Cast(walk(RIGHT, LEFT, 1, 9), "suitcase")}, seconds=12))
    assert events == []
    assert began(events_of(Crossing(LINE, labels=("suitcase",)), scenes({1: Cast(walk(RIGHT, LEFT, 1, 9), "suitcase")}, seconds=12)))


def test_the_event_tells_line_time_and_box():
    (event,) = began(events_of(Crossing(LINE), scenes({4: walk(RIGHT, LEFT, 1, 9)}, seconds=12, epoch=1e9)))
    assert event.place == "gate"
    assert event.subject == (4,)
    assert event.time == pytest.approx(5.4, abs=0.3)  # the line after 4 s, a tenth of a body height beyond, a quarter of a second
    (box,) = event.boxes
    assert (box[0] + box[2]) / 2 < 320


@pytest.mark.parametrize("wrong", [{"direction": "up"}, {"margin": 0}, {"seconds": -1}, {"labels": "person"}, {"fastest": float("nan")}])
def test_a_wrong_option_gets_a_clear_sentence(wrong):
    with pytest.raises(ValueError, match=f"crossing: {next(iter(wrong))}"):
        Crossing(LINE, **wrong)
