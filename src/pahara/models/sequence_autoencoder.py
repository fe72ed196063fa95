"""A sequence autoencoder: a window is squeezed into a few numbers and told again step by step."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from pahara.core.errors import ModelError

from .parts import OverTime, at_least


class SequenceAutoencoder(nn.Module):
    """Windows (b, t, k, c) or (b, t, f) with f = k·c = `inputs` -> the same shape, as well as `latent` numbers can tell it.

    Taught on normal windows alone; a large error means unusual movement. mask (b, t): True where a step is real; real steps
    come first.
    Malhotra et al. 2016, "LSTM-based encoder-decoder for multi-sensor anomaly detection", arxiv.org/abs/1607.00148; here the
    decoder is told the latent numbers at every step.
    Parameters: 55,299 (inputs 51, width 64, latent 16).
    """

    def __init__(self, inputs: int, width: int = 64, latent: int = 16) -> None:
        super().__init__()
        at_least(1, inputs=inputs, width=width, latent=latent)
        self.inputs = inputs
        self.encoder = nn.LSTM(inputs, width, batch_first=True)
        self.at_end = OverTime("last")
        self.squeeze = nn.Linear(width, latent)
        self.decoder = nn.LSTM(latent, width, batch_first=True)
        self.tell = nn.Linear(width, inputs)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        flat = x.flatten(2)  # (b, t, f)
        if flat.shape[2] != self.inputs:
            raise ModelError(f"this model takes windows (b, t, …) of {self.inputs} numbers a step, not {tuple(x.shape)}")
        told = self.encode(flat, mask)[:, None].expand(-1, flat.shape[1], -1)  # (b, t, latent): the same at every step
        copy = cast(Tensor, self.tell(self.decoder(told)[0]))  # (b, t, f)
        return copy.view(x.shape)

    def encode(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(b, t, …) -> (b, latent)"""
        return cast(Tensor, self.squeeze(self.at_end(self.encoder(x.flatten(2))[0], mask)))

    def errors(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """How wrong each step was told: its mean squared difference (b, t), 0 where the step is padding."""
        wrong = (self.forward(x, mask) - x).flatten(2).square().mean(2)
        return wrong if mask is None else wrong * mask.to(wrong.dtype)

    def layer_groups(self) -> list[nn.Module]:
        """The layers from input to output. Every parameter is in exactly one group."""
        return [self.encoder, self.squeeze, self.decoder, self.tell]
