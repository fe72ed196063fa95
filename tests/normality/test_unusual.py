"""The behaviour: scores of people, 0.5 where the budget's threshold lies, and a reason with each."""

import numpy as np
import pytest

from pahara.normality import Normality, Unusual, over_tracks
from pahara.normality.evidence import gains, gathered
from pahara.testing import check_behaviour
from pahara.testing.actors import began, events_of, run, scenes, stand, walk


def test_it_keeps_the_promises_of_every_behaviour(crowd):
    check_behaviour(Unusual(crowd.model(), budget=2000.0))


def test_a_runner_among_walkers_is_told_once_with_the_reason(crowd):
    people = {**crowd.walkers(8, 30.0, seed=5), 99: run((0.03, 0.8), (0.97, 0.8), 12, height=0.32)}
    seen = list(scenes(people, seconds=30, fps=10, jitter=0.01, epoch=1.8e9))
    behaviour = Unusual(crowd.model(), budget=300.0)
    told = began(events_of(behaviour, seen))
    assert [event.subject for event in told].count((99,)) == 1
    event = next(event for event in told if event.subject == (99,))
    assert event.reason.code == "unusual.speed"
    assert event.reason.measured > event.reason.limit > 0
    assert event.start < 12 + 3


def test_ordinary_people_stay_below_the_limit(crowd):
    behaviour = Unusual(crowd.model(), budget=20.0)
    seen = scenes(crowd.walkers(20, 60.0, seed=9), seconds=60, fps=5, jitter=0.01, epoch=1.8e9)
    top: dict[tuple[int, ...], float] = {}
    for scene in seen:
        for subject, score in behaviour(scene).items():
            top[subject] = max(top.get(subject, 0.0), score)
    assert len(top) == 20
    assert sum(score >= 0.5 for score in top.values()) <= 1


def test_while_it_learns_it_says_nothing(crowd):
    scene = list(scenes({1: run((0.1, 0.8), (0.9, 0.8), 0)}, seconds=1.5))[-1]
    for model in (None, Normality(), lambda version: None):
        assert Unusual(model)(scene) == {}
        assert Unusual(model).explain(scene, (1,)).code == "unusual.learning"


def test_the_model_that_the_scene_names_is_the_one_that_judges(crowd):
    asked = []

    def models(version):
        asked.append(version)
        return crowd.model()

    seen = list(scenes({1: walk((0.1, 0.8), (0.9, 0.8), 0, 8)}, seconds=3, signals={"normality.version": lambda t: 7.0}))
    assert Unusual(models)(seen[-1])
    assert set(asked) == {7}


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan")])
def test_a_budget_is_a_number_of_alarms(budget):
    with pytest.raises(ValueError, match="budget"):
        Unusual(None, budget=budget)


def test_live_and_learning_gather_the_same_evidence():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.001, 1, 40) ** 3
    times, tracks = np.arange(40) * 0.5, np.zeros(40, np.int64)
    offline = over_tracks(p, tracks, times, 2.5)
    for now in range(40):
        window = p[max(now - 15, 0) : now + 1]
        assert offline[now] == pytest.approx(gathered(window[None], 2.5)[0])


def test_one_odd_moment_is_less_than_two():
    one, two = np.array([[1.0, 1.0, 0.001]]), np.array([[1.0, 0.001, 0.001]])
    assert 0 < gathered(one, 2.5)[0] < gathered(two, 2.5)[0]
    assert gathered(np.array([[np.nan, 0.001, np.nan]]), 2.5)[0] == pytest.approx(gains(np.array([0.001]), 2.5, 0.5)[0])


def test_someone_who_lingers_where_all_pass_is_told_for_the_stay(crowd):
    seen = list(scenes({5: stand((0.5, 0.8), 0, 70, height=0.32)}, seconds=70, fps=5, jitter=0.01, epoch=1.8e9))
    behaviour = Unusual(crowd.model(), budget=300.0)
    told = behaviour.look(seen[-1], (5,))
    assert behaviour(seen[-1])[(5,)] >= 0.5
    assert told.attribute == "dwell"
    assert told.observed.observed == pytest.approx(70, abs=4)
