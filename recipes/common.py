"""What the recipes share: where the data are, where measurements may be cached, an interval, and one way to print figures."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from platformdirs import user_cache_path
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from pahara.training.batches import batches_of
from pahara.training.checkpoint import read_weights
from pahara.training.loop import Result, train
from pahara.training.plan import Plan
from pahara.training.tasks.classify import Classify
from shared import ASSETS, asset, show
from shared import arguments as bare_arguments

__all__ = ["ASSETS", "arguments", "asset", "cache", "interval", "learn", "run_folder", "same", "show", "whole"]


def arguments(about: str) -> argparse.ArgumentParser:
    """--assets, --json, --seed and --quick, as every recipe has them."""
    parser = bare_arguments(about)
    parser.add_argument("--seed", type=int, default=0, help="of splits, weights and augmentation")
    parser.add_argument("--quick", action="store_true", help="a short form that shows the way, not the best figures")
    return parser


def cache(name: str) -> Path:
    """A folder for what a detector said of footage: slow to make, easy to make again."""
    folder = Path(user_cache_path("pahara", appauthor=False)) / "recipes" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for a run of which only the figures are wanted."""
    with tempfile.TemporaryDirectory(prefix="pahara-recipe-") as folder:
        yield Path(folder) / "run"


def interval(right: ArrayLike, groups: Sequence[str], *, rounds: int = 4000, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the share that is right, by drawing whole groups (sources, pairs) with replacement.

    Items of one group resemble each other, so an interval that counts them one by one (Wilson's) would be too narrow.
    Not a number with fewer than two groups: one source says nothing of how much sources differ.
    """
    good, whose = np.asarray(right, float), np.asarray(groups)
    names = np.unique(whose)
    if len(names) < 2:
        return float("nan"), float("nan")
    sums = np.array([[good[whose == name].sum(), (whose == name).sum()] for name in names])
    drawn = sums[np.random.default_rng(seed).integers(0, len(names), (rounds, len(names)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return float(low), float(high)


def whole(ended: Result) -> None:
    """The end of the recipe when training was stopped on the way: half a lesson gives no figures."""
    if ended.stopped == "interrupted":
        sys.exit("stopped before the end of the training; nothing was measured")


def same(x: torch.Tensor) -> torch.Tensor:
    """The model takes the batch as it is."""
    return x


def learn(model: nn.Module, batches: Any, examples: Sequence[torch.Tensor], plan: Plan, *, smoothing: float = 0.1) -> nn.Module:
    """Teach a classifier for the whole plan and give back its LAST weights: no epoch is chosen by looking at anything.

    `examples` (x, labels) are what the loop measures on meanwhile; give it training examples, so that the log shows how far
    the lesson is learnt.
    """
    with run_folder() as folder:
        ended = train(model, Classify(same, smoothing=smoothing), batches, batches_of(examples, 64), plan, folder, about={}, progress=False)
        whole(ended)
        model.load_state_dict(read_weights(folder / "last.safetensors")[0])
    return model.eval()
