"""What was measured of people, one row per person and moment: the food of a normality model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pahara.core.frozen import Frozen

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Samples:
    """n causal windows of one second; row i of every array is one person at one moment.

    `features` are in units of the picture (its height is 1) or of the person's own box, never of a fitted scale: what was
    measured long ago can be read by a model fitted today. A row of NaN: this attribute cannot be told of this moment.
    """

    tracks: NDArray[np.int64]  # (n,) distinct-track key, unique over everything that is learned from
    times: NDArray[np.float64]  # (n,) UTC seconds
    labels: NDArray[np.str_]  # (n,) class names
    boxes: NDArray[np.float32]  # (n, 4) pixels
    size: Size  # width, height in pixels
    features: Mapping[str, NDArray[np.float32]] = field(default_factory=Frozen)  # attribute -> (n, d)

    def __post_init__(self) -> None:
        n = len(self.tracks)
        lengths = {len(self.times), len(self.labels), len(self.boxes), *(len(values) for values in self.features.values())}
        if lengths - {n}:
            raise ValueError(f"samples need as many rows in every array: {n} tracks, but {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.integer] | Sequence[int]) -> Samples:
        """Some of the rows."""
        where = rows if isinstance(rows, slice | np.ndarray) else np.asarray(rows, np.int64)
        features = {name: values[where] for name, values in self.features.items()}
        return Samples(self.tracks[where], self.times[where], self.labels[where], self.boxes[where], self.size, Frozen(features))

    @property
    def feet(self) -> NDArray[np.float64]:
        """(n, 2) where they stood: x and y in picture heights."""
        boxes = self.boxes.astype(np.float64)
        return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1) / self.size[1]

    @property
    def heights(self) -> NDArray[np.float64]:
        """(n,) picture heights."""
        boxes = self.boxes.astype(np.float64)
        tall: NDArray[np.float64] = (boxes[:, 3] - boxes[:, 1]) / self.size[1]
        return tall

    def with_feature(self, name: str, values: NDArray[np.floating]) -> Samples:
        """The same rows with one attribute more, e.g. "appearance": (n, d); NaN rows where there is none."""
        column = np.asarray(values, np.float32)
        return replace(self, features=Frozen({**self.features, name: column if column.ndim == 2 else column.reshape(len(self), 1)}))

    def only(self, *names: str) -> Samples:
        """The same rows with these attributes alone."""
        return replace(self, features=Frozen({name: values for name, values in self.features.items() if name in names}))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays for a file; `from_arrays` reads them."""
        plain: dict[str, NDArray[np.generic]] = {
            "tracks": self.tracks, "times": self.times, "labels": np.asarray(self.labels, np.str_), "boxes": self.boxes,
            "size": np.array(self.size, np.int64),
        }  # fmt: skip
        return plain | {f"feature.{name}": values for name, values in sorted(self.features.items())}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Samples:
        """What `arrays` gave. KeyError or ValueError when something is missing or does not fit."""
        features = {name[8:]: np.asarray(values, np.float32) for name, values in arrays.items() if name.startswith("feature.")}
        wide, tall = (int(side) for side in np.asarray(arrays["size"]).astype(np.int64))
        return cls(
            np.asarray(arrays["tracks"]).astype(np.int64), np.asarray(arrays["times"]).astype(np.float64),
            np.asarray(arrays["labels"], np.str_), np.asarray(arrays["boxes"]).astype(np.float32), (wide, tall), Frozen(features),
        )  # fmt: skip


def none_of(size: Size) -> Samples:
    """No rows at all."""
    return Samples(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, "U1"), np.zeros((0, 4), np.float32), size)


def together(parts: Iterable[Samples]) -> Samples:
    """One after the other. Attributes that a part lacks are NaN there; boxes are taken to the last part's size."""
    some = list(parts)
    if not some:
        raise ValueError("nothing to put together")
    size = some[-1].size
    filled = [part for part in some if len(part)]
    if not filled:
        return none_of(size)
    widths: dict[str, int] = {}
    for part in filled:
        for name, values in part.features.items():
            if widths.setdefault(name, values.shape[1]) != values.shape[1]:
                raise ValueError(f"the attribute {name!r} has {widths[name]} values here and {values.shape[1]} there")
    features = {
        name: np.concatenate(
            [part.features[name] if name in part.features else np.full((len(part), width), np.nan, np.float32) for part in filled]
        )
        for name, width in sorted(widths.items())
    }
    boxes = [part.boxes * (np.array([size[0], size[1]] * 2, np.float32) / np.array([*part.size] * 2, np.float32)) for part in filled]
    return Samples(
        np.concatenate([part.tracks for part in filled]), np.concatenate([part.times for part in filled]),
        np.concatenate([part.labels for part in filled]), np.concatenate(boxes).astype(np.float32), size, Frozen(features),
    )  # fmt: skip
