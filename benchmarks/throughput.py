"""What the training loop costs: examples a second over those of a bare PyTorch loop of the same model and data.

Both run in one process, in turns, with one thread and no workers, so the processor's time for a step is the step's time on an idle
machine; it is what `ratio` compares, because other programs do not disturb it. `ratio_wall` compares the clock on the wall. The bare loop is forward, loss, backward, AdamW and nothing else; ours also clips
gradients, watches for broken numbers, moves the learning rate and saves the state of the run. Each pair's ratio is taken, then the median.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from pahara.models import build
from pahara.training import Batches, Plan, train
from shared import show


class Pictures:
    """Pictures in memory, made ready one by one as a data set does."""

    def __init__(self, total: int, side: int) -> None:
        make = torch.Generator().manual_seed(0)
        self.pictures = torch.randint(0, 256, (total, 3, side, side), dtype=torch.uint8, generator=make)
        self.labels = torch.randint(0, 10, (total,), generator=make).tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.pictures[index].float() / 255, self.labels[index]


class Timed:
    """Cross-entropy; notes when the first and the last batch of the run were begun, so that starting and measuring are not counted."""

    best, lower_is_better = "epochs", False

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def loss(self, model: nn.Module, batch: Any) -> dict[str, Tensor]:
        self.cpu.append(time.process_time())
        self.wall.append(time.perf_counter())
        return {"loss": cross_entropy(model(batch[0]), batch[1])}

    def measure(self, model: nn.Module, batches: Iterable[Any], device: torch.device) -> dict[str, float]:  # noqa: ARG002
        return {"epochs": float(len(self.wall))}

    def step(self) -> tuple[float, float]:
        """-> median seconds of a step: of the processor, on the wall. The first steps, which warm up, are left out."""
        cpu, wall = (statistics.median(b - a for a, b in pairwise(times[3:])) for times in (self.cpu, self.wall))
        return cpu, wall


def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return build(name, classes=10, **({"inputs": 3 * 32 * 32} if name == "mlp" else {}))


def batches(data: Pictures, size: int) -> Batches:
    return Batches(data, size, shuffle=True, workers=0)


def ours(name: str, data: Pictures, size: int) -> tuple[float, float]:
    task = Timed()
    held_out = [(torch.zeros(1), torch.zeros(1))]
    with tempfile.TemporaryDirectory() as folder:
        train(network(name), task, batches(data, size), held_out, Plan(epochs=1, device="cpu"), folder, about={}, progress=False)
    return task.step()


def bare(name: str, data: Pictures, size: int) -> tuple[float, float]:
    task, model, source = Timed(), network(name), batches(data, size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    model.train()
    source.begin(0)
    for batch in source:
        loss = task.loss(model, batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return task.step()


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--assets", type=Path, help="not used: the pictures are made here")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for name, size in (("resnet18", 8), ("tinyvgg", 32), ("mlp", 32)):
        data = Pictures(asked.steps * size, 32)
        pairs = []
        for turn in range(asked.rounds):
            work = (ours, bare) if turn % 2 else (bare, ours)
            found = {one: one(name, data, size) for one in work}
            pairs.append((found[ours], found[bare]))
        figures[f"ratio_{name}"] = statistics.median(b[0] / a[0] for a, b in pairs)
        figures[f"ms_{name}"] = 1000 * statistics.median(a[0] for a, _ in pairs)
        if name == "tinyvgg":
            figures["ratio_wall"] = statistics.median(b[1] / a[1] for a, b in pairs)
    figures = {"ratio": figures["ratio_tinyvgg"], **figures}
    notes = {
        "ratio": "throughput ÷ a bare loop, the small CNN that `pahara train image` takes; goal ≥ 0.9",
        "ratio_mlp": "a model so small that every line of the loop counts",
        "ms_tinyvgg": "processor's ms a step of 32 pictures of 32×32",
    }
    show(
        {**figures, "rounds": asked.rounds, "steps": asked.steps},
        as_json=asked.json, title="training throughput, CPU, 1 thread, no workers", notes=notes,
    )  # fmt: skip


if __name__ == "__main__":
    main()
