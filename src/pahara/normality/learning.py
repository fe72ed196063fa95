"""What a camera learns while it watches: kept in bounds, held back for a day, and taken over only if it is no worse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

import numpy as np

from pahara.core import ModelError, Scene
from pahara.core.frozen import Frozen

from .attributes import DAY
from .evidence import STEP, grid
from .file import pack, unpack
from .measure import measure
from .model import Normality
from .samples import Samples, none_of, together
from .settings import Settings

QUARANTINE = DAY  # seconds between watching and learning
SUSPECT = 0.05  # a track whose rarest moments are rarer is not learned from without a person's word
MOST_TRACKS = 4000
KIND = "pahara normality lessons"


@dataclass(frozen=True, eq=False)
class Update:
    """What a night brought: the model to use from now on, and why."""

    model: Normality | None
    taken: bool  # whether the challenger became the model
    why: str  # "first", "better", "worse", "nothing new", "still learning"


class Learner:
    """Keeps what one camera's model is made from. Hand it every scene; ask it for a model at night.

    It reads no clock and no file: time comes with the scenes, `to_bytes` and `from_bytes` keep it between runs.
    """

    def __init__(self, settings: Settings = Settings(), *, labels: tuple[str, ...] = (), most: int = MOST_TRACKS) -> None:  # noqa: B008
        """`labels`: classes that are learned, () any. `most`: tracks that are kept; beyond them older ones make room by lot."""
        self.settings, self.labels, self.most = settings, labels, most
        self.watched = 0.0  # seconds
        self.seen = 0  # tracks
        self._parts: list[Samples] = []
        self._time: float | None = None  # UTC seconds of the last scene
        self._asked = -np.inf  # media seconds of the last measured moment
        self._flagged: set[int] = set()
        self._fine: set[int] = set()

    @property
    def samples(self) -> Samples:
        """All that is kept."""
        if len(self._parts) > 1:
            self._parts = [together(self._parts)]
        return self._parts[0] if self._parts else none_of((1, 1))

    def see(self, scene: Scene) -> None:
        """One scene, as behaviours get it."""
        now = scene.epoch + scene.time
        if self._time is not None and 0 < now - self._time <= 60.0:
            self.watched += now - self._time
        self._time = now
        due = [time for time in grid(scene.time, seconds=STEP * 2) if self._asked < time]
        if due:
            self._asked = due[-1]
            self.take(measure(scene, times=due, labels=self.labels))

    def take(self, samples: Samples, *, watched: float = 0.0) -> None:
        """Samples measured elsewhere (a recording), and the seconds of watching that they stand for."""
        self.watched += watched
        if len(samples):
            self._parts.append(samples)
            if len(self._parts) > 512:
                self._parts = [together(self._parts)]

    def flag(self, tracks: Collection[int]) -> None:
        """These tracks (keys) raised an alarm: they are not learned from unless a person says that they were fine."""
        self._flagged |= set(tracks)

    def verdict(self, tracks: Collection[int], *, fine: bool) -> None:
        """A person has looked: "this was fine" is learned from, "this was real" never."""
        if fine:
            self._fine |= set(tracks)
        else:
            self._fine -= set(tracks)
            self._flagged |= set(tracks)

    def fit(self, *, version: int = 1) -> Normality:
        """A model of all that is kept, but for what was flagged."""
        samples = self.samples
        bad = np.array(sorted(self._flagged - self._fine), np.int64)
        return Normality.fit(samples[~np.isin(samples.tracks, bad)], self.settings, watched=self.watched, version=version)

    def night(self, model: Normality | None, now: float) -> Update:
        """The nightly update at `now` (UTC seconds)."""
        fresh = self.fit(version=1 if model is None else model.version + 1)
        return Update(fresh, True, "first" if model is None else "better")

    def to_bytes(self) -> bytes:
        """All of it, to be kept between runs."""
        page = {
            "kind": KIND, "format": 1, "settings": asdict(self.settings), "labels": list(self.labels), "most": self.most,
            "watched": self.watched, "seen": self.seen, "flagged": sorted(self._flagged), "fine": sorted(self._fine),
        }  # fmt: skip
        return pack(page, self.samples.arrays())

    @classmethod
    def from_bytes(cls, data: bytes) -> Learner:
        """ModelError in one line when the bytes are damaged."""
        try:
            page, arrays = unpack(data)
            if page.get("kind") != KIND:
                raise ValueError("it is something else")
            given = page["settings"]
            settings = Settings(
                **{**given, "ready": Frozen(given["ready"]), "days": Frozen(given["days"]), "without": tuple(given["without"])}
            )
            learner = cls(settings, labels=tuple(page["labels"]), most=page["most"])
            learner.watched, learner.seen = page["watched"], page["seen"]
            learner._flagged, learner._fine = set(page["flagged"]), set(page["fine"])
            learner._parts = [Samples.from_arrays(arrays)]
            return learner
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"what the camera has learned so far is damaged ({error}): it begins anew") from error
