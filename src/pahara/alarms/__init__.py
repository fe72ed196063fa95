"""Scores -> events: the only room that decides when to alert."""

from .rule import START, AlarmRule, AlarmState, Episode

__all__ = ["START", "AlarmRule", "AlarmState", "Episode"]
