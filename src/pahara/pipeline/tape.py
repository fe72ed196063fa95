"""Continuous recording: once a minute, what a camera sent goes from its ring to the disk as it came; nothing is decoded or encoded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from pahara.config import Config
from pahara.core import PaharaError
from pahara.store import Store
from pahara.store.database import DiskFullError
from pahara.video.clip import MP4_HOLDS, Entry, remux
from pahara.video.ring import HOLE, PacketRing, Ring

from .keeper import Keeper

log = logging.getLogger(__name__)

MINUTE = 60.0
LATE = 3.0  # seconds after a full minute before it is written: its last group of pictures has come by then, or goes with the next
FULL = 0.4  # of what a ring may hold, after which a minute is cut short


class Tape:
    """Writes one camera's ring in files of a minute, each beginning with a keyframe, without a picture twice or left out.

    Written as a whole: a killed program loses what the minute has brought so far, and leaves nothing half-written.
    """

    def __init__(
        self,
        camera: str,
        store: Store,
        keeper: Keeper,
        ring: Callable[[], Ring | None],
        *,
        make_room: Callable[[], object] = lambda: False,
        full: Callable[[str], None] = lambda _said: None,
    ) -> None:
        """`make_room` is called on a full disk, and tells whether it helped; `full` hears when it did not."""
        self.camera, self._store, self._keeper, self._ring = camera, store, keeper, ring
        self._make_room, self._full = make_room, full
        self._of: Ring | None = None  # the ring that `_after` is about
        self._after = float("-inf")  # joined seconds of the last group of pictures that was written
        self._minute = -1.0
        self._said = ""

    def check(self, now: float) -> None:
        """Called about twice a second, with UTC seconds."""
        ring = self._ring()
        if ring is None:
            return
        minute = (now - LATE) // MINUTE
        if self._minute < 0:
            self._minute = minute
        if minute > self._minute:
            self._minute = minute
            self.cut(minute * MINUTE)
        elif isinstance(ring, PacketRing) and ring.bytes > FULL * ring.max_bytes and self._waits(ring):
            self.cut(now)

    def cut(self, until: float = float("inf"), *, rest: bool = False) -> None:
        """Write what has come before `until` (UTC seconds); `rest`: with the group of pictures that has only begun."""
        ring = self._ring()
        if not isinstance(ring, PacketRing):
            if ring is not None and not self._said:
                self._said = "raw"
                log.warning("camera %s sends raw pictures: there is nothing that could be recorded as it comes", self.camera)
            return
        if ring is not self._of:
            self._of, self._after = ring, float("-inf")
        groups = ring.cut(self._after, until - ring.epoch, rest=rest)
        if not groups:
            return
        self._after = groups[-1][0].seconds
        for piece in pieces(groups, ring.epoch - ring.zero):
            self._keeper.put(partial(self._write, piece, ring.epoch - ring.zero), must=rest)

    def _waits(self, ring: PacketRing) -> bool:
        after = self._after if ring is self._of else float("-inf")
        waiting = sum(entry.packet.size for group in ring.cut(after, float("inf")) for entry in group)
        return bool(waiting > FULL * ring.max_bytes)

    def _write(self, entries: Sequence[Entry], zero_utc: float) -> None:
        begin, end = zero_utc + entries[0].seconds, zero_utc + max(entry.seconds for entry in entries)
        extension = ".mp4" if entries[0].template.codec in MP4_HOLDS else ".mkv"

        def keep() -> None:
            self._store.footage.add(self.camera, begin, end, lambda path: remux(entries, path, epoch=zero_utc), extension=extension)

        try:
            try:
                keep()
            except DiskFullError:
                if not self._make_room():
                    raise
                keep()
            self._said = ""
        except DiskFullError as problem:
            self._full(str(problem))
        except (PaharaError, OSError) as problem:
            if str(problem) != self._said:
                log.warning("camera %s: a minute could not be recorded: %s", self.camera, problem)
            self._said = str(problem)


def pieces(groups: Sequence[Sequence[Entry]], zero_utc: float) -> list[list[Entry]]:
    """Groups of pictures -> what goes into one file each: a minute by the clock, one codec and size, without a hole."""
    found: list[list[Entry]] = []
    for group in groups:
        last = found[-1] if found else None
        if (
            last is not None
            and (zero_utc + last[0].seconds) // MINUTE == (zero_utc + group[0].seconds) // MINUTE
            and last[0].template.parameters == group[0].template.parameters
            and 0 <= group[0].seconds - last[-1].seconds <= HOLE
        ):
            last.extend(group)
        else:
            found.append(list(group))
    return found


def tape_of(
    config: Config, camera: str, store: Store, keeper: Keeper, ring: Callable[[], Ring | None], full: Callable[[str], None]
) -> Tape | None:
    """The tape of a camera, or None where nobody asked for one."""
    if not config.recording.enabled:
        return None
    from pahara.config import retention

    return Tape(camera, store, keeper, ring, make_room=lambda: retention(config).apply(store), full=full)


__all__ = ["Tape", "pieces", "tape_of"]
