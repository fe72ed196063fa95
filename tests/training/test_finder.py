"""A suggested learning rate trains well, and trying rates leaves the model as it was."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from pahara.core import TrainingError
from pahara.training import Batches, Plan, find_lr

SPEC = importlib.util.spec_from_file_location("pahara_toy", Path(__file__).with_name("toy.py"))
toy = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(toy)
PLAN = Plan(device="cpu")


def clouds() -> Batches:
    return Batches(toy.Clouds(), 16, shuffle=True, workers=0)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_suggested_rate_learns_better_than_a_far_smaller_one_and_a_far_larger_one_harms_sgd(tmp_path, optimizer):
    rate = find_lr(toy.network(), toy.Tell(), clouds(), replace(PLAN, optimizer=optimizer), high=10.0).suggestion
    lost = []
    for factor in (0.01, 1.0, 1000.0):
        plan = replace(PLAN, optimizer=optimizer, lr=min(rate * factor, 90.0), epochs=12, clip=0.0)
        try:
            result, _ = toy.learn(tmp_path / str(factor), plan)
        except TrainingError:  # it exploded, and was told so
            lost.append(float("inf"))
        else:
            lost.append(result.history[-1]["held_out_loss"])
    assert lost[1] < 0.8 * lost[0]
    assert optimizer == "adamw" or lost[1] < 0.8 * lost[2]  # AdamW forgives a large rate on data this simple


def test_trying_rates_changes_no_weight_and_draws_a_curve(tmp_path):
    model = toy.network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    curve = find_lr(model, toy.Tell(), clouds(), PLAN, high=100.0, steps=60)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert len(curve.rates) == len(curve.losses) == len(curve.smoothed) <= 60
    assert list(curve.rates) == sorted(curve.rates)
    curve.plot(tmp_path / "deep" / "curve.png")
    assert (tmp_path / "deep" / "curve.png").read_bytes()[:4] == b"\x89PNG"


def test_a_loss_that_falls_nowhere_is_told():
    class Deaf(toy.Tell):
        def loss(self, model, batch):
            return {"loss": cross_entropy(model(batch[0]) * 0, batch[1] * 0)}

    with pytest.raises(TrainingError, match="the loss falls at no learning rate"):
        find_lr(toy.network(), Deaf(), clouds(), PLAN)
    with pytest.raises(TrainingError, match="the rates must rise"):
        find_lr(toy.network(), toy.Tell(), clouds(), PLAN, low=1.0, high=0.1)
