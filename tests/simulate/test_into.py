"""People drawn into real frames: the same every time, at the right size, with a truth that is what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from pahara.simulate.actions import Fall, Stand, Walk
from pahara.simulate.camera import View
from pahara.simulate.into import Into, staged_script, tampered
from pahara.simulate.look import Colours, Grade, Look, Sample, Shadow, edge_blur, match, measure_look, median_background
from pahara.simulate.script import Actor, Bag, Script, Tamper
from pahara.simulate.script import Look as Clothes
from pahara.simulate.view import Estimate, Scale, body_heights

SIZE = (480, 360)
VIEW = View(SIZE, 4.0, 25.0, 65.0)


def estimate() -> Estimate:
    y = np.linspace(120, 340, 30)
    a, b = np.polyfit(y, body_heights(VIEW, np.stack([np.full(30, 240.0), y], 1)), 1)
    return Estimate(Scale(float(a), float(b), 100), VIEW)


def street(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.normal(120, 18, (30, 40, 3))
    return np.clip(np.kron(coarse, np.ones((12, 12, 1))) + rng.normal(0, 4, (360, 480, 3)), 0, 255).astype(np.uint8)


def into(*actors: Actor, seed: int = 1, bags: tuple[Bag, ...] = (), **look: object) -> Into:
    script = staged_script(Script("t", size=SIZE, fps=10, duration=6.0, seed=seed, actors=actors, bags=bags), estimate())
    return Into(script, estimate(), Look(street(9), **look))  # type: ignore[arg-type]


def spot(x: float, y: float) -> tuple[float, float]:
    a, b = VIEW.ground(np.array([[x, y]]))[0]
    return float(a), float(b)


WALKER = Actor(1, spot(150, 260), (Walk((spot(330, 250),)),))


def test_the_same_take_gives_the_same_pixels_and_leaves_the_frame_alone() -> None:
    frame = street()
    before = frame.copy()
    first, second = (into(WALKER).paint(frame, k).image for k in (7, 7))
    assert np.array_equal(first, second)
    assert np.array_equal(frame, before)
    assert not np.array_equal(first, frame)
    other = into(WALKER, seed=2).paint(frame, 7).image
    assert not np.array_equal(first, other)


def test_frames_may_be_asked_for_in_any_order() -> None:
    frame = street()
    forwards, backwards = into(WALKER), into(WALKER)
    a = [forwards.paint(frame, k).image for k in range(0, 50, 7)]
    b = [backwards.paint(frame, k).image for k in reversed(range(0, 50, 7))][::-1]
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("index", [3, 12, 22])
def test_the_truth_box_is_the_box_of_what_was_drawn(index: int) -> None:
    made = into(WALKER, blur=0.0).paint(street(), index, mattes=True)
    (sighting,), ((_, area, matte),) = made.truth, made.mattes
    rows, columns = np.flatnonzero((matte > 0.3).any(1)), np.flatnonzero((matte > 0.3).any(0))
    drawn = np.array([area[0] + columns[0], area[1] + rows[0], area[0] + columns[-1] + 1, area[1] + rows[-1] + 1])
    assert np.abs(drawn - np.array(sighting.box)).max() <= 2.0


def test_pixels_far_from_the_staged_are_the_cameras_own() -> None:
    frame = street()
    made = into(WALKER).paint(frame, 10, mattes=True)
    changed = (made.image != frame).any(-1)
    x1, y1, x2, y2 = made.truth[0].box
    away = np.ones(frame.shape[:2], bool)
    away[max(int(y1) - 25, 0) : int(y2) + 25, max(int(x1) - 25, 0) : int(x2) + 25] = False
    assert changed.any()
    assert not changed[away].any()


@pytest.mark.parametrize("row", [150, 210, 290])
def test_someone_of_usual_height_is_as_tall_as_the_footage_says(row: int) -> None:
    usual = Actor(1, spot(240, row), (Stand(5.0),), look=Clothes(height=1.66, bottom="trousers", head="short"))
    (sighting,) = into(usual).sight(12)
    _, y1, _, y2 = sighting.box
    assert y2 - y1 == pytest.approx(float(estimate().scale.at(y2)), rel=0.07)


def test_a_footage_whose_people_are_taller_than_the_fitted_camera_says_gets_taller_ones() -> None:
    usual = Actor(1, spot(240, 250), (Stand(5.0),), look=Clothes(height=1.66, bottom="trousers", head="short"))
    plain = into(usual).sight(12)[0].box
    scale = estimate().scale
    script = staged_script(Script("t", size=SIZE, fps=10, duration=6.0, seed=1, actors=(usual,)), estimate())
    larger = Into(script, Estimate(Scale(scale.a * 1.15, scale.b * 1.15), VIEW), Look(street(9))).sight(12)[0].box
    assert (larger[3] - larger[1]) / (plain[3] - plain[1]) == pytest.approx(1.15, rel=0.04)


def test_a_real_person_who_is_nearer_stands_before_the_staged_one() -> None:
    frame = street(9)
    walker = into(WALKER)
    (alone,) = walker.paint(frame, 10).truth
    x1, y1, x2, y2 = alone.box
    real = np.array([[x1 - 3, y1, x2 + 3, y2 + 20]])
    frame[int(y1) : int(y2) + 20, max(int(x1) - 3, 0) : int(x2) + 3] = (20, 20, 200)
    hidden = walker.paint(frame, 10, real)
    assert hidden.truth[0].visible < 0.15 < alone.visible
    behind = np.array([[x1 - 3, y1 - 20, x2 + 3, y2 - 20]])
    assert walker.paint(frame, 10, behind).truth[0].visible > 0.9


def test_outlines_are_what_is_drawn_without_drawing_it() -> None:
    people = into(WALKER, Actor(2, spot(250, 300), (Fall("left", lie=3.0),)))
    for k in (5, 15, 30):
        drawn = {s.id: np.array(s.box) for s in people.sight(k)}
        for id_, label, boxes, seen in people.outlines(np.array([k / 10])):
            assert label == "person"
            if seen[0] and id_ in drawn:
                tall = drawn[id_][3] - drawn[id_][1]
                assert np.abs(boxes[0] - drawn[id_]).max() < max(0.12 * tall, 4)


def test_shadows_darken_the_ground_and_nothing_lightens_it() -> None:
    frame = np.full((360, 480, 3), 150, np.uint8)
    dark = into(Actor(1, spot(240, 250), (Stand(5.0),)), shadow=Shadow(0.5, 0.4, (0.8, 0.2), 0.05), noise=0.0).paint(frame, 10, mattes=True)
    _, (ax, ay, bx, by), matte = dark.mattes[0]
    body = np.zeros(frame.shape[:2], bool)
    body[ay:by, ax:bx] = matte > 0.001
    import cv2

    ground = ~(cv2.dilate(body.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    assert dark.image[ground].max() <= 150
    assert (dark.image[ground] < 125).any(axis=-1).sum() > 50


def test_real_peoples_colours_are_taken_over() -> None:
    rendered = Colours.of(np.random.default_rng(0).normal(90, 45, (5000, 3)).clip(0, 255))
    real = Colours.of(np.random.default_rng(1).normal([140, 130, 110], 18, (5000, 3)).clip(0, 255))
    grade = match(rendered, real)
    made = Colours.of(grade(np.random.default_rng(2).normal(90, 45, (5000, 3)).clip(0, 255).astype(np.uint8)))
    assert made.mean == pytest.approx(real.mean, abs=6)
    assert made.spread == pytest.approx(real.spread, rel=0.25)
    assert made.cast == pytest.approx(real.cast, abs=4)
    assert Grade()(np.full((1, 3), 128, np.uint8)).tolist() == [[128, 128, 128]]


@pytest.mark.parametrize("sigma", [0.7, 1.2, 2.0])
def test_the_blur_of_an_edge_is_measured(sigma: float) -> None:
    import cv2

    edge = np.zeros((60, 80))
    edge[:, 40:] = 200
    assert edge_blur(cv2.GaussianBlur(edge, (0, 0), sigma)) == pytest.approx(sigma, rel=0.25)


def test_an_empty_street_gives_assumed_looks_and_says_so() -> None:
    samples = [Sample(street(k), street(k + 1), np.zeros((0, 4))) for k in range(6)]
    look = measure_look(samples, median_background(samples), estimate().scale, Colours(70, 36, (0, 0, 0), 10, 100), 0.5)
    assert look.people == 0
    assert look.measured == ("noise",)
    assert not look.shadow.measured


def test_the_background_is_what_stands_behind_people() -> None:
    empty = street(4)
    samples = []
    for k in range(7):
        frame = empty.copy()
        x = 40 + 20 * (k // 2)  # slow: most frames hide the same ground
        frame[100:200, x : x + 60] = 10
        samples.append(Sample(frame, None, np.array([[x, 100, x + 60, 200]], float)))
    found = median_background(samples)
    assert np.abs(found.astype(int) - empty)[120:180, 45:60].mean() < 3


def test_a_tampered_view_is_the_real_one_until_it_begins() -> None:
    frame = street()
    for kind in ("covered", "defocused", "moved", "dark"):
        script = Script("t", size=SIZE, fps=10, duration=20, tampers=(Tamper(kind, 5.0, 30.0),))  # type: ignore[arg-type]
        assert np.array_equal(tampered(frame, script, 4.0), frame)
        assert np.abs(tampered(frame, script, 8.0).astype(int) - frame).mean() > 5
