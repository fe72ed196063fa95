"""Someone goes through a line, in one direction or either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, get_args

from pahara.core import Reason, Scene, Scores, Subject, Tripwire

from .lines import MEMORY, Gate
from .options import not_negative, positive, some_labels
from .trails import find

Direction = Literal["forward", "backward", "both"]


@dataclass(frozen=True)
class Crossing:
    """A foot point that was clearly on one side of `line` is clearly on the other: one short pulse per crossing.

    Forward is from the left hand to the right hand of someone who walks the line from its start to its end.
    """

    line: Tripwire
    direction: Direction = "both"
    margin: float = 0.1  # body heights from the line that are clear
    seconds: float = 0.25  # on the new side before it is certain
    fastest: float = 12.0  # body heights per second; a faster step is another identity, not a movement
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "crossing"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 0.0, "cooldown": 0.0, "same_place": 0.0}

    def __post_init__(self) -> None:
        if self.direction not in get_args(Direction):
            raise ValueError(f"crossing: direction must be forward, backward or both, got {self.direction!r}")
        positive("crossing", margin=self.margin, fastest=self.fastest)
        not_negative("crossing", seconds=self.seconds)
        some_labels("crossing", self.labels)

    @cached_property
    def _gate(self) -> Gate:
        return Gate(self.line, self.margin, self.seconds, self.fastest)

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return MEMORY

    def __call__(self, scene: Scene) -> Scores:
        return {(p.track,): 1.0 for p in self._gate.showing(scene, self.labels) if self._wanted(p.forward)}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        track = find(scene, subject[0])
        mine = [] if track is None else [p for p in self._gate.shown(track, scene) if self._wanted(p.forward)]
        forward = mine[-1].forward if mine else self.direction != "backward"
        beyond = mine[-1].beyond if mine else 0.0
        return Reason("crossing.forward" if forward else "crossing.backward", beyond, self.margin, "body heights", self.line.name)

    def _wanted(self, forward: bool) -> bool:
        return self.direction == "both" or forward == (self.direction == "forward")
