"""One staged incident and what came of it, and how takes are kept in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pahara.core import ConfigError

from .realism import Sizes


@dataclass(frozen=True)
class Row:
    """One look of the detector at one staged person."""

    x: float  # foot point, fractions of the picture
    y: float
    height: float  # pixels
    confidence: float  # 0 where it was overlooked
    upright: bool = True  # False: a bag, or someone who has fallen


@dataclass(frozen=True)
class TakeResult:
    """One staged incident and what came of it."""

    kind: str
    behaviour: str
    seed: int
    state: str  # caught, missed, void (the footage itself raised this alarm), unstaged, or passing
    why: str = ""  # missed: rule, unseen or lost; unstaged: room, short, never or kind
    place: str = ""
    trick: str = ""
    begin: float = 0.0  # media seconds of the footage at which the take begins
    seconds: float = 0.0
    deed: float = 0.0  # seconds of the take
    due: float = 0.0
    alarm: float = float("nan")
    x: float = float("nan")  # where it happened: foot point, fractions of the picture
    y: float = float("nan")
    height: float = float("nan")  # pixels
    seen: float = float("nan")  # share of the detector's looks in which the subjects were found
    expected: bool = True  # whether the rule would tell it with perfect sight
    side: tuple[str, ...] = ()  # other alarms, explained neither by the footage nor by what was staged
    rows: tuple[Row, ...] = ()
    staged: Sizes | None = None  # of those who stay upright: how sure the detector was of them, as far as they were followed

    @property
    def key(self) -> tuple[str, str, int]:
        return self.kind, self.behaviour, self.seed

    @property
    def delay(self) -> float:
        """Seconds from the moment at which the rule could first know it."""
        return self.alarm - self.due

    @property
    def after_deed(self) -> float:
        """Seconds from the deed to the alarm: the rule's own waiting included."""
        return self.alarm - self.deed

    def plain(self) -> dict[str, Any]:
        told = {k: (None if isinstance(v, float) and v != v else v) for k, v in asdict(self).items() if k not in ("rows", "staged")}
        told["rows"] = [[round(r.x, 4), round(r.y, 4), round(r.height, 1), round(r.confidence, 3), int(r.upright)] for r in self.rows]
        if self.staged is not None:
            told["staged"] = [
                self.staged.who.tolist(),
                np.round(self.staged.heights, 1).tolist(),
                np.round(self.staged.confidence, 3).tolist(),
            ]
        return told

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> TakeResult:
        values: dict[str, Any] = {k: (float("nan") if v is None else v) for k, v in told.items()}
        values["rows"] = tuple(Row(x, y, height, confidence, bool(upright)) for x, y, height, confidence, upright in told["rows"])
        values["side"] = tuple(told["side"])
        if "staged" in told:
            who, heights, confidence = told["staged"]
            values["staged"] = Sizes(np.array(who, np.int64), np.array(heights, np.float64), np.array(confidence, np.float64))
        return cls(**values)


def read_takes(path: Path, mark: Mapping[str, Any]) -> list[TakeResult]:
    """The takes in a file that begins with `mark`; a line that was cut off is taken out, to be done again. ConfigError for another drill's."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        first = json.loads(lines[0]) if lines else {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise ConfigError(f"{path} cannot be read ({problem}); leave --resume out to begin anew") from problem
    differs = [name for name in mark if not isinstance(first, dict) or first.get(name) != mark[name]]
    if differs:
        raise ConfigError(f"{path} was made with another {differs[0]}: leave --resume out to begin anew, or choose another --out")
    found = []
    for line in lines[1:]:
        try:
            found.append(TakeResult.of(json.loads(line)))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError):
            break  # the line at which it was interrupted
    if len(found) < len(lines) - 1:  # what cannot be read is done again
        path.write_text("\n".join(lines[: len(found) + 1]) + "\n", encoding="utf-8")
    return found
