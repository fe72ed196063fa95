"""Where every track will be next: a Kalman filter with numpy, all tracks at once, in seconds.

Each of the four box coordinates (centre x, centre y, width, height) is filtered by itself, as a place
and a velocity. Velocity is an Ornstein-Uhlenbeck process: it keeps its value for about `memory`
seconds and stays within a usual spread, so a track that is out of sight slows down instead of flying
away, and its uncertainty stays finite. Because the process is continuous in time, predicting half a
second twice equals predicting one second once: no frame rate is special. (SORT, ByteTrack and BoT-SORT
use the same coordinates with constant velocity *per frame*; Särkkä & Solin 2019 give the algebra.)

All lengths are relative to the size of the object, the square root of its box area.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

# For centre x, centre y, width, height:
SPREAD = np.array([2.5, 2.5, 0.5, 0.5])  # usual velocity, object sizes per second; a walk is about 1.3, a run 4
MEMORY = np.array([24.0, 24.0, 0.5, 0.5])  # seconds that a velocity lasts
NOISE = np.array([0.15, 0.15, 0.22, 0.22])  # error of a detection, object sizes; large, for detectors err alike for many frames
CALM = 0.1  # seconds between frames at which NOISE holds: more frames a second tell no more


def begin(measured: Array, size: Array) -> Array:
    """New tracks from their first boxes. measured (n, 4) cx cy w h, size (n, 1) -> state (5, n, 4).

    state[0] place, [1] velocity per second, [2] variance of place, [3] covariance, [4] variance of velocity.
    """
    state = np.zeros((5, *measured.shape))
    state[0] = measured
    state[2] = (NOISE * size) ** 2
    state[4] = (SPREAD * size) ** 2
    return state


def predict(state: Array, size: Array, seconds: float) -> Array:
    """The state `seconds` later. state (5, n, 4), size (n, 1) -> (5, n, 4), a new array."""
    carry, noise = _motion(round(seconds, 6))
    later: Array = (carry @ state.transpose(2, 0, 1)).transpose(1, 2, 0)  # one (5, 5) map for each coordinate
    later[2:] += noise * (size * size)
    return later


def correct(state: Array, measured: Array, size: Array, doubt: Array | float, seconds: float) -> Array:
    """The state after seeing `measured` (n, 4) cx cy w h.

    `doubt` (n, 1) multiplies the expected error: below 1 for a sure detection, more for a doubtful one.
    `seconds` since the frame before. -> (5, n, 4), a new array.
    """
    error = (doubt * size * NOISE) ** 2 * max(1.0, CALM / seconds)
    gain = state[2:4] / (state[2] + error)  # of place and velocity, (2, n, 4)
    better = np.empty_like(state)
    better[:2] = state[:2] + gain * (measured - state[0])
    better[2:4] = state[2:4] * (1 - gain[0])
    better[4] = state[4] - gain[1] * state[3]
    return better


@lru_cache(maxsize=256)  # a camera's frames are often equally far apart
def _motion(seconds: float) -> tuple[Array, Array]:
    """What time does to a state: (4, 5, 5) maps, one for each coordinate, and (3, 1, 4) noise in object sizes."""
    keep = np.exp(-seconds / MEMORY)
    shift = MEMORY * (1 - keep)  # how far one unit of velocity carries
    carry = np.zeros((4, 5, 5))
    carry[:, 0, 0] = carry[:, 2, 2] = 1
    carry[:, 0, 1] = shift
    carry[:, 1, 1] = carry[:, 3, 3] = keep
    carry[:, 2, 3], carry[:, 2, 4] = 2 * shift, shift * shift
    carry[:, 3, 4], carry[:, 4, 4] = keep * shift, keep * keep
    spread = SPREAD * SPREAD
    noise = np.array(
        [
            spread * (2 * MEMORY * seconds - 4 * MEMORY * shift + MEMORY * MEMORY * (1 - keep * keep)),
            spread * MEMORY * (1 - keep) ** 2,
            spread * (1 - keep * keep),
        ]
    )
    return carry, noise[:, None, :]


def deviation(state: Array) -> Array:
    """state (5, n, 4) -> (n, 2) pixels: how uncertain the centre is, one standard deviation in x and y."""
    result: Array = np.sqrt(state[2, :, :2])
    return result
