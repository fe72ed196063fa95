"""Weeks before a camera without pixels: people with habits, a detector with flaws, and staged incidents with a known cause."""

from .days import MONDAY, Day, simulate_day, simulate_incident
from .place import Site, Way, random_site
from .seen import Seeing, Seen
from .staged import CAUSES, Staged

__all__ = ["CAUSES", "MONDAY", "Day", "Seeing", "Seen", "Site", "Staged", "Way", "random_site", "simulate_day", "simulate_incident"]
