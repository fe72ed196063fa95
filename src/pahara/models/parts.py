"""What the models share: a head that can be replaced, and layers that can be named from input to output."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from pahara.core.errors import ModelError


class Headed(nn.Module):
    """A model that ends in a `head`, whose last layer is the one linear layer that knows the classes."""

    head: nn.Sequential

    @property
    def classes(self) -> int:
        """How many classes the head tells apart."""
        return cast(nn.Linear, self.head[-1]).out_features

    def replace_head(self, classes: int) -> None:
        """A fresh last layer for other classes; everything before it stays as it was taught."""
        at_least(1, classes=classes)
        old = cast(nn.Linear, self.head[-1])
        self.head[-1] = nn.Linear(old.in_features, classes).to(old.weight)  # on the same device, in the same precision


class Classifier(Headed):
    """Input -> `features` -> `head` -> one score (logit) a class.

    `features` is a chain of stages from input to output; for pictures it ends in a map (b, channels, rows, columns) on which
    one can see where the model looks.
    """

    features: nn.Sequential

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.features(x)))  # (b, classes)

    def layer_groups(self) -> list[nn.Module]:
        """The layers from input to output, the head last: freeze the first ones, or give them smaller steps.

        Every parameter is in exactly one group.
        """
        return [*(stage for stage in self.features if any(True for _ in stage.parameters())), self.head]


def pooled_head(channels: int, classes: int, dropout: float) -> nn.Sequential:
    """Feature map (b, channels, h, w) of any size -> (b, classes): the average over the picture, then one linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes))


class OverTime(nn.Module):
    """Features of every step -> features of the whole: their average or the last, over the real steps alone.

    x (b, t, f), mask (b, t) True where the step is real -> (b, f)
    """

    def __init__(self, pool: str) -> None:
        super().__init__()
        one_of("pool", pool, ("mean", "last"))
        self.pool = pool

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return x.mean(1) if self.pool == "mean" else x[:, -1]  # (b, f)
        weight = mask.to(x.dtype)  # (b, t)
        if self.pool == "last":
            seen = weight.cumsum(1)  # (b, t) real steps up to here; the last real step is the one that completes them
            weight = weight * (seen == seen[:, -1:]).to(x.dtype)
        return (x * weight[..., None]).sum(1) / weight.sum(1, keepdim=True).clamp(min=1)  # (b, f)


def at_least(least: float, **options: float) -> None:
    """ModelError unless every option is at least so large."""
    for option, value in options.items():
        if value < least:
            raise ModelError(f"{option} must be at least {least:g}, not {value:g}")


def one_of(option: str, value: object, known: tuple[object, ...]) -> None:
    """ModelError unless the option has one of the known values."""
    if value not in known:
        raise ModelError(f"{option} must be one of {', '.join(map(str, known))}, not {value}")
