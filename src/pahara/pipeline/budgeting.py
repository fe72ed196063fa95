"""One budget of alarms for a camera's rules and learned behaviours: what goes beyond it is kept, and nobody is told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pahara.alarms import AlarmBudget, BudgetState
from pahara.alarms.budget import DAY, USUAL, Alarm, Realised
from pahara.core import Event, StoreError
from pahara.store import Recording, Store, Wanted

CHANNEL = "budget"  # under this name the outbox remembers what was held back


class Budgeting:
    """Decides for each report of one recording whether someone is told; it remembers the camera's last week across restarts."""

    def __init__(self, budget: AlarmBudget, store: Store, recording: Recording) -> None:
        self.budget, self.store = budget, store
        self._shift = recording.epoch or recording.begun  # a film without a clock happens when it is watched
        self.state = self._remembered(recording)
        self.held: set[str] = set()  # ids of events of this watch that nobody was told of

    def decide(self, events: Sequence[Event]) -> None:
        """What began or ended at one moment; `held` grows."""
        if not events:
            return
        self.state, decisions = self.budget.step(self.state, events, time=self._shift + max(event.time for event in events))
        self.held |= {each.event.id for each in decisions if not each.told}

    def keep(self, event: Event) -> None:
        """The outbox learns that nobody is to be told of this one. StoreError when that cannot be kept."""
        now = self.store.clock()
        self.store.outbox.take_over(event, [Wanted(CHANNEL, now, state="dropped", why="over the alarm budget")], now)

    def realised(self) -> Realised:
        """What the budget has come to."""
        return self.budget.realised(self.state, time=self.state.time)

    def _remembered(self, recording: Recording) -> BudgetState:
        since = self._shift - max(USUAL, self.budget.period, DAY)
        alarms, began = [], self._shift
        with suppress(StoreError):
            for each in self.store.every_event(camera=recording.camera, since=since, until=self._shift):
                quiet = any(delivery.channel == CHANNEL for delivery in self.store.outbox.of_event(each.id))
                alarms.append(Alarm(each.start_utc, each.event.behaviour, not quiet))
            earlier = [one.epoch or one.begun for one in self.store.recordings(camera=recording.camera)]
            began = min([time for time in earlier if since <= time <= self._shift], default=self._shift)
        return BudgetState.of(began, alarms)


__all__ = ["CHANNEL", "Budgeting"]
