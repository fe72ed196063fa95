"""YAML is read into plain values that know their line; whatever a configuration never needs is refused."""

import math
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.config.document import MAX_BYTES, locate, read, read_file
from pahara.config.problems import ConfigProblems


def problems(text, **env):
    with pytest.raises(ConfigProblems) as caught:
        read(text, file="pahara.yml", env=env)
    return caught.value.problems


def only(text, **env):
    (problem,) = problems(text, **env)
    return problem


def test_values_are_those_of_yaml_1_2():
    text = "a: 1\nb: [2.5, 0x1f, 0o17, -3, 1e3, true, FALSE, ~, off, yes, 22:00, 2026-01-01, '12']\nঅ: {গ: ঘ}\n"
    assert read(text) == {
        "a": 1,
        "b": [2.5, 31, 15, -3, 1000.0, True, False, None, "off", "yes", "22:00", "2026-01-01", "12"],
        "অ": {"গ": "ঘ"},
    }
    assert math.isnan(read("a: .nan")["a"])
    assert read("a: -.inf")["a"] == -math.inf


def test_every_value_and_every_key_knows_its_place():
    data = read("version: 1\ncameras:\n  gate:\n    source: x\n    behaviours:\n      - kind: running\n      - {kind: falling}\n")
    assert locate(data, ("version",)) == (1, 10)
    assert locate(data, ("cameras", "gate", "source")) == (4, 13)
    assert locate(data, ("cameras", "gate", "source"), key=True) == (4, 5)
    assert locate(data, ("cameras", "gate", "behaviours", 1, "kind")) == (7, 16)
    assert locate(data, ("cameras", "gate", "missing")) == (3, 3), "what is missing stands where its parent stands"


def test_keys_are_taken_as_they_are_written():
    assert read("1: a\non: b\n2.50: c") == {"1": "a", "on": "b", "2.50": "c"}


def test_anchors_aliases_and_merge_keys_save_typing():
    data = read("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}\n")
    assert data == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}, "d": {"x": 1, "y": 2, "z": 4}}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("- 1\n", 1, "must be a mapping (key: value), not a list"),
        ("just words", 1, "must be a mapping (key: value), not a text"),
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice"),
        ("a:\n\tb: 1\n", 2, "a tab where YAML allows only spaces"),
        ("\ta: 1\n", 1, "a tab where YAML allows only spaces"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("a: b: c\n", 1, "a second ':' in one value"),
        ("a:\n  b: 1\n c: 2\n", 3, "the indentation does not fit"),
        ("a: [1, 2\n", 2, "this is not YAML"),
        ("a: @x\n", 1, "cannot start any token"),
        ("a: *nobody\n", 1, "undefined alias 'nobody'"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "the tag '!!python/object/apply:os.system' is not allowed"),
        ("a: !secret x\n", 1, "the tag '!secret' is not allowed"),
        ("a: !!binary aGVsbG8=\n", 1, "the tag '!!binary' is not allowed"),
        ("a: !!set {x}\n", 1, "the tag '!!set' is not allowed"),
        ("a: 1\nb: !!int x\n", 2, "'x' is no number"),
        ("? [1, 2]\n: 3\n", 1, "a key must be a word"),
        ("a: &a [*a]\n", 1, "an alias inside its own anchor never ends"),
        ("<<: 3\n", 1, "'<<' takes a mapping or a list of mappings"),
        ("a: b\0c\n", 1, "special characters are not allowed"),
    ],
)
def test_what_is_no_configuration_gets_one_line_with_its_place(text, line, words):
    problem = only(text)
    assert words in problem.message
    assert problem.line == line
    assert f"(pahara.yml, line {line}, column " in str(problem)


def test_several_mistakes_are_told_together():
    assert [p.line for p in problems("a: !x 1\nb: 2\nb: 3\nc: '{PAHARA_NOT_SET}'\n")] == [1, 3, 4]


def test_deep_nesting_is_refused_and_does_not_crash():
    assert "nested deeper" in only("a: " + "[" * 40 + "]" * 40).message
    assert "nested deeper" in only("[" * 5000).message
    assert "nested deeper" in only("a: " + "{b: " * 3000).message


def test_a_bomb_of_aliases_is_refused_at_once():
    names = "abcdefghi"
    text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise(names))
    began = time.process_time()
    assert "more than 50000 values" in only(text).message
    assert time.process_time() - began < 5


def test_a_file_in_another_encoding_says_so():
    assert "UTF-16" in only("version: 1".encode("utf-16")).message
    problem = only("version: 1\nname: দরজা ".encode() + b"\xe9\n")
    assert (problem.message, problem.line) == ("the file is not UTF-8 text", 2)
    assert read("\ufeffa: ১".encode()) == {"a": "১"}, "a byte order mark, as Notepad writes it, is no problem"


def test_a_huge_file_is_refused_before_it_is_parsed():
    assert "larger than 512 KiB" in only(b"#" * (MAX_BYTES + 1)).message
    assert "larger than 512 KiB" in only("#" * (MAX_BYTES + 1)).message


def test_a_variable_without_quotes_is_recognised():
    problem = only("a:\n  source: {PAHARA_GATE_URL}\n", PAHARA_GATE_URL="x")
    assert "without quotes is a mapping" in problem.message
    assert problem.hint == 'Put the whole text in quotes: "{PAHARA_GATE_URL}"'


def test_files_that_cannot_be_read_get_one_line(tmp_path):
    (tmp_path / "pahara.yml").write_text("a: 1\n")
    cases = {
        tmp_path: "this is a folder, not a file",
        tmp_path / "pahra.yml": "there is no such file",
        tmp_path / "no" / "pahara.yml": "there is no such file",
        Path("a\0b"): "this is no file name",
    }
    for path, words in cases.items():
        with pytest.raises(ConfigProblems) as caught:
            read_file(path)
        assert words in str(caught.value)
    with pytest.raises(ConfigProblems, match=r"Did you mean 'pahara\.yml'\?"):
        read_file(tmp_path / "pahra.yml")
    with pytest.raises(ConfigProblems, match=r"Try '.*pahara\.yml'"):
        read_file(tmp_path)
    with pytest.raises(ConfigProblems, match="no ordinary file"):
        read_file("/dev/zero")


YAML_LIKE = st.text(alphabet="ab:-[]{},&*!|>'\"%@#?~ \n\t0১.<=\\\x00\x85é", max_size=60)


@settings(max_examples=600, deadline=None)
@given(st.one_of(YAML_LIKE, st.text(max_size=60), st.binary(max_size=60)))
def test_garbage_gives_plain_values_or_problems_and_nothing_else(garbage):
    try:
        data = read(garbage)
    except ConfigProblems as caught:
        lines = [str(problem) for problem in caught.problems]
    else:
        assert isinstance(data, dict)
        return
    assert lines
    assert all("\n" not in line for line in lines)
