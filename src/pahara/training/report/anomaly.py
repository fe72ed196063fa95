"""How well the unusual stands out, as parts of a report: errors of normal and abnormal frames, and AUROC micro and macro."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from pahara.evaluation import FrameAuroc
from pahara.language import number
from pahara.report.phrases import plain, say

from .blocks import Bars, Block, Chart, Floats, Group, Line, Table
from .classes import COLOURS, percent

BINS = 40
MOST_CLIPS = 7  # lines of the chart over time


def error_histogram(normal: Floats, abnormal: Floats, limit: float) -> Bars:
    """Errors of held-out frames, shares of each kind, the limit drawn upright. `abnormal` may be empty."""
    everything = np.concatenate([normal, abnormal])
    top = float(np.percentile(everything, 99.5)) if len(everything) else 1.0
    edges = np.linspace(0, max(top, limit) * 1.05 or 1.0, BINS + 1)
    groups = []
    for key, values, colour in (("normal", normal, 2), ("abnormal", abnormal, 1)):
        if len(values):
            counts, _ = np.histogram(np.minimum(values, edges[-1]), edges)
            groups.append(Group(say(f"training.anomaly.{key}", n=len(values)), counts / len(values), colour))
    return Bars(
        say("training.anomaly.histogram"),
        edges,
        tuple(groups),
        say("training.axis.error"),
        say("training.axis.share"),
        say("training.anomaly.histogram.about", limit=number(limit)),
        mark=limit,
    )


def anomaly_blocks(
    clips: Mapping[str, tuple[Floats, NDArray[np.bool_] | None, Floats]], figures: FrameAuroc | None, limit: float
) -> tuple[Block, ...]:
    """clip -> (times in seconds (t,), whether each frame is abnormal (t,) or None where nobody knows, errors (t,))."""
    known = [(errors, np.asarray(true, bool)) for _, true, errors in clips.values() if true is not None]
    normal = np.concatenate([np.zeros(0), *(e[~t] for e, t in known), *(e for _, true, e in clips.values() if true is None)])
    abnormal = np.concatenate([np.zeros(0), *(e[t] for e, t in known)])
    blocks: list[Block] = [error_histogram(normal, abnormal, limit)]
    if len(abnormal) and len(normal) and figures is not None:
        fpr, tpr, _ = metrics.roc_curve(np.r_[np.zeros(len(normal)), np.ones(len(abnormal))], np.r_[normal, abnormal])
        line = Line(plain(f"{percent(figures.micro)} micro"), fpr, tpr)
        about = say(
            "training.anomaly.roc.about",
            micro=percent(figures.micro),
            macro=percent(figures.macro),
            judged=figures.judged,
            clips=figures.clips,
        )
        blocks.append(
            Chart(
                say("training.roc"),
                (line,),
                say("training.axis.false_positive"),
                say("training.axis.true_positive"),
                about,
                (0.0, 1.0),
                (0.0, 1.0),
            )
        )
    blocks += _over_time(clips, limit)
    return tuple(blocks)


def clip_table(rows: Sequence[tuple[str, int, int, float, float]]) -> Table:
    """(clip, frames, abnormal frames, AUROC, highest error) -> table; AUROC not a number where a clip has one kind only."""
    columns = ("clip", "frames", "abnormal", "auroc", "highest")
    return Table(
        say("training.anomaly.clips"),
        tuple(say(f"training.column.{column}") for column in columns),
        [(plain(name), str(n), str(odd), percent(auc), number(high)) for name, n, odd, auc, high in rows],
        (1, 2, 3, 4),
    )


def _over_time(clips: Mapping[str, tuple[Floats, NDArray[np.bool_] | None, Floats]], limit: float) -> list[Chart]:
    charts = []
    shown = sorted(clips.items(), key=lambda one: -(float(np.max(one[1][2])) if len(one[1][2]) else 0.0))[:MOST_CLIPS]
    lines = [Line(plain(name), times, errors, k % COLOURS) for k, (name, (times, _, errors)) in enumerate(shown) if len(times) > 1]
    if lines:
        longest = max(float(line.x[-1]) for line in lines)
        border = Line(say("training.anomaly.limit"), np.array([0.0, longest]), np.array([limit, limit]), 6, dashed=True)
        charts.append(
            Chart(
                say("training.anomaly.time"),
                (*lines, border),
                say("training.axis.seconds"),
                say("training.axis.error"),
                say("training.anomaly.time.about"),
            )
        )
    return charts
