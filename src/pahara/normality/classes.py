"""Classes of things as coordinates: a car that drives is no person who runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .attributes import CLASS

COMMON = 20  # tracks from which a class has a place of its own


@dataclass(frozen=True)
class Classes:
    """The classes that this camera sees often."""

    names: tuple[str, ...] = ()

    @classmethod
    def fit(cls, labels: NDArray[np.str_], tracks: NDArray[np.int64]) -> Classes:
        """(n,) class names and tracks -> the classes with tracks enough."""
        return cls(tuple(sorted(str(name) for name in np.unique(labels) if len(np.unique(tracks[labels == name])) >= COMMON)))

    def columns(self, labels: NDArray[np.str_], *, strict: bool) -> NDArray[np.float64]:
        """(n,) names -> (n, classes [+ 1]): `CLASS` in the column of its class.

        A class that is not common has no column: it is compared with all the others, unless `strict`, where it stands
        apart from them.
        """
        columns = np.zeros((len(labels), len(self.names) + strict))
        for column, name in enumerate(self.names):
            columns[labels == name, column] = CLASS
        if strict:
            columns[~np.isin(labels, self.names), -1] = CLASS
        return columns
