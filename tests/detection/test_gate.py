"""The motion gate opens for people and stays shut for weather, light and noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pahara.core import Frame
from pahara.detection import MotionGate

WIDE, TALL, FPS = 640, 360, 10


def street() -> np.ndarray:
    """(h, w) float: a textured grey scene with walls, windows and a road."""
    random = np.random.default_rng(4)
    scene = cv2.resize(random.uniform(60, 180, (9, 16)).astype(np.float32), (WIDE, TALL), interpolation=cv2.INTER_CUBIC)
    scene += cv2.GaussianBlur(random.normal(0, 25, (TALL, WIDE)).astype(np.float32), (0, 0), 2)
    for x in range(40, WIDE, 90):
        cv2.rectangle(scene, (x, 30), (x + 40, 80), 45.0, -1)
        cv2.rectangle(scene, (x, 30), (x + 40, 80), 200.0, 2)
    return scene


SCENE = street()


def watch(draw, seconds: float, *, fps: float = FPS, gate: MotionGate | None = None, tracks: bool = False, noise: float = 2.0):
    """Frames made by draw(scene copy, time, random) -> why the gate opened, frame by frame ("" where it stayed shut)."""
    gate = gate or MotionGate()
    random = np.random.default_rng(7)
    reasons = []
    for n in range(round(seconds * fps)):
        time = n / fps
        picture = draw(SCENE.copy(), time, random)
        grey = np.clip(picture + random.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
        opened = gate.look(Frame("c", time, (WIDE, TALL), lambda: None, lambda grey=grey: grey), tracks)
        assert opened == bool(gate.reason)
        reasons.append(gate.reason)
    return reasons


def opened_for_motion(reasons, after: float = 3.0, fps: float = FPS) -> float:
    """The share of frames after the first seconds in which something is taken to move."""
    late = reasons[round(after * fps) :]
    return sum(reason in ("motion", "start") for reason in late) / len(late)


def person(picture, x, foot, height, shade=30.0):
    """Someone standing at x with the feet in row `foot`."""
    cv2.ellipse(picture, (round(x), round(foot - height / 2)), (max(round(height * 0.16), 1), round(height / 2)), 0, 0, 360, shade, -1)
    return picture


def quiet(picture, time, random):
    return picture


def test_an_empty_street_is_looked_at_on_the_slow_beat_only():
    reasons = watch(quiet, 30)
    assert opened_for_motion(reasons) == 0
    beats = [n / FPS for n, reason in enumerate(reasons) if reason == "beat"]
    assert np.diff(beats) == pytest.approx(2.0, abs=0.11)


@pytest.mark.parametrize("noise", [0.0, 4.0, 8.0, 12.0])
def test_sensor_noise_does_not_keep_it_open(noise):
    assert opened_for_motion(watch(quiet, 30, noise=noise)) <= 0.01


def rain(picture, time, random, drops=80):
    for _ in range(drops):
        x, y, length = random.integers(0, WIDE), random.integers(-20, TALL), random.integers(12, 40)
        cv2.line(picture, (int(x), int(y)), (int(x) + 3, int(y + length)), 215.0, int(random.integers(1, 3)))
    return picture


@pytest.mark.parametrize(("drops", "most"), [(80, 0.02), (250, 0.1)])
def test_rain_does_not_keep_it_open(drops, most):
    assert opened_for_motion(watch(lambda *scene: rain(*scene, drops=drops), 40), after=10) <= most


def test_someone_who_walks_through_the_rain_opens_it():
    def draw(picture, time, random):
        if time >= 20:
            person(picture, 100 + 60 * (time - 20), 260, 90)
        return rain(picture, time, random)

    reasons = watch(draw, 26)
    assert opened_for_motion(reasons[200:], after=0.5) >= 0.9


def test_a_flickering_lamp_does_not_keep_it_open():
    def draw(picture, time, random):
        return picture * (1 + 0.12 * np.sin(2 * np.pi * 3.1 * time)) + 5 * np.sin(2 * np.pi * 4.7 * time)

    assert opened_for_motion(watch(draw, 30)) <= 0.01


def test_passing_clouds_do_not_keep_it_open():
    across = np.linspace(0, 1, WIDE, dtype=np.float32)[None]

    def draw(picture, time, random):
        return picture * (1 - 0.35 / (1 + np.exp(-(12 * across - 6 * ((time % 20) / 10)))))

    assert opened_for_motion(watch(draw, 40)) <= 0.05


def test_a_light_switch_opens_it_for_a_moment_at_most():
    def draw(picture, time, random):
        return picture * (0.4 if 10 <= time < 20 else 1.0)

    reasons = watch(draw, 30)
    for switch in (10, 20):
        assert opened_for_motion(reasons[switch * FPS : (switch + 8) * FPS], after=1.0) == 0


def test_blocking_artefacts_of_a_weak_encoder_do_not_keep_it_open():
    def draw(picture, time, random):
        grey = np.clip(picture + random.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        quality = 25 if round(time * FPS) % 20 == 0 else 10  # a better key frame every two seconds
        shift = int(random.integers(0, 8))  # blocks fall differently each time
        encoded = cv2.imencode(".jpg", np.roll(grey, shift, axis=1), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.roll(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), -shift, axis=1).astype(np.float32)

    assert opened_for_motion(watch(draw, 30, noise=0.0)) <= 0.02


def test_leaves_that_wave_all_day_become_usual():
    leaves = np.random.default_rng(1).uniform(0, 1, (60, 3))

    def draw(picture, time, random):
        for a, b, c in leaves:
            x, y = 480 + 120 * a + 6 * np.sin(7 * time + 6 * b), 20 + 90 * c + 4 * np.cos(5 * time + 9 * a)
            cv2.circle(picture, (int(x), int(y)), 7, 40 + 90 * float(b), -1)
        return picture

    assert opened_for_motion(watch(draw, 60), after=30) <= 0.1


@pytest.mark.parametrize(
    ("height", "speed"),
    [
        (200, 90),  # a person nearby, walking
        (60, 30),
        (26, 8),  # far away and slow: a fourteenth of the picture, a third of a body height a second
    ],
)
def test_someone_walking_opens_it_at_once_and_for_as_long_as_they_walk(height, speed):
    def draw(picture, time, random):
        return person(picture, 200 + speed * (time - 5), 300, height) if time >= 5 else picture

    reasons = watch(draw, 9)
    came = 5 * FPS
    assert any(reason == "motion" for reason in reasons[came : came + 10])
    assert opened_for_motion(reasons[came:], after=1.0) >= 0.9


def test_someone_in_clothes_of_the_wall_s_colour_is_seen():
    def draw(picture, time, random):
        return person(picture, 100 + 60 * time, 300, 120, shade=float(np.median(SCENE)) + 18) if time >= 5 else picture

    assert opened_for_motion(watch(draw, 10)[5 * FPS :], after=0.5) >= 0.8


def test_at_one_picture_a_second_a_walker_is_still_seen():
    def draw(picture, time, random):
        return person(picture, 60 * (time - 10), 300, 90) if time >= 10 else picture

    reasons = watch(draw, 20, fps=1.0)
    assert sum(reason == "motion" for reason in reasons[10:]) >= 8


def test_tracks_alive_keep_it_open():
    assert all(watch(quiet, 5, tracks=True))


def test_switched_off_it_lets_every_frame_through():
    gate = MotionGate(enabled=False)
    assert all(watch(quiet, 3, gate=gate))
    assert gate.statistics.share == 1


def test_it_counts_what_it_spared():
    gate = MotionGate()
    reasons = watch(quiet, 20, gate=gate)
    told = gate.statistics
    assert told.frames == 200
    assert told.detected == sum(map(bool, reasons))
    assert told.share == told.detected / 200 < 0.15
    assert sum(told.opened_by.values()) == told.detected
    assert told.opened_by["beat"] >= 8


def test_after_a_long_gap_it_starts_anew():
    gate = MotionGate()
    watch(quiet, 5, gate=gate)
    other = np.roll(SCENE, 50, axis=1).astype(np.uint8)
    assert gate.look(Frame("c", 100.0, (WIDE, TALL), lambda: None, lambda: other), False)
    assert gate.reason == "start"
    assert not any(gate.look(Frame("c", 100.6 + n / 10, (WIDE, TALL), lambda: None, lambda: other), False) for n in range(10))


@pytest.mark.slow
def test_on_real_footage_it_spares_most_of_the_work(asset):
    """People cross one at a time; most of the recording is empty."""
    capture = cv2.VideoCapture(str(asset("footage/one-by-one.mp4")))
    fps = capture.get(cv2.CAP_PROP_FPS)
    gate = MotionGate()
    for n in range(1394):
        ok, image = capture.read()
        assert ok
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        gate.look(Frame("c", n / fps, (image.shape[1], image.shape[0]), lambda: None, lambda grey=grey: grey), False)
    assert 0.2 < gate.statistics.share < 0.5
