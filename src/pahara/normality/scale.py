"""How tall a person looks at each height of the picture, so that speed can be told in body heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 8  # tracks; below that the camera's slope is a guess
LEAST = 0.3  # of the usual height: no place of the picture shows people smaller than this share


@dataclass(frozen=True)
class BodyScale:
    """h(y) = slope · y + level: the height of a standing person whose feet are at image row y.

    All three are fractions of the picture's height, so that another resolution of the same camera agrees.
    """

    slope: float = 0.0
    level: float = 0.25
    usual: float = 0.25  # the median height; nothing is taken for smaller than `LEAST` of it

    def at(self, y: NDArray[np.floating]) -> Floats:
        """(n,) rows as fractions of the picture's height -> (n,) body heights as fractions of it.

        >>> float(BodyScale(0.5, 0.0, 0.25).at(np.array([0.8]))[0])
        0.4
        """
        heights: Floats = np.maximum(self.slope * np.asarray(y, np.float64) + self.level, LEAST * self.usual)
        return heights

    @classmethod
    def fit(cls, y: NDArray[np.floating], heights: NDArray[np.floating], tracks: NDArray[np.int64]) -> BodyScale:
        """From feet and heights of people (n,), fractions of the picture's height, and whose they are (n,).

        Every track counts once at each of the rows that it visits; an M-estimator (Huber 1964) keeps half-hidden people
        and false boxes from bending the line. The level alone is fitted where all walk at the same row.
        """
        y, heights = np.asarray(y, np.float64), np.asarray(heights, np.float64)
        if not len(y):
            return cls()
        cell = np.floor(y * 20).astype(np.int64)
        _, where = np.unique(np.stack([tracks, cell]), axis=1, return_inverse=True)
        where = where.reshape(-1)
        count = np.bincount(where).astype(np.float64)
        rows, tall = np.bincount(where, y) / count, np.bincount(where, heights) / count
        usual = float(np.median(tall))
        low, high = np.percentile(rows, [5, 95])
        if len(np.unique(tracks)) < FEWEST or high - low < 0.05:
            return cls(0.0, usual, usual)
        design = np.stack([rows, np.ones_like(rows)], axis=1)
        weights = np.ones_like(rows)
        slope, level = 0.0, usual
        for _ in range(20):
            root = np.sqrt(weights)
            (slope, level), *_ = np.linalg.lstsq(design * root[:, None], tall * root, rcond=None)
            off = np.abs(tall - slope * rows - level)
            spread = max(1.4826 * float(np.median(off)), 1e-4)
            weights = np.minimum(1.0, 1.345 * spread / np.maximum(off, 1e-9))
        if slope < 0:  # people do not shrink towards the camera
            return cls(0.0, usual, usual)
        return cls(float(slope), float(level), usual)
