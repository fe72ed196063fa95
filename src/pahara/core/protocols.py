"""The seams between rooms: protocols of one method (and `explain`), no base classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from .detections import Detections
from .event import Event
from .frame import Frame, Image
from .reason import Reason
from .scene import Observation, Scene, Scores, Subject


@runtime_checkable
class Source(Protocol):
    """Frames of one camera, in order of time."""

    def __iter__(self) -> Iterator[Frame]: ...


@runtime_checkable
class Detector(Protocol):
    """Pictures (BGR uint8, sizes may differ) -> one Detections each, in the picture's own pixels."""

    def __call__(self, images: Sequence[Image], /) -> list[Detections]: ...


@runtime_checkable
class Tracker(Protocol):
    """Detections of one camera, frame by frame -> which track each belongs to."""

    def update(self, detections: Detections, time: float) -> Observation: ...


@runtime_checkable
class Signal(Protocol):
    """A frame -> named numbers about the whole picture. May remember what it saw before."""

    def __call__(self, frame: Frame, /) -> Mapping[str, float]: ...


@runtime_checkable
class Behaviour(Protocol):
    """A scene -> how strongly a behaviour is present, per subject; 0.5 is the limit.

    A behaviour is a frozen dataclass without state: the same scene gives the same scores.
    It may have a property `memory`: seconds of trail that it needs (10 when absent).
    """

    def __call__(self, scene: Scene, /) -> Scores: ...

    def explain(self, scene: Scene, subject: Subject, /) -> Reason: ...


@runtime_checkable
class Notifier(Protocol):
    """Tells someone."""

    def send(self, event: Event, /) -> None: ...
