"""Running and going the wrong way, in body heights, so that near and far people are judged alike."""

from __future__ import annotations

import pytest

from pahara.behaviours import Running, WrongWay
from pahara.core import Zone
from pahara.testing.actors import (
    began,
    cut_below,
    events_of,
    first_then,
    hidden,
    nearer_is_taller,
    path,
    run,
    scenes,
    stand,
    walk,
)  # fmt: skip

LANE = Zone("lane", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
ASPECT = 16 / 9


def alerts(behaviour, actor, **options):
    return began(events_of(behaviour, scenes({1: actor}, **options)))


def walker(speed, *, y=0.8, height=0.25, seconds=8.0):
    """Someone who crosses the picture at `speed` body heights a second."""
    far = speed * height * seconds / ASPECT
    return path((0, 0.05, y), (seconds, 0.05 + far, y), height=height)


# ---------------------------------------------------------------- running


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
def test_running_is_told_from_walking_at_any_frame_rate(fps):
    assert alerts(Running(), walker(0.9, seconds=8), seconds=9, fps=fps) == []
    (event,) = alerts(Running(), run((0.02, 0.8), (0.98, 0.8), 0), seconds=6, fps=fps)
    assert event.reason.measured == pytest.approx(2.2, rel=0.1)


@pytest.mark.parametrize("height", [0.08, 0.3, 0.6])
def test_near_and_far_people_are_judged_alike(height):
    seconds = 0.9 * ASPECT / (2.0 * height)
    if seconds > 1.6:
        assert len(alerts(Running(), walker(2.0, height=height, seconds=seconds), seconds=seconds + 2)) == 1
    assert alerts(Running(), walker(0.9, height=height, seconds=seconds), seconds=seconds + 2) == []


def test_a_trembling_box_is_not_running():
    assert alerts(Running(), stand((0.5, 0.8), 0, 60), seconds=60, jitter=0.05) == []
    assert alerts(Running(), walker(0.9), seconds=9, jitter=0.05) == []


def test_an_identity_that_jumps_to_someone_else_is_not_running():
    for far in (0.55, 0.7, 0.95):
        assert alerts(Running(), first_then(stand((0.5, 0.8), 0, 20), stand((far, 0.8), 0, 20), 8), seconds=20) == []


def test_legs_going_behind_a_wall_and_coming_out_are_not_running():
    assert alerts(Running(), cut_below(walker(0.8), 3, 5), seconds=9) == []


def test_half_a_person_behind_a_counter_walks_and_does_not_run():
    assert alerts(Running(), cut_below(walker(0.85), 0, 20), seconds=9) == []


def test_walking_towards_the_camera_is_not_running():
    assert alerts(Running(), path((0, 0.5, 0.3), (9, 0.5, 0.95), height=nearer_is_taller(0.6, 0.05)), seconds=10) == []


def test_a_runner_hidden_for_a_moment_is_one_event():
    runner = hidden(path((0, 0.02, 0.8), (8, 0.98, 0.8), height=0.1), (3.0, 3.6))
    assert len(alerts(Running(), runner, seconds=10)) == 1


def test_running_elsewhere_does_not_matter():
    far = Zone("far end", ((0.0, 0.0), (1.0, 0.0), (1.0, 0.3), (0.0, 0.3)))
    assert alerts(Running(zone=far), run((0.02, 0.8), (0.98, 0.8), 0), seconds=6) == []


# ---------------------------------------------------------------- wrong way


@pytest.mark.parametrize("fps", [2, 10, 25])
def test_only_going_against_the_arrow_is_wrong(fps):
    one_way = WrongWay(LANE, direction=(1, 0))
    assert alerts(one_way, walk((0.1, 0.8), (0.9, 0.8), 0, 8), seconds=9, fps=fps) == []
    assert alerts(one_way, walk((0.5, 0.55), (0.5, 0.98), 0, 8), seconds=9, fps=fps) == []
    (event,) = alerts(one_way, walk((0.9, 0.8), (0.1, 0.8), 0, 8), seconds=9, fps=fps)
    assert event.time == pytest.approx(2.0, abs=0.6)
    assert event.place == "lane"


def test_the_arrow_points_as_on_the_screen():
    down = WrongWay(LANE, direction=(0, 1))
    assert alerts(down, walk((0.5, 0.55), (0.5, 0.98), 0, 4), seconds=5) == []
    assert len(alerts(down, walk((0.5, 0.98), (0.5, 0.55), 0, 4), seconds=5)) == 1


def test_a_step_back_is_no_wrong_way():
    assert alerts(WrongWay(LANE), path((0, 0.2, 0.8), (3, 0.5, 0.8), (4, 0.45, 0.8), (7, 0.8, 0.8)), seconds=8) == []


def test_wrong_way_outside_the_zone_does_not_matter():
    assert alerts(WrongWay(LANE), walk((0.9, 0.4), (0.1, 0.4), 0, 8), seconds=9) == []


def test_standing_with_a_trembling_box_is_no_wrong_way():
    assert alerts(WrongWay(LANE), stand((0.5, 0.8), 0, 60), seconds=60, jitter=0.05) == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Running(speed=0), "running: speed must be more than 0"),
        (lambda: Running(window=-1), "running: window"),
        (lambda: WrongWay(direction=(0, 0)), "direction is an arrow"),
        (lambda: WrongWay(within=120), "at most 90 degrees"),
    ],
)
def test_a_wrong_option_gets_a_clear_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
