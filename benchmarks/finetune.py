"""Fine-tuning on one's own pictures: YOLOX-nano from the official weights on 500 staged pictures of 5 classes, and from scratch.

Both go through what `pahara train detector` does, with the same plan and the same time: `map50` and `map50_scratch` are
mAP at IoU 0.5 on pictures of scenes that neither has seen, after the best epoch; `map50_last` is that of the last one, in whose
choice these pictures had no say. `minutes` is the training from the official weights, with its measuring after every epoch, on
this machine's clock; `cpu_minutes` is what its processes used, which a busy machine does not lengthen.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2

sys.path.insert(0, str(Path(__file__).parent))
from pahara.training.data.staged import Example, stage_set
from pahara.training.loop import train
from pahara.training.tasks.detection import open_job
from pahara.training.tasks.job import Wishes
from shared import arguments, asset, show

NAMES = ("person", "suitcase", "backpack", "car", "motorcycle")
TRAIN, HELD_OUT = range(2000, 2046), range(2080, 2090)  # seeds of scenes
EACH = 12  # pictures a scene
BATCH = 8  # as the recipe has it


def lay_out(folder: Path, parts: dict[str, list[Example]]) -> Path:
    """A YOLO set of the staged pictures."""
    for part, examples in parts.items():
        (folder / "images" / part).mkdir(parents=True)
        (folder / "labels" / part).mkdir(parents=True)
        for example in examples:
            tall, wide = cv2.imread(str(example.path)).shape[:2]
            lines = []
            for (x1, y1, x2, y2), label in zip(example.boxes.tolist(), example.labels.tolist(), strict=True):
                if label >= 0:
                    lines.append(
                        f"{label} {(x1 + x2) / 2 / wide:.6f} {(y1 + y2) / 2 / tall:.6f} {(x2 - x1) / wide:.6f} {(y2 - y1) / tall:.6f}\n"
                    )
            (folder / "images" / part / example.path.name).write_bytes(example.path.read_bytes())
            (folder / "labels" / part / f"{example.path.stem}.txt").write_text("".join(lines))
    told = f"path: .\ntrain: images/train\nval: images/val\nnames: [{', '.join(NAMES)}]\n"
    (folder / "data.yaml").write_text(told)
    return folder


def teach(data: Path, folder: Path, weights: str, epochs: int, size: str, seed: int) -> dict[str, Any]:
    """-> mAP50 on held-out pictures of the best and the last epoch, minutes, and the size that was taken."""
    began, used = time.perf_counter(), processor_seconds()
    job = open_job(data, Wishes(weights=weights, seed=seed, batch=BATCH, plan={"epochs": epochs}, extra={"size": size}))
    result = train(job.model, job.task, job.batches, job.held_out, job.plan, folder, about=job.about, progress=False)
    return {
        "map50": result.best,
        "map50_last": result.history[-1]["map50"],
        "minutes": (time.perf_counter() - began) / 60,
        "cpu_minutes": (processor_seconds() - used) / 60,
        "size": job.summary["size"],
    }


def processor_seconds() -> float:
    """Used by this process and by those that have ended."""
    told = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in told)


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", default="", help="the model's input, e.g. 416 or 544x320; default: the shape of the pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--staged", type=Path, help="a folder to keep the staged pictures in")
    parser.add_argument(
        "--quick", action="store_true", help="a fifth of the pictures and of the epochs: shows that it runs, not what it can do"
    )
    parser.add_argument("--no-scratch", action="store_true", help="leave out the training from scratch")
    asked = parser.parse_args()
    share = 5 if asked.quick else 1
    epochs = max(1, asked.epochs // share)
    classes = {name: name for name in NAMES}
    with tempfile.TemporaryDirectory() as kept:
        pool = asked.staged or Path(kept) / "staged"
        parts = {
            "train": stage_set(pool, TRAIN[::share], each=EACH, classes=classes, names=NAMES)[:500],
            "val": stage_set(pool, HELD_OUT[::share], each=EACH, classes=classes, names=NAMES),
        }
        data = lay_out(Path(kept) / "set", parts)
        official = str(asset(asked.assets, "models/yolox-nano-416.onnx"))
        figures: dict[str, Any] = {"train_pictures": len(parts["train"]), "held_out_pictures": len(parts["val"]), "epochs": epochs}
        figures |= teach(data, Path(kept) / "tuned", official, epochs, asked.size, asked.seed)
        if not asked.no_scratch:
            scratch = teach(data, Path(kept) / "scratch", "", epochs, asked.size, asked.seed)
            figures |= {f"{name}_scratch": scratch[name] for name in ("map50", "minutes", "cpu_minutes")}
    show(
        figures,
        as_json=asked.json,
        title="fine-tuning on staged pictures",
        notes={"map50": "goal ≥ 0.90", "minutes": "goal ≤ 20 on two cores"},
    )


if __name__ == "__main__":
    main()
