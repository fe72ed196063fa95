"""Someone goes down fast and stays down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Track, Zone, at_limit
from pahara.core.boxes import Floats, foot_points

from .options import not_negative, positive, some_labels
from .trails import PATIENCE, TINY, chosen, find, place

UPRIGHT = 1.35  # height over width of a standing person, arms a little out
STANDING = 0.85  # share of the usual height from which one stands
BEFORE = 3.0  # seconds of standing that tell the usual height
HEAD_DOWN = 0.45  # body heights by which the head of someone on the ground is lower; sitting down is about 0.3
HEAD_LYING = 0.33  # the same for a box so wide that nobody sits in it: seen from above, the head comes down less far
VERY_WIDE = 1.1  # width over height of such a box
BLINK = 2.0  # seconds that sight may be lost in the middle of the fall
HEAD_FALLING = 0.3  # body heights by which it has come down when sight is lost in the middle of a fall
WIDE = 0.75  # width over height of someone who lies across the view
LOW = 0.5  # share of the usual height under which one lies however narrow the box is
EDGE = 0.015  # share of the picture: a box that ends here may be cut off
AFTERWARDS = 8.0  # seconds that a fall with which sight was lost is told


@dataclass(frozen=True)
class Falling:
    """Someone who stood has brought the head down within `drop` seconds and stays down for `seconds`.

    Sitting down brings the head less low, lying down takes longer, picking something up is soon over, and a box that is
    cut by the picture's border or loses its legs behind something keeps its head. Detectors often lose people who lie:
    someone who vanishes in the middle of a sudden drop, away from the border, and is not seen standing there again for
    `unseen` seconds has fallen too (0 turns this off). A rule of box shapes: falls along the line of sight escape it.
    """

    seconds: float = 2.0  # down before it counts
    drop: float = 1.2  # seconds from standing to down, at most
    unseen: float = 2.0  # seconds out of sight after a sudden drop
    zone: Zone = EVERYWHERE
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "falling"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 3.0, "cooldown": 60.0, "same_place": 0.3}

    def __post_init__(self) -> None:
        positive("falling", seconds=self.seconds, drop=self.drop)
        not_negative("falling", unseen=self.unseen)
        some_labels("falling", self.labels)

    @property
    def memory(self) -> float:
        """Seconds of trail; someone who lies longer has been reported long ago."""
        return 60.0 + self.seconds

    def __call__(self, scene: Scene) -> Scores:
        scores: dict[Subject, float] = {}
        for track in self._maybe_down(scene):
            down, limit = self._down(scene, track)
            if down > 0:
                scores[(track.id,)] = at_limit(down, limit)
        return scores

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        down, limit = (0.0, self.seconds) if track is None else self._down(scene, track)
        lost = track is not None and self._is_lost(scene, track)
        return Reason("falling.lost" if lost else "falling.down", down, limit, "s", place(self.zone))

    def _maybe_down(self, scene: Scene) -> Iterator[Track]:
        """Those out of sight, wide now, or much lower than they have been: a glance at a few rows of each."""
        if self.unseen:
            for track in reversed(scene.past):  # by their end
                if track.last_seen < scene.time - self.unseen - AFTERWARDS - PATIENCE:
                    break
                if track.last_seen < scene.time - self.unseen - AFTERWARDS:
                    continue
                if track.label in self.labels and track.id not in scene.by_id and self._in_zone(scene, track):
                    yield track
        who = chosen(scene, self.labels, self.zone)
        if not who:
            return
        glance = [track.boxes[:: max(1, len(track.boxes) // 8)] for track in who]
        starts = np.cumsum([0, *map(len, glance[:-1])])
        rows = np.concatenate(glance)
        tallest = np.maximum.reduceat(rows[:, 3] - rows[:, 1], starts)
        last = np.concatenate([track.boxes[-1] for track in who]).reshape(-1, 4)
        wide, tall = last[:, 2] - last[:, 0], last[:, 3] - last[:, 1]
        worth = (wide >= 0.8 * WIDE * tall) | (tall <= 1.2 * LOW * tallest)
        for track, look in zip(who, worth.tolist(), strict=True):
            if look or self._is_lost(scene, track):
                yield track

    def _is_lost(self, scene: Scene, track: Track) -> bool:
        return self.unseen > 0 and scene.time - track.last_seen > self.unseen / 4

    def _in_zone(self, scene: Scene, track: Track) -> bool:
        return self.zone is EVERYWHERE or bool(self.zone.contains(foot_points(track.boxes[-1:]), scene.size)[0])

    def _down(self, scene: Scene, track: Track) -> tuple[float, float]:
        """-> seconds since this person went down, the limit that they are held against; 0 without a fall."""
        own = track.since(track.last_seen - self.memory)
        times, boxes = track.times[own], track.boxes[own].astype(np.float64)
        stood, usual, head = _last_standing(times, boxes)
        if stood < 0:
            return 0.0, self.seconds
        lower = (boxes[:, 1] - head) / usual
        wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        down = (lower >= HEAD_DOWN) & ((wide >= WIDE * tall) | (tall <= LOW * usual)) | (lower >= HEAD_LYING) & (wide >= VERY_WIDE * tall)
        down[: stood + 1] = False
        if down.any():
            fell = int(down.argmax())
            on_the_way = times[fell] - times[stood] <= self.drop + TINY
            quick = on_the_way or (times[fell - 1] - times[stood] <= self.drop / 2 and times[fell] - times[fell - 1] <= BLINK)
            stays = down[fell:].mean() >= 0.7 and bool(down[-3:].any())
            if quick and stays and not _cut_off(boxes[fell:], scene.size):
                if times[-1] - times[fell] >= self.seconds or not self._is_lost(scene, track):
                    return float(times[-1] - times[fell]), self.seconds
                return (scene.time - float(times[fell]), self.seconds) if self._gone_for_good(scene, track, usual) else (0.0, self.seconds)
        sudden = lower[-1] >= HEAD_FALLING and times[-1] - times[stood] <= self.drop + TINY
        if self._is_lost(scene, track) and sudden and not _cut_off(boxes[-1:], scene.size) and self._gone_for_good(scene, track, usual):
            return scene.time - track.last_seen, self.unseen
        return 0.0, self.seconds

    def _gone_for_good(self, scene: Scene, track: Track, usual: float) -> bool:
        """Whether nobody who may be the same person has been seen standing near since."""
        if scene.time - track.last_seen > self.unseen + AFTERWARDS:
            return False
        foot = foot_points(track.boxes[-1:].astype(np.float64))[0]
        for other in (*scene.tracks, *scene.past):
            if other.id != track.id and other.label == track.label and other.born > track.last_seen - 1.0:
                boxes = other.boxes[other.since(track.last_seen - 1.0)].astype(np.float64)
                wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
                near = np.hypot(*(foot_points(boxes) - foot).T) <= usual
                if (near & (tall >= UPRIGHT * wide) & (tall >= 0.7 * usual)).any():
                    return False
        return True


def _last_standing(times: Floats, boxes: Floats) -> tuple[int, float, float]:
    """-> the last row that stands after half a second of standing, the usual height, where the head was; row -1 without."""
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    slim = (tall >= UPRIGHT * wide).nonzero()[0]
    for row in slim[::-1].tolist():
        # "Usual" is that of the last seconds, so that walking away from the camera is no fall.
        before = slim[(times[slim] >= times[row] - BEFORE) & (slim <= row)]
        if len(before) < 2 or times[row] - times[before[0]] < 0.5 - TINY:
            continue
        usual = _median(tall[before])
        if tall[row] >= STANDING * usual:
            return row, usual, _median(boxes[before[times[before] >= times[row] - 1.0], 1])
    return -1, 1.0, 0.0


def _median(few: Floats) -> float:
    """As np.median, which takes ten times as long on so few numbers."""
    rising = sorted(few.tolist())
    middle: float = (rising[(len(rising) - 1) // 2] + rising[len(rising) // 2]) / 2
    return middle


def _cut_off(boxes: Floats, size: tuple[int, int]) -> bool:
    """Whether most of these boxes end at the picture's border."""
    wide, tall = size
    x, y = EDGE * wide, EDGE * tall
    cut: NDArray[np.bool_] = (boxes[:, 0] <= x) | (boxes[:, 2] >= wide - x) | (boxes[:, 3] >= tall - y) | (boxes[:, 1] <= y)
    return bool(cut.mean() > 0.5)
