"""A convolutional autoencoder: a frame passes through a narrow place and is painted again."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from .parts import at_least


def down(before: int, after: int) -> nn.Sequential:
    """(b, before, h, w) -> (b, after, h/2, w/2), rounded up"""
    return nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def up(before: int, after: int) -> nn.Sequential:
    """(b, before, h, w) -> (b, after, 2h, 2w); enlarging and then convolving leaves no checkerboard (Odena et al. 2016)"""
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class Autoencoder(nn.Module):
    """Pictures (b, channels, h, w) in 0..1, of any size -> the same, as well as `latent` numbers per 16 x 16 pixels can tell.

    Taught on normal frames alone, it paints what it knows: where the copy differs, something is new. Several grey frames can be
    stacked as channels; then unusual movement differs too.
    Hasan et al. 2016, "Learning temporal regularity in video sequences", arxiv.org/abs/1604.04574.
    Parameters: 215,859 (channels 3, width 16, latent 16).
    """

    def __init__(self, channels: int = 3, width: int = 16, latent: int = 16) -> None:
        super().__init__()
        at_least(1, channels=channels, width=width, latent=latent)
        widths = (width, 2 * width, 4 * width, 8 * width)
        self.encoder = nn.Sequential(
            *(down(before, after) for before, after in pairwise((channels, *widths))),  # (b, 8·width, h/16, w/16)
            nn.Conv2d(widths[-1], latent, 1),  # (b, latent, h/16, w/16): the narrow place
        )
        self.decoder = nn.Sequential(
            *(up(before, after) for before, after in pairwise((latent, *widths[::-1]))),  # (b, width, h, w)
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Sigmoid(),  # (b, channels, h, w) in 0..1
        )

    def forward(self, x: Tensor) -> Tensor:
        copy = cast(Tensor, self.decoder(self.encoder(x)))
        return copy[..., : x.shape[-2], : x.shape[-1]]  # a size that 16 does not divide was rounded up on the way

    def errors(self, x: Tensor) -> Tensor:
        """Where the copy differs: the squared difference of every pixel (b, h, w)."""
        return (self.forward(x) - x).square().mean(1)

    def layer_groups(self) -> list[nn.Module]:
        """The layers from input to output. Every parameter is in exactly one group."""
        return [stage for half in (self.encoder, self.decoder) for stage in half if any(True for _ in stage.parameters())]
