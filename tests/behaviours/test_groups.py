"""Crowding and tailgating: what several people do together."""

from __future__ import annotations

import pytest

from pahara.behaviours import Crowding, Tailgating
from pahara.core import Tripwire, Zone
from pahara.testing.actors import began, events_of, scenes, stand, walk

SQUARE = Zone("square", ((0.2, 0.3), (0.8, 0.3), (0.8, 0.95), (0.2, 0.95)))
DOOR = Tripwire("door", (0.5, 0.4), (0.5, 0.9))


def alerts(behaviour, actors, **options):
    return began(events_of(behaviour, scenes(actors, **options)))


def people(n, *, apart=0.06, y=0.8):
    return {i: stand((0.22 + apart * i, y), 2.0, 60) for i in range(n)}


def test_a_crowd_is_counted_in_the_zone_only():
    (event,) = alerts(Crowding(SQUARE, people=6), people(6), seconds=30)
    assert event.subject == ()
    assert event.reason.measured == 6
    assert event.time == pytest.approx(4.0, abs=0.11)  # all there at 2 s, held for 2 s
    outside = {i: stand((0.05, 0.8), 2.0, 60) for i in range(10, 14)}
    assert alerts(Crowding(SQUARE, people=6), {**people(5), **outside}, seconds=30) == []


def test_a_crowd_with_missed_sightings_is_one_event():
    assert len(alerts(Crowding(SQUARE, people=6), people(7), seconds=60, gaps=0.3, jitter=0.03)) == 1


def test_people_apart_are_no_group():
    spread = people(6, apart=0.1)  # 0.71 body heights from one to the next
    assert alerts(Crowding(SQUARE, people=5, within=0.5), spread, seconds=20) == []
    (event,) = alerts(Crowding(SQUARE, people=5, within=0.8), spread, seconds=20)
    assert event.reason.code == "crowding.group"


def test_two_small_groups_are_not_one_large_one():
    groups = {**people(3, apart=0.03), **{i + 10: stand((0.7 + 0.03 * i, 0.8), 2, 60) for i in range(3)}}
    *_, scene = scenes(groups, seconds=5)
    assert Crowding(SQUARE, people=5, within=0.6).count(scene) == 3


# ---------------------------------------------------------------- tailgating


def through(begin, *, way=1):
    a, b = ((0.2, 0.7), (0.8, 0.7))[::way]
    return walk(a, b, begin, begin + 8)


@pytest.mark.parametrize("fps", [3, 10, 25])
def test_the_second_through_the_door_right_behind_the_first_tailgates(fps):
    (event,) = alerts(Tailgating(DOOR, seconds=2), {7: through(0), 3: through(1)}, seconds=12, fps=fps)
    assert event.subject == (3, 7)
    assert event.reason.measured == pytest.approx(1.0, abs=1 / fps)


def test_with_time_between_them_nobody_tailgates():
    assert alerts(Tailgating(DOOR, seconds=2), {1: through(0), 2: through(4)}, seconds=16) == []


def test_passing_each_other_in_the_door_is_no_tailgating():
    assert alerts(Tailgating(DOOR, seconds=2), {1: through(0), 2: through(0.5, way=-1)}, seconds=12) == []


def test_one_alone_going_to_and_fro_does_not_tailgate():
    events = alerts(Tailgating(DOOR, seconds=20), {1: through(0)}, seconds=12)
    assert events == []


def test_three_in_a_row_are_two_tailgaters():
    events = alerts(Tailgating(DOOR, seconds=2), {1: through(0), 2: through(1), 3: through(2.2)}, seconds=14)
    assert [e.subject for e in events] == [(1, 2), (2, 3)]


def test_the_first_may_be_out_of_the_picture_when_the_second_follows():
    first = walk((0.2, 0.7), (0.56, 0.7), 0, 4)
    assert len(alerts(Tailgating(DOOR, seconds=4), {1: first, 2: through(2.5)}, seconds=14, patience=0.3)) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Crowding(people=1), "people must be a whole number, 2 or more"),
        (lambda: Crowding(within=-1), "crowding: within"),
        (lambda: Tailgating(DOOR, seconds=0), "tailgating: seconds"),
        (lambda: Tailgating(DOOR, direction="in"), "tailgating: direction"),
    ],
)
def test_a_wrong_option_gets_a_clear_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
