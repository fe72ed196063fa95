"""Opening a store that must be there already: a misspelt folder is an error, not a new store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pahara.core.errors import StoreError

if TYPE_CHECKING:
    from pahara.store import Store


def existing(where: str, *, media: Path | None = None) -> Store:
    """The store in a folder (an output folder of `pahara watch`) or behind a database URL; StoreError when there is none."""
    from pahara.store import Store

    if "://" not in where and not (Path(where).expanduser() / "pahara.db").is_file():
        raise StoreError(f"there is no store in {where}: `pahara watch SOURCE --out {where}` makes one")
    return Store.open(where, media=media if "://" in where else None)
