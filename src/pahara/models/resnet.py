"""ResNet: every block learns what to add to its input, so that even deep networks train."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from .parts import Classifier, at_least, one_of, pooled_head

BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}  # depth -> blocks a stage


class Block(nn.Module):
    """(b, channels, h, w) -> (b, width, h/stride, w/stride): input + two convolutions of it."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        # Where the shape changes, the input is projected to the new one; elsewhere it passes untouched.
        self.shortcut = nn.Sequential()
        if stride > 1 or channels != width:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        y = relu(self.norm1(self.conv1(x)))  # (b, width, h/stride, w/stride)
        y = self.norm2(self.conv2(y))
        return relu(y + self.shortcut(x))


def stage(channels: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    """(b, channels, h, w) -> (b, width, h/stride, w/stride)"""
    return nn.Sequential(Block(channels, width, stride), *(Block(width, width) for _ in range(blocks - 1)))


class ResNet(Classifier):
    """Pictures (b, channels, h, w) of any size -> (b, classes).

    `stem="large"` divides the picture by 4 before the first block (for 128 pixels and more), "small" keeps its size (32 x 32).
    He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", arxiv.org/abs/1512.03385.
    Parameters: 11,181,642 (resnet18), 21,289,802 (resnet34), each with classes 10.
    """

    def __init__(
        self, classes: int, depth: int = 18, channels: int = 3, width: int = 64, stem: str = "large", dropout: float = 0.0
    ) -> None:
        super().__init__()
        one_of("depth", depth, tuple(BLOCKS))
        one_of("stem", stem, ("large", "small"))
        at_least(1, classes=classes, channels=channels, width=width)
        if stem == "large":
            first = [
                nn.Conv2d(channels, width, 7, 2, padding=3, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(3, 2, padding=1),
            ]
        else:
            first = [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        n1, n2, n3, n4 = BLOCKS[depth]
        self.features = nn.Sequential(
            nn.Sequential(*first),  # (b, width, h/4, w/4); with the small stem h and w stay, and so on down
            stage(width, width, n1, stride=1),  # (b, width, h/4, w/4)
            stage(width, 2 * width, n2, stride=2),  # (b, 2·width, h/8, w/8)
            stage(2 * width, 4 * width, n3, stride=2),  # (b, 4·width, h/16, w/16)
            stage(4 * width, 8 * width, n4, stride=2),  # (b, 8·width, h/32, w/32)
        )
        self.head = pooled_head(8 * width, classes, dropout)  # (b, classes)
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
