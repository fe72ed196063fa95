"""Detections -> tracks: association, Kalman filter, trails."""

from .memory import SceneMemory, on_grid

__all__ = ["SceneMemory", "on_grid"]
