"""Benign or malignant, told by thirty measurements of cells: a small MLP beside logistic regression, ten folds.

    python recipes/breast_cancer.py            # three times ten folds: under a minute of one core
    python recipes/breast_cancer.py --quick    # ten folds once

Data: 569 fine-needle samples that come with scikit-learn (Wolberg, Street and Mangasarian 1995, "Breast cancer Wisconsin (diagnostic)",
UCI). Split: ten folds, classes spread evenly; each sample is examined once in each round, by a model that has not seen it, whose
scaling has not seen it either. A lesson in tables and in honest intervals, not a medical device.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from common import arguments, learn, show
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from pahara.models import build
from pahara.training.batches import batches_of
from pahara.training.data.splits import Rows, folds
from pahara.training.plan import Plan

PLAN = Plan(epochs=30, lr=3e-3, weight_decay=0.1, warm_up=2)
MALIGNANT = 0  # as scikit-learn numbers the classes

Table = NDArray[np.float32]


def scaled(learnt: Table, other: Table) -> tuple[Table, Table]:
    """Every column with mean 0 and spread 1 among those to learn from; the others by the same measure."""
    mean, spread = learnt.mean(0), learnt.std(0)
    return (learnt - mean) / spread, (other - mean) / spread


def fold(table: Table, labels: NDArray[np.int64], learnt: Rows, examined: Rows, *, seed: int, epochs: int) -> NDArray[np.float64]:
    """-> (2, n): how probably each examined sample is malignant, by the MLP and by logistic regression."""
    known, asked = scaled(table[learnt], table[examined])
    lesson = (torch.from_numpy(known), torch.from_numpy(labels[learnt]))
    torch.manual_seed(seed)
    network = build("mlp", classes=2, inputs=table.shape[1], hidden=(32, 16), dropout=0.2)
    plan = Plan(**{**PLAN.as_dict(), "seed": seed, "epochs": epochs})
    learn(network, batches_of(lesson, 32, shuffle=True, seed=seed), lesson, plan)
    with torch.inference_mode():
        ours = network(torch.from_numpy(asked)).softmax(1)[:, MALIGNANT].numpy()
    simple = LogisticRegression(max_iter=1000).fit(known, labels[learnt])
    return np.stack([ours, simple.predict_proba(asked)[:, MALIGNANT]])


def examine(*, seed: int = 0, rounds: int = 3, epochs: int = PLAN.epochs, n: int = 10) -> dict[str, float]:
    """Rounds of `n` folds, each round with another division -> figures; the interval is of all samples of the first round."""
    data, labels = load_breast_cancer(return_X_y=True)
    table = data.astype(np.float32)
    probably = np.empty((rounds, 2, len(labels)))
    for turn in range(rounds):
        for learnt, examined in folds(labels.tolist(), n=n, seed=seed + turn):
            probably[turn][:, examined] = fold(table, labels, learnt, examined, seed=seed + turn, epochs=epochs)
    malignant = labels == MALIGNANT
    right = (probably > 0.5) == malignant  # (rounds, 2, samples)
    drawn = np.random.default_rng(seed).integers(0, len(labels), (4000, len(labels)))
    low, high = np.quantile(right[0, 0][drawn].mean(1), (0.025, 0.975))
    return {
        "accuracy": float(right[:, 0].mean()),
        "worst_round": float(right[:, 0].mean(1).min()),
        "low": float(low),
        "high": float(high),
        "missed": float((~right[:, 0][:, malignant]).sum(1).mean()),
        "malignant": int(malignant.sum()),
        "logistic": float(right[:, 1].mean()),
        "baseline": float(max(malignant.mean(), 1 - malignant.mean())),
    }


def main() -> None:
    asked = arguments(__doc__.split("\n", 1)[0]).parse_args()
    figures = examine(seed=asked.seed, rounds=1 if asked.quick else 3)
    notes = {
        "accuracy": "of the MLP, mean of the rounds",
        "low": "95 %, drawing samples of the first round",
        "missed": "malignant samples called benign, a round",
        "logistic": "accuracy of logistic regression, same folds",
        "baseline": "always benign",
    }
    show(figures, as_json=asked.json, title="Breast cancer, ten folds", notes=notes)


if __name__ == "__main__":
    main()
