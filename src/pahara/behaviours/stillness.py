"""Things that stay where they are: since when, and who was near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pahara.core import Scene, Track
from pahara.core.boxes import Floats, centres, iou_matrix
from pahara.core.labels import GROUPS

from .trails import TINY, Rows, rows_of

MOVED = 0.35  # share of its own size that a thing's centre may wander while it counts as still
SAME_THING = 0.4  # IoU of two tracks that are the same thing under two ids
THINGS = (*GROUPS["bag"], "bag", "object")


def still_since(track: Track, since: float) -> float:
    """Media seconds since when a track has stayed where it was last seen; looks back to `since` at most."""
    own = track.since(since)
    boxes = track.boxes[own].astype(np.float64)
    if not len(boxes):
        return track.last_seen
    middle = centres(boxes)
    here = np.median(middle[-5:], axis=0)
    size = np.sqrt(np.prod(np.median(boxes[-5:, 2:] - boxes[-5:, :2], axis=0)))
    moved = (np.hypot(*(middle - here).T) > MOVED * max(size, 1.0)).nonzero()[0]
    # One stray box is no journey: two rows on end are.
    moved = moved[np.isin(moved + 1, moved) | (moved == 0)] if len(moved) > 1 else moved[moved == 0]
    return float(track.times[own][min(moved[-1] + 1, len(boxes) - 1)] if len(moved) else track.times[own][0])


@dataclass(frozen=True, slots=True, eq=False)
class Stay:
    """A thing stood in one place."""

    box: Floats  # (4,) pixels
    begin: float  # media seconds
    end: float


def last_stay(track: Track, since: float, seconds: float) -> Stay | None:
    """The last time that a track stayed in one place for `seconds`, looking back to `since`; None when it never did."""
    own = track.since(since)
    times, boxes = track.times[own], track.boxes[own].astype(np.float64)
    if not len(times) or times[-1] - times[0] < seconds - TINY:
        return None
    middle, row = centres(boxes), len(times) - 1
    while row >= 0 and times[row] - times[0] >= seconds - TINY:
        size = max(float(np.sqrt(np.prod(boxes[row, 2:] - boxes[row, :2]))), 1.0)
        away = (np.hypot(*(middle[: row + 1] - middle[row]).T) > MOVED * size).nonzero()[0]
        first = int(away[-1]) + 1 if len(away) else 0
        if times[row] - times[first] >= seconds - TINY:
            usual = np.median(boxes[first : row + 1], axis=0)  # at the end someone stands in front of it perhaps
            return Stay(usual, float(times[first]), float(times[row]))
        row = min(first, row) - 1  # a stay that ends later is too short, and so is any that begins where this one does
    return None


def earlier_selves(scene: Scene, thing: Track) -> list[Track]:
    """Ended tracks of the same thing in the same place: the detector lost it and found it again."""
    ended = [t for t in scene.past if t.label == thing.label and t.last_seen <= thing.born + 1.0]
    if not ended:
        return []
    overlaps = iou_matrix(thing.boxes[:1].astype(np.float64), np.stack([t.box for t in ended]).astype(np.float64))[0]
    return [t for t, overlap in zip(ended, overlaps.tolist(), strict=True) if overlap >= SAME_THING]


def people_rows(scene: Scene, labels: tuple[str, ...], since: float, *, most: int = 0) -> Rows:
    """The trails, live and ended, of people who were seen after `since`; `most` > 0 thins them."""
    people = [t for t in (*scene.past, *scene.tracks) if t.label in labels and t.last_seen >= since]
    return rows_of(people, max((t.last_seen for t in people), default=since) - since, most=most)


def distances(people: Rows, spot: Floats) -> Floats:
    """(N,) how far each row's foot point is from a spot (2,), in that person's own body heights."""
    off = people.feet - spot
    far: Floats = np.hypot(off[:, 0], off[:, 1]) / np.maximum(people.heights, 1.0)
    return far
