"""Who is looked at when pose may take only so many looks a second: the new ones first, then the most suspicious, then everybody in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isfinite

from pahara.core.frozen import Frozen

SUSPICIOUS = 0.25  # score from which somebody is looked at more often: half of the limit
CLOSE = 0.2  # seconds between two looks at one who is suspicious
BORROWED = 0.5  # seconds whose looks newcomers may have in advance
PATIENT = 4.0  # turns: who has waited this much longer than a fair share comes before the suspicious
TINY = 1e-6


@dataclass(frozen=True)
class Looks:
    """What is remembered between two choices."""

    time: float = float("-inf")  # media seconds of the last choice
    balance: float = 1.0  # looks that are due; below 0 after newcomers were looked at in advance
    spent: tuple[float, ...] = ()  # times of the looks of the last second
    last: Mapping[int, float] = field(default_factory=Frozen)  # id -> time of the last look at it
    met: Mapping[int, float] = field(default_factory=Frozen)  # id -> time when it was first offered
    busy: bool = False  # whether there was anybody to look at


NOBODY_YET = Looks()


@dataclass(frozen=True)
class PoseBudget:
    """At most `per_second` looks in any second, spread evenly; newcomers are looked at at once, in advance of half a second's looks.

    In order: whoever has never been looked at (who came first, first); whoever has waited `PATIENT` times a fair turn, the
    longest first, so that nobody starves; the suspicious (score >= `SUSPICIOUS`), the highest first, each at most every
    `CLOSE` seconds; everybody else, the one whose look is longest ago first. Nothing counts frames.
    """

    per_second: float = 10.0

    def __post_init__(self) -> None:
        if not (isfinite(self.per_second) and self.per_second > 0):
            raise ValueError(f"per_second is a number of looks above 0, got {self.per_second}")

    def choose(
        self, state: Looks, time: float, ids: Sequence[int], suspicion: Mapping[int, float] = Frozen(), *, alive: Sequence[int] = ()
    ) -> tuple[tuple[int, ...], Looks]:
        """Who of `ids` is looked at now, in order; and the state for the next time. `time` (media seconds) rises from call to call.

        `suspicion` is id -> highest score; `alive` are ids that are out of sight now and not forgotten.
        """
        rate = self.per_second
        passed = time - state.time
        if state.busy and passed <= 1.0:
            balance = min(state.balance, 1.0) + passed * rate
        else:  # what nobody needed is not saved
            balance = min(state.balance + passed * rate, 1.0)
        spent = tuple(at for at in state.spent if at > time - 1.0 + TINY)
        known = {*ids, *alive}
        met = {one: state.met.get(one, time) for one in ids} | {one: at for one, at in state.met.items() if one in known}
        last = {one: at for one, at in state.last.items() if one in known}
        new = sum(one not in last for one in set(ids))
        room = max(int(balance + TINY), min(new, int(balance + BORROWED * rate)))
        room = min(room, ceil(rate - TINY) - len(spent))
        chosen = tuple(self._order(time, ids, suspicion, last, met)[:room]) if room > 0 else ()
        last.update(dict.fromkeys(chosen, time))
        return chosen, Looks(time, balance - len(chosen), spent + (time,) * len(chosen), Frozen(last), Frozen(met), bool(ids))

    def _order(
        self, time: float, ids: Sequence[int], suspicion: Mapping[int, float], last: Mapping[int, float], met: Mapping[int, float]
    ) -> list[int]:
        fair = PATIENT * len(ids) / self.per_second

        def key(one: int) -> tuple[float, float, int]:
            if one not in last:
                return 0, met[one], one
            waited, score = time - last[one], suspicion.get(one, 0.0)
            if waited > fair:
                return 1, -waited, one
            if score >= SUSPICIOUS and waited >= CLOSE - TINY:
                return 2, -score, one
            return 3, -waited, one

        return sorted(dict.fromkeys(ids), key=key)
