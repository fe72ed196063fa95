"""A multilayer perceptron: every number of the input is connected to every neuron."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from .parts import Classifier, at_least


class MLP(Classifier):
    """(b, …) with `inputs` numbers each -> (b, classes).

    Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors".
    Parameters: 55,050 for 28 x 28 digits (classes 10, inputs 784, hidden 64 and 64).
    """

    def __init__(self, classes: int, inputs: int, hidden: tuple[int, ...] = (64, 64), dropout: float = 0.0) -> None:
        super().__init__()
        at_least(1, classes=classes, inputs=inputs, **{f"hidden[{i}]": units for i, units in enumerate(hidden)})
        widths = (inputs, *hidden)
        layers = (nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)) for before, after in pairwise(widths))
        self.features = nn.Sequential(nn.Flatten(), *layers)  # (b, inputs) -> (b, hidden[-1])
        self.head = nn.Sequential(nn.Linear(widths[-1], classes))  # (b, classes)
