"""Someone covers, blurs, turns, freezes or blinds the camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from pahara.core import Reason, Scene, Scores, Series, Subject

from .options import positive

Trick = Literal["covered", "defocused", "moved", "dark", "frozen"]
SIGNAL = "tamper."  # the signals are tamper.covered … tamper.frozen, see pahara.detection.tamper
FROZEN = "frozen"


@dataclass(frozen=True)
class Tamper:
    """The picture itself has been wrong for `seconds`, by the `tamper.*` signals of the scene.

    `tamper.covered`, `tamper.defocused`, `tamper.moved` and `tamper.dark` are scores (0.5 = wrong from here on);
    `tamper.frozen` is the number of seconds since the picture last changed at all.
    """

    seconds: float = 3.0  # covered, defocused, moved or dark
    frozen_seconds: float = 20.0  # without any change: sensors have noise, but encoders may repeat a quiet picture
    watch_for: tuple[Trick, ...] = get_args(Trick)

    kind: ClassVar[str] = "tamper"
    labels: ClassVar[tuple[str, ...]] = ()
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 5.0, "cooldown": 60.0}

    def __post_init__(self) -> None:
        positive("tamper", seconds=self.seconds, frozen_seconds=self.frozen_seconds)
        unknown = [trick for trick in self.watch_for if trick not in get_args(Trick)]
        if unknown or not self.watch_for or isinstance(self.watch_for, str):
            raise ValueError(f"tamper: watch_for lists some of {', '.join(get_args(Trick))}, got {self.watch_for!r}")

    @property
    def memory(self) -> float:
        """Seconds of signals."""
        return 2 * self.seconds + 2

    def __call__(self, scene: Scene) -> Scores:
        return {(): max(self._score(scene, trick) for trick in self.watch_for)}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        del subject  # always the whole picture
        worst = max(self.watch_for, key=lambda trick: self._score(scene, trick))
        limit = self.frozen_seconds if worst == FROZEN else self.seconds
        return Reason(f"tamper.{worst}", self._lasted(scene, worst), limit, "s")

    def _score(self, scene: Scene, trick: Trick) -> float:
        lasted = self._lasted(scene, trick)
        limit = self.frozen_seconds if trick == FROZEN else self.seconds
        return lasted / (lasted + limit)

    def _lasted(self, scene: Scene, trick: Trick) -> float:
        """Seconds up to now that this has been going on."""
        series = scene.signals.get(SIGNAL + trick)
        if series is None or not len(series.times):
            return 0.0
        if trick == FROZEN:
            return max(float(series.values[-1]), 0.0)
        return _lasting(series, scene.time - self.memory)


def _lasting(series: Series, since: float) -> float:
    """Seconds from the first to the last value of the unbroken run at or above 0.5 that reaches the newest value."""
    start = int(series.times.searchsorted(since))
    values, times = series.values[start:], series.times[start:]
    if not len(values) or not values[-1] >= 0.5:
        return 0.0
    under = (~(values >= 0.5)).nonzero()[0]
    first = int(under[-1]) + 1 if len(under) else 0
    return float(times[-1] - times[first])
