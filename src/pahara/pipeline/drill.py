"""Simulated incidents staged into a camera's own footage: what it would catch with these settings, and how fast."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pahara import __version__
from pahara.config import CameraPlan, ChosenDetector
from pahara.config.labels import fit_labels
from pahara.core import ConfigError, Detector, PaharaError
from pahara.simulate.into import reference
from pahara.simulate.look import measure_look, median_background
from pahara.simulate.takes import GRID, KINDS, PASSING, SMALLEST, Wish, ground_of
from pahara.simulate.view import FEWEST, fit_scale, fit_view, read_scale, usable

from .drill_takes import TakeResult, read_takes
from .drill_watch import Stageable, drill_one
from .footage import Footage, Tell, analyst_at, survey
from .realism import Gap, Sizes, realism_gap
from .setup import class_names

TAKES = "takes.jsonl"
BACKGROUND = 36  # frames at most that the background is made of


@dataclass
class DrillRun:
    """Takes done so far; iterate `run` to do more."""

    ready: Stageable
    results: list[TakeResult] = field(default_factory=list)
    seeds: int = 0
    interrupted: bool = False

    @property
    def control_hours(self) -> float:
        return self.ready.survey.seconds / 3600

    @property
    def staged_hours(self) -> float:
        return sum(r.seconds for r in self.results if r.state not in ("unstaged",)) / 3600

    def gap(self) -> Gap:
        """Staged passers-by against the real people of the same footage."""
        real = self.ready.survey.followed.sizes(self.ready.footage.size)
        return realism_gap(real, Sizes.join(r.staged for r in self.results if r.staged is not None))


def understand(
    plan: CameraPlan, footage: Footage, detector: Detector, chosen: ChosenDetector, *, height: str = "", fov: float = 0.0,
    behaviours: Sequence[str] = (), tell: Tell | None = None,
) -> Stageable:  # fmt: skip
    """One pass over the footage: scale, light and places. ConfigError, SourceError in one line where that is impossible."""
    wishes, unknown = wishes_of(plan, behaviours)
    told = read_scale(height, footage.size) if height else None
    fitted, _ = fit_labels(plan, class_names(detector))
    seen = survey(footage, detector, analyst_at(fitted, footage.size, footage.epoch), fitted, tell, total=footage.length)
    boxes, scores = seen.people()
    whole = usable(boxes, scores, footage.size)
    feet = np.stack([(boxes[whole, 0] + boxes[whole, 2]) / 2, boxes[whole, 3]], 1).astype(np.float64)
    tall = (boxes[whole, 3] - boxes[whole, 1]).astype(np.float64)
    scale = told or fit_scale(feet, tall, footage.size)
    if scale is None:
        raise ConfigError(
            f"{footage.shown}: {len(feet)} whole people were seen in {seen.seconds:.0f} s, too few to tell how tall people are in this view "
            f"(it takes {FEWEST}). Give footage in which people walk, or --height y1:h1,y2:h2 (row of the feet and body height in pixels, at two places)"
        )
    estimate = fit_view(scale, footage.size, None if told else feet, None if told else tall, fov=fov)
    ground = ground_of(estimate, feet, plan.zones, plan.lines)
    if not ground.mask.any():
        raise ConfigError(
            f"{footage.shown}: nowhere in this view would a person be {SMALLEST:.0f} pixels tall: too far for this camera, or --height is wrong"
        )
    background = median_background(seen.samples[:: max(1, len(seen.samples) // BACKGROUND)])
    rows, columns = np.nonzero(ground.mask)
    spots = feet if len(feet) >= FEWEST else (np.stack([columns, rows], 1) + 0.5) * GRID
    look = measure_look(seen.samples, background, estimate.scale, *reference(estimate, spots), bits=footage.bits(seen.fps))
    seen.samples.clear()  # many pictures, not needed any more
    return Stageable(plan, footage, seen, estimate, look, ground, wishes, unknown, detector, chosen, told is not None)


def wishes_of(plan: CameraPlan, only: Sequence[str] = ()) -> tuple[tuple[Wish, ...], tuple[tuple[str, str], ...]]:
    """What can be staged for the plan's rules, and those rules that cannot be; `only` are names or kinds. ConfigError for unknown ones."""
    kinds = dict(plan.kinds)
    for name in only:
        if name not in kinds and name not in kinds.values():
            known = ", ".join(sorted({*kinds, *kinds.values()}))
            raise ConfigError(f"no behaviour {name!r} at camera {plan.camera}; there are {known}")
    chosen = {name: b for name, b in plan.behaviours.items() if not only or name in only or kinds[name] in only}
    wishes = tuple(Wish.of(name, behaviour) for name, behaviour in chosen.items() if kinds[name] in KINDS)
    unknown = tuple((name, kinds[name]) for name in chosen if kinds[name] not in KINDS)
    if not wishes:
        raise ConfigError(
            f"camera {plan.camera} looks for nothing that can be staged ({', '.join(sorted(set(kinds.values()))) or 'no behaviours'})"
        )
    return wishes, unknown


def run(
    ready: Stageable, folder: Path, *, seeds: int, resume: bool = False, on_take: Callable[[DrillRun, int, int], None] | None = None
) -> DrillRun:
    """Stage `seeds` incidents for each rule, and passers-by; what is done is kept in `folder` take by take.

    Ctrl-C ends it and keeps what is done; `resume` goes on with the same footage, rules and detector, else ConfigError.
    """
    made = DrillRun(ready, seeds=seeds)
    kept = folder / TAKES
    mark = fingerprint(ready)
    if resume and kept.is_file():
        made.results = read_takes(kept, mark)
    done = {result.key for result in made.results}
    jobs = [(wish, seed) for seed in range(seeds) for wish in (PASSING, *ready.wishes) if (wish.kind, wish.behaviour, seed) not in done]
    made.results = [r for r in made.results if r.seed < seeds]
    try:
        with kept.open("a" if done else "w", encoding="utf-8") as out:
            if not done:
                out.write(json.dumps(mark) + "\n")
            for n, (wish, seed) in enumerate(jobs):
                if on_take is not None:
                    on_take(made, n, len(jobs))
                result = drill_one(ready, wish, seed, folder / "pictures")
                made.results.append(result)
                out.write(json.dumps(result.plain(), allow_nan=False) + "\n")
                out.flush()
            if on_take is not None:
                on_take(made, len(jobs), len(jobs))
    except KeyboardInterrupt:
        made.interrupted = True
    except OSError as problem:
        raise PaharaError(f"cannot write {kept}: {problem.strerror or problem}; choose another folder with --out") from problem
    return made


def fingerprint(ready: Stageable) -> dict[str, Any]:
    """What takes depend on: another footage, rule or detector is another drill."""
    return {
        "format": "pahara-drill", "version": 2, "pahara": __version__, "footage": ready.footage.digest, "seconds": round(ready.footage.seconds, 3) if ready.footage.seconds < 1e9 else 0,
        "rules": {name: repr(b) for name, b in ready.plan.behaviours.items()}, "alarms": {name: repr(r) for name, r in ready.plan.rules.items()},
        "detector": ready.chosen.name, "gate": repr(ready.plan.gate_options), "tracker": repr(dict(ready.plan.tracker_options)),
        "scale": [round(ready.estimate.scale.a, 4), round(ready.estimate.scale.b, 2), round(ready.estimate.view.fov, 1)],
    }  # fmt: skip
