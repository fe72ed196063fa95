"""Frames through a detector: one that can takes what it needs of them, any other gets their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pahara.core import Detections, Detector, Frame


@runtime_checkable
class FrameDetector(Protocol):
    """A detector that need not see the whole picture in colours."""

    def look(self, frames: Sequence[Frame], /) -> list[Detections]:
        """As `Detector`, one Detections for each frame, in the pixels of its picture."""
        ...


def detect_frames(detector: Detector, frames: Sequence[Frame]) -> list[Detections]:
    """One Detections for each frame, by the detector's cheapest way."""
    look = getattr(detector, "look", None)  # asked at every frame: isinstance with a protocol takes longer than this whole function
    found: list[Detections] = detector([frame.image for frame in frames]) if look is None else look(frames)
    return found
