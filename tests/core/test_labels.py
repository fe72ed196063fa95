"""A rule for vehicles is a rule for cars, whichever of the words a detector says."""

import doctest

from pahara.core import labels
from pahara.core.labels import GROUPS, instead, widened


def test_the_examples_hold():
    done = doctest.testmod(labels)
    assert done.attempted == 3
    assert not done.failed


def test_any_label_stays_any_label():
    assert widened(()) == ()
    assert instead((), ("vehicle",)) == {}


def test_a_widened_rule_needs_nothing_else():
    for group in GROUPS:
        assert instead(widened((group,)), ("person", *GROUPS)) == {}


def test_every_group_and_every_member_has_words_in_both_languages():
    from pahara.language import has

    assert all(has(f"label.{word}") for group, members in GROUPS.items() for word in (group, *members))
