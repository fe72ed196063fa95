"""The recipes on data that come with scikit-learn, each in a tiny form: they run, and what they say of themselves is true."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def recipe():
    """recipe("digits") -> the module; recipes are scripts beside each other, not a package."""
    sys.path.insert(0, str(RECIPES))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield importlib.import_module
    torch.set_num_threads(threads)
    sys.path.remove(str(RECIPES))


def test_the_digits_are_all_there_upright_and_between_0_and_1(recipe):
    pictures, labels = recipe("digits").read_digits()
    assert pictures.shape == (1797, 8, 8)
    assert pictures.min() == 0
    assert pictures.max() == 1
    assert np.bincount(labels).min() > 170
    zeros, ones = pictures[labels == 0].mean(0), pictures[labels == 1].mean(0)
    assert ones[3:5, 3:5].mean() > 2 * zeros[3:5, 3:5].mean(), "a 0 is hollow, a 1 is not"


def test_a_varied_digit_is_the_same_for_the_same_chance_and_stays_a_digit(recipe):
    digits = recipe("digits")
    lesson = digits.Seen(*digits.read_digits())
    one, again, other = (lesson.sample(5, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.shape == (1, 8, 8)


def test_half_a_lesson_already_reads_most_digits(recipe):
    found = recipe("digits").all_digits("mlp", quick=True, epochs=3)
    assert 0.8 < found["accuracy"] <= 1
    assert found["low"] < found["accuracy"] < found["high"]


def test_transfer_learning_runs_on_a_few_digits_and_says_how_sure_it_is(recipe):
    digits = recipe("digits")
    found = digits.transfer(digits.who_knows_0_to_4(epochs=1), 2, seeds=2, epochs=4)
    assert all(0 < found[name] < 1 for name in ("tuned", "scratch"))
    assert found["gain"] == pytest.approx(found["tuned"] - found["scratch"])
    assert found["gain_low"] <= found["gain"] <= found["gain_high"]


def test_wilsons_interval_is_the_one_of_the_book(recipe):
    low, high = recipe("digits").wilson(np.arange(10) < 9)  # 9 of 10
    assert (low, high) == pytest.approx((0.596, 0.982), abs=1e-3)


def test_every_sample_of_the_cancer_table_is_examined_once_by_who_has_not_seen_it(recipe, monkeypatch):
    cancer = recipe("breast_cancer")
    seen = []

    def fold(table, labels, learnt, examined, **options):
        assert not set(learnt) & set(examined)
        seen.extend(examined)
        return np.zeros((2, len(examined)))

    monkeypatch.setattr(cancer, "fold", fold)
    found = cancer.examine(rounds=1)
    assert sorted(seen) == list(range(569))
    assert found["accuracy"] == pytest.approx(found["baseline"]), "calling all benign is the baseline"
    assert found["missed"] == found["malignant"] == 212


def test_scaling_learns_nothing_from_the_examined(recipe):
    known, asked = recipe("breast_cancer").scaled(np.array([[0.0], [2.0]], np.float32), np.array([[101.0]], np.float32))
    assert known.ravel().tolist() == [-1, 1]
    assert asked.item() == 100


def test_a_short_lesson_already_tells_most_tumours(recipe):
    found = recipe("breast_cancer").examine(rounds=1, n=3, epochs=5)
    assert found["accuracy"] > 0.9
    assert found["low"] < found["accuracy"] < found["high"]


def test_the_distance_of_two_clouds_is_the_one_on_paper(recipe):
    distance = recipe("dcgan_digits").distance
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(500, 3))
    assert distance(cloud, cloud) == pytest.approx(0, abs=1e-6)
    assert distance(cloud, cloud + np.array([3, 0, 4])) == pytest.approx(25)
    centred = cloud - cloud.mean(0)
    assert distance(centred, 2 * centred) == pytest.approx(np.trace(np.cov(centred.T)))  # (2 - 1)² of the variance


def test_a_few_rounds_of_the_game_paint_something_nearer_to_digits_than_noise(recipe):
    found, painted = recipe("dcgan_digits").examine(epochs=10, reader_epochs=4)
    assert painted.shape == (100, 8, 8)
    assert painted.min() >= 0
    assert painted.max() <= 1
    assert found["distance_real"] < found["distance"] < found["distance_noise"]


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "dcgan_digits"])
def test_a_recipe_says_what_it_is_for_and_how_to_make_it_short(recipe, name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        recipe(name).main()
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert "--quick" in told
    assert recipe(name).__doc__.split(":")[0] in told
