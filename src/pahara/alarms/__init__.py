"""Scores -> events: the only room that decides when to alert."""

from .budget import UNSPENT, Alarm, AlarmBudget, BudgetState, Decision, Realised
from .rule import START, AlarmRule, AlarmState, Episode

__all__ = [
    "START", "UNSPENT", "Alarm", "AlarmBudget", "AlarmRule", "AlarmState", "BudgetState", "Decision", "Episode", "Realised",
]  # fmt: skip
