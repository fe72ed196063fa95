"""The main job on a staged scene: film it, watch the film from its pixels alone, and say what was caught and what was missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pahara.config import ChosenDetector, Config, choose_detector, from_data, plan
from pahara.core import StoreError
from pahara.evaluation import AlarmReport, Incident, alarms_of, by_kind, evaluate_alarms
from pahara.report import Drill, RunSummary, Staged
from pahara.simulate import Script, Truth
from pahara.simulate.incidents import DEFAULTS
from pahara.simulate.random import random_script
from pahara.simulate.write import write_video
from pahara.store import Store

from .session import Session
from .setup import open_plan, prepare
from .staged import config_data, config_text
from .watch import Look

KINDS = tuple(DEFAULTS)  # every kind that a rule of this version can catch
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DemoResult:
    """Staged against caught."""

    truth: Truth
    session: Session
    summary: RunSummary  # with its drill
    report: AlarmReport
    kinds: dict[str, AlarmReport]
    film: Path
    config: Config
    chosen: ChosenDetector


def demo(
    folder: Path,
    *,
    script: Script | None = None,
    seed: int = 0,
    seconds: float = 60.0,
    detector: str = "auto",
    language: str = "en",
    keep: bool = True,
    annotate: bool = False,
    on_film: Progress | None = None,
    on_watch: Callable[[Session, Look], None] | None = None,
    on_ready: Callable[[Truth, ChosenDetector], None] | None = None,
) -> DemoResult:
    """Stage `script` (default: a random scene by `seed`) in `folder`, watch it with default settings, and compare.

    The watch sees the H.264 film and the rules of the scene (its zones, lines and limits), never the truth. `keep`
    writes events, trails and evidence beside it.
    """
    staged = script if script is not None else random_script(seed, kinds=KINDS, duration=seconds)
    film = folder / "scene.mp4"
    truth = write_video(staged, film, truth_path=folder / "truth.json", progress=on_film)
    try:
        (folder / "pahara.yml").write_text(config_text(truth, film.name, language=language), encoding="utf-8")
    except OSError as problem:
        raise StoreError(f"cannot write into {folder}: {problem.strerror or problem}") from problem
    config = from_data(config_data(truth, str(film), language=language))
    wanted = plan(config, "staged")
    chosen = choose_detector(detector)
    if on_ready is not None:
        on_ready(truth, chosen)
    store = Store.open(folder) if keep else None
    try:
        with open_plan(wanted) as source:
            session = prepare(
                wanted, source, config=config, chosen=chosen, store=store, annotate=folder / "annotated.mp4" if annotate else None
            )
            summary = session.run(on_watch)
    finally:
        if store is not None:
            store.close()
    return compare(truth, session, summary, film=film, config=config, chosen=chosen)


def compare(truth: Truth, session: Session, summary: RunSummary, *, film: Path, config: Config, chosen: ChosenDetector) -> DemoResult:
    """Staged incidents against reported events; incidents near a limit (not `sure`) count neither way."""
    reached = session.time if session.interrupted else truth.duration  # what had not happened yet cannot be missed
    incidents = [
        Incident(one.kind, one.start, one.end, one.place, one.subjects, one.box, one.sure)
        for one in truth.incidents
        if one.kind in KINDS and one.start <= reached
    ]
    alarms = alarms_of(session.events)
    hours = max(session.time, 1.0) / 3600
    report = evaluate_alarms(incidents, alarms, hours=hours)
    ids = {(event.kind, event.time, event.place): event.id for event in session.events if event.phase == "began"}
    rows = [
        Staged(
            hit.incident.kind,
            hit.incident.start,
            hit.incident.end,
            caught=hit.alarm.time,
            event_id=ids[(hit.alarm.kind, hit.alarm.time, hit.alarm.place)],
            place=hit.incident.place,
        )
        for hit in report.hits
    ]
    rows += [Staged(one.kind, one.start, one.end, place=one.place) for one in report.missed]
    rows.sort(key=lambda row: row.begin)
    false = tuple(ids[(alarm.kind, alarm.time, alarm.place)] for alarm in report.false)
    summary = replace(summary, drill=Drill(tuple(rows), false, hours))
    return DemoResult(truth, session, summary, report, dict(by_kind(incidents, alarms, hours=hours)), film, config, chosen)
