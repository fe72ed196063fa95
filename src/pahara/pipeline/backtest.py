"""What a changed configuration would have done on what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from pahara.config import CameraPlan, Config
from pahara.config.registry import names
from pahara.core import Event
from pahara.core.frozen import Frozen
from pahara.store import Recording, Store

from .analyst import Analyst
from .learning import remembered
from .replay import compare, events_of
from .setup import plan_of

WINDOW = 6 * 3600.0  # seconds of a recording that are thought about in one piece
WHOLE_PICTURE = ("tamper", "anomaly", "clip", "unusual", "removed", "abandoned")  # what goes on while nobody is in view


@dataclass(frozen=True)
class Backtest:
    """Old rules against new ones on the same recordings."""

    hours: float = 0.0  # of recordings
    kept: tuple[tuple[Event, Event], ...] = ()
    removed: tuple[Event, ...] = ()
    added: tuple[Event, ...] = ()
    verdicts: Mapping[str, str] = field(default_factory=Frozen)  # event id -> "real" or "fine", where an operator said

    def __add__(self, other: Backtest) -> Backtest:
        return Backtest(
            self.hours + other.hours,
            self.kept + other.kept,
            self.removed + other.removed,
            self.added + other.added,
            {**self.verdicts, **other.verdicts},
        )

    @property
    def confirmed_missed(self) -> int:
        """Removed events that an operator had confirmed as real."""
        return sum(self.verdicts.get(event.id) == "real" for event in self.removed)


def try_rules(store: Store, recording: Recording, old: CameraPlan, new: CameraPlan) -> Backtest:
    """One recording, thought about twice."""
    memory = max(recording.memory, old.memory, new.memory)  # one memory for both: only the rules differ
    before = events_of(store, recording, old.behaviours, old.rules, memory=memory)
    after = events_of(store, recording, new.behaviours, new.rules, memory=memory)
    comparison = compare(before, after)
    span = store.span(recording)
    stored = store.every_event(recording=recording)
    verdicts = {kept.id: str(kept.verdict) for kept in stored if kept.verdict is not None}
    hours = 0.0 if span is None else (span[1] - span[0]) / 3600
    return Backtest(hours, comparison.kept, comparison.removed, comparison.added, verdicts)


def missing_signals(store: Store, recording: Recording, plan: CameraPlan) -> list[str]:
    """Warnings where a behaviour of the plan reads signals that nobody computed when the recording was made."""
    first = next(islice(store.observations(recording), 1), None)
    if first is None:
        return []
    computed = {key.split(".")[0] for key in first.signals}
    silent = [
        name
        for name, behaviour in plan.behaviours.items()
        # As a plan chooses what to compute: what a behaviour names, else the signal of its own kind.
        if not {each for each in getattr(behaviour, "signals", (plan.kinds[name],)) if each in names("signals")} <= computed
    ]
    return [f"recording {recording.id} of {recording.camera} holds no signals for {name!r}: it cannot be tried on it" for name in silent]


@dataclass(frozen=True)
class Lately:
    """A change tried on the last days of one camera."""

    result: Backtest
    asked: float  # hours of recordings that there are
    warnings: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all of it was thought about in the time that there was."""
        return self.result.hours >= self.asked - 1e-3


def try_lately(store: Store, camera: str, before: Config, after: Config, since: float, give_up: Callable[[], bool]) -> Lately:
    """The rules of two configurations on what one camera recorded since `since` (UTC seconds), the newest first, until `give_up()`.

    Both are thought about together in windows of six hours; stretches without anybody are passed over quickly unless a rule
    looks at the whole picture. ConfigError where a configuration does not know the camera.
    """
    result, asked = Backtest(), 0.0
    warnings: list[str] = []
    for recording in reversed(store.recordings(camera=camera)):
        span = store.span(recording)
        if span is None or recording.epoch + span[1] < since:
            continue
        first, last = max(span[0], since - recording.epoch), span[1]
        asked += max(0.0, last - first) / 3600
        if give_up():
            continue
        plans = remembered(plan_of(recording, before), store), remembered(plan_of(recording, after), store)
        warnings += missing_signals(store, recording, plans[1])
        stored = [kept.event for kept in store.every_event(recording=recording)]
        verdicts = {kept.id: str(kept.verdict) for kept in store.every_event(recording=recording) if kept.verdict is not None}
        end = last + 1e-3
        while end > first and not give_up():
            begin = max(first, end - WINDOW)
            result += _try_window(store, recording, plans, begin, end, stored, verdicts, give_up)
            end = begin
    return Lately(result, asked, tuple(dict.fromkeys(warnings)))


def _try_window(
    store: Store,
    recording: Recording,
    plans: tuple[CameraPlan, CameraPlan],
    begin: float,
    end: float,
    stored: list[Event],
    verdicts: Mapping[str, str],
    give_up: Callable[[], bool],
) -> Backtest:
    memory = max(recording.memory, *(plan.memory for plan in plans))
    kinds = {kind for plan in plans for kind in plan.kinds.values()}
    thinkers = [
        Analyst(recording.camera, recording.size, plan.behaviours, plan.rules, epoch=recording.epoch, memory=memory, beat=recording.beat)
        for plan in plans
    ]
    found: tuple[dict[str, Event], dict[str, Event]] = ({}, {})
    reached = begin
    sparse = kinds.isdisjoint(WHOLE_PICTURE)
    for number, observation in enumerate(store.observations(recording, begin - memory, end, sparse=sparse)):
        reached = max(reached, observation.time)
        for thinker, events in zip(thinkers, found, strict=True):
            for event in thinker.recall(observation).events:
                events[event.id] = event
        if number % 64 == 0 and give_up():
            break
    else:
        reached = end
    for thinker, events in zip(thinkers, found, strict=True):
        for event in thinker.finish():
            events[event.id] = event
    old, new = ([event for event in events.values() if event.start >= begin] for events in found)
    # Thought about from another moment on, an event may begin a fifth of a second off, and so have another id: people know the stored one.
    known = {again.id: kept.id for kept, again in compare([each for each in stored if begin <= each.start < end], old).kept}
    old, new = ([replace(event, id=known.get(event.id, event.id)) for event in events] for events in (old, new))
    comparison = compare(old, new)
    return Backtest((reached - begin) / 3600, comparison.kept, comparison.removed, comparison.added, verdicts)
