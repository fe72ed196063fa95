"""Both languages say the same things: same keys, same placeholders, and Bangla that is really Bangla."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from importlib.resources import files

import pytest

import pahara.language as language
from pahara.core import Reason

ROOT = files(language)
ROOMS = sorted(file.name for file in ROOT.joinpath("en").iterdir() if file.name.endswith(".json"))
BANGLA = re.compile("[\u0980-\u09ff]")
# Words that both languages write alike: technical terms, names, and phrases that are placeholders only.
SAME = re.compile(r"[\W\d_]*([A-Za-z][\w.×/-]*[\W\d_]*){0,3}")


def words(one: str, room: str) -> dict[str, str]:
    return json.loads(ROOT.joinpath(one).joinpath(room).read_text(encoding="utf-8"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def pairs() -> list[tuple[str, str, str, str]]:
    return [(room, key, english, words("bn", room)[key]) for room in ROOMS for key, english in words("en", room).items()]


def test_there_are_catalogues_to_check():
    assert {"common.json", "report.json"} <= set(ROOMS), "no catalogues found: the checks would pass without checking"
    assert sorted(file.name for file in ROOT.joinpath("bn").iterdir() if file.name.endswith(".json")) == ROOMS
    assert sorted(folder.name for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith("_")) == sorted(
        language.LANGUAGES
    )


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_have_the_same_keys(room):
    assert words("bn", room).keys() == words("en", room).keys()


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_have_the_same_placeholders(room):
    assert {k: placeholders(v) for k, v in words("bn", room).items()} == {k: placeholders(v) for k, v in words("en", room).items()}


@pytest.mark.parametrize("one", language.LANGUAGES)
@pytest.mark.parametrize("room", ROOMS)
def test_no_key_stands_twice_in_a_file(one, room):
    def once(found: list[tuple[str, str]]) -> dict[str, str]:
        keys = [key for key, _ in found]
        assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)
        return dict(found)

    json.loads(ROOT.joinpath(one).joinpath(room).read_text(encoding="utf-8"), object_pairs_hook=once)


@pytest.mark.parametrize("one", language.LANGUAGES)
@pytest.mark.parametrize("room", ROOMS)
def test_letters_are_composed_and_of_the_right_scripts(one, room):
    allowed = ("LATIN", "BENGALI") if one == "bn" else ("LATIN",)
    for key, text in words(one, room).items():
        assert unicodedata.normalize("NFC", text) == text, f"{key} is not NFC"
        for letter in text:
            name = unicodedata.name(letter, "?")
            if letter.isalpha() or unicodedata.category(letter).startswith("M"):
                native = key.startswith("language.") or "পাহারা" in text  # a language's own name, the product's name
                assert name.startswith(allowed) or (native and name.startswith("BENGALI")), f"{key}: {letter} is {name}"
            assert not ("০" <= letter <= "৯"), f"{key}: digits are ASCII, in Bangla too"
            assert unicodedata.category(letter) != "Cf" or letter in "\u200c\u200d", f"{key}: invisible U+{ord(letter):04X}"
        if one == "bn":
            assert "।" not in text or BANGLA.search(text), key
            assert not re.search(r"[\u0980-\u09ff]\s*\.(\s|$)", text), f"{key}: a Bangla sentence ends in ।"


def test_bangla_is_really_bangla():
    """A phrase may stay as it is only when it is a term or two; a sentence is never left in English."""
    forgotten = [
        (room, key, bangla)
        for room, key, english, bangla in pairs()
        if not BANGLA.search(bangla) and not SAME.fullmatch(re.sub(r"\{[^}]*\}", "", bangla))
    ]
    assert forgotten == []
    translated = sum(bool(BANGLA.search(bangla)) for *_, bangla in pairs())
    assert translated > 0.75 * len(pairs())


def test_english_is_in_latin_letters_and_no_phrase_is_empty():
    for room, key, english, bangla in pairs():
        assert english.strip(), (room, key)
        assert bangla.strip(), (room, key)


@pytest.mark.parametrize("one", language.LANGUAGES)
def test_every_phrase_can_be_said(one):
    """No stray brace: each phrase takes its placeholders and nothing else."""
    for key, text in language.catalogue(one).items():
        names = placeholders(text)
        assert all(name.isidentifier() for name in names), key
        told = language.text(key, one, **dict.fromkeys(names, "7"))
        assert "{" not in told, key


@pytest.mark.parametrize("one", language.LANGUAGES)
def test_a_reason_becomes_a_sentence(one):
    told = language.explain(Reason("loitering.dwell", 34.2, 30.0, "s", "gate"), one)
    assert "34" in told
    assert "30" in told
    assert "gate" in told


@pytest.mark.parametrize("one", language.LANGUAGES)
def test_an_unknown_reason_is_still_told(one):
    """A plug-in's reason has no sentence of its own."""
    told = language.explain(Reason("stranger.thing", 3.0, 2.0, "sheep"), one)
    assert "3 sheep" in told
    assert language.text("place.everywhere", one) in told


def test_an_unknown_language_names_those_that_exist():
    with pytest.raises(LookupError, match="no language 'fr'; there are bn, en"):
        language.catalogue("fr")


def test_an_unknown_behaviour_keeps_its_own_name():
    assert language.behaviour_name("cat_on_roof", "bn") == "cat on roof"


def test_place_names_with_braces_are_only_names():
    assert "{limit}" in language.explain(Reason("loitering.dwell", 34.0, 30.0, "s", "{limit}"))


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (0.004, "0.004"), (0.123, "0.12"), (0.96, "1"), (1.532, "1.5"), (9.94, "9.9"), (9.96, "10"), (34.2, "34"), (12000, "12000"), (-3.25, "-3.2")],
)  # fmt: skip
def test_numbers_as_people_write_them(value, told):
    assert language.number(value) == told
