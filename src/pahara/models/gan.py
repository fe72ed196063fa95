"""DCGAN: one network paints pictures from noise, another tells them from real ones, and both learn from it."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from pahara.core.errors import ModelError

from .parts import at_least

SIZES = (8, 16, 32, 64, 128)


class Generator(nn.Module):
    """Noise (b, noise), usually normal -> pictures (b, channels, size, size) in -1..1.

    Radford, Metz and Chintala 2016, "Unsupervised representation learning with deep convolutional generative adversarial
    networks", arxiv.org/abs/1511.06434.
    Parameters: 921,475 (size 32, noise 64, channels 3, width 64).
    """

    def __init__(self, size: int = 32, channels: int = 3, noise: int = 64, width: int = 64) -> None:
        super().__init__()
        at_least(1, channels=channels, noise=noise, width=width)
        doublings = _doublings(size)
        widths = [width * 2**i for i in reversed(range(doublings))]  # 256, 128, 64 for 32 pixels
        layers: list[nn.Module] = [nn.ConvTranspose2d(noise, widths[0], 4, bias=False)]  # (b, 256, 4, 4)
        for i, before in enumerate(widths):
            layers += [nn.BatchNorm2d(before), nn.ReLU()]
            last = i == len(widths) - 1
            layers.append(nn.ConvTranspose2d(before, channels if last else widths[i + 1], 4, stride=2, padding=1, bias=last))
        self.layers = nn.Sequential(*layers, nn.Tanh())  # doubled each time: (b, channels, size, size)
        self.noise = noise
        _start(self)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layers(x[:, :, None, None]))  # (b, noise, 1, 1) -> (b, channels, size, size)

    def layer_groups(self) -> list[nn.Module]:
        """The layers from noise to picture. Every parameter is in exactly one group."""
        return [layer for layer in self.layers if any(True for _ in layer.parameters())]


class Discriminator(nn.Module):
    """Pictures (b, channels, size, size) in -1..1 -> how real they look, one score (logit) each: (b,).

    Parameters: 663,361 (size 32, channels 3, width 64).
    """

    def __init__(self, size: int = 32, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        at_least(1, channels=channels, width=width)
        layers: list[nn.Module] = []
        before = channels
        for i in range(_doublings(size)):  # halved each time: (b, 64, 16, 16), (b, 128, 8, 8), (b, 256, 4, 4) for 32 pixels
            after = width * 2**i
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=i == 0))
            if i > 0:  # the paper: no batch norm next to the pixels
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(0.2))
            before = after
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 4))  # (b, 1, 1, 1)
        _start(self)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layers(x)).flatten()  # (b,)

    def layer_groups(self) -> list[nn.Module]:
        """The layers from picture to score. Every parameter is in exactly one group."""
        return [layer for layer in self.layers if any(True for _ in layer.parameters())]


def _doublings(size: int) -> int:
    if size not in SIZES:
        raise ModelError(f"size must be one of {', '.join(map(str, SIZES))} pixels, not {size}")
    return SIZES.index(size) + 1  # from the 4 x 4 at which both networks meet


def _start(model: nn.Module) -> None:
    """The paper's first weights: small and random; larger ones let one network win at once."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
