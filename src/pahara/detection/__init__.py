"""Frames -> detections and joints: ONNX models, OpenCV fallbacks, the motion gate, pose within a budget.

Names are loaded on first use, so that importing this package loads neither OpenCV nor an inference engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .gate import GateStatistics, MotionGate
    from .hog import HogDetector
    from .hog_motion import HogMotionDetector
    from .motion import MotionDetector
    from .onnx import OnnxDetector, load_detector
    from .pose import PoseModel, load_pose
    from .pose_budget import PoseBudget
    from .posing import Posing

_WHERE = {
    "GateStatistics": "gate",
    "HogDetector": "hog",
    "HogMotionDetector": "hog_motion",
    "MotionDetector": "motion",
    "MotionGate": "gate",
    "OnnxDetector": "onnx",
    "PoseBudget": "pose_budget",
    "PoseModel": "pose",
    "Posing": "posing",
    "load_detector": "onnx",
    "load_pose": "pose",
}
__all__ = [
    "GateStatistics", "HogDetector", "HogMotionDetector", "MotionDetector", "MotionGate", "OnnxDetector", "PoseBudget", "PoseModel", "Posing",
    "load_detector", "load_pose",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
