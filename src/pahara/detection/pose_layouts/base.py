"""What pose models share: who was found, in input pixels; and how a model that sees one person differs from one that sees all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..engine import Array
from ..letterbox import Preparation

JOINTS = 17  # COCO's; nothing else is read


@dataclass(frozen=True, eq=False)
class Bodies:
    """n people in one input. Row i of every array is the same person."""

    boxes: NDArray[np.float32]  # (n, 4) input pixels, x1 y1 x2 y2
    scores: NDArray[np.float32]  # (n,) how sure the model is of the person
    joints: NDArray[np.float32]  # (n, 17, 3) input pixels, pixels, confidence in 0..1

    @classmethod
    def of(cls, boxes: Any, scores: Any, joints: Any) -> Bodies:
        """float32 of whatever the engine gave; confidences are cut to 0..1."""
        made = np.array(joints, np.float32).reshape(-1, JOINTS, 3)
        made[..., 2].clip(0, 1, out=made[..., 2])
        return cls(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32).reshape(-1), made)

    def __len__(self) -> int:
        return len(self.scores)


class PoseLayout(Protocol):
    """How the numbers of one family of pose models are read."""

    @property
    def name(self) -> str:
        """ "movenet", "rtmo", …"""
        ...

    @property
    def about(self) -> str:
        """One line for people."""
        ...

    @property
    def sees(self) -> Literal["one", "all"]:
        """A crop of one person, or the whole picture."""
        ...

    @property
    def order(self) -> Literal["channels-first", "channels-last"]:
        """Of the input."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Width, height of the input in pixels; (0, 0) where the model leaves it open."""
        ...

    @property
    def preparation(self) -> Preparation: ...

    @property
    def overlapping(self) -> bool:
        """Whether one person may be found several times."""
        ...

    def decode(self, outputs: Sequence[Array], row: int, least: float, /) -> Bodies:
        """The outputs of a batch, which picture of it, and the least score of a person."""
        ...
