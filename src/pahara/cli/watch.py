"""`pahara watch`: a video, folder, webcam or camera goes in; events come as they happen, then a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pahara.config import Config
    from pahara.pipeline.learning import Learning
    from pahara.pipeline.session import Session
    from pahara.report import RunSummary


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("watch", no_args_is_help=True)(watch)


def watch(
    source: Annotated[
        str,
        typer.Argument(help="Video file, folder of pictures, webcam (0), rtsp://… address, or the key of a camera in the configuration."),
    ],
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="pahara.yml with zones, lines and behaviours.", readable=False)
    ] = None,
    camera: Annotated[str, typer.Option("--camera", help="Which camera of the configuration, where it has several.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of report, database and evidence (default: pahara-out/NAME).")
    ] = None,
    lang: Annotated[
        str,
        typer.Option("--lang", help="Language of events and report: bn or en (default: the configuration's).", envvar="PAHARA_LANG"),
    ] = "",
    detector: Annotated[
        str, typer.Option("--detector", help="Instead of the configuration's: a zoo name, a path to .onnx, motion, hog, auto.")
    ] = "",
    pose: Annotated[
        str, typer.Option("--pose", help="Find joints of people: a pose model's name (movenet), a path to .onnx or .tflite, or off.")
    ] = "",
    annotate: Annotated[
        Path | None, typer.Option("--annotate", help="Also write the film with boxes, bones, trails and alerts drawn (mp4).")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Stop after so many seconds of the source's own time.")] = float(
        "inf"
    ),
    gate: Annotated[
        bool, typer.Option("--gate/--no-gate", help="Let the detector rest while nothing moves (the configuration's gate).")
    ] = True,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Keep events, trails and evidence in the output folder.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: every event as it comes, then the summary.")] = False,
) -> None:
    """Watch one source: progress while it goes on, events as they come, then a report that needs no network."""
    from dataclasses import replace

    from pahara.config import choose_detector, default_config, load, plan, plan_for_source
    from pahara.config.model import GateChoice, PoseChoice, pose_mapping
    from pahara.pipeline.setup import open_plan, prepare
    from pahara.store import Store

    from .stores import spoken, usable_file, usable_folder

    if lang:
        spoken(lang)
    settings = load(config) if config is not None else default_config(source)
    if config is not None:
        _known(source, settings)
        if not settings.cameras:  # the recording keeps the camera too, so that a replay finds its rules
            settings = settings.model_copy(update={"cameras": default_config(source).cameras})
    if config is not None and source in settings.cameras and not Path(source).exists():
        wanted = plan(settings, source)
    elif config is not None:
        wanted = plan_for_source(settings, source, camera)
    else:
        wanted = plan(settings, next(iter(settings.cameras)))
    if not gate:
        wanted = replace(wanted, gate_options=None)
        settings = settings.model_copy(update={"gate": GateChoice(enabled=False)})
    if pose:
        asked = PoseChoice.model_validate({**wanted.pose.model_dump(), "enabled": True, **pose_mapping(pose)})
        wanted = replace(wanted, pose=asked, folder=Path())
        settings = settings.model_copy(update={"pose": asked})
    language = lang or wanted.language

    with open_plan(wanted) as opened:
        chosen = choose_detector(detector or wanted.detector, folder=Path() if detector else settings.folder)
        folder = out if out is not None else Path("pahara-out") / _name(wanted.source_shown)
        if keep or out is not None:
            usable_folder(folder, "--out")
        if annotate is not None:
            usable_file(annotate, "--annotate")
        made, posing = chosen.make(), wanted.make_pose()  # before anything is written: a missing model leaves no empty store behind
        store = Store.open(folder) if keep else None
        try:
            session = prepare(
                wanted,
                opened,
                config=settings,
                detector=made,
                chosen=chosen,
                pose=posing,
                store=store,
                annotate=annotate,
                seconds=seconds,
            )
            summary = run(session, language, as_json=as_json, shown=wanted.source_shown, why=chosen.why(language))
            finish(session, summary, folder if keep or out else None, language, as_json=as_json)
        finally:
            if store is not None:
                store.close()


def run(session: Session, language: str, *, as_json: bool, shown: str, why: str) -> RunSummary:
    """Run a session with a progress line on the terminal and one line for each event."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from pahara.language import text
    from pahara.pipeline.telling import as_dict, clock_time, one_line

    from .output import err, note, say_json, warn

    console = err()
    length = min(session.source.duration or float("inf"), session.seconds)
    told = 0
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        if not as_json:
            note(f"{shown} · {session.source.size[0]}x{session.source.size[1]} · {why}", style="")
        for group, labels in session.said_instead.items():
            warn(text("cli.labels.instead", language, group=group, labels=", ".join(labels)))
        task = progress.add_task("watching", total=length if length < float("inf") else None, now="")

        def tell(session: Session, _: object) -> None:
            nonlocal told
            for event in session.events[told:]:
                if as_json:
                    say_json({"type": "event", **as_dict(event), "held": event.id in session.held}, line=True)
                elif event.phase == "began" and event.id not in session.held:
                    progress.console.print(one_line(event, language), soft_wrap=True)
            told = len(session.events)
            if not progress.disable and session.frames % 5 == 0:
                progress.update(
                    task,
                    completed=session.time,
                    now=f"{clock_time(session.time)} · {session.people} in view · {len(session.ongoing)} alerts",
                )

        summary = session.run(tell)
        tell(session, None)
    return summary


def finish(session: Session, summary: RunSummary, folder: Path | None, language: str, *, as_json: bool) -> None:
    """Write the report, print what came of it, and exit with 130 after Ctrl-C, with 1 when something could not be kept."""
    from pahara.core.errors import PaharaError
    from pahara.language import behaviour_name, counted, text
    from pahara.pipeline.telling import clock_time
    from pahara.report.html import write_report

    from .output import note, say_json, warn

    problems = list(session.problems)
    report = None
    if folder is not None:
        try:
            report = write_report(summary, folder / "report.html", language)
        except PaharaError as problem:
            problems.append(str(problem))
    kinds: dict[str, int] = {}
    for card in summary.cards:
        kinds[card.event.kind] = kinds.get(card.event.kind, 0) + 1
    facts = summary.facts
    if as_json:
        told = {
            "type": "summary",
            "events": len(summary.cards),
            "kinds": kinds,
            "seconds": round(summary.end - summary.begin, 3),
            "frames": facts.frames,
            "detected": facts.detected,
            "cpu_seconds": round(facts.cpu_seconds, 3),
            "wall_seconds": round(facts.wall_seconds, 3),
            "corrupt_packets": summary.stats.corrupt_packets,
            "reconnects": summary.stats.reconnects,
            "report": str(report) if report else None,
            "normality": session.learning.facts() if session.learning is not None else None,
            "interrupted": session.interrupted,
            "problems": problems,
        }
        say_json(told, line=True)
    else:
        events = counted("count.events", len(summary.cards), language)
        if kinds:
            names = {kind: behaviour_name(kind, language) for kind in kinds}
            listed = ", ".join(f"{count} {names[kind][:1].lower()}{names[kind][1:]}" for kind, count in sorted(kinds.items()))
            events = text("watch.events.kinds", language, events=events, kinds=listed)
        pace = facts.frames / facts.wall_seconds if facts.wall_seconds else 0.0
        done = {"time": clock_time(summary.end - summary.begin), "pace": f"{pace:.0f}", "spared": f"{100 * facts.spared:.0f}"}
        note(text("watch.done", language, events=events, frames=counted("count.frames", facts.frames, language), **done), style="")
        if damaged := summary.stats.corrupt_packets:
            note(counted("watch.damaged", damaged, language), style="")
        if session.held:
            note(counted("watch.held", len(session.held), language), style="")
        if session.learning is not None:
            for line in _learned(session.learning, summary.camera, language):
                note(line, style="")
        if report is not None:
            note(text("cli.report", language, path=report), style="")
        for told_problem in problems[:5]:
            warn(told_problem)
        if len(problems) > 5:
            warn(counted("cli.problems.more", len(problems) - 5, language))
    if session.interrupted:
        raise typer.Exit(130)
    if problems:
        raise typer.Exit(1)


def _learned(learning: Learning, camera: str, language: str) -> list[str]:
    """What the camera has learned, what happened on the way, and how its budget was kept."""
    from pahara.core.rate import Rate
    from pahara.language import has, number, text
    from pahara.report.portrait import Kept, rate_words

    told = learning.facts()
    lines = []
    for happened in learning.notes:
        keys = (
            f"normality.{happened['what']}.{happened.get('why', '')}",
            f"normality.{happened['what']}",
            f"normality.update.{happened['what']}",
        )
        key = next((key for key in keys if has(key)), "")
        if key:
            lines.append(text(key, language, camera=camera, version=happened.get("version", told["version"])))
    if not told["ready"]:
        missing = {"attribute": text("attribute.motion", language), "tracks": told["tracks"], "needed": told["tracks_needed"]}
        lines.append(text("normality.still", language, what=text("normality.still.one", language, **missing)))
    else:
        facts = {"tracks": told["tracks"], "hours": number(told["hours_watched"]), "version": told["version"]}
        lines.append(text("normality.learned", language, **facts))
    if learning.judged:
        lines.append(rate_words(Kept(learning.alarms, learning.judged), str(Rate(learning.budget)))[language])
    return lines


def _known(source: str, settings: Config) -> None:
    """SourceError where a word is neither a file, an address nor a webcam, but nearly the key of a camera."""
    from difflib import get_close_matches

    from pahara.core.errors import SourceError

    if source in settings.cameras or source.isdigit() or "://" in source or Path(source).exists():
        return
    if near := get_close_matches(source, settings.cameras, n=1):
        raise SourceError(f"no such file, and no camera {source!r} in {settings.file}. Did you mean '{near[0]}'?")


def _name(source: str) -> str:
    """A folder name for a source: the file's stem, or the address in safe letters."""
    import re

    stem = Path(source).stem if "://" not in source else source.split("://", 1)[1]
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:60] or "camera"
