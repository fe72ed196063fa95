"""Live pictures for browsers: each is encoded once however many look, and whoever is slow misses pictures, never time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import cv2

from pahara.core import Image
from pahara.pipeline.station import Station
from pahara.video.picture import jpeg

WIDTHS = (160, 320, 480, 640, 960, 1280, 1920)  # pixels: a width that was asked for becomes the next of these
QUALITY = 78
MOST_VIEWERS = 64  # streams at once, of everybody
MOST_OF_ONE = 16  # streams at once, of one account
KEPT = 64  # encoded pictures: one for each camera and width


def step_of(width: int) -> int:
    """The width that is encoded.

    >>> step_of(100), step_of(640), step_of(700), step_of(9999)
    (160, 640, 960, 1920)
    """
    return next((each for each in WIDTHS if each >= width), WIDTHS[-1])


@dataclass
class _Encoded:
    """The newest picture of one camera at one width."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    made_of: object = None  # the frame
    picture: bytes = b""
    time: float = 0.0  # UTC seconds


class Pictures:
    """The newest picture of a camera as JPEG. Thread-safe; bounded in memory whatever is asked for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], _Encoded] = OrderedDict()
        self._viewers: dict[int, int] = {}
        self.encoded = 0  # pictures, ever

    def newest(self, station: Station, width: int) -> tuple[bytes, float] | None:
        """-> JPEG and its time (UTC seconds); None before the first picture. Encoded by the first who asks; the others wait for them."""
        latest = station.latest
        if latest is None:
            return None
        key = (station.plan.camera, step_of(width))
        with self._guard:
            held = self._kept.setdefault(key, _Encoded())
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        with held.guard:
            if held.made_of is not latest:
                seen = station.picture()
                if seen is None:
                    return None
                held.picture, held.time, held.made_of = jpeg(shrunk(seen[0], key[1]), QUALITY), seen[1], latest
                self.encoded += 1
            return held.picture, held.time

    def room(self, user: int) -> bool:
        """Whether there is room for one more stream of this account."""
        with self._guard:
            return sum(self._viewers.values()) < MOST_VIEWERS and self._viewers.get(user, 0) < MOST_OF_ONE

    def enter(self, user: int) -> bool:
        """One more stream -> whether there was room for it."""
        with self._guard:
            if sum(self._viewers.values()) >= MOST_VIEWERS or self._viewers.get(user, 0) >= MOST_OF_ONE:
                return False
            self._viewers[user] = self._viewers.get(user, 0) + 1
            return True

    def leave(self, user: int) -> None:
        """A stream ended."""
        with self._guard:
            left = self._viewers.get(user, 0) - 1
            if left > 0:
                self._viewers[user] = left
            else:
                self._viewers.pop(user, None)

    @property
    def viewers(self) -> int:
        """Streams just now."""
        with self._guard:
            return sum(self._viewers.values())


def shrunk(image: Image, width: int) -> Image:
    """At most `width` pixels wide; never enlarged."""
    tall, wide = image.shape[:2]
    if wide <= width:
        return image
    smaller: Image = cv2.resize(image, (width, max(1, round(tall * width / wide))), interpolation=cv2.INTER_AREA)
    return smaller
