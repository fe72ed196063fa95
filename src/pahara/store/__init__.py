"""Events, trails and evidence that survive."""

from .coverage import Blind, Ledger
from .database import DiskFullError
from .evidence import EvidenceFolder, Swept
from .outbox import Delivery, Outbox, Wanted
from .records import Evidence, EvidenceKind, Recording, StoredEvent, Usage, Verdict
from .retention import Removed, Retention
from .store import Store

__all__ = [
    "Blind", "Delivery", "DiskFullError", "Evidence", "EvidenceFolder", "EvidenceKind", "Ledger", "Outbox", "Recording", "Removed", "Retention", "Store", "StoredEvent", "Swept", "Usage",
    "Verdict", "Wanted",
]  # fmt: skip
