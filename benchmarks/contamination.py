"""What happens when incidents are learned as normal: frame AUROC with 1, 2 and 3 anomalous clips planted in the memory.

The planted clips come from the folder's test clips and are judged no more; each figure is the mean over several choices of
clips, and the drop compares the same clips with and without the planting. Beside it plain k-nearest neighbours, which
counts moments and not tracks: one cyclist is a dense cluster of moments, but still only one track.

    python benchmarks/contamination.py [FOLDER] [--model FILE] [--halves] [--trim SHARE] [--cache DIR] [--json]
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from scipy.spatial import cKDTree

from pahara.config.detectors import EMBEDDED
from pahara.core import PaharaError
from pahara.evaluation.anomaly import frame_scores
from pahara.evaluation.auroc import frame_auroc
from pahara.normality import Normality, Settings, together
from ped2 import BOXES, Clip, learned, load, score
from shared import arguments, asset, show

CHOICES = 6  # of clips to plant, at most
K = 5
TRIM = 0.03  # share of the tracks that rarity is not reckoned from; `--trim 0` is how a model is made by default


def plain(train: list[Clip], clips: list[Clip], model: Normality) -> list[np.ndarray]:
    """Mean distance to the five nearest moments, motion and shape side by side, in the units of the model."""

    def values(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
        told = model.values(clip.only("motion", "shape"))
        both = np.concatenate(
            [told[name][:, :width] / model.known[name].memory.unit[:width] for name, width in (("motion", 3), ("shape", 2))], axis=1
        )
        known = np.isfinite(both).all(axis=1)
        return both[known], known

    tree = cKDTree(np.concatenate([values(clip)[0] for clip in train]))
    scores = []
    for clip in clips:
        asked, known = values(clip)
        near = np.asarray(tree.query(asked, K)[0])
        scores.append(frame_scores(near.mean(axis=1), clip.frames[known], clip.count))
    return scores


def micro(scores: list[np.ndarray], clips: list[Clip]) -> float:
    return frame_auroc([(s, clip.truth) for s, clip in zip(scores, clips, strict=True)]).micro


def examine(folder: Path, model: Path | str, cache: Path | None, trim: float = TRIM, halves: bool = False) -> dict[str, float]:
    train, test = load(folder, model, cache, halves)
    settings = Settings(ready=dict.fromkeys(BOXES, 50), trim=trim)
    clean = learned(train, BOXES, settings)
    scores = [score(clean, clip, BOXES) for clip in test]
    base = plain(train, test, clean)
    figures: dict[str, float] = {"auroc_clean": micro(scores, test), "plain_clean": micro(base, test)}
    guilty = [i for i, clip in enumerate(test) if clip.truth.any()]
    for planted in (1, 2, 3):
        rng = np.random.default_rng(planted)
        every = list(combinations(guilty, planted))
        chosen = [every[i] for i in rng.permutation(len(every))[:CHOICES]]
        drops: list[float] = []
        plain_drops: list[float] = []
        for gone in chosen:
            left = [i for i in range(len(test)) if i not in gone]
            clips = [test[i] for i in left]
            if len({bool(t) for clip in clips for t in clip.truth}) < 2:
                continue
            more = [*train, *(test[i] for i in gone)]
            dirty = Normality.fit(together([clip.only(*BOXES) for clip in more]), settings, step=0.1)
            drops.append(micro([scores[i] for i in left], clips) - micro([score(dirty, clip, BOXES) for clip in clips], clips))
            plain_drops.append(micro([base[i] for i in left], clips) - micro(plain(more, clips, clean), clips))
        figures[f"drop_{planted}"], figures[f"plain_drop_{planted}"] = float(np.mean(drops)), float(np.mean(plain_drops))
        figures[f"worst_{planted}"] = float(np.max(drops))
    return figures


def main() -> None:
    parser = arguments((__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, help="a folder with train/, test/ and test-labels.csv (default: ped2 of the assets)"
    )
    parser.add_argument("--cache", type=Path, help="a folder in which detections are kept between runs")
    parser.add_argument("--model", default=EMBEDDED, help="a detector's .onnx file or name (default: the one that comes with Pahara)")
    parser.add_argument("--halves", action="store_true", help="look at two overlapping halves of the picture too")
    parser.add_argument("--trim", type=float, default=TRIM, help="share of the tracks that rarity is not reckoned from")
    asked = parser.parse_args()
    figures = examine(asked.folder or asset(asked.assets, "ped2"), asked.model, asked.cache, asked.trim, asked.halves)
    notes = {
        "drop_1": "AUROC lost with one clip planted, mean over choices; goal ≤ 0.03",
        "plain_drop_1": "the same of plain 5-nearest moments",
    }
    show(figures, as_json=asked.json, title="Contamination, boxes alone", notes=notes)


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
