"""What a changed configuration would have done on what was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from pahara.config import CameraPlan
from pahara.config.registry import names
from pahara.core import Event
from pahara.core.frozen import Frozen
from pahara.store import Recording, Store

from .replay import compare, events_of


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
