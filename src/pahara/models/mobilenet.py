"""MobileNetV2: a convolution split in two, one per channel over the place and one per pixel over the channels."""

from __future__ import annotations

from torch import Tensor, nn

from .parts import Classifier, at_least, one_of, pooled_head

# How much a stage widens inside, channels that leave it, blocks, stride of its first block (table 2 of the paper).
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def conv(channels: int, width: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """(b, channels, h, w) -> (b, width, h/stride, w/stride)"""
    return nn.Sequential(
        nn.Conv2d(channels, width, size, stride, padding=size // 2, groups=groups, bias=False), nn.BatchNorm2d(width), nn.ReLU6()
    )


class Inverted(nn.Module):
    """An inverted residual: widen, look at the neighbours in each channel alone, and narrow again without activation."""

    def __init__(self, channels: int, width: int, widen: int, stride: int) -> None:
        super().__init__()
        inside = widen * channels
        self.adds = stride == 1 and channels == width
        self.layers = nn.Sequential(
            *([conv(channels, inside, 1)] if widen > 1 else []),  # (b, inside, h, w)
            conv(inside, inside, 3, stride, groups=inside),  # depthwise: (b, inside, h/stride, w/stride)
            nn.Conv2d(inside, width, 1, bias=False),  # pointwise: (b, width, h/stride, w/stride)
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.adds else y


class MobileNet(Classifier):
    """Pictures (b, channels, h, w) of any size -> (b, classes).

    `width` multiplies the channels of every layer (0.35, 0.5, 0.75, 1.0, 1.4 in the paper). `stem="large"` divides the picture by
    32 in all (for 128 pixels and more), "small" by 8 (for 32 x 32).
    Sandler, Howard, Zhu, Zhmoginov and Chen 2018, "MobileNetV2: inverted residuals and linear bottlenecks", arxiv.org/abs/1801.04381.
    Parameters: 2,236,682 (classes 10, width 1.0).
    """

    def __init__(self, classes: int, width: float = 1.0, channels: int = 3, stem: str = "large", dropout: float = 0.2) -> None:
        super().__init__()
        one_of("stem", stem, ("large", "small"))
        at_least(1, classes=classes, channels=channels)
        at_least(0.05, width=width)
        shrink = 2 if stem == "large" else 1
        before, last = eights(32 * width), eights(1280 * max(1.0, width))
        stages: list[nn.Module] = [conv(channels, before, 3, shrink)]  # (b, 32, h/2, w/2), times `width`
        for place, (widen, after, blocks, first) in enumerate(STAGES):
            after = eights(after * width)
            strides = [min(first, shrink) if place == 1 else first, *[1] * (blocks - 1)]
            inputs = [before, *[after] * (blocks - 1)]
            stages.append(nn.Sequential(*(Inverted(c, after, widen, s) for c, s in zip(inputs, strides, strict=True))))
            before = after
        stages.append(conv(before, last, 1))  # (b, 1280, h/32, w/32)
        self.features = nn.Sequential(*stages)
        self.head = pooled_head(last, classes, dropout)  # (b, classes)
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")


def eights(channels: float) -> int:
    """The nearest multiple of 8 (fast on most chips), never more than a tenth below.

    >>> eights(16 * 0.35), eights(24 * 0.5), eights(32)
    (8, 16, 32)
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
