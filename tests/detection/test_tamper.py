"""The picture itself: real footage is left alone, and what is done to a camera is told within seconds and by name."""

from __future__ import annotations

from functools import cache
from time import process_time

import cv2
import numpy as np
import pytest

from pahara.behaviours import Tamper
from pahara.core import Frame, Observation, Signal
from pahara.detection.tamper import NAMES, TamperSignals
from pahara.testing.actors import began, events_of, remember

CLIPS = ["footage/pets-s2l1/video.avi", "footage/one-by-one.mp4", "footage/plaza-overhead.avi"]


@cache
def clip(path, most=400):
    """-> (time, luma) at about ten frames a second."""
    video = cv2.VideoCapture(str(path))
    fps = video.get(cv2.CAP_PROP_FPS) or 25.0
    step = max(1, round(fps / 10))
    frames = []
    for k in range(most * step):
        if not video.grab():
            break
        if k % step == 0:
            frames.append((k / fps, cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2GRAY)))
    assert len(frames) > 60, "the clip is too short to tell anything"
    return frames


def frame(time, luma):
    return Frame("test", time, (luma.shape[1], luma.shape[0]), lambda: np.stack([luma] * 3, -1), lambda: luma)


def watched(frames, change=lambda luma, k: luma, *, after=float("inf"), seconds=3.0, frozen_seconds=20.0):
    """What the tamper behaviour reports when `change` is done to every picture from `after` on -> [(kind, seconds after)]."""
    signals = TamperSignals()

    def observations():
        for k, (time, luma) in enumerate(frames):
            values = signals(frame(time, change(luma, k) if time >= after else luma))
            assert set(values) == set(NAMES)
            assert all(0 <= values[name] <= 1 for name in NAMES if name != "tamper.frozen")
            yield Observation(
                time, np.zeros(0, np.int64), np.zeros((0, 4), np.float32), (), np.zeros(0, bool), np.zeros(0, np.float32), values
            )

    events = events_of(Tamper(seconds=seconds, frozen_seconds=frozen_seconds), remember(observations(), size=(640, 480)))
    return [(e.reason.code.removeprefix("tamper."), round(e.time - after, 1)) for e in began(events)]


def noisy(level, k, shape, sigma=2.0):
    return np.clip(np.random.default_rng(k).normal(level, sigma, shape), 0, 255).astype(np.uint8)


def blurred(luma, share):
    """Out of focus over `share` of the picture's width; done on a smaller picture where the blur allows it."""
    wide = luma.shape[1]
    step = max(1, int(wide * share / 3))
    small = cv2.resize(luma, (wide // step, luma.shape[0] // step), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), wide * share / step)
    return cv2.resize(small, (wide, luma.shape[0]), interpolation=cv2.INTER_CUBIC)


def rain(luma, k):
    wet, rng = luma.copy(), np.random.default_rng(k)
    for _ in range(120):
        x, y = int(rng.integers(luma.shape[1])), int(rng.integers(luma.shape[0]))
        cv2.line(wet, (x, y), (x + 4, y + 25), int(rng.integers(160, 230)), 1)
    return wet


def moved(share):
    return lambda luma, k: np.roll(luma, int(luma.shape[1] * share), axis=1)


DONE_TO_IT = {
    "a cloth": ("covered", lambda luma, k: noisy(70, k, luma.shape)),
    "a hand": ("covered", lambda luma, k: (blurred(luma, 1 / 10) * 0.3 + 30).astype(np.uint8)),
    "grease": ("defocused", lambda luma, k: blurred(luma, 1 / 100)),
    "the focus ring": ("defocused", lambda luma, k: blurred(luma, 1 / 40)),
    "a push": ("moved", moved(0.2)),
    "a nudge": ("moved", moved(0.05)),
    "turned upside down": ("moved", lambda luma, k: luma[::-1, ::-1].copy()),
    "the lens cap": ("dark", lambda luma, k: noisy(16, k, luma.shape, 1.0)),
}
ONLY_LIGHT = {
    "lights out": lambda luma, k: (luma * 0.35 + 10).astype(np.uint8),
    "night with noise": lambda luma, k: np.clip(luma * 0.2 + 20 + np.random.default_rng(k).normal(0, 2, luma.shape), 0, 255).astype(
        np.uint8
    ),
    "lights on": lambda luma, k: np.clip(luma * 1.5, 0, 255).astype(np.uint8),
    "a lamp on one side": lambda luma, k: np.clip(luma * np.linspace(0.4, 1.5, luma.shape[1]), 0, 255).astype(np.uint8),
    "auto-exposure hunting": lambda luma, k: np.clip(luma * (1 + 0.35 * np.sin(k / 8)), 0, 255).astype(np.uint8),
    "dawn": lambda luma, k: np.clip(luma * min(0.3 + k / 400, 1.2), 0, 255).astype(np.uint8),
    "rain": rain,
}


@pytest.mark.parametrize("name", CLIPS)
def test_real_footage_is_left_alone(asset, name):
    assert watched(clip(asset(name))) == []


def test_a_street_full_of_people_is_left_alone(asset):
    frames = [
        (k / 10, cv2.imread(str(f), cv2.IMREAD_GRAYSCALE))
        for k, f in enumerate(sorted(asset("ped2/train/01").iterdir()))
        if f.suffix != ".csv"
    ]
    assert watched(frames) == []


@pytest.mark.parametrize("what", DONE_TO_IT)
@pytest.mark.parametrize("name", CLIPS[:2])
def test_what_is_done_to_the_camera_is_told_within_seconds(asset, name, what):
    frames = clip(asset(name))
    begin = frames[len(frames) // 2][0]
    expected, change = DONE_TO_IT[what]
    ((kind, seconds),) = watched(frames, change, after=begin)
    assert kind == expected
    assert seconds <= 4.5


@pytest.mark.parametrize("what", ONLY_LIGHT)
@pytest.mark.parametrize("name", CLIPS[:2])
def test_light_and_weather_are_no_tampering(asset, name, what):
    frames = clip(asset(name))
    assert watched(frames, ONLY_LIGHT[what], after=frames[len(frames) // 2][0]) == []


def test_a_frozen_picture_is_told_after_the_limit(asset):
    frames = clip(asset(CLIPS[1]))
    begin = frames[120][0]
    ((kind, seconds),) = watched(frames, lambda luma, k: frames[120][1], after=begin, frozen_seconds=10)
    assert kind == "frozen"
    assert 9.5 <= seconds <= 11


def test_a_picture_that_stands_still_for_some_seconds_is_not_frozen(asset):
    frames = clip(asset(CLIPS[1]))
    stutters = [(time, frames[k // 80 * 80][1]) for k, (time, _) in enumerate(frames)]  # a new picture every eight seconds
    assert watched(stutters) == []


def test_someone_close_to_the_lens_for_a_moment_is_no_tampering(asset):
    frames = clip(asset(CLIPS[0]))
    begin = frames[150][0]
    hand = DONE_TO_IT["a hand"][1]
    assert watched(frames, lambda luma, k: hand(luma, k) if k < 150 + 20 else luma, after=begin) == []


def test_a_camera_that_starts_covered_is_told():
    blank = [(k / 10, noisy(90, k, (360, 480), 1.0)) for k in range(150)]
    assert [kind for kind, _ in watched(blank)] == ["covered"]


def test_uncovering_ends_the_event(asset):
    frames = clip(asset(CLIPS[0]))
    signals, cloth = TamperSignals(), DONE_TO_IT["a cloth"][1]
    seen = [signals(frame(t, cloth(luma, k) if 150 <= k < 250 else luma))["tamper.covered"] for k, (t, luma) in enumerate(frames)]
    assert max(seen[:150]) < 0.5
    assert min(seen[156:250]) >= 0.5
    assert max(seen[256:]) < 0.5


def test_a_new_picture_size_begins_anew_without_an_alarm(asset):
    frames = clip(asset(CLIPS[0]))
    mixed = [(t, luma if k < 150 else cv2.resize(luma, (320, 240))) for k, (t, luma) in enumerate(frames)]
    assert watched(mixed) == []


def test_it_is_a_signal_and_refuses_nonsense():
    assert isinstance(TamperSignals(), Signal)
    with pytest.raises(ValueError, match="every must be more than 0"):
        TamperSignals(every=0)


@pytest.mark.slow
def test_it_costs_next_to_nothing(asset):
    frames = clip(asset(CLIPS[0]))
    signals = TamperSignals()
    for time, luma in frames[:20]:
        signals(frame(time, luma))
    begin = process_time()
    for time, luma in frames:
        signals(frame(time + 100, luma))
    assert (process_time() - begin) / len(frames) < 0.0006  # seconds a frame; 0.1 ms on a quiet machine, this one may be busy


def test_the_cameras_own_clock_stays_sharp_and_deceives_nobody(asset):
    frames = clip(asset("footage/one-by-one.mp4"))

    def behind_a_blurred_lens(luma, k):
        picture = cv2.GaussianBlur(luma, (0, 0), 9.0 * luma.shape[1] / 640)
        return clock(picture, k)

    def clock(luma, k):
        written = luma.copy()
        for y in (24, luma.shape[0] - 12):
            cv2.putText(
                written, f"2026-11-22 23:{k // 60 % 60:02d}:{k % 60:02d} CAM 04 GATE", (8, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 250, 2
            )
        return written

    begin = frames[len(frames) // 2][0]
    told = watched([(time, clock(luma, k)) for k, (time, luma) in enumerate(frames)], behind_a_blurred_lens, after=begin)
    assert [kind for kind, _ in told] == ["defocused"]


def test_a_tiny_picture_is_no_error():
    signals = TamperSignals()
    for k in range(20):
        assert set(signals(frame(k / 2, noisy(90, k, (12, 9))))) == set(NAMES)
