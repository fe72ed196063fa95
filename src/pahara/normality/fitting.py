"""A model is made: a memory per attribute, and how odd normal people look to a memory that does not know them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pahara.core.frozen import Frozen

from .attributes import DAY, HOUR, attribute, quantities
from .budget import Peaks
from .calibration import Calibration
from .classes import Classes
from .density import Memory, remember, unit_of
from .evidence import over_tracks
from .explanation import Range
from .model import Known, Normality, fuse
from .samples import Samples
from .scale import BodyScale
from .settings import Settings

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Bools = NDArray[np.bool_]
LONG_GAP = 6 * HOUR  # a longer gap between two samples is taken for time that nobody watched
CLASS_FLOOR = 1.0  # unit of a class's column: classes stand apart by what `Classes` says


def fit(
    samples: Samples,
    settings: Settings,
    *,
    watched: float,
    seen: int,
    step: float,
    version: int,
    trusted: Bools | None,
    vouched: Bools | None,
) -> Normality:
    """See `Normality.fit`."""
    every = np.ones(len(samples), bool)
    trusted = every if trusted is None else np.asarray(trusted, bool)
    vouched = ~every if vouched is None else np.asarray(vouched, bool)
    order = np.lexsort((samples.times, samples.tracks))
    samples, trusted, vouched = samples[order], trusted[order], vouched[order]
    watched = watched or _span(samples.times)
    tracks = len(np.unique(samples.tracks))
    model = Normality(
        settings, _scale(samples), classes=Classes.fit(samples.labels, samples.tracks), watched=watched, people=len(samples) * step,
        made=float(samples.times.max(initial=0.0)), version=version,
    )  # fmt: skip
    maker = _Maker(model, samples, trusted, vouched, _folds(samples, settings.folds))
    known, distances = {}, {}
    for name, values in sorted(model.values(samples).items()):
        if name not in settings.without and (learned := maker.learn(name, values)) is not None:
            known[name], distances[name] = learned
    model = replace(model, known=Frozen(known))
    p = np.full((len(samples), len(model.names)), np.nan)
    for column, name in enumerate(model.names):
        rows = np.flatnonzero(~np.isnan(distances[name]))
        kept = _usual(distances[name][rows], samples.tracks[rows], settings.trim)
        p[rows[~kept], column] = known[name].calibration.p(distances[name][rows[~kept]])
        p[rows[kept], column] = known[name].calibration.p_left_out(distances[name][rows[kept]], samples.tracks[rows[kept]])
    evidence = over_tracks(fuse(model.names, p).fused, samples.tracks, samples.times, settings.drift, step)
    return replace(model, peaks=Peaks.fit(evidence, samples.tracks, per_day=max(seen, tracks) * DAY / max(watched, 1.0)))


@dataclass(frozen=True, eq=False)
class _Maker:
    """What all attributes are learned from."""

    model: Normality
    samples: Samples  # sorted by track and time
    trusted: Bools
    vouched: Bools
    fold: Rows | None  # (n,) the part that each row belongs to; None: each is judged without its own half hour

    def learn(self, name: str, values: Floats) -> tuple[Known, Floats] | None:
        """-> what is known, and (n,) each row's distance to what the *other* folds remember (NaN: cannot be told)."""
        told = np.isfinite(values).all(axis=1)
        taught = told & self.trusted
        settings, samples = self.model.settings, self.samples
        if len(np.unique(samples.tracks[taught])) <= settings.k:
            return None
        unit = _unit(name, values[taught])
        distances = np.full(len(samples), np.nan)
        # One track more than is asked for stays within the radius of what is thinned out, so that a track which is left out
        # finds as many others as a stranger will.
        memory, radius = self._memory(name, values, np.flatnonzero(taught), unit, settings.k + (self.fold is None))
        if self.fold is None:
            asked = np.flatnonzero(told)
            hours = self.model.hours(name)
            distances[asked] = memory.score(values[asked], samples.tracks[asked], settings.k, hours, samples.times[asked])
        else:
            # Of four fifths of the tracks, the fourth is as near as the fifth of all: with the same k, people whom the memory
            # does not know would look odder here than they will to the whole memory, and budgets would be kept too well.
            fewer = max(round(settings.k * (1 - 1 / settings.folds)), 1)
            for part in range(settings.folds):
                asked, others = np.flatnonzero(told & (self.fold == part)), np.flatnonzero(taught & (self.fold != part))
                if len(asked):
                    part_of_it, _ = self._memory(name, values, others, unit, fewer, radius)
                    distances[asked] = part_of_it.score(values[asked], samples.tracks[asked], fewer, self.model.hours(name))
        tracks = samples.tracks[told]
        numbers = quantities(name, samples.features[name][told], values[told])
        steps = {each: tuple(np.percentile(found, np.arange(0, 101, 5)).tolist()) for each, found in numbers.items()}
        ranges = {each: Range(each, found[1], found[-2], steps=found) for each, found in steps.items()}
        kept = _usual(distances[told], tracks, settings.trim)
        return Known(memory, Calibration.fit(distances[told][kept], tracks[kept]), len(np.unique(tracks)), Frozen(ranges)), distances

    def _memory(self, name: str, values: Floats, rows: Rows, unit: Floats, k: int, radius: float | None = None) -> tuple[Memory, float]:
        samples, settings = self.samples, self.model.settings
        wide, tall = samples.size
        boxes = (samples.boxes[rows] / np.array([wide, tall, wide, tall], np.float32)).astype(np.float32)
        return remember(
            values[rows], samples.tracks[rows], samples.times[rows], boxes,
            self.vouched[rows], unit=unit, points=settings.points, per_track=settings.per_track, k=k,
            period=24.0 if name == "time" else 0.0, radius=radius,
        )  # fmt: skip


def _usual(distances: Floats, tracks: NDArray[np.int64], trim: float) -> Bools:
    """(n,) -> (n,) False for the rows of the share `trim` of the tracks that get furthest away."""
    if not trim or not len(distances):
        return np.ones(len(distances), bool)
    keys, where = np.unique(tracks, return_inverse=True)
    furthest = np.full(len(keys), -np.inf)
    np.maximum.at(furthest, where.reshape(-1), distances)
    order = np.argsort(furthest, kind="stable")
    usual = np.ones(len(keys), bool)
    usual[order[len(keys) - int(trim * len(keys)) :]] = False
    kept: Bools = usual[where.reshape(-1)]
    return kept


def _unit(name: str, values: Floats) -> Floats:
    own = attribute(name)
    if not own.by_class:
        return unit_of(values, own.floors, own.alike)
    width = len(own.floors)
    return np.append(unit_of(values[:, :width], own.floors, own.alike), np.full(values.shape[1] - width, CLASS_FLOOR))


def _scale(samples: Samples) -> BodyScale:
    people = samples.labels == "person"
    some = people if 2 * people.sum() > len(samples) else np.ones(len(samples), bool)
    if "shape" in samples.features:
        some = some & np.isfinite(samples.features["shape"]).all(axis=1)  # not cut by the border
    return BodyScale.fit(samples.feet[some, 1], samples.heights[some], samples.tracks[some])


def _span(times: Floats) -> float:
    if not len(times):
        return 0.0
    gaps = np.diff(np.sort(times))
    return float(gaps[gaps <= LONG_GAP].sum()) + 1.0


def _folds(samples: Samples, folds: int) -> Rows | None:
    """(n,) the part of each row's track, in order of their beginning; None once enough hours were watched to do without."""
    keys, first = np.unique(samples.tracks, return_index=True)
    begin = samples.times[first]
    if len(np.unique(np.floor(begin / HOUR))) >= 4 * folds:
        return None
    rank = np.argsort(np.argsort(begin, kind="stable"), kind="stable")
    part: Rows = (rank % folds)[np.searchsorted(keys, samples.tracks)].astype(np.intp)
    return part
