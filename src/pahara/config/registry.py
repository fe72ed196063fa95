"""Names in a configuration -> classes, through the entry points of installed packages.

Built-ins come through the same door as a stranger's plug-in (pyproject.toml, `[project.entry-points."pahara.…"]`).
A configuration can name only what is registered by an installed package: never a module, a file or a command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pahara.core.errors import ConfigError

from .problems import did_you_mean

# group of entry points -> what one of its members is called in a message
GROUPS: Mapping[str, str] = {
    "behaviours": "behaviour",
    "detectors": "detector",
    "signals": "signal",
    "trackers": "tracker",
    "notifiers": "notifier",
}

Plugin = Callable[..., Any]  # a frozen dataclass, or a function whose parameters are its options


@cache
def _registered(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    if group not in GROUPS:
        raise LookupError(f"no plug-in group {group!r}; there are {', '.join(GROUPS)}")
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=f"pahara.{group}"):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def names(group: str) -> tuple[str, ...]:
    """What is registered in a group ("behaviours", "detectors" …), in alphabetical order. Imports none of it."""
    return tuple(sorted(_registered(group)))


@cache
def find(group: str, name: str) -> Plugin:
    """The plug-in of that name; ConfigError when there is none, when two packages claim it, or when it cannot be imported.

    A built-in name cannot be taken over by another package.
    """
    word, known = GROUPS[group], _registered(group)
    if not known:
        raise ConfigError(f"no {word} is registered at all. Is Pahara installed? Try `pip install -e .` or `pip install pahara`")
    if name not in known:
        raise ConfigError(f"no {word} named '{name}'. {did_you_mean(name, known)}")
    claims = {entry.value: entry for entry in known[name]}
    own = [entry for entry in claims.values() if _is_own(entry)]
    if len(claims) > 1 and not own:
        raise ConfigError(f"two packages claim the {word} '{name}': {' and '.join(sorted(map(_package, claims.values())))}. Remove one")
    entry = own[0] if own else next(iter(claims.values()))
    try:
        plug_in = entry.load()
    except Exception as error:  # a stranger's module may fail in any way; its user needs the name
        raise ConfigError(f"the {word} '{name}' of {_package(entry)} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(plug_in):
        raise ConfigError(f"the {word} '{name}' of {_package(entry)} is no class and no function: {entry.value}")
    made: Plugin = plug_in
    return made


def is_built_in(group: str, name: str) -> bool:
    """Whether the name belongs to Pahara itself."""
    return any(_is_own(entry) for entry in _registered(group).get(name, ()))


def _is_own(entry: EntryPoint) -> bool:
    return entry.dist is not None and entry.dist.name == "pahara"


def _package(entry: EntryPoint) -> str:
    return f"the package '{entry.dist.name}'" if entry.dist else f"'{entry.value}'"
