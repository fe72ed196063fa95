"""Actions from simulated people: the detector's errors are those that were measured, and windows show what they are said to show."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parents[2] / "recipes"


def recipe(name: str):
    sys.path.insert(0, str(HERE))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def errors():
    return recipe("detector_errors")


@pytest.fixture(scope="module")
def actions():
    return recipe("actions_simulated")


def standing(n: int, tall: float = 100.0, wide: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    return np.tile([200.0, 300.0 - tall, 200.0 + wide, 300.0], (n, 1)), np.arange(n) * 0.1


# -- the detector's errors ---------------------------------------------------------


def test_spoilt_boxes_are_as_wrong_as_the_detector_was(errors):
    """Measured again on what was spoilt: the same share found, and sides as far off."""
    spoil = errors.Errors.read()
    rng = np.random.default_rng(0)
    looks = []
    for person in range(150):
        boxes, times = standing(40)
        seen, scores = spoil.person(rng, boxes, times * 2)  # two looks as far apart as those that were measured
        looks += [
            errors.Look(("film", person), float(t), tuple(b), 1.0, tuple(s) if c > 0 else (), float(c))
            for t, b, s, c in zip(times * 2, boxes, seen, scores, strict=True)
        ]
    before, after = spoil.told["stands"], errors.measured(looks)["stands"]
    assert after["found"][2][0] == pytest.approx(before["found"][2][0], abs=0.04)
    assert after["lasting_mean"] == pytest.approx(before["lasting_mean"], abs=0.01)
    assert after["lasting_std"] == pytest.approx(before["lasting_std"], abs=0.012)
    assert after["score"][5] == pytest.approx(before["score"][5], abs=0.05)
    spread = [side[15] - side[5] for side in before["trembling"]], [side[15] - side[5] for side in after["trembling"]]
    assert spread[1] == pytest.approx(spread[0], abs=0.02)


def test_people_who_lie_are_lost_more_often_and_for_longer(errors):
    spoil = errors.Errors.read()
    rng = np.random.default_rng(1)
    share = {}
    for name, (tall, wide) in {"stands": (120.0, 45.0), "lies": (45.0, 120.0)}.items():
        found = [(spoil.person(rng, *standing(60, tall, wide))[1] > 0).mean() for _ in range(60)]
        share[name] = float(np.mean(found))
    assert share["lies"] < share["stands"] - 0.15


def test_what_is_off_outward_is_positive(errors):
    look = errors.Look(("a", 1), 0.0, (10, 10, 30, 60), 1.0, (5, 12, 30, 65), 0.9)
    assert errors.errors(look) == pytest.approx([0.1, -0.04, 0.0, 0.1])


# -- staged people and their windows -----------------------------------------------


@pytest.fixture(scope="module")
def scenes(actions, errors):
    """Enough scenes to hold a fall, a fight and a run."""
    spoil = errors.Errors.read()
    made = {}
    for seed in range(900_000, 900_060):
        script, _, _ = actions.stage(seed)
        for verb in ("fall", "fight", "run"):
            if verb not in made and any(
                type(each).verb == verb for actor in script.actors for each in actor.does if getattr(each, "takes", 0) < 2
            ):
                made[verb] = seed
        if len(made) == 3:
            break
    return {verb: (seed, actions._scene(seed, spoil)) for verb, seed in made.items()}


def test_a_scene_follows_from_its_seed(actions, scenes):
    spoil = recipe("detector_errors").Errors.read()
    seed, before = scenes["fall"]
    again = actions._scene(seed, spoil)
    for (one, two), (three, four) in zip(before, again, strict=True):
        assert np.array_equal(one.inputs, three.inputs)
        assert np.array_equal(one.labels, three.labels)
        assert np.array_equal(two.inputs, four.inputs)


def test_every_window_is_what_the_watcher_would_see(actions, scenes):
    for _, made in scenes.values():
        for one, two in made:
            assert one.inputs.shape[1:] == actions.ONE.shape
            assert two.inputs.shape[1:] == actions.TWO.shape
            assert np.isfinite(one.inputs).all()
            assert set(one.labels.tolist()) <= {-1, 0, 1, 2, 3, 4}
            assert set(two.labels.tolist()) <= {-1, 0, 1}


def test_a_window_shows_a_fall_only_around_the_moment_on_the_ground(actions):
    from pahara.simulate import actions as do
    from pahara.simulate.acting import Company
    from pahara.simulate.script import Actor, Script

    script = Script(
        "one",
        duration=20.0,
        actors=(Actor(1, (0.0, 6.0), (do.Stand(5.0), do.Fall("left", 6.0, True, 1.0), do.Run(((6.0, 6.0), (-6.0, 6.0)), 3.0))),),
    )
    company = Company(script, {1: 1.7})
    down = 6.0
    told = {round(end, 2): actions.label_of(company, 1, end) for end in np.arange(2.0, 19.0, 0.25)}
    assert all(label == 0 for end, label in told.items() if end < 5.0)
    assert all(label == actions.FALLING for end, label in told.items() if down <= end <= down + 1)
    assert told[5.5] == -1  # on the way down
    assert told[down + 1.75] == -1  # the fall is just leaving the window
    assert told[down + 3] == 0  # lies still
    runs = next(segment for segment in company.performances[1].segments if segment.verb == "run")
    assert actions.label_of(company, 1, runs.begin + 2.0) == actions.RUNNING


def test_lying_down_on_purpose_is_no_fall(actions):
    from pahara.simulate import actions as do
    from pahara.simulate.acting import Company
    from pahara.simulate.script import Actor, Script

    script = Script("one", duration=20.0, actors=(Actor(1, (0.0, 6.0), (do.Stand(5.0), do.Fall("left", 4.0, True, 3.0))),))
    company = Company(script, {1: 1.7})
    assert {actions.label_of(company, 1, end) for end in np.arange(2.0, 14.0, 0.2)} == {0}


def test_a_mirrored_pair_keeps_the_left_one_first(actions):
    from pahara.behaviours.learned import near_pairs
    from pahara.core import Track

    times = np.arange(0, 2.05, 0.1)
    left, right = (np.tile([x, 100.0, x + 40, 220.0], (len(times), 1)).astype(np.float32) for x in (100.0, 150.0))
    right[:, 3] += 12  # the right one stands nearer
    pair = [Track(1, "person", times, left), Track(2, "person", times, right)]
    assert near_pairs(pair, actions.TWO.near)
    window = actions.TWO.take(pair)

    class Always:
        def random(self):
            return 0.0

        def uniform(self, low, high, size=None):
            return np.ones(size) if size else 1.0

        def normal(self, mean, spread, size):
            return np.zeros(size)

        def integers(self, low, high):
            return 0

    mirrored = actions.varied(window, 2, Always())[1:]  # a moment is out of sight at the beginning
    centres = mirrored[:, [4, 10], 0]
    assert (centres[:, 0] < centres[:, 1]).all()
    feet = mirrored[:, [5, 11], 1]
    assert (feet[:, 0] > feet[:, 1]).all()  # the one that stands nearer is on the left now


def test_limits_let_everyday_life_alarm_as_often_as_allowed(actions):
    rng = np.random.default_rng(0)
    n = 60_000  # windows: ten hours
    lessons = actions.Lessons(
        np.zeros((n, 1, 1, 3), np.float32), np.zeros(n, np.int64), np.zeros(n), np.arange(n) // 30, np.zeros(n, np.int64)
    )
    sure = np.stack([np.zeros(n), rng.beta(0.5, 12, n)], 1)
    limit = actions.limits_of(sure, lessons, ("nothing", "falling"))["falling"]
    tracks = np.unique((np.arange(n) // 30)[sure[:, 1] >= limit])
    assert len(tracks) <= actions.OFTEN * n * actions.SLOW_STRIDE / 3600
