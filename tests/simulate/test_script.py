"""Scripts can be read, written, and tell clearly what is wrong with them."""

from dataclasses import replace

import pytest

from pahara.core import PaharaError
from pahara.simulate import KINDS, bundled_scripts, dump, load_script, random_script
from pahara.simulate.random import DISTRACTIONS

GOOD = """
name: yard
duration: 12
zones:
  door: [[-1, 6], [1, 6], [1, 8], [-1, 8]]
lines:
  gate: [[-2, 7], [2, 7]]
place:
  walls:
    - {start: [-5, 12], end: [5, 12], kind: fence, high: 1.6, name: fence}
rules:
  - {kind: loitering, zone: door, seconds: 4}
actors:
  - id: 1
    at: [-4, 7]
    does:
      - walk: [[0, 7]]
      - stand: 5
      - climb: fence
"""


def test_the_short_and_the_long_form_of_an_action_say_the_same():
    long = GOOD.replace("- walk: [[0, 7]]", "- walk: {along: [[0, 7]], speed: 1.3}").replace("- stand: 5", "- stand: {seconds: 5}")
    assert load_script(GOOD) == load_script(long)


@pytest.mark.parametrize("name", bundled_scripts())
def test_a_bundled_script_survives_the_round_trip(name):
    script = load_script(name)
    assert load_script(dump(script)) == script


def test_there_are_several_bundled_scripts():
    assert {"alley", "shop-door", "car-park-night", "mosque-courtyard", "school-corridor"} <= set(bundled_scripts())


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_a_random_script_survives_the_round_trip(seed):
    script = random_script(seed)
    assert load_script(dump(script)) == script


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("- stand: 5", "- stnad: 5", r"line 18.*'stnad'.*Did you mean 'stand'"),
        ("seconds: 4}", "secnds: 4}", r"line 12.*'secnds'.*Did you mean 'seconds'"),
        ("zone: door, seconds", "zone: dor, seconds", r"no zone is named 'dor'.*Did you mean 'door'"),
        ("climb: fence", "climb: fnece", r"no wall is named 'fnece'.*Did you mean 'fence'"),
        ("kind: loitering", "kind: loitring", r"line 12.*'loitring'.*Did you mean 'loitering'"),
        ("duration: 12", "duration: soon", r"line 3.*duration should be a number"),
        ("duration: 12", "lenght: 12", r"line 3.*'lenght'"),
        ("name: yard", "version: 7\nname: yard", r"version 7"),
        ("  - id: 1", "  - id: 0", r"ids are whole numbers from 1"),
        ("at: [-4, 7]", "at: [-4, 7, 1]", r"line 15.*2 values, not 3"),
        ("- walk: [[0, 7]]", "- run: {along: [[0, 7]], speed: 40}", r"line 17.*2 to 9 m/s"),
        ("- walk: [[0, 7]]", "- fight: 9", r"no other person 9"),
        ("- walk: [[0, 7]]", "- put_down: 9", r"no bag 9"),
        ("[[-1, 6], [1, 6], [1, 8], [-1, 8]]", "[[-1, 6], [1, 6]]", r"at least 3 corners"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_suggestion(old, new, told):
    assert old in GOOD
    with pytest.raises(PaharaError, match=told) as error:
        load_script(GOOD.replace(old, new))
    assert "\n" not in str(error.value)


def test_text_that_is_no_yaml_and_a_missing_file_are_told_in_one_line():
    with pytest.raises(PaharaError, match=r"line \d+.*not valid YAML"):
        load_script("name: [a\nsize: }")
    with pytest.raises(PaharaError, match="Did you mean 'alley'"):
        load_script("aley")


def test_a_person_who_takes_a_bag_that_nobody_left_is_refused():
    from pahara.simulate import Stage

    text = GOOD.replace("- stand: 5", "- pick_up: 5").replace(
        "actors:", "bags:\n  - {id: 5, by: 2}\nactors:\n  - {id: 2, at: [3, 8], does: [{stand: 9}]}"
    )
    with pytest.raises(PaharaError, match="bag 5, which nobody has put down"):
        Stage(load_script(text), draw=False)


def test_a_fight_needs_two():
    from pahara.simulate import Stage

    text = GOOD.replace("- stand: 5", "- fight: 2").replace("actors:", "actors:\n  - {id: 2, at: [1, 8], does: [{stand: 9}]}")
    with pytest.raises(PaharaError, match="does not fight back"):
        Stage(load_script(text), draw=False)


def test_numbers_and_names_of_a_script_can_be_changed_in_python():
    assert replace(load_script(GOOD), fps=25).frame_count == 300


def test_every_kind_of_incident_is_known_to_random_scenes():
    assert len(KINDS) == 13
    assert len(set(DISTRACTIONS)) >= 6
