"""`pahara evaluate anomaly`: learned suspicion on clips whose truth is known, beside scores that look at nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pahara.pipeline.anomaly import Comparison

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]

NAMES = {
    "unusual": "learned, this moment",
    "evidence": "learned, last 8 s (what alarms)",
    "speed": "speed alone, nothing learned",
    "null_bump": "null: middle of the clip",
    "null_random": "null: random, as many as are seen",
}


def register(verbs: typer.Typer) -> None:
    """Add the verb to `pahara evaluate`."""
    verbs.command()(anomaly)


def anomaly(
    data: Annotated[
        Path | None,
        typer.Argument(help="Folder with train/ (normal clips), test/ and test-labels.csv. A clip is a video or a folder of pictures."),
    ] = None,
    train: Annotated[Path | None, typer.Option("--train", help="Folder of normal clips, in place of DATA/train.")] = None,
    test: Annotated[Path | None, typer.Option("--test", help="Folder of clips to score, in place of DATA/test.")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="CSV: clip,start,end in seconds, or clip,first_anomalous,last_anomalous in frames. Empty cells: nothing."
        ),
    ] = None,
    detector: Annotated[str, typer.Option("--detector", help="A zoo name, a path to .onnx, motion, hog, auto.")] = "auto",
    fps: Annotated[float, typer.Option("--fps", min=0.5, max=120.0, help="Pictures a second of folders of pictures.")] = 10.0,
    sigma: Annotated[float, typer.Option("--sigma", min=0.0, help="Frames of the Gaussian in the published-style column.")] = 10.0,
    plot: Annotated[Path | None, typer.Option("--plot", help="Also draw each clip's score over the truth into this PNG.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Detect anew, and do not use what an earlier run kept.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the random null and the intervals.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Learn what is normal from some clips, score others strictly causally: frame AUROC beside nulls, alarms at budgets.

    Detections are kept in the user's cache: an interrupted run goes on where it was, a second one is quick.
    """
    from platformdirs import user_cache_path

    from pahara import __version__
    from pahara.config import choose_detector
    from pahara.core.errors import PaharaError
    from pahara.pipeline.anomaly import clips_in, compare, read_clip, read_data
    from pahara.pipeline.anomaly_plot import draw_scores

    from .evaluate import _progress
    from .output import note, say

    if data is not None and train is None and test is None:
        train, test, spans = read_data(data, labels)
    else:
        from pahara.evaluation import read_spans

        if train is None or test is None or labels is None:
            raise PaharaError("give DATA (a folder with train/, test/ and test-labels.csv), or all of --train, --test and --labels")
        spans = read_spans(labels)
    chosen = choose_detector(detector)
    made = chosen.make()
    cache = None if fresh else Path(user_cache_path("pahara", appauthor=False)) / "anomaly"
    key = f"{chosen.name}|{__version__}|{_stamp(chosen.options.get('model'))}"  # another model sees other people
    paths = [*clips_in(train), *clips_in(test)]
    clips = []
    with _progress("detecting") as tell:
        for number, path in enumerate(paths):

            def of_all(share: float, before: int = number) -> None:
                tell((before + share) / len(paths))

            clips.append(read_clip(path, made, key=key, cache=cache, fps=fps, tell=of_all))
    count = len(clips_in(train))
    if not as_json:
        note("learning and scoring …")
    found = compare(clips[:count], clips[count:], spans, sigma=sigma, seed=seed)
    if plot is not None:
        limits = {name: value for name, value in found.threshold_per_hour.items() if name == "1/h"}
        draw_scores(
            plot,
            [
                (each.clip.name, each.clip.times, each.columns["evidence"], truth)
                for each, truth in zip(found.clips, found.truth, strict=True)
            ],
            title="evidence gathered over the last 8 s",
            limits=limits,
        )
    _tell(found, chosen.name, as_json)
    if plot is not None and not as_json:
        say(f"plot: {plot}")


def _stamp(model: object) -> str:
    """Which state of a model's own file it is; "" for a name."""
    try:
        stat = Path(str(model)).stat()
    except OSError:
        return ""
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def _tell(found: Comparison, detector: str, as_json: bool) -> None:
    from .output import say, say_json, table

    if as_json:
        say_json(_figures(found, detector))
        return
    told = found.table
    table(
        ["frame AUROC", "micro", "95 % (clips)", "macro", "smoothed micro*", "smoothed macro*"],
        [
            [NAMES.get(row.name, row.name), _number(row.micro), _range(row.low, row.high), _number(row.macro), _number(row.smoothed_micro), _number(row.smoothed_macro)]
            for row in told.rows
        ],
        right=(1, 2, 3, 4, 5),
    )  # fmt: skip
    say(
        f"{told.clips} clips, {told.frames} frames, {told.positive} of them abnormal; macro over the {told.judged} clips with both kinds. "
        f"Learned from {found.tracks} tracks in {found.normal_seconds / 60:.1f} min ({', '.join(found.attributes)}); detector {detector}."
    )
    say(
        f"* published-style: Gaussian of {told.sigma:g} frames that sees the future, every clip stretched to 0..1. To compare with papers only.",
        style="dim",
    )
    if not found.budgets:
        say("Too few normal clips to take an alarm threshold from clips that the model has not seen.", style="dim")
        return
    rows = []
    for row in found.budgets:
        report = row.report
        rows.append(
            [
                row.name, f"{len(report.hits)} of {report.incidents}", _range(row.recall_low, row.recall_high), _number(report.f1),
                "–" if not report.hits else f"{report.median_delay:.1f} s", f"{len(report.false)} in {report.hours * 60:.1f} min",
                f"≤ {row.realised_at_most:.2g}/h", f"{row.calibration:.2g}" if row.reachable else "not to be told",
            ]
        )  # fmt: skip
    table(
        ["false alarms allowed", "incidents caught", "95 %", "F1", "median delay", "false", "true rate", "realised ÷ target"],
        rows,
        right=(4, 7),
    )
    if not all(row.reachable for row in found.budgets):
        say(
            "The normal clips are too short to hold one alarm of these budgets: the threshold lies just above everything they showed, and"
            " zero alarms in T hours bound the rate only by 3 / T.",
            style="dim",
        )


def _figures(found: Comparison, detector: str) -> dict[str, Any]:
    told = found.table
    return {
        "detector": detector,
        "clips": told.clips,
        "judged": told.judged,
        "frames": told.frames,
        "abnormal": told.positive,
        "tracks": found.tracks,
        "normal_seconds": found.normal_seconds,
        "attributes": found.attributes,
        "sigma": told.sigma,
        "auroc": {row.name: row for row in told.rows},
        "budgets": {
            row.name: {
                "threshold": row.threshold,
                "reachable": row.reachable,
                "recall": row.report.recall.value,
                "recall_low": row.recall_low,
                "recall_high": row.recall_high,
                "f1": row.report.f1,
                "median_delay": row.report.median_delay,
                "incidents": row.report.incidents,
                "false_alarms": len(row.report.false),
                "normal_hours": row.report.hours,
                "false_per_hour": row.realised,
                "false_per_hour_at_most": row.realised_at_most,
                "calibration": row.calibration,
            }
            for row in found.budgets
        },
        "per_clip": [
            {"clip": each.clip.name, "frames": len(each.clip.times), "abnormal": int(truth.sum()), **_each_auroc(each.columns, truth)}
            for each, truth in zip(found.clips, found.truth, strict=True)
        ],
    }


def _each_auroc(columns: Any, truth: Any) -> dict[str, float]:
    from pahara.evaluation import auroc

    return {name: auroc(scores, truth) for name, scores in columns.items()}


def _number(value: float) -> str:
    return f"{value:.3f}" if value == value else "–"


def _range(low: float, high: float) -> str:
    return f"{low:.2f} … {high:.2f}" if low == low else "–"
