"""What is promised of every registered model: shapes, gradients, that it learns, that it exports, that it repeats."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pahara.models import MODELS, build

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, Case

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
PARITY = 1e-4  # how far ONNX Runtime may be from torch


def test_every_registered_model_has_a_case():
    assert {case.name for case in CASES} == set(MODELS)


@each
def test_the_output_has_the_promised_shape_whatever_the_size(case):
    model = case.build().eval()
    for shape, expected in case.gives.items():
        assert tuple(model(case.input(shape)).shape) == expected, f"input {shape}"


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.label and MODELS[case.name].gives != "boxes"], ids=lambda case: case.id
)
def test_the_weights_are_as_many_as_the_docstring_tells(case):
    with torch.device("meta"):
        model = build(case.name, **case.full)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert f"{count:,}" in (type(model).__doc__ or "")


@each
def test_gradients_reach_every_weight(case):
    model = case.build().train()
    error(case, model, case.input()).backward()
    dead = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.abs().max() > 0]
    assert not dead


@each
def test_a_tiny_batch_can_be_learned_by_heart(case):
    model = calm(case.build().train())
    x = case.input() if MODELS[case.name].gives != "copy" else 0.5 + smooth(case.input().shape)  # noise cannot be squeezed
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2 if case.name != "transformer-image" else 3e-3)
    first = error(case, model, x).item()
    for _ in range(300):
        loss = error(case, model, x)
        if loss < 0.1 * first:
            return
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    raise AssertionError(f"the error is still {loss.item():.3f}, from {first:.3f}")


@each
def test_onnx_runtime_gives_what_torch_gives_in_every_batch_size_and_length(case):
    model = awake(case).eval()
    # Exported with two examples, and two moments where time is free, so that neither can be mistaken for a constant.
    first = case.input(tuple(2 if axis == 0 else 3 if axis in case.free else size for axis, size in enumerate(next(iter(case.gives)))))
    session = exported(model, first, case.free)
    tried = 0
    for shape in case.gives:
        if len(shape) == first.dim() and all(axis in case.free or shape[axis] == first.shape[axis] for axis in range(len(shape))):
            x = case.input(shape, seed=1)
            with torch.inference_mode():
                ours = model(x).numpy()
            theirs = session.run(None, {"x": x.numpy()})[0]
            assert ours.shape == theirs.shape
            assert np.abs(ours - theirs).max() <= PARITY * max(1.0, np.abs(ours).max())
            assert np.abs(ours).max() > 1e-3, "an output of nothing but zeros agrees with everything"
            tried += 1
    assert tried >= (1 if len(case.gives) == 1 else 2)


@each
def test_the_same_seed_gives_the_same_weights_and_answers(case):
    one, other, different = case.build(seed=3), case.build(seed=3), case.build(seed=4)
    for (name, weight), (_, again) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(weight, again), name
    x = case.input()
    assert torch.equal(one.eval()(x), other.eval()(x))
    assert not torch.equal(one(x), different.eval()(x)), "the weights do not depend on the seed"


@each
def test_the_layer_groups_hold_every_weight_once_from_input_to_output(case):
    model = case.build()
    groups = model.layer_groups()
    grouped = [id(weight) for group in groups for weight in group.parameters()]
    assert len(groups) >= 3
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(weight) for weight in model.parameters()}
    order = [id(weight) for weight in model.parameters()]
    if MODELS[case.name].gives != "boxes":  # YOLOX names its layers as the official weights do, not in this order
        assert grouped == order, "the groups are not in the order of the layers"
    assert all(any(True for _ in group.parameters()) for group in groups), "a group without weights"


@each
def test_a_new_head_tells_other_classes_and_leaves_the_rest_alone(case):
    model = case.build().eval()
    if MODELS[case.name].gives not in ("classes", "boxes"):
        assert not hasattr(model, "replace_head")
        return
    x = case.input()
    before = model.layer_groups()[0](x) if MODELS[case.name].takes == "image" and hasattr(model, "features") else None
    old = {name: weight.clone() for name, weight in model.state_dict().items()}
    model.replace_head(6)
    assert model.classes == 6
    assert model(x).shape[-1] == 6 + 5 * (MODELS[case.name].gives == "boxes")
    changed = {name for name, weight in model.state_dict().items() if weight.shape != old[name].shape or not torch.equal(weight, old[name])}
    assert changed
    assert all("head" in name for name in changed)
    if before is not None:
        assert torch.equal(model.layer_groups()[0](x), before)


def error(case: Case, model: nn.Module, x: Tensor) -> Tensor:
    """How wrong the model is about something arbitrary but fixed, in the way that fits its output."""
    y = model(x)
    gives = MODELS[case.name].gives
    if gives == "classes":
        return functional.cross_entropy(y, torch.arange(len(y)) % y.shape[1])
    if gives == "score":
        return functional.binary_cross_entropy_with_logits(y, (torch.arange(len(y)) % 2).float())
    if gives == "copy":
        return functional.mse_loss(y, x)
    return functional.mse_loss(y, smooth(y.shape))


def smooth(shape: torch.Size) -> Tensor:
    """Pictures, windows or rows that can be learned: waves between -0.5 and 0.5, in another phase for each example."""
    along = torch.linspace(0, 6, shape[1:].numel()).view(shape[1:])
    phase = torch.arange(shape[0]).view(-1, *[1] * (len(shape) - 1))
    return 0.5 * torch.sin(along + phase)


def calm(model: nn.Module) -> nn.Module:
    """Without dropout: it is there to prevent learning by heart."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def awake(case: Case) -> nn.Module:
    """As after some training: a batch norm that has seen something, and weights in which no symmetry is left."""
    model = case.build().train()
    with torch.no_grad():
        for _ in range(3):
            model(case.input())
        for weight in model.parameters():
            weight.add_(0.02 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(7)))
    return model


def exported(model: nn.Module, x: Tensor, free: tuple[int, ...]) -> onnxruntime.InferenceSession:
    """The model in ONNX Runtime. The older exporter takes a tenth of the time, and says at length that there is a newer one."""
    file = io.BytesIO()
    axes = {axis: f"axis{axis}" for axis in free}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (x,), file, dynamo=False, opset_version=18, input_names=["x"], dynamic_axes={"x": axes})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
