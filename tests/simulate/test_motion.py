"""Bodies move as bodies do."""

import numpy as np
import pytest

from pahara.simulate.acting import Company
from pahara.simulate.actions import Climb, Crouch, Fall, Fight, Loiter, Run, Sit, Stand, Walk
from pahara.simulate.script import Actor, Place, Script, Wall
from pahara.simulate.skeleton import SHIN, SOLES, THIGH, J

HEIGHT = 1.7
TIMES = np.arange(0, 12, 0.05)


def play(*does, at=(0.0, 6.0), others=(), place=None):
    script = Script("x", actors=(Actor(1, at, tuple(does)), *others), place=place or Place())
    company = Company(script, dict.fromkeys((a.id for a in script.actors), HEIGHT))
    return company.performances[1]


def bodies(performance, times=TIMES):
    times = times[(times >= performance.begin) & (times <= performance.end)]
    assert len(times) > 10
    return times, performance.skeletons(times)


@pytest.mark.parametrize(
    "does", [(Walk(((8, 6),)),), (Walk(((3, 6), (3, 9), (0, 9))),), (Stand(8),), (Loiter(10),), (Crouch(5),), (Stand(3), Walk(((-3, 4),)))]
)
def test_feet_stand_on_the_ground(does):
    _, body = bodies(play(*does))
    lowest = body.joints[:, SOLES, 2].min(1)
    assert np.abs(lowest).max() < 1e-9
    assert body.joints[:, J["crown"], 2].max() <= HEIGHT + 1e-6


def test_a_standing_person_is_as_tall_as_they_are():
    _, body = bodies(play(Stand(4)))
    assert body.joints[:, J["crown"], 2] == pytest.approx(HEIGHT, abs=0.05)


@pytest.mark.parametrize("does", [(Run(((20, 6),), 5.0),), (Fall("left"),), (Sit(6, seat=0.1),), (Fall("forward", rise=True),)])
def test_nobody_sinks_into_the_ground(does):
    _, body = bodies(play(*does))
    assert body.joints[:, SOLES, 2].min() > -1e-9


def test_a_planted_foot_of_a_walker_does_not_slide():
    _, body = bodies(play(Walk(((12, 6),), 1.3)), np.arange(1.5, 7, 0.02))
    slides = []
    for side in "lr":
        toe, heel = body.joints[:, J[f"{side}_toe"]], body.joints[:, J[f"{side}_heel"]]
        flat = (toe[:, 2] < 0.02) & (heel[:, 2] < 0.03)
        runs = np.split(np.flatnonzero(flat), np.flatnonzero(np.diff(np.flatnonzero(flat)) > 1) + 1)
        slides += [np.ptp(toe[run, 0]) for run in runs if len(run) > 8]
    assert len(slides) >= 6
    assert max(slides) < 0.09
    assert np.ptp(body.joints[:, J["pelvis"], 0]) > 6


def test_legs_keep_their_length():
    for does in ((Walk(((8, 6),)),), (Run(((20, 6),)),), (Fall("right"),), (Sit(5),)):
        _, body = bodies(play(*does))
        for side in "lr":
            hip, knee, ankle = (body.joints[:, J[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
            assert np.linalg.norm(knee - hip, axis=1) == pytest.approx(THIGH * HEIGHT, rel=0.02)
            assert np.linalg.norm(ankle - knee, axis=1) == pytest.approx(SHIN * HEIGHT, rel=0.02)


def test_a_walk_takes_as_long_as_its_speed_says_and_ends_where_it_should():
    performance = play(Walk(((6.5, 6),), 1.3))
    assert performance.end == pytest.approx(5.0, abs=0.4)
    assert performance.sample(np.array([performance.end])).roots[0, :2] == pytest.approx((6.5, 6.0), abs=1e-6)


def test_nobody_jumps_in_place_or_turns_in_an_instant():
    performance = play(Walk(((3, 6), (3, 9))), Stand(2, facing=(0, 0)), Walk(((-2, 7),)), Loiter(8), Run(((8, 8),), 4))
    moves = performance.sample(np.arange(0, performance.end, 1 / 25))
    steps = np.hypot(*np.diff(moves.roots[:, :2], axis=0).T) * 25
    turns = np.abs((np.diff(moves.headings) + np.pi) % (2 * np.pi) - np.pi) * 25
    assert steps.max() < 5.0
    assert np.degrees(turns.max()) < 420


@pytest.mark.parametrize("way", ["forward", "backward", "left", "right"])
def test_a_fall_is_quick_and_ends_flat(way):
    performance = play(Stand(1), Fall(way, lie=4, takes=0.9))
    times, body = bodies(performance, np.arange(0, 6, 0.02))
    head = body.joints[:, J["head"], 2]
    assert head[times < 0.9].min() > 1.3
    down = times[np.flatnonzero(head < 0.45)[0]] - 1.0
    assert 0.5 < down < 1.2
    assert body.joints[times > 2.2][..., 2].max() < 0.75
    assert np.ptp(body.joints[-1, :, :2], axis=0).max() > 1.2  # he lies along the ground


def test_who_rises_after_a_fall_stands_again():
    performance = play(Fall("forward", lie=3, rise=True), Stand(1))
    assert performance.skeletons(np.array([performance.end - 0.2])).joints[0, J["crown"], 2] > 1.55


def test_who_climbs_is_over_the_wall_in_the_end_and_high_up_between():
    wall = Wall((-5, 9), (5, 9), 1.8, name="wall")
    performance = play(Walk(((0, 8),)), Climb("wall"), at=(0, 6), place=Place(walls=(wall,)))
    _, body = bodies(performance)
    pelvis = body.joints[:, J["pelvis"]]
    assert pelvis[0, 1] < 9 < pelvis[-1, 1]
    crossing = np.flatnonzero(np.diff(np.sign(pelvis[:, 1] - 9)))[0]
    assert pelvis[crossing, 2] > 1.75
    assert pelvis[-1, 2] < 1.0


def test_fighters_face_each_other_and_stay_within_reach():
    other = Actor(2, (1.2, 6.0), (Fight(1, 8),))
    script = Script("x", actors=(Actor(1, (0, 6), (Fight(2, 8),)), other))
    company = Company(script, {1: 1.7, 2: 1.75})
    times = np.arange(1.2, 6.8, 0.1)
    a, b = (company.performances[i].sample(times) for i in (1, 2))
    apart = b.roots[:, :2] - a.roots[:, :2]
    assert np.hypot(*apart.T).min() > 0.3
    assert np.hypot(*apart.T).max() < 1.9
    ahead = np.stack([-np.sin(a.headings), np.cos(a.headings)], 1)
    assert ((ahead * apart).sum(1) / np.hypot(*apart.T)).min() > 0.8


def test_loitering_lasts_as_long_as_told_and_stays_near():
    performance = play(Walk(((2, 6),)), Loiter(20, 0.8))
    loiter = [s for s in performance.segments if s.verb == "loiter"]
    assert loiter[-1].end - loiter[0].begin == pytest.approx(20, abs=2.5)
    spots = performance.sample(np.arange(loiter[0].begin, loiter[-1].end, 0.2)).roots[:, :2]
    assert np.hypot(*(spots - (2, 6)).T).max() < 1.0
