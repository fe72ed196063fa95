"""What a signal mostly was of late: one odd value is no news."""

from __future__ import annotations

import numpy as np

from pahara.core import Series

STALE = 2.0  # seconds without a new value after which the last one tells nothing


def held_median(series: Series | None, now: float, seconds: float) -> float:
    """The median of the last `seconds` up to `now`, each value weighted by how long it stood; 0 without enough of them.

    >>> values = Series(np.array([0.0, 1.0, 1.2]), np.array([0.1, 0.9, 0.5]))
    >>> held_median(values, 2.0, 1.0), held_median(values, 1.2, 1.0), held_median(values, 9.0, 1.0)
    (0.5, 0.1, 0.0)
    """
    if series is None or not len(series.times) or now - float(series.times[-1]) > STALE:
        return 0.0
    begin = now - seconds
    first = max(int(series.times.searchsorted(begin, side="right")) - 1, 0)  # the value that stood when the window began
    times, values = np.maximum(series.times[first:], begin), series.values[first:]
    stood = np.diff(np.append(times, now))
    unknown = max(seconds - float(stood.sum()), 0.0)  # before the first value there was nothing
    order = values.argsort()
    reached = unknown + stood[order].cumsum()
    middle = int(reached.searchsorted(seconds / 2, side="left"))
    return 0.0 if unknown > seconds / 2 else float(values[order][min(middle, len(order) - 1)])
