"""Pictures that are the same, or nearly: repeated in a split they weigh double, on both sides of one they give the answer away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..splits import groups_of, source_of
from .findings import Finding
from .looking import Look

BITS = 3  # of 64 that may differ between near-copies: four bands of 16 bits then share one band at least
MEAN, MOST = 3.0, 20.0  # grey levels by which the small pictures may differ, on average and anywhere
BLOCK = 2048


def same_files(looks: Sequence[Look]) -> list[list[int]]:
    """Rows of pictures whose files are byte for byte the same; groups of two or more."""
    found: defaultdict[bytes, list[int]] = defaultdict(list)
    for row, look in enumerate(looks):
        if look.digest:
            found[look.digest].append(row)
    return [rows for rows in found.values() if len(rows) > 1]


def near_pairs(looks: Sequence[Look]) -> list[tuple[int, int]]:
    """Pairs of rows that look the same (scaled, or compressed again) though their files differ. About linear in their number."""
    rows = np.array([row for row, look in enumerate(looks) if look.readable], np.intp)
    if len(rows) < 2:
        return []
    hashes = np.array([looks[row].hash for row in rows.tolist()], np.uint64)
    small = np.stack([looks[row].small for row in rows.tolist()]).reshape(len(rows), -1).astype(np.int16)
    found: set[tuple[int, int]] = set()
    for band in range(4):
        keys = (hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        order = np.argsort(keys, kind="stable")
        edges = np.flatnonzero(np.diff(keys[order])) + 1
        for group in np.split(order, edges):
            found.update(_alike(group, hashes, small))
    pairs = [(int(rows[a]), int(rows[b])) for a, b in sorted(found)]
    return [(a, b) for a, b in pairs if looks[a].digest != looks[b].digest]


def _alike(group: NDArray[np.intp], hashes: NDArray[np.uint64], small: NDArray[np.int16]) -> Iterator[tuple[int, int]]:
    for start in range(0, len(group), BLOCK) if len(group) > 1 else ():
        block = group[start : start + BLOCK]
        differ = np.bitwise_count(hashes[block][:, None] ^ hashes[group][None, start:])
        for i, j in zip(*np.nonzero(differ <= BITS), strict=True):
            a, b = int(block[i]), int(group[start + j])
            if j > i:
                apart = np.abs(small[a] - small[b])
                if apart.max() <= MOST and apart.mean() <= MEAN:
                    yield min(a, b), max(a, b)


def find_copies(looks: Sequence[Look], splits: Sequence[str], labels: Sequence[int] | None, *, near: bool = True) -> list[Finding]:
    """Findings of copies within a split and across splits. `splits` names the split of each look, `labels` the class (of class folders)."""
    findings = []
    told: set[int] = set()
    for rows in same_files(looks):
        first = rows[0]
        for row in rows[1:]:
            told.add(row)
            findings.append(_finding(first, row, looks, splits, labels, "same"))
    for a, b in near_pairs(looks) if near else []:
        if b in told and splits[a] == splits[b]:
            continue  # one finding for each copy is enough
        told.add(b)
        findings.append(_finding(a, b, looks, splits, labels, "near"))
    return findings


def _finding(a: int, b: int, looks: Sequence[Look], splits: Sequence[str], labels: Sequence[int] | None, how: str) -> Finding:
    values = {"other": str(looks[a].path)}
    if labels is not None and labels[a] != labels[b] and how == "same":
        return Finding("copy-conflict", looks[b].path, 0, values)
    if splits[a] != splits[b]:
        return Finding(f"leak-{how}", looks[b].path, 0, values | {"split": splits[b], "other_split": splits[a]})
    return Finding(f"copy-{how}", looks[b].path, 0, values)


def find_shared_sources(looks: Sequence[Look], splits: Sequence[str], sources: Mapping[str, str]) -> list[Finding]:
    """Recordings with pictures on both sides of a split: certain where `sources.csv` says so, else supposed from the names.

    Where there are fewer recordings than splits nobody can do better: that is worth knowing, and no error.
    """
    paths = [look.path for look in looks]
    groups = groups_of(paths, sources)
    where: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row, (group, split) in enumerate(zip(groups, splits, strict=True)):
        where[group].setdefault(split, row)
    findings = []
    few = len(where) < len(set(splits))
    for group, rows in where.items():
        if len(rows) < 2:
            continue
        split, row = list(rows.items())[-1]
        sure = sources.get(paths[row].name) == group
        if not sure and source_of(paths[row]) != group:
            continue
        values = {"source": group, "splits": ", ".join(rows), "split": split}
        findings.append(Finding("leak-few" if few else "leak-source" if sure else "leak-names", paths[row], 0, values))
    return findings
