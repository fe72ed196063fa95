"""What a drill found, counted: for the page, the terminal and machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.config.detectors import EMBEDDED
from pahara.evaluation.alarms import Interval, rate_at_most, wilson
from pahara.report.blindmap import Cells, blind_map, draw_cells, draw_incidents
from pahara.report.drill import DrillLine, DrillPage, DrillPicture
from pahara.report.phrases import Phrase, counted, listed, say
from pahara.simulate.takes import GRID

from .drill import DrillRun
from .drill_takes import TakeResult
from .realism import Gap

Floats = NDArray[np.floating[Any]]
STEPS = 1.5  # one size of the table is so many times the one before
RESAMPLES = 500
FEWEST = 10  # looks at a size below which it is left out


def lines_of(made: DrillRun) -> tuple[DrillLine, ...]:
    """One line for each rule that was drilled, in the configuration's order."""
    return tuple(
        _line(w.behaviour, w.kind, w.place, [r for r in made.results if r.behaviour == w.behaviour and r.kind == w.kind])
        for w in made.ready.wishes
    )


def _line(name: str, kind: str, place: str, results: Sequence[TakeResult]) -> DrillLine:
    counted = [r for r in results if r.state in ("caught", "missed")]
    caught = [r for r in counted if r.state == "caught"]
    delays, deeds = np.array([max(r.delay, 0.0) for r in caught]), np.array([max(r.after_deed, 0.0) for r in caught])
    unstaged = [r for r in results if r.state == "unstaged"]
    reasons = [r.why for r in unstaged]
    missed = {why: sum(r.state == "missed" and r.why == why for r in results) for why in ("unseen", "lost", "rule")}
    return DrillLine(
        name=name,
        kind=kind,
        place=place,
        staged=len(counted),
        caught=len(caught),
        share=wilson(len(caught), len(counted)),
        delay=float(np.median(delays)) if len(delays) else float("nan"),
        slowest=float(np.quantile(delays, 0.9)) if len(delays) else float("nan"),
        after_deed=float(np.median(deeds)) if len(deeds) else float("nan"),
        unseen=missed["unseen"],
        lost=missed["lost"],
        rule=missed["rule"],
        void=sum(r.state == "void" for r in results),
        unstaged=len(unstaged),
        why_unstaged=max(set(reasons), key=reasons.count) if reasons else "",
    )


def looks_of(made: DrillRun) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Every look at someone upright: (n, 2) feet as fractions, (n,) heights in pixels, (n,) confidence, (n,) which take."""
    rows = [(n, row) for n, r in enumerate(made.results) for row in r.rows if row.upright]
    return (
        np.array([[r.x, r.y] for _, r in rows]).reshape(-1, 2),
        np.array([r.height for _, r in rows]),
        np.array([r.confidence for _, r in rows]),
        np.array([n for n, _ in rows], np.int64),
    )


def sure_of(made: DrillRun) -> float:
    """The confidence from which the camera's tracker trusts a detection."""
    return float(getattr(made.ready.plan.make_tracker(), "high", 0.5))


def seen_cells(made: DrillRun) -> Cells:
    """How often the detector was sure of staged people, by where their feet were."""
    spots, _, confidence, _ = looks_of(made)
    return Cells.of(spots, confidence >= sure_of(made), made.ready.footage.size)


def incident_spots(made: DrillRun) -> tuple[Floats, list[bool]]:
    """Where incidents happened that have a place, and whether they were caught."""
    rows = [r for r in made.results if r.state in ("caught", "missed") and r.x == r.x]
    return np.array([[r.x, r.y] for r in rows]).reshape(-1, 2), [r.state == "caught" for r in rows]


def picture_of(made: DrillRun) -> bytes:
    """blind.png: both maps below one another."""
    spots, caught = incident_spots(made)
    return png(blind_map(made.ready.look.background, seen_cells(made), spots, caught))


def png(picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1])


def size_table(made: DrillRun) -> tuple[tuple[str, int, Interval], ...]:
    """Heights in pixels, looks, and the share in which the detector was sure.

    Looks at one person are much alike, so the 95 % intervals come from drawing whole takes anew, not single looks.
    """
    _, heights, confidence, takes = looks_of(made)
    sure = confidence >= sure_of(made)
    bins = np.floor(np.log(np.maximum(heights, 1.0) / 16) / np.log(STEPS)).astype(int)
    told = []
    for b in np.unique(bins):
        here = bins == b
        who = np.unique(takes[here])
        if here.sum() < FEWEST or len(who) < 2:
            continue
        hits, looks = (np.array([values[here & (takes == w)].sum() for w in who], np.float64) for values in (sure, np.ones_like(sure)))
        drawn = np.random.default_rng(int(b) + 100).integers(len(who), size=(RESAMPLES, len(who)))
        low, high = np.percentile(hits[drawn].sum(1) / looks[drawn].sum(1), [2.5, 97.5])
        told.append(
            (
                f"{16 * STEPS**b:.0f}–{16 * STEPS ** (b + 1):.0f}",
                int(here.sum()),
                Interval(float(sure[here].mean()), float(low), float(high)),
            )
        )
    return tuple(told)


def page_of(made: DrillRun, folder: Path | None = None) -> DrillPage:
    """Everything that the report shows; `folder` holds the pictures of the takes."""
    ready, lines, gap = made.ready, lines_of(made), made.gap()
    background = ready.look.background
    spots, caught = incident_spots(made)
    began = [e for e in ready.survey.events if e.phase == "began"]
    side = sum(len(r.side) for r in made.results)
    minutes = f"{ready.survey.seconds / 60:.1f}"
    verdict = gap.verdict
    unfinished = made.interrupted or len(made.results) < made.seeds * (len(ready.wishes) + 1)
    return DrillPage(
        camera=ready.plan.name,
        source=ready.footage.shown,
        facts=(
            say("drill.fact.footage", minutes=minutes), counted("drill.fact.seeds", made.seeds), say("drill.fact.detector", name=ready.chosen.name),
        ),
        lines=lines,
        seen_map=png(draw_cells(background, seen_cells(made))),
        incident_map=png(draw_incidents(background, spots, caught)),
        blind_about=say("drill.blind.about", sure=f"{sure_of(made):g}"),
        size_table=size_table(made),
        gap_verdict=verdict,
        gap_words=say(f"drill.gap.{verdict}", gap=_signed(gap.confidence), low=_signed(gap.low), high=_signed(gap.high)),
        gap_table=_gap_table(gap),
        control=say("drill.control", minutes=minutes, n=len(began), rate=f"{rate_at_most(len(began), made.control_hours):.0f}"),
        side=say("drill.side", n=side, minutes=f"{60 * made.staged_hours:.0f}"),
        notes=_notes(made),
        cannot=_cannot(made),
        pictures=_pictures(made, folder),
        caught=sum(line.caught for line in lines),
        staged=sum(line.staged for line in lines),
        unfinished=unfinished,
        unknown=ready.unknown,
    )  # fmt: skip


def figures(made: DrillRun) -> dict[str, Any]:
    """JSON-ready."""
    ready, gap = made.ready, made.gap()
    began = [e for e in ready.survey.events if e.phase == "began"]
    scale, view = ready.estimate.scale, ready.estimate.view
    cells = seen_cells(made)
    return {
        "camera": ready.plan.camera,
        "source": ready.footage.shown,
        "detector": ready.chosen.name,
        "seeds": made.seeds,
        "interrupted": made.interrupted,
        "caught": sum(line.caught for line in lines_of(made)),
        "staged": sum(line.staged for line in lines_of(made)),
        "behaviours": [
            {
                "name": line.name, "kind": line.kind, "place": line.place, "staged": line.staged, "caught": line.caught,
                "share": line.share.value, "low": line.share.low, "high": line.share.high, "delay_median": line.delay, "delay_p90": line.slowest,
                "after_deed_median": line.after_deed, "unseen": line.unseen, "lost": line.lost, "rule": line.rule, "void": line.void,
                "unstaged": line.unstaged, "why_unstaged": line.why_unstaged,
            }
            for line in lines_of(made)
        ],
        "not_drilled": [{"name": name, "kind": kind} for name, kind in ready.unknown],
        "realism": {
            "verdict": gap.verdict, "confidence": gap.confidence, "low": gap.low, "high": gap.high, "recall_real": gap.recall_real,
            "recall_staged": gap.recall_staged, "sure": gap.sure, "people_real": gap.real, "people_staged": gap.staged, "heights": list(gap.heights),
        },
        "control": {"seconds": round(ready.survey.seconds, 1), "alarms": len(began), "per_hour_at_most": rate_at_most(len(began), made.control_hours)},
        "other_alarms": sum(len(r.side) for r in made.results),
        "view": {
            "a": scale.a, "b": scale.b, "boxes": scale.sightings, "spread": scale.spread, "told": ready.told_height,
            "camera_height": view.height, "tilt": view.tilt, "fov": view.fov, "roll": view.roll,
        },
        "look": ready.look.plain(),
        "staged_where": ready.ground.origin,
        "sure": sure_of(made),
        "seen_by_cell": {"columns": cells.tried.shape[1], "rows": cells.tried.shape[0], "looks": cells.tried.tolist(), "found": cells.found.tolist()},
        "seen_by_size": [{"pixels": name, "looks": n, "share": s.value, "low": s.low, "high": s.high} for name, n, s in size_table(made)],
        "takes": [{k: v for k, v in r.plain().items() if k not in ("rows", "staged")} for r in made.results],
    }  # fmt: skip


def _gap_table(gap: Gap) -> tuple[tuple[Phrase, str], ...]:
    if not gap.real:
        return ((say("drill.gap.people"), "–"),)
    return (
        (say("drill.gap.confidence"), f"{_signed(gap.confidence)} ({_signed(gap.low)} … {_signed(gap.high)})"),
        (say("drill.gap.recall"), f"{100 * gap.recall_real:.0f} % / {100 * gap.recall_staged:.0f} %"),
        (say("drill.gap.people"), f"{gap.real} / {gap.staged}"),
        (say("drill.gap.heights"), f"{gap.heights[0]:.0f}–{gap.heights[1]:.0f}"),
    )


def _notes(made: DrillRun) -> tuple[Phrase, ...]:
    ready = made.ready
    scale, view, look = ready.estimate.scale, ready.estimate.view, ready.look
    rows = (np.nonzero(ready.ground.mask)[0] + 0.5) * GRID
    low, high = (f"{float(scale.at(y)):.0f}" for y in np.percentile(rows, [5, 95]))
    if ready.told_height:
        told = [say("drill.fit.told", low=low, high=high)]
    else:
        told = [say("drill.fit.scale", low=low, high=high, n=scale.sightings, spread=f"{100 * scale.spread:.0f}")]
        if not scale.sloped:
            told.append(say("drill.fit.flat"))
    told.append(say("drill.fit.camera", height=f"{view.height:.1f}", tilt=f"{view.tilt:.0f}"))
    measured = [m for m in look.measured if m in ("colours", "blur", "shadow")]
    if measured:
        told.append(say("drill.fit.look", n=look.people, what=listed([say(f"drill.look.{m}") for m in (*measured, "noise")])))
    else:
        told.append(say("drill.fit.nobody"))
    return (*told, say(f"drill.fit.origin.{ready.ground.origin}"))


def _cannot(made: DrillRun) -> tuple[Phrase, ...]:
    ready = made.ready
    kinds = {w.kind for w in ready.wishes}
    told = [
        say("drill.cannot.behind"),
        say("drill.cannot.hours"),
        say("drill.cannot.acting"),
        say("drill.cannot.circular"),
        say("drill.cannot.range"),
    ]
    told.append(say("drill.cannot.ground", fov=f"{ready.estimate.view.fov:.0f}"))
    if ready.chosen.name == EMBEDDED:
        told.insert(0, say("drill.cannot.own"))
    if kinds & {"abandoned", "removed"}:
        told.append(say("drill.cannot.things"))
    if "tamper" in kinds:
        told.append(say("drill.cannot.tamper"))
    if any(getattr(getattr(b, "schedule", None), "windows", ()) for b in ready.plan.behaviours.values()):
        told.append(say("drill.cannot.schedule"))
    told.append(say("drill.cannot.false", minutes=f"{ready.survey.seconds / 60:.1f}"))
    return tuple(told)


def _pictures(made: DrillRun, folder: Path | None) -> tuple[DrillPicture, ...]:
    if folder is None:
        return ()
    found = []
    for name, kind in [("passing", "passing"), *((w.behaviour, w.kind) for w in made.ready.wishes)]:
        file = folder / "pictures" / f"{''.join(c if c.isalnum() or c in '-_' else '-' for c in name)}.jpg"
        if file.is_file():
            found.append(DrillPicture(name, kind, file.read_bytes()))
    return tuple(found)


def _signed(value: float) -> str:
    return f"{value:+.2f}" if value == value else "–"


__all__ = ["figures", "incident_spots", "lines_of", "looks_of", "page_of", "picture_of", "seen_cells", "size_table"]
