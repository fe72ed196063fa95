"""Two people go through the same line in the same direction, one right behind the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, get_args

from pahara.core import Reason, Scene, Scores, Subject, Tripwire

from .crossing import Direction
from .lines import MEMORY, Gate, Passage
from .options import positive, some_labels


@dataclass(frozen=True)
class Tailgating:
    """A second person passes `line` within `seconds` of the first; the subject is both of them."""

    line: Tripwire
    seconds: float = 3.0  # between the two
    direction: Direction = "both"
    margin: float = 0.1  # body heights from the line that are clear
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "tailgating"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 0.0, "cooldown": 5.0, "same_place": 0.0}

    def __post_init__(self) -> None:
        if self.direction not in get_args(Direction):
            raise ValueError(f"tailgating: direction must be forward, backward or both, got {self.direction!r}")
        positive("tailgating", seconds=self.seconds, margin=self.margin)
        some_labels("tailgating", self.labels)

    @cached_property
    def _gate(self) -> Gate:
        return Gate(self.line, self.margin, 0.25, 12.0)

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return MEMORY + self.seconds

    def __call__(self, scene: Scene) -> Scores:
        return {subject: self.seconds / (self.seconds + gap) for subject, gap in self._pairs(scene).items()}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        gap = self._pairs(scene).get(subject, self.seconds)
        return Reason("tailgating.gap", gap, self.seconds, "s", self.line.name)

    def _pairs(self, scene: Scene) -> dict[Subject, float]:
        """Those who passed within twice the limit of each other, the second of them just now -> seconds between."""
        passages = self._gate.showing(scene, self.labels, earlier=2 * self.seconds)
        if self.direction != "both":
            passages = [p for p in passages if p.forward == (self.direction == "forward")]
        pairs: dict[Subject, float] = {}
        for second in passages:
            if second.ends > scene.time:
                first = _before(second, passages)
                if first is not None and second.time - first.time <= 2 * self.seconds:
                    pairs[tuple(sorted((first.track, second.track)))] = second.time - first.time
        return pairs


def _before(second: Passage, passages: list[Passage]) -> Passage | None:
    """The passage right before in the same direction by someone else; `passages` are in order."""
    earlier = passages[: passages.index(second)]
    return next((p for p in reversed(earlier) if p.forward == second.forward and p.track != second.track), None)
