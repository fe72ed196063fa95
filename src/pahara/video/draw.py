"""Draws what the watch knows onto a picture: boxes, bones, trails of feet, zones, tripwires; who an alert is about, in red."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Box, Event, Image, Scene, Track, Tripwire, Zone
from pahara.core.joints import BONES, SURE

Colour = tuple[int, int, int]  # BGR

RED: Colour = (40, 40, 230)
AMBER: Colour = (0, 190, 255)
SKY: Colour = (235, 170, 60)
WHITE: Colour = (255, 255, 255)
INK: Colour = (30, 25, 20)
# Told apart by people who do not tell red from green, too (Okabe and Ito 2008, without the reds).
TRACKS: tuple[Colour, ...] = ((115, 158, 0), (233, 180, 86), (66, 228, 240), (178, 114, 0), (167, 121, 204), (190, 190, 190))
FONT = cv2.FONT_HERSHEY_SIMPLEX
TRAIL = 6.0  # seconds of feet behind a track
LIMB = 1.0  # seconds that joints are carried along with their box until the next look

Place = TypeVar("Place", Zone, Tripwire)
Places = Mapping[str, Place] | Iterable[Place]


def draw(
    image: Image,
    *,
    scene: Scene | None = None,
    zones: Places[Zone] = (),
    lines: Places[Tripwire] = (),
    alerts: Collection[int] = (),
    busy: Collection[str] = (),
    trail: float = TRAIL,
    copy: bool = True,
) -> Image:
    """(h, w, 3) BGR -> the same with everything drawn on it.

    `scene` may be of another picture size: its boxes are scaled. `alerts` are ids of tracks that an event is about,
    `busy` names of zones and lines where one happens; both are drawn in red. `trail` is the seconds of feet behind
    a track. `copy=False` draws onto `image` itself.
    """
    canvas = _Canvas(image.copy() if copy else image)
    canvas.zones(_all(zones), busy)
    canvas.lines(_all(lines), busy)
    if scene is not None:
        scale = np.array(canvas.size, np.float64) / np.array(scene.size, np.float64)
        shown = [track for track in scene.tracks if track.last_seen >= scene.time - 1.0 or track.id in alerts]
        shown.sort(key=lambda track: track.id in alerts)  # alerts on top
        for track in shown:
            canvas.trail(track, scene.time - trail, scale, _colour(track.id, alerts))
        for track in shown:
            canvas.bones(joints_now(track, scene.time), scale, _colour(track.id, alerts))
            lost = track.last_seen < scene.time - 1e-6
            canvas.box(
                track.box * np.tile(scale, 2), f"{ascii_words(track.label)} {track.id}".strip(), _colour(track.id, alerts), faint=lost
            )
    return canvas.image


def snapshot(
    image: Image,
    event: Event,
    zones: Places[Zone] = (),
    lines: Places[Tripwire] = (),
    *,
    highlight: bool = True,
    scene: Scene | None = None,
) -> Image:
    """The picture of an event: its box and the zone or line that it is about in red, other places faint.

    `scene` at the event's time, where there is one, adds the bones of those whom it is about. `highlight=False` leaves the rest of the picture as bright as it was; else it is dimmed around the boxes.
    """
    canvas = _Canvas(image.copy())
    scale = np.tile(np.array(canvas.size, np.float64) / np.array(event.size, np.float64), 2)
    boxes = [np.array(box) * scale for box in event.boxes]
    if highlight and boxes:
        canvas.dim_around(boxes)
    busy = (event.place,) if event.place else ()
    canvas.zones(_all(zones), busy)
    canvas.lines(_all(lines), busy)
    names = [str(track_id) for track_id in event.subject] if len(event.subject) == len(boxes) else [""] * len(boxes)
    for box, name in zip(boxes, names, strict=True):
        canvas.box(box, f"{event.kind} {name}".strip(), RED)
    for track in scene.tracks if scene is not None else ():
        if track.id in event.subject:
            canvas.bones(joints_now(track, event.time), scale[:2], RED)
    if not boxes:
        canvas.banner(event.kind)
    return canvas.image


def thumbnail(image: Image, box: Box | NDArray[np.floating], size: tuple[int, int] = (320, 180)) -> Image:
    """The surroundings of `box` (pixels of `image`) -> a picture of exactly `size` (width, height), never stretched."""
    wide, tall = size
    h, w = image.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in box)
    width, height = max(x2 - x1, 1.0) * 1.5, max(y2 - y1, 1.0) * 1.3
    width = max(width, height * wide / tall, wide / 4)  # no more than four times enlarged
    height = width * tall / wide
    shrink = min(1.0, w / width, h / height)
    width, height = width * shrink, height * shrink
    left = min(max((x1 + x2 - width) / 2, 0.0), w - width)
    top = min(max((y1 + y2 - height) / 2, 0.0), h - height)
    crop = image[int(top) : max(int(top) + 1, round(top + height)), int(left) : max(int(left) + 1, round(left + width))]
    smaller = crop.shape[1] > wide
    result: Image = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return result


def joints_now(track: Track, time: float) -> NDArray[np.float32]:
    """(17, 3) the joints of the last look, moved with the box since then; (0, 3) when it is longer ago than `LIMB`, or there are no 17.

    Only a few people are looked at each moment: without this, bones would flicker.
    """
    rows = np.flatnonzero((track.keypoints[..., 2] > 0).any(axis=1))
    if track.keypoints.shape[1] != 17 or not len(rows) or time - track.times[rows[-1]] > LIMB:
        return np.zeros((0, 3), np.float32)
    joints: NDArray[np.float32] = track.keypoints[rows[-1]].copy()
    then, now = track.boxes[rows[-1]], track.boxes[-1]
    size = np.maximum(then[2:] - then[:2], 1)
    joints[:, :2] = now[:2] + (joints[:, :2] - then[:2]) / size * (now[2:] - now[:2])
    return joints


def ascii_words(words: str) -> str:
    """What OpenCV's font can show of `words`; "" when that would be nothing but question marks.

    >>> ascii_words("gate"), ascii_words("gate ২"), ascii_words("গেট")
    ('gate', 'gate ?', '')
    """
    shown = words.encode("ascii", "replace").decode()
    return shown if any(character.isalnum() for character in shown) else ""


def _all(places: Places[Place]) -> list[Place]:
    return list(places.values() if isinstance(places, Mapping) else places)


def _colour(track_id: int, alerts: Collection[int]) -> Colour:
    return RED if track_id in alerts else TRACKS[track_id % len(TRACKS)]


class _Canvas:
    """A picture with pens that fit its size: readable at 320 pixels and at 1080p."""

    def __init__(self, image: Image) -> None:
        self.image = image
        tall, wide = image.shape[:2]
        self.size = (wide, tall)
        self.unit = max(0.5, min(wide, tall) / 540)  # 1 at 960 × 540
        self.pen = max(1, round(2 * self.unit))
        self.letters = max(0.38, 0.5 * self.unit)
        self.weight = 1 if self.letters < 0.75 else 2

    def box(self, box: NDArray[np.floating], words: str, colour: Colour, *, faint: bool = False) -> None:
        x1, y1, x2, y2 = (int(v) for v in np.rint(box))
        if not faint:
            cv2.rectangle(self.image, (x1, y1), (x2, y2), INK, self.pen + 2)
        cv2.rectangle(self.image, (x1, y1), (x2, y2), colour, 1 if faint else self.pen)
        self.words(words, x1, y1, colour)

    def bones(self, joints: NDArray[np.floating], scale: NDArray[np.float64], colour: Colour) -> None:
        """The limbs that are sure enough; of the head only the line down to the shoulders."""
        if not len(joints):
            return
        points = [_point(xy) for xy in joints[:, :2] * scale]
        lines = [(points[a], points[b]) for a, b in BONES if min(joints[a, 2], joints[b, 2]) >= SURE]
        tall = float(np.ptp(joints[:, 1]) * scale[1])  # a thick pen would black out a small body
        pens = ((self.pen + 2, INK), (self.pen, colour)) if tall > 60 * self.pen else ((1, colour),)
        for pen, ink in pens:
            for one, other in lines:
                cv2.line(self.image, one, other, ink, pen, cv2.LINE_AA)

    def words(self, words: str, x: int, y: int, colour: Colour) -> None:
        """A label that stands on the point, moved inside the picture where needed."""
        words = ascii_words(words)
        if not words:
            return
        (wide, tall), below = _room(words, self.letters, self.weight)
        margin = max(1, round(2 * self.unit))
        height = tall + below + 2 * margin
        x = min(max(x, 0), max(0, self.size[0] - wide - 2 * margin))
        y = min(max(y, height), self.size[1])
        cv2.rectangle(self.image, (x, y - height), (x + wide + 2 * margin, y), colour, cv2.FILLED)
        ink = INK if sum(colour) > 330 else WHITE
        cv2.putText(self.image, words, (x + margin, y - below - margin), FONT, self.letters, ink, self.weight, cv2.LINE_AA)

    def trail(self, track: Track, since: float, scale: NDArray[np.float64], colour: Colour) -> None:
        feet = track.feet[track.since(since)] * scale
        if len(feet) > 1:
            cv2.polylines(self.image, [np.rint(feet).astype(np.int32)], False, colour, self.pen, cv2.LINE_AA)
        if len(feet):
            x, y = (int(v) for v in np.rint(feet[-1]))
            cv2.circle(self.image, (x, y), self.pen + 1, colour, cv2.FILLED, cv2.LINE_AA)

    def zones(self, zones: Collection[Zone], busy: Collection[str]) -> None:
        for zone in zones:
            corners = np.rint(zone.pixels(self.size)).astype(np.int32)
            colour = RED if zone.name in busy else AMBER
            self._tint(corners, colour, 0.22 if zone.name in busy else 0.12)
            cv2.polylines(self.image, [corners], True, colour, self.pen, cv2.LINE_AA)
            x, y = corners[corners.sum(axis=1).argmin()]
            self.words(zone.name, int(x), int(y), colour)

    def _tint(self, corners: NDArray[np.int32], colour: Colour, strength: float) -> None:
        x1, y1 = np.maximum(corners.min(axis=0), 0)
        x2, y2 = np.minimum(corners.max(axis=0) + 1, self.size)
        if x2 <= x1 or y2 <= y1:
            return
        part = self.image[y1:y2, x1:x2]
        tinted = part.copy()
        cv2.fillPoly(tinted, [corners - np.array([x1, y1], np.int32)], colour)
        cv2.addWeighted(tinted, strength, part, 1 - strength, 0, dst=part)

    def lines(self, lines: Collection[Tripwire], busy: Collection[str]) -> None:
        """Each line with an arrow that points where *forward* goes: from the left hand to the right hand."""
        for line in lines:
            colour = RED if line.name in busy else SKY
            start, end = line.pixels(self.size)
            cv2.line(self.image, _point(start), _point(end), INK, self.pen + 2, cv2.LINE_AA)
            cv2.line(self.image, _point(start), _point(end), colour, self.pen, cv2.LINE_AA)
            along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
            right = np.array([-along[1], along[0]])  # y grows downwards
            middle = (start + end) / 2
            cv2.arrowedLine(
                self.image, _point(middle), _point(middle + right * 28 * self.unit), colour, self.pen, cv2.LINE_AA, tipLength=0.35
            )
            self.words(line.name, *_point(start if start[1] >= end[1] else end), colour)

    def dim_around(self, boxes: Collection[NDArray[np.floating]]) -> None:
        bright = self.image.copy()
        cv2.convertScaleAbs(self.image, dst=self.image, alpha=0.62)
        margin = 6 * self.unit
        for box in boxes:
            x1, y1 = (max(0, int(v - margin)) for v in box[:2])
            x2, y2 = (max(0, int(v + margin)) for v in box[2:])
            self.image[y1:y2, x1:x2] = bright[y1:y2, x1:x2]

    def banner(self, words: str) -> None:
        """For an event of the whole picture: a red frame and its name."""
        wide, tall = self.size
        cv2.rectangle(self.image, (0, 0), (wide - 1, tall - 1), RED, 2 * self.pen)
        self.words(words, 2 * self.pen, 0, RED)


@lru_cache(maxsize=256)  # OpenCV 5 takes 0.6 ms to tell, and the names of zones and lines return in every picture
def _room(words: str, letters: float, weight: int) -> tuple[tuple[int, int], int]:
    """What a text needs, pixels: width and height above its base line, and what hangs below."""
    (wide, tall), below = cv2.getTextSize(words, FONT, letters, weight)
    return (wide, tall), below


def _point(xy: NDArray[np.floating]) -> tuple[int, int]:
    return round(float(xy[0])), round(float(xy[1]))
