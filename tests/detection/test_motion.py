"""People and bags found by motion alone, on small staged scenes whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pahara.core import Detections, Frame
from pahara.core.boxes import iou_matrix
from pahara.detection import MotionDetector
from pahara.detection.motion import BAG, PERSON, VEHICLE
from pahara.tracking import ByteTrack

WIDE, TALL, FPS = 480, 288, 10


def ground() -> np.ndarray:
    """A paved yard with a wall behind it."""
    random = np.random.default_rng(3)
    scene = np.full((TALL, WIDE, 3), (128, 134, 138), np.float32)
    scene[:70] = (96, 104, 120)
    for x in range(0, WIDE, 24):
        cv2.line(scene, (x, 70), (2 * x - WIDE // 2, TALL), (112.0, 118.0, 122.0), 1)
    for y in (80, 95, 115, 140, 172, 215, 270):
        cv2.line(scene, (0, y), (WIDE, y), (112.0, 118.0, 122.0), 1)
    for x in range(30, WIDE, 110):
        cv2.rectangle(scene, (x, 15), (x + 40, 50), (60.0, 60.0, 55.0), -1)
    return scene + cv2.GaussianBlur(random.normal(0, 16, scene.shape).astype(np.float32), (0, 0), 1.5)


SCENE = ground()


def height(foot: float) -> float:
    """Pixels of a person whose feet are in row `foot`."""
    return 20 + 0.42 * foot


def person(scene, x, foot, *, top=(60, 50, 170), legs=(70, 45, 35), phase=0.0, shadow=True, tall=None):
    """Draws someone walking; -> the box x1 y1 x2 y2."""
    h = tall or height(foot)
    if shadow:  # a soft cast shadow to the right
        shade = np.ones(scene.shape[:2], np.float32)
        cv2.ellipse(shade, (round(x + 0.3 * h), round(foot)), (round(0.35 * h), max(round(0.07 * h), 1)), -6, 0, 360, 0.62, -1)
        scene *= cv2.GaussianBlur(shade, (5, 5), 0)[..., None]
    stride = 0.12 * h * np.sin(phase)
    for side in (-1, 1):
        cv2.line(
            scene, (round(x), round(foot - 0.48 * h)), (round(x + side * stride), round(foot - 0.02 * h)), legs, max(round(0.1 * h), 1)
        )
    cv2.ellipse(scene, (round(x), round(foot - 0.64 * h)), (max(round(0.13 * h), 1), round(0.2 * h)), 0, 0, 360, top, -1)
    cv2.circle(scene, (round(x), round(foot - 0.92 * h)), max(round(0.075 * h), 1), (105, 125, 175), -1)
    half = max(0.14 * h, abs(stride) + 0.05 * h)
    return x - half, foot - h, x + half, foot


def bag(scene, x, foot):
    cv2.rectangle(scene, (x - 9, foot - 24), (x + 9, foot), (40, 40, 150), -1)
    cv2.rectangle(scene, (x - 4, foot - 29), (x + 4, foot - 24), (30, 30, 40), 2)
    return x - 9, foot - 29, x + 9, foot


class Yard:
    """Plays draw(scene, time) -> boxes to a detector, frame by frame."""

    def __init__(self, *, fps: float = FPS, noise: float = 2.0, detector: MotionDetector | None = None):
        self.fps, self.time = fps, 0.0
        self.detector = detector or MotionDetector()
        random = np.random.default_rng(11)
        self._grain = [random.normal(0, noise, SCENE.shape).astype(np.float32) for _ in range(5)]  # drawn once: tests are to be fast
        self._shown = 0

    def play(self, draw, seconds: float) -> list[tuple[float, Detections, list]]:
        """-> time, what was seen and the true boxes, frame by frame."""
        told = []
        for _ in range(round(seconds * self.fps)):
            scene = SCENE.copy()
            inside = [np.clip(box, 0, [WIDE, TALL, WIDE, TALL]) for box in draw(scene, self.time) or []]
            truth = [tuple(box) for box in inside if box[2] > box[0]]
            self._shown += 1
            scene += self._grain[self._shown * 7 % 5]
            image = np.clip(scene, 0, 255, out=scene).astype(np.uint8)
            told.append((self.time, self.detector.see(Frame.of("yard", self.time, image)), truth))
            self.time += 1 / self.fps
        return told


def people(seen: Detections, sure: float = 0.6) -> np.ndarray:
    return seen.boxes[(seen.labels == PERSON) & (seen.scores >= sure)]


def found(told, *, iou: float = 0.5) -> float:
    """The share of true boxes that a sure detection of a person covers."""
    hits = total = 0
    for _, seen, truth in told:
        total += len(truth)
        if truth and len(people(seen)):
            hits += int((iou_matrix(np.array(truth, float), people(seen)).max(axis=1) >= iou).sum())
    return hits / total


def false(told) -> int:
    """How many sure detections of a person cover nobody."""
    wrong = 0
    for _, seen, truth in told:
        boxes = people(seen)
        if len(boxes):
            covered = iou_matrix(boxes, np.array(truth, float)).max(axis=1) >= 0.2 if truth else np.zeros(len(boxes), bool)
            wrong += int((~covered).sum())
    return wrong


def ids_of_nobody(told) -> set[int]:
    """Confirmed tracks of people that cover nobody, when the product's tracker reads what was seen."""
    tracker, wrong = ByteTrack(), set()
    for time, seen, truth in told:
        now = tracker.update(seen, time)
        for id_, label, box, sighted in zip(now.ids, now.labels, now.boxes, now.seen, strict=True):
            if label == "person" and sighted and (not truth or iou_matrix(box[None], np.array(truth, float)).max() < 0.2):
                wrong.add(int(id_))
    return wrong


def empty(scene, time):
    return []


def crossing(begin: float, *, row: float = 230, speed: float = 60, start: float = -20, **look):
    """Someone who walks through from the left, from `begin` on."""

    def draw(scene, time):
        x = start + speed * (time - begin)
        return [person(scene, x, row, phase=7 * time, **look)] if time >= begin and x < WIDE - 40 else []

    return draw


def passers_by(yard: Yard) -> None:
    """Two people pass, so that the detector knows how tall people are here."""
    yard.play(empty, 2)
    for row in (240, 150):
        yard.play(crossing(yard.time, row=row), 9)
    yard.play(empty, 2)


@pytest.fixture(scope="module")
def seasoned():
    """A yard whose detector has seen two people pass."""

    def make(**options):
        yard = Yard(**options)
        passers_by(yard)
        return yard

    return make


def test_nobody_is_found_where_nobody_is():
    told = Yard(noise=6.0).play(empty, 30)
    assert sum(len(seen) for _, seen, _ in told) == 0


def test_the_very_first_walker_is_found_within_a_second_or_so():
    yard = Yard()
    yard.play(empty, 1)
    told = yard.play(crossing(yard.time), 8)
    inside = [step for step in told if step[2] and step[2][0][0] > 0 and step[2][0][2] < WIDE]
    assert found(inside[12:]) >= 0.9
    assert false(told) == 0


def test_a_walker_far_away_is_found(seasoned):
    yard = seasoned()
    told = yard.play(crossing(yard.time, row=85, speed=25), 14)
    inside = [step for step in told if step[2] and step[2][0][0] > 0 and step[2][0][2] < WIDE]
    assert found(inside[12:]) >= 0.75
    assert false(told) == 0


def test_who_stands_still_for_minutes_is_not_absorbed(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        return [person(scene, min(-20 + 60 * (time - begin), 240), 230, phase=7 * time if time - begin < 4.3 else 0)]

    told = yard.play(draw, 120)
    assert found(told[60:]) >= 0.98
    assert false(told) == 0


def test_the_shadow_is_no_part_of_the_person(seasoned):
    yard = seasoned()
    told = yard.play(crossing(yard.time, row=250), 7)
    widths = [box[2] - box[0] for time, seen, truth in told[20:50] for box in people(seen)]
    true = [truth[0][2] - truth[0][0] for _, _, truth in told[20:50]]
    assert np.median(widths) <= 1.5 * np.median(true)


def test_two_who_walk_side_by_side_are_two(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        x = -20 + 50 * (time - begin)
        return [
            person(scene, x, 232, phase=7 * time),
            person(scene, x + 34, 236, top=(150, 120, 40), phase=7 * time + 2),
        ]

    told = yard.play(draw, 8)
    counts = [len(people(seen)) for _, seen, _ in told[25:70]]
    assert np.median(counts) == 2
    assert found(told[25:70]) >= 0.7


def test_two_who_meet_and_part_are_two_again(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        away = 50 * (time - begin)
        return [
            person(scene, -20 + away, 230, phase=7 * time),
            person(scene, WIDE + 20 - away, 240, top=(150, 120, 40), phase=6 * time),
        ]

    told = yard.play(draw, 9)
    assert found(told[75:85]) >= 0.9
    assert false(told[75:85]) == 0


def test_a_bag_that_is_left_is_found_and_kept(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        gone = time - begin
        truth = []
        x = -20 + 55 * gone if gone < 5 else 255 + 55 * (gone - 5)
        if gone >= 5:
            bag(scene, 240, 232)
        if x < WIDE + 30:
            truth.append(person(scene, x, 230, phase=7 * time))
            if gone < 5:
                bag(scene, round(x - 15), 232)
        return truth

    told = yard.play(draw, 45)
    left = [seen.boxes[seen.labels == BAG] for time, seen, _ in told if time - begin > 12]
    hits = [len(boxes) and iou_matrix(boxes, np.array([(231.0, 203, 249, 232)])).max() > 0.4 for boxes in left]
    assert np.mean(hits) >= 0.98
    scores = [seen.scores[seen.labels == BAG].max(initial=0) for time, seen, _ in told if time - begin > 20]
    assert min(scores) >= 0.6


def test_who_falls_stays_a_person(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        gone = time - begin
        if gone < 4:
            return [person(scene, -20 + 60 * gone, 230, phase=7 * time)]
        lying = np.zeros((TALL, WIDE, 3), np.float32)  # the same figure turned by a quarter
        person(lying, 220, 230, shadow=False)
        turn = cv2.getRotationMatrix2D((220, 190), min(90, 150 * (gone - 4)), 1.0)
        turned = cv2.warpAffine(lying, turn, (WIDE, TALL), flags=cv2.INTER_NEAREST)
        where = turned.any(axis=2)
        scene[where] = turned[where]
        rows, columns = np.nonzero(where)
        return [(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]

    told = yard.play(draw, 20)
    assert found(told[60:], iou=0.4) >= 0.9
    (_, seen, _) = told[-1]
    assert [seen.names[label] for label in seen.labels] == ["person"]
    box = seen.boxes[0]
    assert box[2] - box[0] > box[3] - box[1]


def test_a_light_switch_fills_the_picture_with_nothing(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        if 3 <= time - begin < 9:
            scene *= (0.35, 0.4, 0.5)
        return []

    told = yard.play(draw, 15)
    assert sum(len(seen) for _, seen, _ in told) == 0


def test_who_stands_there_when_the_light_is_switched_is_still_seen(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        truth = [person(scene, min(-20 + 60 * (time - begin), 240), 230)]
        if time - begin >= 8:
            scene *= (0.35, 0.4, 0.5)
        return truth

    told = yard.play(draw, 16)
    assert found(told[95:]) >= 0.9


def test_dusk_brings_no_ghosts(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        scene *= 1 - 0.6 * (time - begin) / 60
        return []

    assert sum(len(seen) for _, seen, _ in yard.play(draw, 60)) == 0


@pytest.mark.parametrize(("x", "foot", "stay"), [(200, 230, 3.0), (200, 230, 6.0), (120, 170, 1.5)])
def test_who_was_there_at_the_start_leaves_no_ghost(x, foot, stay):
    """Three seconds after the first step all is clear; one box for one picture may come later, never a track."""
    yard = Yard()

    def draw(scene, time):
        at = x if time < stay else x + 60 * (time - stay)
        return [person(scene, at, foot, phase=7 * time if time >= stay else 0)] if at < WIDE + 30 else []

    told = yard.play(draw, stay + 9)
    later = told[round(10 * (stay + 3)) :]
    assert found([step for step in later if step[2] and step[2][0][2] < WIDE - 5]) >= 0.8
    assert false(later) <= 1
    assert ids_of_nobody(later) == set()


def test_a_car_is_a_vehicle(seasoned):
    yard = seasoned()
    begin = yard.time

    def draw(scene, time):
        x = -150 + 110 * (time - begin)
        cv2.rectangle(scene, (round(x), 170), (round(x) + 180, 245), (40.0, 90.0, 30.0), -1)
        cv2.rectangle(scene, (round(x) + 40, 135), (round(x) + 140, 172), (50.0, 100.0, 40.0), -1)
        return []

    told = yard.play(draw, 5)
    labels = [label for _, seen, _ in told[15:] for label, score in zip(seen.labels, seen.scores, strict=True) if score >= 0.6]
    assert labels
    assert np.mean(np.array(labels) == VEHICLE) >= 0.8


@pytest.mark.parametrize("seed", [5, 8])
def test_rain_is_nobody(seasoned, seed):
    yard = seasoned()
    random = np.random.default_rng(seed)

    def draw(scene, time):
        for _ in range(80):
            x, y, length = random.integers(0, WIDE), random.integers(-20, TALL), random.integers(10, 28)
            cv2.line(scene, (int(x), int(y)), (int(x) + 2, int(y + length)), (205.0, 205.0, 205.0), 1)
        return []

    told = yard.play(draw, 25)
    assert sum(len(people(seen)) for _, seen, _ in told) <= 6  # of 250 pictures: single streaks, never the same twice
    assert ids_of_nobody(told) == set()


@pytest.mark.parametrize("fps", [4, 25])
def test_the_frame_rate_does_not_matter(fps):
    yard = Yard(fps=fps)
    yard.play(empty, 2)
    yard.play(crossing(yard.time), 9)
    told = yard.play(crossing(yard.time, row=180, speed=45), 8)
    inside = [step for step in told if step[2] and step[2][0][0] > 0 and step[2][0][2] < WIDE]
    assert found(inside[round(1.5 * fps) :]) >= 0.85
    assert false(told) == 0


def test_a_picture_of_another_size_starts_anew():
    detector = MotionDetector()
    small, large = np.zeros((100, 160, 3), np.uint8), np.full((720, 1280, 3), 90, np.uint8)
    for image in (small, small, large, large, small):
        (seen,) = detector([image])
        assert len(seen) == 0
        assert seen.names == ("person", "bag", "vehicle", "object")


def test_boxes_come_in_the_picture_s_own_pixels():
    detector = MotionDetector()
    yard = Yard()
    for n in range(60):
        scene = SCENE.copy()
        truth = person(scene, -20 + 8 * n, 230, phase=0.7 * n)
        image = cv2.resize(np.clip(scene, 0, 255).astype(np.uint8), (WIDE * 3, TALL * 3))
        (seen,) = detector([image])
    assert yard is not None
    assert iou_matrix(people(seen), np.array([truth]) * 3.0).max() >= 0.5
