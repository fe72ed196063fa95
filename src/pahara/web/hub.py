"""What happens, told to every open dashboard: from the watch's threads into bounded queues, one for each listener."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from pahara.core import Event

log = logging.getLogger(__name__)

MOST_LISTENERS = 100  # of everybody
MOST_OF_ONE = 12  # of one account
MOST_WAITING = 200  # messages for one listener; one that is slower hears that it missed some

What = Literal["event", "review", "config"]


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened. `event` is the report; of a review or a change of the configuration, `about` says what."""

    what: What
    camera: str = ""
    event: Event | None = None
    about: str = ""


@dataclass(eq=False)
class Listener:
    """One open dashboard. Only its own event loop takes from it."""

    loop: asyncio.AbstractEventLoop
    user: int
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: deque[News] = field(default_factory=deque)
    missed: bool = False

    def take(self) -> list[News]:
        """All that waits."""
        self.bell.clear()
        taken = []
        while self.waiting:
            taken.append(self.waiting.popleft())
        return taken


class Hub:
    """`tell` from any thread; each listener hears of everything and shows what its reader may see."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._listeners: list[Listener] = []
        self.closed = False

    def report(self, event: Event) -> None:
        """A report of the watch, once it is stored."""
        self.tell(News("event", event.camera, event))

    def tell(self, news: News) -> None:
        """To everybody; nobody is waited for."""
        with self._guard:
            listeners = list(self._listeners)
        for each in listeners:
            if len(each.waiting) >= MOST_WAITING:
                each.missed = True
                continue
            each.waiting.append(news)
            self._ring(each)

    def join(self, user: int, loop: asyncio.AbstractEventLoop) -> Listener | None:
        """A new listener, or None where there is no room."""
        listener = Listener(loop, user)
        with self._guard:
            if len(self._listeners) >= MOST_LISTENERS or sum(each.user == user for each in self._listeners) >= MOST_OF_ONE:
                return None
            self._listeners.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        with self._guard:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def close(self) -> None:
        """Every stream ends: the server stops."""
        self.closed = True
        with self._guard:
            listeners = list(self._listeners)
        for each in listeners:
            self._ring(each)

    @property
    def listeners(self) -> int:
        with self._guard:
            return len(self._listeners)

    def _ring(self, listener: Listener) -> None:
        try:
            listener.loop.call_soon_threadsafe(listener.bell.set)
        except RuntimeError:  # its loop has ended
            self.leave(listener)


__all__ = ["Hub", "Listener", "News"]
