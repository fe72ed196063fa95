"""A detector of one's own in one go: staged pictures of five things as a YOLO set, YOLOX-nano taught on them, report and all.

    python recipes/yolo_simulated.py                  # 20 scenes, 6 epochs at 416 x 224 pixels: some minutes on one core
    python recipes/yolo_simulated.py --scenes 64 --epochs 10 --size 544x320   # much as benchmarks/finetune.py measures it
    python recipes/yolo_simulated.py --scratch        # the same without the official weights

Split: by scene, so that no place, person or light of a held-out picture has been seen. The set stays under --out: look at it
with `pahara data check`, and train on it with `pahara train detector`, which does the same as this file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from common import arguments, asset, show

from finetune import EACH, NAMES, lay_out
from pahara.core import PaharaError
from pahara.training.data.staged import stage_set
from pahara.training.tasks.detection import open_job
from pahara.training.tasks.doing import Done, do
from pahara.training.tasks.job import Wishes

FIRST = 3000  # seed of the first scene; the benchmark's are others
HELD_OUT = 5  # one scene in so many


def stage(folder: Path, scenes: int) -> Path:
    """-> the folder of a YOLO set; scenes staged by an earlier call are taken as they are."""
    if (folder / "set" / "data.yaml").exists():
        return folder / "set"
    seeds = range(FIRST, FIRST + scenes)
    classes = {name: name for name in NAMES}
    parts = {
        "train": [seed for seed in seeds if (seed - FIRST) % HELD_OUT],
        "val": [seed for seed in seeds if not (seed - FIRST) % HELD_OUT],
    }
    return lay_out(
        folder / "set", {part: stage_set(folder / "staged", some, each=EACH, classes=classes, names=NAMES) for part, some in parts.items()}
    )


def teach(data: Path, folder: Path, *, weights: str, epochs: int, size: str, seed: int, progress: bool) -> dict[str, Any]:
    """Train and examine as `pahara train detector` does -> figures; the run with its report stays in `folder`."""
    job = open_job(data, Wishes(weights=weights, seed=seed, batch=8, workers=0, plan={"epochs": epochs}, extra={"size": size}))
    folder.mkdir(parents=True, exist_ok=True)
    done = do(job, folder, progress=progress)
    if not isinstance(done, Done):
        sys.exit("stopped before the end of the training; nothing was measured")
    return {**done.outcome.figures, "minutes": done.result.seconds / 60, "report": str(done.report)}


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, help="a new folder for set and run; default: one that is thrown away")
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--size", default="416x224", help="the model's input in pixels: a side, or width x height")
    parser.add_argument("--scratch", action="store_true", help="without the official weights")
    asked = parser.parse_args()
    scenes, epochs = (5, 1) if asked.quick else (asked.scenes, asked.epochs)
    weights = "" if asked.scratch else str(asset(asked.assets, "models/yolox-nano-416.onnx"))
    with tempfile.TemporaryDirectory() as kept:
        out = asked.out or Path(kept)
        data = stage(out, scenes)
        run = out / ("run-scratch" if asked.scratch else "run")
        found = teach(data, run, weights=weights, epochs=epochs, size=asked.size, seed=asked.seed, progress=not asked.json)
        if not asked.out:
            del found["report"]
    show(found, as_json=asked.json, title=f"{scenes} staged scenes, {epochs} epochs at {asked.size}", notes={})


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
