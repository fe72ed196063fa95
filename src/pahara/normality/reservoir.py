"""Which tracks are kept when there is no room for all: by lot, older ones less and less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .attributes import DAY

HALF_LIFE = 14 * DAY  # seconds in which a track's chance to be kept halves
BLOCK = 16  # rows of a long stay that are kept together: evidence looks at as many
Rows = NDArray[np.intp]


def lots(tracks: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) keys -> (n,) numbers in (0, 1) that look drawn by lot, always the same for the same key (splitmix64)."""
    with np.errstate(over="ignore"):
        z = tracks.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    drawn: NDArray[np.float64] = ((z >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return drawn


def chosen(tracks: NDArray[np.int64], times: NDArray[np.float64], most: int, *, keep: NDArray[np.int64]) -> Rows:
    """(n,) keys and UTC seconds -> rows of at most `most` tracks; those in `keep` stay whatever the lot says.

    Weighted sampling without replacement (Efraimidis & Spirakis 2006) with weight 2^(time / half-life): what is kept does
    not depend on how often the reservoir was looked through.
    """
    keys, first, where = np.unique(tracks, return_index=True, return_inverse=True)
    if len(keys) <= most:
        return np.arange(len(tracks))
    place = np.log(-np.log(lots(keys))) - times[first] * (np.log(2) / HALF_LIFE)
    place[np.isin(keys, keep)] = -np.inf
    stays = np.zeros(len(keys), bool)
    stays[np.argsort(place, kind="stable")[:most]] = True
    return np.flatnonzero(stays[where.reshape(-1)])


def as_long_as(tracks: NDArray[np.int64], times: NDArray[np.float64], most: int) -> Rows:
    """Rows sorted by track and time -> at most `most` rows of each track: blocks spread evenly over its stay."""
    del times
    starts = np.flatnonzero(np.append(True, tracks[1:] != tracks[:-1]))[: len(tracks)]
    counts = np.diff(np.append(starts, len(tracks)))
    if not len(counts) or counts.max() <= most:
        return np.arange(len(tracks))
    place = np.arange(len(tracks)) - np.repeat(starts, counts)
    blocks = np.repeat(-(-counts // BLOCK), counts)
    slots = max(most // BLOCK, 1)
    block = place // BLOCK
    slot = block * slots // np.maximum(blocks, slots)
    before = np.where(block > 0, (block - 1) * slots // np.maximum(blocks, slots), -1)
    return np.flatnonzero(slot != before)
