"""What the watch reports: a behaviour that began and, later, ended."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from .reason import Reason
from .scene import Subject

Box = tuple[float, float, float, float]  # pixels, x1 y1 x2 y2


def event_id(camera: str, behaviour: str, subject: Subject, start: float) -> str:
    """16 hex digits from camera, behaviour, subject and start (UTC seconds): a replay gives the same id."""
    told = "\x1f".join([camera, behaviour, "-".join(map(str, subject)), f"{start:.3f}"])
    return blake2b(told.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Event:
    """One report. The `id` is the same when the event begins and when it ends."""

    id: str
    camera: str
    behaviour: str  # the behaviour's name in the configuration, e.g. "loitering-gate"
    kind: str  # the kind of behaviour, e.g. "loitering"
    subject: Subject  # track ids, sorted; () is the whole scene
    phase: Literal["began", "ended"]
    start: float  # media seconds: when the score rose
    time: float  # media seconds: when this report was made
    epoch: float  # UTC seconds of media time 0
    peak: float  # highest score so far, 0..1
    peak_time: float  # media seconds of that score
    reason: Reason
    boxes: tuple[Box, ...]  # the subject's boxes at `peak_time`; () for the whole scene
    size: tuple[int, int]  # width, height of the picture that the boxes belong to

    @property
    def place(self) -> str:
        """The zone or line that it is about; "" for the whole picture."""
        return self.reason.place
