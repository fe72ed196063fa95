"""Fights in real CCTV clips, on sources that were held out: models learned from simulated people, from those and real clips, and a null.

165 clips of about two seconds. `simulated`: the model taught on simulated pairs looks at boxes alone; its limit comes from staged scenes, no
clip was learned from. `boxes`: the same network taught on staged pairs and the other sources' clips, in which every window of a fight's clip counts as a
fight. `learned`: `boxes` and the pixel ways of `recipes/fights.py` (movement, and how a frozen detector's features change), the mean of
both, nothing chosen. `energy`: how much the picture changes, with a learned threshold: the null that all must beat. Five folds by source,
because clips of one film share camera, people and the very quarrel.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "recipes"))

import numpy as np
import torch
from actions_simulated import PAIR_CLASSES, PLAN, TRAIN, TWO, Lessons, certainties, model_file, staged, taught
from common import cache, interval
from detector_errors import Errors
from numpy.typing import NDArray

from pahara.behaviours.learned import Recogniser, near_pairs, score_of
from pahara.core import Detections, PaharaError, Track
from pahara.detection import load_detector
from pahara.detection.recogniser import load_recogniser
from pahara.evaluation import auroc
from pahara.tracking import ByteTrack, on_grid
from pahara.training.data.splits import Rows, folds
from pahara.training.data.windows import observed_tracks
from shared import arguments, asset, show

STEP = 0.1  # seconds between two looks
STRIDE = 0.2  # seconds between two windows


def _recipe() -> Any:
    spec = importlib.util.spec_from_file_location("recipe_fights", Path(__file__).parents[1] / "recipes" / "fights.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["recipe_fights"] = made
    spec.loader.exec_module(made)
    return made


recipe = _recipe()


def tracks_of(path: Path, weights: Path, models: dict[str, Any]) -> list[Track]:
    """Everybody in a clip, found by YOLOX-nano ten times a second and followed; what was found is kept in the user's cache."""
    kept = cache("fights-boxes") / f"{path.stem}-{path.stat().st_size}-v1.json"
    if not kept.exists():
        detector = models.get("detector") or models.setdefault("detector", load_detector(weights, threads=1, classes=("person",)))
        pictures, rate = recipe.read_clip(path)
        told = []
        for row in np.unique(np.arange(0, len(pictures) / rate, STEP) * rate // 1).astype(int).tolist():
            (found,) = detector([pictures[row]])
            told.append([row / rate, found.boxes.round(2).tolist(), found.scores.round(4).tolist()])
        kept.write_text(json.dumps(told), encoding="utf-8")
    tracker, seen = ByteTrack(), []
    for time, boxes, scores in json.loads(kept.read_text(encoding="utf-8")):
        box = np.array(boxes, np.float32).reshape(-1, 4)
        seen.append(on_grid(tracker.update(Detections(box, np.array(scores, np.float32), np.zeros(len(box), np.intp), ("person",)), time)))
    return observed_tracks(seen)


def pairs_of(tracks: Sequence[Track]) -> NDArray[np.float32]:
    """(w, t, k, 3) windows of every two near each other, as the watcher would make them on its way through the clip."""
    made = []
    last = max((track.last_seen for track in tracks), default=0.0)
    for end in np.arange(last, TWO.least * TWO.seconds - 1e-6, -STRIDE).tolist():
        known = []
        for track in tracks:
            rows = int(track.times.searchsorted(end + 1e-6))
            if rows >= 2 and end - track.times[rows - 1] < STRIDE:
                known.append(Track(track.id, track.label, track.times[:rows], track.boxes[:rows]))
        made += [window for pair in near_pairs(known, TWO.near) if (window := TWO.take(pair)) is not None]
    return np.stack(made) if made else np.zeros((0, *TWO.shape), np.float32)


def by_simulated(windows: Sequence[NDArray[np.float32]], model: Recogniser) -> NDArray[np.float64]:
    """(n,) how sure the model is of the clip's surest pair, as a score: from 0.5 on an alarm. Nobody near each other: 0."""
    column, limit = model.classes.index("fighting"), model.thresholds["fighting"]
    return np.array([score_of(float(model(some)[:, column].max()), limit) if len(some) else 0.0 for some in windows])


def by_boxes(
    windows: Sequence[NDArray[np.float32]], labels: NDArray[np.int64], learnt: Rows, asked: Rows, stage: Lessons, seed: int
) -> NDArray[np.float64]:
    """A network on staged pairs and those of the learnt clips, both counting alike; the mean over a clip's windows.

    Where no two people are near each other, the share of fights among such clips of the learnt ones.
    """
    inputs = np.concatenate([windows[i] for i in learnt])
    weak = np.concatenate([np.full(len(windows[i]), labels[i]) for i in learnt]).astype(np.int64)
    parts = [stage]
    for label in (0, 1):
        rows = np.flatnonzero(weak == label)
        rows = np.tile(rows, max(1, round((stage.labels == label).sum() / max(len(rows), 1))))
        none = np.zeros(len(rows), np.int64)
        parts.append(Lessons(inputs[rows], weak[rows], none.astype(float), none, none))
    network = taught(Lessons.join(parts), TWO, len(PAIR_CLASSES), seed=seed, epochs=PLAN.epochs // 2)
    alone = [labels[i] for i in learnt if not len(windows[i])]
    usual = (sum(alone) + 0.5) / (len(alone) + 1)
    return np.array([certainties(network, windows[i])[:, 1].mean() if len(windows[i]) else usual for i in asked])


def examined(name: str, told: NDArray[np.float64], labels: NDArray[np.int64], sources: Sequence[str]) -> dict[str, Any]:
    """`told`: (repeats, n) scores; 0.5 and more is a fight."""
    right = ((told >= 0.5) == labels).mean(0)
    low, high = interval(right, sources)
    return {
        f"{name}_accuracy": float(right.mean()), f"{name}_low": low, f"{name}_high": high,
        f"{name}_auroc": float(np.mean([auroc(each, labels == 1) for each in told])),
    }  # fmt: skip


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--model", type=Path, default=None, help="a model of pairs in place of the one that recipes/actions_simulated.py makes"
    )
    parser.add_argument("--repeats", type=int, default=2, help="times that the five folds are drawn anew")
    parser.add_argument("--quick", action="store_true", help="drawn once")
    asked_for = parser.parse_args()
    torch.set_num_threads(1)
    weights = asset(asked_for.assets, "models/yolox-nano-416.onnx")
    folder = asset(asked_for.assets, "fights")
    clips = recipe.read_clips(folder, weights)
    labels, sources = np.array([clip.label for clip in clips]), [clip.source for clip in clips]
    with (folder / "clips.csv").open(encoding="utf-8") as file:
        names = [row["clip"] for row in recipe.csv.DictReader(file)]
    models: dict[str, Any] = {}
    windows = [pairs_of(tracks_of(folder / name, weights, models)) for name in names]
    path = asked_for.model or model_file("fights")
    repeats = 1 if asked_for.quick else asked_for.repeats
    errors = Errors.read()
    _, stage = staged(TRAIN, errors)
    told = {name: np.zeros((repeats, len(clips))) for name in ("boxes", "learned", "energy")}
    for repeat in range(repeats):
        for learnt, asked in folds(labels.tolist(), sources, n=5, seed=repeat):
            boxes = by_boxes(windows, labels, learnt, asked, stage, repeat)
            pixels = recipe.vote(clips, learnt, asked)
            told["boxes"][repeat, asked] = boxes
            told["learned"][repeat, asked] = (boxes + pixels) / 2
            told["energy"][repeat, asked] = recipe.by_quick_way("energy", clips, learnt, asked)
    told["simulated"] = by_simulated(windows, load_recogniser(path))[None]
    figures: dict[str, Any] = {"clips": len(clips), "sources": len(set(sources)), "repeats": repeats}
    figures["with_pairs"] = sum(bool(len(some)) for some in windows)
    figures["most_frequent"] = float(max(labels.mean(), 1 - labels.mean()))
    for name in ("simulated", "boxes", "learned", "energy"):
        figures |= examined(name, told[name], labels, sources)
    show(figures, as_json=asked_for.json, title="Fights in CCTV clips, by source", notes=NOTES)


NOTES = {
    "with_pairs": "clips in which two near each other were followed for a second at least",
    "most_frequent": "always the more frequent class",
    "simulated_accuracy": "boxes; taught on simulated people only, limits from staged scenes",
    "boxes_accuracy": "boxes; simulated people and the other sources' clips",
    "learned_accuracy": "boxes and pixels; simulated people and the other sources' clips",
    "learned_low": "95 %, drawing whole sources",
    "energy_accuracy": "the null: how much the picture changes",
}


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
