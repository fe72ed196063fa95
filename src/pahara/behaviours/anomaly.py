"""The whole picture looks unlike anything the camera's model was taught as normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pahara.core import Reason, Scene, Scores, Subject, at_limit

from .held import STALE, held_median
from .options import positive

SIGNAL = "autoencoder.unusual"  # how many times the usual highest error of normal pictures; see pahara.detection.autoencoder


@dataclass(frozen=True)
class Anomaly:
    """For the last `seconds` the picture has mostly been `limit` times as hard to paint again as normal ones at their worst.

    Reads the signal of an autoencoder (`signals: [{kind: autoencoder, model: …}]`). The median over the window counts, so
    that one odd picture is no alarm and the score rises and falls with the error.
    """

    limit: float = 1.0  # times the highest error that is usual on normal pictures
    seconds: float = 2.0  # over which it must have been so

    kind: ClassVar[str] = "anomaly"
    labels: ClassVar[tuple[str, ...]] = ()
    signals: ClassVar[tuple[str, ...]] = ("autoencoder",)
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 3.0, "cooldown": 30.0}

    def __post_init__(self) -> None:
        positive("anomaly", limit=self.limit, seconds=self.seconds)

    @property
    def memory(self) -> float:
        """Seconds of signals."""
        return self.seconds + STALE

    def __call__(self, scene: Scene) -> Scores:
        return {(): at_limit(self._unusual(scene), self.limit)}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        del subject  # always the whole picture
        return Reason("anomaly.unusual", self._unusual(scene), self.limit, values={"seconds": self.seconds})

    def _unusual(self, scene: Scene) -> float:
        """The median of the last `seconds`, held values weighted by how long they stood; 0 without enough of them."""
        return held_median(scene.signals.get(SIGNAL), scene.time, self.seconds)
