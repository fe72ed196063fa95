"""`pahara demo`: a staged scene is filmed, watched from its pixels, and compared with what was staged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pahara.config import ChosenDetector
    from pahara.pipeline.demo import DemoResult
    from pahara.pipeline.session import Session
    from pahara.simulate import Truth


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which scene.")] = 0,
    seconds: Annotated[float, typer.Option("--seconds", min=20, help="Length of the scene.")] = 60,
    script: Annotated[str, typer.Option("--script", help="Stage this script instead (a file or a bundled name).")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of film, truth, report, database and evidence.")] = Path("pahara-demo"),
    detector: Annotated[
        str, typer.Option("--detector", help="A zoo name, a path to .onnx, motion, hog, auto (the best that is here).")
    ] = "auto",
    lang: Annotated[str, typer.Option("--lang", help="Language of the sentences and the report: bn or en.")] = "en",
    annotate: Annotated[bool, typer.Option("--annotate", help="Also write annotated.mp4 with boxes, trails and alerts drawn.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Stage known incidents, film them, watch the film from its pixels alone, and show staged against caught."""
    from rich.progress import Progress

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
                note(f"staged {truth.name}: {truth.duration:.0f} s, {len(truth.incidents)} incidents", style="")
                note(f"detector: {chosen.why(lang)}", style="")

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
        say(f"report: {report}")
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

    from pahara.language import behaviour_name
    from pahara.pipeline.telling import clock_time

    from .output import say, table

    rows: list[list[object]] = []
    for row in result.summary.drill.staged:
        caught = Text("missed", "red") if row.missed else Text(f"after {row.delay:.1f} s", "green")
        rows.append([behaviour_name(row.kind, lang), row.place, clock_time(row.begin), caught])
    false = Text("false alarm", "yellow")
    rows += [[false, alarm.place, clock_time(alarm.time), behaviour_name(alarm.kind, lang)] for alarm in result.report.false]
    table(("staged", "where", "at", "caught"), rows)
    drill = result.summary.drill
    say(f"caught {drill.caught} of {len(drill.staged)}, {len(result.report.false)} false alarms")
