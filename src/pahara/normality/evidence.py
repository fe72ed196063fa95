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


def gathered(p: Floats, drift: float, step: float = STEP) -> Floats:
    """(…, t) fused p-values in order of time -> (…, t) E ← max(0, E − (log p + drift) · step) (CUSUM, Page 1954).

    NaN: nothing was told of that moment; the evidence stays as it is.

    >>> gathered(np.array([np.exp(-5.0), np.exp(-5.0), 1.0]), drift=2.0, step=1.0)
    array([3., 6., 4.])
    """
    gain = np.where(np.isnan(p), 0.0, -(np.log(np.where(np.isnan(p), 1.0, p)) + drift) * step)
    evidence = np.zeros(p.shape)
    now = np.zeros(p.shape[:-1])
    for at in range(p.shape[-1]):
        now = np.maximum(now + gain[..., at], 0.0)
        evidence[..., at] = now
    return evidence


def over_tracks(p: Floats, tracks: NDArray[np.int64], times: Floats, drift: float, step: float = STEP) -> Floats:
    """(n,) p-values of many tracks, a row every `step` seconds -> (n,) each track's evidence at each of its moments.

    The same number as `gathered` over the last `SECONDS` of each row's own track.
    """
    order = np.lexsort((times, tracks))
    who, when, told = tracks[order], times[order], p[order]
    gain = np.where(np.isnan(told), 0.0, -(np.log(np.where(np.isnan(told), 1.0, told)) + drift) * step)
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
