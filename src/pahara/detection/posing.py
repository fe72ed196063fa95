"""Pose in a watch: at each beat, whom the budget grants a look gets joints."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pahara.core import Frame, Image, Observation
from pahara.core.frozen import Frozen

from .pose_budget import NOBODY_YET, PoseBudget
from .pose_layouts import JOINTS

EVERYBODY = 0  # the one whom a look at the whole picture is at


class Pose(Protocol):
    """A picture and boxes (n, 4) -> joints (n, 17, 3); a `PoseModel`, or what a test hands in."""

    @property
    def sees(self) -> Literal["one", "all"]: ...

    def __call__(self, image: Image, boxes: NDArray[np.floating], /) -> NDArray[np.float32]: ...


class Posing:
    """One camera's pose step. Remembers who was looked at, so each watch has its own.

    A look of a model that sees the whole picture is one look, whoever is in it.
    """

    def __init__(self, pose: Pose, per_second: float = 10.0, *, least_height: float = 30.0, labels: Collection[str] = ("person",)) -> None:
        """`least_height`: pixels of a body below which a look tells nothing; `labels`: who has joints. ValueError for a senseless budget."""
        self.pose, self.least_height, self.labels = pose, least_height, frozenset(labels)
        self.budget = PoseBudget(per_second)
        self.looks = 0  # runs of the model
        self.sightings = self.looked_at = 0  # people in view at a beat, and of these who got joints
        self._state = NOBODY_YET

    def __call__(self, frame: Frame, seen: Observation, suspicion: Mapping[int, float] = Frozen()) -> NDArray[np.float32]:
        """The beat's frame and what was tracked in it -> (n, 17, 3), zeros where nobody looked. The picture is touched only for a look."""
        made = np.zeros((len(seen), JOINTS, 3), np.float32)
        tall = seen.boxes[:, 3] - seen.boxes[:, 1] >= self.least_height
        rows = [row for row in np.flatnonzero(seen.seen & tall).tolist() if seen.labels[row] in self.labels]
        self.sightings += len(rows)
        ids = [int(seen.ids[row]) for row in rows]
        if self.pose.sees == "all":
            chosen, self._state = self.budget.choose(self._state, seen.time, [EVERYBODY] if rows else [], alive=[EVERYBODY])
            taken = rows if chosen else []
        else:
            chosen, self._state = self.budget.choose(self._state, seen.time, ids, suspicion, alive=seen.ids.tolist())
            place = dict(zip(ids, rows, strict=True))
            taken = [place[one] for one in chosen]
        if taken:
            made[taken] = self.pose(frame.image, seen.boxes[taken])
            self.looks += len(chosen)
            self.looked_at += len(taken)
        return made


__all__ = ["Pose", "Posing"]
