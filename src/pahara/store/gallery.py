"""Small pictures of people who behaved as is usual here: what an alarm is shown beside. No names, no faces sought; they go with the evidence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .learned import LearnedFolder

MOST = 3000  # pictures of one camera: at about 4 kB, 12 MB
NAME = re.compile(r"(-?\d+)-(\d+)\.jpg")


@dataclass
class Gallery:
    """At most `most` JPEGs in one folder, by the key of the track and the time (UTC seconds) that they show."""

    folder: Path
    most: int = MOST
    _known: dict[int, dict[int, Path]] = field(default_factory=dict, init=False, repr=False)  # key -> UTC milliseconds -> file

    @classmethod
    def of(cls, learned: LearnedFolder, most: int = MOST) -> Gallery:
        """The gallery of a camera."""
        return cls(learned.folder / "gallery", most)

    def __post_init__(self) -> None:
        with suppress(OSError):
            for file in self.folder.glob("*/*.jpg"):
                if match := NAME.fullmatch(file.name):
                    self._known.setdefault(int(match[1]), {})[int(match[2])] = file

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def __contains__(self, track: int) -> bool:
        return track in self._known

    def add(self, track: int, time: float, picture: bytes, *, instead: bool = True) -> None:
        """Keep a picture of a track; `instead` of those that are there. A disk that takes nothing costs the picture, nothing else."""
        stamp = round(time * 1000)
        file = self.folder / f"{track % 64:02d}" / f"{track}-{stamp}.jpg"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_bytes(picture)
            part.replace(file)
        except OSError:
            return
        old = self._known.setdefault(track, {})
        if instead:
            for each in [each for each in old if each != stamp]:
                _remove(old.pop(each))
        old[stamp] = file

    def find(self, track: int, time: float = 0.0) -> bytes:
        """The picture of a track that was taken nearest to `time`; b"" when there is none."""
        taken = self._known.get(track)
        if not taken:
            return b""
        stamp = min(taken, key=lambda each: abs(each / 1000 - time))
        try:
            return taken[stamp].read_bytes()
        except OSError:  # someone else removed it
            return b""

    def prune(self, keep: Iterable[int] = (), before: float = float("-inf")) -> int:
        """Remove pictures taken `before` (UTC seconds), and beyond `most` the oldest, those of the tracks to `keep` last -> how many."""
        wanted = set(keep)
        order = sorted(
            ((track in wanted, stamp, track) for track, taken in self._known.items() for stamp in taken),
        )
        over = max(len(order) - self.most, 0)
        gone = 0
        for number, (_, stamp, track) in enumerate(order):
            if number < over or stamp / 1000 < before:
                taken = self._known[track]
                _remove(taken.pop(stamp))
                if not taken:
                    del self._known[track]
                gone += 1
        return gone


def _remove(file: Path) -> None:
    with suppress(OSError):
        os.unlink(file)  # noqa: PTH108  thousands of them
