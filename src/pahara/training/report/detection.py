"""How well boxes are found, as parts of a report: average precision a class, precision over recall, the worst pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pahara.core import Image
from pahara.core.boxes import iou_matrix
from pahara.evaluation import Annotations, DetectionReport, precision_recall
from pahara.report.phrases import plain, say

from .blocks import Block, Chart, Gallery, Line, Shot, Table
from .classes import COLOURS, MOST_LINES, percent
from .pictures import shot, with_boxes

WORST = 12  # pictures shown
MATCH = 0.5  # IoU from which a found box is a true one


def detection_blocks(
    result: DetectionReport, truth: Annotations, found: Annotations, read: Callable[[int], Image], *, limit: float | None = None
) -> tuple[Block, ...]:
    """`truth` and `found` of the same pictures, `read` gives the picture of a frame number.

    `limit` is the score from which a box counts as found on the pictures shown (default: where F1 is best, over all classes).
    """
    scores = [c.best_score for c in result.classes.values() if c.truths and c.best_score == c.best_score]
    limit = limit if limit is not None else float(np.median(scores)) if scores else 0.5
    blocks: list[Block] = [_table(result)]
    names = sorted((name for name, c in result.classes.items() if c.truths), key=lambda name: result.classes[name].ap50)
    lines = []
    for k, name in enumerate(names[:MOST_LINES]):
        curve = precision_recall(truth, found, name)
        if len(curve.recall):
            lines.append(Line(plain(f"{name} · {percent(result.classes[name].ap50)}"), curve.recall, curve.precision, k % COLOURS))
    if lines:
        about = say("training.curves.weakest", n=MOST_LINES, all=len(names)) if len(names) > MOST_LINES else say("training.pr.boxes")
        blocks.append(
            Chart(
                say("training.pr"),
                tuple(lines),
                say("training.column.recall"),
                say("training.column.precision"),
                about,
                (0.0, 1.0),
                (0.0, 1.0),
            )
        )
    worst = worst_pictures(truth, found, read, limit)
    if worst:
        blocks.append(Gallery(say("training.worst.boxes"), worst, say("training.worst.boxes.about", limit=f"{limit:.2f}")))
    return tuple(blocks)


def worst_pictures(
    truth: Annotations, found: Annotations, read: Callable[[int], Image], limit: float, most: int = WORST
) -> tuple[Shot, ...]:
    """The pictures with the most missed and false boxes, the worst first; none where all is right."""
    seen = found[found.scores >= limit]
    frames = np.union1d(truth.frames, found.frames)
    rows = list(zip(frames.tolist(), truth.rows_in(frames), seen.rows_in(frames), strict=True))
    judged = [(frame, t, f, *_wrong(truth, t, seen, f)) for frame, t, f in rows]
    judged.sort(key=lambda one: -(int(one[3].sum()) + int(one[4].sum())))
    shots = []
    for frame, t, f, missed, false in judged[:most]:
        if not missed.any() and not false.any():
            break
        words = [f"{seen.names[seen.labels[i]]} {seen.scores[i]:.2f}" for i in f]
        image = with_boxes(read(frame), truth.boxes[t], seen.boxes[f], words, missed=missed, false=false)
        name = truth.pictures[frame] if frame < len(truth.pictures) else str(frame)
        told = say("training.worst.boxes.words", missed=int(missed.sum()), false=int(false.sum()), all=int((~truth.ignore[t]).sum()))
        shots.append(shot(image, plain(name.rsplit("/", 1)[-1]), told, "bad", side=480))
    return tuple(shots)


def _table(result: DetectionReport) -> Table:
    columns = ("class", "boxes", "ap50", "ap", "best_f1", "best_score")
    rows = [
        (
            plain(name),
            str(c.truths),
            percent(c.ap50),
            percent(c.ap),
            percent(c.best_f1),
            f"{c.best_score:.2f}" if c.best_score == c.best_score else "–",
        )
        for name, c in sorted(result.classes.items(), key=lambda one: one[1].ap50 if one[1].truths else 2.0)
    ]
    return Table(
        say("training.classes"),
        tuple(say(f"training.column.{column}") for column in columns),
        rows,
        tuple(range(1, len(columns))),
        say("training.classes.boxes"),
    )


def _wrong(
    truth: Annotations, true: NDArray[np.intp], found: Annotations, here: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows of one picture -> which true boxes are missed, which found ones are false; best score first, one for one."""
    missed, false = ~truth.ignore[true], np.ones(len(here), bool)
    if not len(true) or not len(here):
        return missed, false
    overlap = iou_matrix(found.boxes[here], truth.boxes[true])
    same = np.array([[found.names[found.labels[i]] == truth.names[truth.labels[j]] for j in true] for i in here])
    free = np.ones(len(true), bool)
    for row in np.argsort(-found.scores[here], kind="stable"):
        fits = np.where(same[row] & free, overlap[row], 0.0)
        best = int(fits.argmax())
        if fits[best] >= MATCH:
            free[best], missed[best], false[row] = truth.ignore[true][best], False, False
    return missed, false
