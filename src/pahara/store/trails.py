"""A stretch of observations as one small blob, and back without loss: the form in which tracks are kept.

Layout of a blob, version 1, little-endian: 4 bytes "PHT" + version, CRC-32 of the rest (4 bytes), length of the
unpacked body (4 bytes), then the body packed by zlib (RFC 1950). The body is a JSON header (4 bytes of length before it)
and plain columns. Rows of one track stand together, so a box is kept as its small step from the box before
it, on the 1/8-pixel grid of `on_grid`; low and high bytes stand in planes of their own, where zlib finds the zeros.

Exact for what `on_grid` made: times, ids, order, boxes, labels, seen, signals. The confidence of a sighting is kept in
1/255 steps (no behaviour reads it). What is not on the grid is kept exactly too, as plain floats, and takes more room.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import pairwise
from struct import Struct, error
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import Observation, StoreError
from pahara.core.frozen import Frozen
from pahara.tracking.memory import GRID

VERSION = 1
_MAGIC = b"PHT"
_HEAD = Struct("<4sII")
_LENGTH = Struct("<I")
_LARGEST = 1 << 28  # bytes unpacked: far above an hour of a crowd, far below what would hurt
_MICRO = 1e6


def encode(observations: Sequence[Observation]) -> bytes:
    """At least one observation, times strictly increasing -> blob. ValueError when time does not increase."""
    times = np.array([o.time for o in observations], np.float64)
    if not len(times) or not np.all(np.diff(times) > 0):
        raise ValueError("a stretch of observations needs at least one, and times that increase")
    counts = np.array([len(o) for o in observations], np.uint32)
    ids = np.concatenate([o.ids for o in observations]).astype(np.int64)
    boxes = np.concatenate([o.boxes for o in observations]).astype(np.float32, copy=False)
    scores = np.concatenate([o.scores for o in observations])
    seen = np.concatenate([o.seen for o in observations])

    tracks, which = np.unique(ids, return_inverse=True)
    order = np.argsort(which, kind="stable")  # track by track, each in order of time
    names = list(dict.fromkeys(label for o in observations for label in o.labels))
    place = {name: i for i, name in enumerate(names)}
    labels = np.array([place[label] for o in observations for label in o.labels], np.uint16)
    patterns = list(dict.fromkeys(tuple(o.signals) for o in observations))  # which signals a beat has; nearly always the same
    pattern = {keys: i for i, keys in enumerate(patterns)}

    header: dict[str, Any] = {"beats": len(times), "rows": len(ids), "tracks": len(tracks), "labels": names, "signals": patterns}
    columns = [_column(counts), _column(_steps(tracks)), _column(which.astype(np.uint32))]
    micros = np.round(times * _MICRO)
    if np.abs(micros).max() < 2**53 and np.array_equal(micros / _MICRO, times):
        columns.append(_column(_steps(micros.astype(np.int64), 2)))  # a steady beat becomes zeros
    else:
        header["plain_times"] = True
        columns.append(times.tobytes())
    sorted_boxes = boxes[order]
    cells = sorted_boxes * np.float32(GRID)
    if np.abs(cells).max(initial=0) < 2**30 and np.array_equal(np.round(cells), cells):  # a NaN fails both
        first = np.flatnonzero(np.diff(which[order], prepend=-1))
        columns.append(_column(_box_steps(cells.astype(np.int64), first)))
    else:
        header["plain_boxes"] = True
        columns.append(sorted_boxes.tobytes())
    columns += [_column(labels[order]), np.packbits(seen[order]).tobytes()]
    columns.append(np.round(np.clip(np.nan_to_num(scores[order]), 0, 1) * 255).astype(np.uint8).tobytes())
    columns.append(_column(np.array([pattern[tuple(o.signals)] for o in observations], np.uint16)))
    values = np.array([v for o in observations for v in o.signals.values()], np.float64)
    short = values.astype(np.float32)
    if np.array_equal(short.astype(np.float64), values, equal_nan=True):
        columns.append(_column(short.view(np.uint32)))
    else:
        header["plain_signals"] = True
        columns.append(values.tobytes())

    told = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    body = _LENGTH.pack(len(told)) + told + b"".join(columns)
    packed = _LENGTH.pack(len(body)) + zlib.compress(body, 6)
    return _MAGIC + bytes([VERSION]) + _LENGTH.pack(zlib.crc32(packed)) + packed


def decode(blob: bytes, where: str = "these trails") -> list[Observation]:
    """The observations of one blob; StoreError, naming `where`, when it is damaged or of a newer version."""
    try:
        magic, check, length = _HEAD.unpack_from(blob)
    except error:
        raise StoreError(f"{where} are damaged: {len(blob)} bytes are too few") from None
    if magic[:3] != _MAGIC:
        raise StoreError(f"{where} are damaged: they do not begin as trails do")
    if zlib.crc32(blob[8:]) != check:
        raise StoreError(f"{where} are damaged (checksum); what came before and after can still be replayed")
    if magic[3] != VERSION:
        raise StoreError(f"{where} were written by a newer Pahara (format {magic[3]}; this one knows {VERSION}): update pahara")
    try:
        if length > _LARGEST:
            raise ValueError(f"{length} bytes")
        body = zlib.decompress(blob[_HEAD.size :], bufsize=length)
        if len(body) != length:
            raise ValueError(f"{len(body)} bytes instead of {length}")
        return _unpack(body)
    except (ValueError, KeyError, TypeError, IndexError, zlib.error, error) as problem:
        raise StoreError(f"{where} are damaged: {problem}") from None


def _unpack(body: bytes) -> list[Observation]:
    (told,) = _LENGTH.unpack_from(body)
    header = json.loads(body[4 : 4 + told].decode("utf-8", "surrogatepass"))
    beats, rows = int(header["beats"]), int(header["rows"])
    read = _Reader(body, 4 + told)
    counts = read.column(beats, np.uint32).astype(np.int64)
    tracks = _sums(read.column(int(header["tracks"]), np.uint64))
    which = read.column(rows, np.uint32)
    if header.get("plain_times"):
        times = read.plain(beats, np.float64)
    else:
        times = _sums(read.column(beats, np.uint64), 2) / _MICRO
    order = np.argsort(which, kind="stable")
    boxes = np.empty((rows, 4), np.float32)
    if header.get("plain_boxes"):
        boxes[order] = read.plain(rows * 4, np.float32).reshape(rows, 4)
    else:
        first = np.flatnonzero(np.diff(which[order].astype(np.int64), prepend=-1))
        boxes[order] = (_box_sums(read.column(rows * 4, np.uint64), first) / GRID).astype(np.float32)
    labels = np.empty(rows, np.intp)
    labels[order] = read.column(rows, np.uint16)
    seen = np.empty(rows, np.bool_)
    seen[order] = np.unpackbits(read.plain((rows + 7) // 8, np.uint8), count=rows).astype(np.bool_)
    scores = np.empty(rows, np.float32)
    scores[order] = read.plain(rows, np.uint8) / np.float32(255)
    pattern = read.column(beats, np.uint16)
    keys = [tuple(header["signals"][p]) for p in pattern]
    total = sum(map(len, keys))
    if header.get("plain_signals"):
        values = read.plain(total, np.float64)
    else:
        values = read.column(total, np.uint32).view(np.float32).astype(np.float64)
    read.finish()
    if counts.sum() != rows:
        raise ValueError(f"{counts.sum()} rows instead of {rows}")

    ids = tracks[which]
    for array in (ids, boxes, seen, scores):
        array.flags.writeable = False
    names = header["labels"]
    words = [names[i] for i in labels]
    numbers = values.tolist()
    made = []
    row = at = 0
    for time, count, own in zip(times.tolist(), counts.tolist(), keys, strict=True):
        part = slice(row, row + count)
        signals = Frozen(dict(zip(own, numbers[at : at + len(own)], strict=True)))
        made.append(Observation(time, ids[part], boxes[part], tuple(words[part]), seen[part], scores[part], signals))
        row, at = row + count, at + len(own)
    return made


class _Reader:
    """Takes columns from a body, one after the other."""

    def __init__(self, body: bytes, at: int) -> None:
        self.body, self.at = body, at

    def plain(self, n: int, kind: type[Any]) -> NDArray[Any]:
        array = np.frombuffer(self.body, kind, n, self.at)
        self.at += array.nbytes
        return array

    def column(self, n: int, kind: type[Any]) -> NDArray[Any]:
        """See `_column`."""
        used = int(self.plain(1, np.uint8)[0])
        wide = np.zeros((n, np.dtype(kind).itemsize), np.uint8)
        wide[:, :used] = self.plain(n * used, np.uint8).reshape(used, n).T
        return wide.view(np.dtype(kind).newbyteorder("<")).reshape(n).astype(kind)

    def finish(self) -> None:
        if self.at != len(self.body):
            raise ValueError(f"{len(self.body) - self.at} bytes too many")


def _column(array: NDArray[np.unsignedinteger[Any]]) -> bytes:
    """(n,) unsigned -> how many bytes a number needs (1 byte), then all lowest bytes, all second-lowest …"""
    planes = array.astype(array.dtype.newbyteorder("<")).reshape(-1, 1).view(np.uint8)
    used = int(np.flatnonzero(planes.any(axis=0)).max(initial=-1)) + 1 if planes.size else 0
    return bytes([used]) + np.ascontiguousarray(planes[:, :used].T).tobytes()


def _zigzag(array: NDArray[np.int64]) -> NDArray[np.uint64]:
    """0, -1, 1, -2, 2 … -> 0, 1, 2, 3, 4 …: small numbers of either sign become small numbers."""
    return ((array << 1) ^ (array >> 63)).view(np.uint64)


def _unzigzag(array: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (array >> np.uint64(1)).view(np.int64) ^ -(array & np.uint64(1)).view(np.int64)


def _steps(array: NDArray[np.int64], times: int = 1) -> NDArray[np.uint64]:
    """(n,) -> each number's difference from the one before; `times` = 2 takes differences of these."""
    for _ in range(times):
        array = np.diff(array, prepend=np.int64(0))
    return _zigzag(array)


def _sums(array: NDArray[np.uint64], times: int = 1) -> NDArray[np.int64]:
    steps = _unzigzag(array)
    for _ in range(times):
        steps = np.cumsum(steps)
    return steps


def _box_steps(cells: NDArray[np.int64], first: NDArray[np.intp]) -> NDArray[np.uint64]:
    """(rows, 4) track by track, `first` the row where each begins -> (4 * rows,) steps of x1, y1, width, height."""
    shape = np.concatenate([cells[:, :2], cells[:, 2:] - cells[:, :2]], axis=1)
    steps = np.diff(shape, axis=0, prepend=np.zeros((1, 4), np.int64))
    steps[first] = shape[first]
    return _zigzag(np.ascontiguousarray(steps.T)).reshape(-1)


def _box_sums(column: NDArray[np.uint64], first: NDArray[np.intp]) -> NDArray[np.int64]:
    steps = _unzigzag(column).reshape(4, -1).T.copy()
    for begin, end in pairwise([*first.tolist(), len(steps)]):
        np.cumsum(steps[begin:end], axis=0, out=steps[begin:end])
    steps[:, 2:] += steps[:, :2]
    return steps
