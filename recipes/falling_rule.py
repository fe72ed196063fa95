"""The hand-written rule `falling` and the learned model on the same simulated people, seen through the same detector errors.

    python recipes/falling_rule.py                  # makes the model first, where it is not made yet
    python recipes/falling_rule.py --model FILE

What a change of the rule is justified by: staged scenes that nothing was taught on, never the real films that it is examined on. A fall is
caught by an alarm between its first moment and four seconds after the ground was reached; all other alarms are false.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from actions_simulated import SECONDS, model_file, performed
from common import arguments, show
from detector_errors import Errors

from pahara.alarms import START, AlarmRule
from pahara.behaviours import Falling
from pahara.behaviours.learned import Action
from pahara.core import Observation, PaharaError
from pahara.detection.recogniser import load_recogniser
from pahara.evaluation.alarms import rate_at_most, wilson
from pahara.tracking import SceneMemory

SEEDS = range(500_000, 500_060)
ASKED = 0.2  # seconds between two times that a behaviour is asked, as the analyst does
LATE = 4.0  # seconds after the ground was reached within which a fall must be told


def alarms(seen: list[Observation], size: tuple[int, int], behaviour: Any) -> np.ndarray:
    """Seconds at which the behaviour's alarm began."""
    rule, state = AlarmRule.of(behaviour), START
    memory = SceneMemory("stage", size, seconds=behaviour.memory)
    told, last = [], -np.inf
    for each in seen:
        scene = memory.step(each)
        if scene.time - last < ASKED - 0.06:
            continue
        last = scene.time
        state, events = rule.step(
            state, behaviour=behaviour.kind, kind=behaviour.kind, scene=scene, scores=behaviour(scene), explain=behaviour.explain
        )
        told += [event.time for event in events if event.phase == "began"]
    return np.array(told)


def examine(ways: dict[str, Any], seeds: range) -> dict[str, Any]:
    errors = Errors.read()
    caught: dict[str, list[bool]] = {name: [] for name in ways}
    false = dict.fromkeys(ways, 0)
    hours = 0.0
    for seed in seeds:
        for company, view, seen, truth in performed(seed, errors):
            hours += SECONDS / 3600
            falls = []
            for id_, performance in company.performances.items():
                for segment in performance.segments:
                    if segment.verb == "fall" and segment.detail["down"] <= 2.0:
                        begin, down = segment.begin, segment.begin + segment.detail["down"]
                        # What the picture does not show from standing to lying nobody can tell.
                        shown = truth[id_][0]
                        if len(shown) and ((shown > begin - 1) & (shown < down + 1)).sum() >= 0.9 * 2 * 6:
                            falls.append((begin, down + LATE))
            for name, behaviour in ways.items():
                told = alarms(seen, view.size, behaviour)
                caught[name] += [bool(((told >= a) & (told <= b)).any()) for a, b in falls]
                false[name] += sum(not any(a <= time <= b for a, b in falls) for time in told.tolist())
    figures: dict[str, Any] = {"falls": len(next(iter(caught.values()))), "hours": hours}
    for name, hits in caught.items():
        share = wilson(sum(hits), len(hits))
        figures |= {f"{name}_recall": share.value, f"{name}_low": share.low, f"{name}_high": share.high}
        figures |= {
            f"{name}_false": false[name],
            f"{name}_false_per_hour": false[name] / hours,
            f"{name}_false_per_hour_at_most": rate_at_most(false[name], hours),
        }
    return figures


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--model", type=Path, default=None, help="an action model in place of the one that actions_simulated.py makes")
    asked = parser.parse_args()
    path = asked.model or model_file("actions")
    ways = {"rule": Falling(), "learned": Action(load_recogniser(path), watch_for=("falling",))}
    show(examine(ways, SEEDS[:20] if asked.quick else SEEDS), as_json=asked.json, title="Simulated falls")


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
