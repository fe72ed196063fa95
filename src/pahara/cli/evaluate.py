"""`pahara evaluate tracking|detection|events|model|anomaly`: how good it is, against ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

DetectorOption = Annotated[str, typer.Option("--detector", help="A zoo name, a path to .onnx, motion, hog, auto.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]

verbs = typer.Typer(
    no_args_is_help=True, help="Measure tracking, detection, events, learned suspicion and trained models against ground truth."
)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    from . import anomaly

    anomaly.register(verbs)
    app.add_typer(verbs, name="evaluate")


@verbs.command()
def tracking(
    video: Annotated[str, typer.Argument(help="Video file or folder of pictures.")],
    truth: Annotated[Path, typer.Argument(help="MOT gt.txt or Pahara's truth.json.", readable=False)],
    detector: DetectorOption = "auto",
    iou: Annotated[float, typer.Option("--iou", min=0.05, max=0.95, help="Overlap from which a match counts.")] = 0.5,
    scale: Annotated[float, typer.Option("--scale", help="Multiply MOT truth boxes by this: video pixels ÷ truth pixels.")] = 1.0,
    label: Annotated[str, typer.Option("--label", help="Which class is followed.")] = "person",
    as_json: JsonOption = False,
) -> None:
    """MOTA, IDF1 and HOTA with ID switches: every frame detected and tracked with default settings."""
    from pahara.config import choose_detector
    from pahara.core.errors import PaharaError
    from pahara.evaluation import Truth, evaluate_tracking
    from pahara.pipeline.measure import on_frames, read_any_truth, track_video
    from pahara.tracking import ByteTrack

    known = read_any_truth(truth, scale=scale)
    names = (known.boxes if isinstance(known, Truth) else known).names
    if label not in names:
        raise PaharaError(f"{truth} names no {label!r}, only {', '.join(names)}: say --label with one of them")
    chosen = choose_detector(detector)
    with _progress("tracking") as tell:
        found, times = track_video(video, chosen.make(), ByteTrack(), tell=tell)
    report = evaluate_tracking(on_frames(known, times).only(label), found.only(label), iou=iou)
    _show(
        {
            "mota": report.clear.mota,
            "idf1": report.identity.idf1,
            "hota": report.hota.hota,
            "id_switches": report.clear.id_switches,
            "false_positives": report.clear.false_positives,
            "misses": report.clear.misses,
            "frames": len(times),
            "detector": chosen.name,
        },
        as_json,
        {
            "mota": f"1 − (misses + false positives + switches) ÷ true boxes, IoU {iou:g}",
            "idf1": f"identities kept, IoU {iou:g}",
            "hota": "mean over IoU 0.05 … 0.95",
        },
    )


@verbs.command()
def detection(
    pictures: Annotated[Path, typer.Argument(help="Folder of pictures, or a video.", readable=False)],
    truth: Annotated[
        Path | None,
        typer.Argument(
            help="YOLO label folder, COCO JSON, MOT gt.txt or Pahara's truth.json (default: YOLO labels beside the pictures).",
            readable=False,
        ),
    ] = None,
    detector: DetectorOption = "auto",
    scale: Annotated[float, typer.Option("--scale", help="Multiply MOT truth boxes by this.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Average precision in the COCO convention: at IoU 0.5, and the mean over 0.5 … 0.95."""
    from pahara.config import choose_detector
    from pahara.core.errors import PaharaError
    from pahara.evaluation import evaluate_detection
    from pahara.pipeline.measure import detect_pictures, detect_video, is_truth, on_frames, read_any_truth, read_pictures, shared_classes

    chosen = choose_detector(detector)
    made = chosen.make()
    with _progress("detecting") as tell:
        if pictures.is_dir() and (truth is None or truth.is_dir() or (truth.suffix == ".json" and not is_truth(truth))):
            names = getattr(made, "names", ("person",))
            known = read_pictures(pictures, truth, names)
            found = detect_pictures(pictures, known.pictures, made, tell=tell)
        elif truth is None:
            raise PaharaError(f"{pictures} is a video: give its truth too (MOT gt.txt or truth.json)")
        else:
            told = read_any_truth(truth, scale=scale)
            found, times = detect_video(str(pictures), made, tell=tell)
            known = on_frames(told, times)
    report = evaluate_detection(*shared_classes(known, found))
    figures: dict[str, Any] = {"map50": report.map50, "map": report.map, "pictures": report.pictures, "detector": chosen.name}
    figures |= {f"ap50_{name}": score.ap50 for name, score in report.classes.items() if score.truths}
    _show(figures, as_json, {"map50": "mean over classes, IoU 0.5", "map": "mean over classes and IoU 0.5 … 0.95"})


@verbs.command()
def events(
    video: Annotated[str, typer.Argument(help="Video file.")],
    truth: Annotated[Path, typer.Argument(help="Pahara's truth.json with incidents.", readable=False)],
    config: Annotated[Path, typer.Option("--config", "-c", help="pahara.yml whose rules are measured.", readable=False)],
    camera: Annotated[str, typer.Option("--camera", help="Which camera of the configuration.")] = "",
    detector: DetectorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Precision, recall, delay and false alarms per hour of the rules, watched from pixels."""
    from pahara.config import choose_detector, load, plan_for_source
    from pahara.evaluation import read_truth
    from pahara.pipeline.measure import watch_events

    settings = load(config)
    plan = plan_for_source(settings, video, camera)
    known = read_truth(truth)
    chosen = choose_detector(detector or plan.detector, folder=Path() if detector else settings.folder)
    with _progress("watching") as tell:
        report, kinds = watch_events(plan, chosen.make(), known.incidents, tell=tell)
    _show(
        {
            "recall": report.recall.value,
            "precision": report.precision.value,
            "f1": report.f1,
            "median_delay_s": report.median_delay,
            "false_alarms_per_hour": report.false_per_hour,
            "false_alarms_per_hour_at_most": report.false_per_hour_at_most,
            "incidents": report.incidents,
            "hits": len(report.hits),
            "false_alarms": len(report.false),
            "hours": report.hours,
            "detector": chosen.name,
            "kinds": {kind: {"caught": len(one.hits), "of": one.incidents, "false": len(one.false)} for kind, one in kinds.items()},
        },
        as_json,
        {
            "recall": f"95 % interval {report.recall.low:.2f} … {report.recall.high:.2f}",
            "precision": f"95 % interval {report.precision.low:.2f} … {report.precision.high:.2f}",
            "false_alarms_per_hour_at_most": "95 % upper bound; zero alarms in T hours bound the rate by 3 ÷ T",
        },
    )


def _progress(what: str) -> Any:
    """A progress bar on the terminal; `with … as tell: tell(0.3)`."""
    from contextlib import contextmanager

    from rich.progress import Progress

    from .output import err

    @contextmanager
    def bar() -> Any:
        console = err()
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(what, total=1.0)
            yield lambda share: progress.update(task, completed=share)

    return bar()


def _show(figures: Mapping[str, Any], as_json: bool, notes: Mapping[str, str]) -> None:
    from .output import out, plain, say_json

    if as_json:
        say_json(figures)
        return
    from rich.table import Table

    table = Table(box=None, show_header=False)
    for name, value in plain(figures).items():
        if isinstance(value, dict):
            for kind, row in value.items():
                table.add_row(f"  {kind}", f"{row['caught']} of {row['of']}", f"{row['false']} false")
        else:
            shown = "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
            table.add_row(name, shown, notes.get(name, ""))
    out().print(table)


@verbs.command()
def model(
    run: Annotated[
        str, typer.Argument(help="A run's folder, a weights file, or (classifiers, autoencoders) an exported .onnx.", metavar="RUN|WEIGHTS")
    ],
    data: Annotated[Path, typer.Argument(help="Data of the same kind and classes as it was trained on.")],
    split: Annotated[str, typer.Option("--split", help="Which part: train, val or test (default: test, else val, else all).")] = "",
    report: Annotated[Path | None, typer.Option("--report", help="Also write a self-contained HTML report to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    r"""A trained model on data it has not seen: accuracy, AP or AUROC, class by class (needs pahara\[train])."""
    from .learning import need_training, short, show_outcome
    from .output import say, say_json

    need_training()
    from pahara.training.tasks import using

    with _progress("measuring") as tell:
        trained, outcome = using.measure(run, data, split=split, tell=tell)
    if report is not None:
        using.write_measured(trained, data, outcome, report)
    if as_json:
        say_json(
            {
                "model": run,
                "kind": trained.kind,
                "data": data,
                "figures": dict(outcome.figures),
                "rows": list(outcome.table),
                "report": report,
            }
        )
        return
    show_outcome(outcome.figures, outcome.table)
    if report is not None:
        say(f"report: {short(report)}")
