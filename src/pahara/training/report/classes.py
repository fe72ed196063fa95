"""How well classes are told apart, as parts of a report: table, confusion matrix, curves, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pahara.language import number
from pahara.report.phrases import Phrase, plain, say
from pahara.report.view import Figure

from ..tasks.classes import Classified, Curve
from .blocks import Bars, Block, Chart, Group, Line, Matrix, Table

COLOURS = 7
MOST_LINES = 7  # of a chart: more classes would be a tangle, so the worst are shown
CURVES = {"loss": 0, "train_loss": 0}


def percent(share: float) -> str:
    """As people say it; a dash for what cannot be known.

    >>> percent(0.9876), percent(1.0), percent(float("nan"))
    ('98.8 %', '100 %', '–')
    """
    return "–" if share != share else f"{100 * share:.1f}".removesuffix(".0") + " %"


def class_blocks(result: Classified) -> tuple[Block, ...]:
    """Everything about classes, in reading order."""
    return (per_class(result), confusion(result), reliability(result), *curves(result))


def per_class(result: Classified) -> Table:
    """One row a class, the weakest first."""
    rows = [
        (
            plain(c.name),
            str(c.count),
            percent(c.precision),
            percent(c.recall),
            percent(c.f1),
            percent(c.average_precision),
            percent(c.auroc),
        )
        for c in sorted(result.classes, key=lambda c: c.f1)
    ]
    columns = ("class", "count", "precision", "recall", "f1", "average_precision", "auroc")
    return Table(
        say("training.classes"),
        tuple(say(f"training.column.{column}") for column in columns),
        rows,
        tuple(range(1, len(columns))),
        say("training.classes.about"),
    )


def confusion(result: Classified) -> Matrix:
    return Matrix(say("training.confusion"), result.names, result.confusion, say("training.confusion.about"))


def reliability(result: Classified) -> Bars:
    """The reliability diagram."""
    known = result.calibration
    return Bars(
        say("training.calibration"),
        known.edges,
        (Group(say("training.axis.accuracy"), known.accuracy, 0),),
        say("training.axis.confidence"),
        say("training.axis.accuracy"),
        say("training.calibration.about", ece=percent(known.ece)),
        diagonal=True,
    )


def curves(result: Classified) -> tuple[Chart, ...]:
    """Precision-recall and ROC, one line a class; of many classes the weakest."""
    known = sorted((c for c in result.classes if c.count), key=lambda c: c.average_precision)
    shown = sorted(known[:MOST_LINES], key=lambda c: result.names.index(c.name))
    if len(result.names) == 2:
        shown = shown[-1:]  # the other one is its mirror image
    share = say("training.curves.weakest", n=MOST_LINES, all=len(known)) if len(known) > MOST_LINES else None
    pr = tuple(_curve(f"{c.name} · {percent(c.average_precision)}", c.pr, k) for k, c in enumerate(shown))
    roc = tuple(_curve(f"{c.name} · {percent(c.auroc)}", c.roc, k) for k, c in enumerate(shown) if len(c.roc.x))
    made = [
        Chart(say("training.pr"), pr, say("training.column.recall"), say("training.column.precision"), share or say("training.pr.about"), (0.0, 1.0), (0.0, 1.0))
    ]  # fmt: skip
    if roc:
        made.append(
            Chart(say("training.roc"), roc, say("training.axis.false_positive"), say("training.axis.true_positive"), share or say("training.roc.about"), (0.0, 1.0), (0.0, 1.0))
        )  # fmt: skip
    return tuple(made)


def history_charts(history: Sequence[Mapping[str, float]]) -> tuple[Chart, ...]:
    """Metrics of every epoch -> the loss curves, the learning rate, and what was measured on held-out data."""
    if not history:
        return ()
    epochs = np.array([row.get("epoch", k + 1) for k, row in enumerate(history)], np.float64)
    names = [name for name in dict.fromkeys(key for row in history for key in row) if name not in ("epoch", "seconds", "step", "deciding")]
    groups: dict[str, list[str]] = {"loss": [], "score": [], "lr": []}
    for name in names:
        taught = name.startswith("train_") or "loss" in name or "error" in name  # parts of the training loss are losses too
        groups["lr" if name.split("/")[-1] in ("lr", "learning_rate") else "loss" if taught else "score"].append(name)
    made = []
    for group, members in groups.items():
        lines = []
        for k, name in enumerate(members):
            values = np.array([row.get(name, np.nan) for row in history], np.float64)
            if np.isfinite(values).any():
                lines.append(Line(history_name(name), epochs, values, k % COLOURS, dashed="train" in name, dots=len(epochs) <= 30))
        if lines:
            made.append(
                Chart(
                    say(f"training.history.{group}"),
                    tuple(lines),
                    say("training.axis.epoch"),
                    plain(""),
                    say(f"training.history.{group}.about"),
                    whole=True,
                )
            )
    return tuple(made)


def history_name(name: str) -> Phrase:
    """A column of metrics.csv in words; its own name where the catalogue has none."""
    from pahara.language import has

    key = f"training.metric.{name.replace('/', '.')}"
    return say(key) if has(key) else plain(name.replace("_", " "))


def key_figure(name: str, value: float, detail: Phrase | None = None, *, share: bool = True) -> Figure:
    """One large number at the top of the page; shares are told in percent."""
    shown = "–" if value != value else percent(value) if share else number(value)
    return Figure(plain(shown), history_name(name), detail)


def _curve(name: str, curve: Curve, k: int) -> Line:
    return Line(plain(name), curve.x, curve.y, k % COLOURS)
