"""How long each track has stayed in a zone up to now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pahara.core import Scene, Track, Zone
from pahara.core.rows import Rows, rows_of

MOST_ROWS = 128  # per trail: a long stay is judged on rows about a second apart
INSIDE, OUTSIDE = b"\x01", b"\x00"


def dwell(scene: Scene, tracks: Sequence[Track], zone: Zone, *, grace: float, seconds: float, most: int = MOST_ROWS) -> list[float]:
    """Seconds of each track's stay in the zone until its last sighting; 0 where it is outside now.

    An exit of at most `grace` seconds does not break the stay. Looks back `seconds`; a longer stay shows as that.
    Entry and exit lie midway between the rows before and after, so that every frame rate gives the same number.
    """
    return stays(rows_of(tracks, seconds, before=1, most=most), scene, zone, grace) if tracks else []


def stays(rows: Rows, scene: Scene, zone: Zone, grace: float) -> list[float]:
    """The same for rows that are gathered already."""
    inside = zone.contains(rows.feet, scene.size).tobytes()  # searched backwards byte by byte: faster than numpy on few rows
    times, edges = rows.times, rows.edges.tolist()
    found = []
    for first, end in pairwise(edges):
        out = inside.rfind(OUTSIDE, first, end)
        if out == end - 1:
            found.append(0.0)
            continue
        while out >= first:
            before = inside.rfind(INSIDE, first, out)  # the last row of the stay before this exit
            if before < first or _midway(times, out) - _midway(times, before) > grace:
                break
            out = inside.rfind(OUTSIDE, first, before)
        entered = float(times[first]) if out < first else _midway(times, out)
        found.append(max(float(times[end - 1]) - entered, 0.0))
    return found


def _midway(times: NDArray[np.float64], row: int) -> float:
    """Between this row and the next."""
    return (float(times[row]) + float(times[row + 1])) / 2
