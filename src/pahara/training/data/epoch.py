"""Which epoch it is, in memory that a loader's workers share: those that live on see the next epoch begin."""

from __future__ import annotations

import torch


class Epoch:
    """A number that the main process sets and every worker reads."""

    def __init__(self) -> None:
        self._value = torch.zeros((), dtype=torch.int64)
        self._value.share_memory_()  # type: ignore[no-untyped-call]

    def set(self, epoch: int) -> None:
        self._value.fill_(epoch)

    def get(self) -> int:
        return int(self._value)
