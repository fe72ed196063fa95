"""Frames -> detections: ONNX models, OpenCV fallbacks, the motion gate.

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

_WHERE = {
    "GateStatistics": "gate",
    "HogDetector": "hog",
    "HogMotionDetector": "hog_motion",
    "MotionDetector": "motion",
    "MotionGate": "gate",
    "OnnxDetector": "onnx",
    "load_detector": "onnx",
}
__all__ = ["GateStatistics", "HogDetector", "HogMotionDetector", "MotionDetector", "MotionGate", "OnnxDetector", "load_detector"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
