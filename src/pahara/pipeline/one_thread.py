"""OpenCV on one thread while cameras are watched: its sleeping helpers cost more than they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import cv2

_lock = Lock()
_inside = 0  # watches that run now, in any thread of the process
_before = 0  # OpenCV's own number of threads, to go back to


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, OpenCV works on the calling thread alone; after the last `with` of the process it is as it was.

    A camera's small pictures are cut into two stripes, and the helper that takes the second one is woken, spins and goes
    back to sleep: 0.25 ms of CPU a frame in helper threads on two cores, part of which moves to the calling thread without them.
    Several cameras share the cores better as one thread each.
    """
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                cv2.setNumThreads(_before)
