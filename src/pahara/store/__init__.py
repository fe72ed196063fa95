"""Events, trails and evidence that survive."""

from .database import DiskFullError
from .evidence import EvidenceFolder, Swept
from .records import Evidence, EvidenceKind, Recording, StoredEvent, Usage, Verdict
from .retention import Removed, Retention
from .store import Store

__all__ = [
    "DiskFullError", "Evidence", "EvidenceFolder", "EvidenceKind", "Recording", "Removed", "Retention", "Store", "StoredEvent", "Swept", "Usage",
    "Verdict",
]  # fmt: skip
