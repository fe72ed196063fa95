"""How long each track has stayed in a zone up to now."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pahara.core import Scene, Track, Zone
from pahara.core.boxes import foot_points

from .trails import rows_of

MOST_ROWS = 128  # per trail: a long stay is judged on rows about a second apart


def dwell(scene: Scene, tracks: Sequence[Track], zone: Zone, *, grace: float, seconds: float, most: int = MOST_ROWS) -> NDArray[np.float64]:
    """(n,) seconds of each track's stay in the zone until its last sighting; 0 where it is outside now.

    An exit of at most `grace` seconds does not break the stay. Looks back `seconds`; a longer stay shows as that.
    Entry and exit lie midway between the rows before and after, so that every frame rate gives the same number.
    """
    if not tracks:
        return np.zeros(0)
    rows = rows_of(tracks, seconds, before=1, most=most)
    inside = zone.contains(foot_points(rows.boxes), scene.size)
    where = inside.nonzero()[0]
    if not len(where):
        return np.zeros(len(tracks))
    times, owner = rows.times, rows.owner[where]

    # Every row inside either goes on with the stay of the row inside before it, or begins a new one.
    before, now = where[:-1], where[1:]
    out_at = (times[before] + times[np.minimum(before + 1, len(times) - 1)]) / 2
    in_at = (times[now - 1] + times[now]) / 2
    away = np.where(now - before > 1, in_at - out_at, 0.0)
    begins = np.concatenate([[True], (owner[1:] != owner[:-1]) | (away > grace)])
    stay = np.maximum.accumulate(np.where(begins, np.arange(len(where)), 0))  # row inside -> where its stay began

    latest = np.full(len(tracks), -1)
    latest[owner] = np.arange(len(where))  # the last write wins: the last row inside
    here = inside[rows.last]
    start = where[stay[latest]]
    entered = np.where(start > rows.first, (times[start - 1] + times[start]) / 2, times[start])
    return np.where(here, np.maximum(times[rows.last] - entered, 0.0), 0.0)
