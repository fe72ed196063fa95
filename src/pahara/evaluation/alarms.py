"""Whether the right alarms were raised: recall, precision, delay and false alarms per hour, with their uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import beta, chi2, norm

from pahara.core import Event

EARLY = 1.0  # seconds that an alarm may come before its incident
LATE = 10.0  # seconds after the start that a short incident may still be reported
SURE = 0.95  # confidence of every interval


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that really happened."""

    kind: str
    start: float  # seconds: when a right rule can first know it
    end: float
    place: str = ""  # zone or line; "" matches any
    subjects: tuple[int, ...] = ()  # true identities
    box: tuple[float, ...] = ()  # pixels, x1 y1 x2 y2; () unknown
    sure: bool = True  # False: near the limit, so neither reporting nor missing it is wrong


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that was reported."""

    kind: str
    time: float  # seconds: when the report came
    place: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value and the range in which the true one lies with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Hit:
    """An incident and the alarm that reported it."""

    incident: Incident
    alarm: Alarm

    @property
    def delay(self) -> float:
        """Seconds from the incident's start to the report; negative when it came early."""
        return self.alarm.time - self.incident.start


@dataclass(frozen=True, slots=True)
class AlarmReport:
    """Incidents against alarms."""

    hits: tuple[Hit, ...]  # of sure incidents, by time
    missed: tuple[Incident, ...]
    false: tuple[Alarm, ...]  # matching no incident; repeats are among them
    repeats: int  # false alarms that came while an incident of their kind and place, reported already, went on
    tolerated: int  # alarms and silences about unsure incidents: not counted anywhere
    hours: float  # camera-hours watched
    recall: Interval  # hits ÷ sure incidents (Wilson)
    precision: Interval  # hits ÷ (hits + false alarms) (Wilson)
    f1: float
    median_delay: float  # seconds; not a number without hits
    p95_delay: float
    false_per_hour: float
    false_per_hour_at_most: float  # 95 % upper bound (Poisson): zero alarms in T hours bound the rate by 3 / T

    @property
    def incidents(self) -> int:
        """Sure incidents."""
        return len(self.hits) + len(self.missed)


def alarms_of(events: Iterable[Event]) -> list[Alarm]:
    """The `began` reports, at the moment they were made."""
    return [Alarm(event.kind, event.time, event.place) for event in events if event.phase == "began"]


def evaluate_alarms(
    incidents: Sequence[Incident], alarms: Sequence[Alarm], *, hours: float, early: float = EARLY, late: float = LATE
) -> AlarmReport:
    """One alarm for one incident of the same kind (and place, where both name one).

    An alarm hits when it comes within [start - `early`, max(start + `late`, end)] seconds. Alarms are taken in order
    of time and given to the open incident whose window closes first; sure incidents come before unsure ones.

    >>> report = evaluate_alarms([Incident("fall", 10, 12)], [Alarm("fall", 13.5), Alarm("fall", 40)], hours=0.5)
    >>> report.recall.value, report.precision.value, report.median_delay, report.false_per_hour
    (1.0, 0.5, 3.5, 2.0)
    """
    if not hours > 0:
        raise ValueError(f"hours watched must be more than 0, got {hours}")

    def closes(incident: Incident) -> float:
        return max(incident.start + late, incident.end)

    def fits(incident: Incident, alarm: Alarm) -> bool:
        same_place = incident.place == alarm.place or not incident.place or not alarm.place
        return incident.kind == alarm.kind and same_place and incident.start - early <= alarm.time <= closes(incident)

    waiting = sorted(incidents, key=lambda incident: (not incident.sure, closes(incident), incident.start))
    reported: list[Incident] = []
    hits: list[Hit] = []
    false: list[Alarm] = []
    repeats = tolerated = 0
    for alarm in sorted(alarms, key=lambda alarm: alarm.time):
        row = next((i for i, incident in enumerate(waiting) if fits(incident, alarm)), None)
        if row is not None:
            incident = waiting.pop(row)
            reported.append(incident)
            if incident.sure:
                hits.append(Hit(incident, alarm))
            else:
                tolerated += 1
        else:
            repeats += any(fits(incident, alarm) for incident in reported)
            false.append(alarm)
    missed = sorted((incident for incident in waiting if incident.sure), key=lambda incident: incident.start)
    tolerated += sum(not incident.sure for incident in waiting)
    return _report(tuple(hits), tuple(missed), tuple(false), repeats, tolerated, hours)


def by_kind(incidents: Sequence[Incident], alarms: Sequence[Alarm], *, hours: float, **window: float) -> Mapping[str, AlarmReport]:
    """The same for each kind that either side names; `window` is `early` and `late`."""
    kinds = sorted({incident.kind for incident in incidents} | {alarm.kind for alarm in alarms})
    return {
        kind: evaluate_alarms([i for i in incidents if i.kind == kind], [a for a in alarms if a.kind == kind], hours=hours, **window)
        for kind in kinds
    }


def pooled(reports: Iterable[AlarmReport]) -> AlarmReport:
    """Several recordings as one: counts, delays and hours are added. ValueError without any."""
    every = list(reports)
    if not every:
        raise ValueError("there is no report to pool")
    return _report(
        tuple(hit for report in every for hit in report.hits),
        tuple(incident for report in every for incident in report.missed),
        tuple(alarm for report in every for alarm in report.false),
        sum(report.repeats for report in every),
        sum(report.tolerated for report in every),
        sum(report.hours for report in every),
    )


def _report(
    hits: tuple[Hit, ...], missed: tuple[Incident, ...], false: tuple[Alarm, ...], repeats: int, tolerated: int, hours: float
) -> AlarmReport:
    delays = np.array([hit.delay for hit in hits])
    wanted, raised = len(hits) + len(missed), len(hits) + len(false)
    return AlarmReport(
        hits=hits,
        missed=missed,
        false=false,
        repeats=repeats,
        tolerated=tolerated,
        hours=hours,
        recall=wilson(len(hits), wanted),
        precision=wilson(len(hits), raised),
        f1=2 * len(hits) / (wanted + raised) if wanted + raised else float("nan"),
        median_delay=float(np.median(delays)) if hits else float("nan"),
        p95_delay=float(np.quantile(delays, 0.95)) if hits else float("nan"),
        false_per_hour=len(false) / hours,
        false_per_hour_at_most=rate_at_most(len(false), hours),
    )


def wilson(hits: int, trials: int, sure: float = SURE) -> Interval:
    """A proportion with its score interval (Wilson 1927); not a number within [0, 1] without trials.

    >>> interval = wilson(9, 10)
    >>> interval.value, round(interval.low, 3), round(interval.high, 3)
    (0.9, 0.596, 0.982)
    """
    if not trials:
        return Interval(float("nan"), 0.0, 1.0)
    z = float(norm.ppf(0.5 + sure / 2))
    share = hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At the ends the formula gives 0 and 1, save for the last bit.
    return Interval(share, middle - half if hits else 0.0, middle + half if hits < trials else 1.0)


def clopper_pearson(hits: int, trials: int, sure: float = SURE) -> Interval:
    """A proportion with its exact, cautious interval (Clopper & Pearson 1934).

    >>> interval = clopper_pearson(10, 10)
    >>> interval.value, round(interval.low, 3), interval.high
    (1.0, 0.692, 1.0)
    """
    if not trials:
        return Interval(float("nan"), 0.0, 1.0)
    tail = (1 - sure) / 2
    low = float(beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return Interval(hits / trials, low, high)


def rate_at_most(count: int, hours: float, sure: float = SURE) -> float:
    """Upper bound of a rate per hour after `count` alarms in `hours` (Poisson, one-sided).

    >>> round(rate_at_most(0, 1.0), 2)
    3.0
    """
    return float(chi2.ppf(sure, 2 * (count + 1)) / 2 / hours)
