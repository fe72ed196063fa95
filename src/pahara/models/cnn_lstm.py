"""CNN + LSTM: a small CNN looks at each frame of a clip, an LSTM at what follows what."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from .parts import Headed, OverTime, at_least


def stage(channels: int, width: int) -> nn.Sequential:
    """(n, channels, h, w) -> (n, width, h/2, w/2)"""
    return nn.Sequential(nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


class CNNLSTM(Headed):
    """Clips (b, t, channels, h, w) of any length and size -> (b, classes).

    With `motion`, each frame comes with its difference from the frame before: fights are told by movement, and the network need
    not find it first. mask (b, t): True where a frame is real; real frames come first.
    Donahue et al. 2015, "Long-term recurrent convolutional networks", arxiv.org/abs/1411.4389; frame differences after Sudhakaran
    and Lanz 2017, "Learning to detect violent videos", arxiv.org/abs/1709.06531.
    Parameters: 147,906 (classes 2, channels 3, width 16, memory 64, motion).
    """

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        width: int = 16,
        memory: int = 64,
        motion: bool = True,
        pool: str = "mean",
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        at_least(1, classes=classes, channels=channels, width=width, memory=memory)
        self.motion = motion
        self.frames = nn.Sequential(
            stage(2 * channels if motion else channels, width),  # (b·t, 16, h/2, w/2)
            stage(width, 2 * width),  # (b·t, 32, h/4, w/4)
            stage(2 * width, 4 * width),  # (b·t, 64, h/8, w/8)
            stage(4 * width, 8 * width),  # (b·t, 128, h/16, w/16)
        )
        self.lstm = nn.LSTM(8 * width, memory, batch_first=True)
        self.over_time = OverTime(pool)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(memory, classes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return cast(Tensor, self.head(self.features(x, mask)))  # (b, classes)

    def features(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(b, t, channels, h, w) -> (b, memory)"""
        if self.motion:
            moved = torch.cat((torch.zeros_like(x[:, :1]), x[:, 1:] - x[:, :-1]), 1)  # (b, t, channels, h, w)
            x = torch.cat((x, moved), 2)  # (b, t, 2·channels, h, w)
        maps = self.frames(x.flatten(0, 1))  # (b·t, 128, h/16, w/16): a frame is looked at alone
        seen = maps.mean((2, 3)).view(x.shape[0], x.shape[1], -1)  # (b, t, 128)
        return cast(Tensor, self.over_time(self.lstm(seen)[0], mask))  # (b, memory)

    def layer_groups(self) -> list[nn.Module]:
        """The layers from input to output, the head last. Every parameter is in exactly one group."""
        return [*self.frames, self.lstm, self.head]
