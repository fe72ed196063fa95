"""`pahara demo`: a staged scene is filmed, watched from its pixels, and compared with what was staged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Lang

if TYPE_CHECKING:
    from pahara.config import ChosenDetector
    from pahara.pipeline.demo import DemoResult
    from pahara.pipeline.session import Session
    from pahara.simulate import Truth


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which scene.")] = 4,  # of the first dozen the one with the most incidents
    seconds: Annotated[float, typer.Option("--seconds", min=20, help="Length of the scene.")] = 60,
    script: Annotated[str, typer.Option("--script", help="Stage this script instead (a file or a bundled name).")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of film, truth, report, database and evidence.")] = Path("pahara-demo"),
    detector: Annotated[
        str, typer.Option("--detector", help="A zoo name, a path to .onnx, motion, hog, auto (the best that is here).")
    ] = "auto",
    lang: Lang = "en",
    annotate: Annotated[bool, typer.Option("--annotate", help="Also write annotated.mp4 with boxes, trails and alerts drawn.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Stage known incidents, film them, watch the film from its pixels alone, and show staged against caught."""
    from rich.progress import Progress

    from pahara.language import counted, text
    from pahara.pipeline.demo import demo as stage
    from pahara.pipeline.telling import one_line
    from pahara.report.html import write_report
    from pahara.simulate import load_script

    from .output import err, note, say, say_json, warn
    from .stores import spoken, usable_folder

    spoken(lang)
    staged = load_script(script) if script else None
    usable_folder(out, "--out")
    console = err()
    told = 0
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        filming = progress.add_task("filming the scene", total=None)
        watching = progress.add_task("watching the film", total=None, start=False)

        def film(done: int, total: int) -> None:
            progress.update(filming, completed=done, total=total)

        def ready(truth: Truth, chosen: ChosenDetector) -> None:
            progress.start_task(watching)
            progress.update(watching, total=truth.duration)
            if not as_json:
                incidents = counted("count.incidents", len(truth.incidents), lang)
                note(text("demo.staged", lang, name=truth.name, seconds=f"{truth.duration:.0f}", incidents=incidents), style="")
                note(text("demo.detector", lang, why=chosen.why(lang)), style="")

        def see(session: Session, _: object) -> None:
            nonlocal told
            progress.update(watching, completed=session.time)
            for event in session.events[told:]:
                if event.phase == "began" and not as_json:
                    progress.console.print(one_line(event, lang), soft_wrap=True)
            told = len(session.events)

        result = stage(
            out,
            script=staged,
            seed=seed,
            seconds=seconds,
            detector=detector,
            language=lang,
            annotate=annotate,
            on_film=film,
            on_ready=ready,
            on_watch=see,
        )
    report = write_report(result.summary, out / "report.html", lang)
    problems = result.session.problems
    if as_json:
        say_json({**_figures(result), "report": report, "interrupted": result.session.interrupted, "problems": problems})
    else:
        _table(result, lang)
        say(text("cli.report", lang, path=report))
        for told_problem in problems[:5]:
            warn(told_problem)
    if result.session.interrupted:
        raise typer.Exit(130)
    if problems:
        raise typer.Exit(1)


def _figures(result: DemoResult) -> dict[str, object]:
    drill = result.summary.drill
    return {
        "scene": result.truth.name,
        "detector": result.chosen.name,
        "staged": [
            {
                "kind": row.kind,
                "place": row.place,
                "begin": round(row.begin, 2),
                "caught": None if row.missed else round(row.caught, 2),
                "delay": None if row.missed else round(row.delay, 2),
            }
            for row in drill.staged
        ],
        "caught": drill.caught,
        "missed": len(drill.staged) - drill.caught,
        "false_alarms": [{"kind": alarm.kind, "time": round(alarm.time, 2), "place": alarm.place} for alarm in result.report.false],
        "hours": drill.hours,
    }


def _table(result: DemoResult, lang: str) -> None:
    from rich.text import Text

    from pahara.language import behaviour_name, counted, text
    from pahara.pipeline.telling import clock_time

    from .output import say, table

    rows: list[list[object]] = []
    for row in result.summary.drill.staged:
        caught = (
            Text(text("demo.missed", lang), "red")
            if row.missed
            else Text(text("demo.after", lang, seconds=f"{max(row.delay, 0):.1f}"), "green")
        )
        rows.append([behaviour_name(row.kind, lang), row.place, clock_time(row.begin), caught])
    false = Text(text("demo.false_alarm", lang), "yellow")
    rows += [[false, alarm.place, clock_time(alarm.time), behaviour_name(alarm.kind, lang)] for alarm in result.report.false]
    table([text(f"demo.column.{name}", lang) for name in ("staged", "where", "at", "caught")], rows)
    drill = result.summary.drill
    false_alarms = counted("count.false_alarms", len(result.report.false), lang)
    say(text("demo.done", lang, caught=drill.caught, staged=len(drill.staged), false=false_alarms))
