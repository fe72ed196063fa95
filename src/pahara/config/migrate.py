"""Older files keep working: each function brings a file of one version to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pahara.core.errors import ConfigError

from .document import Map
from .model import VERSION
from .problems import did_you_mean

Migration = Any  # (data: Map) -> Map: changes or replaces the mapping of version n so that it is of version n + 1

# From version n to n + 1, by n. Version 1 is the first, so there is none yet. A function changes `data` in place
# where it can: the values that it leaves keep their line numbers.
MIGRATIONS: Mapping[int, Migration] = {}


def version_of(data: Map) -> int:
    """The version that a file says it is of; 1 where it says nothing. ConfigError when that is no version."""
    told = data.get("version", 1)
    if isinstance(told, bool) or not isinstance(told, int) or told < 1:
        raise ConfigError(f"'version' must be a whole number from 1 to {VERSION}, not {told!r:.40}")
    return told


def migrate(data: Map, *, to: int = VERSION, migrations: Mapping[int, Migration] = MIGRATIONS) -> Map:
    """The same configuration in the format of version `to`.

    ConfigError for a file that is newer than this program, or so old that its step is no longer known.
    """
    version = version_of(data)
    if version > to:
        raise ConfigError(
            f"the file is of version {version}, this program knows versions up to {to}. Update Pahara: pip install --upgrade pahara"
        )
    while version < to:
        if version not in migrations:
            known = did_you_mean(version, (str(n) for n in migrations))
            raise ConfigError(f"there is no way from version {version} to {version + 1}. {known}".rstrip(". ") + ".")
        data = migrations[version](data)
        version += 1
        data["version"] = version
    return data
