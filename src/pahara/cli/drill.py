"""`pahara drill`: incidents staged into a camera's own footage show what it would catch, how fast, and where it is blind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Lang

if TYPE_CHECKING:
    from pahara.config import CameraPlan, Config
    from pahara.pipeline.drill import DrillRun

RECORDING = "recording:"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("drill", no_args_is_help=True)(drill)


def drill(
    footage: Annotated[
        str,
        typer.Argument(
            help="Video file, folder of pictures, the key of a camera in the configuration (a live one is recorded first), or recording:ID with --store."
        ),
    ],
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="pahara.yml with the rules that are drilled.", readable=False)
    ] = None,
    camera: Annotated[str, typer.Option("--camera", help="Which camera of the configuration, where it has several.")] = "",
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="How many incidents are staged for each rule.")] = 6,
    behaviours: Annotated[
        list[str] | None, typer.Option("--behaviours", "-b", help="Only these rules, by name or kind (repeat it, or separate by commas).")
    ] = None,
    height: Annotated[
        str, typer.Option("--height", help="y1:h1,y2:h2: at these rows of the feet a person is so many pixels tall (where nobody walks).")
    ] = "",
    fov: Annotated[float, typer.Option("--fov", min=0, max=110, help="Field of view from side to side in degrees, where you know it.")] = 0,
    seconds: Annotated[float, typer.Option("--seconds", min=5, help="Use at most so much of the footage.")] = 600,
    record: Annotated[float, typer.Option("--record", min=10, max=600, help="Seconds that a live camera is recorded for.")] = 90,
    detector: Annotated[
        str, typer.Option("--detector", help="Instead of the configuration's: a zoo name, a path to .onnx, motion, hog, auto.")
    ] = "",
    store: Annotated[str, typer.Option("--store", help="Output folder or database URL that recording:ID is looked for in.")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the report (default: pahara-drill/NAME).")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the drill in --out.")] = False,
    lang: Lang = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Stage incidents into your own footage and report what this camera, with these settings, would catch and how fast."""
    from dataclasses import replace

    from pahara.config import choose_detector
    from pahara.core.errors import ConfigError
    from pahara.language import text
    from pahara.pipeline import drill as work
    from pahara.pipeline.drill_told import figures, page_of, picture_of
    from pahara.pipeline.footage import open_footage
    from pahara.report.drill import write_drill
    from pahara.report.html import write_page

    from .output import note, progress, say, say_json
    from .stores import spoken, usable_folder

    spoken(lang)
    if 0 < fov < 15:
        raise ConfigError(f"--fov {fov:g}: a field of view is 15 to 110 degrees")
    plan, settings = _plan(footage, config, camera, store)
    only = [name.strip() for each in behaviours or () for name in each.split(",") if name.strip()]
    work.wishes_of(plan, only)  # what cannot be drilled is told before anything is read
    folder = out if out is not None else Path("pahara-drill") / _name(plan.source_shown if footage == str.__str__(plan.source) else footage)
    usable_folder(folder, "--out")
    if _live(plan):
        plan = replace(plan, source=_recorded(plan, folder, record, resume))
    opened = open_footage(plan, seconds=seconds)
    chosen = choose_detector(detector or plan.detector, folder=Path() if detector else settings.folder if settings is not None else None)
    made = chosen.make()
    if not as_json:
        note(f"{opened.shown} · {opened.size[0]}x{opened.size[1]} · {chosen.why(lang)}", style="")
    with progress("looking at the footage", opened.length or None) as tell:
        ready = work.understand(plan, opened, made, chosen, height=height, fov=fov, behaviours=only, tell=tell)
    with progress("staging", None) as tell:
        done = work.run(ready, folder, seeds=seeds, resume=resume, on_take=lambda _, n, total: tell(n, total))
    told = figures(done)
    report = write_drill(page_of(done, folder), folder / "report.html", lang)
    _write_bytes(picture_of(done), folder / "blind.png")
    import json

    from .output import plain

    write_page(json.dumps(plain(told), indent=2, allow_nan=False) + "\n", folder / "drill.json")
    if as_json:
        say_json({**told, "report": report, "picture": folder / "blind.png"})
    else:
        _table(done, lang)
        say(
            text(
                "drill.done",
                lang,
                caught=told["caught"],
                staged=told["staged"],
                gap=text(f"drill.verdict.{told['realism']['verdict']}", lang),
            )
        )
        say(text("cli.report", lang, path=report))
    if done.interrupted:
        if not as_json:
            note(text("drill.stopped", lang, done=len(done.results), all=seeds * (len(ready.wishes) + 1)), style="")
        raise typer.Exit(130)


def _plan(footage: str, config: Path | None, camera: str, store: str) -> tuple[CameraPlan, Config | None]:
    """The camera that is drilled, with the footage as its source."""
    from dataclasses import replace

    from pahara.config import default_config, load, plan, plan_for_source
    from pahara.core.errors import ConfigError, SourceError, StoreError
    from pahara.pipeline.setup import plan_of

    from .stores import existing

    settings = load(config) if config is not None else None
    if footage.startswith(RECORDING):
        number = footage.removeprefix(RECORDING)
        if not number.isdecimal() or not store:
            raise ConfigError(f"{footage}: a recording is named recording:ID together with --store, the folder of the store")
        with existing(store) as opened:
            recording = opened.recording(int(number))
            found = plan_of(recording, settings)
        if not Path(recording.source).exists():
            raise StoreError(
                f"recording {number} of {recording.camera} was made from {recording.source}, whose pictures are not here any more; "
                "give the camera's key, or a clip of it"
            )
        return replace(found, source=recording.source, source_shown=recording.source), settings
    if settings is None:
        if not Path(footage).exists() and "://" not in footage and not footage.isdigit():
            raise SourceError(f"no such file or folder: {footage}; to drill a camera of a pahara.yml give it with -c")
        made = default_config(footage)
        return plan(made, next(iter(made.cameras))), made
    if footage in settings.cameras and not Path(footage).exists():
        return plan(settings, footage), settings
    if not Path(footage).exists() and "://" not in footage and not footage.isdigit():
        raise SourceError(f"no such file, and no camera {footage!r} in {settings.file}; there are {', '.join(settings.cameras) or 'none'}")
    return plan_for_source(settings, footage, camera), settings


def _live(plan: CameraPlan) -> bool:
    from pahara.video.address import read_address

    return read_address(str.__str__(plan.source)).kind not in ("file", "folder")


def _recorded(plan: CameraPlan, folder: Path, seconds: float, resume: bool) -> str:
    """A live camera's footage: recorded into the folder once, and used again with --resume."""
    from pahara.pipeline.footage import record

    from .output import progress

    there = sorted(folder.glob("footage.m*"))
    if not (resume and there):
        with progress("recording the camera", seconds) as tell:
            there = [record(plan, folder / "footage.mp4", seconds, tell)]
    return str(there[0])


def _table(done: DrillRun, lang: str) -> None:
    from rich.text import Text

    from pahara.language import text
    from pahara.pipeline.drill_told import lines_of
    from pahara.report.phrases import behaviour

    from .output import table

    def seconds(value: float) -> str:
        return f"{value:.1f} s" if value == value else "–"

    rows: list[list[object]] = []
    for line in lines_of(done):
        style = "" if not line.staged else "green" if line.share.value >= 0.8 else "yellow" if line.share.value >= 0.5 else "red"
        share = f"{100 * line.share.value:.0f} % ({100 * line.share.low:.0f}–{100 * line.share.high:.0f})" if line.staged else "–"
        missed = [
            text(f"drill.miss.{why}", lang, n=n) for why, n in (("unseen", line.unseen), ("lost", line.lost), ("rule", line.rule)) if n
        ]
        if line.void:
            missed.append(text("drill.miss.void", lang, n=line.void))
        if line.unstaged:
            missed.append(text(f"drill.unstaged.{line.why_unstaged}", lang, n=line.unstaged))
        rows.append([behaviour(line.name, line.kind)[lang], f"{line.caught}/{line.staged}", Text(share, style), seconds(line.delay), seconds(line.after_deed), "; ".join(missed)])  # fmt: skip
    table(
        [text(f"drill.short.{name}", lang) for name in ("behaviour", "caught", "share", "delay", "deed", "missed")], rows, right=(1, 3, 4)
    )


def _write_bytes(what: bytes, path: Path) -> None:
    from pahara.core.errors import PaharaError

    try:
        path.write_bytes(what)
    except OSError as problem:
        raise PaharaError(f"cannot write {path}: {problem.strerror or problem}; choose another folder with --out") from problem


def _name(source: str) -> str:
    """A folder name for a source."""
    import re

    stem = Path(source).stem if "://" not in source else source.split("://", 1)[1]
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:60] or "camera"
