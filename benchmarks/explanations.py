"""Whether an alarm names what was really unusual: staged incidents whose cause is known, on simulated cameras.

Which attributes count as right stands in `RIGHT`, written before anything was measured. An incident that raises no alarm has no
explanation; how many do stands beside the figure.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pahara.core.frozen import Frozen
from shared import arguments, show
from simulated_cameras import Outcome, incidents, learned

LESSONS = 7  # days learned from
BUDGETS = (3.0, 10.0)
RESAMPLES = 2000
_BODY = ("shape", "posture", "pose_motion")
RIGHT = Frozen(
    {
        "running": ("motion",),
        "wrong_way": ("motion", "place"),  # a direction, here
        "lingering": ("dwell", "place"),  # too long, where nobody stands
        "unusual_hour": ("time",),
        "vehicle_on_path": ("place", "shape"),  # such a thing, here; such a size
        "cyclist_on_path": ("motion", "place"),  # so fast among walkers; such a thing, here
        "falling": _BODY,
        "crawling": _BODY,
        "closing_in": ("interaction",),
        "meandering": ("motion", "place"),  # directions that nobody takes here
    }
)


def right(outcome: Outcome) -> bool:
    """Whether the alarm names the cause."""
    return outcome.attribute in RIGHT[outcome.cause]


def share(outcomes: list[list[Outcome]]) -> tuple[float, float, float]:
    """Right ÷ alarmed, with a 95 % interval from drawing cameras."""
    told = [np.array([right(outcome) for outcome in each if outcome.found], float) for each in outcomes]
    rng = np.random.default_rng(0)
    drawn = [np.concatenate([told[i] for i in rng.integers(len(told), size=len(told))]) for _ in range(RESAMPLES)]
    low, high = np.percentile([d.mean() for d in drawn if len(d)] or [np.nan], [2.5, 97.5])
    every = np.concatenate(told)
    return float(every.mean()) if len(every) else float("nan"), float(low), float(high)


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--each", type=int, default=2, help="incidents of each cause and camera")
    parser.add_argument("--seed", type=int, default=20, help="of the first camera; the others follow")
    asked = parser.parse_args()
    found: dict[str, list[list[Outcome]]] = {f"{budget:g}": [] for budget in BUDGETS}
    for seed in range(asked.seed, asked.seed + asked.cameras):
        camera = learned(seed, LESSONS)
        for name, outcomes in incidents(camera, BUDGETS, asked.each).items():
            found[name].append(outcomes)
        print(f"{camera.site.name}: {len(found['3'][-1])} incidents", file=sys.stderr)
    figures: dict[str, Any] = {}
    notes = {}
    for name, figure in (("3", "right"), ("10", "right_10")):
        value, low, high = share(found[name])
        staged, alarmed = sum(map(len, found[name])), sum(outcome.found for each in found[name] for outcome in each)
        figures |= {figure: value, f"{figure}_low": low, f"{figure}_high": high}
        notes[figure] = f"of {alarmed} alarms for {staged} staged incidents at {name} a day; goal ≥ 0.90; 95 % {low:.2f} to {high:.2f}"
    causes: dict[str, Counter[str]] = {}
    for each in found["3"]:
        for outcome in each:
            causes.setdefault(outcome.cause, Counter())[outcome.attribute if outcome.found else "no alarm"] += 1
    # Causes are staged equally often where a site has room for them, but some are found more easily: each weighing the same.
    shares = [
        sum(n for a, n in c.items() if a in RIGHT[cause]) / total for cause, c in causes.items() if (total := c.total() - c["no alarm"])
    ]
    figures["right_by_cause"] = float(np.mean(shares))
    notes["right_by_cause"] = "mean over causes"
    show(figures, as_json=asked.json, title=f"{asked.cameras} simulated cameras, {LESSONS} days learned", notes=notes)
    if not asked.json:
        print("  what alarms named, at 3 a day")
        for cause, named in causes.items():
            told = ", ".join(f"{attribute} {count}" for attribute, count in named.most_common())
            print(f"    {cause:<16} ({' or '.join(RIGHT[cause])}): {told}")


if __name__ == "__main__":
    main()
