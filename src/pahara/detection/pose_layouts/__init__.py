"""Which family a pose model belongs to, told by its ports and its metadata."""

from __future__ import annotations

from pahara.core import ModelError

from ..engine import Ports
from . import movenet, rtmo, yolopose
from .base import JOINTS, Bodies, PoseLayout

__all__ = ["JOINTS", "Bodies", "PoseLayout", "recognise"]

SUPPORTED = (
    "MoveNet single-pose (1, 1, 17, 3); RTMO: boxes (n, people, 5) with joints (n, people, 17, 3); "
    "YOLO pose raw (n, 56, cells) or end-to-end (n, people, 57)"
)


def recognise(ports: Ports) -> PoseLayout:
    """ModelError with the model's inputs and outputs where no family fits."""
    for known in (movenet.recognise, rtmo.recognise, yolopose.recognise):
        layout = known(ports)
        if layout is not None:
            return layout
    raise ModelError(f"this is no pose model that Pahara can read: {ports}. Supported: {SUPPORTED}")
