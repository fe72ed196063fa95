"""Abandoned and removed objects: bags, their owners, and those who take them."""

from __future__ import annotations

import pytest

from pahara.behaviours import Abandoned, Removed
from pahara.testing.actors import Cast, began, events_of, hidden, leave_a_bag, path, scenes, stand, walk

SPOT = (0.5, 0.8)
BESIDE = (0.53, 0.8)  # where leave_a_bag puts the bag


def alerts(behaviour, actors, *, seconds, fps=5, **options):
    return began(events_of(behaviour, scenes(actors, seconds=seconds, fps=fps, **options)))


def left(drops=8, leaves=10, gone=16, **options):
    owner, bag = leave_a_bag((0.05, 0.8), SPOT, (0.95, 0.8), 0, drops, leaves, gone, **options)
    return {1: owner, 2: bag}


# ---------------------------------------------------------------- abandoned


@pytest.mark.parametrize("fps", [2, 5, 10])
def test_a_bag_whose_owner_walked_away_is_abandoned_after_the_limit(fps):
    (event,) = alerts(Abandoned(seconds=20), left(), seconds=60, fps=fps)
    assert event.subject == (2,)
    assert event.time == pytest.approx(33.2, abs=0.6)  # leaves at 10 s, is 1.5 body heights away 3.2 s later
    assert event.reason.values["thing"] == "suitcase"


def test_a_bag_beside_its_owner_is_not():
    assert alerts(Abandoned(seconds=20), left(leaves=100, gone=106), seconds=90) == []


def test_a_bag_that_is_fetched_in_time_is_not():
    owner = path((0, 0.05, 0.8), (8, *SPOT), (10, *SPOT), (16, 0.9, 0.8), (22, *SPOT), (80, *SPOT))
    assert alerts(Abandoned(seconds=20), {1: Cast(owner), 2: left()[2]}, seconds=70) == []


def test_passers_by_do_not_attend_a_bag():
    passing = {10 + i: Cast(walk((0.95, 0.82), (0.05, 0.82), 14 + 5 * i, 24 + 5 * i)) for i in range(6)}
    assert len(alerts(Abandoned(seconds=20), {**left(), **passing}, seconds=60)) == 1


def test_a_friend_who_stays_with_the_bag_attends_it():
    friend = path((2, 0.1, 0.8), (9, 0.45, 0.8), (90, 0.45, 0.8))
    assert alerts(Abandoned(seconds=20), {**left(), 5: Cast(friend)}, seconds=80) == []


def test_an_owner_who_got_a_new_id_still_attends():
    owner = stand(SPOT, 0, 120)
    ids = {1: Cast(hidden(owner, (20, 1e9))), 9: Cast(hidden(owner, (0, 21)))}
    assert alerts(Abandoned(seconds=20), {**ids, 2: Cast(stand(BESIDE, 8, 120, height=0.08, slim=0.8), "suitcase")}, seconds=100) == []


def test_a_bag_that_was_there_before_anyone_came_needs_no_alert_unless_asked_for():
    bag = {2: Cast(stand(BESIDE, 0, 120, height=0.08, slim=0.8), "suitcase")}
    assert alerts(Abandoned(seconds=20), bag, seconds=60) == []
    assert len(alerts(Abandoned(seconds=20, needs_owner=False), bag, seconds=60)) == 1


def test_a_bag_that_is_carried_about_is_not_abandoned():
    carried = Cast(walk((0.05, 0.8), (0.95, 0.8), 0, 60, height=0.08), "suitcase")
    assert alerts(Abandoned(seconds=20, needs_owner=False), {2: carried}, seconds=60) == []


def test_the_same_bag_under_new_ids_is_one_alert():
    owner, bag = left()[1], left()[2].play
    ids = {i + 2: Cast(hidden(bag, (0, 30.0 * i), (30.0 * (i + 1) - 1.5, 1e9)), "suitcase") for i in range(6)}
    assert len(alerts(Abandoned(seconds=20), {1: owner, **ids}, seconds=170)) == 1


def test_a_bag_left_for_long_is_one_event():
    assert len(alerts(Abandoned(seconds=20), left(), seconds=400, fps=3, jitter=0.01, memory=Abandoned(seconds=20).memory)) == 1


# ---------------------------------------------------------------- removed


def standing_bag(until, *, begin=0.0):
    return Cast(stand(BESIDE, begin, until, height=0.08, slim=0.8), "suitcase")


def thief(at):
    return Cast(path((at - 6, 0.05, 0.8), (at - 0.5, 0.5, 0.8), (at + 0.5, 0.5, 0.8), (at + 6, 0.95, 0.8)))


@pytest.mark.parametrize("fps", [2, 5, 10])
def test_a_bag_that_someone_takes_is_removed(fps):
    events = events_of(Removed(seconds=20), scenes({1: standing_bag(40), 2: thief(40)}, seconds=80, fps=fps))
    assert [e.phase for e in events] == ["began", "ended"]
    assert events[0].subject == (1,)
    assert 45 <= events[0].time <= 48.5
    assert events[0].boxes, "the event shows where the thing was"


def test_a_bag_hidden_behind_someone_is_not_removed():
    blocker = path((30, 0.05, 0.8), (38, 0.53, 0.82), (70, 0.53, 0.82), (78, 0.95, 0.8))
    hidden_bag = Cast(hidden(stand(BESIDE, 0, 120, height=0.08, slim=0.8), (37.5, 70.5)), "suitcase")
    assert alerts(Removed(seconds=20), {1: hidden_bag, 2: Cast(blocker)}, seconds=90) == []


def test_a_bag_the_detector_loses_and_finds_again_is_not_removed():
    again = {1: standing_bag(40), 3: standing_bag(100, begin=43), 2: thief(40)}
    assert alerts(Removed(seconds=20), again, seconds=90) == []


def test_a_bag_nobody_was_near_has_only_been_lost_by_the_detector():
    assert alerts(Removed(seconds=20), {1: standing_bag(40)}, seconds=80) == []
    assert len(alerts(Removed(seconds=20, radius=0), {1: standing_bag(40)}, seconds=80)) == 1


def test_a_bag_put_down_for_a_moment_is_not_removed():
    assert alerts(Removed(seconds=20), {1: standing_bag(40, begin=30), 2: thief(40)}, seconds=80) == []


def test_a_bag_that_is_seen_being_carried_off_is_removed():
    carried = Cast(path((0, *BESIDE), (40, *BESIDE), (46, 0.97, 0.8), height=0.08, slim=0.8), "suitcase")
    assert len(alerts(Removed(seconds=20), {1: carried, 2: thief(40)}, seconds=80)) == 1


def test_a_bag_that_wobbles_while_it_is_lifted_is_removed_all_the_same():
    x, y = BESIDE
    lifted = path((0, x, y), (40, x, y), (40.4, x + 0.05, y), (40.8, x, y), (41.2, x, y), (47, 0.97, 0.8), height=0.08, slim=0.8)
    assert len(alerts(Removed(seconds=20), {1: Cast(lifted, "suitcase"), 2: thief(41)}, seconds=80)) == 1


def test_a_bag_that_is_lifted_and_put_back_is_not_removed():
    x, y = BESIDE
    looked_at = path((0, x, y), (40, x, y), (41, x + 0.08, y), (42, x, y), (80, x, y), height=0.08, slim=0.8)
    assert alerts(Removed(seconds=20), {1: Cast(looked_at, "suitcase"), 2: thief(41)}, seconds=80) == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Abandoned(radius=0), "abandoned: radius must be more than 0"),
        (lambda: Abandoned(labels="bag"), "abandoned: labels is a list"),
        (lambda: Removed(gone=0), "removed: gone"),
        (lambda: Removed(radius=-1), "removed: radius must be 0 or more"),
    ],
)
def test_a_wrong_option_gets_a_clear_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
