"""Someone goes down fast and stays down."""

from __future__ import annotations

import pytest

from pahara.behaviours import Falling
from pahara.testing.actors import (
    began,
    crouch,
    cut_below,
    events_of,
    fall,
    first_then,
    hidden,
    nearer_is_taller,
    path,
    scenes,
    sit,
    stand,
    walk,
)  # fmt: skip

HERE = (0.5, 0.8)


def alerts(actor, *, seconds=20, behaviour=None, **options):
    return began(events_of(behaviour or Falling(), scenes({1: actor}, seconds=seconds, **options)))


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
def test_a_fall_is_told_after_two_seconds_on_the_ground(fps):
    (event,) = alerts(fall(HERE, 0, 6, 20), fps=fps)
    assert event.time == pytest.approx(8.6, abs=0.7)
    assert event.reason.limit == 2.0


def test_a_fall_is_told_with_trembling_boxes_and_missed_sightings():
    for seed in range(5):
        assert len(alerts(fall(HERE, 0, 6, 20), jitter=0.03, gaps=0.2, seed=seed)) == 1


def test_a_fall_out_of_a_walk_is_told():
    walking, falling = walk((0.2, 0.8), (0.5, 0.8), 0, 6), fall(HERE, 0, 6, 20)
    assert len(alerts(first_then(walking, falling, 6))) == 1


def test_lying_for_minutes_is_one_event_and_getting_up_ends_it():
    events = events_of(Falling(), scenes({1: fall(HERE, 0, 6, 80, rises=40)}, seconds=70, fps=5))
    assert [e.phase for e in events] == ["began", "ended"]
    assert 40 < events[1].time < 47


def test_sitting_down_is_no_fall():
    assert alerts(sit(HERE, 0, 6, 20)) == []
    assert alerts(sit(HERE, 0, 6, 20, takes=0.8)) == []


def test_lying_down_slowly_is_no_fall():
    assert alerts(fall(HERE, 0, 6, 20, takes=5)) == []


def test_picking_up_a_bag_is_no_fall():
    assert alerts(crouch(HERE, 0, 6, 20, rises=8)) == []
    assert alerts(fall(HERE, 0, 6, 20, rises=7.2)) == []


def test_crouching_for_long_is_no_fall():
    assert alerts(crouch(HERE, 0, 6, 20)) == []


def test_walking_out_of_the_picture_is_no_fall():
    down = path((0, 0.5, 0.7), (3, 0.5, 1.0), (8, 0.5, 1.35), height=0.4)

    def cut(time):
        look = down(time)
        if look is None or look.y <= 1.0:
            return look
        seen = max(look.height - (look.y - 1.0), 0.02)
        return type(look)(look.x, 1.0, seen, look.slim * look.height / seen)

    assert alerts(cut) == []


def test_legs_behind_a_desk_are_no_fall():
    assert alerts(cut_below(stand(HERE, 0, 20), 6, 15, 0.6)) == []


def test_walking_away_from_the_camera_is_no_fall():
    assert alerts(path((0, 0.5, 0.95), (9, 0.5, 0.3), height=nearer_is_taller(0.6, 0.05))) == []


def test_an_identity_that_jumps_to_a_small_far_person_is_no_fall():
    assert alerts(first_then(stand((0.5, 0.9), 0, 20, height=0.5), stand((0.52, 0.5), 0, 20, height=0.15), 8)) == []


def test_who_lay_there_from_the_beginning_has_not_been_seen_falling():
    assert alerts(stand(HERE, 0, 20, height=0.08, slim=3.0)) == []


def test_a_fall_behind_a_short_occlusion_is_told():
    assert len(alerts(hidden(fall(HERE, 0, 6, 20), (6.1, 6.6)))) == 1


def test_a_wrong_option_gets_a_clear_sentence():
    with pytest.raises(ValueError, match="falling: seconds must be more than 0"):
        Falling(seconds=0)
