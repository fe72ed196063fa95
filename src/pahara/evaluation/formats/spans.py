"""A CSV of what is abnormal in which clip: ranges of frames, or of seconds."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .problems import TruthError

BY_FRAME = ("first_anomalous", "last_anomalous")  # counted from 1, both belong to it
BY_TIME = ("start", "end")  # seconds


@dataclass(frozen=True)
class Spans:
    """What is abnormal in one clip."""

    by_frame: bool  # (first, last) frame from 1, inclusive; else (start, end) in seconds
    ranges: tuple[tuple[float, float], ...]  # () nothing is

    def frames(self, times: Sequence[float] | NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) times of the clip's frames in seconds -> whether each is abnormal.

        >>> Spans(True, ((2, 3),)).frames([0.0, 0.1, 0.2, 0.3]).tolist()
        [False, True, True, False]
        """
        when = np.asarray(times, np.float64)
        at = np.arange(1, len(when) + 1) if self.by_frame else when
        abnormal = np.zeros(len(when), bool)
        for low, high in self.ranges:
            abnormal |= (at >= low) & (at <= high)
        return abnormal

    def seconds(self, times: Sequence[float] | NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
        """(start, end) in seconds of each range, for a clip whose frames come at `times`."""
        when = np.asarray(times, np.float64)
        if not self.by_frame or not len(when):
            return self.ranges
        rows = [(min(max(int(a), 1), len(when)) - 1, min(int(b), len(when)) - 1) for a, b in self.ranges]
        return tuple((float(when[a]), float(when[b])) for a, b in rows)


def read_spans(path: Path) -> Mapping[str, Spans]:
    """`clip,…,first_anomalous,last_anomalous` (frames) or `clip,…,start,end` (seconds); one row a range, empty cells: nothing.

    TruthError in one line for a file that is missing, no CSV of this kind, or holds a range that cannot be.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
            heads = tuple(rows[0]) if rows else ()
    except OSError as error:
        raise TruthError(f"cannot read the labels {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TruthError(f"{path} is no CSV file in UTF-8: {error}") from error
    columns = next((pair for pair in (BY_FRAME, BY_TIME) if set(pair) <= set(heads)), None)
    if "clip" not in heads or columns is None:
        raise TruthError(
            f"{path}: its first line should name clip,first_anomalous,last_anomalous (frames from 1) or clip,start,end (seconds),"
            f" not {','.join(map(str, heads)) or 'nothing'}"
        )
    found: dict[str, list[tuple[float, float]]] = {}
    for line, row in enumerate(rows, 2):
        name = (row["clip"] or "").strip()
        told = [(row[column] or "").strip() for column in columns]
        if not name:
            raise TruthError(f"{path}, line {line}: there is no clip's name")
        ranges = found.setdefault(name, [])
        if not any(told):
            continue
        try:
            low, high = float(told[0]), float(told[1])
        except ValueError:
            raise TruthError(
                f"{path}, line {line}: {columns[0]} and {columns[1]} should be two numbers, not {told[0]!r} and {told[1]!r}"
            ) from None
        if not (0 <= low <= high < float("inf")) or (columns is BY_FRAME and low < 1):
            raise TruthError(f"{path}, line {line}: from {low:g} to {high:g} is no range")
        ranges.append((low, high))
    return {name: Spans(columns is BY_FRAME, tuple(sorted(ranges))) for name, ranges in found.items()}
