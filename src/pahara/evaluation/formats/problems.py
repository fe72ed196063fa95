"""What is wrong with a file of truth or results, told in one line with its place."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pahara.core import PaharaError

BIGGEST = 1e7  # no pixel, frame number or identity of a sane file lies beyond; it keeps sums exact


class TruthError(PaharaError):
    """A file of ground truth or results cannot be used."""


def read_text(path: Path) -> str:
    """The file's text; TruthError when there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TruthError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise TruthError(f"{path}: this is a folder, not a file; name the file in it") from None
    except PermissionError:
        raise TruthError(f"{path}: you may not read this file; check its permissions") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise TruthError(f"{path}: the file cannot be read as text ({error})") from None


def read_json(path: Path) -> Any:
    """The file's JSON; TruthError with the line when it is none."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise TruthError(f"{path}, line {error.lineno}: this is not JSON ({error.msg})") from None
    except (RecursionError, ValueError) as error:
        raise TruthError(f"{path}: this JSON cannot be read ({error})") from None


def number(value: object, what: str, where: str, *, low: float = -BIGGEST, high: float = BIGGEST) -> float:
    """A finite number within limits, from text or JSON; TruthError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TruthError(f"{where}: {what} should be a number, not {_short(value)}")
    try:
        result = float(value)
    except (ValueError, OverflowError):
        raise TruthError(f"{where}: {what} should be a number, not {_short(value)}") from None
    if not (math.isfinite(result) and low <= result <= high):
        raise TruthError(f"{where}: {what} should lie between {low:g} and {high:g}, not {_short(value)}")
    return result


def whole(value: object, what: str, where: str, *, low: float = -BIGGEST, high: float = BIGGEST) -> int:
    """A whole number ("3" or "3.0") within limits; TruthError otherwise."""
    result = number(value, what, where, low=low, high=high)
    if result != int(result):
        raise TruthError(f"{where}: {what} should be a whole number, not {_short(value)}")
    return int(result)


def items(value: object, what: str, where: str, *, length: int | None = None) -> list[Any]:
    """A JSON list, of `length` when given; TruthError otherwise."""
    if not isinstance(value, list) or (length is not None and len(value) != length):
        told = "a list" if length is None else f"a list of {length}"
        raise TruthError(f"{where}: {what} should be {told}, not {_short(value)}")
    return value


def mapping(value: object, what: str, where: str) -> dict[str, Any]:
    """A JSON object; TruthError otherwise."""
    if not isinstance(value, dict):
        raise TruthError(f"{where}: {what} should be an object, not {_short(value)}")
    return value


def text(value: object, what: str, where: str) -> str:
    """A JSON string; TruthError otherwise."""
    if not isinstance(value, str):
        raise TruthError(f"{where}: {what} should be text, not {_short(value)}")
    return value


def field(record: dict[str, Any], name: str, where: str) -> Any:
    """record[name]; TruthError when it is missing."""
    if name not in record:
        raise TruthError(f"{where}: {name!r} is missing")
    return record[name]


def _short(value: object) -> str:
    told = repr(value)
    return told if len(told) <= 40 else told[:37] + "..."
