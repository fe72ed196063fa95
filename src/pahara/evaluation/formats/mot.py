"""MOT challenge text: frame, id, left, top, width, height, confidence, class, visibility."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..annotations import Annotations
from .problems import TruthError, number, read_text, whole

# The classes of MOT16/17 ground truth; all but the first are there to be ignored.
MOT_CLASSES = (
    "person", "person on vehicle", "car", "bicycle", "motorbike", "non-motorised vehicle", "static person",
    "distractor", "occluder", "occluder on the ground", "full occluder", "reflection", "crowd",
)  # fmt: skip


def read_mot(path: str | Path, *, scale: float = 1.0, result: bool = False) -> Annotations:
    """`gt.txt`, `det.txt` or a tracker's output. Frames count from 1, as in the file.

    `scale` multiplies every box: 1 / 1.6 when the truth was made on a picture 1.6 times as wide. In ground truth
    a confidence of 0, and in files with a class column (MOT16 on) any class but 1, means: ignore this box. With
    `result` the confidence is a score. A box without width or height, or a line that is no such list, is a TruthError.
    """
    path = Path(path)
    if not scale > 0:
        raise ValueError(f"scale must be more than 0, got {scale}")
    frames, ids, boxes, scores, classes = [], [], [], [], []
    for line_number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"{path}, line {line_number}"
        fields = line.replace(",", " ").split()
        if len(fields) < 6:
            raise TruthError(f"{where}: need at least frame, id, left, top, width, height; there are {len(fields)} values")
        left, top, wide, tall = (
            number(value, what, where) for value, what in zip(fields[2:6], ("left", "top", "width", "height"), strict=True)
        )
        if wide <= 0 or tall <= 0:
            raise TruthError(f"{where}: width and height should be more than 0, not {wide:g} and {tall:g}")
        frames.append(whole(fields[0], "the frame", where, low=0))
        ids.append(whole(fields[1], "the id", where))
        boxes.append((left, top, left + wide, top + tall))
        scores.append(number(fields[6], "the confidence", where) if len(fields) > 6 else 1.0)
        # MOT15 has world coordinates where MOT16 has the class; those files have ten columns.
        classes.append(whole(fields[7], "the class", where) if not result and len(fields) in (8, 9) else 1)
    score, kind = np.array(scores, np.float64), np.array(classes, np.int64)
    return Annotations.of(
        frames,
        np.array(boxes, np.float64).reshape(-1, 4) * scale,
        ids=ids,
        scores=score if result else None,
        ignore=np.zeros(len(score), bool) if result else (score == 0) | ((kind > 1) & (kind <= len(MOT_CLASSES))),
    )


def write_mot(path: str | Path, rows: Annotations, *, scale: float = 1.0) -> None:
    """Ten columns, sorted by frame and id, as the MOT challenge takes results; boxes are multiplied by `scale`."""
    lines = []
    for row in np.lexsort((rows.ids, rows.frames)):
        x1, y1, x2, y2 = rows.boxes[row] * scale
        score = 0.0 if rows.ignore[row] else rows.scores[row]
        lines.append(f"{rows.frames[row]},{rows.ids[row]},{x1:.3f},{y1:.3f},{x2 - x1:.3f},{y2 - y1:.3f},{score:.6g},-1,-1,-1\n")
    Path(path).write_text("".join(lines), encoding="utf-8")
