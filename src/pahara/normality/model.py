"""What is normal for one camera: judged row by row, and told in words that its owner can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pahara.core.frozen import Frozen

from .attributes import DAY, HOUR, attribute, described, quantities
from .budget import Peaks
from .calibration import Calibration
from .classes import Classes
from .density import Memory, remember, unit_of
from .evidence import over_tracks
from .explanation import Exemplar, Explanation, Range
from .samples import Samples
from .scale import BodyScale
from .settings import Settings

Floats = NDArray[np.float64]
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

    settings: Settings
    scale: BodyScale
    known: Mapping[str, Known]
    peaks: Peaks  # the evidence that normal tracks reached, and how many there are a day: budgets follow from it
    classes: Classes = field(default_factory=Classes)
    watched: float = 0.0  # seconds
    made: float = 0.0  # UTC seconds of the last sample
    version: int = 1  # counts updates

    # ------------------------------------------------------------------ making

    @classmethod
    def fit(cls, samples: Samples, settings: Settings = PLAIN, *, watched: float = 0.0, seen: int = 0, version: int = 1) -> Normality:
        """From samples taken every half second or so; the same samples in any order give the same model.

        `watched`: seconds of watching that they come from (left out: what their times span, without gaps of over six
        hours). `seen`: tracks that there were in that time, where the samples are a share of them.
        """
        samples = samples[np.lexsort((samples.times, samples.tracks))]
        watched = watched or _span(samples.times)
        seen = seen or len(np.unique(samples.tracks))
        person = samples.labels == "person"
        of_people = samples[person] if person.sum() > len(samples) / 2 else samples
        whole = np.isfinite(of_people.features["shape"]).all(axis=1) if "shape" in of_people.features else np.ones(len(of_people), bool)
        of_people = of_people[whole]
        scale = BodyScale.fit(of_people.feet[:, 1], of_people.heights, of_people.tracks)
        classes = Classes.fit(samples.labels, samples.tracks)
        bare = cls(settings, scale, Frozen(), Peaks.none(), classes, watched, float(samples.times.max(initial=0.0)), version)
        values = bare._values(samples)
        hours = 2 if watched >= DAY else 1
        fold = _folds(samples, settings.folds)
        known = {}
        for name in sorted(values):
            if name not in settings.without and (one := _learn(name, values[name], samples, settings, fold, hours)) is not None:
                known[name] = one
        model = cls(settings, scale, Frozen(known), Peaks.none(), classes, watched, bare.made, version)
        judged = model._crossed(samples, values, fold, hours)
        evidence = over_tracks(judged.fused, samples.tracks, samples.times, settings.drift)
        peaks = Peaks.fit(evidence, samples.tracks, per_day=seen * DAY / max(watched, 1.0))
        return cls(settings, scale, Frozen(known), peaks, classes, watched, bare.made, version)

    # ------------------------------------------------------------------ judging

    @property
    def names(self) -> tuple[str, ...]:
        """Attributes that are ready, in alphabetical order."""
        return tuple(each.name for each in self.readiness() if each.ready)

    @property
    def hours(self) -> int:
        """Distinct hours in which a thing must have been done to be near."""
        return 2 if self.watched >= DAY else 1

    def readiness(self) -> tuple[Readiness, ...]:
        """One per attribute that anything is known of, and the two that every camera begins with."""
        names = sorted({"motion", "shape", *self.known} - set(self.settings.without))
        told = []
        for name in names:
            usual = attribute(name)
            tracks = self.known[name].tracks if name in self.known else 0
            needed, days = self.settings.ready.get(name, usual.ready), self.settings.days.get(name, usual.days)
            told.append(Readiness(name, tracks, needed, self.watched / DAY, days))
        return tuple(told)

    @property
    def ready(self) -> bool:
        """Whether anything can be judged."""
        return bool(self.names)

    def judge(self, samples: Samples) -> Judgement:
        """Each row on its own: neither the other rows nor their order matter. A track is never compared with itself."""
        values = self._values(samples)
        names = self.names
        p = np.full((len(samples), len(names)), np.nan)
        for column, name in enumerate(names):
            if name in values:
                known = self.known[name]
                rows = np.flatnonzero(np.isfinite(values[name]).all(axis=1))
                scores = known.memory.score(values[name][rows], samples.tracks[rows], self.settings.k, self._hours(name))
                p[rows, column] = known.calibration.p(scores)
        return fuse(names, p)

    def threshold(self, budget_per_day: float) -> float:
        """The evidence that so many normal tracks a day reach on this camera."""
        return self.peaks.threshold(budget_per_day)

    # ------------------------------------------------------------------ telling

    def explain(self, sample: Samples, name: str = "", nearest: int = 3) -> Explanation | None:
        """Why this one row is odd, by the attribute that won or by the one named; None when nothing can be told."""
        judged = self.judge(sample[:1])
        if not len(judged) or judged.winner[0] < 0:
            return None
        name = name or judged.names[int(judged.winner[0])]
        values = self._values(sample[:1])[name]
        p = float(judged.p[0, judged.names.index(name)])
        known = self.known[name]
        told = quantities(name, sample.features[name][:1], values)
        odd, ranges = "", []
        for quantity, value in told.items():
            if quantity in known.ranges:
                ranges.append(Range(quantity, known.ranges[quantity].low, known.ranges[quantity].high, float(value[0])))
        if ranges:
            odd = max(ranges, key=lambda each: each.beyond).quantity
        rows, far = known.memory.nearest(values[0], int(sample.tracks[0]), nearest)
        memory = known.memory
        wide, tall = sample.size
        exemplars = tuple(
            Exemplar(
                int(memory.tracks[row]), float(memory.times[row]), tuple(map(float, memory.boxes[row] * (wide, tall, wide, tall))), float(d)
            )  # type: ignore[arg-type]
            for row, d in zip(rows, far, strict=True)
        )
        hour = (float(sample.times[0]) / HOUR + self.settings.utc_offset) % 24.0
        return Explanation(
            name, p, odd, tuple(ranges), exemplars, hour, (float(sample.boxes[0, [0, 2]].mean()) / wide, float(sample.boxes[0, 3]) / tall)
        )

    # ------------------------------------------------------------------ keeping

    def save(self, path: Path | str) -> None:
        """One small file without pickle; the same model gives the same bytes."""
        from .file import save

        save(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Normality:
        """ModelError in one line when the file is missing, damaged, or of a newer Pahara."""
        from .file import load

        return load(Path(path))

    # ------------------------------------------------------------------ inside

    def _hours(self, name: str) -> int:
        return 1 if name == "time" else self.hours

    def _values(self, samples: Samples) -> dict[str, Floats]:
        """What the attributes are compared by: in body heights, with the class where it matters."""
        values = described(samples, self.scale)
        for name in values:
            if name == "time":
                values[name] = (values[name] + self.settings.utc_offset) % 24.0
            if attribute(name).by_class:
                values[name] = np.concatenate([values[name], self.classes.columns(samples.labels, strict=name == "place")], axis=1)
        return values

    def _crossed(self, samples: Samples, values: Mapping[str, Floats], fold: NDArray[np.intp], hours: int) -> Judgement:
        """The samples that the model was made from, each judged by what the other folds remember."""
        names = self.names or tuple(sorted(self.known))
        p = np.full((len(samples), len(names)), np.nan)
        for column, name in enumerate(names):
            scores = _cross_scores(name, values[name], samples, self.settings, fold, hours)
            rows = np.flatnonzero(~np.isnan(scores))
            p[rows, column] = self.known[name].calibration.p_left_out(scores[rows], samples.tracks[rows])
        return fuse(names, p)


def fuse(names: tuple[str, ...], p: Floats) -> Judgement:
    """(n, a) p-values -> the smallest, corrected for how many were asked."""
    asked = np.isfinite(p).sum(axis=1)
    filled = np.where(np.isfinite(p), p, np.inf)
    told = asked > 0
    winner = np.where(told, filled.argmin(axis=1), -1) if p.shape[1] else np.full(len(p), -1, np.intp)
    least = filled.min(axis=1) if p.shape[1] else np.full(len(p), np.nan)
    fused = np.where(told, np.minimum(least * asked, 1.0), np.nan)
    return Judgement(names, p, fused, winner.astype(np.intp))


def _span(times: Floats) -> float:
    if not len(times):
        return 0.0
    gaps = np.diff(np.sort(times))
    return float(gaps[gaps <= 6 * HOUR].sum()) + 1.0


def _folds(samples: Samples, folds: int) -> NDArray[np.intp]:
    """(n,) the part that each row's track belongs to: tracks that began in one hour stay together once a day was watched."""
    keys, first = np.unique(samples.tracks, return_index=True)  # rows are in order of time within each track
    begin = samples.times[first]
    blocks = np.floor(begin / HOUR).astype(np.int64)
    many = len(np.unique(blocks)) >= 4 * folds
    rank = np.unique(blocks, return_inverse=True)[1].reshape(-1) if many else np.argsort(np.argsort(begin, kind="stable"), kind="stable")
    part = rank % folds
    return part[np.searchsorted(keys, samples.tracks)].astype(np.intp)


def _learn(name: str, values: Floats, samples: Samples, settings: Settings, fold: NDArray[np.intp], hours: int) -> Known | None:
    told = np.flatnonzero(np.isfinite(values).all(axis=1))
    tracks = samples.tracks[told]
    count = len(np.unique(tracks))
    if count <= settings.k:
        return None
    memory = _memory(name, values, samples, settings, told)
    scores = _cross_scores(name, values, samples, settings, fold, hours, memory.unit)
    calibration = Calibration.fit(scores[told], tracks)
    ranges = {}
    for quantity, numbers in quantities(name, samples.features[name][told], values[told]).items():
        low, high = np.percentile(numbers, [5, 95])
        ranges[quantity] = Range(quantity, float(low), float(high))
    return Known(memory, calibration, count, Frozen(ranges))


def _memory(name: str, values: Floats, samples: Samples, settings: Settings, rows: NDArray[np.intp], unit: Floats | None = None) -> Memory:
    wide, tall = samples.size
    own = attribute(name)
    if unit is None:
        floors = own.floors + (0.3,) * (values.shape[1] - len(own.floors)) if own.floors else ()
        unit = unit_of(values[rows], floors)
        if own.by_class:
            unit[len(own.floors) :] = 1.0
    boxes = samples.boxes[rows] / np.array([wide, tall, wide, tall], np.float32)
    return remember(
        values[rows], samples.tracks[rows], samples.times[rows], boxes, unit=unit, points=settings.points,
        per_track=settings.per_track, k=settings.k, period=24.0 if name == "time" else 0.0,
    )  # fmt: skip


def _cross_scores(
    name: str, values: Floats, samples: Samples, settings: Settings, fold: NDArray[np.intp], hours: int, unit: Floats | None = None
) -> Floats:
    """(n,) distances of each row to what the other folds remember; NaN where the attribute cannot be told."""
    scores = np.full(len(samples), np.nan)
    told = np.isfinite(values).all(axis=1)
    if unit is None:
        unit = _memory(name, values, samples, settings, np.flatnonzero(told)).unit
    for part in range(settings.folds):
        asked, others = np.flatnonzero(told & (fold == part)), np.flatnonzero(told & (fold != part))
        if len(asked) and len(others):
            memory = _memory(name, values, samples, settings, others, unit)
            scores[asked] = memory.score(values[asked], samples.tracks[asked], settings.k, 1 if name == "time" else hours)
    return scores
