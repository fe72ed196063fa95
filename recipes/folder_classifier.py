"""Pictures in class folders become a classifier: what is cut out of photographs, told apart by a small CNN.

    python recipes/folder_classifier.py                  # things cut out of coco128: some minutes on one core
    python recipes/folder_classifier.py --folder MINE    # your own: one folder for each class
    python recipes/folder_classifier.py --model resnet18

The folder of the first form is made here: every thing of coco128 that is large enough, in one of five folders. Split: by
photograph, because two chairs cut out of one photograph show the same room (split.csv beside the class folders says it).
The best epoch is chosen on `val`; the `test_` figures are of a part that had no say. `pahara train image FOLDER` does the same.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import cv2
import numpy as np
from common import arguments, asset, show

from pahara.core import PaharaError
from pahara.detection.names import COCO_80
from pahara.training.checkpoint import load_weights
from pahara.training.data.folders import read_class_folders
from pahara.training.data.splits import source_of, split
from pahara.training.tasks.doing import Done, do
from pahara.training.tasks.image import evaluate, open_job
from pahara.training.tasks.job import Wishes

KINDS = {
    "person": ("person",),
    "vehicle": ("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    "animal": ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    "food": ("banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake"),
    "furniture": ("chair", "couch", "bed", "dining table", "toilet", "bench"),
}
SMALLEST = 40  # pixels of the shorter side of what is cut out
AROUND = 0.08  # share of a side that is added around it


def cut_out(photographs: Path, folder: Path, seed: int) -> dict[str, int]:
    """coco128's things into `folder`/<kind>/<photograph>-<number>.jpg -> how many of each kind."""
    kind_of = {COCO_80.index(name): kind for kind, names in KINDS.items() for name in names}
    notes = {path.stem: path for path in (photographs / "labels").rglob("*.txt")}
    made: Counter[str] = Counter()
    for path in sorted((photographs / "images").rglob("*.jpg")):
        picture = cv2.imread(str(path))
        tall, wide = picture.shape[:2]
        lines = notes[path.stem].read_text(encoding="utf-8").splitlines() if path.stem in notes else []
        for number, line in enumerate(filter(None, lines)):
            label, *box = (float(word) for word in line.split()[:5])
            x, y, w, h = np.array(box) * (wide, tall, wide, tall)
            kind = kind_of.get(int(label))
            if kind is None or min(w, h) < SMALLEST:
                continue
            left, right = max(x - w * (0.5 + AROUND), 0), min(x + w * (0.5 + AROUND), wide)
            top, bottom = max(y - h * (0.5 + AROUND), 0), min(y + h * (0.5 + AROUND), tall)
            to = folder / kind / f"{path.stem}-{number}.jpg"
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(cv2.imencode(".jpg", picture[int(top) : int(bottom), int(left) : int(right)])[1].tobytes())
            made[kind] += 1
    share_out(folder, seed)
    return dict(made)


def share_out(folder: Path, seed: int) -> None:
    """Write split.csv: which picture is for train, val and test. Pictures of one photograph stay together."""
    files = sorted(folder.glob("*/*.jpg"))
    kinds = sorted({file.parent.name for file in files})
    groups = [source_of(file) for file in files]
    parts = split([kinds.index(file.parent.name) for file in files], groups, seed=seed)
    rows = [f"{files[i].relative_to(folder).as_posix()},{part},{groups[i]}" for part, some in parts.items() for i in some.tolist()]
    (folder / "split.csv").write_text("\n".join(["path,split,group", *rows]) + "\n", encoding="utf-8")


def learn_folder(folder: Path, run: Path, *, model: str, epochs: int, seed: int, progress: bool) -> dict[str, Any]:
    """Train as `pahara train image` does; examine the best weights on the test part -> figures."""
    wishes = Wishes(model=model, seed=seed, workers=0, plan={"epochs": epochs} if epochs else {})
    job = open_job(folder, wishes)
    run.mkdir(parents=True, exist_ok=True)
    done = do(job, run, progress=progress)
    if not isinstance(done, Done):
        sys.exit("stopped before the end of the training; nothing was measured")
    found = {f"val_{job.task.best}": done.result.best, "epochs": done.result.epochs, "minutes": done.result.seconds / 60, "run": str(run)}
    if "test" in read_class_folders(folder).splits:
        network, about = load_weights(done.weights)
        found = {f"test_{name}": value for name, value in evaluate(network, about, folder, split="test").figures.items()} | found
    return found


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", type=Path, help="your own pictures, one folder for each class")
    parser.add_argument("--out", type=Path, help="a new folder for the run and its report; default: one that is thrown away")
    parser.add_argument("--model", default="tinyvgg")
    parser.add_argument("--epochs", type=int, default=0, help="default: what the task chooses")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        folder = asked.folder or Path(kept) / "things"
        counts = {} if asked.folder else cut_out(asset(asked.assets, "coco128"), folder, asked.seed)
        run = asked.out or Path(kept) / "run"
        epochs = 2 if asked.quick else asked.epochs
        found = learn_folder(folder, run, model=asked.model, epochs=epochs, seed=asked.seed, progress=not asked.json)
    if not asked.out:
        del found["run"]
    if counts:
        found |= {"pictures": sum(counts.values()), "baseline": max(counts.values()) / sum(counts.values())}
    show(
        found,
        as_json=asked.json,
        title=str(asked.folder or "things cut out of coco128"),
        notes={"baseline": "always the most frequent class"},
    )


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
