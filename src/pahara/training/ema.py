"""A moving average of the weights: steadier than the last step's, and often better."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Ema:
    """`model` holds the averaged weights; without averaging (`keep` 0) it is the trained network itself.

    At step n the average keeps min(keep, (1 + n) / (10 + n)) of itself, so that the random start is soon forgotten.
    Polyak and Juditsky 1992; this form as in TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, model: nn.Module, keep: float) -> None:
        self.source, self.keep, self.steps = model, keep, 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False) if keep else model
        floats = [(a, b) for a, b in zip(self._tensors(self.model), self._tensors(model), strict=True) if b.is_floating_point()]
        self._averages, self._now = [a for a, _ in floats], [b for _, b in floats]
        self._counters = [(a, b) for a, b in zip(self._tensors(self.model), self._tensors(model), strict=True) if not b.is_floating_point()]

    @staticmethod
    def _tensors(model: nn.Module) -> list[torch.Tensor]:
        return list(model.state_dict(keep_vars=False).values())

    def update(self) -> None:
        """After each step of the optimiser."""
        if not self.keep:
            return
        keep = min(self.keep, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        torch._foreach_lerp_(self._averages, self._now, 1 - keep)
        for average, now in self._counters:
            average.copy_(now)
