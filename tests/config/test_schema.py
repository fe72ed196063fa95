"""The JSON schema knows what the reader knows: editors accept good files and mark broken ones."""

import jsonschema
import pytest

from pahara.config import json_schema, parse
from pahara.config.document import read
from pahara.config.problems import ConfigProblems
from pahara.config.registry import names
from pahara.config.starter import LANGUAGES, starter

GOOD = """\
version: 1
language: bn
detector: {model: yolox-nano, confidence: 0.2, classes: person, threads: 2}
tracker: {max_gap: 3}
gate: {beat: 1.5}
pose: {model: movenet, per_second: 4}
store: {path: data, days: null, url: "postgresql://{PAHARA_USER}@host/pahara"}
evidence: {before: 3}
defaults: {behaviours: [running, {kind: loitering, seconds: 20}]}
cameras:
  gate:
    name: সদর দরজা
    source: rtsp://192.0.2.7/sub
    zones: {doorway: [[0, 0.2], [0.4, 0.2], [0.4, 1]]}
    lines: {threshold: {from: [0.2, 0.5], to: [0.8, 0.5]}, fence: [[0.1, 0.1], [0.9, 0.1]]}
    behaviours:
      - kind: intrusion
        zone: doorway
        schedule: [{days: [fri, sat], from: "22:00", to: "06:00"}, {days: sun}]
        alarm: {hold: 1.0, cooldown: 60}
      - {kind: crossing, line: threshold, direction: forward, name: entered}
      - {kind: tamper, watch_for: [covered, dark]}
      - falling
    detector: motion
    tracker: bytetrack
    gate: off
    pose: off
  yard: {source: yard.mp4, behaviours: [], detector: my/own.onnx, enabled: false, pose: rtmo-t}
  lane: {source: lane.mp4, pose: my/own.tflite}
"""


@pytest.fixture(scope="module")
def schema():
    return json_schema()


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_a_good_file_is_accepted_by_both(validator):
    env = {"PAHARA_USER": "u"}
    assert [error.message for error in validator.iter_errors(read(GOOD, env=env))] == []
    assert parse(GOOD, env=env).cameras


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_starter_is_accepted_by_both(validator, language):
    assert [error.message for error in validator.iter_errors(read(starter(language)))] == []
    assert parse(starter(language), env={}).language == language


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("language: bn", "language: bangla"),
        ("language: bn", "langage: bn"),
        ("version: 1", "version: 2"),
        ("threads: 2", "thread: 2"),
        ("threads: 2", "threads: two"),
        ("max_gap: 3", "max_gop: 3"),
        ("beat: 1.5", "beet: 1.5"),
        ("days: null", "days: many"),
        ("before: 3", "before: -3"),
        ("[running,", "[runing,"),
        ("seconds: 20", "secnds: 20"),
        ("seconds: 20", "seconds: long"),
        ("  gate:\n", "  ../gate:\n"),
        ("source: rtsp://192.0.2.7/sub", "sorce: rtsp://192.0.2.7/sub"),
        ("[0, 0.2], [0.4, 0.2], [0.4, 1]", "[0, 0.2], [0.4, 0.2]"),
        ("[0, 0.2], [0.4, 0.2]", "[0, 0.2], [0.4, 640]"),
        ("[0, 0.2], [0.4, 0.2]", "[0, 0.2], [0.4]"),
        ("{from: [0.2, 0.5], to: [0.8, 0.5]}", "{from: [0.2, 0.5]}"),
        ("[[0.1, 0.1], [0.9, 0.1]]", "[[0.1, 0.1]]"),
        ("kind: intrusion", "kind: intruson"),
        ("kind: intrusion", "name: x"),
        ("line: threshold, ", ""),
        ("direction: forward", "direction: foreward"),
        ("cooldown: 60", "coldown: 60"),
        ("to: \"06:00\"", "till: \"06:00\""),
        ("[covered, dark]", "[covered, dork]"),
        ("- falling", "- crossing"),
        ("detector: motion", "detector: {kind: magic}"),
        ("tracker: bytetrack", "tracker: sort"),
        ("gate: off", "gate: maybe"),
        ("pose: rtmo-t", "pose: rtmo"),
        ("per_second: 4", "per_second: 0"),
        ("per_second: 4", "per_secnd: 4"),
        ("enabled: false", "enabled: never"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_by_both(validator, old, new):
    assert old in GOOD, "the test would break nothing"
    text, env = GOOD.replace(old, new, 1), {"PAHARA_USER": "u"}
    assert list(validator.iter_errors(read(text, env=env))), "the editor sees nothing wrong"
    with pytest.raises(ConfigProblems):
        parse(text, env=env)


def test_every_installed_plug_in_is_there_with_its_words(schema):
    for kind in names("behaviours"):
        described = schema["$defs"][f"behaviour.{kind}"]
        assert described["properties"]["kind"]["const"] == kind
        assert described["additionalProperties"] is False
        assert described["description"], f"{kind} is not described"
    assert schema["$defs"]["behaviour.running"]["properties"]["speed"]["description"] == "body heights per second; a walk is about 0.8"
    assert schema["$defs"]["behaviour.running"]["properties"]["speed"]["default"] == 1.5
    assert schema["$defs"]["Camera"]["properties"]["source"]["description"]


def test_every_key_of_the_file_is_described(schema):
    parts = {
        "the file": schema,
        **{name: schema["$defs"][name] for name in ("Camera", "StorePart", "EvidencePart", "Defaults", "AlarmRule")},
    }
    silent = [f"{part}: {key}" for part, told in parts.items() for key, value in told["properties"].items() if not value.get("description")]
    assert silent == []
