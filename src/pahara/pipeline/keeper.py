"""One thread that writes: events, tracks, pictures and clips; a slow disk never holds up the watch."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic

log = logging.getLogger(__name__)

MOST = 4000  # pieces of work that may wait: about a minute of eight cameras


class Keeper:
    """Does pieces of work in order, in a thread of its own.

    When more than `most` wait, work that may be lost is refused and counted; what must not be lost is taken in any case.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.refused = 0  # pieces of work that found no room
        self.failed = 0  # pieces of work that raised; each is in the log
        self.slowest = 0.0  # seconds of the slowest piece so far
        self._waiting: deque[Callable[[], object]] = deque()
        self._changed = Condition()
        self._busy = self._stopping = False
        self._thread = Thread(target=self._work, name="keeper", daemon=True)
        self._thread.start()

    def put(self, work: Callable[[], object], *, must: bool = True) -> bool:
        """-> whether it was taken."""
        with self._changed:
            if not must and len(self._waiting) >= self.most:
                self.refused += 1
                return False
            self._waiting.append(work)
            self._changed.notify_all()
            return True

    @property
    def backlog(self) -> int:
        """Pieces of work that wait."""
        return len(self._waiting)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was handed in is done -> whether it is."""
        end = monotonic() + timeout
        with self._changed:
            while self._waiting or self._busy:
                left = end - monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def stop(self, timeout: float = 30.0) -> bool:
        """Do what waits, then end -> whether all was done in time."""
        done = self.flush(timeout)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(1.0)
        return done

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if self._stopping:
                    return
                work = self._waiting.popleft()
                self._busy = True
            began = monotonic()
            try:
                work()
            except Exception:  # one piece that fails must not end the writing of all others
                self.failed += 1
                log.exception("a piece of work failed")
            finally:
                self.slowest = max(self.slowest, monotonic() - began)
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
