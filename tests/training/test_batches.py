"""The order of the examples follows from seed and epoch alone, and every mistake is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pahara.core import DataError, TrainingError
from pahara.training import Batches, batches_of
from pahara.training.batches import as_batches


class Numbers:
    """Example i is i and a random number; it notes which epochs were begun."""

    def __init__(self, total: int) -> None:
        self.total, self.epochs = total, []

    def __len__(self) -> int:
        return self.total

    def begin_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[int, float]:
        return index, float(rng.random())


def epoch(batches: Batches, number: int, **options) -> list[tuple[list[int], list[float]]]:
    batches.begin(number, **options)
    return [(i.tolist(), r.tolist()) for i, r in batches]


def test_an_epoch_shows_every_example_once_in_an_order_of_its_own():
    batches = Batches(Numbers(12), 4, shuffle=True, workers=0)
    first, second = epoch(batches, 0), epoch(batches, 1)
    assert sorted(i for batch, _ in first for i in batch) == list(range(12))
    assert [batch for batch, _ in first] != [batch for batch, _ in second]
    assert epoch(batches, 0) == first
    assert batches.data.epochs == [0, 1, 0]


def test_chance_belongs_to_the_example_and_the_epoch():
    def chances(found):
        return {i: r for numbers, chance in found for i, r in zip(numbers, chance, strict=True)}

    small, large = Batches(Numbers(12), 2, shuffle=True, workers=0), Batches(Numbers(12), 6, shuffle=True, workers=0)
    assert chances(epoch(small, 3)) == chances(epoch(large, 3))
    assert chances(epoch(small, 3)) != chances(epoch(small, 4))
    assert len(set(chances(epoch(small, 3)).values())) == 12


@pytest.mark.slow
def test_workers_that_live_on_see_the_same_as_none():
    alone, helped = Batches(Numbers(12), 4, shuffle=True, workers=0), Batches(Numbers(12), 4, shuffle=True, workers=2)
    for number in (0, 1, 5):
        assert epoch(helped, number) == epoch(alone, number)
    helped.close()


def test_an_epoch_can_begin_in_its_middle():
    batches = Batches(Numbers(12), 4, shuffle=True, workers=0)
    assert epoch(batches, 2, skip=1) == epoch(batches, 2)[1:]


def test_two_processes_share_each_batch_between_them():
    batches = Batches(Numbers(12), 4, shuffle=True, workers=0)
    whole = epoch(batches, 0)
    halves = [epoch(batches, 0, rank=rank, world=2) for rank in (0, 1)]
    for (all_of_it, _), (one, _), (other, _) in zip(whole, *halves, strict=True):
        assert sorted(one + other) == sorted(all_of_it)
        assert len(one) == len(other) == 2
    with pytest.raises(TrainingError, match="batch of 4 cannot be shared equally by 3 processes"):
        batches.begin(0, world=3)


def test_training_leaves_out_the_incomplete_batch_and_measuring_does_not():
    assert len(Batches(Numbers(10), 4, shuffle=True, workers=0)) == 2
    measured = Batches(Numbers(10), 4, workers=0)
    assert [numbers for numbers, _ in epoch(measured, 0)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_mistakes_are_told():
    with pytest.raises(DataError, match="the training set is empty"):
        Batches(Numbers(0), 4, shuffle=True)
    with pytest.raises(TrainingError, match="a batch of 16 is larger than the training set of 10; take a batch of 10 or less"):
        Batches(Numbers(10), 16, shuffle=True)
    with pytest.raises(TrainingError, match="batch size is 0"):
        Batches(Numbers(10), 0)
    with pytest.raises(TrainingError, match="there is no training data"):
        as_batches(None, "training data")
    with pytest.raises(TrainingError, match="ready-made"):
        as_batches([1, 2], "training data").begin(0, world=2)


def test_tensors_in_memory_need_no_data_set():
    batches = batches_of((torch.arange(6), torch.arange(6) * 10), 3)
    assert [(a.tolist(), b.tolist()) for a, b in batches] == [([0, 1, 2], [0, 10, 20]), ([3, 4, 5], [30, 40, 50])]
