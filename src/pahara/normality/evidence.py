"""Evidence over time: one odd moment is noise, an odd second after second is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEP = 0.5  # seconds between two judgements of one track
SECONDS = 8.0  # of the trail that count


def grid(time: float, step: float = STEP, seconds: float = SECONDS) -> list[float]:
    """The moments up to `time` (media seconds) at which evidence is taken: multiples of `step`, whenever one asks.

    >>> grid(1.3, seconds=1.0)
    [0.5, 1.0]
    """
    last = int(np.floor(time / step + 1e-6))
    count = round(seconds / step)
    return [index * step for index in range(last - count + 1, last + 1) if index >= 0]


def gathered(p: Floats, drift: float, step: float = STEP, *, begun: float = 1.0) -> Floats:
    """(n, t) fused p-values of the grid in order of time -> (n,) evidence: E ← max(0, E − (log p + drift) · step).

    The one-sided cumulative sum of Page (1954). Of the last step only the share `begun` has passed, so that evidence grows
    evenly and not in leaps. NaN: nothing was told of that moment, and the evidence stays as it is.

    >>> gathered(np.array([[np.exp(-5.0), np.exp(-5.0), 1.0]]), drift=2.0, step=1.0)
    array([4.])
    """
    gain = gains(p, drift, step)
    if p.shape[1]:
        gain[:, -1] *= begun
    evidence = np.zeros(len(p))
    for column in gain.T:
        evidence = np.maximum(evidence + column, 0.0)
    return evidence


def gains(p: Floats, drift: float, step: float) -> Floats:
    """p-values -> what one step adds to the evidence; 0 where nothing was told."""
    gain: Floats = np.where(np.isnan(p), 0.0, -(np.log(np.where(np.isnan(p), 1.0, p)) + drift) * step)
    return gain


def over_tracks(p: Floats, tracks: NDArray[np.int64], times: Floats, drift: float, step: float = STEP) -> Floats:
    """(n,) p-values of many tracks, a row every `step` seconds -> (n,) each track's evidence at each of its moments.

    The same number as `gathered` over the last `SECONDS` of each row's own track.
    """
    order = np.lexsort((times, tracks))
    who, when, told = tracks[order], times[order], p[order]
    gain = gains(told, drift, step)
    evidence, run = np.zeros(len(p)), np.zeros(len(p))
    for lag in range(round(SECONDS / step)):  # the largest sum of the last 1, 2, 3 ... gains
        if lag >= len(p):
            break
        same = np.zeros(len(p), bool)
        same[lag:] = (who[lag:] == who[: len(p) - lag]) & (when[lag:] - when[: len(p) - lag] < SECONDS - step / 2)
        shifted = np.zeros(len(p))
        shifted[lag:] = gain[: len(p) - lag]
        run += np.where(same, shifted, -np.inf)
        evidence = np.maximum(evidence, run)
    back = np.empty(len(p))
    back[order] = evidence
    return back
