"""YAML -> frozen dataclasses, with the line and a suggestion when something is misspelt."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pahara.core import ConfigError

T = TypeVar("T")


class ScriptError(ConfigError):
    """A script of a staged scene says something that cannot be staged."""


def suggest(word: object, known: Sequence[str]) -> str:
    """ " Did you mean 'walk'?" or what there is."""
    near = get_close_matches(str(word), list(known), 1, 0.6)
    return f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(sorted(known))}."


def line_of(node: object, key: object = None) -> str:
    """ ", line 14" of a key or row in what ruamel.yaml read; "" where the value did not come from a file."""
    where = getattr(node, "lc", None)
    if where is None:
        return ""
    line = where.line
    try:
        if isinstance(node, Mapping) and key is not None:
            line = where.key(key)[0]
        elif isinstance(node, Sequence) and isinstance(key, int):
            line = where.item(key)[0]
    except (KeyError, IndexError, TypeError, AttributeError):
        pass
    return "" if line is None else f", line {line + 1}"


WHOLE = "the script"  # the path of the outermost record


def _below(path: str, key: object) -> str:
    return str(key) if path == WHOLE else f"{path}.{key}"


class Reader:
    """Builds values of annotated dataclasses from plain data; `name` is how errors call the script."""

    def __init__(self, name: str) -> None:
        self.name = name

    def fail(self, what: str, line: str = "") -> ScriptError:
        return ScriptError(f"{self.name}{line}: {what}")

    def record(self, cls: type[T], data: object, path: str, line: str = "") -> T:
        """One dataclass; unknown and missing keys are refused. A class may offer `read(reader, data, path, line)` for its short forms."""
        special = getattr(cls, "read", None)
        if special is not None:
            made: T = special(self, data, path, line)
            return made
        return self.plain_record(cls, data, path, line)

    def plain_record(self, cls: type[T], data: object, path: str, line: str = "") -> T:
        if not isinstance(data, Mapping):
            raise self.fail(f"{path} should have keys and values, not {data!r}", line)
        assert is_dataclass(cls)
        kinds = get_type_hints(cls)
        known = {field.name.rstrip("_"): field for field in fields(cls) if field.init}
        values: dict[str, Any] = {}
        for key, value in data.items():
            if key not in known:
                raise self.fail(f"{path} has no {key!r}.{suggest(key, tuple(known))}", line_of(data, key))
            field = known[key]
            values[field.name] = self.value(kinds[field.name], value, _below(path, key), line_of(data, key) or line)
        for key, field in known.items():
            if field.name not in values and field.default is MISSING and field.default_factory is MISSING:
                raise self.fail(f"{path} needs {key!r}", line_of(data) or line)
        try:
            return cls(**values)
        except ValueError as error:
            raise self.fail(f"{path}: {error}", line_of(data) or line) from None

    def value(self, kind: Any, data: object, path: str, line: str = "") -> Any:
        """One value of an annotated type."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Literal:
            if data in inner:
                return data
            raise self.fail(f"{path} cannot be {data!r}.{suggest(data, [str(i) for i in inner])}", line)
        if origin in (Union, types.UnionType):
            if data is None and type(None) in inner:
                return None
            return self.value(next(i for i in inner if i is not type(None)), data, path, line)
        if origin is tuple:
            if not isinstance(data, Sequence) or isinstance(data, str):
                raise self.fail(f"{path} should be a list, not {data!r}", line)
            if inner[-1] is Ellipsis:
                return tuple(self.value(inner[0], v, f"{path}[{i}]", line_of(data, i) or line) for i, v in enumerate(data))
            if len(data) != len(inner):
                raise self.fail(f"{path} should have {len(inner)} values, not {len(data)}", line)
            return tuple(self.value(k, v, f"{path}[{i}]", line) for i, (k, v) in enumerate(zip(inner, data, strict=True)))
        if origin is not None and issubclass(origin, Mapping):
            if not isinstance(data, Mapping):
                raise self.fail(f"{path} should have names and values, not {data!r}", line)
            return {str(k): self.value(inner[1], v, _below(path, k), line_of(data, k) or line) for k, v in data.items()}
        if is_dataclass(kind):
            assert isinstance(kind, type)
            return self.record(kind, data, path, line)
        return self._scalar(kind, data, path, line)

    def _scalar(self, kind: Any, data: object, path: str, line: str) -> Any:
        if kind is bool and isinstance(data, bool):
            return data
        if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
            if data != data or abs(data) == float("inf"):
                raise self.fail(f"{path} should be a finite number", line)
            return float(data)
        if kind is int and isinstance(data, int) and not isinstance(data, bool):
            return int(data)
        if kind is str and isinstance(data, str):
            return str(data)
        wanted = {bool: "yes or no (true or false)", float: "a number", int: "a whole number", str: "a word"}.get(kind, str(kind))
        raise self.fail(f"{path} should be {wanted}, not {data!r}", line)
