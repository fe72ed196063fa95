"""So many in a time, as people write it: "3/day"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, TypeAlias

DAY = 86400.0  # seconds
UNITS = {"hour": 3600.0, "day": DAY, "week": 7 * DAY}  # in the order in which they are offered
PerDay: TypeAlias = Annotated[float, "per day"]  # a field of a plug-in that a file may give as "3/day"
_WORDS = {
    "h": "hour", "hr": "hour", "hour": "hour", "hours": "hour", "hourly": "hour", "d": "day", "day": "day", "days": "day", "daily": "day",
    "w": "week", "wk": "week", "week": "week", "weeks": "week", "weekly": "week",
}  # fmt: skip
_WRITTEN = re.compile(r"\s*([0-9]+(?:[.,][0-9]+)?|[0-9]*\.[0-9]+)\s*(?:/|\bper\b|\bin a\b|\ba\b)?\s*([A-Za-z]*)\s*")


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of things in an hour, a day or a week."""

    count: float
    unit: str = "day"  # "hour", "day" or "week"

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"a rate is per {', '.join(UNITS)}, got {self.unit!r}")
        if not (isfinite(self.count) and self.count > 0):
            raise ValueError(f"a rate is a number above 0, got {self.count}")

    @classmethod
    def of(cls, written: object) -> Rate:
        """From "3/day", "1/week", "2/h", "2 per hour"; a number alone counts per day. ValueError with what to write instead.

        >>> Rate.of("2/h"), Rate.of(3), str(Rate.of("0.5 per week"))
        (Rate(count=2.0, unit='hour'), Rate(count=3.0, unit='day'), '0.5/week')
        """
        if isinstance(written, Rate):
            return written
        if isinstance(written, int | float) and not isinstance(written, bool):
            return cls(float(written))
        match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
        if match is None:
            raise ValueError(f"{written!r} is no rate: write it like 3/day, 1/week or 2/h")
        word = match[2].lower()
        if word and word not in _WORDS:
            raise ValueError(f"no time called {match[2]!r} in {written!r}.{_near(word)} Write it like 3/day, 1/week or 2/h")
        return cls(float(match[1].replace(",", ".")), _WORDS[word] if word else "day")

    @property
    def per_day(self) -> float:
        """How many a day."""
        return self.count * DAY / UNITS[self.unit]

    def __str__(self) -> str:
        return f"{self.count:g}/{self.unit}"


def _near(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(_WORDS), n=1, cutoff=0.5)
    return f" Did you mean {_WORDS[near[0]]!r}?" if near else ""
