"""For every registered model: small options, inputs of several shapes, and what it should give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pahara.models import build

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """`gives` is the shape of the output for each input shape; `free` names the axes that may change after export."""

    name: str
    options: Mapping[str, Any]
    gives: Mapping[Shape, Shape]
    free: tuple[int, ...] = (0,)
    full: Mapping[str, Any] = field(default_factory=dict)  # options of the size that the docstring tells
    label: str = ""

    @property
    def id(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name

    def build(self, seed: int = 0) -> nn.Module:
        torch.manual_seed(seed)
        return build(self.name, **self.options)

    def input(self, shape: Shape | None = None, seed: int = 0) -> Tensor:
        return torch.randn(shape or next(iter(self.gives)), generator=torch.Generator().manual_seed(seed))


def pictures(name: str, options: Mapping[str, Any], *, label: str = "", **full: Any) -> Case:
    gives = {(4, 3, 32, 32): (4, 3), (1, 3, 32, 32): (1, 3), (2, 3, 45, 70): (2, 3), (3, 3, 8, 8): (3, 3)}
    return Case(name, {"classes": 3, **options}, gives, full={"classes": 10, **full}, label=label)


def windows(name: str, options: Mapping[str, Any], *, persons: int = 1) -> Case:
    pair = (2,) if persons == 2 else ()
    gives = {(4, *pair, 12, 5, 3): (4, 3), (1, *pair, 12, 5, 3): (1, 3), (2, *pair, 1, 5, 3): (2, 3), (3, *pair, 40, 15): (3, 3)}
    own = {"classes": 3, "inputs": 15, "persons": persons, **options}
    return Case(name, own, gives, (0, persons), full={"classes": 2, "inputs": 51}, label="pair" if persons == 2 else "")


def boxes(name: str, options: Mapping[str, Any]) -> Case:
    gives = {(2, 3, 64, 64): (2, 84, 7), (1, 3, 64, 64): (1, 84, 7), (1, 3, 96, 32): (1, 63, 7)}  # 5 numbers and 2 classes a cell
    return Case(name, {"classes": 2, **options}, gives, full={"classes": 80})


CASES = (
    Case("mlp", {"classes": 3, "inputs": 20, "hidden": [16, 8]}, {(4, 20): (4, 3), (1, 20): (1, 3), (3, 4, 5): (3, 3)},
         full={"classes": 10, "inputs": 784}),
    pictures("tinyvgg", {"width": 8}),
    pictures("vgg11", {"width": 4}),
    pictures("vgg16", {"width": 4}),
    pictures("resnet18", {"width": 8}),
    pictures("resnet18", {"width": 8, "stem": "small"}, label="small-stem"),
    pictures("resnet34", {"width": 4}),
    pictures("mobilenet", {"width": 0.1}),
    pictures("mobilenet", {"width": 0.1, "stem": "small"}, label="small-stem"),
    pictures("transformer-image", {"width": 32, "layers": 2}),
    boxes("yolox-nano", {}),
    boxes("yolox-tiny", {}),
    boxes("yolox-s", {}),
    boxes("yolox", {"depth": 0.33, "width": 0.125, "depthwise": False}),
    Case("cnn-lstm", {"classes": 3, "width": 4, "memory": 16},
         {(3, 5, 3, 32, 32): (3, 3), (1, 5, 3, 32, 32): (1, 3), (2, 1, 3, 20, 36): (2, 3), (2, 9, 3, 16, 16): (2, 3)}, (0, 1),
         full={"classes": 2}),
    Case("cnn-lstm", {"classes": 3, "width": 4, "memory": 16, "motion": False, "pool": "last"},
         {(3, 5, 3, 32, 32): (3, 3), (1, 4, 3, 32, 32): (1, 3)}, (0, 1), full={"classes": 2}, label="still"),
    windows("lstm", {"width": 16}),
    windows("lstm", {"width": 16, "pool": "last"}, persons=2),
    windows("gru", {"width": 16}),
    windows("gru", {"width": 16}, persons=2),
    windows("tcn", {"width": 16, "layers": 3}),
    windows("tcn", {"width": 16, "layers": 3, "pool": "last"}, persons=2),
    windows("transformer-sequence", {"width": 16, "layers": 2}),
    windows("transformer-sequence", {"width": 16, "layers": 2}, persons=2),
    Case("autoencoder", {"width": 4, "latent": 8}, {shape: shape for shape in ((4, 3, 32, 32), (1, 3, 32, 32), (2, 3, 45, 70))}),
    Case("sequence-autoencoder", {"inputs": 15, "width": 24, "latent": 8},
         {shape: shape for shape in ((4, 12, 5, 3), (1, 12, 5, 3), (2, 1, 5, 3), (3, 40, 15))}, (0, 1), full={"inputs": 51}),
    Case("dcgan-generator", {"size": 16, "width": 8, "noise": 12}, {(4, 12): (4, 3, 16, 16), (1, 12): (1, 3, 16, 16)}),
    Case("dcgan-generator", {"size": 8, "width": 8, "noise": 12, "channels": 1}, {(4, 12): (4, 1, 8, 8)}, label="digits"),
    Case("dcgan-discriminator", {"size": 16, "width": 8}, {(4, 3, 16, 16): (4,), (1, 3, 16, 16): (1,)}),
)  # fmt: skip
