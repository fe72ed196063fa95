"""Every built-in keeps every promise, and every planted mutant is caught by the promise that it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import ClassVar

import numpy as np
import pytest

from pahara import behaviours
from pahara.behaviours import (
    Abandoned,
    Action,
    Anomaly,
    Clip,
    Crossing,
    Crowding,
    Falling,
    Hours,
    Intrusion,
    Loitering,
    Recogniser,
    Removed,
    Running,
    Schedule,
    Tailgating,
    Tamper,
    Window,
    WrongWay,
)  # fmt: skip
from pahara.core import Reason, Tripwire, Zone
from pahara.testing import check_behaviour
from pahara.testing.actors import stand

MIDDLE = Zone("middle", ((0.2, 0.3), (0.8, 0.3), (0.8, 0.99), (0.2, 0.99)))
LINE = Tripwire("line", (0.5, 0.1), (0.5, 0.99))
MORNING = Schedule((Hours(start="00:00", end="12:00"),), "UTC")


def rushing(windows):
    """A toy in place of a model: how fast the feet of the first person went, and how near the second is."""
    feet = windows[:, :, 5]
    gone = np.abs(feet[:, -1, :2] - feet[:, feet.shape[1] // 2, :2]).sum(axis=1)
    return np.stack([1 - gone / 2, gone / 2], axis=1).clip(0, 1)


def touching(windows):
    return 1 - np.abs(windows[:, :, 5, 0] - windows[:, :, 11, 0]).mean(axis=1) / 2


RUSH = Recogniser(rushing, ("normal", "rush"), Window(seconds=2.0, rate=10.0))
TOUCH = Recogniser(touching, ("touch",), Window(seconds=1.0, rate=5.0, people=2), {"touch": 0.7})

BUILT_IN = [
    Action(RUSH, limit=0.5), Action(TOUCH, zone=MIDDLE), Anomaly(), Clip(), Clip(("fight",), limit=0.6), Abandoned(seconds=8), Crossing(LINE), Crossing(LINE, "forward"), Crowding(MIDDLE, people=4), Crowding(people=4, within=1.0),
    Falling(), Intrusion(MIDDLE), Intrusion(MIDDLE, seconds=0), Intrusion(MIDDLE, schedule=MORNING), Loitering(MIDDLE, seconds=10),
    Removed(seconds=10), Running(), Tailgating(LINE), Tamper(), WrongWay(MIDDLE, (1, 0)),
]  # fmt: skip


@pytest.mark.parametrize("behaviour", BUILT_IN, ids=lambda b: b.kind)
def test_every_built_in_keeps_every_promise(behaviour):
    check_behaviour(behaviour)


def test_no_built_in_is_left_out():
    kinds = {b.kind for b in BUILT_IN}
    exported = {thing.kind for thing in vars(behaviours).values() if hasattr(thing, "kind")}
    installed = {point.name for point in entry_points(group="pahara.behaviours") if point.module.startswith("pahara.")}
    assert kinds == exported
    assert not installed or installed == kinds | {"unusual"}  # of the room normality, whose own tests hold it to the same promises


# ---------------------------------------------------------------- mutants: one broken promise each


@dataclass(frozen=True)
class Good(Loitering):
    """The healthy parent of all mutants."""

    zone: Zone = MIDDLE
    seconds: float = 10.0


@dataclass(frozen=True)
class CountsFrames(Good):
    def __call__(self, scene):
        return {(t.id,): min(len(t.times) / 200, 1.0) for t in scene.tracks}


@dataclass(frozen=True)
class ThinksInPixels(Good):
    def __call__(self, scene):
        return {(t.id,): float(t.feet[-1, 0] > 200) for t in scene.tracks}


@dataclass(frozen=True)
class PixelSpeed(Good):
    def __call__(self, scene):
        scores = {}
        for t in scene.tracks:
            old = t.since(scene.time - 1)
            moved = float(abs(t.feet[-1] - t.feet[old][0]).max())
            scores[(t.id,)] = moved / (moved + 60)
        return scores


@dataclass(frozen=True)
class ReadsTheDate(Good):
    def __call__(self, scene):
        return {(t.id,): float((scene.epoch + scene.time) % 86400 < 40000) for t in scene.tracks}


@dataclass(frozen=True)
class ReadsTheMediaClock(Good):
    def __call__(self, scene):
        return {(t.id,): float(10 < scene.time < 40) for t in scene.tracks}


@dataclass(frozen=True)
class LooksAtIds(Good):
    def __call__(self, scene):
        return {(t.id,): float(t.id < 10) for t in scene.tracks}


class Counter:
    calls = 0


@dataclass(frozen=True)
class RemembersElsewhere(Good):
    def __call__(self, scene):
        Counter.calls += 1
        return {(t.id,): float(Counter.calls % 7 > 3) for t in scene.tracks}


@dataclass(frozen=True)
class KnowsTheSceneObject(Good):
    def __call__(self, scene):
        return {(t.id,): float(id(scene) // 16 % 5 > 2) for t in scene.tracks}


@dataclass(frozen=True)
class TooSure(Good):
    def __call__(self, scene):
        return {subject: 1.5 * score for subject, score in super().__call__(scene).items()}


@dataclass(frozen=True)
class NotANumber(Good):
    def __call__(self, scene):
        return {subject: float("nan") if score > 0.6 else score for subject, score in super().__call__(scene).items()}


@dataclass(frozen=True)
class FailsWhenNobodyIsThere(Good):
    def __call__(self, scene):
        assert scene.tracks[0].id > 0
        return super().__call__(scene)


@dataclass(frozen=True)
class FailsOnAShortTrail(Good):
    def __call__(self, scene):
        for track in scene.tracks:
            _ = track.boxes[-2]
        return super().__call__(scene)


@dataclass(frozen=True)
class CannotExplain(Good):
    def explain(self, scene, subject):
        return {}[subject]


@dataclass(frozen=True)
class ExplainsOnlyTheLiving(Good):
    def __call__(self, scene):
        return {(t.id,): 0.6 for t in (*scene.tracks, *scene.past)}

    def explain(self, scene, subject):
        return super().explain(scene, (scene.by_id[subject[0]].id,))


@dataclass(frozen=True)
class SpeaksOnlyEnglish(Good):
    """Its reason stands in no catalogue although it claims to be built in."""

    def explain(self, scene, subject):
        return Reason("loitering.unheard_of", 1.0, 2.0)


SpeaksOnlyEnglish.__module__ = "pahara.behaviours.mutant"


@dataclass(frozen=True)
class ExplainsWithoutNumbers(Good):
    def explain(self, scene, subject):
        return Reason("loitering.dwell", float("nan"), 10.0, "s")


@dataclass(frozen=True)
class ForgetsAPlaceholder(Good):
    def explain(self, scene, subject):
        return Reason("removed.gone", 1.0, 10.0, "s")  # the sentence wants to know what was removed


@dataclass(frozen=True)
class SubjectsOutOfOrder(Good):
    def __call__(self, scene):
        return {(b.id, a.id): 0.6 for a, b in zip(scene.tracks, scene.tracks[1:], strict=False)}


@dataclass(frozen=True)
class InventsSubjects(Good):
    def __call__(self, scene):
        return {(999,): 0.7}


@dataclass(frozen=True)
class ChangesTheScene(Good):
    def __call__(self, scene):
        if "tamper.dark" in scene.signals:
            del scene.signals["tamper.dark"]
        return super().__call__(scene)


@dataclass(frozen=True)
class WritesIntoTrails(Good):
    def __call__(self, scene):
        for track in scene.tracks:
            track.boxes[-1] += 1
        return super().__call__(scene)


@dataclass(frozen=True)
class NeedsMoreMemoryThanItSays(Good):
    def __call__(self, scene):
        return Loitering(self.zone, self.seconds)(scene)

    @property
    def memory(self):
        return 4.0


@dataclass(frozen=True)
class NeverWakes(Good):
    def __call__(self, scene):
        return {(t.id,): 0.1 for t in scene.tracks}


@dataclass(frozen=True)
class Nameless(Good):
    kind: ClassVar[str] = ""


@dataclass(frozen=True)
class WrongDefaults(Good):
    alarm_defaults: ClassVar[Mapping[str, float]] = {"holdd": 1.0}


@dataclass
class CanBeChanged:
    kind: ClassVar[str] = "loitering"

    def __call__(self, scene):
        return {(t.id,): 0.6 for t in scene.tracks}

    def explain(self, scene, subject):
        return Reason("loitering.dwell", 1.0, 1.0)


class NoDataclass:
    kind = "loitering"
    __call__ = CanBeChanged.__call__
    explain = CanBeChanged.explain


MUTANTS = [
    (CountsFrames, "scores do not depend on the frame rate"),
    (ThinksInPixels, "scores do not depend on the resolution"),
    (PixelSpeed, "scores do not depend on the resolution"),
    (ReadsTheDate, "scores do not depend on the date"),
    (ReadsTheMediaClock, "scores do not depend on when the camera was switched on"),
    (LooksAtIds, "ids are only names"),
    (RemembersElsewhere, "the same scene gives the same scores"),
    (KnowsTheSceneObject, "the same scene gives the same scores"),
    (TooSure, r"scores lie in \[0, 1\]"),
    (NotANumber, r"scores lie in \[0, 1\]"),
    (FailsWhenNobodyIsThere, "an empty scene is no error"),
    (FailsOnAShortTrail, "a scene is no error"),
    (CannotExplain, "a behaviour explains every subject it scores"),
    (ExplainsOnlyTheLiving, "a behaviour explains every subject it scores"),
    (SpeaksOnlyEnglish, "every language knows the reason"),
    (ExplainsWithoutNumbers, "a reason holds numbers"),
    (ForgetsAPlaceholder, "the sentence of 'removed.gone' in 'bn' can be filled in"),
    (SubjectsOutOfOrder, "a subject is a sorted tuple"),
    (InventsSubjects, "a subject is a sorted tuple of track ids of the scene"),
    (ChangesTheScene, "a scene is no error, and cannot be changed: TypeError"),
    (WritesIntoTrails, "a scene is no error, and cannot be changed: ValueError"),
    (NeedsMoreMemoryThanItSays, "`memory` says how much of the trail is needed"),
    (NeverWakes, "the story never wakes this behaviour"),
    (Nameless, "a behaviour has a kind"),
    (WrongDefaults, "alarm_defaults are fields of an alarm rule"),
    (CanBeChanged, "frozen dataclass"),
    (NoDataclass, "frozen dataclass"),
]


def test_the_healthy_parent_passes():
    check_behaviour(Good())


@pytest.mark.parametrize(("mutant", "promise"), MUTANTS, ids=lambda m: getattr(m, "__name__", ""))
def test_every_mutant_is_caught_by_the_promise_it_breaks(mutant, promise):
    with pytest.raises(AssertionError, match=promise):
        check_behaviour(mutant())


def test_a_behaviour_about_something_else_brings_its_own_story():
    elsewhere = Good(zone=Zone("corner", ((0.0, 0.0), (0.1, 0.0), (0.1, 0.3), (0.0, 0.3))))
    with pytest.raises(AssertionError, match="give actors="):
        check_behaviour(elsewhere)
    check_behaviour(elsewhere, {1: stand((0.05, 0.25), 1, 30)}, seconds=35)


def test_a_signal_can_be_staged_too():
    check_behaviour(
        Tamper(watch_for=("dark",)),
        {1: stand((0.5, 0.8), 0, 20)},
        seconds=20,
        signals={"tamper.dark": lambda time: float(time > 5)},
    )


def test_two_healthy_behaviours_with_other_options_pass_too():
    check_behaviour(replace(Good(), seconds=20))
