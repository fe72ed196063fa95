"""Values and geometry. Imports numpy and nothing else of Pahara."""

from .detections import Detections
from .errors import ConfigError, ModelError, PaharaError, SourceError, StoreError
from .event import Box, Event, event_id
from .frame import Frame, Grey, Image
from .protocols import Behaviour, Detector, Notifier, Signal, Source, Tracker
from .reason import Reason
from .scene import Observation, Scene, Scores, Series, Subject, Track, at_limit
from .zones import EVERYWHERE, Tripwire, Zone

__all__ = [
    "EVERYWHERE", "Behaviour", "Box", "ConfigError", "Detections", "Detector", "Event", "Frame", "Grey", "Image",
    "ModelError", "Notifier", "Observation", "PaharaError", "Reason", "Scene", "Scores", "Series", "Signal",
    "Source", "SourceError", "StoreError", "Subject", "Track", "Tracker", "Tripwire", "Zone", "at_limit", "event_id",
]  # fmt: skip
