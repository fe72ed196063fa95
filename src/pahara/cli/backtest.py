"""`pahara backtest`: what a changed rule would have removed and added on stored tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Lang


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("backtest", no_args_is_help=True)(backtest)


def backtest(
    old: Annotated[Path, typer.Argument(help="The pahara.yml as it is.", readable=False)],
    new: Annotated[Path, typer.Argument(help="The pahara.yml as it might be.", readable=False)],
    store: Annotated[str, typer.Option("--store", help="Output folder or database URL (default: the store that OLD names).")] = "",
    days: Annotated[float, typer.Option("--days", min=0, help="Only recordings that began in the last so many days (0: all).")] = 0,
    lang: Lang = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Think about every stored recording twice, with the old rules and with the new, and list what differs."""
    import time

    from rich.progress import track

    from pahara.config import load
    from pahara.config.build import store_place
    from pahara.core.errors import StoreError
    from pahara.language import counted, text
    from pahara.pipeline.backtest import Backtest, missing_signals, try_rules
    from pahara.pipeline.learning import remembered
    from pahara.pipeline.setup import plan_of
    from pahara.pipeline.telling import as_dict, one_line
    from pahara.report.phrases import duration

    from .output import err, say, say_json, warn
    from .stores import existing, spoken

    spoken(lang)
    before, after = load(old), load(new)
    where, media = (store, None) if store else store_place(before)
    result = Backtest()
    warnings: list[str] = []
    with existing(where, media=media) as opened:
        since = time.time() - days * 86_400 if days else None
        recordings = opened.recordings(since=since)
        if not recordings:
            raise StoreError(f"{where} holds no recording{' of that time' if days else ''}: nothing to try the rules on")
        for one in track(recordings, "trying", console=err(), transient=True, disable=not err().is_terminal):
            plans = remembered(plan_of(one, before), opened), remembered(plan_of(one, after), opened)
            warnings += missing_signals(opened, one, plans[1])
            result += try_rules(opened, one, *plans)
    if as_json:
        say_json(
            {
                "recordings": len(recordings),
                "hours": round(result.hours, 4),
                "kept": len(result.kept),
                "removed": [{**as_dict(event), "verdict": result.verdicts.get(event.id)} for event in result.removed],
                "added": [as_dict(event) for event in result.added],
                "confirmed_missed": result.confirmed_missed,
                "warnings": warnings,
            }
        )
        return
    events = counted("count.events", len(result.kept) + len(result.removed), lang)
    say(
        text("backtest.over", lang, recordings=counted("count.recordings", len(recordings), lang), time=duration(3600 * result.hours)[lang])
    )
    if result.removed:
        say(text("backtest.removed", lang, removed=len(result.removed), events=events, confirmed=result.confirmed_missed))
    else:
        say(text("backtest.removed.none", lang, events=events))
    for event in result.removed:
        verdict = result.verdicts.get(event.id)
        say(f"  - {event.camera} {one_line(event, lang)}{f'  [{verdict}]' if verdict else ''}")
    say(text("backtest.added", lang, n=len(result.added)))
    for event in result.added:
        say(f"  + {event.camera} {one_line(event, lang)}")
    for warning in warnings:
        warn(warning)
