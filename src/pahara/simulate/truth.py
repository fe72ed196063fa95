"""What is really in each frame, and what really happened: Pahara's truth files."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pahara.core import SourceError

FORMAT, VERSION = "pahara-truth", 1
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sighting:
    """One object in one frame."""

    id: int
    label: str  # COCO's word: person, car, bicycle, backpack, handbag, suitcase; or trolley
    box: Box  # pixels, tight around the drawn outline (hidden parts included), cut to the picture
    visible: float  # share of the outline that is in the picture and not hidden by anything, 0..1
    keypoints: tuple[tuple[float, float, float], ...] = ()  # COCO-17; third: 1 seen, 0.5 hidden by something else, 0 outside the picture

    def plain(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.id, "label": self.label, "box": [round(v, 2) for v in self.box], "visible": round(self.visible, 3),
        }  # fmt: skip
        if self.keypoints:
            told["keypoints"] = [[round(x, 1), round(y, 1), c] for x, y, c in self.keypoints]
        return told


@dataclass(frozen=True)
class Incident:
    """Something that happened and that a right rule reports."""

    kind: str
    start: float  # seconds: when a rule with these settings can first know it
    end: float
    subjects: tuple[int, ...]  # ids, sorted; () for the camera itself
    box: Box  # pixels, around the subjects at `start`
    place: str = ""  # name of the zone or line
    rule: int = -1  # which of the script's rules, counted from 0
    detail: dict[str, Any] = field(default_factory=dict)  # what was measured, and the limit
    sure: bool = True  # far enough beyond the limit that every right rule fires

    def plain(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "start": round(self.start, 3), "end": round(self.end, 3), "subjects": list(self.subjects),
            "box": [round(v, 1) for v in self.box], "place": self.place, "rule": self.rule, "detail": self.detail, "sure": self.sure,
        }  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """A truth file's contents. Zones and lines are fractions of the picture."""

    name: str
    fps: float
    size: tuple[int, int]
    duration: float
    epoch: float  # UTC seconds of media time 0
    zones: dict[str, list[tuple[float, float]]]
    lines: dict[str, list[tuple[float, float]]]
    frames: Sequence[tuple[float, tuple[Sighting, ...]]]
    incidents: tuple[Incident, ...]
    rules: tuple[dict[str, Any], ...] = ()

    def plain(self) -> dict[str, Any]:
        return {
            "format": FORMAT, "version": VERSION, "name": self.name, "fps": self.fps, "size": list(self.size), "duration": round(self.duration, 3),
            "epoch": self.epoch, "zones": self.zones, "lines": self.lines, "rules": list(self.rules),
            "frames": [{"time": round(time, 4), "objects": [o.plain() for o in objects]} for time, objects in self.frames],
            "incidents": [i.plain() for i in self.incidents],
        }  # fmt: skip


def write_truth(truth: Truth, path: str | Path) -> None:
    """JSON, written beside and then moved into place, so that half a file never stands there."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(truth.plain(), out, separators=(",", ":"))
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def read_truth(path: str | Path) -> Truth:
    """A truth file; SourceError when it is none."""
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: the truth file cannot be read: {error}") from None
    except json.JSONDecodeError as error:
        raise SourceError(f"{path}, line {error.lineno}: this is no JSON: {error.msg}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise SourceError(f'{path}: this is no truth file of Pahara (it should begin with "format": "{FORMAT}")')
    if data.get("version") != VERSION:
        raise SourceError(f"{path}: truth version {data.get('version')!r} is not known here; this Pahara reads version {VERSION}")
    try:
        frames = [
            (
                float(f["time"]),
                tuple(
                    Sighting(o["id"], o["label"], tuple(o["box"]), o.get("visible", 1.0), tuple(tuple(k) for k in o.get("keypoints", ())))
                    for o in f["objects"]
                ),
            )
            for f in data["frames"]
        ]
        incidents = tuple(
            Incident(
                i["kind"], i["start"], i["end"], tuple(i["subjects"]), tuple(i["box"]), i.get("place", ""), i.get("rule", -1), i.get("detail", {}),
                i.get("sure", True),
            )
            for i in data["incidents"]
        )  # fmt: skip
        zones = {name: [tuple(p) for p in points] for name, points in data.get("zones", {}).items()}
        lines = {name: [tuple(p) for p in points] for name, points in data.get("lines", {}).items()}
        return Truth(
            data.get("name", path.stem), data["fps"], tuple(data["size"]), data["duration"], data["epoch"], zones, lines, frames, incidents,
            tuple(data.get("rules", ())),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # the last: a list where names should lead to values
        raise SourceError(f"{path}: the truth file is damaged: {error!r}") from None
