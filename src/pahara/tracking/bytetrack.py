"""Detections, frame by frame -> tracks with ids that stay: ByteTrack, in seconds instead of frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import Detections, Image, Observation
from pahara.core.boxes import cxcywh_to_xyxy, iou_matrix

from . import kalman
from .association import assign, overlaps
from .tracks import Tracks

Array = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]
Appearance = Callable[[Image, NDArray[np.float32]], NDArray[np.floating[Any]]]  # picture, (n, 4) boxes -> (n, d) looks

CONFUSED = (("car", "truck", "bus", "train"), ("bicycle", "motorcycle"))  # classes that detectors take for each other

WEAK_SIGHT = 0.5  # seconds that a track may have been out of sight and still take a weak detection
SAME_PLACE = 0.5  # IoU with its last box at which a track that stood is taken to have been found again
TWIN = 0.7  # IoU with a detection already taken above which another is the same object seen twice
FOUND_SHARE = 0.5  # share of the frames in which a newcomer must have been found
FAR = 0.4  # object sizes: the most that uncertainty grows a box
RECENT = 1.0  # seconds: who was seen since may be the one that a detection really shows
CONTEST = 4.0  # how much a rival's overlap adds to the doubt about a detection
LOST_JUST_NOW = 0.5  # seconds: who vanished since may be hidden in a neighbour's box
MERGED = 0.7  # share of the taker's IoU that such a neighbour must have in a box that then counts for neither


@dataclass(eq=False)
class ByteTrack:
    """Two-stage association (Zhang et al. 2022): sure detections first, then weak ones for those still without.

    One instance per camera; ids count up from 1 and are unique within it. Everything is in seconds, so 2, 7 and
    30 frames a second behave alike, and a camera that drops frames only has gaps. Objects of different classes never
    share a track, save those named in one group of `together`.

    A track is reported once it has been seen for `confirm` seconds. Out of sight it stays alive for `max_gap`
    seconds, or `still_gap` when it was standing; after that a standing one is remembered for `recall` seconds and,
    found again in the same place, gets its id back: a parked car is one car all day.

    What differs from the paper: boxes are compared after growing them by the filter's own uncertainty; a detection
    that a rival track might claim moves its track less, and while one box seems to show two objects it is nobody's
    sighting; weak detections keep a track only while its mean confidence is sure; reported boxes are lightly smoothed.
    """

    high: float = 0.5  # detections from this score on are sure
    low: float = 0.1  # weaker detections than this are noise
    new: float = 0.6  # score that begins a track
    min_similarity: float = 0.15  # grown IoU x score of a sure detection and a track
    min_weak_iou: float = 0.5  # grown IoU of a weak detection and a track
    max_gap: float = 2.0  # seconds
    still_gap: float = 10.0  # seconds
    recall: float = 120.0  # seconds
    confirm: float = 0.2  # seconds
    together: tuple[tuple[str, ...], ...] = CONFUSED  # groups of classes that may share a track
    appearance: Appearance | None = None  # looks of each box; None: motion and place alone
    appearance_weight: float = 0.5  # how far unlike looks lower the similarity, 0..1

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"need 0 <= low <= high <= 1, got low {self.low} and high {self.high}")
        for name in ("max_gap", "still_gap", "recall", "confirm"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is a time in seconds, 0 or more, got {getattr(self, name)}")
        self._tracks = Tracks()
        self._time = -np.inf
        self._next_id = 1
        self._names: list[str] = []  # every class name met so far; a track's label is its row
        self._groups: list[int] = []  # of each name: equal numbers may share a track
        self._known: dict[tuple[str, ...], tuple[Rows, Rows]] = {}  # a detector's names -> label and group of each

    def update(self, detections: Detections, time: float, image: Image | None = None) -> Observation:
        """One frame: detections -> every confirmed track that is alive, sorted by id.

        `time` is media seconds, later than every time before (ValueError otherwise). `image`, the picture that was
        looked at, is needed only for `appearance`. The box of a track out of sight is its last sighting.
        A track whose detection seems to show two objects is not `seen`.
        """
        if not time > self._time:
            raise ValueError(f"time must rise: got {time} after {self._time}")
        before, self._time = self._time, time
        seconds = time - before
        tracks = self._tracks
        count = len(tracks)
        if count:
            tracks.state = kalman.predict(tracks.state, tracks.size, seconds)

        use = (detections.scores >= self.low).nonzero()[0]
        boxes, scores = detections.boxes[use].astype(np.float64), detections.scores[use].astype(np.float64)
        every_label, every_group = self._rows_of(detections.names)
        labels, groups = every_label[detections.labels[use]], every_group[detections.labels[use]]
        looks = self._look(image, detections.boxes[use])
        free = np.ones(len(use), bool)

        taken = np.zeros(0, np.intp)
        if count and len(use):
            hit, taken, rivalry, merged = self._associate(boxes, scores, groups, looks, before)
            free[taken] = False
            if len(hit):
                # A weak or contested detection is a poor measure too (NSA Kalman, Du et al. 2021).
                doubt = 1.5 - scores[taken] + CONTEST * rivalry
                tracks.meet(hit, boxes[taken], scores[taken], labels[taken], time, seconds, doubt, merged)
                if looks is not None:
                    tracks.remember(hit, looks[taken])

        born = (free & (scores >= self.new)).nonzero()[0]
        if len(born) and len(born) + len(taken) > 1:
            born = _without_twins(boxes, scores, groups, born, taken)
        if count:
            self._judge()
        if len(born):
            tracks.add(boxes[born], scores[born], labels[born], groups[born], time, None if looks is None else looks[born])
        if self.confirm == 0 and len(born):
            tracks.confirmed[-len(born) :] = True
        return self._report()

    def _associate(self, boxes: Array, scores: Array, groups: Rows, looks: Array | None, before: float) -> tuple[Rows, Rows, Array, Bools]:
        """-> rows of tracks; the detection that each took; how much a rival overlaps it; whether it seems to show two objects."""
        tracks, time = self._tracks, self._time
        partner = np.full(len(tracks), -1)
        free = np.ones(len(boxes), bool)
        place = cxcywh_to_xyxy(tracks.state[0])
        same = tracks.group[:, None] == groups[None, :]
        grow = np.minimum(kalman.deviation(tracks.state), FAR * tracks.size)
        plain, similar = overlaps(place, boxes, grow)
        plain *= same
        similar *= same
        fused = similar * scores
        if looks is not None and tracks.looks.shape[1]:
            alike = np.clip(tracks.looks @ looks.T, 0.0, 1.0)
            fused *= 1 - self.appearance_weight * (1 - alike)

        unseen = time - tracks.seen_at
        still, confirmed = tracks.still, tracks.confirmed
        alive = unseen <= np.where(still, max(self.still_gap, self.max_gap), self.max_gap)
        sure = scores >= self.high

        def stage(rows: Bools, columns: Bools, worth: Array, floor: float) -> None:
            a, b = rows.nonzero()[0], columns.nonzero()[0]
            if len(a) and len(b):
                whole = len(a) == len(tracks) and len(b) == len(boxes)
                chosen_a, chosen_b = assign(worth if whole else worth[a[:, None], b], floor)
                partner[a[chosen_a]] = b[chosen_b]
                free[b[chosen_b]] = False

        settled = alive & confirmed
        stage(settled, sure, fused, self.min_similarity)
        if np.count_nonzero(sure) < len(boxes):
            leaning = settled & (partner < 0) & (unseen <= WEAK_SIGHT + time - before) & (tracks.trust >= self.high)
            stage(leaning, ~sure, similar, self.min_weak_iou)
        left = sure & free
        if np.count_nonzero(left):
            stage(~confirmed, left, fused, self.min_similarity)
            # Who stood there may still be there, and so may anyone when nobody looked for a while (a closed motion gate).
            patient = confirmed & (partner < 0) & (still | (tracks.seen_at >= before))
            if np.count_nonzero(patient):
                stage(patient, sure & free, iou_matrix(tracks.box, boxes) * same, SAME_PLACE)

        hit = (partner >= 0).nonzero()[0]
        taken = partner[hit]
        near = plain[:, taken]
        own = plain[hit, taken]
        near[hit, np.arange(len(hit))] = 0
        rivalry = near[confirmed & (unseen <= RECENT)].max(axis=0, initial=0.0)
        merged = np.zeros(len(hit), bool)
        lost = confirmed & (partner < 0) & (unseen <= LOST_JUST_NOW + time - before)
        if np.count_nonzero(lost):
            hidden = near[lost].max(axis=0)
            merged = (hidden > 0.1) & (hidden >= MERGED * own)
        return hit, taken, rivalry, merged

    def _judge(self) -> None:
        """Newcomers that lasted are confirmed; what has been out of sight for too long is forgotten."""
        tracks = self._tracks
        tracks.frames += 1
        if not tracks.confirmed.all():
            lasted = tracks.seen_at - tracks.born >= self.confirm - 1e-6
            tracks.confirmed |= lasted & (tracks.hits >= 2) & (tracks.hits >= FOUND_SHARE * tracks.frames)
        unseen = self._time - tracks.seen_at
        if not unseen.any():
            return
        patience = np.where(tracks.still, max(self.recall, self.still_gap, self.max_gap), self.max_gap)
        kept = unseen <= np.where(tracks.confirmed, patience, self.confirm)
        if not kept.all():
            tracks.keep(kept)

    def _report(self) -> Observation:
        tracks = self._tracks
        nameless = (tracks.confirmed & (tracks.id == 0)).nonzero()[0]
        if len(nameless):  # only confirmed tracks get an id, so ids count objects and not flickers
            tracks.id[nameless] = np.arange(self._next_id, self._next_id + len(nameless))
            self._next_id += len(nameless)
        unseen = self._time - tracks.seen_at
        listed = tracks.confirmed & (unseen <= np.where(tracks.still, max(self.still_gap, self.max_gap), self.max_gap))
        rows = listed.nonzero()[0]
        rows = rows[np.argsort(tracks.id[rows])]
        seen = (unseen[rows] <= 0) & ~tracks.merged[rows]
        return Observation(
            self._time,
            tracks.id[rows],
            tracks.box[rows].astype(np.float32),
            tuple([self._names[label] for label in tracks.label[rows].tolist()]),
            seen,
            (tracks.score[rows] * seen).astype(np.float32),
        )

    def _rows_of(self, names: tuple[str, ...]) -> tuple[Rows, Rows]:
        known = self._known.get(names)
        if known is None:
            for name in names:
                if name not in self._names:
                    alone = len(self.together) + len(self._names)
                    self._groups.append(next((i for i, friends in enumerate(self.together) if name in friends), alone))
                    self._names.append(name)
            labels = np.array([self._names.index(name) for name in names], np.intp)
            known = self._known[names] = labels, np.array(self._groups, np.intp)[labels]
        return known

    def _look(self, image: Image | None, boxes: NDArray[np.float32]) -> Array | None:
        if self.appearance is None or image is None:
            return None
        looks = np.asarray(self.appearance(image, boxes), np.float64)
        if looks.ndim != 2 or len(looks) != len(boxes):
            raise ValueError(f"appearance must give one row for each of {len(boxes)} boxes, got shape {looks.shape}")
        unit: Array = looks / np.maximum(np.linalg.norm(looks, axis=1, keepdims=True), 1e-12)
        return unit


def _without_twins(boxes: Array, scores: Array, groups: Rows, born: Rows, taken: Rows) -> Rows:
    """The rows `born`, less those that show the same object as a detection already taken or as a better newcomer."""
    born = born[np.argsort(-scores[born], kind="stable")]
    others = np.concatenate([taken, born])
    twin = (iou_matrix(boxes[born], boxes[others]) > TWIN) & (groups[born][:, None] == groups[others])
    twin[:, len(taken) :] &= np.tri(len(born), k=-1, dtype=bool)  # only those before it
    return np.sort(born[~twin.any(axis=1)])
