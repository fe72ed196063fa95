"""What a run keeps in its folder while it trains, and how it goes on from there."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from pahara.core import TrainingError

from .checkpoint import fill, load_state, save_state, save_weights, write_whole
from .ema import Ema
from .plan import Plan

STATE, BEST, LAST, METRICS = "resume.pt", "best.safetensors", "last.safetensors", "metrics.csv"
PLACE = ("epoch", "step", "lr", "seconds")  # columns that say where, not how well
OFTEN = 5.0  # seconds: shorter epochs are not each saved


@dataclass
class Standing:
    """Where a run stands: all that is not a weight."""

    epoch: int = 0  # being trained, from 0
    batch: int = 0  # batches of this epoch already learned from
    step: int = 0  # steps of the optimiser, of all epochs
    best: float = math.nan  # the deciding metric of the best weights
    best_epoch: int = 0  # from 1; 0: none yet
    parts: list[str] = field(default_factory=list)  # names of the loss parts
    sums: list[float] = field(default_factory=list)  # each added up over the `batch` batches
    history: list[dict[str, float]] = field(default_factory=list)  # rows of metrics.csv
    seconds: float = 0.0  # of training, all calls together
    watch: dict[str, float] = field(default_factory=lambda: {"seen": 0.0, "usual": 0.0, "high": 0.0})


class Ledger:
    """Adds up the loss parts of an epoch where they are, so that nobody waits for a GPU."""

    def __init__(self, now: Standing, device: torch.device) -> None:
        self.now = now
        self.total = torch.tensor(now.sums, dtype=torch.float32, device=device)

    def add(self, names: list[str], values: Tensor) -> None:
        """One batch's parts: values (n,)."""
        self.total = self.total + values if self.now.batch and len(self.total) == len(values) else values
        self.now.parts, self.now.batch = names, self.now.batch + 1

    def write(self) -> None:
        """Into the standing, before it is saved."""
        self.now.sums = self.total.tolist()

    def means(self) -> dict[str, float]:
        """ "train_loss" and the other parts, each a mean over the epoch's batches."""
        return {f"train_{name}": value / max(1, self.now.batch) for name, value in zip(self.now.parts, self.total.tolist(), strict=True)}


class Keeper:
    """Writes the files of one run; only one process of several (`chief`) does."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        model: nn.Module,
        optimizer: Any,
        average: Ema,
        scaler: Any,
        about: Mapping[str, Any],
        *,
        chief: bool,
    ) -> None:
        self.folder, self.plan, self.model, self.optimizer, self.average = folder, plan, model, optimizer, average
        self.scaler, self.about, self.chief = scaler, dict(about), chief
        self.saved = self.clock = time.monotonic()
        self._board: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._board is not None:
            self._board.close()

    def start(self, *, resume: bool) -> Standing:
        """A fresh standing, or the one of the run in the folder with all its weights."""
        path = self.folder / STATE
        if not (resume and path.exists()):
            return Standing()
        state = load_state(path)
        try:
            changed = self.plan.differences(Plan.of(state["plan"]))
            if changed:
                raise TrainingError(
                    f"{self.folder} was begun with another plan ({'; '.join(changed)}): go on with that one, or start a new run"
                )
            fill(self.model, state["model"], str(path))
            if self.plan.ema:
                fill(self.average.model, state["average"], str(path))
                self.average.steps = state["average_steps"]
            _load_optimizer(self.optimizer, state["optimizer"])
            if state["scaler"]:
                self.scaler.load_state_dict(state["scaler"])
            return Standing(**state["standing"])
        except (KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} comes from another version of Pahara ({error}); start a new run from the last.safetensors beside it"
            ) from error

    def due(self) -> bool:
        """Whether it is time to save, in the middle of an epoch."""
        return self.chief and time.monotonic() - self.saved >= self.plan.save_seconds

    def save(self, now: Standing, ledger: Ledger, *, at_once: bool = True) -> None:
        """resume.pt and last.safetensors; unless `at_once`, only when the last time is a while ago."""
        self.tick(now)
        if not self.chief or not (at_once or time.monotonic() - self.saved >= min(OFTEN, self.plan.save_seconds)):
            return
        ledger.write()
        state = {
            "plan": self.plan.as_dict(),
            "standing": asdict(now),
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict() if self.plan.ema else {},
            "average_steps": self.average.steps,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        save_weights(self.folder / LAST, self.average.model, {**self.about, "epoch": now.epoch, "step": now.step})
        save_state(self.folder / STATE, state)
        self.saved = time.monotonic()

    def close_epoch(self, now: Standing, row: dict[str, float], *, better: bool) -> None:
        """The epoch was measured: a line of metrics.csv, and the best weights where they are new."""
        now.history.append(row)
        if self.chief:
            if better:
                figures = {name: value for name, value in row.items() if math.isfinite(value) and name not in PLACE}
                save_weights(
                    self.folder / BEST, self.average.model, {**self.about, "epoch": now.best_epoch, "step": now.step, "figures": figures}
                )
            write_metrics(self.folder / METRICS, now.history)
            if self.plan.tensorboard:
                self._show_on_board(now, row)

    def _show_on_board(self, now: Standing, row: dict[str, float]) -> None:
        if self._board is None:
            from torch.utils.tensorboard import SummaryWriter

            # After a resume the board forgets what was shown of steps that are trained again.
            self._board = SummaryWriter(str(self.folder / "tensorboard"), purge_step=now.step)
        for name, value in row.items():
            if name not in PLACE or name == "lr":
                self._board.add_scalar(name, value, now.step)
        self._board.flush()

    def tick(self, now: Standing) -> None:
        """Count the time that has passed."""
        before, self.clock = self.clock, time.monotonic()
        now.seconds += self.clock - before


def write_metrics(path: Path, history: list[dict[str, float]]) -> None:
    """metrics.csv: one row an epoch; a column for everything that any epoch measured."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.8g}" for name, value in row.items()} for row in history)
    write_whole(path, text.getvalue().encode(), lasting=False)


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv; TrainingError when it is missing or no table of numbers."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{name: float(value) for name, value in row.items() if value != ""} for row in csv.DictReader(file)]
    except OSError as error:
        raise TrainingError(f"cannot read {path} ({error.strerror}); is this the folder of a run?") from error
    except (TypeError, ValueError) as error:
        raise TrainingError(f"{path} is no table of numbers ({error})") from error


def _load_optimizer(optimizer: Any, state: dict[str, Any]) -> None:
    inner = getattr(optimizer, "optimizer", optimizer)  # Fabric's dress has no loading of its own
    inner.load_state_dict(state)
