"""All tracks of one camera, a row each in parallel arrays: what the tracker remembers between frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

from . import kalman

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.intp]
Bools = NDArray[np.bool_]

SMOOTH = 0.75  # share of the filter in a reported box; the rest is the detection itself
STAND = 2.0  # seconds in one place that make a track stationary
STEP = 0.35  # object sizes: who moves further than this has left the place
TRUST = 3.0  # seconds over which a track's confidence is averaged
NEW_LOOK = 0.1  # weight of a new look in the running mean of a track's looks
MOST_VOTES = 10.0  # lead of a label that a long history cannot raise further


class Tracks:
    """Columns of equal length; `state` has its rows on the second axis."""

    def __init__(self) -> None:
        self.id = np.zeros(0, np.int64)  # 0 until confirmed
        self.group = np.zeros(0, np.intp)  # classes that may share a track have one number
        self.label = np.zeros(0, np.intp)
        self.votes = np.zeros(0)  # by how much the label leads among the sightings
        self.state: Array = np.zeros((5, 0, 4))  # of the filter: cx cy w h
        self.size = np.zeros((0, 1))  # pixels: square root of the box area
        self.box = np.zeros((0, 4))  # the last sighting, lightly smoothed
        self.score = np.zeros(0)
        self.trust = np.zeros(0)  # mean score of the last seconds
        self.born = np.zeros(0)
        self.seen_at = np.zeros(0)
        self.hits = np.zeros(0, np.int64)
        self.frames = np.zeros(0, np.int64)  # looked at since it was born
        self.anchor = np.zeros((0, 2))  # where it has been standing ...
        self.still_since = np.zeros(0)  # ... and since when
        self.merged = np.zeros(0, bool)  # the last detection seemed to show another object too
        self.confirmed = np.zeros(0, bool)
        self.looks = np.zeros((0, 0))  # unit length

    def __len__(self) -> int:
        return len(self.id)

    @property
    def still(self) -> Bools:
        """(n,) whether each stood in one place when it was last seen."""
        result: Bools = self.seen_at - self.still_since >= STAND
        return result

    def keep(self, rows: Bools) -> None:
        """Forget the others."""
        for name, column in vars(self).items():
            setattr(self, name, column[:, rows] if name == "state" else column[rows])

    def add(self, boxes: Array, scores: Array, labels: Rows, groups: Rows, time: float, looks: Array | None) -> None:
        """New tracks, one for each box."""
        n = len(boxes)
        measured = xyxy_to_cxcywh(boxes)
        size = sizes(measured)
        now, ones = np.full(n, time), np.ones(n, np.int64)
        if looks is not None and not self.looks.shape[1]:
            self.looks = np.zeros((len(self), looks.shape[1]))
        new: dict[str, NDArray[Any]] = {
            "id": np.zeros(n, np.int64),
            "group": groups,
            "label": labels,
            "votes": scores,
            "state": kalman.begin(measured, size),
            "size": size,
            "box": boxes,
            "score": scores,
            "trust": scores,
            "born": now,
            "seen_at": now,
            "hits": ones,
            "frames": ones,
            "anchor": measured[:, :2],
            "still_since": now,
            "merged": np.zeros(n, bool),
            "confirmed": np.zeros(n, bool),
            "looks": np.zeros((n, self.looks.shape[1])) if looks is None else looks,
        }
        for name, rows in new.items():
            setattr(self, name, np.concatenate([getattr(self, name), rows], axis=1 if name == "state" else 0))

    def meet(self, rows: Rows, boxes: Array, scores: Array, labels: Rows, time: float, seconds: float, doubt: Array, merged: Bools) -> None:
        """The tracks `rows` were seen as these detections; `doubt` (k,) as `kalman.correct` wants it.

        A `merged` detection keeps its track alive but is not a sighting: the box stays where it was.
        """
        measured = xyxy_to_cxcywh(boxes)
        state = kalman.correct(self.state[:, rows], measured, self.size[rows], doubt[:, None], seconds)
        size = sizes(state[0])
        self.state[:, rows], self.size[rows] = state, size
        clear = ~merged
        self.merged[rows] = merged
        self.box[rows[clear]] = (SMOOTH * cxcywh_to_xyxy(state[0]) + (1 - SMOOTH) * boxes)[clear]
        self.score[rows] = scores
        self.trust[rows] += -np.expm1(-seconds / TRUST) * (scores - self.trust[rows])
        self.seen_at[rows] = time
        self.hits[rows] += 1
        moved = np.abs(measured[:, :2] - self.anchor[rows]).max(axis=1) > STEP * size[:, 0]
        if moved.any():
            self.anchor[rows[moved]], self.still_since[rows[moved]] = measured[moved, :2], time
        # Majority vote (Boyer & Moore), weighted by score: a truck called "car" now and then stays a truck.
        votes = self.votes[rows] + np.where(self.label[rows] == labels, scores, -scores)
        self.label[rows] = np.where(votes < 0, labels, self.label[rows])
        self.votes[rows] = np.minimum(np.abs(votes), MOST_VOTES)

    def remember(self, rows: Rows, looks: Array) -> None:
        """How the tracks `rows` look now; looks (k, d) of unit length."""
        if not self.looks.shape[1]:
            self.looks = np.zeros((len(self), looks.shape[1]))
        mean = (1 - NEW_LOOK) * self.looks[rows] + NEW_LOOK * looks
        self.looks[rows] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)


def sizes(measured: Array) -> Array:
    """(n, 4) cx cy w h -> (n, 1) square root of the area, at least a pixel."""
    sides = np.maximum(measured[:, 2:], 1.0)
    result: Array = np.sqrt(sides[:, :1] * sides[:, 1:])
    return result
