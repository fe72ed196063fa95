"""Handwritten digits: layers that see every pixel at once, a CNN, and what knowing 0 to 4 is worth when learning 5 to 9 from a few.

    python recipes/digits.py            # about three minutes of one core
    python recipes/digits.py --quick    # one fold, two seeds: a minute

Data: 1,797 digits of 8 x 8 pixels that come with scikit-learn (Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits",
UCI; the part that 13 writers wrote who are not in the other part). Split: five folds, classes spread evenly; each digit is examined
once, by a model that has not seen it. Who wrote a digit is not recorded, so a writer may be on both sides.

Transfer: a CNN learns 0 to 4, then 5 to 9 from `few` examples each, once from what it knows and once from nothing, with the
same examples, the same number of steps and the same learning rate. All other 5 to 9 are examined.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from common import arguments, learn, show
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.datasets import load_digits
from torch import nn

from pahara.models import build
from pahara.training.batches import Batches
from pahara.training.data.splits import Rows, folds
from pahara.training.plan import Plan

Pictures = NDArray[np.float32]  # (n, 8, 8), 0..1
Labels = NDArray[np.int64]

MLP = Plan(epochs=40, lr=3e-3, weight_decay=0.05, warm_up=2)
CNN = Plan(epochs=40, lr=5e-3, weight_decay=0.05, warm_up=2)
FEW = (1, 3, 10)  # examples of each new digit
FEW_PLAN = Plan(epochs=30, lr=5e-3, weight_decay=0.05, warm_up=2)  # an epoch is one batch here, so these are 30 steps


# -- the data ----------------------------------------------------------------------


def read_digits() -> tuple[Pictures, Labels]:
    """-> pictures (1797, 8, 8) in 0..1, what they show (1797,)."""
    data, labels = load_digits(return_X_y=True)
    return (data / 16).reshape(-1, 8, 8).astype(np.float32), labels.astype(np.int64)


class Seen:
    """Digits as examples for the loop, each time a little to the left or right, higher or lower, fainter or bolder."""

    def __init__(self, pictures: Pictures, labels: Labels) -> None:
        self.pictures, self.labels = pictures, labels

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[torch.Tensor, int]:
        down, right = rng.integers(0, 3, 2)
        moved = np.pad(self.pictures[index], 1)[down : down + 8, right : right + 8] * rng.uniform(0.8, 1.2)
        return as_input(moved[None])[0], int(self.labels[index])

    def plain(self) -> tuple[torch.Tensor, torch.Tensor]:
        """All of them as they were written."""
        return as_input(self.pictures), torch.from_numpy(self.labels)


def as_input(pictures: Pictures) -> torch.Tensor:
    """(n, 8, 8) in 0..1 -> (n, 1, 8, 8) around 0, with a spread of about 1."""
    return torch.from_numpy((pictures[:, None].astype(np.float32) - 0.3) / 0.38)


# -- all ten digits ----------------------------------------------------------------


def fresh(name: str, seed: int) -> nn.Module:
    """A new network for ten digits."""
    torch.manual_seed(seed)
    return build("mlp", classes=10, inputs=64, hidden=(128, 64)) if name == "mlp" else build("tinyvgg", classes=10, channels=1)


def right_of(
    name: str, pictures: Pictures, labels: Labels, learnt: Rows, examined: Rows, *, seed: int, epochs: int = 0
) -> NDArray[np.bool_]:
    """Teach on some digits, ask about the others: which answers are right."""
    plan = MLP if name == "mlp" else CNN
    lesson = Seen(pictures[learnt], labels[learnt])
    network = learn(fresh(name, seed), taught(lesson, 64, seed), lesson.plain(), with_seed(plan, seed, epochs))
    return told(network, pictures[examined]) == labels[examined]


def told(network: nn.Module, pictures: Pictures) -> Labels:
    """What the network takes each picture for."""
    with torch.inference_mode():
        answer: Labels = network(as_input(pictures)).argmax(1).numpy()
    return answer


def all_digits(name: str, *, seed: int = 0, quick: bool = False, epochs: int = 0) -> dict[str, float]:
    """Five folds -> share of right answers over all digits, with Wilson's 95 % interval."""
    pictures, labels = read_digits()
    right = []
    for learnt, examined in folds(labels.tolist(), n=5, seed=seed):
        right.append(right_of(name, pictures, labels, learnt, examined, seed=seed, epochs=epochs))
        if quick:
            break
    low, high = wilson(np.concatenate(right))
    return {"accuracy": float(np.concatenate(right).mean()), "low": low, "high": high}


# -- knowing 0 to 4, learning 5 to 9 -----------------------------------------------


def who_knows_0_to_4(*, seed: int = 0, epochs: int = 0) -> nn.Module:
    """A CNN that has never seen a 5, 6, 7, 8 or 9."""
    pictures, labels = read_digits()
    source = Seen(pictures[labels < 5], labels[labels < 5])
    torch.manual_seed(seed)
    return learn(build("tinyvgg", classes=5, channels=1), taught(source, 64, seed), source.plain(), with_seed(CNN, seed, epochs))


def transfer(teacher: nn.Module, few: int, *, seeds: int = 8, seed: int = 0, epochs: int = 0) -> dict[str, float]:
    """-> mean accuracy on 5 to 9 from what was known and from nothing, and the gain with its 95 % interval over seeds."""
    pictures, labels = read_digits()
    new, kinds = pictures[labels >= 5], labels[labels >= 5] - 5

    scores = []
    for turn in range(seed, seed + seeds):
        rng = np.random.default_rng(turn)
        chosen = np.concatenate([rng.choice(np.flatnonzero(kinds == kind), few, replace=False) for kind in range(5)])
        rest = np.setdiff1d(np.arange(len(kinds)), chosen)
        lesson = Seen(new[chosen], kinds[chosen])

        torch.manual_seed(turn)
        scratch, tuned = build("tinyvgg", classes=5, channels=1), build("tinyvgg", classes=5, channels=1)
        tuned.load_state_dict(teacher.state_dict())  # all that it knows about strokes
        tuned.replace_head(5)  # type: ignore[operator] # and nothing about which of them make a 7

        pair = []
        for network in (tuned, scratch):
            learn(network, taught(lesson, 5 * few, turn), lesson.plain(), with_seed(FEW_PLAN, turn, epochs))
            pair.append(float((told(network, new[rest]) == kinds[rest]).mean()))
        scores.append(pair)
    both = np.array(scores)  # (seeds, 2)
    gain = both[:, 0] - both[:, 1]
    half = float(student.ppf(0.975, seeds - 1) * gain.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else float("nan")
    return {
        "tuned": float(both[:, 0].mean()),
        "scratch": float(both[:, 1].mean()),
        "gain": float(gain.mean()),
        "gain_low": float(gain.mean()) - half,
        "gain_high": float(gain.mean()) + half,
    }


# -- the parts of both -------------------------------------------------------------


def taught(lesson: Seen, size: int, seed: int) -> Batches:
    """The lesson in batches, in a new order each epoch."""
    return Batches(lesson, min(size, len(lesson)), shuffle=True, workers=0, seed=seed)


def with_seed(plan: Plan, seed: int, epochs: int = 0) -> Plan:
    """The same plan with another seed, and with other epochs where they are given."""
    return Plan(**{**plan.as_dict(), "seed": seed, "epochs": epochs or plan.epochs})


def wilson(right: NDArray[np.bool_]) -> tuple[float, float]:
    """95 % interval of a share; every digit counts by itself."""
    n, share, z = len(right), float(right.mean()), 1.96
    middle, half = share + z * z / (2 * n), z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def main() -> None:
    asked = arguments(__doc__.split("\n", 1)[0]).parse_args()
    figures: dict[str, Any] = {}
    for name in ("mlp", "tinyvgg"):
        result = all_digits(name, seed=asked.seed, quick=asked.quick)
        figures.update({f"{name}_{key}": value for key, value in result.items()})
    teacher = who_knows_0_to_4(seed=asked.seed)
    for few in FEW[:1] if asked.quick else FEW:
        result = transfer(teacher, few, seeds=2 if asked.quick else 8, seed=asked.seed)
        figures.update({f"{key}_{few}": value for key, value in result.items()})
    show(figures, as_json=asked.json)


if __name__ == "__main__":
    main()
