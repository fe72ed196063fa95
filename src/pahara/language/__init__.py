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
    if abs(value) < 1e-6:
        return "0"  # what is left of adding and taking away
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
    values = {name: number(v) if isinstance(v, int | float) else v for name, v in reason.values.items()} | _spoken(reason, language)
    unit_key = f"unit.{reason.unit}"
    unit = text(unit_key, language) if has(unit_key) else reason.unit
    return text(key, language, measured=number(reason.measured), limit=number(reason.limit), unit=unit, place=place, **values)


def rarity(one_in: float) -> str:
    """The N of "1 in N", as exactly as it is known: one significant digit, and no end beyond a million.

    >>> rarity(4213.7), rarity(87), rarity(1.3), rarity(3e9)
    ('4,000', '90', '1', '1,000,000+')
    """
    if not one_in < 1e6:
        return "1,000,000+"
    return f"{float(f'{max(one_in, 1.0):.1g}'):,.0f}"


def direction(degrees: float, language: str = DEFAULT) -> str:
    """A way on the picture, 0 to the right and 90 upwards, in words: eight of them."""
    return text(f"way.{round(degrees / 45) % 8}", language)


def spot(x: float, y: float, language: str = DEFAULT) -> str:
    """Where on the picture, given in fractions from the top left: "on the left, near the camera"."""
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else "middle"
    return text(f"spot.{across}.{'far' if y < 0.45 else 'near' if y > 0.8 else 'middle'}", language)


def _spoken(reason: Reason, language: str) -> dict[str, str]:
    """Numbers of a reason that are said in words."""
    told, given = {"where": reason.place or text("place.everywhere", language)}, reason.values
    if isinstance(rare := given.get("one_in"), int | float):
        told["one_in"] = rarity(rare)
    if isinstance(x := given.get("x"), int | float) and isinstance(y := given.get("y"), int | float):
        told["where"] = reason.place or spot(float(x), float(y), language)
    if reason.unit == "°":
        told["direction"] = direction(reason.measured, language)
    return told
