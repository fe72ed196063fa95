"""What is drawn can be seen, at any size."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core import Event, Reason, Scene, Track, Tripwire, Zone
from pahara.video import draw, snapshot, thumbnail
from pahara.video.draw import AMBER, RED, joints_now

SIZES = [(320, 180), (320, 240), (768, 432), (1920, 1080), (1080, 1920)]
GATE = Zone("gate", ((0.1, 0.3), (0.4, 0.3), (0.4, 0.9), (0.1, 0.9)))
DOOR = Tripwire("door", (0.7, 0.2), (0.7, 0.9))  # drawn downwards: its right hand is on the left of the picture


def grey(size: tuple[int, int]) -> np.ndarray:
    return np.full((size[1], size[0], 3), 120, np.uint8)


def scene(size: tuple[int, int], *boxes: tuple[float, float, float, float], label: str = "person") -> Scene:
    """Boxes in fractions of the picture, which have moved to the right for two seconds."""
    times = np.arange(21) / 10
    tracks = []
    for number, box in enumerate(boxes, 1):
        rows = np.array(box) * np.tile(size, 2) + np.stack([(times - 2) * size[0] * 0.05, 0 * times] * 2, 1)
        tracks.append(Track(number, label, times, rows.astype(np.float32)))
    return Scene("gate", 2.0, size, tuple(tracks))


def red(image: np.ndarray) -> np.ndarray:
    """Where it is as red as alerts are drawn."""
    return np.abs(image.astype(int) - RED).max(axis=2) < 40


@pytest.mark.parametrize("size", SIZES)
def test_who_an_alert_is_about_is_red_and_nobody_else(size: tuple[int, int]) -> None:
    now = scene(size, (0.2, 0.3, 0.3, 0.7), (0.6, 0.3, 0.7, 0.7))
    calm = draw(grey(size), scene=now)
    alarmed = draw(grey(size), scene=now, alerts={2})
    assert not red(calm).any()
    where = np.argwhere(red(alarmed))
    assert len(where) > 100
    assert where[:, 1].min() > 0.45 * size[0], "track 1 is not red"
    x, y = int(0.6 * size[0]), int(0.5 * size[1])
    assert red(alarmed)[y, x - 2 : x + 3].any(), "the side of its box"
    assert red(alarmed)[round(0.7 * size[1]) - 2 : round(0.7 * size[1]) + 3, round(0.56 * size[0])].any(), "the trail of its feet"


@pytest.mark.parametrize("size", SIZES)
def test_labels_are_readable_and_stay_inside_the_picture(size: tuple[int, int]) -> None:
    now = scene(size, (0.0, 0.0, 0.1, 0.4), (0.95, 0.02, 1.0, 0.5), (0.3, 0.9, 0.4, 1.0))
    image = draw(grey(size), scene=now, alerts={1, 2, 3})
    filled = red(image).astype(np.uint8)
    solid = cv2.morphologyEx(filled, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.erode(solid, np.ones((7, 7), np.uint8)))
    labels = [row for row in stats[1:count] if row[cv2.CC_STAT_WIDTH] > 25]
    assert len(labels) >= 3, "three labels, whole"
    assert all(row[cv2.CC_STAT_HEIGHT] >= 4 for row in labels)


def test_the_arrow_of_a_tripwire_points_to_its_right_hand() -> None:
    size = (768, 432)
    drawn = np.abs(draw(grey(size), lines=[DOOR]).astype(int) - 120).max(axis=2) > 30
    beside = np.argwhere(drawn[150:300])[:, 1] - 0.7 * size[0]
    assert beside.min() < -20
    assert beside.max() < 8
    arrow_tip = np.array([[0.7 * size[0] - 20, 216.0]])
    assert DOOR.side(arrow_tip, size)[0] > 0, "where the geometry says forward goes"


def test_a_zone_is_outlined_and_what_lies_in_it_stays_visible(video: SimpleNamespace) -> None:
    image = np.full((432, 768, 3), 120, np.uint8)
    image[200:260, 100:200] = 250
    drawn = draw(image, zones=[GATE])
    assert np.abs(drawn[250, 77].astype(int) - AMBER).max() < 60
    assert drawn[230, 150].min() > drawn[280, 150].min() + 60
    assert (drawn[50, 500] == 120).all()
    assert (image[250, 77] == 120).all(), "drawn on a copy"
    assert draw(image, zones=[GATE], copy=False) is image


def test_words_that_the_font_does_not_have_are_left_out() -> None:
    size = (768, 432)
    bangla = scene(size, (0.2, 0.3, 0.3, 0.7), label="মানুষ")
    bare = scene(size, (0.2, 0.3, 0.3, 0.7), label="")
    assert np.array_equal(draw(grey(size), scene=bangla), draw(grey(size), scene=bare)), "the id alone"
    draw(grey(size), zones=[Zone("গেট", GATE.corners)])


def test_tracks_long_out_of_sight_are_not_drawn() -> None:
    track = Track(1, "person", np.array([0.0]), np.array([[100, 60, 180, 200]], np.float32))
    assert np.array_equal(draw(grey((320, 240)), scene=Scene("gate", 5.0, (320, 240), (track,))), grey((320, 240)))


def event(boxes: tuple[tuple[float, float, float, float], ...], place: str = "gate") -> Event:
    subject = tuple(range(1, len(boxes) + 1))
    reason = Reason("loitering.dwell", 34, 30, "s", place)
    return Event("id", "gate", "loitering-gate", "loitering", subject, "began", 1.0, 2.0, 0.0, 0.8, 2.0, reason, boxes, (768, 432))


@pytest.mark.parametrize("size", SIZES)
def test_a_snapshot_shows_the_box_and_the_zone_of_its_event_in_red(size: tuple[int, int]) -> None:
    image = snapshot(grey(size), event(((400, 120, 460, 270),)), {"gate": GATE}, [DOOR])
    scale = np.array(size) / (768, 432)
    edges = red(image)
    x, y = (np.array([400, 200]) * scale).round().astype(int)
    assert edges[y, x - 3 : x + 4].any()
    x, y = (np.array([0.1, 0.6]) * size).round().astype(int)
    assert edges[y, x - 3 : x + 4].any()
    inside, outside = (np.array([430, 200]) * scale).astype(int), (np.array([600, 60]) * scale).astype(int)
    assert image[inside[1], inside[0]].mean() > image[outside[1], outside[0]].mean() + 20, "the rest is dimmed"


def test_a_snapshot_of_the_whole_picture_has_a_red_frame() -> None:
    image = snapshot(grey((768, 432)), event((), place=""))
    assert red(image)[0].mean() > 0.9
    assert red(image)[:, -1].mean() > 0.9
    assert (image[300, 400] == 120).all()


@given(st.integers(1, 700), st.integers(1, 400), st.integers(-50, 800), st.integers(-50, 450), st.integers(0, 300), st.integers(0, 300))
def test_a_thumbnail_has_exactly_its_size_wherever_the_box_is(wide: int, tall: int, x: int, y: int, w: int, h: int) -> None:
    image = np.zeros((tall, wide, 3), np.uint8)
    assert thumbnail(image, (x, y, x + w, y + h), (96, 54)).shape == (54, 96, 3)


def test_a_thumbnail_shows_the_box_unstretched() -> None:
    image = grey((1920, 1080))
    cv2.circle(image, (1500, 500), 60, (255, 255, 255), cv2.FILLED)
    small = thumbnail(image, (1440, 440, 1560, 560), (320, 180))
    white = np.argwhere(small[:, :, 0] > 200)
    tall, wide = np.ptp(white, axis=0)
    assert tall > 100, "it fills most of the height"
    assert abs(tall - wide) <= 4


def posed(size: tuple[int, int], sure: float = 0.9, *, looked: float = 2.0) -> Scene:
    """Somebody in the left half, all joints on a cross in the box, looked at once."""
    (track,) = scene(size, (0.2, 0.3, 0.3, 0.7)).tracks
    joints = np.zeros((len(track.times), 17, 3), np.float32)
    row = int(np.abs(track.times - looked).argmin())
    box = track.boxes[row]
    middle = (box[:2] + box[2:]) / 2
    for joint in range(17):
        joints[row, joint] = [*(middle + (box[2:] - box[:2]) * [0.3 * np.sin(joint), 0.4 * np.cos(joint)]), sure]
    return Scene("gate", 2.0, size, (Track(1, "person", track.times, track.boxes, keypoints=joints),))


@pytest.mark.parametrize("size", SIZES)
def test_bones_are_drawn_of_joints_that_are_sure_and_inside_the_box(size: tuple[int, int]) -> None:
    now = posed(size)
    box = now.tracks[0].box
    bare = Scene("gate", 2.0, size, (Track(1, "person", now.tracks[0].times, now.tracks[0].boxes),))
    changed = (draw(grey(size), scene=now) != draw(grey(size), scene=bare)).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert len(rows) > 200
    assert columns.min() >= box[0] - 2
    assert columns.max() <= box[2] + 2
    assert not (draw(grey(size), scene=posed(size, sure=0.2)) != draw(grey(size), scene=bare)).any()


def test_bones_move_with_their_box_for_a_second_and_then_are_gone() -> None:
    now, before, long_ago = posed((768, 432)), posed((768, 432), looked=1.5), posed((768, 432), looked=0.5)
    assert joints_now(before.tracks[0], 2.0) == pytest.approx(joints_now(now.tracks[0], 2.0), abs=0.01)
    assert joints_now(long_ago.tracks[0], 2.0).shape == (0, 3)


def test_a_snapshot_shows_the_bones_of_those_whom_it_is_about() -> None:
    size = (768, 432)
    now = posed(size)
    box = tuple(float(v) for v in now.tracks[0].box)
    about = [replace(event((box,)), subject=(one,)) for one in (1, 5)]
    plain, with_bones, of_another = (
        snapshot(grey(size), about[0]), snapshot(grey(size), about[0], scene=now), snapshot(grey(size), about[1], scene=now),
    )  # fmt: skip
    assert red(with_bones).sum() > red(plain).sum() + 100
    assert abs(int(red(of_another).sum()) - int(red(plain).sum())) < 60  # the number on the label alone
