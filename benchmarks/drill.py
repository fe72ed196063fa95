"""What a drill says of two real cameras, and how far it can be trusted: recall by rule, the realism gap, the scale's error, its cost.

Incidents are staged into PETS S2.L1 (with ground truth) and into one-by-one.mp4. Scale error: the height of people that the
drill estimated from the detector's boxes, against the ground truth's, which it never saw. `gap_*` compare the detector's mean
confidence in staged and in real people of the same size (negative: staged ones are harder to find); `truth_gap_pets` is the
same with real people from the ground truth instead of from the tracker, so that those who were never found count too.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pahara.config import ChosenDetector, choose_detector, from_data, plan
from pahara.core.boxes import iou_matrix
from pahara.evaluation import Annotations, read_mot
from pahara.pipeline.drill import DrillRun, run, understand
from pahara.pipeline.drill_told import lines_of
from pahara.pipeline.drill_watch import FOUND, UPRIGHT, Stageable
from pahara.pipeline.footage import open_footage
from pahara.pipeline.realism import Sizes, realism_gap
from shared import arguments, asset, show

PETS_SCALE = 1.6  # its ground truth was made on a picture 1.6 times as wide as the video
RULES: dict[str, dict[str, Any]] = {
    "pets": {
        "zones": {
            "junction": [[0.45, 0.42], [0.75, 0.40], [0.95, 0.75], [0.62, 0.62]],
            "road": [[0.02, 0.36], [0.55, 0.38], [0.95, 0.60], [0.95, 0.80], [0.55, 0.58], [0.02, 0.42]],
        },
        "lines": {"gate": {"from": [0.70, 0.38], "to": [0.86, 0.62]}},
        "behaviours": [
            {"kind": "intrusion", "zone": "junction"}, {"kind": "loitering", "zone": "junction", "seconds": 15}, {"kind": "crossing", "line": "gate"},
            {"kind": "running"}, {"kind": "wrong_way", "zone": "road", "direction": [1, 0]}, {"kind": "crowding", "people": 12}, {"kind": "falling"},
            {"kind": "abandoned", "seconds": 15}, {"kind": "removed", "seconds": 10}, {"kind": "tailgating", "line": "gate"}, "tamper",
        ],
    },
    "one": {
        "zones": {"floor": [[0.30, 0.70], [0.95, 0.70], [0.98, 0.99], [0.25, 0.99]]},
        "lines": {"middle": {"from": [0.75, 0.62], "to": [0.75, 0.99]}},
        "behaviours": [
            {"kind": "intrusion", "zone": "floor"}, {"kind": "loitering", "zone": "floor", "seconds": 15}, {"kind": "crossing", "line": "middle"},
            {"kind": "running"}, {"kind": "wrong_way", "zone": "floor", "direction": [1, 0]}, {"kind": "crowding", "people": 4}, {"kind": "falling"},
            {"kind": "abandoned", "seconds": 15}, {"kind": "removed", "seconds": 10}, {"kind": "tailgating", "line": "middle"}, "tamper",
        ],
    },
}  # fmt: skip
FILMS = {"pets": "footage/pets-s2l1/video.avi", "one": "footage/one-by-one.mp4"}


def drill(name: str, film: Path, model: Path, seeds: int, folder: Path, *, resume: bool) -> tuple[DrillRun, float, float]:
    """-> the drill, CPU seconds of looking at the footage, CPU seconds of staging and watching."""
    config = from_data({"version": 1, "cameras": {name: {"source": str(film), **RULES[name]}}})
    wanted = plan(config, name)
    chosen: ChosenDetector = choose_detector(str(model))
    begun = time.process_time()
    ready = understand(wanted, open_footage(wanted, seconds=600.0), chosen.make(), chosen)
    seen = time.process_time()

    def tell(made: DrillRun, done: int, total: int) -> None:
        if made.results:
            last = made.results[-1]
            print(f"{name}: {done} of {total}, {last.behaviour or 'passing'} {last.state} {last.why}", file=sys.stderr, flush=True)

    folder.mkdir(parents=True, exist_ok=True)
    made = run(ready, folder, seeds=seeds, resume=resume, on_take=tell)
    return made, seen - begun, time.process_time() - seen


def scale_errors(ready: Stageable, truth: Annotations) -> tuple[float, float]:
    """Median |h(y) / true height - 1| over all true boxes, and the largest deviation of a band's median, in bands of 40 rows."""
    boxes = truth.boxes
    ratio = np.asarray(ready.estimate.scale.at(boxes[:, 3])) / np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    bands = (boxes[:, 3] // 40).astype(int)
    medians = [float(np.median(ratio[bands == b])) for b in np.unique(bands) if (bands == b).sum() >= 50]
    return float(np.median(np.abs(ratio - 1))), float(np.abs(np.array(medians) - 1).max())


def true_sizes(ready: Stageable, truth: Annotations) -> Sizes:
    """How sure the detector was of every true person in every frame, found or not."""
    wide, tall = ready.footage.size
    who, heights, confidence = [], [], []
    for frame, rows in zip(
        range(1, len(ready.survey.detections) + 1), truth.rows_in(np.arange(1, len(ready.survey.detections) + 1)), strict=True
    ):
        found = ready.survey.detections[frame - 1]
        people = found.labels == found.names.index("person")
        for row in rows:
            box = truth.boxes[row]
            if box[0] < 2 or box[1] < 2 or box[2] > wide - 2 or box[3] > tall - 2:
                continue
            overlap = iou_matrix(box[None], found.boxes[people].astype(np.float64))[0] if people.any() else np.zeros(0)
            good = found.scores[people][overlap >= FOUND]
            who.append(int(truth.ids[row]))
            heights.append(box[3] - box[1])
            confidence.append(float(good.max()) if len(good) else 0.0)
    return Sizes(np.array(who, np.int64), np.array(heights), np.array(confidence))


def staged_sizes(made: DrillRun) -> Sizes:
    """The same of staged people who only walk; whoever is staged in one take counts as one."""
    size = made.ready.footage.size
    rows = [(k, r) for k, take in enumerate(made.results) if take.kind in UPRIGHT for r in take.rows]
    rows = [(k, r) for k, r in rows if r.height / 4 < r.x * size[0] < size[0] - r.height / 4 and r.height + 2 < r.y * size[1] < size[1] - 2]
    return Sizes(np.array([k for k, _ in rows], np.int64), np.array([r.height for _, r in rows]), np.array([r.confidence for _, r in rows]))


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--seeds", type=int, default=4, help="incidents for each rule and camera")
    parser.add_argument("--only", choices=sorted(FILMS), help="one camera alone")
    parser.add_argument("--out", type=Path, help="keep the takes here, and go on with them next time")
    options = parser.parse_args()
    model = asset(options.assets, "models/yolox-nano-416.onnx")
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, film in FILMS.items():
            if options.only not in (None, name):
                continue
            folder = (options.out or Path(scratch)) / name
            made, looking, staging = drill(name, asset(options.assets, film), model, options.seeds, folder, resume=options.out is not None)
            for line in lines_of(made):
                figures[f"{name}_recall_{line.kind}"] = line.share.value
                figures[f"{name}_counted_{line.kind}"] = line.staged
            gap = made.gap()
            figures |= {f"gap_{name}": gap.confidence, f"gap_low_{name}": gap.low, f"gap_high_{name}": gap.high}
            figures |= {f"found_real_{name}": gap.recall_real, f"found_staged_{name}": gap.recall_staged, f"verdict_{name}": gap.verdict}
            figures[f"look_seconds_{name}"] = looking
            figures[f"seconds_per_staged_minute_{name}"] = staging / max(sum(r.seconds for r in made.results) / 60, 1e-9)
            if name == "pets":
                truth = read_mot(asset(options.assets, "footage/pets-s2l1/gt.txt")).scaled(1 / PETS_SCALE)
                figures["scale_error_pets"], figures["scale_worst_band_pets"] = scale_errors(made.ready, truth)
                told = realism_gap(true_sizes(made.ready, truth), staged_sizes(made))
                figures |= {"truth_gap_pets": told.confidence, "truth_gap_low_pets": told.low, "truth_gap_high_pets": told.high}
                figures |= {"truth_found_real_pets": told.recall_real, "truth_found_staged_pets": told.recall_staged}
    figures = {key: None if isinstance(value, float) and value != value else value for key, value in figures.items()}
    show(figures, as_json=options.json, title=f"drill, {options.seeds} seeds")


if __name__ == "__main__":
    main()
