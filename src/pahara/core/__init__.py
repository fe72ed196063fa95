"""Values and geometry. Imports numpy and nothing else of Pahara, and numpy only when a value needs it."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .detections import Detections
    from .errors import ConfigError, DataError, ModelError, PaharaError, SourceError, StoreError, TrainingError
    from .event import Box, Event, event_id
    from .frame import Frame, Grey, Image
    from .protocols import Behaviour, Detector, Notifier, Signal, Source, Tracker
    from .reason import Reason
    from .scene import Observation, Scene, Scores, Series, Subject, Track, at_limit
    from .secrets import without_secrets
    from .zones import EVERYWHERE, Tripwire, Zone

__all__ = [
    "EVERYWHERE",
    "Behaviour",
    "Box",
    "ConfigError",
    "DataError",
    "Detections",
    "Detector",
    "Event",
    "Frame",
    "Grey",
    "Image",
    "ModelError",
    "Notifier",
    "Observation",
    "PaharaError",
    "Reason",
    "Scene",
    "Scores",
    "Series",
    "Signal",
    "Source",
    "SourceError",
    "StoreError",
    "Subject",
    "Track",
    "Tracker",
    "TrainingError",
    "Tripwire",
    "Zone",
    "at_limit",
    "event_id",
    "without_secrets",
]  # fmt: skip

# Where each name lives. They are fetched on first use (PEP 562), so that `pahara.core.errors` does not
# bring numpy along: the command line needs the errors alone to print its help.
_HOMES = {
    "detections": ("Detections",),
    "errors": ("ConfigError", "DataError", "ModelError", "PaharaError", "SourceError", "StoreError", "TrainingError"),
    "event": ("Box", "Event", "event_id"),
    "frame": ("Frame", "Grey", "Image"),
    "protocols": ("Behaviour", "Detector", "Notifier", "Signal", "Source", "Tracker"),
    "reason": ("Reason",),
    "scene": ("Observation", "Scene", "Scores", "Series", "Subject", "Track", "at_limit"),
    "secrets": ("without_secrets",),
    "zones": ("EVERYWHERE", "Tripwire", "Zone"),
}

if not TYPE_CHECKING:  # a type checker would take every misspelt name for a lazy one

    def __getattr__(name: str) -> object:
        for module, names in _HOMES.items():
            if name in names:
                value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
