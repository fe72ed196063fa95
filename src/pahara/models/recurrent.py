"""LSTM and GRU: a memory is updated step by step, and gates decide what to keep."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from .parts import at_least, one_of
from .windows import WindowClassifier, step_inputs


class Layer(nn.Module):
    """(b, t, before) -> (b, t, after). It looks back only."""

    def __init__(self, cell: str, before: int, after: int, dropout: float) -> None:
        super().__init__()
        self.cell = (nn.LSTM if cell == "lstm" else nn.GRU)(before, after, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dropout(self.cell(x)[0])  # the state after every step
        return out


class Recurrent(WindowClassifier):
    """Windows (b, t, k, c) or (b, t, f), of two persons (b, 2, t, …) -> (b, classes).

    LSTM: Hochreiter and Schmidhuber 1997, "Long short-term memory". GRU: Cho et al. 2014, arxiv.org/abs/1406.1078.
    Parameters: 63,362 (lstm), 47,554 (gru), each with classes 2, inputs 51 (17 joints of x, y, confidence), width 64, 2 layers.
    """

    def __init__(
        self,
        classes: int,
        inputs: int,
        persons: int = 1,
        cell: str = "lstm",
        width: int = 64,
        layers: int = 2,
        pool: str = "mean",
        dropout: float = 0.1,
    ) -> None:
        one_of("cell", cell, ("lstm", "gru"))
        at_least(1, width=width, layers=layers)
        widths = (step_inputs(inputs, persons), *[width] * layers)
        stages = [Layer(cell, before, after, dropout) for before, after in pairwise(widths)]
        super().__init__(stages, width, classes=classes, inputs=inputs, persons=persons, pool=pool, dropout=dropout)
