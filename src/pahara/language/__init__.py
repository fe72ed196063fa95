"""Words for people, in Bangla and English: one catalogue file per room and language.

`language/<bn|en>/<room>.json` holds flat keys, e.g. "reason.loitering.dwell": "stayed {measured} s, limit {limit} s".
Both languages hold the same keys with the same placeholders; a test checks it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from pahara.core import Reason

LANGUAGES = ("bn", "en")
DEFAULT = "en"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every key of one language; LookupError for a language that has no catalogue."""
    if language not in LANGUAGES:
        raise LookupError(f"no language {language!r}; there are {', '.join(LANGUAGES)}")
    words: dict[str, str] = {}
    for file in sorted(files(__package__).joinpath(language).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".json"):
            new = json.loads(file.read_text(encoding="utf-8"))
            if twice := words.keys() & new.keys():
                raise ValueError(f"{file.name}: these keys stand in another file too: {sorted(twice)}")
            words |= new
    return words


def text(key: str, language: str = DEFAULT, /, **values: Any) -> str:
    """The words of `key` with `values` filled in: text("event.began", "bn", camera="gate")."""
    return catalogue(language)[key].format(**values)


def counted(key: str, n: int, language: str = DEFAULT, /, **values: Any) -> str:
    """text(key) for a number of things, which the words call {n}: `key.one` for one of them, `key.none`, where there is one, for none.

    >>> counted("count.events", 1), counted("count.events", 2), counted("count.events", 0)
    ('1 event', '2 events', 'no events')
    """
    if n == 0 and has(f"{key}.none"):
        key += ".none"
    return text(f"{key}.one" if n == 1 else key, language, n=n, **values)


def has(key: str) -> bool:
    """Whether the catalogues know this key."""
    return key in catalogue(DEFAULT)


def number(value: float) -> str:
    """A measured number as people write it: two significant digits below 10, whole above; ASCII digits.

    >>> number(34.2), number(1.532), number(0.0), number(12000)
    ('34', '1.5', '0', '12000')
    """
    if abs(value) >= 9.95:
        return f"{value:.0f}"
    shown = f"{value:.1f}" if abs(value) >= 0.95 else f"{value:.2g}"
    return shown.rstrip("0").rstrip(".") if "." in shown and "e" not in shown else shown


def behaviour_name(kind: str, language: str = DEFAULT) -> str:
    """The kind of behaviour as people say it; a plug-in's own name where the catalogue has none."""
    key = f"behaviour.{kind}"
    return text(key, language) if has(key) else kind.replace("_", " ")


def explain(reason: Reason, language: str = DEFAULT) -> str:
    """ "stayed 34 s in gate, limit 30 s", in the reader's language."""
    key = f"reason.{reason.code}" if has(f"reason.{reason.code}") else "reason.generic"
    place = reason.place or text("place.everywhere", language)
    values = {name: number(v) if isinstance(v, int | float) else v for name, v in reason.values.items()}
    unit_key = f"unit.{reason.unit}"
    unit = text(unit_key, language) if has(unit_key) else reason.unit
    return text(key, language, measured=number(reason.measured), limit=number(reason.limit), unit=unit, place=place, **values)
