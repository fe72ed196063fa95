"""A stretch of observations as one small blob, and back without loss: the form in which tracks are kept.

Layout of a blob, version 2, little-endian: 4 bytes "PHT" + version, CRC-32 of the rest (4 bytes), length of the
unpacked body (4 bytes), then the body packed by zlib (RFC 1950). The body is a JSON header (4 bytes of length before it)
and plain columns. Rows of one track stand together, so a box is kept as its small step from the box before
it, on the 1/8-pixel grid of `on_grid`; low and high bytes stand in planes of their own, where zlib finds the zeros.

Exact for what `on_grid` made: times, ids, order, boxes, labels, seen, signals, joints. The confidence of a sighting is kept
in 1/255 steps (no behaviour reads it). What is not on the grid is kept exactly too, as plain floats, and takes more room.

Version 2 added joints (`joints.py`) behind everything else: only those of people whom pose looked at, so that without
pose a blob is what it was. Version 1 is still read.
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

from . import joints
from .columns import Reader, column, steps, sums, unzigzag, zigzag

VERSION = 2
READ = (1, 2)  # versions that this one reads
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
    columns = [column(counts), column(steps(tracks)), column(which.astype(np.uint32))]
    micros = np.round(times * _MICRO)
    if np.abs(micros).max() < 2**53 and np.array_equal(micros / _MICRO, times):
        columns.append(column(steps(micros.astype(np.int64), 2)))  # a steady beat becomes zeros
    else:
        header["plain_times"] = True
        columns.append(times.tobytes())
    sorted_boxes = boxes[order]
    cells = sorted_boxes * np.float32(GRID)
    if np.abs(cells).max(initial=0) < 2**30 and np.array_equal(np.round(cells), cells):  # a NaN fails both
        first = np.flatnonzero(np.diff(which[order], prepend=-1))
        columns.append(column(_box_steps(cells.astype(np.int64), first)))
    else:
        header["plain_boxes"] = True
        columns.append(sorted_boxes.tobytes())
    columns += [column(labels[order]), np.packbits(seen[order]).tobytes()]
    columns.append(np.round(np.clip(np.nan_to_num(scores[order]), 0, 1) * 255).astype(np.uint8).tobytes())
    columns.append(column(np.array([pattern[tuple(o.signals)] for o in observations], np.uint16)))
    values = np.array([v for o in observations for v in o.signals.values()], np.float64)
    short = values.astype(np.float32)
    if np.array_equal(short.astype(np.float64), values, equal_nan=True):
        columns.append(column(short.view(np.uint32)))
    else:
        header["plain_signals"] = True
        columns.append(values.tobytes())
    told_joints, more = joints.encode(observations, order, sorted_boxes, which[order])
    header |= told_joints
    columns += more

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
    if magic[3] not in READ:
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
    read = Reader(body, 4 + told)
    counts = read.column(beats, np.uint32).astype(np.int64)
    tracks = sums(read.column(int(header["tracks"]), np.uint64))
    which = read.column(rows, np.uint32)
    if header.get("plain_times"):
        times = read.plain(beats, np.float64)
    else:
        times = sums(read.column(beats, np.uint64), 2) / _MICRO
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
    skeletons = joints.decode(header, read, counts, order, boxes[order], which[order].astype(np.intp))
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
    for time, count, own, skeleton in zip(times.tolist(), counts.tolist(), keys, skeletons, strict=True):
        part = slice(row, row + count)
        signals = Frozen(dict(zip(own, numbers[at : at + len(own)], strict=True)))
        made.append(Observation(time, ids[part], boxes[part], tuple(words[part]), seen[part], scores[part], signals, skeleton))
        row, at = row + count, at + len(own)
    return made


def _box_steps(cells: NDArray[np.int64], first: NDArray[np.intp]) -> NDArray[np.uint64]:
    """(rows, 4) track by track, `first` the row where each begins -> (4 * rows,) steps of x1, y1, width, height."""
    shape = np.concatenate([cells[:, :2], cells[:, 2:] - cells[:, :2]], axis=1)
    steps = np.diff(shape, axis=0, prepend=np.zeros((1, 4), np.int64))
    steps[first] = shape[first]
    return zigzag(np.ascontiguousarray(steps.T)).reshape(-1)


def _box_sums(column: NDArray[np.uint64], first: NDArray[np.intp]) -> NDArray[np.int64]:
    steps = unzigzag(column).reshape(4, -1).T.copy()
    for begin, end in pairwise([*first.tolist(), len(steps)]):
        np.cumsum(steps[begin:end], axis=0, out=steps[begin:end])
    steps[:, 2:] += steps[:, :2]
    return steps
