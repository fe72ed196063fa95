"""What the models share: a classifier is features and a head, and its layers can be named from input to output."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from pahara.core.errors import ModelError


class Classifier(nn.Module):
    """Input -> `features` -> `head` -> one score (logit) a class.

    `features` is a chain of stages from input to output, `head` ends in the one linear layer that knows the classes.
    Transfer learning keeps the features and calls `replace_head`.
    """

    features: nn.Sequential
    head: nn.Sequential

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.features(x)))  # (b, classes)

    @property
    def classes(self) -> int:
        """How many classes the head tells apart."""
        return cast(nn.Linear, self.head[-1]).out_features

    def replace_head(self, classes: int) -> None:
        """A fresh last layer for other classes; the features stay as they were taught."""
        at_least(1, classes=classes)
        old = cast(nn.Linear, self.head[-1])
        self.head[-1] = nn.Linear(old.in_features, classes).to(old.weight)  # same device and precision

    def layer_groups(self) -> list[nn.Module]:
        """The layers from input to output, the head last: freeze the first ones, or give them smaller steps.

        Every parameter is in exactly one group.
        """
        return [*(stage for stage in self.features if any(True for _ in stage.parameters())), self.head]


def pooled_head(channels: int, classes: int, dropout: float) -> nn.Sequential:
    """Feature map (b, channels, h, w) of any size -> (b, classes): the average over the picture, then one linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes))


class OverTime(nn.Module):
    """Features of every moment -> features of the window: the average or the last, over the real steps alone.

    (b, t, f), mask (b, t) True where the step is real, or none -> (b, f)
    """

    def __init__(self, pool: str) -> None:
        super().__init__()
        one_of("pool", pool, ("mean", "last"))
        self.pool = pool

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return x.mean(1) if self.pool == "mean" else x[:, -1]  # (b, f)
        weight = mask.to(x.dtype)  # (b, t)
        if self.pool == "last":  # the last real step is the one after which no real step comes
            later = weight.flip(1).cumsum(1).flip(1)  # (b, t) real steps from here on
            weight = weight * (later == 1).to(x.dtype)
        return (x * weight[..., None]).sum(1) / weight.sum(1, keepdim=True).clamp(min=1)  # (b, f)


def flat_steps(x: Tensor, inputs: int) -> Tensor:
    """Windows (b, t, k, c) or (b, t, f) -> (b, t, f); ModelError unless f = k·c = `inputs`."""
    flat = x.flatten(2)
    if not torch.jit.is_tracing() and flat.shape[2] != inputs:
        raise ModelError(f"the model was built for {inputs} numbers a step, the windows {tuple(x.shape)} have {flat.shape[2]}")
    return flat


def at_least(least: float, **options: float) -> None:
    """ModelError unless every option is at least so large."""
    for option, value in options.items():
        if value < least:
            raise ModelError(f"{option} must be at least {least:g}, not {value:g}")


def one_of(option: str, value: object, known: tuple[object, ...]) -> None:
    """ModelError unless the option has one of the known values."""
    if value not in known:
        raise ModelError(f"{option} must be one of {', '.join(map(str, known))}, not {value}")
