"""How wrong a detector is about people, measured against known truth, so that exact simulated boxes can be spoilt in the same way.

    python recipes/detector_errors.py            # about ten minutes on one core; writes detector_errors.json beside it
    python recipes/detector_errors.py --quick    # four scenes, prints and writes nothing

Two truths: staged films with people who walk, run, fall, fight and climb (exact boxes, drawn people), and PETS S2.L1 (annotated
boxes, real people who walk and stand). YOLOX-nano looks at both. Measured apart for people whose box stands and whose box lies: how
often someone is found (by size, and how long a loss lasts), with what confidence, and by how much each side of the box is off, as a
lasting part (this person, this view) and a trembling part (from look to look). What is measured here says nothing of furniture: what
hides half a person is staged by whoever uses these numbers.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from common import arguments, asset, cache, show
from numpy.typing import NDArray

from pahara.core import Detections, PaharaError
from pahara.core.boxes import iou_matrix
from pahara.detection import load_detector
from pahara.evaluation import read_mot
from pahara.simulate import Stage, random_script
from pahara.tracking.association import assign
from pahara.video import open_source

Floats = NDArray[np.float64]

HERE = Path(__file__).with_name("detector_errors.json")
SEEDS = range(40_000, 40_036)  # of staged films; nobody tests on them
STEP = 0.2  # seconds between two looks
LIES = 0.75  # width over height from which a box lies
SIZES = (0.0, 40.0, 80.0, 1e9)  # pixels of the box's longer side: small, middle, large
LEAST_IOU = 0.2  # of a box that still is a sighting of this person
TWENTIETHS, TENTHS = np.linspace(0, 1, 21), np.linspace(0, 1, 11)  # of the quantiles that are kept
LEAST_SCORE = 0.1  # of a detection, as the tracker's own


@dataclass(frozen=True)
class Look:
    """One true person in one picture."""

    whom: tuple[str, int]
    time: float
    box: tuple[float, ...]
    visible: float  # share of the outline that is in the picture and not hidden
    found: tuple[float, ...]  # box of the detection, () when missed
    score: float


def staged(weights: Path, seeds: Sequence[int]) -> Iterator[Look]:
    kept = cache("detector-errors")
    detector = None
    for seed in seeds:
        notes = kept / f"staged-{seed}-v1.json"
        if not notes.exists():
            detector = detector or load_detector(weights, threads=1, classes=("person",))
            script = random_script(seed, kinds=("falling", "fight", "climbing", "running"), duration=24.0, fps=1 / STEP)
            told = []
            for shot in Stage(script):
                (found,) = detector([shot.image])
                people = [s for s in shot.truth if s.label == "person"]
                told.append([shot.time, [[s.id, *s.box, s.visible] for s in people], found.boxes.tolist(), found.scores.tolist()])
            notes.write_text(json.dumps(told), encoding="utf-8")
        yield from _looks(f"staged-{seed}", json.loads(notes.read_text(encoding="utf-8")))


def pets(folder: Path, weights: Path) -> Iterator[Look]:
    kept = cache("detector-errors") / "pets-v1.json"
    if not kept.exists():
        detector = load_detector(weights, threads=1, classes=("person",))
        truth = read_mot(folder / "gt.txt")
        told = []
        with open_source(folder / "video.avi", ring_seconds=0) as source:
            for number, frame in enumerate(source):
                (found,) = detector([frame.image])
                real = truth[truth.frames == number + 1]
                boxes = real.boxes / 1.6
                told.append(
                    [
                        number / 7,
                        [[int(i), *b, 1.0] for i, b in zip(real.ids, boxes.tolist(), strict=True)],
                        found.boxes.tolist(),
                        found.scores.tolist(),
                    ]
                )
        kept.write_text(json.dumps(told), encoding="utf-8")
    yield from _looks("pets", json.loads(kept.read_text(encoding="utf-8")))


def _looks(film: str, told: list[Any]) -> Iterator[Look]:
    for time, people, boxes, scores in told:
        true = np.array([p[1:5] for p in people], float).reshape(-1, 4)
        sure = np.array(scores) >= LEAST_SCORE
        found, score = np.array(boxes, float).reshape(-1, 4)[sure], np.array(scores)[sure]
        overlap = iou_matrix(true, found)
        hidden = iou_matrix(true, true) - np.eye(len(true))
        rows, columns = assign(overlap, LEAST_IOU) if len(true) and len(found) else ([], [])
        who = dict(zip(np.asarray(rows).tolist(), np.asarray(columns).tolist(), strict=True))
        for i, person in enumerate(people):
            visible = person[5] if film != "pets" else 1.0 - float(hidden[i].max(initial=0.0))
            seen = who.get(i)
            yield Look(
                (film, int(person[0])), time, tuple(true[i]), visible, () if seen is None else tuple(found[seen]),
                0.0 if seen is None else float(score[seen]),
            )  # fmt: skip


def measured(looks: Sequence[Look]) -> dict[str, Any]:
    """-> the numbers of `Errors`, apart for boxes that stand and that lie."""
    people: dict[tuple[str, int], list[Look]] = defaultdict(list)
    for look in looks:
        people[look.whom].append(look)
    told: dict[str, Any] = {}
    for name in ("stands", "lies"):
        clear = [x for x in looks if x.visible >= 0.7 and posture(x.box) == name]
        by_size = []
        for low, high in pairwise(SIZES):
            some = [x for x in clear if low <= longer(x.box) < high]
            by_size.append([round(float(np.mean([bool(x.found) for x in some])), 4) if len(some) >= 30 else None, len(some)])
        stays = [
            (bool(a.found), bool(b.found))
            for each in people.values() for a, b in pairwise(each)
            if b.time - a.time < 1.5 * STEP and min(a.visible, b.visible) >= 0.7 and posture(a.box) == posture(b.box) == name
        ]  # fmt: skip
        lost = [b for a, b in stays if not a]
        lasting, trembling, pairs = [], [], []
        for each in people.values():
            off = [(x.time, errors(x)) for x in each if x.found and x.visible >= 0.7 and posture(x.box) == name]
            if len(off) < 4:
                continue
            mean = np.median([e for _, e in off], axis=0)
            lasting.append(mean)
            rest = [(t, e - mean) for t, e in off]
            trembling += [e for _, e in rest]
            pairs += [(a, b) for (t, a), (u, b) in pairwise(rest) if u - t < 1.5 * STEP]
        scores = [x.score for x in clear if x.found]
        if len(lasting) < 4 or not pairs:
            continue
        tremble = np.array(trembling)
        before, after = np.array([a for a, _ in pairs]).ravel(), np.array([b for _, b in pairs]).ravel()
        few = np.abs(before) + np.abs(after) < 0.4
        told[name] = {
            "looks": len(clear),
            "found": by_size,  # of small, middle and large ones: share, count
            "found_after_loss": round(float(np.mean(lost)), 4) if len(lost) >= 10 else None,
            "score": [round(float(v), 3) for v in np.quantile(scores, np.linspace(0, 1, 11))],
            "lasting_mean": np.mean(lasting, 0)
            .round(4)
            .tolist(),  # left, top, right, bottom; of the box's longer side, outward is positive
            "lasting_std": np.std(lasting, 0).round(4).tolist(),
            "trembling": [np.quantile(tremble[:, side], np.linspace(0, 1, 21)).round(4).tolist() for side in range(4)],
            "memory": round(float(np.clip((before[few] * after[few]).sum() / max((before[few] ** 2).sum(), 1e-9), 0, 0.95)), 4),
        }
    return told


def posture(box: Sequence[float]) -> str:
    return "lies" if box[2] - box[0] >= LIES * (box[3] - box[1]) else "stands"


def longer(box: Sequence[float]) -> float:
    return max(box[2] - box[0], box[3] - box[1], 1.0)


def errors(look: Look) -> Floats:
    """(4,) how far the detection's left, top, right and bottom lie outside the true ones, in longer sides of the box."""
    return (np.array(look.found) - look.box) * (-1, -1, 1, 1) / longer(look.box)


# -- spoiling ----------------------------------------------------------------------


class Errors:
    """Spoils the exact boxes of one simulated person after another as the detector would."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told

    @classmethod
    def read(cls) -> Errors:
        return cls(json.loads(HERE.read_text(encoding="utf-8"))["pooled"])

    def person(self, rng: np.random.Generator, boxes: Floats, times: Floats, *, worse: float = 1.0) -> tuple[Floats, Floats]:
        """(t, 4) exact pixels at (t,) seconds -> (t, 4) seen ones and (t,) confidences, 0 where missed. `worse` scales every error."""
        n = len(times)
        seen, scores = boxes.astype(float).copy(), np.zeros(n)
        lasting = {k: rng.normal(np.array(v["lasting_mean"]), v["lasting_std"]) for k, v in self.told.items()}
        good = float(rng.normal(0, 1))  # someone is easy or hard to find
        found, noise, last = True, np.zeros(4), -1.0
        for i in range(n):
            name = posture(boxes[i])
            how = self.told[name]
            size = longer(boxes[i])
            share = next((p for (p, _), high in zip(how["found"], SIZES[1:], strict=True) if size < high and p is not None), 0.9)
            miss = min(max((1 - share) * worse * np.exp(-0.7 * good), 0.002), 0.9)
            again = how["found_after_loss"] or 0.4
            # Losses last: given the usual share of misses, leaving and coming back balance.
            chance = 1 - min(miss * again / max(1 - miss, 0.1), 0.9) if found else max(again, 0.1)
            gap = times[i] - last if last >= 0 else STEP
            if i == 0:
                found = bool(rng.random() > miss)
            elif rng.random() < gap / STEP or gap >= STEP:
                found = bool(rng.random() < chance)
            fresh = np.array([np.interp(rng.random(), TWENTIETHS, side) for side in how["trembling"]])
            keep = how["memory"] ** (gap / STEP)
            noise = keep * noise + np.sqrt(1 - keep**2) * fresh * worse
            last = float(times[i])
            if found:
                seen[i] = boxes[i] + (lasting[name] * worse + noise) * (-1, -1, 1, 1) * size
                scores[i] = float(np.interp(rng.random(), TENTHS, how["score"]))
        wrong = (seen[:, 2] - seen[:, 0] < 2) | (seen[:, 3] - seen[:, 1] < 2)
        scores[wrong] = 0
        return seen, scores


def detections(boxes: Floats, scores: Floats) -> Detections:
    keep = scores > 0
    return Detections(boxes[keep].astype(np.float32), scores[keep].astype(np.float32), np.zeros(int(keep.sum()), np.intp), ("person",))


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    asked = parser.parse_args()
    weights = asset(asked.assets, "models/yolox-nano-416.onnx")
    drawn = list(staged(weights, SEEDS[:4] if asked.quick else SEEDS))
    real = [] if asked.quick else list(pets(asset(asked.assets, "footage/pets-s2l1"), weights))
    told = {
        "detector": weights.stem,
        "staged": measured(drawn),
        "pets": measured(real) if real else {},
        "pooled": measured([*drawn, *real]),
    }
    if not asked.quick:
        HERE.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if asked.json:
        show(told, as_json=True)
        return
    for where in ("staged", "pets", "pooled"):
        for name, how in told[where].items():
            tremble = [round((side[15] - side[5]) / 1.349, 3) for side in how["trembling"]]
            print(
                f"{where:<7} {name:<7} looks {how['looks']:5}  found {how['found']}  after a loss {how['found_after_loss']}"
                f"\n        off {how['lasting_mean']} ± {how['lasting_std']}, trembling {tremble}, memory {how['memory']}"
            )


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
