"""Pahara keeps watch: video -> detections -> tracks -> behaviours -> explained events."""

__version__ = "0.1.0"
