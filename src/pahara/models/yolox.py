"""YOLOX: a one-stage detector whose every grid cell says "here is the middle of such a thing, so wide and so tall"."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .parts import at_least

STRIDES = (8, 16, 32)  # pixels of the input between two cells of each of the three grids
PRIOR = 0.01  # what a fresh model believes: one cell in a hundred holds something


class BaseConv(nn.Module):
    """Convolution, batch norm, SiLU: (b, inputs, h, w) -> (b, outputs, h/stride, w/stride)."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(self.bn(self.conv(x)))


class DWConv(nn.Module):
    """The same in two cheap steps: each channel over the place alone, then each place over the channels."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.dconv = BaseConv(inputs, inputs, size, stride, groups=inputs)
        self.pconv = BaseConv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.pconv(self.dconv(x)))


def conv(inputs: int, outputs: int, size: int, stride: int, depthwise: bool) -> nn.Module:
    """A dense convolution, or the cheap one."""
    return (DWConv if depthwise else BaseConv)(inputs, outputs, size, stride)


class Bottleneck(nn.Module):
    """Look at the neighbours, and keep what came in where `shortcut`."""

    def __init__(self, channels: int, shortcut: bool, depthwise: bool) -> None:
        super().__init__()
        self.conv1 = BaseConv(channels, channels, 1)
        self.conv2 = conv(channels, channels, 3, 1, depthwise)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv2(self.conv1(x))
        return x + y if self.shortcut else y


class CSPLayer(nn.Module):
    """Half of the channels go through `n` bottlenecks, half go past them (cross stage partial)."""

    def __init__(self, inputs: int, outputs: int, n: int, shortcut: bool, depthwise: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.conv1 = BaseConv(inputs, half, 1)
        self.conv2 = BaseConv(inputs, half, 1)
        self.conv3 = BaseConv(2 * half, outputs, 1)
        self.m = nn.Sequential(*(Bottleneck(half, shortcut, depthwise) for _ in range(n)))

    def forward(self, x: Tensor) -> Tensor:
        through, past = self.conv1(x), self.conv2(x)
        return cast(Tensor, self.conv3(torch.cat([self.m(through), past], dim=1)))


class SPPBottleneck(nn.Module):
    """The largest value of ever wider surroundings, side by side: a cell then knows what is around it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = BaseConv(channels, channels // 2, 1)
        self.m = nn.ModuleList(nn.MaxPool2d(size, stride=1, padding=size // 2) for size in (5, 9, 13))
        self.conv2 = BaseConv(channels // 2 * 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        return cast(Tensor, self.conv2(torch.cat([x, *(pool(x) for pool in self.m)], dim=1)))


class Focus(nn.Module):
    """Every 2 x 2 block of pixels becomes one place with four times the channels: (b, 3, h, w) -> (b, 12, h/2, w/2) -> (b, outputs, h/2, w/2)."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.conv = BaseConv(12, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        left, right = x[..., ::2], x[..., 1::2]
        return cast(Tensor, self.conv(torch.cat([left[..., ::2, :], left[..., 1::2, :], right[..., ::2, :], right[..., 1::2, :]], dim=1)))


class CSPDarknet(nn.Module):
    """(b, 3, h, w) -> features at strides 8, 16 and 32."""

    def __init__(self, base: int, n: int, depthwise: bool) -> None:
        super().__init__()
        self.stem = Focus(base)  # (b, base, h/2, w/2)
        self.dark2 = nn.Sequential(conv(base, 2 * base, 3, 2, depthwise), CSPLayer(2 * base, 2 * base, n, True, depthwise))  # h/4
        self.dark3 = nn.Sequential(conv(2 * base, 4 * base, 3, 2, depthwise), CSPLayer(4 * base, 4 * base, 3 * n, True, depthwise))  # h/8
        self.dark4 = nn.Sequential(conv(4 * base, 8 * base, 3, 2, depthwise), CSPLayer(8 * base, 8 * base, 3 * n, True, depthwise))  # h/16
        self.dark5 = nn.Sequential(  # (b, 16 base, h/32, w/32)
            conv(8 * base, 16 * base, 3, 2, depthwise), SPPBottleneck(16 * base), CSPLayer(16 * base, 16 * base, n, False, depthwise)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.dark3(self.dark2(self.stem(x)))
        middle = self.dark4(fine)
        return fine, middle, self.dark5(middle)


class PAFPN(nn.Module):
    """What the coarse grid understands goes up to the fine one, and what the fine one saw comes down again (path aggregation)."""

    def __init__(self, base: int, n: int, depthwise: bool) -> None:
        super().__init__()
        fine, middle, coarse = 4 * base, 8 * base, 16 * base
        self.backbone = CSPDarknet(base, n, depthwise)
        self.lateral_conv0 = BaseConv(coarse, middle, 1)
        self.C3_p4 = CSPLayer(2 * middle, middle, n, False, depthwise)
        self.reduce_conv1 = BaseConv(middle, fine, 1)
        self.C3_p3 = CSPLayer(2 * fine, fine, n, False, depthwise)
        self.bu_conv2 = conv(fine, fine, 3, 2, depthwise)
        self.C3_n3 = CSPLayer(2 * fine, middle, n, False, depthwise)
        self.bu_conv1 = conv(middle, middle, 3, 2, depthwise)
        self.C3_n4 = CSPLayer(2 * middle, coarse, n, False, depthwise)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen8, seen16, seen32 = self.backbone(x)
        up32 = self.lateral_conv0(seen32)  # (b, middle, h/32, w/32)
        up16 = self.C3_p4(torch.cat([functional.interpolate(up32, scale_factor=2.0), seen16], dim=1))
        up16 = self.reduce_conv1(up16)  # (b, fine, h/16, w/16)
        fine = self.C3_p3(torch.cat([functional.interpolate(up16, scale_factor=2.0), seen8], dim=1))  # (b, fine, h/8, w/8)
        middle = self.C3_n3(torch.cat([self.bu_conv2(fine), up16], dim=1))  # (b, middle, h/16, w/16)
        coarse = self.C3_n4(torch.cat([self.bu_conv1(middle), up32], dim=1))  # (b, coarse, h/32, w/32)
        return fine, middle, coarse


class Head(nn.Module):
    """Two branches, because "what is it" and "where are its edges" ask for different features (decoupled head)."""

    def __init__(self, base: int, classes: int, depthwise: bool) -> None:
        super().__init__()
        wide = 4 * base
        grids = range(len(STRIDES))
        self.stems = nn.ModuleList(BaseConv(inputs, wide, 1) for inputs in (4 * base, 8 * base, 16 * base))

        def branch() -> nn.Sequential:
            return nn.Sequential(conv(wide, wide, 3, 1, depthwise), conv(wide, wide, 3, 1, depthwise))

        self.cls_convs = nn.ModuleList(branch() for _ in grids)
        self.reg_convs = nn.ModuleList(branch() for _ in grids)
        self.cls_preds = nn.ModuleList(nn.Conv2d(wide, classes, 1) for _ in grids)
        self.reg_preds = nn.ModuleList(nn.Conv2d(wide, 4, 1) for _ in grids)
        self.obj_preds = nn.ModuleList(nn.Conv2d(wide, 1, 1) for _ in grids)
        for layer in (*self.cls_preds, *self.obj_preds):
            nn.init.constant_(cast(Tensor, layer.bias), -torch.log(torch.tensor((1 - PRIOR) / PRIOR)).item())

    def forward(self, features: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        grids = []
        for k, x in enumerate(features):
            x = self.stems[k](x)
            what = self.cls_preds[k](self.cls_convs[k](x))  # (b, classes, h, w)
            edges = self.reg_convs[k](x)
            grids.append(torch.cat([self.reg_preds[k](edges), self.obj_preds[k](edges), what], dim=1).flatten(2))  # (b, 5 + classes, h·w)
        return torch.cat(grids, dim=2).transpose(1, 2)  # (b, cells, 5 + classes)


class YOLOX(nn.Module):
    """Pictures (b, 3, h, w), BGR 0..255, sides multiples of 32 -> (b, cells, 5 + classes), grid by grid and row by row.

    A row is x, y (offset of the middle from the cell's corner, in strides), log width, log height (in strides), and the
    *logits* of objectness and of each class: `deployed()` makes the model whose scores have gone through the sigmoid, and
    `decode` turns rows into boxes. `depth` multiplies the layers of a stage, `width` the channels.
    Ge, Liu, Wang, Li and Sun 2021, "YOLOX: Exceeding YOLO Series in 2021", arxiv.org/abs/2107.08430. The layers have the
    names of the official code, so the official state dicts load (`yolox_weights.load_official`).
    Parameters with 80 classes: nano 0.91 M, tiny 5.06 M, s 8.97 M.
    """

    def __init__(self, classes: int, depth: float = 0.33, width: float = 0.25, depthwise: bool = True) -> None:
        super().__init__()
        at_least(1, classes=classes)
        at_least(0.05, depth=depth, width=width)
        base, n = int(64 * width), max(round(3 * depth), 1)
        self.backbone = PAFPN(base, n, depthwise)
        self.head = Head(base, classes, depthwise)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.backbone(x)))

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return cast(nn.Conv2d, self.head.cls_preds[0]).out_channels

    def replace_head(self, classes: int, like: tuple[tuple[int, ...], ...] = ()) -> None:
        """Other classes; everything but the last class layers stays as it was taught.

        `like[k]` are old classes of which new class k is a kind: its weights start as their mean, so that a model that
        knows backpacks and suitcases knows bags at once. Without `like` they start afresh.
        """
        at_least(1, classes=classes)
        for k, layer in enumerate(self.head.cls_preds):
            old = cast(nn.Conv2d, layer)
            new = nn.Conv2d(old.in_channels, classes, 1).to(old.weight)
            nn.init.constant_(cast(Tensor, new.bias), -torch.log(torch.tensor((1 - PRIOR) / PRIOR)).item())
            with torch.no_grad():
                for row, kin in enumerate(like):
                    if kin:
                        new.weight[row] = old.weight[list(kin)].mean(0)
                        cast(Tensor, new.bias)[row] = cast(Tensor, old.bias)[list(kin)].mean()
            self.head.cls_preds[k] = new

    def layer_groups(self) -> list[nn.Module]:
        """The layers from input to output, the head last: freeze the first ones, or give them smaller steps."""
        inner = self.backbone.backbone
        neck = [m for name, m in self.backbone.named_children() if name != "backbone"]
        return [inner.stem, inner.dark2, inner.dark3, inner.dark4, inner.dark5, nn.ModuleList(neck), self.head]

    def deployed(self) -> Deployed:
        """The same model as it is exported: scores between 0 and 1, boxes before the grid is added."""
        return Deployed(self)


class Deployed(nn.Module):
    """(b, 3, h, w) -> (b, cells, 5 + classes) as official YOLOX exports give it: x, y, log w, log h, objectness, classes in 0..1."""

    def __init__(self, model: YOLOX) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        rows = self.model(x)
        return torch.cat([rows[..., :4], rows[..., 4:].sigmoid()], dim=-1)


def cells(size: tuple[int, int], device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Input (width, height) -> (cells, 2) x, y of each cell's corner in pixels, (cells, 1) its stride."""
    corners, strides = [], []
    for stride in STRIDES:
        wide, tall = size[0] // stride, size[1] // stride
        y, x = torch.meshgrid(torch.arange(tall, device=device), torch.arange(wide, device=device), indexing="ij")
        corners.append(torch.stack([x.flatten(), y.flatten()], dim=1) * float(stride))
        strides.append(torch.full((wide * tall, 1), float(stride), device=device))
    return torch.cat(corners), torch.cat(strides)


def decode(rows: Tensor, corners: Tensor, strides: Tensor) -> Tensor:
    """(…, cells, 4 or more) raw rows -> (…, cells, 4) boxes x1 y1 x2 y2 in input pixels."""
    middle = rows[..., :2] * strides + corners
    half = rows[..., 2:4].clamp(max=20).exp() * (strides / 2)
    return torch.cat([middle - half, middle + half], dim=-1)
