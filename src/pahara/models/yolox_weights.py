"""Official YOLOX weights into our model: from a released state dict, or from a deployed ONNX file."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from pahara.core.errors import ModelError

from .yolox import YOLOX, BaseConv


def load_official(model: YOLOX, path: str | Path) -> YOLOX:
    """Fill `model` from a `.pth` of Megvii's release or from a YOLOX `.onnx`; -> the same model.

    ModelError when the file is of another size or kind, or has another number of classes. Load with the file's classes
    (80 for COCO) and call `replace_head` afterwards.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there is no weights file {path}")
    if path.suffix == ".onnx":
        return _from_onnx(model, path)
    try:
        told = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise ModelError(f"{path} is no PyTorch weights file ({str(error).splitlines()[0]})") from error
    state = told.get("model", told) if isinstance(told, dict) else {}
    try:
        model.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError) as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise ModelError(f"{path} does not fit this YOLOX ({first}); check its size (nano, tiny, s) and its number of classes") from error
    return model


def _from_onnx(model: YOLOX, path: Path) -> YOLOX:
    """Convolutions in the order in which they run; their batch norm is already inside them."""
    try:
        import onnx
        from onnx import numpy_helper
    except ModuleNotFoundError:
        raise ModelError("reading weights from an ONNX file needs the package onnx. Try `pip install 'pahara[train]'`") from None
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf's errors have no common class
        raise ModelError(f"{path} is no ONNX file ({error})") from error
    arrays = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:  # weights kept in half precision are widened on the way
        if node.op_type == "Cast" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]].astype("float32")
    found = [
        (torch.tensor(arrays[node.input[1]]), torch.tensor(arrays[node.input[2]]))
        for node in graph.node
        if node.op_type == "Conv" and len(node.input) == 3 and {*node.input[1:]} <= arrays.keys()
    ]
    wanted = _in_running_order(model)
    if len(found) != len(wanted):
        raise ModelError(f"{path} has {len(found)} convolutions, this YOLOX has {len(wanted)}; check its size (nano, tiny, s)")
    with torch.no_grad():
        for (name, layer), (weight, bias) in zip(wanted, found, strict=True):
            inner = layer.conv if isinstance(layer, BaseConv) else cast(nn.Conv2d, layer)
            if inner.weight.shape != weight.shape:
                raise ModelError(f"{path}: {name} has the shape {tuple(weight.shape)}, here it is {tuple(inner.weight.shape)}")
            inner.weight.copy_(weight)
            if isinstance(layer, BaseConv):
                _pass_through(layer.bn, bias)
            else:
                cast(Tensor, inner.bias).copy_(bias)
    return model


def _pass_through(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """A batch norm that only adds a bias."""
    cast(Tensor, norm.running_mean).zero_()
    cast(Tensor, norm.running_var).fill_(1 - norm.eps)
    norm.weight.fill_(1.0)
    norm.bias.copy_(bias)


def _in_running_order(model: YOLOX) -> list[tuple[str, nn.Module]]:
    """Every convolution with its name, in the order in which one picture passes them."""
    order: list[tuple[str, nn.Module]] = []
    hooks = []
    for name, module in model.named_modules():
        plain = isinstance(module, nn.Conv2d) and module.bias is not None
        if plain or isinstance(module, BaseConv):

            def note(inner: nn.Module, *_: Any, name: str = name) -> None:
                order.append((name, inner))

            hooks.append(module.register_forward_hook(note))
    was = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, 3, 64, 64, device=next(model.parameters()).device))
    finally:
        model.train(was)
        for hook in hooks:
            hook.remove()
    return order


@torch.no_grad()
def settle_norms(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Give batch norms real statistics without changing what the model answers.

    Weights from an ONNX file have their batch norm folded into the convolutions, so the norms know no mean and no
    variance; trained as they are, the first step would throw the model's knowledge away. This measures both on some
    pictures and rewrites kernels, scale and bias so that the output in `eval` mode stays the same.
    """
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def look(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double()
        told = [x.sum((0, 2, 3)), (x * x).sum((0, 2, 3)), torch.tensor(float(x.numel() / x.shape[1]))]
        before = sums.get(cast(nn.BatchNorm2d, norm))
        sums[cast(nn.BatchNorm2d, norm)] = told if before is None else [a + b for a, b in zip(before, told, strict=True)]

    hooks = [m.register_forward_pre_hook(look) for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    was = model.training
    model.eval()
    try:
        for batch in batches:
            model(batch)
    finally:
        model.train(was)
        for hook in hooks:
            hook.remove()
    for norm, (total, squares, count) in sums.items():
        mean = total / count
        spread = (squares / count - mean * mean).clamp(min=1e-6)
        gain = norm.weight.double() / torch.sqrt(cast(Tensor, norm.running_var).double() + norm.eps)
        norm.bias.copy_(norm.bias.double() - gain * cast(Tensor, norm.running_mean).double() + gain * mean)
        norm.weight.copy_(gain * torch.sqrt(spread + norm.eps))
        cast(Tensor, norm.running_mean).copy_(mean)
        cast(Tensor, norm.running_var).copy_(spread)
    for module in model.modules():
        if isinstance(module, BaseConv):
            _natural_scale(module)


def _natural_scale(layer: BaseConv) -> None:
    """Kernels as large as a fresh layer's, and a norm that makes up for it: the answer stays the same.

    Folding divides each kernel by the spread of what it sees; where pixels go from 0 to 255 it is left with thousandths, and
    a step of Adam, which is as long for a small weight as for a large one, would blow it away.
    """
    kernel, norm = layer.conv.weight, layer.bn
    size = kernel.flatten(1).double().square().mean(1).sqrt()  # (outputs,)
    scale = torch.where(size > 1e-12, kernel[0].numel() ** -0.5 / size.clamp(min=1e-12), torch.ones_like(size))
    mean, spread = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    wider = spread.double() * scale * scale
    gain = norm.weight.double() * torch.sqrt(wider + norm.eps) / (torch.sqrt(spread.double() + norm.eps) * scale)
    kernel.copy_(kernel * scale[:, None, None, None])
    norm.weight.copy_(gain)
    mean.copy_(mean.double() * scale)
    spread.copy_(wider)
