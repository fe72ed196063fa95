"""What models of box and skeleton windows share: one person or two, padding, the head."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from pahara.core.errors import ModelError

from .parts import Headed, OverTime, at_least, one_of


class WindowClassifier(Headed):
    """Windows -> (b, classes).

    One person: x (b, t, k, c) or (b, t, f) with f = k·c = `inputs` numbers a step. Two persons (`persons=2`): x (b, 2, t, …), and
    swapping the two gives the same answer: both pass the same layers, each with the way to the other as additional inputs, and
    the head sees their sum and the size of their difference.

    mask (b, t), with two persons also (b, 2, t): True where a step is real. Real steps come first, padding follows; what stands
    in the padding then changes nothing.
    """

    def __init__(
        self, stages: Iterable[nn.Module], width: int, *, classes: int, inputs: int, persons: int, pool: str, dropout: float
    ) -> None:
        super().__init__()
        at_least(1, classes=classes)
        self.inputs, self.persons = inputs, persons
        self.stages = nn.ModuleList(stages)  # each (b, t, before) -> (b, t, after)
        self.over_time = OverTime(pool)  # (b, t, width) -> (b, width)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(persons * width, classes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return cast(Tensor, self.head(self.features(x, mask)))  # (b, classes)

    def features(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(b, t, …) or (b, 2, t, …) -> (b, persons · width)"""
        if self.persons == 1:
            return self._pooled(self._flat(x), mask)
        own = self._flat(x)  # (b, 2, t, f)
        pair = torch.cat((own, own.flip(1) - own), -1)  # (b, 2, t, 2f): myself, and the way to the other
        if mask is not None and mask.dim() == 2:
            mask = mask[:, None].expand(-1, 2, -1)  # (b, 2, t)
        both = self._pooled(pair.flatten(0, 1), None if mask is None else mask.flatten(0, 1))  # (2b, width)
        one, other = both.view(-1, 2, both.shape[1]).unbind(1)  # (b, width) each
        return torch.cat((one + other, (one - other).abs()), 1)  # (b, 2·width)

    def steps(self, x: Tensor, mask: Tensor | None = None) -> Tensor:  # noqa: ARG002 - who looks back only never meets padding
        """(b, t, f) -> features after every step (b, t, width); two persons are 2·f inputs of 2·b windows here."""
        for stage in self.stages:
            x = stage(x)
        return x

    def layer_groups(self) -> list[nn.Module]:
        """The layers from input to output, the head last. Every parameter is in exactly one group."""
        return [*self.stages, self.head]

    def _pooled(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return cast(Tensor, self.over_time(self.steps(x, mask), mask))

    def _flat(self, x: Tensor) -> Tensor:
        shape = x.shape
        flat = x.flatten(self.persons + 1) if x.dim() > self.persons + 1 else x
        if flat.dim() != self.persons + 2 or flat.shape[-1] != self.inputs or (self.persons == 2 and shape[1] != 2):
            wanted = "(b, t, …)" if self.persons == 1 else "(b, 2, t, …)"
            raise ModelError(f"this model takes windows {wanted} of {self.inputs} numbers a step, not {tuple(x.shape)}")
        return flat


def step_inputs(inputs: int, persons: int) -> int:
    """How many numbers the first layer sees at each step: with two persons, one's own and the way to the other."""
    at_least(1, inputs=inputs)
    one_of("persons", persons, (1, 2))
    return inputs * persons
