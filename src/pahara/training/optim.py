"""Which weights learn, how fast, and when: optimiser, learning-rate schedule, layer groups, freezing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from .plan import Plan

NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


def layer_groups(model: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters in groups from the input to the output; together they are all of them.

    A model may say so itself with `layer_groups()`, a list of modules, or of lists of modules or parameters; otherwise
    its children are the groups. Parameters that no group names learn with the first one.
    """
    said: Iterable[Any] = model.layer_groups() if hasattr(model, "layer_groups") else model.children()  # type: ignore[operator]
    seen: set[int] = set()
    groups: list[list[nn.Parameter]] = []
    for group in said:
        found = [p for p in _parameters(group) if id(p) not in seen]
        seen.update(id(p) for p in found)
        if found:
            groups.append(found)
    rest = [p for p in model.parameters() if id(p) not in seen]
    if rest:
        groups = [[*rest, *groups[0]], *groups[1:]] if groups else [rest]
    return groups


def _parameters(group: Any) -> list[nn.Parameter]:
    if isinstance(group, nn.Parameter):
        return [group]
    if isinstance(group, nn.Module):
        return list(group.parameters())
    return [p for part in group for p in _parameters(part)]


def make_optimizer(model: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """AdamW, or SGD with Nesterov momentum. Each group keeps its share of the learning rate as `share`.

    The last layer group learns at the full rate, the one before it at `layer_decay` of that, and so on. Weight decay is for
    matrices and kernels only: a bias or a normalisation that is pulled to zero learns nothing better.
    """
    groups = layer_groups(model)
    settings = []
    for depth, group in enumerate(groups):
        share = plan.layer_decay ** (len(groups) - 1 - depth)
        for decay, parameters in (
            (plan.weight_decay, [p for p in group if p.ndim > 1]),
            (0.0, [p for p in group if p.ndim <= 1]),
        ):
            if parameters:
                settings.append({"params": parameters, "weight_decay": decay, "share": share, "lr": plan.lr * share})
    fused = plan.precision != "16"  # one kernel for all weights; the scaler of 16-bit floats needs to see the gradients first
    if plan.optimizer == "sgd":
        return torch.optim.SGD(settings, lr=plan.lr, momentum=plan.momentum, nesterov=plan.momentum > 0, fused=fused)
    return torch.optim.AdamW(settings, lr=plan.lr, fused=fused)


def lr_factor(step: int, plan: Plan, steps_per_epoch: int) -> float:
    """The learning rate of optimiser step `step` (from 0) as a share of `plan.lr`: up in a line, then down half a cosine."""
    total = plan.epochs * steps_per_epoch
    warm = min(round(plan.warm_up * steps_per_epoch), total // 5)
    if step < warm:
        return (step + 1) / (warm + 1)
    if plan.schedule == "constant":
        return 1.0
    way = (step - warm) / max(1, total - 1 - warm)  # 0 at the top, 1 at the last step
    return plan.final_lr + (1 - plan.final_lr) * 0.5 * (1 + math.cos(math.pi * min(1.0, way)))


def set_lr(optimizer: Any, lr: float) -> None:
    """Give every group its share of this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["share"]


class Freezer:
    """Keeps all layer groups but the last one as they are during the first epochs.

    Frozen normalisation layers also keep their running statistics. `quiet` says that gradients may be switched off
    (one process); with several, which agreed on a list of gradients at the start, they are dropped before the step.
    """

    def __init__(self, model: nn.Module, epochs: int, *, quiet: bool) -> None:
        self.model, self.epochs, self.quiet = model, epochs, quiet
        self.early = [p for group in layer_groups(model)[:-1] for p in group if p.requires_grad] if epochs else []
        self.frozen = False

    def begin(self, epoch: int) -> None:
        """Call after `model.train()`, at the start of an epoch."""
        self.frozen = epoch < self.epochs
        if self.quiet:
            for parameter in self.early:
                parameter.requires_grad_(not self.frozen)
        if self.frozen:
            early = {id(p) for p in self.early}
            for module in self.model.modules():
                if isinstance(module, NORMS) and any(id(p) in early for p in module.parameters(recurse=False)):
                    module.eval()

    def drop(self) -> None:
        """Call before the optimiser's step."""
        if self.frozen:
            for parameter in self.early:
                parameter.grad = None
