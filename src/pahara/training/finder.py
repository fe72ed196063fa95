"""A learning rate to begin with: raise it step by step for a minute, and see where the loss falls fastest."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from torch import nn

from pahara.core import TrainingError

from .batches import as_batches
from .loop import Task
from .machine import moved, prepare, seed_step
from .optim import make_optimizer, set_lr
from .plan import Plan

SMOOTH = 0.9
LEAST = 0.01  # share of the loss: a fall of less is rounding
TOO_MUCH = 4.0  # times the best smoothed loss: from here on it only explodes


@dataclass(frozen=True)
class LrCurve:
    """What was tried, and what to take. All three have one entry a step."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float

    def plot(self, path: Path | str) -> None:
        """The curve as a picture; the ending decides the kind (.png, .svg)."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, color="0.8", label="loss")
        axes.plot(self.rates, self.smoothed, color="tab:blue", label="smoothed")
        axes.axvline(self.suggestion, color="tab:red", linestyle="--", label=f"suggestion {self.suggestion:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)


def find_lr(
    model: nn.Module,
    task: Task,
    batches: Iterable[Any],
    plan: Plan | None = None,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
) -> LrCurve:
    """Train `steps` batches with rates from `low` to `high`, stop where the loss explodes, and put the weights back.

    The suggestion lies two thirds down the longest fall of the smoothed loss (the "valley" of fastai; the test itself is
    Smith 2017, "Cyclical learning rates for training neural networks"). TrainingError when the loss never falls.
    """
    if not 0 < low < high:
        raise TrainingError(f"the rates must rise from above 0: low is {low}, high is {high}")
    if steps < 20:
        raise TrainingError(f"{steps} steps are too few to see a curve; take 20 or more")
    plan = replace(plan or Plan(), devices=1, nodes=1)
    source = as_batches(batches, "training data")
    fabric = prepare(plan, workers=source.workers)
    before = copy.deepcopy(model.state_dict())
    optimizer = make_optimizer(model, plan)
    dressed, optimizer = fabric.setup(model, optimizer)
    dressed.train()
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    average, best = 0.0, math.inf
    try:
        for step, batch in zip(range(steps), endless(source), strict=False):
            lr = low * (high / low) ** (step / (steps - 1))
            set_lr(optimizer, lr)
            seed_step(plan.seed, step, 0)
            loss = task.loss(dressed, moved(batch, fabric.device))["loss"]
            value = float(loss.detach())
            average = SMOOTH * average + (1 - SMOOTH) * value
            now = average / (1 - SMOOTH ** (step + 1))  # without the pull of the zero it began with
            best = min(best, now)
            if not math.isfinite(value) or (step > 10 and now > best + (TOO_MUCH - 1) * max(abs(best), 1e-3)):
                break
            rates.append(lr)
            losses.append(value)
            smoothed.append(now)
            fabric.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
    finally:
        model.load_state_dict(before)
        source.close()
    return LrCurve(tuple(rates), tuple(losses), tuple(smoothed), valley(rates, smoothed))


def valley(rates: list[float], losses: list[float]) -> float:
    """The rate two thirds down the longest falling subsequence of the losses.

    >>> valley([1e-4, 1e-3, 1e-2, 1e-1, 1.0], [9.0, 6.0, 3.0, 1.0, 8.0])
    0.01
    """
    longest = [1] * len(losses)  # falling steps that end here
    before = list(range(len(losses)))
    for i, loss in enumerate(losses):
        for j in range(i):
            if losses[j] > loss and longest[j] + 1 > longest[i]:
                longest[i], before[i] = longest[j] + 1, j
    last = longest.index(max(longest)) if losses else 0
    first = last
    while losses and before[first] != first:
        first = before[first]
    if last - first < 2 or losses[first] - losses[last] < LEAST * abs(losses[first]):
        raise TrainingError(
            "the loss falls at no learning rate: look at the data and its labels with `pahara data check`, or try other rates"
        )
    return rates[first + (last - first) * 2 // 3]


def endless(batches: Any) -> Iterable[Any]:
    """Epoch after epoch."""

    def epoch(number: int) -> Any:
        batches.begin(number)
        return batches

    return chain.from_iterable(epoch(number) for number, _ in enumerate(repeat(None)))
