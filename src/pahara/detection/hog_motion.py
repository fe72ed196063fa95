"""Motion and HOG together: the best that can be had without a download, for those who have the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pahara.core import Detections, Frame, Image
from pahara.core.boxes import nms

from .hog import HogDetector
from .motion import NAMES, PERSON, MotionDetector

MAX_IOU = 0.45


@dataclass
class HogMotionDetector:
    """Both look at every picture; where both see someone the surer box stays. Stateful: one per camera.

    HOG tells people in a group apart, motion finds those who bend, lie or are small. About thirty times the work of
    motion alone: for a few pictures a second.
    """

    fps: float = 5.0
    keep: float = 300.0
    smallest: float = 0.12
    trust: float = 0.8  # what motion's confidence of a person counts against HOG's
    names: tuple[str, ...] = field(default=NAMES, init=False)
    per_camera: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._motion = MotionDetector(fps=self.fps, keep=self.keep)
        self._hog = HogDetector(smallest=self.smallest)

    def __call__(self, images: Sequence[Image], /) -> list[Detections]:
        return [self._both(image, seen) for image, seen in zip(images, self._motion(images), strict=True)]

    def see(self, frame: Frame) -> Detections:
        """The frame at its own time."""
        return self._both(frame.image, self._motion.see(frame))

    def describe(self) -> dict[str, object]:
        """For `models show`."""
        return {"layout": "hog_motion", "about": "motion and HOG together: no download, slow", "names": list(NAMES), "batch": 1}

    def _both(self, image: Image, moving: Detections) -> Detections:
        (upright,) = self._hog([image])
        people = moving.labels == PERSON
        boxes = np.concatenate([upright.boxes, moving.boxes[people]])
        scores = np.concatenate([upright.scores, moving.scores[people] * np.float32(self.trust)])
        rows = nms(boxes, scores, MAX_IOU)
        others = moving[~people]
        return Detections.of(
            np.concatenate([boxes[rows], others.boxes]),
            np.concatenate([scores[rows], others.scores]),
            np.concatenate([np.full(len(rows), PERSON), others.labels]),
            NAMES,
        )
