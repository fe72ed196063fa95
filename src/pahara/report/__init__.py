"""A run as one self-contained HTML page."""

from .collect import Background, SummaryCollector
from .html import render, write_report
from .summary import (
    Crossings,
    Drill,
    EventCard,
    FeetMap,
    RunFacts,
    RunSummary,
    SourceStats,
    Staged,
    TimeBins,
)

__all__ = [
    "Background", "Crossings", "Drill", "EventCard", "FeetMap", "RunFacts", "RunSummary", "SourceStats", "Staged",
    "SummaryCollector", "TimeBins", "render", "write_report",
]  # fmt: skip
