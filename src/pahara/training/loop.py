"""The training loop: show a batch, measure the error, follow the gradient, and keep the weights that do best on held-out data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pahara.core import TrainingError

from .batches import as_batches
from .checkpoint import fill, read_weights
from .ema import Ema
from .keeping import BEST, LAST, STATE, Keeper, Ledger
from .machine import agree, alone, clip, launch, moved, prepare, seed_step
from .optim import Freezer, lr_factor, make_optimizer, set_lr
from .plan import Plan
from .progress import Progress, Stop
from .together import share_norms
from .watchdog import Watchdog


class Task(Protocol):
    """What is to be learned: how wrong a batch was, and how good the model is."""

    best: str  # the metric that decides, e.g. "accuracy"
    lower_is_better: bool

    def loss(self, model: nn.Module, batch: Any) -> dict[str, Tensor]:
        """ "loss" () is minimised, other parts () are only logged. The batch is on the model's device already."""

    def measure(self, model: nn.Module, batches: Iterable[Any], device: torch.device) -> dict[str, float]:
        """Figures on held-out batches, which the task itself moves to `device`. The model is in `eval` mode, gradients are off."""


@dataclass(frozen=True)
class Result:
    """How a run ended. The model that was given holds the best weights."""

    folder: Path
    stopped: str  # "finished", "early" (no better result for `patience` epochs) or "interrupted"
    best: float  # the deciding metric of best.safetensors; nan while no epoch was measured
    best_epoch: int  # from 1; 0 while no epoch was measured
    epochs: int  # whole epochs trained, all calls together
    steps: int  # steps of the optimiser, all calls together
    seconds: float  # of training, all calls together
    history: list[dict[str, float]]  # the rows of metrics.csv


def train(
    model: nn.Module,
    task: Task,
    batches: Iterable[Any],
    held_out: Iterable[Any],
    plan: Plan,
    folder: Path | str,
    *,
    about: Mapping[str, Any],
    progress: bool = True,
    resume: bool = False,
    go_on: str = "",
) -> Result:
    """Train `model` in place and leave best.safetensors, last.safetensors, metrics.csv and resume.pt in `folder`.

    `batches` and `held_out` are `Batches`, or lists of ready batches. `about` goes into the weights files (`save_weights`).
    With `resume`, a run that was killed or interrupted in this folder goes on, to the same weights as if it had never
    stopped; where it had not begun, it begins. `go_on` is the command that a person can type to resume after Ctrl-C.
    TrainingError says in plain words why training cannot start or go on.
    """
    folder = Path(folder)
    learned, measured_on = as_batches(batches, "training data"), as_batches(held_out, "held-out data to measure on")
    if (folder / STATE).exists() and not resume:
        raise TrainingError(f"{folder} holds a run already; resume it, or choose another folder")
    fabric = prepare(plan, workers=learned.workers)
    go_on = go_on or "call train(…, resume=True)"
    result: Result = launch(fabric, _learn, model, task, learned, measured_on, plan, folder, dict(about), progress, resume, go_on)
    weights = folder / (BEST if result.best_epoch else LAST)
    fill(model, read_weights(weights)[0], str(weights))
    return result


def _learn(
    fabric: Fabric, network: nn.Module, task: Task, batches: Any, held_out: Any, plan: Plan, folder: Path, about: dict[str, Any], shown: bool,
    resume: bool, go_on: str,
) -> Result:  # fmt: skip
    """What each process does; with several, each takes its share of every batch, and they follow the mean of their gradients."""
    if fabric.world_size > 1:
        share_norms(network)  # each process sees a part of the batch; batch norms must reckon with all of it
    model, optimizer = fabric.setup(network, make_optimizer(network, plan))  # `model` is the network on its device, in the plan's precision
    average = Ema(network, plan.ema)
    freezer = Freezer(network, plan.freeze, quiet=fabric.world_size == 1)
    keeper = Keeper(folder, plan, network, optimizer, average, fabric.strategy.precision, about, chief=fabric.is_global_zero)
    now = keeper.start(resume=resume)
    ledger = Ledger(now, fabric.device)
    watchdog = Watchdog(now.watch, at_once=fabric.device.type == "cpu", kept=str(folder / LAST))
    steps = -(-len(batches) // plan.accumulate)  # the optimiser makes one step for every `accumulate` batches
    stopping, lr = False, plan.lr
    with Stop() as stop, Progress(shown and fabric.is_global_zero, plan.epochs, steps, now.step) as show, keeper:
        keeper.save(now, ledger)
        while now.epoch < plan.epochs and not tired(now, plan) and not stopping:
            model.train()
            freezer.begin(now.epoch)
            batches.begin(now.epoch, skip=now.batch, rank=fabric.global_rank, world=fabric.world_size)
            for batch in batches:
                place = now.batch % plan.accumulate  # of this batch within its step
                many = min(plan.accumulate, len(batches) - now.batch + place)  # batches of this step
                if place == 0:
                    lr = plan.lr * lr_factor(now.step, plan, steps)
                    set_lr(optimizer, lr)
                    seed_step(plan.seed, now.step, fabric.global_rank)
                with alone(fabric, model, waiting=place + 1 < many):
                    parts = task.loss(model, moved(batch, fabric.device))
                    names, values = listed(parts)
                    values, stopping = agree(fabric, values, stop.asked, now.step)
                    watchdog.see(now.step + 1, lr, names, values)
                    fabric.backward(parts["loss"] / many)
                ledger.add(names, values)
                if place + 1 < many:
                    continue
                freezer.drop()
                norm = clip(fabric, model, optimizer, plan.clip)
                if plan.precision != "16":  # the scaler of 16-bit floats leaves out such steps by itself
                    watchdog.see_gradient(now.step + 1, lr, norm)
                optimizer.step()
                optimizer.zero_grad()
                average.update()
                now.step += 1
                show.step(now.epoch)
                if stopping or keeper.due():
                    watchdog.look()
                    keeper.save(now, ledger)
                if stopping:
                    show.say(f"stopped in epoch {now.epoch + 1} after step {now.step}; all is saved in {folder}. To go on: {go_on}")
                    break
            else:
                watchdog.look()
                row = {
                    "epoch": float(now.epoch + 1),
                    "step": float(now.step),
                    "lr": plan.lr * lr_factor(now.step - 1, plan, steps),
                    **ledger.means(),
                }
                row.update(measured(fabric, task, average.model, held_out))
                better = is_better(row[task.best], now.best, task)
                if better:
                    now.best, now.best_epoch = row[task.best], now.epoch + 1
                keeper.tick(now)
                keeper.close_epoch(now, {**row, "seconds": now.seconds}, better=better)
                show.epoch(now.history[-1], better)
                now.epoch, now.batch = now.epoch + 1, 0
                keeper.save(now, ledger, at_once=now.epoch == plan.epochs or tired(now, plan))
        stopped = "interrupted" if stopping else "early" if now.epoch < plan.epochs else "finished"
    batches.close()
    return Result(folder, stopped, now.best, now.best_epoch, now.epoch, now.step, now.seconds, now.history)


def listed(parts: Mapping[str, Tensor]) -> tuple[list[str], Tensor]:
    """-> the parts' names, "loss" first, and their values (n,) without gradient."""
    if "loss" not in parts:
        raise TrainingError(f"the task's loss gives {', '.join(parts) or 'nothing'}; it must give 'loss', which is minimised")
    names = ["loss", *(name for name in parts if name != "loss")]
    return names, torch.stack([parts[name].detach().float().reshape(()) for name in names])


def measured(fabric: Fabric, task: Task, model: nn.Module, held_out: Any) -> dict[str, float]:
    """The task's figures; one process measures on all held-out data, the others wait for it."""
    figures: dict[str, float] = {}
    if fabric.is_global_zero:
        model.eval()
        held_out.begin(0)
        with torch.inference_mode():
            figures = {name: float(value) for name, value in task.measure(model, held_out, fabric.device).items()}
        if task.best not in figures:
            raise TrainingError(f"the task decides by '{task.best}', but measures only {', '.join(figures) or 'nothing'}")
    return dict(fabric.broadcast(figures)) if fabric.world_size > 1 else figures


def is_better(value: float, best: float, task: Task) -> bool:
    """Whether a metric beats the best one so far (nan: none)."""
    if math.isnan(value) or math.isnan(best):
        return not math.isnan(value)
    return value < best if task.lower_is_better else value > best


def tired(now: Any, plan: Plan) -> bool:
    """Whether the last `patience` epochs brought nothing better."""
    return bool(plan.patience) and now.epoch - now.best_epoch >= plan.patience
