"""Rates rise and fall as planned, early layers learn slower, frozen ones not at all."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pahara.core import TrainingError
from pahara.models import build
from pahara.training import Plan
from pahara.training.ema import Ema
from pahara.training.machine import clip, prepare
from pahara.training.optim import Freezer, layer_groups, lr_factor, make_optimizer, set_lr


def test_the_rate_rises_in_a_line_and_falls_in_half_a_cosine():
    plan = Plan(epochs=10, warm_up=1.0, final_lr=0.1)
    rates = [lr_factor(step, plan, 10) for step in range(100)]
    assert rates[:3] == pytest.approx([1 / 11, 2 / 11, 3 / 11])
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 10
    assert rates[-1] == pytest.approx(0.1)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[10 + 89 // 2] == pytest.approx(0.55, abs=0.01), "half way between the top and the end"


def test_warm_up_takes_a_fifth_of_a_short_run_at_most():
    assert [lr_factor(step, Plan(epochs=1, schedule="constant"), 10) for step in range(4)] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert lr_factor(0, Plan(epochs=1), 1) == 1.0


def test_groups_from_input_to_output_hold_every_weight_once():
    for model in (build("resnet18", classes=3), nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))):
        found = [id(p) for group in layer_groups(model) for p in group]
        assert sorted(found) == sorted(id(p) for p in model.parameters())
        assert len(found) == len(set(found))


def test_early_layers_learn_slower_and_only_matrices_decay():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    optimizer = make_optimizer(model, Plan(layer_decay=0.5, weight_decay=0.1))
    set_lr(optimizer, 0.08)
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]}
    assert [found[id(p)] for p in model.parameters()] == [(0.02, 0.1), (0.02, 0.0), (0.04, 0.0), (0.04, 0.0), (0.08, 0.1), (0.08, 0.0)]


@pytest.mark.parametrize("quiet", [True, False])
def test_frozen_layers_stay_to_the_last_bit_and_then_learn(quiet):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    optimizer = make_optimizer(model, Plan(lr=0.1, weight_decay=0.1))
    freezer = Freezer(model, 2, quiet=quiet)
    start = {name: value.clone() for name, value in model.state_dict().items()}

    def changed(epoch: int) -> set[str]:
        model.train()
        freezer.begin(epoch)
        model(torch.rand(8, 2)).square().sum().backward()
        freezer.drop()
        optimizer.step()
        optimizer.zero_grad()
        return {name for name, value in model.state_dict().items() if not torch.equal(value, start[name])}

    assert changed(0) == changed(1) == {"2.weight", "2.bias"}
    assert changed(2) == set(start)


def test_the_average_follows_its_formula_and_forgets_the_random_start():
    model = nn.Linear(1, 1, bias=False)
    expected = float(model.weight.detach())
    average = Ema(model, 0.5)
    for step in range(20):
        with torch.no_grad():
            model.weight.fill_(float(step))
        average.update()
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * step
    assert float(average.model.weight) == pytest.approx(expected, rel=1e-5)
    assert 17 < float(average.model.weight) < 19
    assert not average.model.weight.requires_grad
    assert Ema(model, 0.0).model is model


def test_the_average_takes_over_statistics_and_counts():
    model = nn.BatchNorm1d(2)
    average = Ema(model, 0.9)
    model(torch.rand(8, 2) + 5)
    average.update()
    assert int(average.model.num_batches_tracked) == 1
    assert float(average.model.running_mean[0]) > 0.3


def test_a_plan_that_cannot_be_meant_is_refused():
    for wrong, words in (
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
        ({"lr": 0.0}, "it must be above 0"),
        ({"lr": float("nan")}, "it must be above 0"),
        ({"layer_decay": 1.5}, "at most 1"),
        ({"optimizer": "adam"}, "one of adamw, sgd"),
        ({"precision": "8"}, "one of 32, bf16, 16"),
        ({"ema": 1.0}, "from 0 to 0.99999"),
    ):
        with pytest.raises(TrainingError, match=words):
            Plan(**wrong)
    with pytest.raises(TrainingError, match=r"no setting 'epoch' \(did you mean 'epochs'\?\)"):
        Plan.of({"epoch": 3})
    assert Plan.of(Plan(epochs=3).as_dict()) == Plan(epochs=3)


def test_a_long_gradient_is_shortened_and_a_short_one_left_alone():
    fabric = prepare(Plan(device="cpu"))
    for size, longest, expected in ((10.0, 2.0, 2.0), (1.0, 2.0, 1.0), (10.0, 0.0, 10.0)):
        weight = nn.Parameter(torch.zeros(4))
        weight.grad = torch.full((4,), size / 2)  # of length `size`
        optimizer = torch.optim.SGD([weight], lr=1.0)
        assert float(clip(fabric, weight, optimizer, longest)) == pytest.approx(size)
        assert float(weight.grad.norm()) == pytest.approx(expected, rel=1e-4)
