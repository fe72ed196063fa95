"""Where an alerted subject was last seen, so that the same thing under a new id is recognised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pahara.core import Box, Scene, Subject, Track
from pahara.core.boxes import Floats, iou_matrix

NOBODY = -1  # no track id
DOUBLE = 1.0  # seconds that a tracker may show one thing under two ids


def find(scene: Scene, track_id: int) -> Track | None:
    """A track of this scene, alive or past."""
    track = scene.by_id.get(track_id)
    if track is not None:
        return track
    return next((track for track in reversed(scene.past) if track.id == track_id), None)


def boxes_of(scene: Scene, subject: Subject) -> tuple[Box, ...]:
    """The subject's last boxes, in the order of its ids."""
    tracks = (find(scene, i) for i in subject)
    return tuple(_box(track) for track in tracks if track is not None)


def _box(track: Track) -> Box:
    x1, y1, x2, y2 = track.box.tolist()
    return x1, y1, x2, y2


@dataclass(frozen=True, slots=True)
class Place:
    """The last sighting of a subject of one track; label "" for any other subject, which has no place."""

    label: str = ""
    box: Box = (0.0, 0.0, 0.0, 0.0)
    last_seen: float = float("-inf")  # media seconds

    @classmethod
    def of(cls, scene: Scene, subject: Subject) -> Place:
        """NOWHERE for a subject of no or several tracks."""
        track = find(scene, subject[0]) if len(subject) == 1 else None
        return NOWHERE if track is None else cls.at(track)

    @classmethod
    def at(cls, track: Track) -> Place:
        """Where this track was last seen."""
        return cls(track.label, _box(track), track.last_seen)

    def holds(self, track: Track | None, same_place: float) -> bool:
        """Whether the track stands here now: its box overlaps by at least `same_place`."""
        return track is not None and bool(self.label) and _overlaps(self.box, track.box[None])[0] >= same_place

    def born_here(self, young: Sequence[Track], same_place: float) -> int:
        """The id of the track that began where this one was lost, or NOBODY."""
        fitting = [track for track in young if track.label == self.label and track.born > self.last_seen - DOUBLE]
        if not fitting:
            return NOBODY
        overlaps = _overlaps(self.box, np.stack([track.boxes[0] for track in fitting]))
        best = int(overlaps.argmax())
        return fitting[best].id if overlaps[best] >= same_place else NOBODY

    def was_left(self, track: Track | None, since: float) -> bool:
        """Whether the track has been well away from here since then."""
        return track is not None and bool((_overlaps(self.box, track.boxes[track.since(since)]) < 0.1).any())


NOWHERE = Place()


def _overlaps(box: Box, boxes: Floats) -> Floats:
    overlaps: Floats = iou_matrix(np.array([box], np.float64), boxes.astype(np.float64))[0]
    return overlaps
