"""TinyVGG: a small convolutional network, two blocks of two convolutions each."""

from __future__ import annotations

from torch import nn

from .parts import Classifier, at_least, pooled_head


def block(channels: int, width: int) -> nn.Sequential:
    """(b, channels, h, w) -> (b, width, h/2, w/2)"""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),  # (b, width, h, w)
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (b, width, h/2, w/2)
    )


class TinyVGG(Classifier):
    """Pictures (b, channels, h, w), from 4 x 4 up -> (b, classes).

    After the CNN Explainer (Wang et al. 2020, poloclub.github.io/cnn-explainer), the averaging head excepted: there the last map
    is flattened, which ties the network to one picture size. The second block is twice as wide.
    Parameters: 66,218 (classes 10, channels 3, width 32).
    """

    def __init__(self, classes: int, channels: int = 3, width: int = 32, dropout: float = 0.0) -> None:
        super().__init__()
        at_least(1, classes=classes, channels=channels, width=width)
        self.features = nn.Sequential(block(channels, width), block(width, 2 * width))  # (b, 2·width, h/4, w/4)
        self.head = pooled_head(2 * width, classes, dropout)  # (b, classes)
