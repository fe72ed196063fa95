"""Batch norm over the whole batch where several processes share it: each has seen a part, all must reckon with the same mean."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _BatchNorm

KINDS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class SharedNorm(_BatchNorm):
    """A batch norm whose mean and variance are those of all processes' examples. Same weights, same names, on CPU and GPU.

    PyTorch's own SyncBatchNorm (after Ioffe and Szegedy 2015, section 3) wants a GPU; this one says the same on both.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"a batch norm wants inputs (b, channels, …), not {tuple(input.shape)}")

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, …) -> the same, normalised over all processes while training."""
        if not (self.training and distributed.is_initialized() and distributed.get_world_size() > 1):
            return super().forward(x)
        self._check_input_dim(x)
        rest = [0, *range(2, x.dim())]
        spread, mean = torch.var_mean(x.float(), dim=rest, correction=0)  # of this process's part, (channels,)
        many = torch.full_like(mean, x.numel() / x.shape[1], dtype=torch.float64)
        # In float64, or the small difference of two large numbers would be lost.
        told = torch.stack([many, many * mean.double(), many * (spread.double() + mean.double() ** 2)])
        total, first, second = cast(Tensor, all_reduce(told))  # type: ignore[no-untyped-call]
        whole = first / total
        variance = (second / total - whole**2).clamp(min=0)
        self._remember(whole.detach(), variance.detach() * total / (total - 1).clamp(min=1))
        gain = torch.rsqrt(variance + self.eps).float()
        shape = (1, -1, *([1] * (x.dim() - 2)))
        made = (x.float() - whole.float().view(shape)) * gain.view(shape)
        if self.affine:
            made = made * self.weight.view(shape) + self.bias.view(shape)
        result: Tensor = made.to(x.dtype)
        return result

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if not self.track_running_stats or self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


def share_norms(model: nn.Module) -> nn.Module:
    """`model` with every batch norm made a `SharedNorm` in place; weights, buffers and their names stay the same."""
    for module in model.modules():
        if type(module) in KINDS:
            # The parameters stay the same objects: optimiser, average and checkpoints go on with them.
            cast(Any, module).__class__ = SharedNorm
    return model


__all__ = ["SharedNorm", "share_norms"]
