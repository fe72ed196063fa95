"""What is normal for one camera: judged row by row, and told in numbers that its owner can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pahara.core.frozen import Frozen

from .attributes import DAY, HOUR, attribute, described, quantities
from .budget import Peaks
from .calibration import Calibration
from .classes import Classes
from .density import Memory
from .explanation import Exemplar, Explanation, Range
from .samples import Samples
from .scale import BodyScale
from .settings import Settings

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PLAIN = Settings()


@dataclass(frozen=True, eq=False)
class Judgement:
    """n samples as the model sees them; column j of `p` is attribute `names[j]`."""

    names: tuple[str, ...]
    p: NDArray[np.float64]  # (n, a) share of normal moments at least so odd; NaN: not ready, or cannot be told
    fused: NDArray[np.float64]  # (n,) the smallest of them times their number (Bonferroni), at most 1; NaN: nothing could be told
    winner: NDArray[np.intp]  # (n,) column of the smallest; -1: nothing could be told

    def __len__(self) -> int:
        return len(self.fused)


@dataclass(frozen=True)
class Readiness:
    """How far one attribute has got."""

    name: str
    tracks: int  # that it has seen
    needed: int
    days: float  # watched
    days_needed: float

    @property
    def ready(self) -> bool:
        """Whether it is asked."""
        return self.tracks >= self.needed and self.days >= self.days_needed - 1e-9


@dataclass(frozen=True, eq=False)
class Known:
    """One attribute: what it remembers, how odd is how rare, and the usual range of what people call its values."""

    memory: Memory
    calibration: Calibration
    tracks: int  # seen in all, remembered or not
    ranges: Mapping[str, Range] = field(default_factory=Frozen)


@dataclass(frozen=True, eq=False)
class Normality:
    """Immutable. `fit` makes one, `save` and `load` keep it in one small file."""

    settings: Settings = PLAIN
    scale: BodyScale = field(default_factory=BodyScale)
    known: Mapping[str, Known] = field(default_factory=Frozen)
    peaks: Peaks = field(default_factory=Peaks.none)  # the evidence that normal tracks reached: budgets follow from it
    classes: Classes = field(default_factory=Classes)
    watched: float = 0.0  # seconds
    people: float = 0.0  # person-seconds
    made: float = 0.0  # UTC seconds of the last sample
    version: int = 1  # counts updates

    @classmethod
    def fit(
        cls, samples: Samples, settings: Settings = PLAIN, *, watched: float = 0.0, seen: int = 0, step: float = 0.5, version: int = 1,
        trusted: Bools | None = None, vouched: Bools | None = None,
    ) -> Normality:  # fmt: skip
        """From samples taken every `step` seconds; the same samples in any order give the same model.

        `watched`: seconds of watching that they come from (left out: what their times span, without gaps of over six
        hours). `seen`: tracks that there were in that time, where the samples are a share of them. `trusted` (n,): rows
        that may be remembered; the others only tell how often odd things happen here. `vouched` (n,): rows of which a
        person has said that they were fine: each counts as much as `k` tracks.
        """
        from .fitting import fit

        return fit(samples, settings, watched=watched, seen=seen, step=step, version=version, trusted=trusted, vouched=vouched)

    # ------------------------------------------------------------------ judging

    @property
    def names(self) -> tuple[str, ...]:
        """Attributes that are ready, in alphabetical order."""
        return tuple(each.name for each in self.readiness() if each.ready)

    @property
    def ready(self) -> bool:
        """Whether anything can be judged."""
        return bool(self.names)

    def readiness(self) -> tuple[Readiness, ...]:
        """One per attribute that anything is known of, and the two that every camera begins with."""
        told = []
        for name in sorted({"motion", "shape", *self.known} - set(self.settings.without)):
            usual = attribute(name)
            tracks = self.known[name].tracks if name in self.known else 0
            needed, days = self.settings.ready.get(name, usual.ready), self.settings.days.get(name, usual.days)
            told.append(Readiness(name, tracks, needed, self.watched / DAY, days))
        return tuple(told)

    def judge(self, samples: Samples) -> Judgement:
        """Each row on its own: neither the other rows nor their order matter. A track is never compared with itself."""
        values = self.values(samples)
        names = self.names
        p = np.full((len(samples), len(names)), np.nan)
        for column, name in enumerate(names):
            if name in values:
                known = self.known[name]
                rows = np.flatnonzero(np.isfinite(values[name]).all(axis=1))
                scores = known.memory.score(values[name][rows], samples.tracks[rows], self.settings.k, self.hours(name))
                p[rows, column] = known.calibration.p(scores)
        return fuse(names, p)

    def threshold(self, budget_per_day: float) -> float:
        """The evidence that so many normal tracks a day reach on this camera."""
        return self.peaks.threshold(budget_per_day, self.settings.k)

    def values(self, samples: Samples) -> dict[str, Floats]:
        """What the attributes are compared by: in body heights and local hours, with the class where it matters."""
        values = described(samples, self.scale)
        for name in values:
            if name == "time":
                values[name] = (values[name] + self.settings.utc_offset) % 24.0
            if attribute(name).by_class:
                values[name] = np.concatenate(
                    [values[name], self.classes.columns(samples.labels, strict=name in ("place", "shape"))], axis=1
                )
        return values

    def hours(self, name: str) -> int:
        """Distinct hours in which a thing must have been done to be near: two, once a day was watched."""
        return 2 if self.watched >= DAY and name != "time" else 1

    # ------------------------------------------------------------------ telling

    def explain(self, sample: Samples, name: str = "", nearest: int = 3) -> Explanation | None:
        """Why this one row is odd, by the attribute that won or by the one named; None when nothing can be told."""
        judged = self.judge(sample[:1])
        if not len(judged) or judged.winner[0] < 0:
            return None
        name = name or judged.names[int(judged.winner[0])]
        known, memory = self.known[name], self.known[name].memory
        values = self.values(sample[:1])[name]
        told = quantities(name, sample.features[name][:1], values)
        ranges = tuple(replace(known.ranges[each], observed=float(value[0])) for each, value in told.items() if each in known.ranges)
        odd = max(ranges, key=lambda each: each.beyond).quantity if ranges else ""
        wide, tall = sample.size
        rows, far = memory.nearest(values[0], int(sample.tracks[0]), nearest)
        exemplars = tuple(
            Exemplar(int(memory.tracks[row]), float(memory.times[row]), _box(memory.boxes[row] * (wide, tall, wide, tall)), float(distance))
            for row, distance in zip(rows, far, strict=True)
        )
        box = _box(sample.boxes[0])
        return Explanation(
            attribute=name, p=float(judged.p[0, judged.names.index(name)]), quantity=odd, ranges=ranges, exemplars=exemplars,
            hour=(float(sample.times[0]) / HOUR + self.settings.utc_offset) % 24.0,
            foot=((box[0] + box[2]) / 2 / wide, box[3] / tall), track=int(sample.tracks[0]), time=float(sample.times[0]), box=box,
            watched=self.people,
        )  # fmt: skip

    # ------------------------------------------------------------------ keeping

    def save(self, path: Path | str) -> None:
        """One small file without pickle; the same model gives the same bytes. ModelError when it cannot be written."""
        from .file import save

        save(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Normality:
        """ModelError in one line when the file is missing, damaged, or of a newer Pahara."""
        from .file import load

        return load(Path(path))

    def to_bytes(self) -> bytes:
        """What `save` writes."""
        from .file import to_bytes

        return to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes, where: str = "these bytes") -> Normality:
        """What `to_bytes` gave; `where` names it in the ModelError of damaged bytes."""
        from .file import from_bytes

        return from_bytes(data, where)


def fuse(names: tuple[str, ...], p: Floats) -> Judgement:
    """(n, a) p-values -> the smallest, corrected for how many were asked."""
    n = len(p)
    if not p.shape[1]:
        return Judgement(names, p, np.full(n, np.nan), np.full(n, -1, np.intp))
    asked = np.isfinite(p).sum(axis=1)
    filled = np.where(np.isfinite(p), p, np.inf)
    told = asked > 0
    fused = np.where(told, np.minimum(filled.min(axis=1), 1.0) * asked, np.nan)
    return Judgement(names, p, np.minimum(fused, 1.0), np.where(told, filled.argmin(axis=1), -1).astype(np.intp))


def _box(values: NDArray[np.floating]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(each) for each in values)
    return x1, y1, x2, y2
