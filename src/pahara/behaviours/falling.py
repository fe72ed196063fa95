"""Someone goes down fast and stays down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Track, Zone, at_limit
from pahara.core.boxes import Floats

from .options import positive, some_labels
from .trails import TINY, chosen, find, place

UPRIGHT = 1.35  # height over width of a standing person, arms a little out
STANDING = 0.8  # share of the upright height from which one stands
LOW = 0.65  # share of the upright height under which one lies, if the box is wide too
LOWEST = 0.45  # share under which one lies however wide the box is
WIDE = 0.9  # width over height of someone who lies across the view
DROP = 0.3  # share of the upright height by which the head comes down
EDGE = 0.01  # share of the picture: a box that ends here may be cut off
BEFORE = 2.0  # seconds of standing that tell the upright height


@dataclass(frozen=True)
class Falling:
    """A person who stood is down within `drop` seconds, head first brought low, and stays down for `seconds`.

    Sitting down takes longer, a crouch stays narrow, picking something up is soon over, and a box that is cut by the
    picture's border or loses its legs behind something does not bring its head down. Box shapes alone cannot tell
    a fall along the line of sight; the pose-based rule and learned models go further.
    """

    seconds: float = 2.0  # down before it counts
    drop: float = 1.6  # seconds from standing to down, at most
    zone: Zone = EVERYWHERE
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "falling"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 3.0, "cooldown": 60.0, "same_place": 0.3}

    def __post_init__(self) -> None:
        positive("falling", seconds=self.seconds, drop=self.drop)
        some_labels("falling", self.labels)

    @property
    def memory(self) -> float:
        """Seconds of trail; someone who lies longer has been reported long ago."""
        return 60.0 + self.seconds

    def __call__(self, scene: Scene) -> Scores:
        scores: dict[Subject, float] = {}
        for track in self._maybe_down(scene):
            down = self.seconds_down(scene, track)
            if down > 0:
                scores[(track.id,)] = at_limit(down, self.seconds)
        return scores

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        down = 0.0 if track is None else self.seconds_down(scene, track)
        return Reason("falling.down", down, self.seconds, "s", place(self.zone))

    def _maybe_down(self, scene: Scene) -> Sequence[Track]:
        """Those whose box is wide now, or much lower than it has been: a glance at a few rows of each."""
        who = chosen(scene, self.labels, self.zone)
        if not who:
            return []
        glance = [track.boxes[:: max(1, len(track.boxes) // 8)] for track in who]
        starts = np.cumsum([0, *map(len, glance[:-1])])
        rows = np.concatenate(glance)
        tallest = np.maximum.reduceat(rows[:, 3] - rows[:, 1], starts)
        last = np.stack([track.boxes[-1] for track in who])
        wide, tall = last[:, 2] - last[:, 0], last[:, 3] - last[:, 1]
        low = (tall <= (LOW + 0.1) * tallest) & ((wide >= 0.8 * WIDE * tall) | (tall <= (LOWEST + 0.1) * tallest))
        return [who[i] for i in low.nonzero()[0]]

    def seconds_down(self, scene: Scene, track: Track) -> float:
        """Seconds since this person fell, as far as they were seen down; 0 without a fall."""
        own = track.since(scene.time - self.memory)
        times, boxes = track.times[own], track.boxes[own].astype(np.float64)
        stood = _last_standing(times, boxes)
        if stood < 0 or stood == len(times) - 1:
            return 0.0
        upright = boxes[_standing_before(times, boxes, stood)]
        tall = float(np.median(upright[:, 3] - upright[:, 1]))
        down = _down(boxes, tall)
        after = down[stood + 1 :].nonzero()[0]
        if not len(after):
            return 0.0
        fell = stood + 1 + int(after[0])
        head = float(np.median(upright[-3:, 1]))
        brought_low = boxes[fell:, 1][down[fell:]]
        quick = times[fell] - times[stood] <= self.drop + TINY
        dropped = float(np.median(brought_low)) - head >= DROP * tall
        mostly = down[fell:].mean() >= 0.7 and bool(down[-3:].any())
        if not (quick and dropped and mostly) or _cut_off(boxes[fell:], scene.size):
            return 0.0
        return float(times[-1] - times[fell])


def _last_standing(times: Floats, boxes: Floats) -> int:
    """The last row that stands, after at least half a second of standing; -1 when there is none."""
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    slim = tall >= UPRIGHT * wide
    if not slim.any():
        return -1
    # "Tall" is measured against the last seconds, so walking away from the camera is no fall.
    for row in slim.nonzero()[0][::-1].tolist():
        near = slim & (times >= times[row] - BEFORE) & (times <= times[row])
        if tall[row] >= STANDING * np.median(tall[near]) and near.sum() >= 2 and times[row] - times[near.argmax()] >= 0.5 - TINY:
            return int(row)
    return -1


def _standing_before(times: Floats, boxes: Floats, stood: int) -> NDArray[np.bool_]:
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    before: NDArray[np.bool_] = (tall >= UPRIGHT * wide) & (times >= times[stood] - BEFORE) & (times <= times[stood])
    return before


def _down(boxes: Floats, upright: float) -> NDArray[np.bool_]:
    """(t, 4) -> (t,) True where the box is that of someone on the ground."""
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    down: NDArray[np.bool_] = ((tall <= LOW * upright) & (wide >= WIDE * tall)) | (tall <= LOWEST * upright)
    return down


def _cut_off(boxes: Floats, size: tuple[int, int]) -> bool:
    """Whether most of these boxes end at the picture's border."""
    wide, tall = size
    x, y = EDGE * wide, EDGE * tall
    cut = (boxes[:, 0] <= x) | (boxes[:, 2] >= wide - x) | (boxes[:, 3] >= tall - y) | (boxes[:, 1] <= y)
    return bool(cut.mean() > 0.5)
