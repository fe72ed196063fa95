"""The loop learns, repeats itself exactly, keeps the best, and says in plain words why it cannot go on."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from pahara.core import TrainingError
from pahara.training import Batches, Plan, batches_of, load_weights, read_metrics, read_weights, train
from pahara.training.loop import is_better

SPEC = importlib.util.spec_from_file_location("pahara_toy", Path(__file__).with_name("toy.py"))
toy = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(toy)

PLAN = Plan(epochs=4, lr=0.02, device="cpu")


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.reshape(-1).double() for value in model.state_dict().values()])


def test_a_network_learns_three_clouds_and_its_folder_tells_how(tmp_path):
    result, model = toy.learn(tmp_path, replace(PLAN, epochs=8))
    assert result.stopped == "finished"
    assert result.best > 0.9
    assert result.epochs == 8
    assert result.steps == 8 * 6
    rows = read_metrics(tmp_path / "metrics.csv")
    assert [row["epoch"] for row in rows] == list(range(1, 9))
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert max(row["accuracy"] for row in rows) == pytest.approx(result.best)
    again, about = load_weights(tmp_path)
    assert torch.equal(weights(again), weights(model))
    assert about["classes"] == ["a", "b", "c"]
    assert about["epoch"] == result.best_epoch
    assert about["figures"]["accuracy"] == pytest.approx(result.best)


def test_the_same_plan_gives_the_same_weights_and_another_seed_others(tmp_path):
    first = weights(toy.learn(tmp_path / "a", PLAN)[1])
    torch.rand(17)  # what happened before in the process has no say
    assert torch.equal(first, weights(toy.learn(tmp_path / "b", PLAN)[1]))
    assert not torch.equal(first, weights(toy.learn(tmp_path / "c", replace(PLAN, seed=5))[1]))


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(tmp_path):
    alone = weights(toy.learn(tmp_path / "0", PLAN, workers=0)[1])
    assert torch.equal(alone, weights(toy.learn(tmp_path / "2", PLAN, workers=2)[1]))


def test_gradients_of_two_small_batches_are_those_of_a_large_one(tmp_path):
    large = toy.learn(tmp_path / "large", PLAN, dropout=0.0, size=32)[1]
    small = toy.learn(tmp_path / "small", replace(PLAN, accumulate=2), dropout=0.0, size=16)[1]
    torch.testing.assert_close(weights(small), weights(large), rtol=1e-4, atol=1e-5)


def test_left_over_batches_of_an_epoch_make_a_step_of_their_own(tmp_path):
    result, _ = toy.learn(tmp_path, replace(PLAN, epochs=1, accumulate=4))
    assert result.steps == 2  # six batches: four and two


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_both_optimisers_learn(tmp_path, optimizer):
    assert toy.learn(tmp_path, replace(PLAN, epochs=15, optimizer=optimizer, ema=0.9))[0].best > 0.9


class Falling:
    """A measurement that gets worse after the second epoch, whatever the network does."""

    best, lower_is_better = "error", True

    def __init__(self) -> None:
        self.told = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0])
        self.seen: list[torch.Tensor] = []

    def loss(self, model, batch):
        return {"loss": cross_entropy(model(batch[0]), batch[1])}

    def measure(self, model, batches, device):
        assert not model.training
        assert not torch.is_grad_enabled()
        self.seen.append(weights(model))
        return {"error": next(self.told)}


def test_training_stops_early_and_gives_back_the_best_weights(tmp_path):
    task, model = Falling(), toy.network()
    result = train(model, task, data(), data(), replace(PLAN, epochs=7, patience=3), tmp_path, about={}, progress=False)
    assert (result.stopped, result.best, result.best_epoch, result.epochs) == ("early", 1.0, 2, 5)
    assert torch.equal(weights(model), task.seen[1])
    assert not torch.equal(task.seen[1], task.seen[4])


def data() -> Batches:
    clouds = toy.Clouds()
    return batches_of((torch.tensor(clouds.points), torch.tensor(clouds.labels)), 16, shuffle=True)


def test_no_number_is_never_better():
    low, high = type("T", (), {"lower_is_better": True}), type("T", (), {"lower_is_better": False})
    nan = float("nan")
    assert is_better(1.0, nan, low)
    assert not is_better(nan, 1.0, low)
    assert not is_better(nan, nan, high)
    assert is_better(2.0, 1.0, high)
    assert not is_better(2.0, 1.0, low)


def test_a_loss_that_is_no_number_is_told_with_its_step_and_advice_and_the_good_weights_stay(tmp_path):
    with pytest.raises(TrainingError) as told:
        toy.learn(tmp_path, PLAN, task=toy.Tell(fail=9))
    for part in ("step 9", "the loss", "learning rate", "Try", "pahara data check", "last.safetensors"):
        assert part in str(told.value)
    kept, _ = read_weights(tmp_path / "last.safetensors")
    assert all(torch.isfinite(value).all() for value in kept.values())


def test_an_exploding_loss_is_told_before_it_is_no_number(tmp_path):
    class Explode(Falling):
        def loss(self, model, batch):
            self.count = getattr(self, "count", 0) + 1
            return {"loss": cross_entropy(model(batch[0]), batch[1]) * (1e6 if self.count > 15 else 1)}

    with pytest.raises(TrainingError, match=r"the loss explodes: .* at step 20, .* Try a learning rate of 0\.00"):
        train(toy.network(), Explode(), data(), data(), replace(PLAN, epochs=7), tmp_path, about={}, progress=False)


def test_a_gradient_that_is_no_number_stops_before_it_reaches_a_weight(tmp_path):
    class Root(Falling):
        def loss(self, model, batch):
            return {"loss": (model(batch[0]) * 0).sum().sqrt()}  # the root's slope at zero is infinite

    model = toy.network()
    with pytest.raises(TrainingError, match="gradient is not a finite number at step 1 "):
        train(model, Root(), data(), data(), PLAN, tmp_path, about={}, progress=False)
    assert torch.isfinite(weights(model)).all()


def test_mistakes_are_told_in_plain_words(tmp_path):
    class Nameless(Falling):
        def loss(self, model, batch):
            return {"error": model(batch[0]).sum()}

    class Other(Falling):
        best = "beauty"

    model, plan = toy.network(), replace(PLAN, epochs=1)
    with pytest.raises(TrainingError, match="no held-out data to measure on"):
        train(model, Falling(), data(), [], plan, tmp_path / "a", about={})
    with pytest.raises(TrainingError, match="no training data"):
        train(model, Falling(), None, data(), plan, tmp_path / "a", about={})
    with pytest.raises(TrainingError, match="gives error; it must give 'loss'"):
        train(model, Nameless(), data(), data(), plan, tmp_path / "b", about={}, progress=False)
    with pytest.raises(TrainingError, match="decides by 'beauty', but measures only error"):
        train(model, Other(), data(), data(), plan, tmp_path / "c", about={}, progress=False)
    toy.learn(tmp_path / "d", plan)
    with pytest.raises(TrainingError, match="holds a run already; resume it"):
        toy.learn(tmp_path / "d", plan)


def test_more_processes_or_gpus_than_there_are_is_told(tmp_path):
    with pytest.raises(TrainingError, match="4096 processes are asked for"):
        toy.learn(tmp_path, replace(PLAN, devices=4096))
    with pytest.raises(TrainingError, match="torchrun"):
        toy.learn(tmp_path, replace(PLAN, nodes=2))
    with pytest.raises(TrainingError, match="16-bit floats need a GPU"):
        toy.learn(tmp_path, replace(PLAN, precision="16"))
    if not torch.cuda.is_available():
        with pytest.raises(TrainingError, match="no GPU that PyTorch can use"):
            toy.learn(tmp_path, replace(PLAN, device="gpu"))


def test_ready_batches_in_a_list_will_do(tmp_path):
    ready = list(data())
    assert train(toy.network(), toy.Tell(), ready, ready, replace(PLAN, epochs=6), tmp_path, about={}, progress=False).best > 0.8


def test_a_line_an_epoch_is_printed_where_nobody_watches_a_bar(tmp_path, capsys):
    toy.learn(tmp_path, replace(PLAN, epochs=2))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[:2] for line in lines] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert "accuracy" in lines[0]


def test_tensorboard_reads_the_logs(tmp_path):
    toy.learn(tmp_path, replace(PLAN, epochs=2, tensorboard=True))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in board.Scalars("accuracy")] == [6, 12]
    assert board.Scalars("train_loss")[0].value == pytest.approx(read_metrics(tmp_path / "metrics.csv")[0]["train_loss"], rel=1e-5)


def test_bf16_learns_too(tmp_path):
    assert toy.learn(tmp_path, replace(PLAN, epochs=6, precision="bf16"))[0].best > 0.9
