"""Events, trails and evidence that survive."""

from .accounts import ROLES, Accounts, Role, User
from .coverage import Blind, Ledger
from .database import DiskFullError
from .evidence import EvidenceFolder, Swept
from .outbox import Delivery, Outbox, Wanted
from .records import Evidence, EvidenceKind, Recording, StoredEvent, Usage, Verdict
from .retention import Removed, Retention
from .store import Store

__all__ = [
    "ROLES", "Accounts", "Blind", "Delivery", "DiskFullError", "Evidence", "EvidenceFolder", "EvidenceKind", "Ledger", "Outbox", "Recording", "Removed", "Retention", "Role", "Store", "StoredEvent", "Swept", "Usage", "User",
    "Verdict", "Wanted",
]  # fmt: skip
