"""Thinking again without the video: stored observations in, the same events out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pahara.alarms import AlarmRule
from pahara.core import Behaviour, Event, StoreError
from pahara.store import Recording, Store

from .analyst import Analyst, Moment


def replay(
    store: Store,
    recording: Recording,
    behaviours: Mapping[str, Behaviour],
    rules: Mapping[str, AlarmRule],
    *,
    memory: float | None = None,
    since: float | None = None,
    until: float | None = None,
) -> Iterator[Moment]:
    """Moments of a recording. With the behaviours, rules and memory it was made with, events are identical to the last bit.

    `memory` (seconds of trail) defaults to the recording's own; `since` and `until` are media seconds of the part to think about (by default all). The last moment's events include those that
    were still going on when the recording ended. StoreError at a damaged stretch.
    """
    analyst = Analyst(
        recording.camera,
        recording.size,
        behaviours,
        rules,
        epoch=recording.epoch,
        memory=recording.memory if memory is None else memory,
        beat=recording.beat,
    )
    held: Moment | None = None
    for observation in store.observations(recording, since, until):
        if held is not None:
            yield held
        held = analyst.recall(observation)
    if held is not None:
        yield Moment(held.observation, held.scene, held.scores, (*held.events, *analyst.finish()))


def events_of(
    store: Store,
    recording: Recording,
    behaviours: Mapping[str, Behaviour],
    rules: Mapping[str, AlarmRule],
    *,
    memory: float | None = None,
) -> list[Event]:
    """The events of a recording thought again, each as last reported, in order of their beginning."""
    latest: dict[str, Event] = {}
    for moment in replay(store, recording, behaviours, rules, memory=memory):
        for event in moment.events:
            latest[event.id] = event
    return sorted(latest.values(), key=lambda event: (event.start, event.id))


def stored_events(store: Store, recording: Recording, again: list[Event]) -> list[Event]:
    """The events that the store has of a recording, in order of their beginning.

    A film that was watched twice into one store has each event once, under the later recording: of the events that the
    replay brought `again`, those count as stored here too.
    """
    kept = {each.id: each.event for each in store.every_event(recording=recording)}
    for event in again:
        if event.id not in kept:
            with suppress(StoreError):
                kept[event.id] = store.event(event.id).event
    return sorted(kept.values(), key=lambda event: (event.start, event.id))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two lists of events of the same recordings, side by side."""

    kept: tuple[tuple[Event, Event], ...]  # old, new: the same incident
    removed: tuple[Event, ...]  # old ones that nothing new matches
    added: tuple[Event, ...]  # new ones that nothing old matches

    @property
    def identical(self) -> bool:
        """The same ids on both sides, none more, none less."""
        return not self.removed and not self.added and all(old.id == new.id for old, new in self.kept)


def compare(old: list[Event], new: list[Event]) -> Comparison:
    """Match events: the same id first; then the same camera, kind and a shared subject while both went on."""
    by_id = {event.id: event for event in new}
    kept = [(event, by_id.pop(event.id)) for event in old if event.id in by_id]
    left = list(by_id.values())
    matched = {event.id for event, _ in kept}
    removed = []
    for event in old:
        if event.id in matched:
            continue
        twin = next((other for other in left if _same_incident(event, other)), None)
        if twin is None:
            removed.append(event)
        else:
            left.remove(twin)
            kept.append((event, twin))
    kept.sort(key=lambda pair: (pair[0].start, pair[0].id))
    return Comparison(tuple(kept), tuple(removed), tuple(sorted(left, key=lambda event: (event.start, event.id))))


def _same_incident(a: Event, b: Event) -> bool:
    if a.camera != b.camera or a.kind != b.kind or a.epoch != b.epoch:
        return False
    if set(a.subject).isdisjoint(b.subject) and (a.subject or b.subject):
        return False
    return a.start <= b.time and b.start <= a.time
