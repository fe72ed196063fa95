"""`pahara train image|detector|action|anomaly`: a model from one's own data, and a folder with all that it was and is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .output import Json, Language

Data = Annotated[Path | None, typer.Argument(help="The folder of data (not needed with --resume).")]
From = Annotated[str, typer.Option("--from", help="Start from these weights: a run's folder, a file, or a name.", metavar="WEIGHTS")]
Model = Annotated[str, typer.Option("--model", help="Which model, by its name.")]
Option = Annotated[
    list[str] | None, typer.Option("--option", help="An option of the model, as name=value (repeat it).", metavar="NAME=VALUE")
]
Size = Annotated[int | None, typer.Option("--size", min=8, help="Side of the model's picture, in pixels.")]
BoxSize = Annotated[
    str | None,
    typer.Option(
        "--size", help="The model's picture in pixels: a side, or 544x320 (default: the shape of the pictures).", metavar="SIDE|WxH"
    ),
]
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="How often all data is seen.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, help="Examples in one step.")]
Lr = Annotated[float | None, typer.Option("--lr", help="Highest learning rate (see --find-lr).")]
Freeze = Annotated[int | None, typer.Option("--freeze", min=0, help="Epochs in which only the last layers learn.")]
Patience = Annotated[int | None, typer.Option("--patience", min=0, help="Stop after so many epochs without a better result.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed and data give the same model.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or gpu.", metavar="auto|cpu|gpu")]
Devices = Annotated[int, typer.Option("--devices", min=1, help="Processes on this machine (GPUs, or CPU processes).")]
Nodes = Annotated[int, typer.Option("--nodes", min=1, help="Machines that train together.")]
Precision = Annotated[str, typer.Option("--precision", help="32, bf16, or (on a GPU) 16.", metavar="32|bf16|16")]
Workers = Annotated[int | None, typer.Option("--workers", min=0, help="Processes that read data (default: as many as help).")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run (default: a new one in runs/).")]
Resume = Annotated[Path | None, typer.Option("--resume", help="Go on with a run that was stopped or killed.", metavar="RUN")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Read everything, say what would be done, and stop.")]
FindLr = Annotated[bool, typer.Option("--find-lr", help="Try learning rates for a minute, say which to take, and stop.")]
Boards = Annotated[bool, typer.Option("--tensorboard", help="Also write logs that TensorBoard reads.")]
HoldOut = Annotated[float, typer.Option("--hold-out", help="Share of the data to measure on, where no val/ folder is laid out.")]

verbs = typer.Typer(no_args_is_help=True, help=r"Train a model from your own data (needs pahara\[train]).")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(verbs, name="train")


@verbs.command()
def image(
    data: Data = None, weights: From = "", model: Model = "", option: Option = None, size: Size = None, epochs: Epochs = None,
    batch: Batch = None, lr: Lr = None, freeze: Freeze = None, patience: Patience = None, hold_out: HoldOut = 0.2,
    balance: Annotated[bool | None, typer.Option("--balance/--no-balance", help="Weigh rare classes more (default: where they are rare).")] = None,
    augment: Annotated[bool, typer.Option("--augment/--no-augment", help="Vary the pictures anew in every epoch.")] = True,
    flip: Annotated[bool, typer.Option("--flip/--no-flip", help="Also mirror them (not for digits or signs).")] = True,
    smoothing: Annotated[float, typer.Option("--smoothing", min=0, max=0.5, help="Label smoothing.")] = 0.05,
    seed: Seed = 0, device: Device = "auto", devices: Devices = 1, nodes: Nodes = 1, precision: Precision = "32", workers: Workers = None,
    out: Out = None, resume: Resume = None, dry_run: Dry = False, find_lr: FindLr = False, tensorboard: Boards = False,
    lang: Language = "en", as_json: Json = False,
) -> None:  # fmt: skip
    """A classifier of pictures, from a folder of pictures for each class."""
    extra = {"hold_out": hold_out, "balance": balance, "augment": augment, "no_flip": not flip, "smoothing": smoothing}
    _run("image", locals(), extra)


@verbs.command()
def detector(
    data: Data = None, weights: From = "", model: Model = "", option: Option = None, size: BoxSize = None, epochs: Epochs = None,
    batch: Batch = None, lr: Lr = None, freeze: Freeze = None, patience: Patience = None, hold_out: HoldOut = 0.2,
    seed: Seed = 0, device: Device = "auto", devices: Devices = 1, nodes: Nodes = 1, precision: Precision = "32", workers: Workers = None,
    out: Out = None, resume: Resume = None, dry_run: Dry = False, find_lr: FindLr = False, tensorboard: Boards = False,
    lang: Language = "en", as_json: Json = False,
) -> None:  # fmt: skip
    """A detector of objects, from a YOLO-format data set (data.yaml)."""
    _run("detector", locals() | {"size": None}, {"hold_out": hold_out, "size": size})


@verbs.command()
def action(
    data: Data = None, weights: From = "", model: Model = "", option: Option = None, size: Size = None, epochs: Epochs = None,
    batch: Batch = None, lr: Lr = None, freeze: Freeze = None, patience: Patience = None, hold_out: HoldOut = 0.2,
    balance: Annotated[bool | None, typer.Option("--balance/--no-balance", help="Weigh rare classes more (default: where they are rare).")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Length of the window that the model sees.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Frames or steps a second in it.")] = None,
    people: Annotated[int, typer.Option("--people", min=1, max=2, help="Of windows: one person, or two near each other.")] = 1,
    joints: Annotated[bool, typer.Option("--joints", help="Of windows: skeletons instead of boxes.")] = False,
    watch_for: Annotated[list[str] | None, typer.Option("--watch-for", help="Of windows: which kinds of incident to learn (repeat it).")] = None,
    smoothing: Annotated[float, typer.Option("--smoothing", min=0, max=0.5, help="Label smoothing.")] = 0.05,
    seed: Seed = 0, device: Device = "auto", devices: Devices = 1, nodes: Nodes = 1, precision: Precision = "32", workers: Workers = None,
    out: Out = None, resume: Resume = None, dry_run: Dry = False, find_lr: FindLr = False, tensorboard: Boards = False,
    lang: Language = "en", as_json: Json = False,
) -> None:  # fmt: skip
    """A recogniser of actions: from clips in class folders, from staged scenes with their truth, or from a store of Pahara."""
    extra = {"hold_out": hold_out, "balance": balance, "seconds": seconds, "rate": rate, "smoothing": smoothing}
    _run("action", locals(), {**extra, "people": people, "joints": joints, "watch_for": watch_for or []})


@verbs.command()
def anomaly(
    data: Data = None, weights: From = "", model: Model = "", option: Option = None, size: Size = None, epochs: Epochs = None,
    batch: Batch = None, lr: Lr = None, patience: Patience = None, hold_out: HoldOut = 0.2,
    rate: Annotated[float | None, typer.Option("--rate", help="Frames a second that are taken from films.")] = None,
    seed: Seed = 0, device: Device = "auto", devices: Devices = 1, nodes: Nodes = 1, precision: Precision = "32", workers: Workers = None,
    out: Out = None, resume: Resume = None, dry_run: Dry = False, find_lr: FindLr = False, tensorboard: Boards = False,
    lang: Language = "en", as_json: Json = False,
) -> None:  # fmt: skip
    """A detector of the unusual: an autoencoder that is taught normal frames (or windows) only."""
    _run("anomaly", locals() | {"freeze": None}, {"hold_out": hold_out, "rate": rate})


def _run(kind: str, asked: dict[str, Any], extra: dict[str, Any]) -> None:
    from pahara.core.errors import TrainingError
    from pahara.language import LANGUAGES

    from .learning import need_training

    need_training()
    if asked["lang"] not in LANGUAGES:
        raise TrainingError(f"no language {asked['lang']!r}; there are {', '.join(LANGUAGES)}")
    from pahara.training.run import new_run
    from pahara.training.tasks import doing
    from pahara.training.tasks.job import Wishes

    from .output import note

    folder, resume = asked["resume"], asked["resume"] is not None
    if resume:
        was, data, wishes = doing.read_asked(folder)
        if was != kind:
            raise TrainingError(f"{folder} is a run of `pahara train {was}`, not of {kind}")
        if asked["data"] is not None and asked["data"].absolute() != data:
            raise TrainingError(f"{folder} learns from {data}; leave the data out with --resume")
    else:
        data = asked["data"]
        if data is None:
            raise TrainingError(f"name the folder of data: pahara train {kind} DATA, or --resume RUN")
        plan = {
            name: asked[name]
            for name in ("epochs", "lr", "freeze", "patience", "device", "devices", "nodes", "precision", "tensorboard")
            if asked[name] is not None
        }
        wishes = Wishes(
            asked["model"], asked["weights"], asked["size"], asked["batch"], asked["workers"], asked["seed"], plan,
            _options(asked["option"] or []), extra,
        )  # fmt: skip
    job = doing.open_job(kind, data, wishes)
    for words in job.warnings:
        note(words)
    if asked["dry_run"]:
        _show_plan(job, asked["as_json"])
        return
    if asked["find_lr"]:
        _find_lr(job, asked["as_json"], kind)
        return
    if not resume:
        folder = asked["out"] or new_run(Path("runs"), kind)
        if asked["out"] is not None and (folder / "config.yml").exists():
            raise TrainingError(f"{folder} holds a run already: --resume {folder}, or another --out")
        folder.mkdir(parents=True, exist_ok=True)
        doing.keep_asked(folder, job, wishes)
    if not asked["as_json"]:
        _announce(job, folder)
    done = doing.do(
        job, folder, language=asked["lang"], progress=not asked["as_json"], resume=resume, tell=None if asked["as_json"] else note
    )
    if not isinstance(done, doing.Done):
        raise typer.Exit(130)
    _show_end(job, done, asked["as_json"])


def _options(words: list[str]) -> dict[str, Any]:
    import json

    from pahara.core.errors import TrainingError

    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise TrainingError(f"--option {word!r} should be name=value, e.g. --option width=32")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _announce(job: Any, folder: Path) -> None:
    from .learning import short
    from .output import note

    told = job.summary
    classes = told.get("classes", {})
    names = f", {len(classes)} classes" if classes else ""
    note(
        f"{told.get('train', len(job.batches))} to learn from, {told.get('held_out', '?')} held out{names}; {told.get('model', '')}, run in {short(folder)}"
    )


def _show_plan(job: Any, as_json: bool) -> None:
    from .learning import shown
    from .output import say, say_json, table

    if as_json:
        say_json({"kind": job.kind, "data": job.data, **job.summary, "plan": job.plan.as_dict(), "warnings": list(job.warnings)})
        return
    rows = []
    for name, value in job.summary.items():
        if value not in ("", None, [], {}, ()):
            words = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else shown(name, value)
            rows.append((name.replace("_", " "), words))
    table(("what", "value"), rows, title=f"pahara train {job.kind} {job.data}")
    table(("plan", "value"), job.plan.as_dict().items())
    say(f"{len(job.batches)} steps an epoch, {len(job.batches) * job.plan.epochs} in all. Nothing was trained (--dry-run).")


def _find_lr(job: Any, as_json: bool, kind: str) -> None:
    from pahara.training.finder import find_lr

    from .output import err, say, say_json

    with err().status("trying learning rates", spinner="dots"):
        curve = find_lr(job.model, job.task, job.batches, job.plan)
    if as_json:
        say_json({"lr": curve.suggestion, "rates": curve.rates, "losses": curve.smoothed})
        return
    say(f"learning rate: {curve.suggestion:.2g}")
    say(f"next: pahara train {kind} {job.data} --lr {curve.suggestion:.2g}")


def _show_end(job: Any, done: Any, as_json: bool) -> None:
    from .learning import short, show_outcome
    from .output import say, say_json

    folder = short(done.folder)
    steps = next_steps(job.kind, folder, dict(job.about.get("window", {})))
    if as_json:
        say_json(
            {
                "kind": job.kind, "run": done.folder, "weights": done.weights, "report": done.report, "stopped": done.result.stopped,
                "epochs": done.result.epochs, "best_epoch": done.result.best_epoch, "seconds": done.result.seconds,
                "figures": dict(done.outcome.figures), "rows": list(done.outcome.table), "next": steps,
            }
        )  # fmt: skip
        return
    show_outcome(done.outcome.figures, done.outcome.table)
    early = ", stopped early" if done.result.stopped == "early" else ""
    say(f"run: {folder} ({done.result.epochs} epochs{early}, best: {done.result.best_epoch}, {_took(done.result.seconds)})")
    say(f"report: {short(done.report)}")
    for what, command in steps.items():
        say(f"{what}: {command}")


def next_steps(kind: str, folder: str, window: Mapping[str, Any]) -> dict[str, str]:
    """What to type after a training, by purpose. `window` is what a model of movement looks at; {} for one of pictures."""
    from .learning import yaml_line

    model = f"{folder}/model.onnx"
    trails = "people" in window  # it looks at trails: only the watcher has them
    steps = (
        {"export": f"pahara export {folder}"}
        if trails
        else {"look": f"pahara predict {folder} PATHS…", "export": f"pahara export {folder}"}
    )
    if line := yaml_line(kind, window, model):
        steps["pahara.yml"] = line
    return steps


def _took(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
