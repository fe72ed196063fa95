"""Words in all languages at once, so that a page can change its language without being loaded again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from pahara import language
from pahara.core import Reason


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same words in every language, in the order of `language.LANGUAGES`."""

    words: tuple[str, ...]

    def __getitem__(self, wanted: str) -> str:
        return self.words[language.LANGUAGES.index(wanted)]


def each(make: Callable[[str], str]) -> Phrase:
    """make(language) for every language."""
    return Phrase(tuple(make(one) for one in language.LANGUAGES))


def plain(words: str) -> Phrase:
    """A name, a number: the same in every language."""
    return each(lambda _: words)


def say(key: str, /, **values: Any) -> Phrase:
    """The words of a catalogue key; values may be phrases themselves."""
    return each(
        lambda one: language.text(key, one, **{name: value[one] if isinstance(value, Phrase) else value for name, value in values.items()})
    )


def counted(key: str, n: int, /, **values: Any) -> Phrase:
    """say(key) for a number of things: `language.counted` in every language."""
    return each(lambda one: language.counted(key, n, one, **{name: v[one] if isinstance(v, Phrase) else v for name, v in values.items()}))


def listed(phrases: list[Phrase], between: str = ", ") -> Phrase:
    """Phrases in a row."""
    return each(lambda one: between.join(phrase[one] for phrase in phrases))


def named(name: str) -> Phrase:
    """A catalogue key as its words; anything else as it is."""
    return say(name) if language.has(name) else plain(name)


def sentence(name: str | Mapping[str, str]) -> Phrase:
    """The same with a capital letter; words that were said already are taken by language."""
    words = named(name) if isinstance(name, str) else each(lambda one: name[one])
    return each(lambda one: _capital(words[one]))


def behaviour(name: str, kind: str) -> Phrase:
    """The kind as people say it, and the configuration's own name where it tells more."""
    known = each(lambda one: _capital(language.behaviour_name(kind, one)))
    return known if name in (kind, "") else each(lambda one: f"{known[one]} · {name}")


def kind(kind: str) -> Phrase:
    return each(lambda one: _capital(language.behaviour_name(kind, one)))


def label(name: str) -> Phrase:
    """A detector's class as people say it."""
    return named(f"label.{name}") if language.has(f"label.{name}") else plain(name)


def why(reason: Reason) -> Phrase:
    """The reason as one sentence."""
    return each(lambda one: _capital(language.explain(reason, one)))


def unit(name: str) -> Phrase:
    return named(f"unit.{name}") if language.has(f"unit.{name}") else plain(name)


def duration(seconds: float) -> Phrase:
    """4.2 s, 4 min 12 s, 2 h 05 min; ends in a word, so that Bangla can bend it."""
    if seconds < 59.5:
        return say("report.time.seconds", s=language.number(seconds))
    whole = round(seconds)
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return say("report.time.minutes", m=minutes, s=rest) if rest else say("report.time.whole_minutes", m=minutes)
    hours, minutes = divmod(round(whole / 60), 60)
    return say("report.time.hours", h=hours, m=minutes)


def media_time(seconds: float) -> str:
    """Media seconds as a player shows them.

    >>> media_time(74.2), media_time(3674)
    ('1:14', '1:01:14')
    """
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@dataclass(frozen=True, slots=True)
class Clock:
    """Media seconds -> the clock on the wall. `epoch` is UTC of media time 0; 0 means that nobody knows."""

    epoch: float
    zone: tzinfo | None = None  # None: this computer's

    @property
    def known(self) -> bool:
        return self.epoch > 0

    def at(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self.epoch + seconds, UTC).astimezone(self.zone)

    def time(self, seconds: float, *, precise: bool = True) -> str:
        """14:03:27, or 14:03."""
        return self.at(seconds).strftime("%H:%M:%S" if precise else "%H:%M")

    def date(self, seconds: float) -> Phrase:
        moment = self.at(seconds)
        return say("report.date", day=moment.day, month=say(f"report.month.{moment.month}"), year=moment.year)

    def span(self, begin: float, end: float) -> Phrase:
        """The date and both times, with the offset from UTC."""
        offset = self.at(begin).strftime("%z")
        offset = f"UTC{offset[:3]}:{offset[3:5]}" if offset.strip("+-0") else "UTC"
        return say("report.clock", date=self.date(begin), begin=self.time(begin), end=f"{self.time(end)} ({offset})")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
