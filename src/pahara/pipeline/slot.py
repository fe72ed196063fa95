"""Room for the newest frame alone: a slow consumer loses frames, never time."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Condition

from pahara.core import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Arrived:
    """A frame and when it came (monotonic seconds)."""

    frame: Frame
    at: float


class Slot:
    """One camera's newest frame. `bell` is shared by all slots that one thread serves: it rings when a frame comes."""

    def __init__(self, bell: Condition) -> None:
        self.bell = bell
        self.dropped = 0  # frames that a newer one pushed out before anybody took them
        self._held: Arrived | None = None

    def put(self, frame: Frame, at: float) -> None:
        """The newest frame; what nobody took is dropped and counted."""
        with self.bell:
            self.dropped += self._held is not None
            self._held = Arrived(frame, at)
            self.bell.notify_all()

    def take(self) -> Arrived | None:
        """The newest frame, once."""
        with self.bell:
            held, self._held = self._held, None
            return held

    def clear(self) -> None:
        """Forget what waits, uncounted."""
        with self.bell:
            self._held = None

    def __bool__(self) -> bool:
        return self._held is not None
