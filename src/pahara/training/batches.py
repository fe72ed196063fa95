"""Examples in batches, in an order that depends on the seed and the epoch alone, not on how many workers fetch them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pahara.core import DataError, TrainingError


@runtime_checkable
class Sampled(Protocol):
    """Data whose examples are made anew each time, e.g. with augmentation."""

    def __len__(self) -> int: ...

    def sample(self, index: int, rng: np.random.Generator) -> Any:
        """Example `index`, varied with this generator and with no other source of chance."""


class Batches:
    """`data` (anything with `len` and `[i]`, or `sample(i, rng)`) in batches of `size` examples.

    Where the data has `sample(i, rng)`, each example gets its own generator, seeded by (seed, epoch, i): augmentation is then
    the same for every number of workers and after a resume. Where it has `begin_epoch(epoch)`, it is called, in the worker,
    before the first example of an epoch (e.g. to stop mosaics near the end).

    `shuffle` is for training: a new order each epoch, and the incomplete last batch is left out (`drop_last` decides
    otherwise). `workers` None chooses: see `default_workers`. With several processes `size` is the number of examples
    of all together. DataError for an empty set, or a batch that is larger than the set.
    """

    def __init__(
        self,
        data: Any,
        size: int,
        *,
        shuffle: bool = False,
        drop_last: bool | None = None,
        collate: Callable[[list[Any]], Any] | None = None,
        workers: int | None = None,
        seed: int = 0,
        name: str = "",
    ) -> None:
        drop_last = shuffle if drop_last is None else drop_last
        what = name or ("training set" if shuffle else "data set")
        if len(data) == 0:
            raise DataError(f"the {what} is empty: there is nothing to learn from or to measure; `pahara data check` tells what was found")
        if size < 1:
            raise TrainingError(f"the batch size is {size}; it must be at least 1")
        if drop_last and size > len(data):
            raise TrainingError(f"a batch of {size} is larger than the {what} of {len(data)}; take a batch of {len(data)} or less")
        self.data, self.size, self.shuffle, self.drop_last, self.seed = data, size, shuffle, drop_last, seed
        self.collate, self.workers = collate, default_workers() if workers is None else workers
        self._order = _Order(len(data), size, shuffle, drop_last, seed)
        self._loader: DataLoader[Any] | None = None

    def __len__(self) -> int:
        """Batches in a whole epoch."""
        return len(self._order)

    def begin(self, epoch: int, *, skip: int = 0, rank: int = 0, world: int = 1) -> None:
        """The next iteration is this epoch, without its first `skip` batches; of each batch, the share of process `rank` of `world`."""
        if self.shuffle and self.size % world:
            raise TrainingError(f"a batch of {self.size} cannot be shared equally by {world} processes; take a multiple of {world}")
        self._order.epoch, self._order.skip, self._order.rank, self._order.world = epoch, skip, rank, world

    def __iter__(self) -> Iterator[Any]:
        if self._loader is None:
            self._loader = DataLoader(
                _Keyed(self.data, self.seed),
                batch_sampler=self._order,
                collate_fn=self.collate,
                num_workers=self.workers,
                persistent_workers=self.workers > 0,
                worker_init_fn=_begin_worker if self.workers else None,
                pin_memory=torch.cuda.is_available(),
            )
        return iter(self._loader)

    def close(self) -> None:
        """Send the workers home; the next iteration hires new ones."""
        self._loader = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loader": None}  # workers do not travel to another process


def default_workers() -> int:
    """Processes that fetch examples: on a GPU up to eight; without one a single one beside the training, none on a single core."""
    cores = available_cores()
    if torch.cuda.is_available():
        return min(8, cores)
    return 1 if cores > 1 else 0


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_batches(batches: Any, what: str) -> Any:
    """`Batches` as they are; a list or another iterable with a length is taken as ready batches, in its own order."""
    if batches is None or not hasattr(batches, "__len__") or not hasattr(batches, "__iter__"):
        raise TrainingError(f"there is no {what}: give Batches, or a list of batches")
    if len(batches) == 0:
        raise TrainingError(f"there is no {what}: it holds no batch")
    return batches if hasattr(batches, "begin") else _Ready(batches)


class _Ready:
    """Batches that somebody else has made."""

    workers = 0

    def __init__(self, batches: Sequence[Any]) -> None:
        self.batches, self.skip, self.epoch = batches, 0, 0

    def __len__(self) -> int:
        return len(self.batches)

    def begin(self, epoch: int, *, skip: int = 0, rank: int = 0, world: int = 1) -> None:  # noqa: ARG002 - as Batches has it
        if world > 1:
            raise TrainingError("several processes need `Batches`, which know how to share; these are ready-made")
        self.epoch, self.skip = epoch, skip

    def __iter__(self) -> Iterator[Any]:
        set_epoch = getattr(getattr(self.batches, "sampler", None), "set_epoch", None)
        if callable(set_epoch):
            set_epoch(self.epoch)
        return (batch for number, batch in enumerate(self.batches) if number >= self.skip)

    def close(self) -> None:
        pass


class _Order:
    """Which examples make which batch; each key is (epoch, index)."""

    def __init__(self, total: int, size: int, shuffle: bool, drop_last: bool, seed: int) -> None:
        self.total, self.size, self.shuffle, self.drop_last, self.seed = total, size, shuffle, drop_last, seed
        self.epoch, self.skip, self.rank, self.world = 0, 0, 0, 1

    def __len__(self) -> int:
        return self.total // self.size if self.drop_last else -(-self.total // self.size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        if self.shuffle:
            indices = np.random.default_rng([self.seed, self.epoch]).permutation(self.total)
        else:
            indices = np.arange(self.total)
        for number in range(self.skip, len(self)):
            batch = indices[number * self.size : (number + 1) * self.size]
            yield [(self.epoch, int(index)) for index in batch[self.rank :: self.world]]


class _Keyed(Dataset[Any]):
    """The data as the workers see it: (epoch, index) -> example."""

    def __init__(self, data: Any, seed: int) -> None:
        self.data, self.seed = data, seed
        self.sampled = isinstance(data, Sampled)
        self.epoch = -1

    def __getitem__(self, key: tuple[int, int]) -> Any:
        epoch, index = key
        if epoch != self.epoch:
            self.epoch = epoch
            if hasattr(self.data, "begin_epoch"):
                self.data.begin_epoch(epoch)
        if self.sampled:
            return self.data.sample(index, np.random.default_rng([self.seed, epoch, index]))
        return self.data[index]


def _begin_worker(_: int) -> None:
    if "cv2" in sys.modules:  # a worker is one process on one core; OpenCV would take all of them
        sys.modules["cv2"].setNumThreads(0)


def batches_of(tensors: Iterable[torch.Tensor], size: int, **options: Any) -> Batches:
    """Batches of tensors that are in memory already, e.g. (images, labels); fetched without workers."""
    return Batches(torch.utils.data.TensorDataset(*tensors), size, **{"workers": 0, **options})
