"""Pahara's own truth: what is in each frame of a staged scene, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..alarms import Incident
from ..annotations import Annotations
from .problems import TruthError, field, items, mapping, number, read_json, text, whole

FORMAT, VERSION = "pahara-truth", 1


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A truth file, as measuring needs it."""

    boxes: Annotations  # frame f (from 0) is at `times[f]`
    visible: NDArray[np.float64]  # (n,) share of each box's object that can be seen, 0..1
    keypoints: NDArray[np.float64]  # (n, 17, 3) x, y, confidence; 0 where the file has none
    times: NDArray[np.float64]  # (frames,) seconds
    incidents: tuple[Incident, ...]
    size: tuple[int, int]  # width, height in pixels
    fps: float
    duration: float  # seconds
    epoch: float  # UTC seconds of media time 0

    def seen(self, least: float = 0.25) -> Annotations:
        """The boxes, those less visible than `least` to be ignored: nobody has to find what cannot be seen."""
        return Annotations.of(
            self.boxes.frames, self.boxes.boxes, ids=self.boxes.ids, labels=self.boxes.labels,
            ignore=self.boxes.ignore | (self.visible < least), names=self.boxes.names,
        )  # fmt: skip


def read_truth(path: str | Path) -> Truth:
    """A "pahara-truth" file of version 1; TruthError with the frame or incident that is wrong."""
    path = Path(path)
    data = mapping(read_json(path), "the file", str(path))
    if data.get("format") != FORMAT:
        raise TruthError(f'{path}: this is no truth file of Pahara: it should say "format": "{FORMAT}"')
    if data.get("version") != VERSION:
        raise TruthError(f"{path}: this reads version {VERSION} of truth files, not {data.get('version')!r}; update Pahara")
    here = str(path)
    times: list[float] = []
    frames, ids, boxes, labels, visible, keypoints = [], [], [], [], [], []
    names: dict[str, int] = {}
    for row, frame in enumerate(items(field(data, "frames", here), "frames", here)):
        where = f"{path}, frame {row}"
        frame = mapping(frame, "it", where)
        times.append(number(field(frame, "time", where), "the time", where))
        if row and times[-1] <= times[-2]:
            raise TruthError(f"{where}: its time {times[-1]:g} is not after the one before, {times[-2]:g}")
        for record in items(field(frame, "objects", where), "objects", where):
            record = mapping(record, "an object", where)
            frames.append(row)
            ids.append(whole(field(record, "id", where), "the id", where))
            labels.append(names.setdefault(text(field(record, "label", where), "the label", where), len(names)))
            boxes.append([number(v, "the box", where) for v in items(field(record, "box", where), "the box", where, length=4)])
            visible.append(number(record.get("visible", 1.0), "visible", where, low=0, high=1))
            joints = np.zeros((17, 3))
            if record.get("keypoints"):
                for joint, point in enumerate(items(record["keypoints"], "keypoints", where, length=17)):
                    joints[joint] = [number(v, "a keypoint", where) for v in items(point, "a keypoint", where, length=3)]
            keypoints.append(joints)
    width, height = (whole(v, "the size", here, low=1) for v in items(field(data, "size", here), "the size", here, length=2))
    return Truth(
        Annotations.of(frames, boxes, ids=ids, labels=labels, names=tuple(names)),
        np.array(visible, np.float64),
        np.array(keypoints, np.float64).reshape(-1, 17, 3),
        np.array(times, np.float64),
        tuple(
            _incident(mapping(record, "it", f"{path}, incident {row}"), f"{path}, incident {row}")
            for row, record in enumerate(items(data.get("incidents", []), "incidents", here))
        ),
        (width, height),
        number(field(data, "fps", here), "fps", here, low=0),
        number(field(data, "duration", here), "the duration", here, low=0),
        number(data.get("epoch", 0.0), "the epoch", here, high=1e11),
    )


def _incident(record: dict[str, object], where: str) -> Incident:
    start, end = (number(field(record, name, where), name, where) for name in ("start", "end"))
    if end < start:
        raise TruthError(f"{where}: it ends at {end:g} s, before it starts at {start:g} s")
    return Incident(
        text(field(record, "kind", where), "the kind", where),
        start,
        end,
        text(record.get("place", ""), "the place", where),
        tuple(whole(v, "a subject", where) for v in items(record.get("subjects", []), "subjects", where)),
        tuple(number(v, "the box", where) for v in items(record.get("box", []), "the box", where)),
        bool(record.get("sure", True)),
    )
