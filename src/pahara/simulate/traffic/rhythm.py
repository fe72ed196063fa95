"""When people come: hours of the day, working days and days off, and days that differ from each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAY = 86400.0
OFF = (4, 5)  # days of the week that are free: Friday and Saturday, counted from Monday
NIGHT = (19.0, 6.0)  # hours between which it is dark

_WORK = np.array([0.6, 0.3, 0.2, 0.2, 0.4, 1.5, 4, 7, 11, 8, 5.5, 5, 6, 6.5, 5, 5, 6.5, 9, 10, 8, 6, 4, 2.2, 1.2])
_FREE = np.array([1.0, 0.6, 0.3, 0.2, 0.4, 1.0, 2, 3, 4, 5, 6, 7, 8.5, 6, 5, 5.5, 7, 8, 9, 9, 7, 5, 3, 1.8])


def free_day(day: int) -> bool:
    """Day 0 is a Monday."""
    return day % 7 in OFF


def arrivals(rng: np.random.Generator, site: int, day: int, per_day: float, closed: bool) -> Floats:
    """Seconds of the day at which parties come: a Poisson process whose rate follows the hour.

    `site` seeds what is this place's own (its hours are a little different from all others'); the day itself brings
    more or fewer people than another of its kind.
    """
    hours = (_FREE if free_day(day) else _WORK) / _WORK.sum()
    own = np.random.default_rng([site, 72]).lognormal(0.0, 0.25, 24)
    hours = hours * own
    if closed:
        hours[[23, 0, 1, 2, 3, 4]] = 0.0
    rate = hours * per_day * rng.lognormal(0.0, 0.15) * rng.lognormal(0.0, 0.15, 24)
    count = rng.poisson(rate)
    return np.sort((np.repeat(np.arange(24), count) + rng.random(count.sum())) * 3600.0)


def dark(seconds: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """(n,) seconds of the day -> whether lamps are on."""
    hour = seconds % DAY / 3600.0
    night: NDArray[np.bool_] = (hour >= NIGHT[0]) | (hour < NIGHT[1])
    return night
