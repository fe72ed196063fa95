"""What two people do to each other, told from their skeletons: eight classes of the SBU data, examined on pairs never seen.

    python recipes/skeletons.py            # five folds by pair, about three minutes on one core
    python recipes/skeletons.py --quick    # one fold
    python recipes/skeletons.py --flat     # without depth, as a plain camera's pose model sees it
    python recipes/skeletons.py --strangers  # nobody in the examined pair has been seen with anyone: harder

Data: Yun et al. 2012, "Two-person interaction detection using body-pose features and multiple instance learning": Kinect
skeletons of 15 joints at 15 frames a second, `<pair>/<class>/<take>/skeleton_pos.txt`. Split: by pair, classes spread evenly. A
person may still appear in another pair, as in the published protocol; `--strangers` takes that away.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from common import arguments, asset, interval, learn, show
from numpy.typing import NDArray

from pahara.core import DataError
from pahara.models import build
from pahara.training.batches import Batches
from pahara.training.data.splits import Rows, folds
from pahara.training.plan import Plan

CLASSES = ("approach", "depart", "kick", "push", "shake hands", "hug", "give", "punch")
RATE = 15.0  # frames a second
STEPS = 30  # two seconds; half of the takes last less than 1.6 s
METRES = (2.56, 1.92, 1.28)  # from the file's numbers to one unit for width, height and depth (about metres, y downward)
NECK, TORSO = 1, 2
BONES = ((0, 1), (1, 2), (3, 1), (4, 3), (5, 4), (6, 1), (7, 6), (8, 7), (9, 2), (10, 9), (11, 10), (12, 2), (13, 12), (14, 13))
MIRRORED = (0, 1, 2, 6, 7, 8, 3, 4, 5, 12, 13, 14, 9, 10, 11)  # left and right change places

Skeletons = NDArray[np.float32]  # (t, 2, 15, 3): step, person, joint, place
PLAN = Plan(epochs=60, lr=3e-3, weight_decay=0.05, warm_up=3, clip=5)


# -- the data ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Take:
    """One recording of one action."""

    skeletons: Skeletons
    label: int
    pair: str


def read_takes(folder: Path) -> list[Take]:
    """Every take below `folder`, in the order of its path. DataError where there is none or a file is not of this kind."""
    takes = []
    for file in sorted(folder.glob("*/*/*/skeleton_pos.txt")):
        rows = np.loadtxt(file, delimiter=",", ndmin=2)
        pair, kind = file.parts[-4], file.parts[-3]
        if rows.shape[1] != 91 or not kind.isdigit() or not 1 <= int(kind) <= len(CLASSES):
            raise DataError(f"{file}: a line should be a frame's number and 2 x 15 x 3 numbers, in a folder 01 to 08")
        places = rows[:, 1:].reshape(-1, 2, 15, 3) * METRES
        takes.append(Take(places.astype(np.float32), int(kind) - 1, pair))
    if not takes:
        raise DataError(f"{folder}: no <pair>/<class>/<take>/skeleton_pos.txt is below it")
    return takes


# -- what the model sees -----------------------------------------------------------


def varied(places: Skeletons, rng: np.random.Generator) -> Skeletons:
    """The same action in another room: who stands where, left-handed, turned, taller, trembling, quicker or slower, cut."""
    if rng.random() < 0.5:
        places = places[:, ::-1]
    if rng.random() < 0.5:
        places = places[:, :, MIRRORED] * np.array([-1, 1, 1])
    turn = rng.uniform(-0.5, 0.5)  # radians, about the upright axis
    about = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    places = places @ about * rng.uniform(0.9, 1.1) + rng.normal(0, 0.01, places.shape)
    begin, end = rng.integers(0, 3, 2)
    if len(places) - begin - end > 8:
        places = places[begin : len(places) - end]
    at = np.linspace(0, len(places) - 1, max(6, round(len(places) * rng.uniform(0.8, 1.25))))
    before = np.floor(at).astype(int)
    share = (at - before)[:, None, None, None]
    after = np.minimum(before + 1, len(places) - 1)
    return (places[before] * (1 - share) + places[after] * share).astype(np.float32)


def features(places: Skeletons, *, flat: bool = False) -> NDArray[np.float32]:
    """(t, 2, 15, 3) -> (2, STEPS, f): joints from one's own torso and from the other's, bones, speeds, and who reaches whom.

    Longer takes are cut to their middle, shorter ones stand still at the end. The unit is the mean length from head to torso.
    """
    if flat:
        places = places[..., :2]
    if len(places) > STEPS:
        start = (len(places) - STEPS) // 2
        places = places[start : start + STEPS]
    places = np.concatenate([places, np.repeat(places[-1:], STEPS - len(places), axis=0)])
    places = places / max(float(np.linalg.norm(places[:, :, 0] - places[:, :, TORSO], axis=-1).mean()), 1e-6)
    own = places - places[:, :, TORSO : TORSO + 1]
    bones = np.stack([places[:, :, a] - places[:, :, b] for a, b in BONES], axis=2)
    speeds = np.diff(places, axis=0, prepend=places[:1]) * (RATE / 3)
    other = places[:, ::-1]
    across = places - other[:, :, TORSO : TORSO + 1]
    reach = np.linalg.norm(places[:, :, :, None] - other[:, :, None], axis=-1)  # (t, 2, 15, 15): my joint to each of yours
    parts = [part.reshape(STEPS, 2, -1) for part in (own, bones, speeds, across, reach)]
    return np.ascontiguousarray(np.concatenate(parts, axis=-1).transpose(1, 0, 2), np.float32)


class Seen:
    """Takes as examples (features, label) for the loop; varied anew in each epoch."""

    def __init__(self, takes: Sequence[Take], mean: NDArray[np.float32], spread: NDArray[np.float32], *, flat: bool) -> None:
        self.takes, self.mean, self.spread, self.flat = takes, mean, spread, flat

    def __len__(self) -> int:
        return len(self.takes)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[torch.Tensor, int]:
        return self._ready(varied(self.takes[index].skeletons, rng)), self.takes[index].label

    def plain(self) -> tuple[torch.Tensor, torch.Tensor]:
        """All of them as they were recorded."""
        return torch.stack([self._ready(take.skeletons) for take in self.takes]), torch.tensor([take.label for take in self.takes])

    def _ready(self, places: Skeletons) -> torch.Tensor:
        return torch.from_numpy((features(places, flat=self.flat) - self.mean) / self.spread)


# -- learning and examining --------------------------------------------------------


def fold(takes: Sequence[Take], learnt: Rows, examined: Rows, *, model: str, flat: bool, seed: int, epochs: int) -> NDArray[np.intp]:
    """Teach on some takes, say what the others are: (n,) classes. The last epoch counts; none is chosen on examined pairs."""
    known = np.stack([features(takes[i].skeletons, flat=flat) for i in learnt])  # (n, 2, t, f)
    mean, spread = known.mean(axis=(0, 1, 2)), known.std(axis=(0, 1, 2)) + 1e-3
    lesson = Seen([takes[i] for i in learnt], mean, spread, flat=flat)
    torch.manual_seed(seed)
    network = build(model, classes=len(CLASSES), inputs=known.shape[-1], persons=2, dropout=0.3)
    plan = Plan(**{**PLAN.as_dict(), "seed": seed, "epochs": epochs})
    learn(network, Batches(lesson, 16, shuffle=True, workers=0, seed=seed), lesson.plain(), plan)
    with torch.inference_mode():
        told: NDArray[np.intp] = network(Seen([takes[i] for i in examined], mean, spread, flat=flat).plain()[0]).argmax(1).numpy()
    return told


def divided(takes: Sequence[Take], *, strangers: bool, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Five folds by pair; or, for `strangers`, each pair in turn against the pairs in which neither of the two appears."""
    labels, pairs = [take.label for take in takes], np.array([take.pair for take in takes])
    if not strangers:
        yield from folds(labels, pairs.tolist(), n=5, seed=seed)
        return
    for pair in np.unique(pairs):
        people = {pair[:3], pair[3:]}
        others = np.array([not people & {name[:3], name[3:]} for name in pairs])
        yield np.flatnonzero(others), np.flatnonzero(pairs == pair)


def examine(
    folder: Path, *, model: str = "tcn", flat: bool = False, strangers: bool = False, seed: int = 0, quick: bool = False
) -> dict[str, Any]:
    """All folds -> figures, with the confusion matrix under "confusion" (true down, told across)."""
    takes = read_takes(folder)
    truth, told = np.array([take.label for take in takes]), np.full(len(takes), -1)
    for learnt, examined in divided(takes, strangers=strangers, seed=seed):
        told[examined] = fold(takes, learnt, examined, model=model, flat=flat, seed=seed, epochs=PLAN.epochs)
        if quick:
            break
    done = told >= 0
    right = (told == truth)[done]
    pairs = [take.pair for take, chosen in zip(takes, done, strict=True) if chosen]
    low, high = interval(right, pairs)
    confusion = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(confusion, (truth[done], told[done]), 1)
    most = float(np.bincount(truth[done]).max() / done.sum())
    return {
        "accuracy": float(right.mean()),
        "low": low,
        "high": high,
        "baseline": most,
        "takes": int(done.sum()),
        "pairs": len(set(pairs)),
        "confusion": confusion.tolist(),
    }


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--model", default="tcn", choices=("tcn", "gru", "lstm", "transformer-sequence"))
    parser.add_argument("--flat", action="store_true", help="leave depth out")
    parser.add_argument("--strangers", action="store_true", help="examine each pair by what was learnt from other people altogether")
    asked = parser.parse_args()
    folder = asset(asked.assets, "skeletons/sbu")
    found = examine(folder, model=asked.model, flat=asked.flat, strangers=asked.strangers, seed=asked.seed, quick=asked.quick)
    confusion = found.pop("confusion")
    split = "each pair, taught by other people" if asked.strangers else "five folds by pair"
    notes = {"accuracy": split, "low": "95 %, drawing whole pairs", "baseline": "always the most frequent class"}
    show(found, as_json=asked.json, title=f"SBU interactions, {asked.model}, {'2-D' if asked.flat else '3-D'}", notes=notes)
    if not asked.json:
        for name, row in zip(CLASSES, confusion, strict=True):
            print(f"  {name:<12}" + "".join(f"{n:4}" for n in row))


if __name__ == "__main__":
    try:
        main()
    except DataError as error:
        sys.exit(str(error))
