"""Columns of numbers as bytes that zlib packs well, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Reader:
    """Takes columns from a body, one after the other."""

    def __init__(self, body: bytes, at: int) -> None:
        self.body, self.at = body, at

    def plain(self, n: int, kind: type[Any]) -> NDArray[Any]:
        array = np.frombuffer(self.body, kind, n, self.at)
        self.at += array.nbytes
        return array

    def column(self, n: int, kind: type[Any]) -> NDArray[Any]:
        """See `column`."""
        used = int(self.plain(1, np.uint8)[0])
        wide = np.zeros((n, np.dtype(kind).itemsize), np.uint8)
        wide[:, :used] = self.plain(n * used, np.uint8).reshape(used, n).T
        return wide.view(np.dtype(kind).newbyteorder("<")).reshape(n).astype(kind)

    def finish(self) -> None:
        if self.at != len(self.body):
            raise ValueError(f"{len(self.body) - self.at} bytes too many")


def column(array: NDArray[np.unsignedinteger[Any]]) -> bytes:
    """(n,) unsigned -> how many bytes a number needs (1 byte), then all lowest bytes, all second-lowest …"""
    planes = array.astype(array.dtype.newbyteorder("<")).reshape(-1, 1).view(np.uint8)
    used = int(np.flatnonzero(planes.any(axis=0)).max(initial=-1)) + 1 if planes.size else 0
    return bytes([used]) + np.ascontiguousarray(planes[:, :used].T).tobytes()


def zigzag(array: NDArray[np.int64]) -> NDArray[np.uint64]:
    """0, -1, 1, -2, 2 … -> 0, 1, 2, 3, 4 …: small numbers of either sign become small numbers."""
    return ((array << 1) ^ (array >> 63)).view(np.uint64)


def unzigzag(array: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (array >> np.uint64(1)).view(np.int64) ^ -(array & np.uint64(1)).view(np.int64)


def steps(array: NDArray[np.int64], times: int = 1) -> NDArray[np.uint64]:
    """(n,) -> each number's difference from the one before; `times` = 2 takes differences of these."""
    for _ in range(times):
        array = np.diff(array, prepend=np.int64(0))
    return zigzag(array)


def sums(array: NDArray[np.uint64], times: int = 1) -> NDArray[np.int64]:
    steps = unzigzag(array)
    for _ in range(times):
        steps = np.cumsum(steps)
    return steps
