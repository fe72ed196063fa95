"""Turns a validator's errors into sentences with a line number."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Union

from pydantic import BaseModel, ValidationError

from .document import describe, locate
from .problems import Problem, did_you_mean
from .secrets import Secret, shown

Steps = tuple[int | str, ...]  # from the root of the document to a value

_NAMES = {
    "Config": "the file",
    "Camera": "a camera",
    "Line": "a line",
    "StorePart": "'store'",
    "WebPart": "'web'",
    "EvidencePart": "'evidence'",
    "RecordingPart": "'recording'",
    "Defaults": "'defaults'",
    "BehaviourChoice": "a behaviour",
    "DetectorChoice": "'detector'",
    "PoseChoice": "'pose'",
    "TrackerChoice": "'tracker'",
    "GateChoice": "'gate'",
    "Hours": "a schedule",
    "AlarmRule": "'alarm'",
}
_BANGLA_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


@dataclass(frozen=True)
class Teller:
    """Makes problems of one file."""

    data: Any  # the document with its marks
    file: str = ""

    def at(self, path: Steps, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """A problem of the value (or the key) at `path`. Secrets that stand there are told as they stand in the file."""
        mark = locate(self.data, path, key=key)
        value = _at(self.data, _existing(self.data, path))
        return Problem(_one_line(_scrub(message, value)), _one_line(_scrub(hint, value)), self.file, *mark)

    def tell(self, error: ValidationError, model: type[BaseModel], *, under: Steps = (), called: str = "") -> list[Problem]:
        """Every error of one validation. `under` is the place of the validated value, `called` what it is called."""
        found: dict[tuple[Steps, bool], list[tuple[str, str]]] = {}
        for each in error.errors(include_url=False):
            relative = each["loc"]
            path = _existing(self.data, (*under, *relative))
            message, hint = self._words(each, model, path, called)
            about_key = each["type"] in ("extra_forbidden", "invalid_key") or relative[-1:] == ("[key]",)
            if each["type"] == "plug_in":
                path = _named_option(_at(self.data, path), message, path)
            found.setdefault((path, about_key), []).append((message, hint))
        return [self.at(path, *_joined(told), key=about_key) for (path, about_key), told in found.items()]

    def _words(self, error: Any, model: type[BaseModel], path: Steps, called: str) -> tuple[str, str]:
        kind, context, relative = error["type"], error.get("ctx", {}), error["loc"]
        value, name = _at(self.data, path), _subject(path)
        if kind in ("said", "place", "plug_in"):
            return str(context.get("said", "")), str(context.get("hint", ""))
        if kind == "extra_forbidden":
            known, title = _known(model, relative[:-1])
            owner = called if called and len(relative) == 1 else _NAMES.get(title, f"'{title}'")
            return f"{owner} has no '{relative[-1]}'", did_you_mean(relative[-1], known)
        if kind in ("missing", "missing_argument"):
            missing = relative[-1] if relative else ""
            if isinstance(missing, int):
                return f"{_subject(path)} is too short", "A point is two numbers: [x, y]"
            _, title = _known(model, relative[:-1])
            owner = called if called and len(relative) == 1 else _NAMES.get(title, f"'{title}'")
            near = get_close_matches(str(missing), [str(key) for key in value], n=1) if isinstance(value, Mapping) else []
            return f"{owner} needs '{missing}'", f"Is '{near[0]}' meant to be it?" if near else ""
        wanted, hint = _wanted(kind, context, value, error["msg"])
        return f"{name} must {wanted}, not {_show(value)}", hint


def _wanted(kind: str, context: Mapping[str, Any], value: object, message: str) -> tuple[str, str]:
    """What a value must be, and what to try."""
    if kind.startswith(("float", "int", "number", "decimal", "finite")):
        words = "be a whole number" if kind.startswith("int") else "be a number"
        latin = value.translate(_BANGLA_DIGITS) if isinstance(value, str) else ""
        return words, f"Write it with English digits: {latin}" if latin and latin != value else ""
    if kind.startswith("string"):
        is_plain = isinstance(value, int | float | bool)
        return "be a text", f'Put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"' if is_plain else ""
    if kind.startswith("bool"):
        return "be true or false", ""
    if kind in ("literal_error", "enum"):
        expected = str(context.get("expected", ""))
        choices = re.findall(r"'([^']*)'", expected)
        near = did_you_mean(value, choices, otherwise=" ") if isinstance(value, str) and choices else ""
        return f"be {expected}", near.strip()
    if kind.startswith(("list", "tuple", "set", "iterable", "frozen_set")):
        return "be a list", ""
    if kind.startswith(("dict", "model", "mapping", "dataclass")):
        return "be a mapping (key: value)", ""
    if kind == "too_long":
        return f"have {context.get('max_length')} items", ""
    limits = {
        "greater_than": ("more than", "gt"),
        "greater_than_equal": ("at least", "ge"),
        "less_than": ("less than", "lt"),
        "less_than_equal": ("at most", "le"),
    }
    if kind in limits:
        words, key = limits[kind]
        limit = context[key]
        return f"be {words} {limit:g}" if isinstance(limit, int | float) else f"be {words} {limit}", ""
    return "be valid", re.sub(r"^Input should be", "It should be", message)


def _joined(told: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The branches of a union as one sentence: "must be a whole number or a list"."""
    if len(told) == 1:
        return told[0]
    split = [re.fullmatch(r"(.*) must (.*), not (.*)", message, re.DOTALL) for message, _ in told]
    plain = [found for found in split if found]
    if len(plain) < len(told):
        return told[0]
    wants = list(dict.fromkeys(found[2] for found in plain))
    return f"{plain[0][1]} must be {' or '.join(want.removeprefix('be ') for want in wants)}, not {plain[0][3]}", next(
        (hint for _, hint in told if hint), ""
    )


def _existing(data: Any, path: Steps) -> Steps:
    """The steps of `path` that lead to something; a union's branch names and the like are left out."""
    kept: list[int | str] = []
    for step in path:
        if isinstance(data, Mapping) and step in data:
            data = data[str(step)]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        kept.append(step)
    return tuple(kept)


def _at(data: Any, path: Iterable[int | str]) -> Any:
    for step in path:
        data = data[step]
    return data


def _subject(path: Steps) -> str:
    """What a value is called: 'seconds', or item 2 of 'corners'."""
    if not path:
        return "the file"
    items: list[str] = []
    for step in reversed(path):
        if isinstance(step, str):
            return " of ".join([*items, f"'{step}'"])
        items.append(f"item {step + 1}")
    return " of ".join(items)


def _show(value: object) -> str:
    if isinstance(value, str):
        text = shown(value)
        return f"'{text[:60]}…'" if len(text) > 60 else f"'{text}'"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            f"{value:g}"
            if abs(value) < 1e15
            else f"{value:.3g}"
            if isinstance(value, float) or value.bit_length() < 1000
            else "a huge number"
        )
    return describe(value)


def _named_option(value: object, message: str, path: Steps) -> Steps:
    """Where a plug-in complains of one of its options by name, that option's place."""
    if isinstance(value, Mapping):
        for key in value:
            if re.search(rf"(?<!\w){re.escape(str(key))}(?!\w)", message):
                return (*path, key)
    return path


def _secrets(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        yield from _secrets(each)


def _one_line(message: str) -> str:
    """A name in the file may hold a line break; a message never does."""
    return message if message.isprintable() else " ".join(message.split())


def _scrub(message: str, value: object) -> str:
    """A sentence may quote what it was given: secrets are put back as they stand in the file."""
    for secret in sorted(_secrets(value), key=len, reverse=True):
        word = str.__str__(secret)
        for told in (word, repr(word)[1:-1]):
            if len(told) > 3:
                message = message.replace(told, secret.shown)
            elif told:  # so short that it is a part of many words
                message = message.replace(f"'{told}'", f"'{secret.shown}'")
    return message


def _known(model: type[BaseModel], path: Iterable[int | str]) -> tuple[list[str], str]:
    """Which keys the mapping at `path` may have, and what its model is called."""
    hint: Any = model
    for step in path:
        hint = _child(hint, step)
    parts = [each for each in _members(hint) if isinstance(each, type) and issubclass(each, BaseModel)]
    if not parts:
        return [], ""
    return [field.alias or name for name, field in parts[0].model_fields.items()], parts[0].__name__


def _child(hint: Any, step: int | str) -> Any:
    for each in _members(hint):
        origin, arguments = typing.get_origin(each), typing.get_args(each)
        if isinstance(each, type) and issubclass(each, BaseModel):
            for name, field in each.model_fields.items():
                if step in (field.alias, name):
                    return field.annotation
        elif origin is dict and isinstance(step, str):
            return arguments[1]
        elif origin in (list, tuple) and isinstance(step, int):
            return arguments[0] if len(arguments) != 2 or arguments[1] is Ellipsis else arguments[min(step, 1)]
    return hint


def _members(hint: Any) -> list[Any]:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _members(typing.get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return [member for each in typing.get_args(hint) for member in _members(each)]
    return [hint]
