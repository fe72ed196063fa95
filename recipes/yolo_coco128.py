"""Whether everything fits together: YOLOX-nano on coco128, 128 photographs with 80 kinds of things.

    python recipes/yolo_coco128.py            # four epochs at 320 pixels: some minutes on one core
    python recipes/yolo_coco128.py --scratch  # from nothing: shows that 100 photographs teach nobody 80 kinds of things

Split: 100 photographs to learn from, the others to examine, drawn by seed. These are photographs of COCO's *training* part, so
the official weights have seen all of them: `before` is no figure of a stranger, and `after` says only that training does no harm.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from common import arguments, asset, show

from pahara.core import DataError, PaharaError
from pahara.detection.names import COCO_80
from pahara.training.tasks.detection import open_job
from pahara.training.tasks.doing import Done, do
from pahara.training.tasks.job import Wishes

LEARN = 100


def lay_out(photographs: Path, folder: Path, seed: int, *, learn: int = LEARN, most: int = 0) -> Path:
    """coco128's flat folders as a YOLO set with train and val; the pictures are linked, not copied where links are possible."""
    pictures = sorted((photographs / "images").rglob("*.jpg"))
    notes = {path.stem: path for path in (photographs / "labels").rglob("*.txt")}
    if len(pictures) <= learn:
        raise DataError(f"{photographs}: only {len(pictures)} pictures in it, so none is left to examine after {learn}")
    order = np.random.default_rng(seed).permutation(len(pictures))[: most or None]
    for part, rows in (("train", order[:learn]), ("val", order[learn:])):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
        for row in rows.tolist():
            picture = pictures[row]
            to = folder / "images" / part / picture.name
            try:
                to.symlink_to(picture.resolve())
            except OSError:
                to.write_bytes(picture.read_bytes())
            if picture.stem in notes:
                (folder / "labels" / part / f"{picture.stem}.txt").write_bytes(notes[picture.stem].read_bytes())
    (folder / "data.yaml").write_text(f"path: .\ntrain: images/train\nval: images/val\nnames: {list(COCO_80)}\n", encoding="utf-8")
    return folder


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--size", type=int, default=320, help="pixels of the model's input")
    parser.add_argument("--scratch", action="store_true", help="without the official weights")
    asked = parser.parse_args()
    weights = "" if asked.scratch else str(asset(asked.assets, "models/yolox-nano-416.onnx"))
    with tempfile.TemporaryDirectory() as kept:
        limits = {"learn": 8, "most": 16} if asked.quick else {}
        data = lay_out(asset(asked.assets, "coco128"), Path(kept) / "set", asked.seed, **limits)
        plan = {"epochs": 1 if asked.quick else asked.epochs, "lr": 2e-4 if weights else 2e-3}
        job = open_job(data, Wishes(weights=weights, size=asked.size, seed=asked.seed, batch=8, workers=0, plan=plan))
        before = dict(job.examine(job.model).figures) if weights and job.examine else {}
        run = Path(kept) / "run"
        run.mkdir()
        done = do(job, run, progress=not asked.json)
        if not isinstance(done, Done):
            sys.exit("stopped before the end of the training; nothing was measured")
    found: dict[str, Any] = {f"before_{name}": value for name, value in before.items()}
    found |= {f"after_{name}": value for name, value in done.outcome.figures.items()}
    show({**found, "minutes": done.result.seconds / 60}, as_json=asked.json, title="YOLOX-nano on coco128", notes={})


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
