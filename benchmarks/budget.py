"""The alarm budget on simulated camera-days that were not learned from: realised ÷ stated alarms a day, and recall of staged incidents.

Each camera learns its site for a week, with a threshold for each budget that follows from those days alone. Then come days that
it has not seen (whose alarms are counted), and other unseen days into which incidents are staged (of which some are found).
Simulated people have the habits that were put into them: this shows that the calibration is honest where days are alike, not
that tomorrow is like today on a real street.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pahara.simulate.traffic import simulate_day
from shared import arguments, show
from simulated_cameras import Outcome, alarms, incidents, learned

BUDGETS = (1.0, 3.0, 10.0)
LESSONS = 7  # days learned from; whole weeks are learned and tested, for days off differ from the others
RESAMPLES = 2000


def one_camera(seed: int, days: int, each: int) -> dict[str, Any]:
    """Counts of one camera: alarms a day per budget, and what became of its incidents."""
    camera = learned(seed, LESSONS)
    after = camera.first + LESSONS
    counts: dict[str, list[int]] = {f"{budget:g}": [] for budget in BUDGETS}
    for day in range(after, after + days):
        for name, events in alarms(camera, simulate_day(camera.site, seed, day), BUDGETS).items():
            counts[name].append(len(events))
    outcomes = incidents(camera, BUDGETS, each)
    print(f"{camera.site.name}: " + ", ".join(f"{n}/day → {np.mean(c):.2f}" for n, c in counts.items()), file=sys.stderr)
    return {"site": camera.site.name, "counts": counts, "outcomes": outcomes}


def ratio(cameras: list[dict[str, Any]], name: str) -> tuple[float, float, float]:
    """Realised ÷ stated, with a 95 % interval from drawing cameras, and days within them."""
    counts = [np.array(camera["counts"][name], float) for camera in cameras]
    rng = np.random.default_rng(0)
    drawn = [
        np.mean([rng.choice(counts[i], len(counts[i])).mean() for i in rng.integers(len(counts), size=len(counts))])
        for _ in range(RESAMPLES)
    ]
    stated = float(name)
    low, high = np.percentile(drawn, [2.5, 97.5]) / stated
    return float(np.mean([c.mean() for c in counts])) / stated, float(low), float(high)


def recall(cameras: list[dict[str, Any]], name: str) -> tuple[float, float, float, int]:
    """Found ÷ staged with a 95 % interval from drawing cameras, and how many were staged."""
    found = [np.array([outcome.found for outcome in camera["outcomes"][name]], float) for camera in cameras]
    rng = np.random.default_rng(0)
    drawn = [np.concatenate([found[i] for i in rng.integers(len(found), size=len(found))]).mean() for _ in range(RESAMPLES)]
    every = np.concatenate(found)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(every.mean()), float(low), float(high), len(every)


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--days", type=int, default=14, help="unseen days of each camera")
    parser.add_argument("--each", type=int, default=2, help="incidents of each cause and camera")
    parser.add_argument("--seed", type=int, default=20, help="of the first camera; the others follow")
    asked = parser.parse_args()
    cameras = [one_camera(asked.seed + i, asked.days, asked.each) for i in range(asked.cameras)]
    figures: dict[str, Any] = {"camera_hours": asked.cameras * asked.days * 24}
    notes = {"camera_hours": "not learned from, without incidents"}
    for budget in BUDGETS:
        name = f"{budget:g}"
        value, low, high = ratio(cameras, name)
        figures[f"ratio_{name}"] = value
        notes[f"ratio_{name}"] = f"realised ÷ stated; goal 0.75 to 1.25; 95 % {low:.2f} to {high:.2f}"
        figures |= {f"ratio_{name}_low": low, f"ratio_{name}_high": high}
    for budget in BUDGETS:
        name = f"{budget:g}"
        value, low, high, staged = recall(cameras, name)
        figures[f"recall_{name}"] = value
        notes[f"recall_{name}"] = f"of {staged} staged incidents; 95 % {low:.2f} to {high:.2f}"
        figures |= {f"recall_{name}_low": low, f"recall_{name}_high": high}
    found: list[Outcome] = [outcome for camera in cameras for outcome in camera["outcomes"]["3"] if outcome.found]
    figures["delay_3"] = float(np.median([outcome.delay for outcome in found])) if found else float("nan")
    notes["delay_3"] = "median seconds to the alarm at 3 a day"
    show(
        figures,
        as_json=asked.json,
        title=f"{asked.cameras} simulated cameras, {LESSONS} days learned, {asked.days} unseen days each",
        notes=notes,
    )
    if not asked.json:
        print("  recall by cause at 1, 3 and 10 a day")
        for cause, shares in by_cause(cameras).items():
            print(f"    {cause:<16} " + "  ".join(f"{share:5.2f}" for share in shares.values()))
    else:
        print(json.dumps({"recall_by_cause": by_cause(cameras)}), file=sys.stderr)


def by_cause(cameras: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """cause -> budget -> share found."""
    told: dict[str, dict[str, list[bool]]] = {}
    for camera in cameras:
        for name, outcomes in camera["outcomes"].items():
            for outcome in outcomes:
                told.setdefault(outcome.cause, {}).setdefault(name, []).append(outcome.found)
    return {cause: {name: float(np.mean(found)) for name, found in names.items()} for cause, names in told.items()}


if __name__ == "__main__":
    main()
