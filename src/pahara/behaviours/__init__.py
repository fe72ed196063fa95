"""Tracks -> scores over time: one behaviour per file, without state, without input or output."""

from .abandoned import Abandoned
from .anomaly import Anomaly
from .clip import Clip
from .crossing import Crossing
from .crowding import Crowding
from .falling import Falling
from .intrusion import Intrusion
from .learned import Action, Recogniser, Window
from .loitering import Loitering
from .removed import Removed
from .running import Running
from .schedule import ALWAYS, Hours, Schedule
from .tailgating import Tailgating
from .tamper import Tamper
from .wrong_way import WrongWay

__all__ = [
    "ALWAYS", "Abandoned", "Action", "Anomaly", "Clip", "Crossing", "Crowding", "Falling", "Hours", "Intrusion", "Loitering",
    "Recogniser", "Removed", "Running", "Schedule", "Tailgating", "Tamper", "Window", "WrongWay",
]  # fmt: skip
