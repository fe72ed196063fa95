"""Scores over time judged as an operator would: merged alerts at a frozen number of false alarms, and what they caught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .alarms import EARLY, LATE, Alarm, AlarmReport, Incident, Interval, evaluate_alarms, pooled, rate_at_most, wilson
from .anomaly import ROUNDS

Floats = NDArray[np.float64]

REFRACTORY = 30.0  # seconds within which what rises again is still the same alert
BUDGETS: Mapping[str, float] = MappingProxyType({"1/h": 1.0, "1/day": 1 / 24, "1/week": 1 / 168})  # false alarms an hour and camera
KIND = "unusual"


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A stretch of film that was scored, strictly causally, with what really happened in it."""

    name: str
    times: Floats  # (n,) seconds, rising
    scores: Floats  # (n,)
    incidents: tuple[Incident, ...] = ()

    @classmethod
    def of(cls, name: str, times: ArrayLike, scores: ArrayLike, spans: Sequence[tuple[float, float]] = ()) -> Watched:
        """`spans`: (start, end) seconds of each incident. ValueError when times and scores differ or time stands still."""
        when, what = np.asarray(times, np.float64), np.asarray(scores, np.float64)
        if when.ndim != 1 or when.shape != what.shape:
            raise ValueError(f"{name}: {what.shape} scores at {when.shape} times")
        if (np.diff(when) <= 0).any():
            raise ValueError(f"{name}: times must rise")
        return cls(name, when, what, tuple(Incident(KIND, start, end) for start, end in spans))

    @property
    def seconds(self) -> float:
        """How long it was watched; the last frame lasts as long as the usual one."""
        if len(self.times) < 2:
            return 0.0
        return float(self.times[-1] - self.times[0] + np.median(np.diff(self.times)))

    @property
    def normal_seconds(self) -> float:
        """Of these, how many lie outside every window in which an alert would be a hit."""
        if len(self.times) < 2:
            return 0.0
        step = float(np.median(np.diff(self.times)))
        lasting = np.minimum(np.append(np.diff(self.times), step), 10 * step)
        busy = np.zeros(len(self.times), bool)
        for one in self.incidents:
            busy |= (self.times >= one.start - EARLY) & (self.times <= max(one.start + LATE, one.end))
        return float(lasting[~busy].sum())


def alerts(times: ArrayLike, scores: ArrayLike, threshold: float, *, refractory: float = REFRACTORY) -> Floats:
    """(a,) seconds at which alerts begin: the score reaches `threshold`, and had been below it for `refractory` seconds.

    >>> alerts([0, 1, 2, 40, 41], [0, 5, 5, 5, 0], 3).tolist()
    [1.0, 40.0]
    >>> alerts([0, 1, 2, 20, 21], [0, 5, 5, 5, 0], 3).tolist()
    [1.0]
    """
    when = np.asarray(times, np.float64)
    high = when[np.asarray(scores, np.float64) >= threshold]
    return high[np.concatenate([[True], np.diff(high) > refractory])] if len(high) else np.zeros(0)


def threshold_for(clips: Sequence[Watched], per_hour: float, *, refractory: float = REFRACTORY) -> float:
    """The lowest threshold at which this normal footage gives at most `per_hour` alerts an hour.

    Less footage than one alert's worth can only give a threshold just above everything seen: the rate is then bounded,
    not reached (`rate_at_most`). ValueError without any score.

    >>> normal = [Watched.of("a", np.arange(7200) * 1.0, [0.5] * 100 + [3.0] + [0.5] * 6999 + [2.0] * 100)]
    >>> threshold_for(normal, 0.5), bool(threshold_for(normal, 0.4) > 3)
    (3.0, True)
    """
    every = np.unique(np.concatenate([clip.scores for clip in clips])) if clips else np.zeros(0)
    if not len(every):
        raise ValueError("there is no normal footage to take a threshold from")
    allowed = int(per_hour * sum(clip.seconds for clip in clips) / 3600 + 1e-9)
    chosen = float(np.nextafter(every[-1], np.inf))
    # From the top down, every value first, then coarser: alerts need not fall steadily with the threshold, because those
    # that are near each other merge.
    row, step = len(every) - 1, 1.0
    while row >= 0:
        at = float(every[row])
        if sum(len(alerts(clip.times, clip.scores, at, refractory=refractory)) for clip in clips) > allowed:
            break
        chosen = at
        step *= 1.0 if len(every) - row < 2000 else 1.05
        row -= int(step)
    return chosen


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """What one budget of false alarms caught, and what it really cost."""

    name: str
    target: float  # false alarms an hour and camera
    threshold: float
    reachable: bool  # whether the normal footage behind the threshold is long enough to hold one false alarm
    report: AlarmReport  # recall, F1, delays; hours are those outside the incidents' windows
    recall_low: float  # 95 % interval, drawing whole clips
    recall_high: float
    realised: float  # false alarms an hour on the normal stretches of what was judged
    realised_at_most: float  # 95 % upper bound: zero alarms in T hours bound the rate only by 3 / T
    calibration: float  # realised ÷ target: 1 is right


def at_threshold(
    clips: Sequence[Watched],
    threshold: float,
    *,
    name: str = "",
    target: float,
    reachable: bool = True,
    refractory: float = REFRACTORY,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> BudgetRow:
    """Merged alerts of every clip against its incidents: a hit lies in [start − 1 s, max(start + 10 s, end)].

    An alert counts when it begins: what was up before the window is no hit, however long it stays up, or a score that is
    always high would catch everything for the price of one false alarm. ValueError without a clip.
    """
    reports = []
    for clip in clips:
        told = [Alarm(KIND, time) for time in alerts(clip.times, clip.scores, threshold, refractory=refractory).tolist()]
        reports.append(evaluate_alarms(clip.incidents, told, hours=max(clip.normal_seconds / 3600, 1e-12)))
    report = pooled(reports)
    counted = [(len(one.hits), one.incidents) for one in reports]
    interval = _recall_interval(counted, rounds, seed)
    false = len(report.false) - report.repeats
    return BudgetRow(
        name, target, threshold, reachable, report, interval.low, interval.high, false / report.hours, rate_at_most(false, report.hours),
        false / report.hours / target,
    )  # fmt: skip


def by_budget(
    normal: Sequence[Watched],
    clips: Sequence[Watched],
    budgets: Mapping[str, float] = BUDGETS,
    *,
    thresholds: Mapping[str, float] | None = None,
    refractory: float = REFRACTORY,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> tuple[BudgetRow, ...]:
    """One row for each budget (name -> false alarms an hour), thresholds frozen from `normal` or given by name."""
    hours = sum(clip.seconds for clip in normal) / 3600
    rows = []
    for name, target in budgets.items():
        frozen = thresholds[name] if thresholds and name in thresholds else threshold_for(normal, target, refractory=refractory)
        reachable = hours * target >= 1
        rows.append(
            at_threshold(clips, frozen, name=name, target=target, reachable=reachable, refractory=refractory, rounds=rounds, seed=seed)
        )
    return tuple(rows)


def _recall_interval(counted: Sequence[tuple[int, int]], rounds: int, seed: int) -> Interval:
    """95 % of the recall, drawing whole clips; Wilson's where only one clip has incidents."""
    pairs = np.array([pair for pair in counted if pair[1]], float).reshape(-1, 2)
    hits, every = int(pairs[:, 0].sum()), int(pairs[:, 1].sum())
    if len(pairs) < 2 or not rounds or hits in (0, every):  # drawing clips knows no doubt at 0 and 1
        return wilson(hits, every)
    drawn = pairs[np.random.default_rng(seed).integers(0, len(pairs), (rounds, len(pairs)))].sum(1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return Interval(hits / every, float(low), float(high))
