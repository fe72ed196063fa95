"""One stored event looked at again: the way of whom it was about, the score before and after, and what nearly was an event too."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from pahara.core import PaharaError, Subject
from pahara.store import Recording, Store, StoredEvent

from .learning import remembered
from .replay import replay
from .setup import plan_of

BEFORE, AFTER = 30.0, 15.0  # seconds around an event that are looked at
LONGEST = 120.0  # seconds of the event itself
MOST_BEATS = 4000  # observations that are thought about again: a bound on the work, whatever the store holds
MOST_POINTS = 400  # of a track
NEAR = 0.35  # score from which something counts as nearly an event; 0.5 is the limit
APART = 2.0  # seconds between two near misses of one subject

Point = list[float]  # UTC seconds, then x, y (the foot point), width and height as fractions of the picture


@dataclass(frozen=True, slots=True)
class Around:
    """What the behaviour said around an event."""

    scores: tuple[tuple[float, float], ...] = ()  # UTC seconds, score of the event's subject
    near: tuple[tuple[float, float, Subject], ...] = ()  # peaks below the limit, of anybody


def track_of(store: Store, stored: StoredEvent) -> list[Point]:
    """Where the event's subject was (its first track), from a little before to a little after; [] for the whole scene or old trails."""
    recording, event = _recording(store, stored), stored.event
    if recording is None or not event.subject:
        return []
    who, (wide, tall) = event.subject[0], recording.size
    points: list[Point] = []
    since, until = event.start - BEFORE, min(event.time, event.start + LONGEST) + AFTER
    try:
        for seen in islice(store.observations(recording, since, until), MOST_BEATS):
            rows = [row for row in range(len(seen)) if seen.ids[row] == who and seen.seen[row]]
            for row in rows[:1]:
                x1, y1, x2, y2 = (float(side) for side in seen.boxes[row])
                at = round(recording.epoch + seen.time, 2)
                points.append([at, *(round(v, 4) for v in ((x1 + x2) / 2 / wide, y2 / tall, (x2 - x1) / wide, (y2 - y1) / tall))])
    except PaharaError:  # damaged trails show what there is
        pass
    return points[:: max(1, -(-len(points) // MOST_POINTS))]


def scores_around(store: Store, stored: StoredEvent) -> Around:
    """The behaviour asked again about the seconds around its event, with the rules of that day; empty where that cannot be done any more."""
    recording, event = _recording(store, stored), stored.event
    if recording is None:
        return Around()
    try:
        plan = remembered(plan_of(recording), store)
        behaviour = plan.behaviours.get(event.behaviour)
        if behaviour is None:
            return Around()
        memory = min(max(plan.memory, recording.memory), LONGEST)
        since, until = event.start - BEFORE, min(event.time, event.start + LONGEST) + AFTER
        rules = {event.behaviour: plan.rules[event.behaviour]}
        scores: list[tuple[float, float]] = []
        near: dict[Subject, list[tuple[float, float]]] = {}
        moments = replay(store, recording, {event.behaviour: behaviour}, rules, since=since - memory, until=until)
        for moment in islice(moments, MOST_BEATS):
            told = moment.scores.get(event.behaviour)
            if told is None or moment.scene.time < since:
                continue
            at = recording.epoch + moment.scene.time
            scores.append((at, float(told.get(event.subject, 0.0))))
            for subject, score in told.items():
                if subject != event.subject:
                    near.setdefault(subject, []).append((at, float(score)))
    except (PaharaError, LookupError, ValueError):  # a plug-in or a model that is gone, damaged trails: there is nothing to show
        return Around()
    return Around(tuple(scores), tuple(sorted(_peaks(near), key=lambda each: -each[1])[:10]))


def _peaks(scores: dict[Subject, list[tuple[float, float]]]) -> list[tuple[float, float, Subject]]:
    """The highest score of each stretch that came near the limit and stayed below it."""
    found: list[tuple[float, float, Subject]] = []
    for subject, told in scores.items():
        best: tuple[float, float] | None = None
        last = float("-inf")
        for at, score in [*told, (float("inf"), 0.0)]:
            if best is not None and (at - last > APART or score < NEAR):
                if best[1] < 0.5:
                    found.append((*best, subject))
                best = None
            if score >= NEAR:
                best = max(best or (at, score), (at, score), key=lambda each: each[1])
                last = at
    return found


def _recording(store: Store, stored: StoredEvent) -> Recording | None:
    if stored.recording is None:
        return None
    try:
        return store.recording(stored.recording)
    except PaharaError:
        return None
