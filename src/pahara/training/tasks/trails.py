"""How nobody moves here: an autoencoder over windows of trails, taught on what a store kept or on staged scenes."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.behaviours.learned import Window
from pahara.core import DataError
from pahara.evaluation import frame_auroc
from pahara.models import build
from pahara.report.phrases import say

from ..batches import Batches
from ..data.windows import WindowSet, store_windows, truth_windows
from ..plan import Plan
from ..report.anomaly import anomaly_blocks
from ..report.classes import percent
from .anomaly import WINDOWS_MODEL, Paint, limit_from
from .job import Job, Outcome, Tell, Wishes
from .start import begin, epochs_for, parameters_of

UNUSUAL = ("falling", "fight", "running")  # kinds of incident that are no normal movement


class Trails:
    """Windows of trails to paint again (t, k, 3)."""

    def __init__(self, inputs: NDArray[np.float32]) -> None:
        self.inputs = inputs

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(self.inputs[index])


def open_job(data: Path, wishes: Wishes) -> Job:
    """Normal movement: windows of the boxes in a store, or of staged scenes, those in which something happens kept for examining."""
    start = begin("anomaly", wishes, WINDOWS_MODEL, known=(WINDOWS_MODEL,))
    told = dict(start.about.get("window", {}))
    window = Window.of({**told, **{k: v for k, v in (("rate", wishes.extra.get("rate")), ("seconds", wishes.extra.get("seconds"))) if v}})
    if (data / "pahara.db").is_file():
        from pahara.store import Store

        store = Store.open(data)
        try:
            every = store_windows(store, window, stride=0.5)
        finally:
            store.close()
    else:
        files = [data] if data.is_file() else sorted(data.rglob("truth.json"))
        if not files:
            raise DataError(f"{data}: there is no store (pahara.db) and no truth.json; watch a while first: pahara watch … --out {data}")
        every = WindowSet.join([truth_windows(file, window, UNUSUAL, group=str(file.parent)) for file in files])
    normal = every.rows(np.flatnonzero(every.labels == 0))
    if len(normal) < 20:
        raise DataError(f"{data}: {len(normal)} windows of normal movement are too few; watch longer")
    hold = float(wishes.extra.get("hold_out", 0.2))
    several = len(set(normal.groups)) > 1
    cut = round(len(normal) * (1 - hold))
    parts = normal.split(shares={"train": 1 - hold, "val": hold}, seed=wishes.seed) if several else {
        "train": normal.rows(np.arange(cut)), "val": normal.rows(np.arange(cut, len(normal)))
    }  # fmt: skip
    train, held_out = parts["train"].inputs, parts["val"].inputs
    inputs = window.shape[1] * 3
    options = {**wishes.options, "inputs": inputs}
    torch.manual_seed(wishes.seed)
    model = start.weights or build(start.model, **options)
    about: dict[str, Any] = {
        "kind": "anomaly", "model": start.model, "options": {**start.options, **options}, "input": list(window.shape),
        "window": asdict(window), "activation": "none",
    }  # fmt: skip
    batch = min(wishes.batch or 64, len(train))
    plan = start.plan(Plan(epochs=epochs_for(len(train) // batch, wanted=1500, most=80), lr=3e-3, weight_decay=0.0), wishes)
    return Job(
        "anomaly", model, Paint(), Batches(Trails(train), batch, shuffle=True, seed=wishes.seed, workers=0),
        Batches(Trails(held_out), batch, workers=0), plan, about, data,
        {
            "train": len(train), "held_out": len(held_out), "sources": len(set(normal.groups)), "model": start.model,
            "parameters": parameters_of(model), "window": f"{window.seconds:g} s at {window.rate:g} a second", "batch": batch, "from": wishes.weights,
        },
        partial(examine, normal=held_out, unusual=every.inputs[every.labels > 0], rate=window.rate),
        start.notes,
    )  # fmt: skip


@torch.no_grad()
def window_errors(model: nn.Module, windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, t, k, 3) -> mean squared error of each (n,), as the watcher measures it."""
    model.eval()
    x = torch.from_numpy(np.ascontiguousarray(windows)).to(next(model.parameters()).device)
    parts = [(model(some) - some).square().flatten(1).mean(1).cpu() for some in torch.split(x, 256)]
    found: NDArray[np.float64] = torch.cat(parts).numpy().astype(np.float64) if len(x) else np.zeros(0)
    return found


def examine(
    model: nn.Module, /, *, normal: NDArray[np.float32], unusual: NDArray[np.float32], rate: float, tell: Tell | None = None
) -> Outcome:
    errors, odd = window_errors(model, normal), window_errors(model, unusual)
    if tell is not None:
        tell(1.0)
    limit = limit_from(errors)
    found = {"thresholds": {"error": limit}, "usual": {"median": float(np.median(errors)), "high": limit}}
    true = np.r_[np.zeros(len(errors), bool), np.ones(len(odd), bool)]
    every = np.r_[errors, odd]
    figures = frame_auroc([(every, true)]) if len(odd) else None
    blocks = anomaly_blocks({"windows": (np.arange(len(every)) / rate, true, every)}, figures, limit)
    numbers = {
        "error": found["usual"]["median"],
        "limit": limit,
        "above_limit": float((errors > limit).mean()),
        "examples": float(len(every)),
    }
    headline = say("training.headline.normal", share=percent(numbers["above_limit"]))
    if figures is not None:
        numbers = {"auroc_micro": figures.micro, **numbers}
    warnings = () if len(odd) else (say("training.anomaly.only_normal"),)
    return Outcome(numbers, headline, blocks, (), found, warnings)
