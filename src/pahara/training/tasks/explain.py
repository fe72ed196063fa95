"""What a model looked at: Grad-CAM for convolutional networks, occlusion for any other, as a heat over the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.core import Image

FINEST = 4  # cells: a map coarser than this says nothing about where
AT_ONCE = 64  # pictures of one pass
Heat = NDArray[np.float32]


def what_it_looks_at(model: nn.Module, x: Tensor, classes: Tensor) -> tuple[Heat, str]:
    """Pictures (b, c, h, w) and the class asked about (b,) -> heat (b, h, w) in [0, 1], and how: "grad-cam" or "occlusion"."""
    stage = _map_stage(model, x[:1])
    if stage is None:
        return occlusion(model, x, classes), "occlusion"
    return grad_cam(model, stage, x, classes), "grad-cam"


def grad_cam(model: nn.Module, stage: nn.Module, x: Tensor, classes: Tensor) -> Heat:
    """The places of a feature map that speak for a class: its channels, weighted by the mean gradient of the class's score.

    Selvaraju et al. 2017, "Grad-CAM: visual explanations from deep networks via gradient-based localization", equations 1
    and 2. Pictures (b, c, h, w), classes (b,) -> (b, h, w) in [0, 1]; the model's own gradients stay as they were.
    """
    kept: list[Tensor] = []
    handle = stage.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    was_training = model.training
    model.eval()
    try:
        with torch.enable_grad():
            scores = model(x.detach().requires_grad_(True))
            (slope,) = torch.autograd.grad(scores.gather(1, classes[:, None]).sum(), kept[0])
    finally:
        handle.remove()
        model.train(was_training)
    weight = slope.mean((2, 3), keepdim=True)  # (b, channels, 1, 1)
    heat = (weight * kept[0].detach()).sum(1).clamp(min=0)  # (b, h', w')
    heat = nn.functional.interpolate(heat[:, None], x.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return _scaled(heat)


@torch.no_grad()
def occlusion(model: nn.Module, x: Tensor, classes: Tensor, *, cells: int = 8) -> Heat:
    """How much the class's probability falls when a square of the picture is grey; every square in turn, half overlapping.

    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2.
    """
    b, _, h, w = x.shape
    blank = x.mean((2, 3), keepdim=True)
    heat, times = x.new_zeros(b, h, w), x.new_zeros(h, w)
    base = _probability(model, x, classes)
    tall, wide = max(1, h // cells), max(1, w // cells)
    for top in range(0, h, max(1, tall // 2)):
        for left in range(0, w, max(1, wide // 2)):
            covered = x.clone()
            covered[:, :, top : top + tall, left : left + wide] = blank
            fall = (base - _probability(model, covered, classes)).clamp(min=0)  # (b,)
            heat[:, top : top + tall, left : left + wide] += fall[:, None, None]
            times[top : top + tall, left : left + wide] += 1
    return _scaled(heat / times.clamp(min=1))


@torch.no_grad()
def time_occlusion(probability: Callable[[Tensor], Tensor], x: Tensor, *, parts: int = 8) -> Heat:
    """Which moments of a window or clip matter: the fall of the probability when a part of the time stands still.

    `probability` maps (b, t, …) to that of the class asked about (b,); -> (b, t) in [0, 1].
    """
    b, t = x.shape[:2]
    base = probability(x)
    heat = x.new_zeros(b, t)
    step = max(1, -(-t // parts))
    for begin in range(0, t, step):
        frozen = x.clone()
        frozen[:, begin : begin + step] = x[:, max(0, begin - 1)][:, None]  # the moment before, held
        heat[:, begin : begin + step] = (base - probability(frozen)).clamp(min=0)[:, None]
    return _scaled(heat)


def overlay(picture: Image, heat: NDArray[Any], strength: float = 0.55) -> Image:
    """(h, w, 3) BGR and a heat of any size in [0, 1] -> the picture with warm places coloured."""
    tall, wide = picture.shape[:2]
    warm = np.clip(cv2.resize(heat.astype(np.float32), (wide, tall), interpolation=cv2.INTER_LINEAR), 0, 1)
    colours = cv2.applyColorMap((warm * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    share = (strength * warm**0.5)[..., None]
    mixed: Image = (picture * (1 - share) + colours * share).astype(np.uint8)
    return mixed


def _map_stage(model: nn.Module, x: Tensor) -> nn.Module | None:
    """The last stage of `features` that still gives a map (b, c, h, w) fine enough to point with; None when there is none."""
    stages = getattr(model, "features", None)
    if not isinstance(stages, nn.Sequential):
        return None
    seen: list[tuple[nn.Module, torch.Size]] = []
    handles = [
        stage.register_forward_hook(
            lambda module, _inputs, output: seen.append((module, output.shape)) if isinstance(output, Tensor) else None
        )
        for stage in stages
    ]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    maps = [(module, shape) for module, shape in seen if len(shape) == 4 and min(shape[2:]) >= FINEST]
    return maps[-1][0] if maps else None


def _probability(model: nn.Module, x: Tensor, classes: Tensor) -> Tensor:
    return torch.cat(
        [
            model(part).softmax(1).gather(1, each[:, None])[:, 0]
            for part, each in zip(torch.split(x, AT_ONCE), torch.split(classes, AT_ONCE), strict=True)
        ]
    )


def _scaled(heat: Tensor) -> Heat:
    """Every picture's heat from 0 to 1; nothing stays nothing."""
    top = heat.flatten(1).amax(1).clamp(min=1e-12)
    scaled: Heat = (heat / top.view(-1, *[1] * (heat.dim() - 1))).cpu().numpy().astype(np.float32)
    return scaled
