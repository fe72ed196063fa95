"""A small thing to learn, for the tests of training; also run as a script, where a process must be killed or have siblings."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pahara.training import Batches, Plan, train

ABOUT = {
    "kind": "image",
    "model": "mlp",
    "options": {"classes": 3, "inputs": 8, "hidden": [16], "dropout": 0.2},
    "classes": ["a", "b", "c"],
}


class Clouds:
    """Points in eight dimensions around three centres; each comes a little different every time."""

    def __init__(self, total: int = 96, seed: int = 0, noise: float = 0.3) -> None:
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 3, total)
        centres = np.random.default_rng(99).normal(0, 1, (3, 8))
        self.points = (centres[self.labels] + rng.normal(0, 0.5, (total, 8))).astype(np.float32)
        self.noise = noise

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[torch.Tensor, int]:
        moved = self.points[index] + self.noise * rng.normal(0, 1, 8)
        return torch.tensor(moved, dtype=torch.float32), int(self.labels[index])


class Tell:
    """Classify; `slow` seconds a batch, `write` the count of batches to a file, `fail` with no number at this batch."""

    best, lower_is_better = "accuracy", False

    def __init__(self, slow: float = 0.0, write: Path | None = None, fail: int = 0) -> None:
        self.slow, self.write, self.fail, self.count = slow, write, fail, 0

    def loss(self, model, batch):
        x, y = batch
        self.count += 1
        if self.slow:
            time.sleep(self.slow)
        if self.write:
            self.write.write_text(str(self.count), encoding="utf-8")
        loss = cross_entropy(model(x), y)
        return {"loss": loss * float("nan") if self.count == self.fail else loss, "size": x.detach().abs().mean()}

    def measure(self, model, batches, device):
        found = [(model(x.to(device)).cpu(), y) for x, y in batches]
        scores, truth = torch.cat([s for s, _ in found]), torch.cat([y for _, y in found])
        return {"accuracy": float((scores.argmax(1) == truth).float().mean()), "held_out_loss": float(cross_entropy(scores, truth))}


def network(dropout: float = 0.2, norm: bool = False) -> nn.Module:
    from pahara.models import build

    torch.manual_seed(1)
    if norm:
        return nn.Sequential(nn.Linear(8, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    return build("mlp", **{**ABOUT["options"], "dropout": dropout})


def learn(
    folder: Path,
    plan: Plan,
    *,
    workers: int = 0,
    resume: bool = False,
    task: Tell | None = None,
    dropout: float = 0.2,
    size: int = 16,
    norm: bool = False,
):
    """-> (the result, the network)."""
    made = network(dropout, norm)
    about = {**ABOUT, "options": {**ABOUT["options"], "dropout": dropout}}
    batches = Batches(Clouds(), size, shuffle=True, seed=plan.seed, workers=workers)
    held_out = Batches(Clouds(48, seed=7, noise=0.0), 48, workers=0)
    return train(made, task or Tell(), batches, held_out, plan, folder, about=about, progress=True, resume=resume), made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plan", default="{}")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--fail", type=int, default=0)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--norm", action="store_true")
    asked = parser.parse_args()
    plan = Plan(**json.loads(asked.plan))
    task = Tell(asked.slow, asked.write, asked.fail)
    result, _ = learn(asked.folder, plan, workers=asked.workers, resume=asked.resume, task=task, dropout=asked.dropout, norm=asked.norm)
    print(json.dumps({field.name: str(getattr(result, field.name)) for field in fields(result)}))


if __name__ == "__main__":
    main()
