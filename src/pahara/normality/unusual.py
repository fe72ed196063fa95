"""Someone does what is unusual for this camera: learned, not ruled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Zone, at_limit
from pahara.core.rate import PerDay
from pahara.core.rows import TINY, rows_of

from .attributes import UNITS
from .evidence import SECONDS, STEP, gathered, grid
from .explanation import Explanation
from .measure import FRESH, LONGEST, WINDOW, measure, track_key
from .model import Judgement, Normality
from .samples import Samples

VERSION = "normality.version"  # the signal that says which model judged; 0 or none: whichever is at hand
LEAST = 1.0  # evidence: however large the budget, a person who is like all others is no alarm
HELD = 64  # moments whose judgement is remembered
Models = Normality | Callable[[int], Normality | None] | None
Moment = tuple[Samples, Judgement]

# A pure memo: what it holds follows from its key alone, so it only saves time.
_judged: WeakKeyDictionary[Normality, OrderedDict[Hashable, Moment]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Unusual:
    """What a person does is so rare on this camera, second after second, that normal days bring only `budget` such people a day.

    Says nothing until the camera's model has seen enough tracks. `model` is a Normality, or a function from the version
    that the scene names (0: the newest) to one.
    """

    model: Models = None
    budget: PerDay = 3.0  # alarms that the owner will look at: 3/day, 1/week, 2/h
    zone: Zone = EVERYWHERE
    labels: tuple[str, ...] = ()

    kind: ClassVar[str] = "unusual"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.0, "linger": 3.0, "cooldown": 30.0}

    def __post_init__(self) -> None:
        if not (isfinite(self.budget) and self.budget > 0):
            raise ValueError(f"unusual: budget is a number of alarms a day above 0, got {self.budget}")
        if isinstance(self.labels, str) or not all(isinstance(label, str) and label for label in self.labels):
            raise ValueError(f"unusual: labels is a list of class names such as [person, car], got {self.labels!r}")

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return LONGEST + SECONDS + 2.0

    def at(self, scene: Scene) -> Normality | None:
        """The model that judges this scene; None while it is still learning."""
        model = self.model
        if model is not None and not isinstance(model, Normality):
            series = scene.signals.get(VERSION)
            model = model(int(series.values[-1]) if series is not None and len(series.values) else 0)
        return model if model is not None and model.ready else None

    def __call__(self, scene: Scene) -> Scores:
        model = self.at(scene) if scene.tracks else None
        if model is None:
            return {}
        limit = max(model.threshold(self.budget), LEAST)
        return {subject: at_limit(evidence, limit) for subject, evidence in self.evidence(scene, model).items()}

    def evidence(self, scene: Scene, model: Normality) -> dict[Subject, float]:
        """Each track's evidence now, in nats; of those that stand in the zone."""
        moments = self._moments(scene, model)
        here = self.zone.contains(scene.feet, scene.size).tolist() if self.zone is not EVERYWHERE else [True] * len(scene.tracks)
        asked = [t for t, inside in zip(scene.tracks, here, strict=True) if inside and (not self.labels or t.label in self.labels)]
        if not asked:
            return {}
        keys = {track_key(scene.camera, scene.epoch, track): row for row, track in enumerate(asked)}
        p = np.full((len(asked), len(moments)), np.nan)
        for column, (samples, judged) in enumerate(moments):
            for key, fused in zip(samples.tracks.tolist(), judged.fused.tolist(), strict=True):
                if key in keys:
                    p[keys[key], column] = fused
        if not p.shape[1]:
            return {}
        latest = grid(scene.time)[-1]
        evidence = gathered(p, model.settings.drift, begun=min((scene.time - latest) / STEP, 1.0))
        known = np.isfinite(p).any(axis=1)
        return {(track.id,): float(e) for track, e, k in zip(asked, evidence, known, strict=True) if k}

    def look(self, scene: Scene, subject: Subject) -> Explanation | None:
        """Why a person is unusual, with the nearest normal moments; None when nothing can be told.

        The attribute is the one that brought the most evidence; the moment is that at which it was rarest.
        """
        model = self.at(scene)
        track = scene.by_id.get(subject[0]) if subject else None
        if model is None or track is None:
            return None
        key = track_key(scene.camera, scene.epoch, track)
        gains = np.zeros(len(model.names))
        rows: list[tuple[Samples, NDArray[np.float64]]] = []
        for samples, judged in self._moments(scene, model):
            for row in np.flatnonzero(samples.tracks == key)[:1].tolist():
                if judged.winner[row] >= 0:
                    gains[judged.winner[row]] += max(-np.log(judged.fused[row]) - model.settings.drift, 1e-6)
                    rows.append((samples[row : row + 1], judged.p[row]))
        if not rows:
            return None
        best = int(gains.argmax())
        sample, _ = min(reversed(rows), key=lambda each: each[1][best] if np.isfinite(each[1][best]) else np.inf)
        return model.explain(sample, model.names[best])

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        told = self.look(scene, subject)
        where = "" if self.zone == EVERYWHERE else self.zone.name
        if told is None:
            return Reason("unusual.learning", 0.0, 0.0, place=where)
        values: dict[str, float | str] = {
            "one_in": float(told.one_in), "hour": clock(told.hour), "attribute": told.attribute, "x": told.foot[0], "y": told.foot[1],
            # Keys have more digits than a float holds: as words, "key@UTC seconds" of the nearest normal moments.
            "like": " ".join(f"{each.track}@{each.time:.3f}" for each in told.exemplars),
        }  # fmt: skip
        if (series := scene.signals.get(VERSION)) is not None and len(series.values):
            values["version"] = float(series.values[-1])
        seen = told.observed
        if seen is None:
            return Reason(f"unusual.{told.attribute}" if told.attribute in PLAIN else "unusual.other", told.one_in, 1.0, "", where, values)
        values |= {"low": seen.low, "high": seen.high}
        limit = seen.high if seen.observed >= (seen.low + seen.high) / 2 else seen.low
        return Reason(f"unusual.{seen.quantity}", seen.observed, limit, UNITS[seen.quantity], where, values)

    def _moments(self, scene: Scene, model: Normality) -> list[Moment]:
        """What is known of each moment of the grid, oldest first."""
        times = [time for time in grid(scene.time) if time <= scene.time + TINY]
        everyone = [*scene.tracks, *(t for t in scene.past if times and t.last_seen >= times[0] - FRESH)]
        if not times or not everyone:
            return []
        memo = _judged.setdefault(model, OrderedDict())
        rows = rows_of(everyone, SECONDS + WINDOW + 2 * FRESH)
        owner = np.repeat(np.arange(len(everyone)), np.diff(rows.edges))
        names = [(t.id, t.label, t.born, float(t.times[0])) for t in everyone]
        moments = []
        for time in times:
            seen = (rows.times > time - WINDOW - FRESH - 1e-3) & (rows.times <= time + TINY)
            if not seen.any():
                continue
            who = [names[i] for i in np.unique(owner[seen]).tolist()]
            whose = tuple((i, label, born, max(first, time - LONGEST)) for i, label, born, first in who)
            held = rows.times[seen].tobytes(), rows.boxes[seen].tobytes(), owner[seen].tobytes()
            alive = len(scene.tracks)
            key = (scene.camera, scene.epoch, scene.size, time, self.labels, whose, *held, alive)
            moment = memo.get(key)
            if moment is None:
                samples = measure(scene, times=[time], labels=self.labels)
                moment = memo[key] = samples, model.judge(samples)
                while len(memo) > HELD:
                    memo.popitem(last=False)
            moments.append(moment)
        return moments


PLAIN = frozenset({"place", "posture", "pose_motion", "appearance"})


def clock(hour: float) -> str:
    """An hour of the day as clocks show it.

    >>> clock(3.25)
    '03:15'
    """
    minutes = int(hour * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
