"""The names of one camera -> its zones, lines, behaviours and alarm rules, with every problem on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pahara.alarms import AlarmRule
from pahara.core import Behaviour, Tripwire, Zone
from pahara.core.errors import ConfigError

from .model import Corners, Line, line_mapping
from .options import Places, adapter_of, checker_of, given, model_of, options_of
from .problems import Problem, sentences
from .registry import Plugin, find
from .telling import Steps, Teller

OWN_KEYS = ("kind", "name", "alarm")  # of every entry; the rest are the behaviour's options
_corners: TypeAdapter[Any] = TypeAdapter(Corners)
_line: TypeAdapter[Any] = TypeAdapter(Line)


@dataclass
class Resolved:
    """What a camera looks for, and where."""

    zones: dict[str, Zone] = field(default_factory=dict)
    lines: dict[str, Tripwire] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)  # by name
    rules: dict[str, AlarmRule] = field(default_factory=dict)  # by the behaviour's name
    places: dict[str, Steps] = field(default_factory=dict)  # of the entries, by the behaviour's name
    problems: list[Problem] = field(default_factory=list)


def draw(zones: object, lines: object, *, camera: str = "", timezone: str = "local", folder: Path | None = None) -> Places:
    """The places of a camera. What is drawn wrongly is left out silently: the format's own check tells of it."""
    good_zones: dict[str, Zone] = {}
    good_lines: dict[str, Tripwire] = {}
    broken = set()
    for name, value in zones.items() if isinstance(zones, Mapping) else ():
        try:
            good_zones[str(name)] = Zone(str(name), _corners.validate_python(value))
        except ValueError:
            broken.add(str(name))
    for name, value in lines.items() if isinstance(lines, Mapping) else ():
        try:
            line = value if isinstance(value, Line) else _line.validate_python(line_mapping(value))
            good_lines[str(name)] = Tripwire(str(name), line.start, line.end)
        except ValueError:
            broken.add(str(name))
    unreadable = any(each is not None and not isinstance(each, Mapping) for each in (zones, lines))
    return Places(camera, good_zones, good_lines, timezone, frozenset(broken), anywhere=unreadable, folder=folder or Path())


def resolve(entries: Sequence[Any], places: Places, teller: Teller, *, under: Steps = ()) -> Resolved:
    """Behaviours and rules of one camera from the entries of its list, which stands at `under` in the file.

    An entry that is no mapping with a kind is left to the format's own check.
    """
    found = Resolved(dict(places.zones), dict(places.lines))
    taken: dict[str, Steps] = {}
    for index, written in enumerate(entries):
        path = (*under, index)
        entry = {"kind": written} if isinstance(written, str) else written
        if not isinstance(entry, Mapping) or not isinstance(entry.get("kind"), str):
            continue
        kind = str(entry["kind"])
        try:
            plug_in = find("behaviours", kind)
            model = model_of(plug_in)
        except ConfigError as error:
            found.problems.append(teller.at((*path, "kind"), *sentences(error)))
            continue
        name = _name(entry, kind, plug_in)
        if name in taken:
            hint = f"Give one of them a name of its own, e.g. `name: {name}-2`"
            found.problems.append(teller.at((*path, "name") if entry.get("name") else path, f"two behaviours are called '{name}'", hint))
        taken[name] = found.places[name] = path
        try:
            behaviour = adapter_of(plug_in).validate_python({k: v for k, v in entry.items() if k not in OWN_KEYS}, context=places)
            found.behaviours[name] = behaviour
        except ValidationError as error:
            found.problems += teller.tell(error, model, under=path, called=kind)
        rule = _rule(entry.get("alarm"), plug_in, found.problems, teller, (*path, "alarm"))
        if rule is not None:
            found.rules[name] = rule
    return found


def check_options(group: str, kind: str, options: Mapping[str, Any], teller: Teller, under: Steps) -> tuple[dict[str, Any], list[Problem]]:
    """The options of a detector or tracker without making it -> by its own field names, and the problems."""
    try:
        plug_in = find(group, kind)
        return _checked(plug_in, options, teller, under, kind)
    except ConfigError as error:
        return {}, [teller.at((*under, "kind"), *sentences(error))]


def check_plug_in(
    plug_in: Plugin, options: Mapping[str, Any], teller: Teller, under: Steps, called: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The same for a class that is at hand."""
    return _checked(plug_in, options, teller, under, called)


def _checked(
    plug_in: Plugin, options: Mapping[str, Any], teller: Teller, under: Steps, called: str
) -> tuple[dict[str, Any], list[Problem]]:
    try:
        return given(checker_of(plug_in).validate_python(dict(options))), []
    except ValidationError as error:
        return {}, teller.tell(error, model_of(plug_in), under=under, called=called)


def _rule(written: Any, plug_in: Plugin, problems: list[Problem], teller: Teller, path: Steps) -> AlarmRule | None:
    """The alarm rule: the plug-in's defaults, with what was written on top."""
    if written is None:
        written = {}
    if not isinstance(written, Mapping):
        return None
    defaults: Mapping[str, float] = getattr(plug_in, "alarm_defaults", {})
    try:
        rule: AlarmRule = adapter_of(AlarmRule).validate_python({**defaults, **written})
        return rule
    except ValidationError as error:
        problems += teller.tell(error, model_of(AlarmRule), under=path, called="'alarm'")
        return None


def _name(entry: Mapping[str, Any], kind: str, plug_in: Plugin) -> str:
    """The given name, else the kind and the first place that it is about."""
    if isinstance(name := entry.get("name"), str) and name:
        return name
    for option in options_of(plug_in):
        place = entry.get(option.key)
        if option.hint in (Zone, Tripwire) and isinstance(place, str) and place:
            return f"{kind}-{place}"
    return kind


__all__ = ["OWN_KEYS", "Resolved", "check_options", "check_plug_in", "draw", "resolve"]
