"""VGG: nothing but 3 x 3 convolutions, deeper and wider after every halving of the picture."""

from __future__ import annotations

from torch import nn

from .parts import Classifier, at_least, one_of, pooled_head

STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # depth -> convolutions a stage


def stage(channels: int, width: int, convolutions: int) -> nn.Sequential:
    """(b, channels, h, w) -> (b, width, h/2, w/2)"""
    layers: list[nn.Module] = []
    for before in (channels, *[width] * (convolutions - 1)):
        layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]  # (b, width, h, w)
    return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))  # rounding up: even 8 x 8 digits survive five halvings


class VGG(Classifier):
    """Pictures (b, channels, h, w) of any size -> (b, classes).

    Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", arxiv.org/abs/1409.1556;
    with batch norm, and the average over the picture in place of two layers of 4,096 (which were nine tenths of the parameters).
    Parameters: 9,228,362 (vgg11), 14,724,042 (vgg16), each with classes 10.
    """

    def __init__(self, classes: int, depth: int = 11, channels: int = 3, width: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        one_of("depth", depth, tuple(STAGES))
        at_least(1, classes=classes, channels=channels, width=width)
        widths = (channels, width, 2 * width, 4 * width, 8 * width, 8 * width)
        stages = (stage(before, after, n) for before, after, n in zip(widths, widths[1:], STAGES[depth], strict=False))
        self.features = nn.Sequential(*stages)  # (b, 8·width, h/32, w/32)
        self.head = pooled_head(8 * width, classes, dropout)  # (b, classes)
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
