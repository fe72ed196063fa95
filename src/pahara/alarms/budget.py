"""One budget of alarms a day for a whole camera: the important ones are told, the others kept quietly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import floor, isfinite
from typing import Literal

from pahara.core import Event

DAY = 86400.0
USUAL = 7 * DAY  # seconds from which it is known how many alarms are usual
TINY = 1e-6

Why = Literal["room", "always", "reserved", "spent"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of the past."""

    time: float  # UTC seconds
    behaviour: str
    told: bool  # False: held back


@dataclass(frozen=True, slots=True)
class BudgetState:
    """All that the budget remembers of one camera. `began` is not a number until the first step."""

    began: float = float("nan")  # UTC seconds of the first step
    time: float = float("-inf")  # UTC seconds of the last one
    alarms: tuple[Alarm, ...] = ()  # of the last days, oldest first
    quiet: frozenset[str] = frozenset()  # ids of events that were held back and have not ended
    told: int = 0  # ever
    held: int = 0  # ever

    @classmethod
    def of(cls, began: float, alarms: Iterable[Alarm], quiet: Iterable[str] = ()) -> BudgetState:
        """From what the store kept, after a restart: `alarms` in any order."""
        known = tuple(sorted(alarms, key=lambda alarm: alarm.time))
        told = sum(alarm.told for alarm in known)
        return cls(began, known[-1].time if known else began, known, frozenset(quiet), told, len(known) - told)


UNSPENT = BudgetState()


@dataclass(frozen=True, slots=True)
class Decision:
    """One event and what becomes of it. A held event is stored like any other, only nobody is told of it."""

    event: Event
    told: bool
    why: Why  # "room": the budget had room; "always": it may not be held back; "reserved": the room left is kept for what matters more; "spent"


@dataclass(frozen=True, slots=True)
class Realised:
    """What the budget came to, beside what was asked for."""

    budget: float  # alarms a day
    told: float  # a day
    held: float  # a day
    days: float  # that this was counted over, at most a week

    @property
    def ratio(self) -> float:
        """Told ÷ stated."""
        return self.told / self.budget


@dataclass(frozen=True)
class AlarmBudget:
    """At most `per_day` alarms in any day (in any week for 1/week), whatever rules and learned behaviours find.

    `first` names behaviours in order of importance; whoever is not named comes after them, all alike. Room is kept for what
    matters more: as many alarms as the more important ones usually raise in a day (counted over the last week) and have not
    raised yet. `always` names behaviours that are told even when nothing is left; they count all the same.
    """

    per_day: float
    first: tuple[str, ...] = ()
    always: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (isfinite(self.per_day) and self.per_day > 0):
            raise ValueError(f"a budget is a number of alarms a day above 0, got {self.per_day}")
        for name, given in (("first", self.first), ("always", self.always)):
            if isinstance(given, str) or len(set(given)) != len(given):
                raise ValueError(f"{name} is a list of different behaviours, got {given!r}")

    @property
    def period(self) -> float:
        """Seconds in which the budget is kept: a day, or as long as one alarm has to last."""
        return DAY * max(1.0, 1.0 / self.per_day)

    @property
    def most(self) -> int:
        """Alarms told in any such period."""
        return max(floor(self.per_day * self.period / DAY + TINY), 1)

    def rank(self, behaviour: str) -> int:
        """0 is the most important."""
        return self.first.index(behaviour) if behaviour in self.first else len(self.first)

    def step(self, state: BudgetState, events: Sequence[Event], *, time: float) -> tuple[BudgetState, tuple[Decision, ...]]:
        """What happened at one moment (`time`: UTC seconds) -> a decision for every event, in the order given.

        Of several that begin at once the important ones come first, then the stronger. The end of an event is told when its
        beginning was. The same state and events give the same answer.
        """
        if state.began != state.began:
            state = replace(state, began=time)
        time = max(time, state.time)
        oldest = time - max(USUAL, self.period) - TINY
        state = replace(state, time=time, alarms=tuple(alarm for alarm in state.alarms if alarm.time > oldest))
        decided: dict[int, Decision] = {}
        in_turn = sorted(range(len(events)), key=lambda i: (self.rank(events[i].behaviour), -events[i].peak, events[i].id))
        for i in in_turn:
            event = events[i]
            if event.phase == "ended":
                decided[i] = Decision(event, event.id not in state.quiet, "spent" if event.id in state.quiet else "room")
                state = replace(state, quiet=state.quiet - {event.id})
                continue
            why = self._room(state, event.behaviour, time)
            told = why in ("room", "always")
            decided[i] = Decision(event, told, why)
            state = replace(
                state,
                alarms=(*state.alarms, Alarm(time, event.behaviour, told)),
                quiet=state.quiet if told else state.quiet | {event.id},
                told=state.told + told,
                held=state.held + (not told),
            )
        return state, tuple(decided[i] for i in range(len(events)))

    def left(self, state: BudgetState, behaviour: str, *, time: float) -> int:
        """Alarms that this behaviour may still raise now; 0: it is held back."""
        recent = [alarm for alarm in state.alarms if alarm.told and alarm.time > time - self.period + TINY]
        return max(self.most - len(recent) - self._reserved(state, self.rank(behaviour), time), 0)

    def realised(self, state: BudgetState, *, time: float) -> Realised:
        """Alarms a day of the last week (of the last period, if that is longer), told and held."""
        if state.began != state.began:
            return Realised(self.per_day, 0.0, 0.0, 0.0)
        seconds = max(min(time - state.began, max(USUAL, self.period)), 0.0)
        days = max(seconds / DAY, 1.0)  # the first day is not over: what came so far is what came of it
        recent = [alarm for alarm in state.alarms if alarm.time > time - max(USUAL, self.period)]
        told = sum(alarm.told for alarm in recent)
        return Realised(self.per_day, told / days, (len(recent) - told) / days, seconds / DAY)

    # ------------------------------------------------------------------ inside

    def _room(self, state: BudgetState, behaviour: str, time: float) -> Why:
        if behaviour in self.always:
            return "always"
        if self.left(state, behaviour, time=time):
            return "room"
        recent = sum(alarm.told and alarm.time > time - self.period + TINY for alarm in state.alarms)
        return "spent" if recent >= self.most else "reserved"

    def _reserved(self, state: BudgetState, rank: int, time: float) -> int:
        """Alarms that the more important ones usually raise in a period and have not raised in this one."""
        watched = min(time - state.began, max(USUAL, self.period))
        if not watched >= DAY:
            return 0  # nobody knows yet what is usual
        missing = 0.0
        for above in range(rank):  # what one brings too often does not stand for what another still will
            its = [alarm.time for alarm in state.alarms if self.rank(alarm.behaviour) == above]
            usual = len(its) * self.period / max(watched, self.period)
            missing += max(usual - sum(time_of > time - self.period + TINY for time_of in its), 0.0)
        return min(floor(missing + 0.5), self.most - 1)  # one of a period is left for the others
