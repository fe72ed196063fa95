"""Finds people, bags and vehicles without any model: what stands out from the background, judged by size, shape and history.

It needs a camera that stands still, and someone must move to be seen at all; in return it needs no download. One
detector per camera. It knows nothing of people but how they are built and that they walk: an animal as tall as a
person is a person to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Detections, Frame, Image

from .background import Background, Foreground, Mask
from .blobs import SLIM, Blob, Box, Scale, area, find_blobs, join_blobs, overlap, split_by_heads, union

NAMES = ("person", "bag", "vehicle", "object")
PERSON, BAG, VEHICLE, OBJECT = range(4)

ROWS = 288  # height of the small picture, pixels
LONGEST_GAP = 5.0  # seconds without a picture after which the past tells nothing
SPARSE = 0.25  # seconds between pictures up to which a body covers part of where it was
FORGET = 0.6  # seconds that a thing out of sight is waited for
STILL = 1.0  # seconds in one place that make a thing lie there
LEFT_BEHIND = 0.42  # share of a person's box; what lies still and is smaller is not that person
HIDDEN = 1.2  # seconds that someone may be wholly behind another
GHOST = -0.05  # whose outline stands rather in the background than in the picture is nobody
FAINT = 0.25  # nor is what lies there for long without an outline of its own: a patch of light. People measure 0.4 to 0.9


@dataclass(eq=False)
class _Thing:
    """One blob over time."""

    id: int
    box: Box
    born: float
    seen: float  # seconds of the last sighting
    velocity: tuple[float, float] = (0.0, 0.0)  # of the foot point, small pixels a second
    start: tuple[float, float] = (0.0, 0.0)  # foot point at birth
    still_box: Box = (0.0, 0.0, 0.0, 0.0)
    still_since: float = 0.0
    travelled: float = 0.0  # farthest from `start`, in own heights
    person: float = 0.0  # running likeness to a person, 0..1
    vehicle: float = 0.0  # running likeness to a vehicle, 0..1
    upright: tuple[float, float] = (0.0, 0.0)  # usual width and height while it stood
    label: int = OBJECT
    sightings: int = 0
    from_person: bool = False  # came out of a person's blob, or appeared beside one
    crowd: int = 1  # things that share its blob now
    heads: int = 0  # sightings on end in which its blob showed several heads
    small_since: float = 0.0
    people: int = 1  # people who share its blob now
    mixed: bool = False  # shared a blob with someone, or something came out of its blob, since it was last seen whole
    outline: float = 0.5  # running measure of whether its outline stands in the picture (1) or in the background (−1)
    hidden: float = 0.0  # seconds that a shared blob has shown nothing of it that is not another's

    @property
    def foot(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, self.box[3]

    @property
    def tall(self) -> float:
        return self.box[3] - self.box[1]

    def ahead(self, time: float) -> Box:
        """Where it should be now."""
        seconds = min(time - self.seen, 0.5)
        dx, dy = self.velocity[0] * seconds, self.velocity[1] * seconds
        return self.box[0] + dx, self.box[1] + dy, self.box[2] + dx, self.box[3] + dy


@dataclass
class MotionDetector:
    """Stateful: one per camera, and pictures in order of time.

    `see(frame)` uses the frame's own time. Called as a plain detector with pictures it takes them to be `fps` a second.
    keep: seconds after which something that lies still becomes part of the background; a person who was seen walking
    is kept ten times as long.
    """

    fps: float = 10.0
    keep: float = 300.0
    names: tuple[str, ...] = field(default=NAMES, init=False)
    per_camera: bool = field(default=True, init=False)  # it remembers: every camera needs its own

    def __post_init__(self) -> None:
        self._background: Background | None = None
        self._size = (0, 0)
        self._scale = Scale(ROWS)
        self._things: list[_Thing] = []
        self._ids = count(1)
        self._before: Mask | None = None  # the last picture's foreground
        self._time = 0.0
        self._began = 0.0

    def __call__(self, images: Sequence[Image], /) -> list[Detections]:
        return [self._look(image, self._time + 1 / self.fps) for image in images]

    def see(self, frame: Frame) -> Detections:
        """The frame at its own time."""
        return self._look(frame.image, frame.time)

    def describe(self) -> dict[str, object]:
        """For `models show`."""
        return {"layout": "motion", "about": "background subtraction: no model, no download", "names": list(NAMES), "batch": 1}

    def _look(self, image: Image, time: float) -> Detections:
        size = (image.shape[1], image.shape[0])
        seconds = time - self._time
        self._time = time
        small = self._shrink(image)
        if self._background is None or size != self._size or not 0 < seconds <= LONGEST_GAP:
            if self._background is None or size != self._size:
                self._scale = Scale(small.shape[0])
            self._background, self._size, self._things, self._began = Background(small), size, [], time
            return Detections.none(NAMES)
        foreground = self._background.compare(small)
        if foreground.upheaval:
            for thing in self._things:
                thing.seen = time  # nobody can be judged now; nobody is forgotten either
            self._background.learn(self._watched([], foreground.mask), seconds)
            return Detections.none(NAMES)
        blobs = find_blobs(foreground, self._scale, self._before if seconds <= SPARSE else None)
        self._before = foreground.mask
        sighted = self._follow(blobs, time)
        sighted = self._without_ghosts(sighted, foreground, time)
        watched = [
            blob
            for thing, blob in sighted
            if thing.label != OBJECT or thing.from_person or thing.travelled >= 0.35 or time - thing.born < 2
        ]
        self._background.learn(self._watched(watched, foreground.mask), seconds)
        for thing, blob in sighted:
            self._judge(thing, blob, seconds, time, small.shape)
        return self._report([thing for thing, _ in sighted], {id(thing): blob.contrast for thing, blob in sighted}, size, small.shape, time)

    def _shrink(self, image: Image) -> Image:
        tall, wide = image.shape[:2]
        if tall <= ROWS:
            return image
        small: Image = cv2.resize(image, (max(round(wide * ROWS / tall), 1), ROWS), interpolation=cv2.INTER_AREA)
        return small

    # Who is who

    def _follow(self, blobs: list[Blob], time: float) -> list[tuple[_Thing, Blob]]:
        """Gives every blob to the things that are in it; -> each thing that was seen, and its blob."""
        ahead = [thing.ahead(time) for thing in self._things]
        inside, homes = _homes(ahead, blobs)
        loose = [j for j in range(len(blobs)) if j not in homes]
        if pieces := self._pieces(loose, inside, homes, blobs):
            joined = [join_blobs([blob, *(blobs[k] for k in pieces.get(j, ()))]) for j, blob in enumerate(blobs)]
            taken = {k for own in pieces.values() for k in own}
            blobs = [blob for j, blob in enumerate(joined) if j not in taken]
            inside, homes = _homes(ahead, blobs)

        sighted: list[tuple[_Thing, Blob]] = []
        for j, blob in enumerate(blobs):
            tenants = [i for i, home in enumerate(homes) if home == j]
            if not tenants:
                near = [i for i in range(len(self._things)) if inside[i, j] >= 0.5]
                self._newcomers(blob, time, [self._things[i] for i in near], sighted)
                continue
            things = [self._things[i] for i in tenants]
            grown = [thing for thing in things if thing.label != OBJECT or (thing.sightings >= 4 and time - thing.still_since >= STILL)]
            if len(grown) >= 2:
                self._share(blob, grown, [ahead[self._things.index(thing)] for thing in grown], time, sighted)
                things = grown
            else:
                best = max(things, key=lambda thing: (thing.label == PERSON, thing.sightings))
                self._settle(best, blob, time, sighted)
                things = [best]
            for i in tenants:
                if self._things[i] not in things:
                    self._things[i].seen = -np.inf  # taken in by another
        self._things = [thing for thing in self._things if time - thing.seen <= FORGET]
        self._things += [thing for thing, _ in sighted if thing not in self._things]
        return sighted

    def _pieces(self, loose: list[int], inside: NDArray[np.float64], homes: list[int], blobs: list[Blob]) -> dict[int, list[int]]:
        """Blobs that nobody owns but that lie where a person was: parts of that person. -> blob of the person: its parts.

        So someone who falls stays one, though the trousers are of the ground's colour. A bag set down is such a part
        too, until its owner has walked out of the box around both.
        """
        found: dict[int, list[int]] = {}
        for j in loose:
            for i, thing in enumerate(self._things):
                if thing.label == PERSON and homes[i] >= 0 and inside[i, j] >= 0.6 and area(blobs[j].box) < 0.7 * area(thing.box):
                    around = union([blobs[homes[i]].box, blobs[j].box])
                    longest = 1.3 * max(thing.upright[1], 0.8 * thing.tall)
                    if max(around[2] - around[0], around[3] - around[1]) <= longest:
                        found.setdefault(homes[i], []).append(j)
                        break
        return found

    def _settle(self, thing: _Thing, blob: Blob, time: float, sighted: list[tuple[_Thing, Blob]]) -> None:
        """A blob with one thing in it; several heads mean that it never was one person."""
        person = self._scale.height(blob.box[3])
        parts = split_by_heads(blob, person) if person == person and thing.label != VEHICLE else [blob.box]
        thing.heads = thing.heads + 1 if len(parts) > 1 else 0
        if thing.heads >= 3 and not (thing.label == PERSON and thing.tall < 0.7 * thing.upright[1]):
            own = max(parts, key=lambda box: overlap(box, thing.ahead(time)))
            for box in parts:
                if box is own:
                    self._move(thing, box, time)
                    thing.crowd = thing.people = len(parts)
                    sighted.append((thing, blob))
                else:
                    other = self._new(box, time)
                    other.crowd = len(parts)
                    other.person, other.label, other.travelled = thing.person, thing.label, thing.travelled
                    other.upright = (box[2] - box[0], box[3] - box[1])
                    sighted.append((other, blob))
            return
        self._move(thing, blob.box, time)
        thing.crowd = thing.people = 1
        sighted.append((thing, blob))

    def _share(self, blob: Blob, things: list[_Thing], ahead: list[Box], time: float, sighted: list[tuple[_Thing, Blob]]) -> None:
        """People who have run together into one blob keep their own size and go on as they went, inside the blob."""
        boxes = []
        movers = []
        for row, (thing, box) in enumerate(zip(things, ahead, strict=True)):
            if thing.label in (BAG, OBJECT):
                boxes.append(list(thing.box))
                continue
            movers.append(row)
            wide, tall = thing.upright if thing.label == PERSON and thing.upright[1] else (box[2] - box[0], box[3] - box[1])
            wide, tall = min(wide, blob.wide), min(tall, blob.tall)
            middle = min(max((box[0] + box[2]) / 2, blob.box[0] + wide / 2), blob.box[2] - wide / 2)
            foot = min(max(box[3], blob.box[1] + tall), blob.box[3])
            boxes.append([middle - wide / 2, foot - tall, middle + wide / 2, foot])
        # The outermost own the blob's edges: they pull their boxes along, so that a group does not drift.
        for side, sign in ((0, 1), (2, -1), (3, -1), (1, 1)):
            outermost = min(range(len(boxes)), key=lambda row: sign * boxes[row][side])
            if outermost in movers:
                shift = 0.6 * (blob.box[side] - boxes[outermost][side])
                boxes[outermost][side % 2] += shift
                boxes[outermost][side % 2 + 2] += shift
        own = _shown(blob, boxes)
        for thing, (x1, y1, x2, y2), shown in zip(things, boxes, own, strict=True):
            thing.hidden = thing.hidden + time - thing.seen if shown < 0.15 else 0.0
            if thing.hidden > HIDDEN:
                thing.seen = -np.inf  # gone behind the other, or never there
                continue
            self._move(thing, (x1, y1, x2, y2), time)
            thing.crowd, thing.people = len(things), sum(other.label == PERSON for other in things)
            sighted.append((thing, blob))

    def _newcomers(self, blob: Blob, time: float, near: list[_Thing], sighted: list[tuple[_Thing, Blob]]) -> None:
        person = self._scale.height(blob.box[3])
        parts = split_by_heads(blob, person) if person == person else [blob.box]
        for box in parts:
            thing = self._new(box, time)
            thing.crowd = len(parts)
            beside = [other for other in self._things if other.label == PERSON and overlap(_grown(other.box, 0.5 * other.tall), box) > 0]
            thing.from_person = bool(beside) or any(other.label == PERSON for other in near)
            if _likeness(box[2] - box[0], box[3] - box[1], person, self._scale.rows, False) >= 0.5:
                for other in beside:
                    other.mixed = True  # this may be who was taken to be in there
            sighted.append((thing, blob))

    def _new(self, box: Box, time: float) -> _Thing:
        foot = ((box[0] + box[2]) / 2, box[3])
        return _Thing(next(self._ids), box, time, time, start=foot, still_box=box, still_since=time)

    def _move(self, thing: _Thing, box: Box, time: float) -> None:
        seconds = max(time - thing.seen, 1e-3)
        old, new = thing.foot, ((box[0] + box[2]) / 2, box[3])
        share = 1 - np.exp(-seconds / 0.25) if thing.sightings > 1 else 1.0
        thing.velocity = (
            float(thing.velocity[0] + share * ((new[0] - old[0]) / seconds - thing.velocity[0])),
            float(thing.velocity[1] + share * ((new[1] - old[1]) / seconds - thing.velocity[1])),
        )
        thing.box, thing.seen = box, time
        off = max(abs(a - b) for a, b in zip(box, thing.still_box, strict=True))
        if off > max(0.2 * min(box[2] - box[0], box[3] - box[1]), 3.0):
            thing.still_box, thing.still_since = box, time
        away = float(np.hypot(new[0] - thing.start[0], new[1] - thing.start[1]))
        thing.travelled = max(thing.travelled, away / max(thing.tall, 1.0))

    # What is what

    def _without_ghosts(self, sighted: list[tuple[_Thing, Blob]], foreground: Foreground, time: float) -> list[tuple[_Thing, Blob]]:
        """Takes out blobs whose outline stands in the background only, and what has lain there for too long."""
        assert self._background is not None
        kept: list[tuple[_Thing, Blob]] = []
        judged: dict[int, bool] = {}
        for thing, blob in sighted:
            if id(blob) not in judged:
                alone = all(other is thing or b is not blob for other, b in sighted)
                resting = time - thing.still_since >= 0.3
                old = resting and time - thing.still_since > self.keep * (10 if thing.label == PERSON else 1)
                region, corner = _cut_out(blob, foreground.mask.shape)
                gone = old
                if alone and resting and not old:
                    real = foreground.outline_is_real(region, corner)
                    thing.outline += (real - thing.outline) * 0.2
                    gone = real < GHOST or (thing.outline < FAINT and time - thing.still_since >= 1.5)
                judged[id(blob)] = gone
                if gone:
                    whole = np.zeros_like(foreground.mask)
                    whole[corner[1] : corner[1] + region.shape[0], corner[0] : corner[0] + region.shape[1]] = cv2.dilate(region, _ROUND)
                    self._background.absorb(whole)
            if judged[id(blob)]:
                self._things.remove(thing)
            else:
                kept.append((thing, blob))
        return kept

    def _judge(self, thing: _Thing, blob: Blob, seconds: float, time: float, shape: tuple[int, ...]) -> None:
        """What this sighting says of the thing."""
        thing.sightings += 1
        wide, tall = thing.box[2] - thing.box[0], thing.tall
        rows, columns = shape[0], shape[1]
        cut = thing.box[1] <= 1 or thing.box[3] >= rows - 1 or thing.box[0] <= 1 or thing.box[2] >= columns - 1
        expected = self._scale.height(thing.box[3])
        likeness = _likeness(wide, tall, expected, rows, cut)
        share = 1 - np.exp(-seconds / 0.6)
        if thing.sightings == 1:
            thing.person = likeness
        elif not (thing.label == PERSON and 0 < likeness < thing.person and (thing.crowd > 1 or time - thing.still_since > 0.5)):
            thing.person += float(share) * (likeness - thing.person)  # who lies down or is half hidden stays a person
        walked = thing.travelled >= 0.35
        person = expected if expected == expected else 0.25 * rows
        boxy = wide > 1.25 * tall and wide * tall > 2.2 * SLIM * person * person and blob.area >= 0.55 * wide * tall and not thing.heads
        thing.vehicle += float(share) * (float(boxy and thing.people == 1) - thing.vehicle)
        if walked and thing.vehicle >= 0.5:
            thing.label = VEHICLE
        elif thing.person >= 0.5 and walked and thing.sightings >= 3 and thing.label != VEHICLE:
            thing.label = PERSON
        elif thing.label == OBJECT and time - thing.still_since >= STILL and tall < 0.62 * person and wide < 0.8 * person:
            thing.label = BAG if thing.from_person else OBJECT
        if thing.crowd == 1 and likeness >= 0.7 and not cut:
            old = thing.upright if thing.upright[1] else (wide, tall)
            thing.upright = (old[0] + float(share) * (wide - old[0]), old[1] + float(share) * (tall - old[1]))
        walks = thing.travelled >= 0.7 and float(np.hypot(*thing.velocity)) >= 0.3 * tall
        if walks and thing.crowd == 1 and not cut and 2.1 <= tall / wide <= 4.2 and blob.area >= 0.45 * wide * tall:
            self._scale.see(thing.box[3], tall)
        whole = thing.upright[0] * thing.upright[1]
        small = thing.label == PERSON and not cut and thing.crowd == 1 and wide * tall < LEFT_BEHIND * whole
        thing.mixed = thing.people > 1 or (thing.mixed and wide * tall < 0.7 * whole)
        if not small:
            thing.small_since = time
        elif thing.mixed and time - max(thing.small_since, thing.still_since) >= STILL:  # the owner slipped away: this was left
            thing.label, thing.person, thing.travelled, thing.from_person = BAG, 0.0, 0.0, True
            thing.start, thing.upright = thing.foot, (0.0, 0.0)

    def _report(
        self, things: list[_Thing], contrast: dict[int, float], size: tuple[int, int], shape: tuple[int, ...], time: float
    ) -> Detections:
        boxes, scores, labels = [], [], []
        for thing in things:
            sure = _confidence(thing, contrast[id(thing)], time)
            if sure >= 0.1:
                boxes.append(thing.box)
                scores.append(sure)
                labels.append(PERSON if thing.label == OBJECT and thing.person >= 0.5 and time - thing.still_since < STILL else thing.label)
        if not boxes:
            return Detections.none(NAMES)
        to_picture = np.array([size[0] / shape[1], size[1] / shape[0]] * 2)
        return Detections.of(np.array(boxes) * to_picture, scores, labels, NAMES)

    def _is_watched(self, thing: _Thing, time: float) -> bool:
        """Whether the ground must not learn what is there: not for what flickers, nor for what came from nobody and stays."""
        if thing.label != OBJECT or thing.from_person:
            return True
        return thing.sightings >= 3 and (thing.travelled >= 0.35 or time - thing.born < 2)

    def _watched(self, blobs: list[Blob], mask: Mask) -> Mask:
        watched = np.zeros_like(mask)
        for blob in blobs:
            x1, y1, x2, y2 = (int(v) for v in blob.box)
            watched[y1:y2, x1:x2] |= blob.pixels
        return cv2.dilate(watched, _ROUND) if blobs else watched


_ROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))


def _homes(ahead: list[Box], blobs: list[Blob]) -> tuple[NDArray[np.float64], list[int]]:
    """-> (things, blobs) share of the smaller box that both cover, and each thing's own blob: the most alike; -1 for none."""
    inside, alike = np.zeros((len(ahead), len(blobs))), np.zeros((len(ahead), len(blobs)))
    for i, box in enumerate(ahead):
        for j, blob in enumerate(blobs):
            shared = overlap(box, blob.box)
            if shared:
                small, large = sorted((area(box), area(blob.box)))
                inside[i, j], alike[i, j] = shared / max(small, 1.0), shared / max(large, 1.0)
    alike[inside < 0.25] = 0
    return inside, [int(row.argmax()) if len(row) and row.max() > 0 else -1 for row in alike]


def _likeness(wide: float, tall: float, expected: float, rows: int, cut: bool) -> float:
    """How much a box is built like a person, 0..1; `expected` is a person's height there, NaN when unknown."""
    slender = tall / max(wide, 1.0)
    shape = _between(slender, 0.9, 1.5, 4.5, 6.5)
    if cut:
        return 0.8 * max(shape, 0.5 if 0.5 < slender < 5 else 0.0)
    if expected == expected:
        return shape * _between(tall / expected, 0.4, 0.7, 1.35, 1.9)
    return shape * _between(tall / rows, 0.03, 0.06, 0.95, 1.1)


def _between(value: float, low: float, from_: float, to: float, high: float) -> float:
    """A trapezium: 0 below `low` and above `high`, 1 between `from_` and `to`."""
    return float(np.clip(min((value - low) / (from_ - low), (high - value) / (high - to)), 0.0, 1.0))


def _confidence(thing: _Thing, contrast: float, time: float) -> float:
    """How sure this is, 0..1: built like a person, having walked like one, standing out clearly, seen for a while."""
    clear = float(np.clip((contrast - 1.0) / 2.0, 0.0, 1.0))
    seasoned = min(thing.sightings / 4, 1.0)
    if thing.label == PERSON:
        return 0.62 + 0.18 * thing.person + 0.15 * clear
    if thing.label == VEHICLE:
        return 0.65 + 0.2 * clear
    lying = time - thing.still_since
    if thing.label == BAG:
        return min(0.5 + 0.1 * lying, 0.8) * (0.8 + 0.2 * clear)
    if lying >= STILL and thing.sightings > 3:
        return min(0.3 + 0.05 * lying, 0.7) * (0.8 + 0.2 * clear)
    walking = min(thing.travelled / 0.35, 1.0)
    return 0.55 * seasoned * thing.person * (0.4 + 0.4 * walking + 0.2 * clear)


def _shown(blob: Blob, boxes: list[list[float]]) -> list[float]:
    """Of each box the share that the blob fills and no other box claims."""
    claims = np.zeros(blob.pixels.shape, np.int16)
    places = []
    for x1, y1, x2, y2 in boxes:
        left, top = max(round(x1 - blob.box[0]), 0), max(round(y1 - blob.box[1]), 0)
        place = np.s_[top : max(round(y2 - blob.box[1]), top + 1), left : max(round(x2 - blob.box[0]), left + 1)]
        claims[place] += 1
        places.append(place)
    alone = (claims == 1) & (blob.pixels > 0)
    return [float(alone[place].mean()) if alone[place].size else 0.0 for place in places]


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _cut_out(blob: Blob, shape: tuple[int, ...]) -> tuple[Mask, tuple[int, int]]:
    """The blob's pixels with a margin of 4 where the picture allows it, and the top left corner of that."""
    x1, y1, x2, y2 = (int(v) for v in blob.box)
    left, top, right, bottom = max(x1 - 4, 0), max(y1 - 4, 0), min(x2 + 4, shape[1]), min(y2 + 4, shape[0])
    region = np.zeros((bottom - top, right - left), np.uint8)
    region[y1 - top : y2 - top, x1 - left : x2 - left] = blob.pixels
    return region, (left, top)
