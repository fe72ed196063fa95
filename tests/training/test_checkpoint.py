"""A weights file alone brings its model back; a damaged or foreign one is told."""

from __future__ import annotations

import pytest
import torch

from pahara.core import ModelError
from pahara.models import build
from pahara.training import load_weights, read_weights, save_weights, transfer

OPTIONS = {"classes": 3, "inputs": 4, "hidden": [8]}
ABOUT = {"model": "mlp", "options": OPTIONS, "classes": ["cat", "dog", "ছাগল"], "preparation": {"scale": 0.5}}


def test_a_weights_file_alone_rebuilds_its_model(tmp_path):
    model, x = build("mlp", **OPTIONS).eval(), torch.rand(5, 4)
    save_weights(tmp_path / "deep" / "w.safetensors", model, ABOUT)
    state = torch.get_rng_state()
    again, about = load_weights(tmp_path / "deep" / "w.safetensors")
    assert torch.equal(torch.get_rng_state(), state), "loading takes no chance away from others"
    assert torch.equal(again(x), model(x))
    assert about == ABOUT
    assert not again.training
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["w.safetensors"]


def test_tied_weights_and_counters_survive(tmp_path):
    tied = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 3), "b": torch.nn.Linear(3, 3), "norm": torch.nn.BatchNorm1d(3)})
    tied["b"].weight = tied["a"].weight
    tied["norm"](torch.rand(4, 3))
    save_weights(tmp_path / "w.safetensors", tied, {})
    state, _ = read_weights(tmp_path / "w.safetensors")
    assert torch.equal(state["b.weight"], tied["a"].weight)
    assert int(state["norm.num_batches_tracked"]) == 1


def test_a_missing_damaged_or_foreign_file_is_told(tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(ModelError, match="there is no weights file"):
        load_weights(path)
    with pytest.raises(ModelError, match=r"folder without best\.safetensors"):
        load_weights(tmp_path)
    path.write_bytes(b"no weights at all")
    with pytest.raises(ModelError, match="is no weights file, or a damaged one"):
        load_weights(path)
    save_weights(path, build("mlp", **OPTIONS), ABOUT)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match="is no weights file, or a damaged one"):
        load_weights(path)
    save_weights(path, build("mlp", **OPTIONS), {**ABOUT, "options": {**OPTIONS, "classes": 5}})
    with pytest.raises(ModelError, match=r"head\.0\.weight has the shape \(3, 8\), this model's has \(5, 8\)"):
        load_weights(path)
    save_weights(path, build("mlp", **OPTIONS), {**ABOUT, "model": "mpl"})
    with pytest.raises(ModelError, match="no model named 'mpl'"):
        load_weights(path)
    save_weights(path, build("mlp", **OPTIONS), {})
    with pytest.raises(ModelError, match="not the name of their model"):
        load_weights(path)


def test_transfer_takes_what_fits_and_names_what_stays_fresh(tmp_path):
    old = build("tinyvgg", classes=3)
    save_weights(tmp_path / "w.safetensors", old, {})
    new = build("tinyvgg", classes=5)
    fresh = transfer(new, tmp_path / "w.safetensors")
    assert fresh
    assert all(name.startswith("head") for name in fresh)
    assert torch.equal(next(new.parameters()), next(old.parameters()))


def test_weights_of_another_model_are_no_start():
    with pytest.raises(ModelError, match=r"only 0 of the model's [\d,]+ weights are found"):
        transfer(build("tinyvgg", classes=3), build("mlp", **OPTIONS).state_dict())
