"""Tampering by the signals of the scene: how long, which trick, and when it is over."""

from __future__ import annotations

import pytest

from pahara.behaviours import Tamper
from pahara.testing.actors import began, events_of, scenes


def alerts(behaviour, *, seconds=40, fps=10, **signals):
    return events_of(behaviour, scenes({}, seconds=seconds, fps=fps, signals={f"tamper.{name}": f for name, f in signals.items()}))


def between(a, b, value=0.9):
    return lambda time: value if a <= time < b else 0.1


@pytest.mark.parametrize("fps", [2, 10, 25])
@pytest.mark.parametrize("trick", ["covered", "defocused", "moved", "dark"])
def test_each_trick_is_told_by_name_after_three_seconds(trick, fps):
    start, end = alerts(Tamper(), fps=fps, **{trick: between(10, 20)})
    assert start.reason.code == f"tamper.{trick}"
    assert start.time == pytest.approx(13, abs=1 / fps + 0.01)
    assert end.time == pytest.approx(25, abs=2 / fps + 0.2)  # five seconds of linger
    assert start.subject == ()


def test_a_short_disturbance_is_no_tampering():
    assert alerts(Tamper(), covered=between(10, 12.5)) == []


def test_flickering_around_the_limit_is_no_tampering():
    assert alerts(Tamper(), covered=lambda time: 0.9 if time % 2 < 1.5 else 0.1) == []


def test_a_frozen_picture_is_measured_in_its_own_seconds():
    (event,) = began(alerts(Tamper(frozen_seconds=15), frozen=lambda time: max(time - 5, 0.0)))
    assert event.reason.code == "tamper.frozen"
    assert event.time == pytest.approx(20, abs=0.11)
    assert event.reason.limit == 15


def test_only_what_is_watched_for_is_told():
    assert alerts(Tamper(watch_for=("moved",)), covered=between(10, 20)) == []


def test_a_camera_without_these_signals_is_left_alone():
    assert alerts(Tamper()) == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Tamper(seconds=0), "tamper: seconds must be more than 0"),
        (lambda: Tamper(watch_for=("hidden",)), "watch_for lists some of covered, defocused, moved, dark, frozen"),
        (lambda: Tamper(watch_for=()), "watch_for"),
    ],
)
def test_a_wrong_option_gets_a_clear_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
