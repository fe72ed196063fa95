"""What a model of clips says of the picture, and for how long it must say so."""

from __future__ import annotations

import pytest

from pahara.behaviours import Clip
from pahara.testing.actors import began, events_of, scenes


def told(behaviour, *, seconds=40, fps=10, **signals):
    names = {name.replace("_", "."): level for name, level in signals.items()}
    return began(events_of(behaviour, scenes({}, seconds=seconds, fps=fps, signals=names)))


def between(begin, finish, high, low=0.1):
    return lambda time: high if begin <= time < finish else low


@pytest.mark.parametrize("fps", [2, 10, 25])
def test_a_fight_is_told_when_the_pictures_have_mostly_looked_like_one(fps):
    (event,) = told(Clip(seconds=2), fps=fps, clip_fight=between(10, 20, 0.9), clip_limit_fight=lambda _: 0.6)
    assert event.time == pytest.approx(11.5, abs=1 / fps + 0.21), "half of two seconds, and half a second of hold"
    assert (event.reason.code, event.reason.limit, event.subject) == ("clip.seen", pytest.approx(0.6), ())
    assert event.reason.values["action"] == "fight"


def test_the_models_own_limit_counts_unless_another_is_asked_for():
    signals = {"clip_fight": between(10, 20, 0.7), "clip_limit_fight": lambda _: 0.8}
    assert told(Clip(), **signals) == []
    assert told(Clip(limit=0.6), **signals) != []
    assert told(Clip(), clip_fight=between(10, 20, 0.7)) != [], "half, where the model did not say"


def test_one_odd_look_is_no_alarm():
    assert told(Clip(seconds=2), clip_fight=between(10, 10.5, 1.0)) == []


def test_the_normal_class_never_alarms_unless_it_is_asked_for():
    always = {"clip_normal": lambda _: 0.99, "clip_fight": lambda _: 0.01}
    assert told(Clip(), **always) == []
    assert told(Clip(("normal",)), **always) != []


def test_only_what_is_watched_for_is_told():
    signals = {"clip_fight": between(10, 20, 0.9), "clip_fall": between(60, 70, 0.9)}
    assert [event.reason.values["action"] for event in told(Clip(), seconds=80, **signals)] == ["fight", "fall"]
    assert [event.reason.values["action"] for event in told(Clip(("fall",)), seconds=80, **signals)] == ["fall"]
    assert told(Clip(("swim",)), **signals) == [], "a class that nobody tells of"
    assert told(Clip()) == [], "no signal at all"


def test_options_that_cannot_be_meant_are_refused():
    for options in ({"seconds": 0}, {"limit": 1.0}, {"limit": -0.1}, {"watch_for": "fight"}):
        with pytest.raises(ValueError, match=r"^clip: "):
            Clip(**options)
