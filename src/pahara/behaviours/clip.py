"""A model of whole pictures sees an action in the camera's last seconds: a fight, a fall, whatever its clips have shown it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

from pahara.core import Reason, Scene, Scores, Subject

from .held import STALE, held_median
from .learned import QUIET, score_of
from .options import positive

CERTAINTY = "clip."  # and a class: how certain the model is of it; see pahara.detection.clip
LIMIT = "clip.limit."  # and a class: the certainty from which on it should be believed, from training


@dataclass(frozen=True)
class Clip:
    """For the last `seconds` the pictures have mostly looked like one of the actions of `watch_for`.

    Reads the signal of a model that was trained on clips (`signals: [{kind: clip, model: …}]`). The median over the window
    counts, so that one odd look is no alarm; of several actions the one that is furthest beyond its limit counts.
    """

    watch_for: tuple[str, ...] = ()  # classes of the model; all but the normal one when left out
    limit: float = 0.0  # certainty that alarms; 0 takes the model's own
    seconds: float = 1.0  # over which it must have been so

    kind: ClassVar[str] = "clip"
    labels: ClassVar[tuple[str, ...]] = ()
    signals: ClassVar[tuple[str, ...]] = ("clip",)
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.5, "linger": 3.0, "cooldown": 30.0}

    def __post_init__(self) -> None:
        positive("clip", seconds=self.seconds)
        if not (isfinite(self.limit) and 0 <= self.limit < 1):
            raise ValueError(f"clip: limit is a certainty from 0 (the model's own) to below 1, got {self.limit}")
        if isinstance(self.watch_for, str) or not all(isinstance(name, str) and name for name in self.watch_for):
            raise ValueError(f"clip: watch_for is a list of classes of the model, such as [fight], got {self.watch_for!r}")

    @property
    def memory(self) -> float:
        """Seconds of signals."""
        return self.seconds + STALE

    @property
    def reads(self) -> tuple[str, ...]:
        """The signals without which it could never alarm."""
        return tuple(f"{CERTAINTY}{name}" for name in self.watch_for)

    def __call__(self, scene: Scene) -> Scores:
        return {(): self._worst(scene)[1]}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        del subject  # always the whole picture
        name, _, certainty, limit = self._worst(scene)
        return Reason("clip.seen", certainty, limit, values={"action": name, "seconds": self.seconds})

    def _worst(self, scene: Scene) -> tuple[str, float, float, float]:
        """The class furthest beyond its limit: name, score (0.5 at the limit), certainty, limit."""
        told = []
        for name in self.watch_for or self._all(scene):
            certainty = held_median(scene.signals.get(f"{CERTAINTY}{name}"), scene.time, self.seconds)
            limit = self.limit or held_median(scene.signals.get(f"{LIMIT}{name}"), scene.time, self.seconds) or 0.5
            told.append((name, score_of(min(certainty, 1.0), limit), certainty, limit))
        return max(told, key=lambda each: each[1], default=("", 0.0, 0.0, self.limit or 0.5))

    @staticmethod
    def _all(scene: Scene) -> tuple[str, ...]:
        """Every class that the signal tells of, but the normal ones."""
        named = (key.removeprefix(CERTAINTY) for key in scene.signals if key.startswith(CERTAINTY) and not key.startswith(LIMIT))
        return tuple(name for name in named if name.casefold() not in QUIET)
