"""The detector that comes with Pahara: people on real footage (PETS) beside OpenCV's HOG and the model it learned from,
and people, bags and vehicles in staged scenes that it has not seen.

`ap50` and its neighbours are AP at IoU 0.5 of class person on PETS 2009 S2.L1 view 1, every fourth frame; people in the
background are not annotated there, so precision is a lower bound. `ms` is the median time of a PETS picture on one
thread, from the picture to boxes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pahara.core import Detector, Image
from pahara.detection import HogDetector, load_detector
from pahara.evaluation import Annotations, evaluate_detection, read_mot
from shared import arguments, asset, show

PETS_SCALE = 1.6  # its ground truth was made on a picture 1.6 times as wide as the video
NAMES = ("person", "bag", "vehicle")
KIN = {"backpack": "bag", "handbag": "bag", "suitcase": "bag", "bicycle": "vehicle", "car": "vehicle", "motorcycle": "vehicle", "bus": "vehicle", "truck": "vehicle"}  # fmt: skip


def film(path: Path, every: int) -> Iterator[tuple[int, Image]]:
    """(frame number from 0, picture) of every `every`-th frame."""
    video, n = cv2.VideoCapture(str(path)), 0
    while (read := video.read())[0]:
        if n % every == 0:
            yield n, read[1]
        n += 1


def look(detector: Detector, pictures: list[tuple[int, Image]]) -> tuple[Annotations, float]:
    """What a detector finds, in our words; -> boxes, median ms a picture."""
    frames, boxes, labels, scores, took = [], [], [], [], []
    detector([pictures[0][1]])
    for number, picture in pictures:
        start = time.perf_counter()
        (found,) = detector([picture])
        took.append(1000 * (time.perf_counter() - start))
        for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
            name = KIN.get(found.names[label], found.names[label])
            if name in NAMES:
                frames.append(number)
                boxes.append(box)
                labels.append(NAMES.index(name))
                scores.append(float(score))
    return Annotations.of(frames, np.array(boxes).reshape(-1, 4), labels=labels, scores=scores, names=NAMES), statistics.median(took)


def pets(folder: Path, detector: Detector, every: int = 4) -> tuple[float, float]:
    """AP50 of people on PETS, median ms a picture."""
    pictures = list(film(asset(folder, "footage/pets-s2l1/video.avi"), every))
    truth = read_mot(asset(folder, "footage/pets-s2l1/gt.txt"), scale=1 / PETS_SCALE)
    numbers = np.array([number + 1 for number, _ in pictures])
    found, ms = look(detector, [(number + 1, picture) for number, picture in pictures])
    return evaluate_detection(truth[np.isin(truth.frames, numbers)], found.only("person")).classes["person"].ap50, ms


def staged(examples: list[Any], detector: Detector) -> dict[str, float]:
    """AP50 of each class over staged pictures (`training.data.staged`)."""
    pictures = [(n, cv2.imread(str(example.path))) for n, example in enumerate(examples)]
    frames = np.concatenate([np.full(len(e.boxes), n) for n, e in enumerate(examples)])
    boxes, labels = np.concatenate([e.boxes for e in examples]), np.concatenate([e.labels for e in examples])
    found, _ = look(detector, pictures)
    void = labels < 0
    figures = {}
    for k, name in enumerate(NAMES):  # what nobody can be asked to see counts for no class
        here = (labels == k) | void
        truth = Annotations.of(frames[here], boxes[here], labels=np.full(int(here.sum()), k), ignore=void[here], names=NAMES)
        figures[name] = evaluate_detection(truth, found.only(name)).classes[name].ap50
    return figures


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--model", default="pahara-nano", help="zoo name or .onnx to measure")
    parser.add_argument("--every", type=int, default=4, help="take every n-th frame of PETS")
    parser.add_argument(
        "--scenes", type=int, default=12, help="staged scenes that the model has not learned from (seeds 5000 …); 0 for none"
    )
    parser.add_argument("--staged", type=Path, help="a folder to keep them in")
    parser.add_argument("--alone", action="store_true", help="measure the model alone, without HOG and the teacher")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    mine = load_detector(asked.model, threads=1, confidence=0.02)
    figures["ap50"], figures["ms"] = pets(asked.assets, mine, asked.every)
    teacher = None if asked.alone else load_detector(asset(asked.assets, "models/yolox-nano-416.onnx"), threads=1, confidence=0.02)
    if teacher is not None:
        figures["ap50_teacher"], figures["ms_teacher"] = pets(asked.assets, teacher, asked.every)
        figures["ap50_hog"], figures["ms_hog"] = pets(asked.assets, HogDetector(), asked.every)
    if asked.scenes:
        from pahara.training.data.staged import stage_set

        with tempfile.TemporaryDirectory() as folder:
            examples = stage_set(asked.staged or Path(folder), range(5000, 5000 + asked.scenes), each=4)
            for name, ap50 in staged(examples, mine).items():
                figures[f"staged_{name}"] = ap50
            if teacher is not None:
                for name, ap50 in staged(examples, teacher).items():
                    figures[f"staged_{name}_teacher"] = ap50
    show(figures, as_json=asked.json, title=f"{asked.model}: AP50", notes={"ap50": "people on PETS; goal ≥ 0.75", "ms": "one thread"})


if __name__ == "__main__":
    main()
