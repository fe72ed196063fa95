"""A transformer encoder: every token looks at every other one. One front for pictures, one for windows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from pahara.core.errors import ModelError

from .parts import Classifier, at_least, pooled_head
from .windows import WindowClassifier, step_inputs


class Block(nn.Module):
    """Tokens (b, …, width) in a row (b, t, width) or a grid (b, rows, columns, width) -> the same shape.

    mask (b, tokens): True where a token is real; the others are not looked at.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width, bias=False)  # queries, keys and values at once
        self.mix = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.dropout(self.attend(self.norm1(x), mask))
        out: Tensor = x + self.dropout(self.think(self.norm2(x)))
        return out

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """softmax(q kᵀ / √d) v, for each head"""
        tokens = self.ask(x).flatten(1, -2)  # (b, n, 3·width)
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in tokens.chunk(3, 2))  # (b, heads, n, width/heads)
        real = None if mask is None else mask[:, None, None]  # (b, 1, 1, n): the same for each head and query
        y = scaled_dot_product_attention(q, k, v, attn_mask=real)  # (b, heads, n, width/heads)
        mixed: Tensor = self.mix(y.transpose(1, 2).flatten(2).view(x.shape))
        return mixed


class Patches(nn.Module):
    """(b, channels, h, w) -> one token for each patch, with its place (b, h/patch, w/patch, width)."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[-2:]
        whole = pad(x, (0, -w % self.patch, 0, -h % self.patch))  # zeros at the right and below, where the last patch is cut off
        tokens: Tensor = self.embed(whole).permute(0, 2, 3, 1)  # (b, rows, columns, width)
        rows, columns, width = tokens.shape[1:]
        down = waves(rows, width // 2, tokens)[:, None].expand(-1, columns, -1)  # (rows, columns, width/2)
        right = waves(columns, width // 2, tokens)[None].expand(rows, -1, -1)
        return tokens + torch.cat((down, right), 2)


class ToMap(nn.Module):
    """(b, rows, columns, width) -> (b, width, rows, columns), as a CNN would give it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x).permute(0, 3, 1, 2)
        return out


class ImageTransformer(Classifier):
    """Pictures (b, channels, h, w) of any size -> (b, classes).

    Dosovitskiy et al. 2021, "An image is worth 16x16 words", arxiv.org/abs/2010.11929; with fixed waves for places and the average
    of all tokens for the class token (Beyer, Zhai and Kolesnikov 2022, arxiv.org/abs/2205.01580).
    Parameters: 1,213,578 (classes 10, width 128, 6 layers, patch 8).
    """

    def __init__(
        self, classes: int, channels: int = 3, patch: int = 8, width: int = 128, layers: int = 6, heads: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        at_least(1, classes=classes, channels=channels, patch=patch, layers=layers)
        _divides(width, heads)
        blocks = (Block(width, heads, dropout) for _ in range(layers))
        self.features = nn.Sequential(Patches(channels, width, patch), *blocks, ToMap(width))  # (b, width, h/patch, w/patch)
        self.head = pooled_head(width, classes, dropout)  # (b, classes)


class Steps(nn.Module):
    """(b, t, f) -> one token for each step, with its time (b, t, width)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, width)

    def forward(self, x: Tensor) -> Tensor:
        tokens: Tensor = self.embed(x)
        return tokens + waves(tokens.shape[1], tokens.shape[2], tokens)  # (b, t, width)


class SequenceTransformer(WindowClassifier):
    """Windows (b, t, k, c) or (b, t, f), of two persons (b, 2, t, …) -> (b, classes). Every step sees the whole window.

    Vaswani et al. 2017, "Attention is all you need", arxiv.org/abs/1706.03762; the encoder alone, normalised before each part
    (Xiong et al. 2020, arxiv.org/abs/2002.04745).
    Parameters: 152,962 (classes 2, inputs 51, width 64, 3 layers).
    """

    def __init__(
        self,
        classes: int,
        inputs: int,
        persons: int = 1,
        width: int = 64,
        layers: int = 3,
        heads: int = 4,
        pool: str = "mean",
        dropout: float = 0.1,
    ) -> None:
        at_least(1, layers=layers)
        _divides(width, heads)
        blocks = (Block(width, heads, dropout) for _ in range(layers))
        stages = [Steps(step_inputs(inputs, persons), width), *blocks, nn.LayerNorm(width)]
        super().__init__(stages, width, classes=classes, inputs=inputs, persons=persons, pool=pool, dropout=dropout)

    def steps(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(b, t, f), mask (b, t) -> features of every step (b, t, width), which saw the real steps of the whole window."""
        for stage in self.stages:
            x = stage(x, mask) if isinstance(stage, Block) else stage(x)
        return x


def waves(length: int, width: int, like: Tensor) -> Tensor:
    """Where a token stands, as sines and cosines of `width` / 2 wavelengths from 2π to 20,000π tokens: (length, width)."""
    place = torch.arange(length, device=like.device, dtype=torch.float32)[:, None]  # (length, 1)
    speed = 1e4 ** -torch.arange(0, 1, 2 / width, device=like.device, dtype=torch.float32)[: width // 2]  # (width/2,)
    return torch.cat((torch.sin(place * speed), torch.cos(place * speed)), 1).to(like.dtype)  # (length, width)


def _divides(width: int, heads: int) -> None:
    at_least(1, heads=heads)
    if width < 4 or width % heads or width % 4:
        raise ModelError(f"width must be a multiple of 4 and of heads ({heads}), not {width}")
