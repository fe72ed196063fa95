"""Simulated cameras that learned what is normal before them, and their alarms on days they have not seen: shared by benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pahara.alarms import START, AlarmRule
from pahara.core import Event
from pahara.normality import Normality, Samples, Settings, Unusual, measure, over_tracks, together, track_key
from pahara.simulate.traffic import CAUSES, Day, Site, Staged, random_site, simulate_day, simulate_incident

THINK = 0.2  # seconds between two questions to a behaviour, as the analyst asks
BEFORE, AFTER = 1.0, 3.0  # seconds around high evidence in which the behaviours are asked
NEAR = 0.9  # of the lowest threshold: from there the product itself is asked
EARLY, LATE = 1.0, 10.0  # seconds: an alarm counts from `EARLY` before an incident to its end, and at least `LATE` after its start


@dataclass(frozen=True, eq=False)
class Camera:
    """A site and what its first days taught."""

    seed: int
    site: Site
    model: Normality
    first: int  # day of the first lesson; 0 is a Monday
    days: int  # of lessons

    def behaviours(self, budgets: tuple[float, ...]) -> dict[str, Unusual]:
        """One per budget (alarms a day), named by it."""
        return {f"{budget:g}": Unusual(self.model, budget) for budget in budgets}


@dataclass(frozen=True)
class Outcome:
    """One staged incident, at one budget."""

    cause: str
    found: bool
    delay: float = float("nan")  # seconds from its start to the alarm
    attribute: str = ""  # that the alarm names


def samples_of(day: Day) -> Samples:
    """Everyone, every half second."""
    return together([measure(scene, times=times) for scene, times in day.stretches()])


def learned(seed: int, days: int) -> Camera:
    """A site and its first `days` days; the day of the week they begin with differs from camera to camera."""
    site, first = random_site(seed), seed % 7
    lessons = together([samples_of(simulate_day(site, seed, day)) for day in range(first, first + days)])
    return Camera(seed, site, Normality.fit(lessons, Settings(), watched=days * 86400.0), first, days)


def alarms(camera: Camera, day: Day, budgets: tuple[float, ...]) -> dict[str, list[Event]]:
    """What the product reports of a day: its scenes, behaviour and alarm rule, asked wherever evidence comes near a threshold.

    Evidence is first worked out for the whole day at once; a person who stays far below every threshold there stays below it
    at any moment between, too.
    """
    behaviours = camera.behaviours(budgets)
    samples = samples_of(day)
    evidence = over_tracks(camera.model.judge(samples).fused, samples.tracks, samples.times, camera.model.settings.drift)
    high = evidence >= NEAR * max(camera.model.threshold(max(budgets)), 1.0)
    events: dict[str, list[Event]] = {name: [] for name in behaviours}
    for bout in day.bouts:
        keys = [track_key(day.site.name, day.epoch, track) for track in bout]
        times = samples.times[high & np.isin(samples.tracks, keys)] - day.epoch
        if len(times):
            for name, told in _watch(day, bout, behaviours, times).items():
                events[name] += told
    return events


def _watch(day: Day, bout: tuple, behaviours: Mapping[str, Unusual], times: np.ndarray) -> dict[str, list[Event]]:
    rules = {name: AlarmRule.of(behaviour) for name, behaviour in behaviours.items()}
    states = dict.fromkeys(behaviours, START)
    events: dict[str, list[Event]] = {name: [] for name in behaviours}
    due, until = -np.inf, times.max() + AFTER
    for scene in day.scenes([track for track in bout if track.last_seen > times.min() - 200.0]):
        if scene.time > until:
            break
        if scene.time < due - 1e-6 or not ((times > scene.time - AFTER) & (times < scene.time + BEFORE)).any():
            continue
        due = scene.time + THINK
        for name, behaviour in behaviours.items():
            states[name], new = rules[name].step(
                states[name], behaviour=name, kind="unusual", scene=scene, scores=behaviour(scene), explain=behaviour.explain
            )
            events[name] += [event for event in new if event.phase == "began"]
    return events


def incidents(camera: Camera, budgets: tuple[float, ...], each: int) -> dict[str, list[Outcome]]:
    """`each` incidents of every cause that the site has room for, staged into days that were not learned from."""
    outcomes: dict[str, list[Outcome]] = {f"{budget:g}": [] for budget in budgets}
    for cause in CAUSES:
        for number in range(each):
            unseen = camera.first + camera.days + 20 + number
            day = simulate_incident(camera.site, camera.seed, unseen, cause, number, around=120.0)
            if day is None:
                continue
            (staged,) = day.staged
            who = {seen.track.id for seen in day.seen if 0 in seen.incidents}
            for name, events in alarms(camera, day, budgets).items():
                outcomes[name].append(_outcome(staged, day, who, events))
    return outcomes


def _outcome(staged: Staged, day: Day, who: set[int], events: list[Event]) -> Outcome:
    start, end = day.start + staged.start, day.start + staged.end
    hits = [event for event in events if who & set(event.subject) and start - EARLY <= event.time <= max(start + LATE, end)]
    if not hits:
        return Outcome(staged.cause, False)
    first = min(hits, key=lambda event: event.time)
    return Outcome(staged.cause, True, first.time - start, str(first.reason.values.get("attribute", "")))
