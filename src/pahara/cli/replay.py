"""`pahara replay`: think again about what was stored, without the video, and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Lang


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("replay", no_args_is_help=True)(replay)


def replay(
    store: Annotated[str, typer.Argument(help="Output folder of a watch, or a database URL.")],
    recording: Annotated[int, typer.Option("--recording", help="Only this recording (default: all).")] = 0,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Think with this pahara.yml instead of the one that was stored.", readable=False)
    ] = None,
    lang: Lang = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Run the behaviours again on stored tracks. With the stored configuration the same events come out, by id; exit code 1 when not."""
    from rich.progress import track

    from pahara.config import load
    from pahara.core.errors import StoreError
    from pahara.language import counted, text
    from pahara.pipeline.learning import remembered
    from pahara.pipeline.replay import compare, events_of, stored_events
    from pahara.pipeline.setup import plan_of
    from pahara.pipeline.telling import as_dict, one_line

    from .output import err, say, say_json
    from .stores import existing, spoken

    spoken(lang)
    settings = load(config) if config is not None else None
    told = []
    with existing(store) as opened:
        wanted = [opened.recording(recording)] if recording else opened.recordings()
        if not wanted:
            raise StoreError(f"{store} holds no recording: `pahara watch SOURCE --out {store}` makes one")
        for one in track(wanted, "replaying", console=err(), transient=True, disable=not err().is_terminal):
            plan = remembered(plan_of(one, settings), opened)
            memory = None if settings is None else plan.memory
            again = events_of(opened, one, plan.behaviours, plan.rules, memory=memory)
            told.append((one, again, compare(stored_events(opened, one, again), again)))
    same = all(comparison.identical for _, _, comparison in told)
    if as_json:
        rows = [
            {
                "recording": one.id,
                "camera": one.camera,
                "events": [as_dict(event) for event in again],
                "identical": comparison.identical,
                "removed": [event.id for event in comparison.removed],
                "added": [event.id for event in comparison.added],
            }
            for one, again, comparison in told
        ]
        say_json({"recordings": rows, "identical": same})
    else:
        for one, again, comparison in told:
            say(text("replay.recording", lang, id=one.id, camera=one.camera, events=counted("count.events", len(again), lang)))
            for event in again:
                say(f"  {one_line(event, lang)}")
            if comparison.identical:
                say(f"  {counted('replay.identical', len(comparison.kept), lang)}")
            else:
                changed = sum(old.id != new.id for old, new in comparison.kept)
                differs = {"removed": len(comparison.removed), "added": len(comparison.added), "changed": changed}
                say(f"  {text('replay.differs', lang, **differs)}")
    if settings is None and not same:
        raise typer.Exit(1)
