"""Scores over time -> events: the only place that decides when to alert."""
