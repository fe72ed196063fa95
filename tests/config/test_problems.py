"""What is told helps: the place, and the nearest thing that would be right."""

import doctest

from pahara.config import problems
from pahara.config.problems import ConfigProblems, Problem, did_you_mean


def test_examples_in_the_docstrings_hold():
    for module in (problems,):
        done = doctest.testmod(module)
        assert done.attempted
        assert not done.failed


def test_a_near_word_is_offered_whatever_its_capitals():
    assert did_you_mean("LOITERNG", ["loitering"]) == "Did you mean 'loitering'?"
    assert did_you_mean("দরজ", ["দরজা", "gate"]) == "Did you mean 'দরজা'?"
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean("zzz", [f"word{n:02}" for n in range(40)]).startswith("There are 40, e.g. 'word00'")


def test_problems_come_by_line_and_each_once():
    told = ConfigProblems([Problem("b", line=2, column=1), Problem("a", line=1, column=9), Problem("b", line=2, column=1)])
    assert [each.message for each in told.problems] == ["a", "b"]
    assert told.exit_code == 2
    assert str(ConfigProblems([Problem("a", "Do b", "f.yml", 3, 4)])) == "a (f.yml, line 3, column 4). Do b"
