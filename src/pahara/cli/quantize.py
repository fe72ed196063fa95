"""`pahara quantize`: a model in int8, with what that brought and what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("quantize")(quantize)


def quantize(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="A detector or a classifier of pictures.")],
    data: Annotated[Path, typer.Option("--data", help="A YOLO set, class folders, or a folder of pictures like the camera's.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file to write (default: MODEL-int8.onnx).")] = None,
    keep: Annotated[
        str,
        typer.Option("--keep", metavar="head|nothing", help="What stays float: the last layers, or nothing."),
    ] = "head",
    pictures: Annotated[int, typer.Option("--pictures", min=1, help="Pictures from which the ranges come.")] = 96,
    method: Annotated[str, typer.Option("--method", metavar="minmax|percentile", help="How the ranges come from them.")] = "minmax",
    most: Annotated[int, typer.Option("--most", min=1, help="Pictures to measure on, at most.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Quantise a model to int8 (static, U8S8 per channel) and show size, speed and accuracy before and after, with a verdict.

    AP50 where the pictures have boxes, accuracy where they lie in class folders, else how far the two models agree.
    """
    from .learning import need_training, short
    from .output import err, say, say_json, table, warn

    need_training()
    from pahara.training.quantize import quantize as work

    with err().status("quantising, then measuring both models", spinner="dots"):
        made = work(model, data, out, keep=keep, calibrate=pictures, method=method, most=most)  # type: ignore[arg-type]
    if as_json:
        say_json(
            {
                "before": made.before, "after": made.after, "metric": made.metric, "pictures": made.pictures, "calibrated": made.calibrated,
                "overlap": made.overlap, "kept": made.kept, "speedup": made.speedup, "drop": made.drop, "worth_it": made.worth_it,
                "verdict": made.verdict,
            }
        )  # fmt: skip
        return
    rows = [
        (name, f"{side.bytes / 1e6:.2f}", f"{side.ms:.2f}", f"{side.accuracy:.3f}", short(side.path))
        for name, side in (("float", made.before), ("int8", made.after))
    ]
    table(("", "MB", "ms", made.metric, "file"), rows, right=(1, 2, 3))
    say(f"{made.verdict}", style="green" if made.worth_it else "yellow")
    say(f"{made.pictures} pictures measured, ranges from {made.calibrated}, {len(made.kept)} layers left in float, one thread, in turns")
    if made.overlap:
        warn("the ranges come from pictures that were measured on as well: give a data set with a part for training and one for testing")
