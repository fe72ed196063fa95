"""From a job to a finished run: train, examine, and leave weights that know their limits, figures and a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from pahara.core import PaharaError, TrainingError
from pahara.report.phrases import Phrase, plain, say

from ..batches import as_batches
from ..checkpoint import save_weights, write_whole
from ..keeping import BEST, LAST, STATE
from ..loop import Result, train
from ..report import TrainingReport, write_training_report
from ..report.classes import history_charts, key_figure
from ..run import environment, read_config, write_card, write_config, write_environment
from .job import Job, Outcome, Tell, Wishes

HOMES: Mapping[str, str] = {"image": "image", "detector": "detection", "action": "action", "anomaly": "anomaly"}  # kind -> module
FIGURES, REPORT, START = "figures.json", "report.html", "start.json"
COUNTS = ("examples", "pictures", "frames", "clips")  # figures that are counts
NO_SHARES = ("log_loss", "error", "limit", "normal_error", "abnormal_error")  # figures that are no shares of one


@dataclass(frozen=True)
class Done:
    """A run that has ended."""

    folder: Path
    result: Result
    outcome: Outcome
    report: Path
    weights: Path


def home_of(kind: str) -> Any:
    """The module of a kind of training: `open_job`, `evaluate`, `predict`."""
    return import_module(f"{__package__}.{HOMES[kind]}")


def open_job(kind: str, data: Path, wishes: Wishes) -> Job:
    """The job for `pahara train KIND DATA`. PaharaError for what cannot be."""
    job: Job = home_of(kind).open_job(data, wishes)
    return job


def keep_asked(folder: Path, job: Job, wishes: Wishes) -> None:
    """Write down what was asked for, so that `--resume` needs nothing else."""
    write_config(folder, {"kind": job.kind, "data": str(job.data.absolute()), "wishes": asdict(wishes), "plan": job.plan.as_dict()})


def read_asked(folder: Path) -> tuple[str, Path, Wishes]:
    """What a run was asked for: kind, data, wishes. TrainingError when the folder is no run."""
    told = read_config(folder)
    try:
        wishes = Wishes(**told["wishes"])
        return run_kind(told, folder), Path(told["data"]), replace(wishes, plan=told["plan"])
    except (KeyError, TypeError) as error:
        raise TrainingError(f"{folder} was not made by `pahara train` ({error} is missing in its config.yml); start a new run") from error


def do(
    job: Job, folder: Path, *, language: str = "en", progress: bool = True, resume: bool = False, tell: Callable[[str], Any] | None = None
) -> Done | Result:
    """Train and examine; -> what came of it, or the bare result of a training that was interrupted.

    Everything lies in `folder` afterwards: best.safetensors (its metadata complete), metrics.csv, figures.json, report.html.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_environment(folder)
    go_on = f"pahara train {job.kind} --resume {folder}"
    before = measured_start(job, folder)
    result = train(
        job.model, job.task, job.batches, job.held_out, job.plan, folder, about=job.about, progress=progress, resume=resume, go_on=go_on
    )
    if result.stopped == "interrupted":
        return result
    worse = worse_than_start(job, before, result)
    if tell is not None:
        for words in worse:
            tell(words["en"])
        tell("examining the best weights")
    outcome = job.examine(job.model)
    weights = folder / (BEST if result.best_epoch else LAST)
    about = {**job.about, **outcome.about, "epoch": result.best_epoch, "step": result.steps, "figures": finite(outcome.figures)}
    save_weights(weights, job.model, about)
    started = {f"start_{job.task.best}": before} if before is not None else {}
    write_whole(folder / FIGURES, json.dumps({"kind": job.kind, **finite(outcome.figures), **finite(started)}, indent=2).encode())
    data = {
        "data": job.data.name,
        **{name: value for name, value in job.summary.items() if isinstance(value, int | str) and value not in ("", 0)},
    }
    write_card(folder, about, data=data, figures=finite(outcome.figures), plan=job.plan.as_dict(), language=language)
    outcome = replace(outcome, warnings=(*worse, *outcome.warnings))
    report = write_training_report(report_of(job, folder, result, outcome), folder / REPORT, language)
    return Done(folder, result, outcome, report, weights)


def measured_start(job: Job, folder: Path) -> float | None:
    """The deciding figure of the weights that training starts from, on the held-out data; None where it starts from nothing.

    Measured once: a run that goes on reads what was found before its first step.
    """
    if not job.summary.get("from") or job.plan.devices * job.plan.nodes > 1:  # processes are to be made before torch computes
        return None
    path = folder / START
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))[job.task.best])
    except (OSError, ValueError, KeyError, TypeError):
        if (folder / STATE).exists():
            return None  # the run is on its way: what it started from is gone
    held_out = as_batches(job.held_out, "held-out data to measure on")
    job.model.eval()
    held_out.begin(0)
    with torch.inference_mode():
        figures = job.task.measure(job.model, held_out, torch.device("cpu"))
    held_out.close()
    write_whole(path, json.dumps(finite(figures), indent=2).encode())
    return float(figures[job.task.best])


def worse_than_start(job: Job, before: float | None, result: Result) -> tuple[Phrase, ...]:
    """One line where the best epoch is worse than what training started from."""
    if before is None or not result.best_epoch:
        return ()
    lost = result.best > before if job.task.lower_is_better else result.best < before
    if not lost:
        return ()
    told = {"metric": job.task.best, "before": f"{before:.3f}", "best": f"{result.best:.3f}"}
    return (say("training.worse", weights=str(job.summary["from"]), **told),)


def report_of(job: Job, folder: Path, result: Result, outcome: Outcome) -> TrainingReport:
    """The report of a run."""
    figures = tuple(figure(name, value) for name, value in list(outcome.figures.items())[:6])
    facts = (
        plain(str(job.summary.get("model", ""))),
        say("training.facts.epochs", epochs=result.epochs, best=result.best_epoch),
        say("training.facts.minutes", minutes=f"{result.seconds / 60:.1f}"),
    )
    warnings = (*(plain(words) for words in job.warnings), *outcome.warnings)
    return TrainingReport(
        folder.name, job.kind, outcome.headline, figures, (*history_charts(result.history), *outcome.blocks), facts, warnings, details(job)
    )


def figure(name: str, value: float) -> Any:
    """A figure of an outcome as the page shows it."""
    if name in COUNTS:
        return replace(key_figure(name, value, share=False), value=plain(f"{value:.0f}"))
    return key_figure(name, value, share=name not in NO_SHARES)


def details(job: Job) -> tuple[tuple[Phrase, Phrase], ...]:
    """Plan and environment, as rows."""
    rows: list[tuple[Phrase, Phrase]] = [(say("training.detail.data"), plain(str(job.data)))]
    for name, value in job.summary.items():
        if value not in ("", None, [], {}, ()):
            words = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, Mapping) else str(value)
            rows.append((plain(name.replace("_", " ")), plain(words)))
    rows += [(plain(f"plan: {name}"), plain(str(value))) for name, value in job.plan.as_dict().items()]
    here = environment()
    machine = (
        f"{here['system']}, {here['processor']}, {', '.join(here['gpus']) or 'CPU'}, {here['threads']} threads, Python {here['python']}"
    )
    versions = ", ".join(f"{name} {version}" for name, version in here["versions"].items())
    rows += [(say("training.detail.machine"), plain(machine)), (say("report.details.versions"), plain(versions))]
    return tuple(rows)


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Figures that JSON can hold."""
    return {name: float(value) for name, value in figures.items() if value - value == 0}


def run_kind(about: Mapping[str, Any], where: object) -> str:
    """What a model was trained for. PaharaError when nobody wrote it down."""
    kind = str(about.get("kind", ""))
    if kind not in HOMES:
        raise PaharaError(f"{where} does not say what it was trained for; weights and runs of `pahara train` do")
    return kind


__all__ = ["Done", "Tell", "do", "home_of", "keep_asked", "open_job", "read_asked", "report_of", "run_kind"]
