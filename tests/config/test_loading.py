"""A pahara.yml becomes a configuration, or every one of its problems is told with its line and what to try."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.config import Config, from_data, load, parse
from pahara.config.problems import ConfigProblems, Problem
from pahara.core import ConfigError

GOOD = """\
version: 1
language: bn
timezone: Asia/Dhaka
detector: yolox-nano
tracker: {max_gap: 3.0}
gate: off
store: {path: data, days: null}
defaults: {behaviours: [running, {kind: loitering, seconds: 20}]}
cameras:
  gate:
    name: সদর দরজা
    source: rtsp://192.0.2.7/sub
    zones: {doorway: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]}
    lines: {threshold: {from: [0.2, 0.5], to: [0.8, 0.5]}, fence: [[0.1, 0.1], [0.9, 0.1]]}
    behaviours:
      - kind: intrusion
        zone: doorway
        schedule: {days: [fri, sat], from: "22:00", to: "06:00"}
        alarm: {hold: 1.0, cooldown: 60}
      - {kind: crossing, line: threshold, direction: forward, name: entered}
  yard:
    source: yard.mp4
"""


def problems(text, **env):
    with pytest.raises(ConfigProblems) as caught:
        parse(text, file="pahara.yml", env=env)
    return caught.value.problems


def camera(*lines):
    return "version: 1\ncameras:\n  gate:\n    source: webcam:0\n" + "".join(f"    {line}\n" for line in lines)


def only(text):
    (problem,) = problems(text)
    return problem


def test_a_good_file_says_what_its_owner_meant():
    config = parse(GOOD, env={})
    assert config.language == "bn"
    assert config.detector.options == {"model": "yolox-nano"}
    assert config.gate.enabled is False
    assert config.store.days is None
    assert list(config.cameras) == ["gate", "yard"]
    assert config.cameras["gate"].name == "সদর দরজা"
    assert config.cameras["yard"].behaviours is None
    assert config.notes == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("version: 1\nlangage: bn", 2, 1, "the file has no 'langage'", "Did you mean 'language'?"),
        ("version: 1\nlanguage: bangla", 2, 11, "'language' must be 'bn' or 'en', not 'bangla'", ""),
        ("version: 1\nlanguage: BN", 2, 11, "'language' must be 'bn' or 'en', not 'BN'", "Did you mean 'bn'?"),
        ("version: 1\ntimezone: Asia/Daka", 2, 11, "no time zone named 'Asia/Daka'", "Write it like Asia/Dhaka, UTC or local"),
        ("version: 1\nstore: {dayz: 3}", 2, 9, "'store' has no 'dayz'", "Did you mean 'days'?"),
        ("version: 1\nstore: {days: -3}", 2, 15, "'days' must be at least 0, not -3", ""),
        ("version: 1\nstore: {days: true}", 2, 15, "'days' must be a number, not true", ""),
        ("version: 1\nstore: {days: .nan}", 2, 15, "'days' must be a number, not nan", ""),
        ("version: 1\nstore: {days: ৩০}", 2, 15, "'days' must be a number, not '৩০'", "Write it with English digits: 30"),
        ("version: 1\nstore: 30", 2, 8, "'store' must be a mapping (key: value), not 30", ""),
        ("version: 1\ndetector: {model: x, enginee: openvino}", 2, 22, "onnx has no 'enginee'", "Did you mean 'engine'?"),
        ("version: 1\ndetector: {kind: yolo}", 2, 18, "no detector named 'yolo'", None),
        ("version: 1\ndetector: {kind: auto, threads: 2}", 2, 24, "'auto' has no 'threads'", "Name the model, and it can have options"),
        ("version: 1\ntracker: {max_gop: 2}", 2, 11, "bytetrack has no 'max_gop'", "Did you mean 'max_gap'?"),
        ("version: 1\ntracker: sort", 2, 10, "no tracker named 'sort'", "There is 'bytetrack'"),
        ("version: 1\ngate: {beet: 2}", 2, 8, "'gate' has no 'beet'", "Did you mean 'beat'?"),
        ("version: 1\ncameras: [gate]", 2, 1, "'cameras' must be a mapping (key: value), not a list", ""),
        ("version: 1\ncameras: {../gate: {source: '0'}}", 2, 11, None, None),
        ("version: 1\ncameras: {gate: {}}", 2, 11, "a camera needs 'source'", ""),
        ("version: 1\ncameras: {gate: {sorce: '0'}}", 2, 11, "a camera needs 'source'", "Is 'sorce' meant to be it?"),
        ("version: 1\ncameras: {gate: {source: 0}}", 2, 26, "'source' must be a text, not 0", 'Put it in quotes: "0"'),
        ("version: 1\ncameras: {gate: {source: 'exec:reboot'}}", 2, 26, "sources of the kind 'exec' are not opened", None),
        ("version: 1\ncameras: {gate: {source: 'file:///etc/passwd'}}", 2, 26, "sources of the kind 'file' are not opened", None),
    ],
)
def test_every_mistake_has_its_place_and_its_advice(text, line, column, message, hint):
    found = [each for each in problems(text) if each.line == line and each.column == column and message in (None, each.message)]
    assert found, [str(each) for each in problems(text)]
    if hint is not None:
        assert found[0].hint == hint


@pytest.mark.parametrize(
    ("lines", "line", "message", "hint"),
    [
        (["behaviours: [loitring]"], 5, "no behaviour named 'loitring'", "Did you mean 'loitering'?"),
        (["behaviours:", "  - kind: loitering", "    secnds: 3"], 7, "loitering has no 'secnds'", "Did you mean 'seconds'?"),
        (["behaviours:", "  - kind: loitering", "    seconds: long"], 7, "'seconds' must be a number, not 'long'", ""),
        (["behaviours:", "  - kind: loitering", "    seconds: -3"], 7, "loitering: seconds must be more than 0, got -3.0", ""),
        (["behaviours:", "  - kind: loitering", "    alarm: {cooldwn: 3}"], 7, "'alarm' has no 'cooldwn'", "Did you mean 'cooldown'?"),
        (["behaviours:", "  - kind: loitering", "    alarm: 3"], 7, "'alarm' must be a mapping (key: value), not 3", ""),
        (["behaviours:", "  - kind: loitering", "    alarm: {above: 0.1}"], 7, None, ""),
        (["behaviours:", "  - kind: crossing"], 6, "crossing needs 'line'", ""),
        (["behaviours: [crossing]"], 5, "crossing needs 'line'", ""),
        (["behaviours:", "  - knd: running"], 6, "a behaviour needs 'kind'", "Is 'knd' meant to be it?"),
        (
            ["behaviours: [running, running]"],
            5,
            "two behaviours are called 'running'",
            "Give one of them a name of its own, e.g. `name: running-2`",
        ),
        (["behaviours: running"], 5, "must be a list", "Begin each behaviour with '- '"),
        (["behaviours: [3]"], 5, "item 1 of 'behaviours' must be a mapping (key: value), not 3", ""),
        (
            ["behaviours:", "  - kind: intrusion", "    schedule: {days: [fri], form: '22:00'}"],
            7,
            "a schedule has no 'form'",
            "Did you mean 'from'?",
        ),
        (["behaviours:", "  - kind: intrusion", "    schedule: {from: '25:00'}"], 7, None, ""),
        (["zones: {door: [[0.1, 0.2], [0.3, 0.4]]}"], 5, "a zone needs at least 3 corners, got 2", None),
        (["zones: {door: [[0.1, 0.2], [0.3, 0.4], [640, 0.2]]}"], 5, None, "Divide pixels by the picture's width (x) and height (y)"),
        (["zones: {door: [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]}"], 5, "a zone without area: its corners lie on one line", ""),
        (["zones: {door: [[0.1, 0.1], [0.2], [0.3, 0.3]]}"], 5, "item 2 of 'door' is too short", "A point is two numbers: [x, y]"),
        (["lines: {gate: [[0.1, 0.1]]}"], 5, "a line has 2 ends, got 1", None),
        (["lines: {gate: {from: [0.1, 0.1], too: [0.2, 0.2]}}"], 5, "a line has no 'too'", "Did you mean 'to'?"),
        (["lines: {gate: {from: [0.1, 0.1], to: [0.1, 0.1]}}"], 5, "a line's two ends are the same point", ""),
    ],
)
def test_every_mistake_of_a_camera_has_its_place_and_its_advice(lines, line, message, hint):
    found = [each for each in problems(camera(*lines)) if each.line == line and message in (None, each.message)]
    assert found, [str(each) for each in problems(camera(*lines))]
    if hint is not None:
        assert found[0].hint == hint


def test_a_zone_that_is_not_there_is_told_by_name():
    text = camera("zones: {doorway: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]}", "behaviours:", "  - {kind: intrusion, zone: dorway}")
    problem = only(text)
    assert str(problem) == "no zone 'dorway' in camera 'gate' (pahara.yml, line 7, column 33). Did you mean 'doorway'?"


def test_a_zone_that_is_drawn_wrongly_is_not_told_as_missing_too():
    text = camera("zones: {doorway: [[0.1, 0.2]]}", "behaviours:", "  - {kind: intrusion, zone: doorway}")
    assert only(text).message == "a zone needs at least 3 corners, got 1"


def test_all_problems_come_at_once_in_the_order_of_the_lines():
    text = "langage: bn\nstore: {dayz: 1}\n" + camera("behaviours: [runing]", "zones: 3").removeprefix("version: 1\n")
    found = problems(text)
    assert [each.line for each in found] == [1, 2, 6, 7]
    assert str(ConfigProblems(found)).startswith("4 problems in the configuration:\n  the file has no 'langage' (pahara.yml, line 1")


def test_a_file_with_hundreds_of_problems_does_not_flood_the_screen():
    found = problems("version: 1\n" + "".join(f"k{n}: 1\n" for n in range(300)))
    assert len(found) == 300
    assert len(str(ConfigProblems(found)).splitlines()) < 60


def test_cameras_that_a_file_system_takes_for_one_are_refused():
    problem = only("version: 1\ncameras:\n  Gate: {source: '0'}\n  gate: {source: '1'}\n")
    assert (problem.line, problem.message) == (4, "the cameras 'Gate' and 'gate' differ in capital letters alone")


def test_default_behaviours_are_checked_even_when_no_camera_uses_them():
    assert only("version: 1\ndefaults: {behaviours: [runing]}").hint == "Did you mean 'running'?"
    text = "version: 1\ndefaults: {behaviours: [{kind: intrusion, zone: door}]}\ncameras: {gate: {source: '0'}}\n"
    assert only(text).message == "no zone 'door' in camera 'gate'"
    assert parse(text.replace("source: '0'", "source: '0', behaviours: []"), env={}).defaults.behaviours


def test_a_single_word_stands_where_a_list_of_words_may():
    text = camera("behaviours:", "  - {kind: running, labels: person}", "  - {kind: tamper, watch_for: covered}")
    assert parse(text, env={}).cameras["gate"].behaviours is not None
    assert only(text.replace("covered", "coverd")).hint == "Did you mean 'covered'?"


def test_a_file_without_a_version_is_read_as_version_1_and_says_so():
    config = parse("language: bn", file="pahara.yml", env={})
    assert config.version == 1
    assert str(config.notes[0]) == (
        "the file says no version, version 1 is assumed (pahara.yml, line 1, column 1). Write `version: 1` in its first line"
    )


def test_what_is_odd_but_not_wrong_is_noted():
    notes = [each.message for each in parse(camera("behaviours: []"), file="p", env={}).notes]
    assert notes == ["camera 'gate' looks for nothing"]
    assert [each.message for each in parse("version: 1", file="p", env={}).notes] == ["there is no camera yet"]


def test_what_a_configuration_tells_it_can_read_again():
    config = parse(GOOD, env={})
    again = from_data(config.as_dict())
    assert again.as_dict() == config.as_dict()
    assert again.store.days is None, "kept for ever must not become the default"


def test_problems_are_config_errors_and_survive_a_trip_to_another_process():
    error = ConfigProblems([Problem("a", "b", "c", 1, 2), Problem("d")])
    assert isinstance(error, ConfigError)
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))


def test_load_names_the_file_and_remembers_its_folder(tmp_path):
    file = tmp_path / "দোকান.yml"
    file.write_text(GOOD, encoding="utf-8")
    config = load(file, env={})
    assert (config.file, config.folder) == (str(file), tmp_path)
    file.write_text("oops", encoding="utf-8")
    with pytest.raises(ConfigProblems, match=r"দোকান\.yml, line 1"):
        load(file, env={})


# ---------------------------------------------------------------- whatever stands in the file

WORDS = (
    "version language timezone detector tracker gate store evidence defaults cameras behaviours zones lines source kind name alarm zone line "
    "seconds schedule days from to labels model direction path url within people watch_for input_size class_confidence together enabled x"
)
KEYS = st.sampled_from(WORDS.split())
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.integers(10**20, 10**400), st.text(max_size=8),
    st.sampled_from(["running", "crossing", "intrusion", "tamper", "onnx", "auto", "motion", "bytetrack", "22:00", "fri", "webcam:0", "{PAHARA_X}"]),
)  # fmt: skip
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)), max_leaves=20)
PARTS = st.dictionaries(KEYS, VALUES, max_size=5)
ENTRIES = st.lists(st.one_of(PARTS, st.builds(lambda part, kind: {**part, "kind": kind}, PARTS, LEAVES), LEAVES), max_size=3)
CAMERAS = st.builds(lambda part, entries: {"source": "webcam:0", **part, "behaviours": entries}, PARTS, ENTRIES)
FILES = st.builds(
    lambda part, cameras: {**part, "cameras": {f"c{n}": each for n, each in enumerate(cameras)}}, PARTS, st.lists(CAMERAS, max_size=2)
)


def attempt(read):
    """The configuration, or None after a proper ConfigError; whatever else is raised fails the test."""
    try:
        config = read()
    except ConfigProblems as error:
        lines = [str(problem) for problem in error.problems]
    else:
        assert isinstance(config, Config)
        return config
    assert lines
    assert all(line and "\n" not in line for line in lines)
    return None


@settings(max_examples=300, deadline=None)
@given(st.one_of(PARTS, FILES))
def test_any_data_is_a_configuration_or_a_config_error_and_nothing_else(data):
    config = attempt(lambda: from_data(data))
    if config is not None:
        assert from_data(config.as_dict()).as_dict() == config.as_dict()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_good_file_with_a_bite_taken_out_is_a_configuration_or_a_config_error(data):
    start = data.draw(st.integers(0, len(GOOD) - 1))
    end = data.draw(st.integers(start, min(len(GOOD), start + 30)))
    garbage = data.draw(st.text(alphabet="[]{}:,-#&*!|> \n\t\"'০a1.", max_size=6))
    attempt(lambda: parse(GOOD[:start] + garbage + GOOD[end:], env={}))


def test_pose_is_a_name_a_mapping_or_off_for_all_and_for_one_camera():
    def chosen(top, own):
        data = {"version": 1, "cameras": {"gate": {"source": "webcam:0"}}}
        if top is not None:
            data["pose"] = top
        if own is not None:
            data["cameras"]["gate"]["pose"] = own
        made = from_data(from_data(data).as_dict())
        return made.cameras["gate"].pose or made.pose

    assert chosen(None, None).enabled is False
    assert chosen("movenet", None).model == "movenet"
    assert chosen("movenet", "off").enabled is False
    assert chosen(False, {"model": "rtmo-t", "per_second": 2}).per_second == 2
    assert chosen(None, "my/own.tflite").model == "my/own.tflite"
    assert chosen(None, "on").model == "movenet"


def test_a_mistake_in_pose_is_told_with_its_place_and_what_to_try():
    problem = only(camera("pose: {model: movnet}"))
    assert str(problem) == "no pose model named 'movnet' (pahara.yml, line 5, column 19). Did you mean 'movenet'?"
    assert "'pose' has no 'per_secnd'" in str(only(camera("pose: {per_secnd: 3}")))
    assert "'per_second' must be more than 0, not 0" in str(only(camera("pose: {per_second: 0}")))
