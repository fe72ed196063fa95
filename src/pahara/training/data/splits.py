"""Which items teach and which examine: stratified by class, and never one source on both sides.

Items that share a group (a video, a person, a near-copy) always go together, so a model is examined on what it has not seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pahara.core.errors import DataError

SHARES: Mapping[str, float] = {"train": 0.7, "val": 0.15, "test": 0.15}
FEWEST = 5  # recordings that file names must tell before they are believed
GENERIC = (
    "",
    "img",
    "image",
    "images",
    "photo",
    "picture",
    "pic",
    "frame",
    "frames",
    "dsc",
    "dscn",
    "dscf",
    "pxl",
    "mvimg",
    "vid",
    "video",
    "clip",
    "screenshot",
    "whatsapp image",
    "untitled",
    "train",
    "val",
    "test",
    "sample",
    "file",
    "scan",
    "crop",
)  # fmt: skip  (names that cameras and people give to everything)
TRIES, DRAWS = 4, 40  # stratified and random ways of splitting, of which the one nearest to the wanted shares is taken
MANY = 500  # groups

Rows = NDArray[np.intp]


def split(
    labels: Sequence[int], groups: Sequence[str] | None = None, *, shares: Mapping[str, float] = SHARES, seed: int = 0
) -> dict[str, Rows]:
    """Rows of each split, in order: classes spread evenly (scikit-learn's StratifiedGroupKFold), groups never torn.

    labels: the class of each item. groups: what must stay together, e.g. the video it comes from; None: every item by itself.
    shares: the wanted sizes, which sum to 1. With few or uneven groups the sizes come as near as they can.
    DataError when there are fewer groups than splits.
    """
    wanted = {name: float(share) for name, share in shares.items() if share > 0}
    if not wanted or abs(sum(wanted.values()) - 1) > 1e-6:
        raise DataError(f"the shares of the splits should sum to 1, not {sum(wanted.values()):g}")
    kinds = np.asarray(labels, np.intp)
    whose = _numbers(groups, len(kinds))
    rest = np.arange(len(kinds))
    found: dict[str, Rows] = {}
    left = 1.0
    for number, name in enumerate(sorted(wanted, key=lambda name: wanted[name])):  # smallest first; the largest takes what remains
        if number == len(wanted) - 1:
            found[name] = rest
            break
        if len(np.unique(whose[rest])) < len(wanted) - number:
            raise DataError(
                f"{len(np.unique(whose))} sources cannot be split into {len(wanted)} parts ({', '.join(wanted)}); "
                "add pictures from other sources, or ask for fewer parts"
            )
        taken = _part(kinds[rest], whose[rest], wanted[name] / left, seed + number)
        found[name], rest = rest[taken], rest[~taken]
        left -= wanted[name]
    separate(found, whose)
    return {name: np.sort(found[name]) for name in wanted}


def folds(labels: Sequence[int], groups: Sequence[str] | None = None, *, n: int = 5, seed: int = 0) -> Iterator[tuple[Rows, Rows]]:
    """n times (rows to learn from, rows to examine): every item examined once, groups never torn, classes spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kinds = np.asarray(labels, np.intp)
    whose = _numbers(groups, len(kinds))
    if n < 2 or len(np.unique(whose)) < n:
        raise DataError(f"{n} folds need at least 2 and as many sources, and there are {len(np.unique(whose))}; ask for fewer folds")
    if groups is None and np.unique(kinds, return_counts=True)[1].min() >= n:
        parts = StratifiedKFold(n, shuffle=True, random_state=seed).split(kinds, kinds)
    else:
        parts = _quiet(StratifiedGroupKFold(n, shuffle=True, random_state=seed), kinds, whose)
    for learn, examine in parts:
        separate({"train": learn, "test": examine}, whose)
        yield learn, examine


def separate(parts: Mapping[str, Rows], groups: NDArray[np.generic] | Sequence[str]) -> None:
    """DataError when a group has items in two parts; nothing that splits in Pahara returns without asking."""
    whose = np.asarray(groups)
    owner: dict[object, str] = {}
    for name, rows in parts.items():
        for group in np.unique(whose[rows]).tolist():
            if owner.setdefault(group, name) != name:
                raise DataError(
                    f"the source {group!r} stands in {owner[group]!r} and in {name!r}: the model would be examined on what it has learnt"
                )


def source_of(path: Path) -> str:
    """The recording that a picture seems to come from: its name without the number of the frame; "" when the name tells none.

    >>> source_of(Path("gate-cam_000123.jpg")), source_of(Path("gate-t0012.40.png")), source_of(Path("IMG_0123.jpg"))
    ('gate-cam', 'gate', '')
    """
    name = re.sub(r"(_jpg|_png|_jpeg)?\.rf\.[0-9a-f]+$", "", path.stem)  # Roboflow's copies of one picture
    name = re.sub(r"(?:(?:^|[-_. ]+)(?:frame|t|f|img|image))?[-_. ]*\d+(?:\.\d+)?s?$", "", name, flags=re.IGNORECASE)
    return "" if name.lower().strip("-_. ()") in (*GENERIC, path.parent.name.lower()) else name


def groups_of(paths: Sequence[Path], sources: Mapping[str, str] | None = None) -> list[str]:
    """A group for each file: its recording as `sources` (by file name) says, or as the names tell; else itself.

    Names are trusted only where they tell at least FEWEST recordings, none of which holds most of the files.
    """
    told = sources or {}
    guessed = [source_of(path) for path in paths]
    counts = Counter(source for source in guessed if source)
    trusted = len(counts) >= FEWEST and max(counts.values()) <= len(paths) / 2
    return [
        told.get(path.name) or (source if trusted and source else f"{path.parent.name}/{path.name}")
        for path, source in zip(paths, guessed, strict=True)
    ]


def joined(groups: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[str]:
    """The groups after those of each pair of rows (near-copies, say) became one."""
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    for a, b in pairs:
        parent[root(groups[a])] = root(groups[b])
    return [root(group) for group in groups]


def _part(kinds: Rows, whose: Rows, share: float, seed: int) -> NDArray[np.bool_]:
    """True for the items of a part of about `share`, in whole groups."""
    from sklearn.model_selection import StratifiedGroupKFold

    groups = len(np.unique(whose))
    if groups == len(whose):
        return _by_item(kinds, share, seed)
    counts = np.bincount(kinds)
    k = min(max(round(1 / share), 2), groups)
    stratified = TRIES if groups <= MANY else 1  # it looks at each group in turn, which takes long for thousands
    best, best_cost = np.zeros(len(kinds), bool), np.inf
    for attempt in range(stratified + DRAWS):
        if attempt < stratified:
            splitter = StratifiedGroupKFold(k, shuffle=True, random_state=seed * 1000 + attempt)
            parts = [examine for _, examine in _quiet(splitter, kinds, whose)]
        else:
            parts = [_drawn(whose, share, np.random.default_rng((seed, attempt)))]
        for part in parts:
            taken = np.zeros(len(kinds), bool)
            taken[part] = True
            if taken.all() or not taken.any():
                continue
            spread = np.abs(np.bincount(kinds[taken], minlength=len(counts)) - share * counts) / np.maximum(counts, 1)
            cost = abs(taken.mean() - share) + float(spread[counts > 0].mean())
            if cost < best_cost - 1e-12:
                best, best_cost = taken, cost
    return best


def _by_item(kinds: Rows, share: float, seed: int) -> NDArray[np.bool_]:
    """True for the items of a part, every item by itself: each class gives its share; a class of one goes where chance says."""
    from sklearn.model_selection import StratifiedShuffleSplit

    rng = np.random.default_rng(seed)
    taken = np.zeros(len(kinds), bool)
    count = min(max(round(share * len(kinds)), 1), len(kinds) - 1)
    sizes = np.bincount(kinds)
    few = np.isin(kinds, np.flatnonzero(sizes < 2))
    pool, classes = np.flatnonzero(~few), int((sizes > 1).sum())
    part = round(share * len(pool))
    if classes and part >= classes and len(pool) - part >= classes:
        ((_, chosen),) = StratifiedShuffleSplit(1, test_size=part, random_state=seed).split(pool, kinds[pool])
        taken[pool[chosen]] = True
        taken[few] = rng.random(int(few.sum())) < share
    else:
        taken[rng.permutation(len(kinds))[:count]] = True
    if taken.all() or not taken.any():
        taken[:] = np.arange(len(kinds)) == int(rng.integers(len(kinds)))
    return taken


def _drawn(whose: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Whole groups drawn until the share is reached; at least one, and never all."""
    order = rng.permutation(np.unique(whose))
    sizes = np.bincount(whose)[order]
    count = int(np.clip(np.searchsorted(np.cumsum(sizes), share * len(whose)) + int(rng.integers(0, 2)), 1, len(order) - 1))
    return np.flatnonzero(np.isin(whose, order[:count]))


def _numbers(groups: Sequence[str] | None, n: int) -> Rows:
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise ValueError(f"{len(groups)} groups for {n} items")
    return np.unique(np.asarray(groups, object).astype(str), return_inverse=True)[1].astype(np.intp)


def _quiet(splitter, kinds: Rows, whose: Rows):  # type: ignore[no-untyped-def]
    """The splitter's parts, without its warning that a class has fewer items than folds: such a class goes where it can."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            yield from splitter.split(kinds, kinds, whose)
        except ValueError:  # every class has fewer items than there are folds: strata are impossible
            from sklearn.model_selection import GroupKFold

            yield from GroupKFold(splitter.n_splits, shuffle=True, random_state=splitter.random_state).split(kinds, kinds, whose)
