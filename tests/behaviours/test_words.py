"""Every kind of behaviour and every reason can be said in every language."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from string import Formatter

import pytest

import pahara.behaviours
from pahara.core import Reason
from pahara.language import LANGUAGES, behaviour_name, catalogue, explain

KINDS = sorted(thing.kind for thing in vars(pahara.behaviours).values() if hasattr(thing, "kind"))
WORDS = {
    language: json.loads(files("pahara.language").joinpath(language, "behaviours.json").read_text(encoding="utf-8"))
    for language in LANGUAGES
}


def placeholders(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_the_same_things():
    first, *others = WORDS.values()
    for other in others:
        assert other.keys() == first.keys()
        assert {key: placeholders(text) for key, text in other.items()} == {key: placeholders(text) for key, text in first.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_name_and_a_line_about_it(kind):
    for language in LANGUAGES:
        assert behaviour_name(kind, language) == catalogue(language)[f"behaviour.{kind}"]
        assert catalogue(language)[f"behaviour.{kind}.about"]


def test_every_reason_in_the_code_has_a_sentence_and_every_sentence_a_reason():
    used = set()
    for file in files("pahara.behaviours").iterdir():
        if file.name.endswith(".py"):
            used |= set(re.findall(rf'"((?:{"|".join(KINDS)})\.[a-z_]+)"', file.read_text(encoding="utf-8")))
    used |= {f"tamper.{trick}" for trick in ("covered", "defocused", "moved", "dark", "frozen")}
    said = {key.removeprefix("reason.") for key in WORDS["en"] if key.startswith("reason.")}
    assert used == said
    assert len(said) >= 15


def test_bangla_keeps_ascii_digits():
    assert not any(re.search("[০-৯]", text) for text in WORDS["bn"].values())


def test_a_sentence_reads_well():
    reason = Reason("loitering.dwell", 34.2, 30.0, "s", "gate")
    assert explain(reason, "en") == "stayed 34 s, limit 30 s (gate)"
    assert explain(reason, "bn") == "34 সেকেন্ড ধরে আছে, limit 30 সেকেন্ড (gate)"
