"""TCN: convolutions over time that never see the future, each looking twice as far back as the one before."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import pad, relu

from .parts import at_least
from .windows import WindowClassifier, step_inputs


class CausalConv(nn.Module):
    """(b, t, before) -> (b, t, after): step i sees i, i - d, i - 2d … and itself through the shortcut."""

    def __init__(self, before: int, after: int, size: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.past = (size - 1) * dilation
        self.conv = nn.Conv1d(before, after, size, dilation=dilation)
        # Normalised within each step: batch norm would average over time, and so tell each step about later ones.
        self.norm = nn.LayerNorm(after)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = nn.Identity() if before == after else nn.Linear(before, after)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(pad(x.transpose(1, 2), (self.past, 0)))  # (b, after, t): padded on the side of the past alone
        out: Tensor = self.shortcut(x) + self.dropout(relu(self.norm(y.transpose(1, 2))))  # (b, t, after)
        return out


class TCN(WindowClassifier):
    """Windows (b, t, k, c) or (b, t, f), of two persons (b, 2, t, …) -> (b, classes).

    With 5 layers of size 3 the last step sees 63 steps: 6.3 s at 10 Hz.
    Bai, Kolter and Koltun 2018, "An empirical evaluation of generic convolutional and recurrent networks for sequence modeling",
    arxiv.org/abs/1803.01271; here with one convolution a layer, and layer norm for weight norm.
    Parameters: 63,362 (classes 2, inputs 51, width 64, 5 layers).
    """

    def __init__(
        self,
        classes: int,
        inputs: int,
        persons: int = 1,
        width: int = 64,
        layers: int = 5,
        size: int = 3,
        pool: str = "mean",
        dropout: float = 0.1,
    ) -> None:
        at_least(1, width=width, layers=layers)
        at_least(2, size=size)
        befores = (step_inputs(inputs, persons), *[width] * (layers - 1))
        stages = [CausalConv(before, width, size, 2**i, dropout) for i, before in enumerate(befores)]
        super().__init__(stages, width, classes=classes, inputs=inputs, persons=persons, pool=pool, dropout=dropout)
        self.sees = 1 + (size - 1) * (2**layers - 1)  # steps that the last one looks back on, itself included
