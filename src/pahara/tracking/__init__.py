"""Detections -> tracks: association, Kalman filter, trails."""

from .bytetrack import ByteTrack
from .memory import SceneMemory, on_grid

__all__ = ["ByteTrack", "SceneMemory", "on_grid"]
