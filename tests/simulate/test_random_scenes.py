"""Random scenes are plausible, clear, and the same for the same seed."""

from collections import Counter

import pytest

from pahara.core import PaharaError
from pahara.simulate import KINDS, random_script, truth_of
from pahara.simulate.settings import SETTINGS

SEEDS = range(50)


@pytest.fixture(scope="module")
def scenes():
    made = [random_script(seed) for seed in SEEDS]
    return [(script, truth_of(script, [])) for script in made]


def test_fifty_seeds_give_valid_scenes_with_clear_incidents_only(scenes):
    assert len(scenes) == 50
    for script, truth in scenes:
        assert truth.incidents, script.name
        assert all(i.sure and 0 <= i.start <= i.end <= script.duration + 1.1 for i in truth.incidents), script.name
        assert all(len(corners) >= 3 for corners in truth.zones.values())
        assert all(0 <= v <= 1 for places in (*truth.zones.values(), *truth.lines.values()) for p in places for v in p)


def test_the_scenes_are_a_mixture(scenes):
    kinds = Counter(i.kind for _, truth in scenes for i in truth.incidents)
    lights = Counter(script.light.kind for script, _ in scenes)
    places = Counter(script.name.rsplit("-", 1)[0].replace("-", "_") for script, _ in scenes)
    assert set(kinds) == set(KINDS)
    assert len(lights) >= 5
    assert set(places) == set(SETTINGS)
    assert sum(len(script.actors) for script, _ in scenes) / 50 > 3


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_asked_for(kind):
    told = truth_of(random_script(7, kinds=[kind]), [])
    assert kind in {i.kind for i in told.incidents}


def test_the_same_seed_gives_the_same_script_and_another_one_another():
    assert random_script(3) == random_script(3)
    assert random_script(3) != random_script(4)


def test_without_kinds_nothing_happens_but_everyday_life():
    quiet = [random_script(seed, kinds=()) for seed in range(8)]
    assert all(truth_of(script, []).incidents == () for script in quiet)
    assert sum(len(script.actors) for script in quiet) >= 8


def test_a_setting_can_be_asked_for():
    assert random_script(1, kinds=["crossing"], setting="corridor").place.ground == "corridor"


def test_what_cannot_be_staged_is_told():
    with pytest.raises(PaharaError, match="Did you mean 'loitering'"):
        random_script(1, kinds=["loitring"])
    with pytest.raises(PaharaError, match="allow more seconds"):
        random_script(1, kinds=["crowding"], duration=5)
    with pytest.raises(PaharaError, match="no setting named"):
        random_script(1, setting="moon")
