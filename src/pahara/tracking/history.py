"""Append-only storage for one track: dense for the last seconds, thin before; hands out read-only views."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DENSE = 10.0  # seconds kept as they came
SPARSE = 0.5  # seconds between rows older than that


class History:
    """Rows of the last `seconds`. A view that was handed out never changes."""

    def __init__(self, width: int, seconds: float, *, dense: float = DENSE, sparse: float = SPARSE, capacity: int = 64) -> None:
        self.seconds, self.dense, self.sparse = seconds, dense, sparse
        self._times = np.empty(capacity, np.float64)
        self._rows = np.empty((capacity, width), np.float32)
        self._first = self._last = 0
        self._show()

    def append(self, time: float, row: NDArray[np.float32] | float) -> None:
        """Add one row; `time` is later than every time before it."""
        if self._last == len(self._times):
            self._move_to_fresh_buffer(time)
        self._times[self._last], self._rows[self._last] = time, row
        self._last += 1
        while self._times[self._first] < time - self.seconds:
            self._first += 1

    def view(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """-> times (t,), rows (t, width), read-only."""
        return self._shown_times[self._first : self._last], self._shown_rows[self._first : self._last]

    def reshape(self, kept: int, width: int) -> None:
        """From now on rows of another width; of older ones the first `kept` columns stay and the rest is zero."""
        rows = np.zeros((len(self._rows), width), np.float32)
        rows[:, :kept] = self._rows[:, :kept]
        self._times, self._rows = self._times.copy(), rows
        self._show()

    def _show(self) -> None:
        """What is cut from a read-only array is read-only too."""
        self._shown_times, self._shown_rows = self._times.view(), self._rows.view()
        self._shown_times.flags.writeable = self._shown_rows.flags.writeable = False

    def _move_to_fresh_buffer(self, now: float) -> None:
        # Old views keep the old buffer; we never write to it again.
        times, rows = self._times[self._first : self._last], self._rows[self._first : self._last]
        beat = np.floor(times / self.sparse)
        keep = (times >= now - self.dense) | np.diff(beat, prepend=-np.inf).astype(bool)
        times, rows = times[keep], rows[keep]
        capacity = max(64, 2 * len(times))
        self._times, self._rows = np.empty(capacity, np.float64), np.empty((capacity, rows.shape[1]), np.float32)
        self._times[: len(times)], self._rows[: len(rows)] = times, rows
        self._first, self._last = 0, len(times)
        self._show()
