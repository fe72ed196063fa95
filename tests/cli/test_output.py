"""What all verbs print with: people read stdout and stderr, machines read one JSON object."""

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pahara.cli import output


@dataclass(frozen=True)
class Figure:
    name: str
    value: float


@pytest.fixture(autouse=True)
def fresh_consoles():
    yield
    output.out.cache_clear()
    output.err.cache_clear()


def test_everything_that_verbs_hold_becomes_json(capsys):
    output.say_json(
        {"figure": Figure("a", 0.5), "path": Path("x/y"), "array": np.arange(3), "one": np.float32(0.25), "nan": float("nan"), 3: (1, None)}
    )
    told = json.loads(capsys.readouterr().out)
    assert told == {"figure": {"name": "a", "value": 0.5}, "path": "x/y", "array": [0, 1, 2], "one": 0.25, "nan": None, "3": [1, None]}


def test_answers_and_notes_do_not_mix(capsys):
    output.say("an answer")
    output.note("a note")
    output.warn("a warning")
    captured = capsys.readouterr()
    assert captured.out == "an answer\n"
    assert captured.err == "a note\n! a warning\n"


def test_a_long_line_is_not_cut_and_brackets_are_no_markup(capsys):
    line = "[red]not markup[/red] " + "word " * 60
    output.say(line)
    assert capsys.readouterr().out == line + "\n"


def test_a_table_holds_bangla_and_brackets(capsys):
    output.table(["name", "n"], [["সদর দরজা", 3], ["[bold]", 12]], title="Cameras", right=(1,))
    told = capsys.readouterr().out
    assert "সদর দরজা" in told
    assert "[bold]" in told
    assert "Cameras" in told


def test_progress_is_silent_where_nobody_looks(capsys):
    with output.progress("Frames", 10) as tell:
        tell(5, None)
        tell(10, 20)
    assert capsys.readouterr() == ("", "")


def test_letters_stand_in_where_the_terminal_cannot_show_signs(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert [output.mark(state) for state in ("ok", "warn", "fail")] == ["ok", "!!", "XX"]
