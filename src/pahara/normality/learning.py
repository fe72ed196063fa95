"""What a camera learns while it watches: kept in bounds, held back for a day, and taken over only if it is no worse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pahara.core import ModelError, Scene
from pahara.core.frozen import Frozen

from .attributes import DAY, HOUR
from .drift import Drift, Fit
from .evidence import STEP, grid
from .file import pack, unpack
from .measure import measure
from .model import Judgement, Normality
from .reservoir import as_long_as, chosen
from .samples import Samples, none_of, together
from .settings import Settings
from .trial import Trial, compare, peaks_of, track_p

QUARANTINE = DAY  # seconds between watching and learning: an incident is known, and flagged, before it could become normal
SUSPECT = 0.05  # a track whose evidence is rarer among normal ones is not remembered without a person's word
MOST_TRACKS = 4000
MOST_ROWS = 480  # of one track: four minutes
HELD_OUT = 5  # one track in so many is never learned from: champion and challenger meet on these
LEDGER = 28  # days over which people are counted
FEWEST = 100  # held-out tracks without which a trial would decide by luck
KIND = "pahara normality lessons"
PATIENCE = 60.0  # seconds between two scenes that still count as watching


@dataclass(frozen=True, eq=False)
class Update:
    """What a night brought: the model to use from now on, and why.

    `why`: "first"; "nightly" (the challenger won, `taken`); "worse" (it lost); "rollback" (`model` is the one before);
    "nothing new"; "learning" (too little was seen); "drift" (the camera looks elsewhere: nothing is learned until it settles).
    """

    model: Normality | None
    taken: bool  # whether another model counts from now on
    why: str
    champion: Trial | None = None  # how the two did, where they met
    challenger: Trial | None = None


class Learner:
    """Keeps what one camera's model is made from. Hand it what it sees; ask it for a model at night.

    It reads no clock and no file: time comes with the samples, `to_bytes` and `from_bytes` keep it between runs. The tracks
    kept are an ageing reservoir: each by its own lot, and a track of two weeks ago counts half (Efraimidis & Spirakis 2006).
    """

    def __init__(self, settings: Settings = Settings(), *, labels: tuple[str, ...] = (), most: int = MOST_TRACKS) -> None:  # noqa: B008
        """`labels`: classes that are learned, () any. `most`: tracks that are kept."""
        self.settings, self.labels, self.most = settings, labels, most
        self.drift = Drift()
        self._parts: list[Samples] = []
        self._days: dict[int, list[float]] = {}  # day -> seconds watched, tracks that began
        self._recent: dict[int, float] = {}  # track -> UTC seconds of its last sample: who is seen again is no new one
        self._pending = 0.0  # seconds watched before anybody came
        self._flagged: set[int] = set()
        self._fine: set[int] = set()
        self._real: set[int] = set()
        self._time: float | None = None  # UTC seconds of the last scene
        self._asked = -np.inf  # media seconds of the last measured moment

    # ------------------------------------------------------------------ what it is told

    def see(self, scene: Scene) -> None:
        """One scene, as behaviours get it."""
        now = scene.epoch + scene.time
        watched = now - self._time if self._time is not None and 0 < now - self._time <= PATIENCE else 0.0
        self._time = now
        due = [time for time in grid(scene.time, seconds=2 * STEP) if self._asked < time]
        if scene.time < self._asked:  # another recording
            self._asked, due = -np.inf, grid(scene.time, seconds=STEP)
        if due:
            self._asked = due[-1]
        self.take(measure(scene, times=due, labels=self.labels) if due else none_of(scene.size), watched=watched)

    def take(self, samples: Samples, *, watched: float = 0.0) -> None:
        """Samples on the grid of moments, and the seconds of watching that they stand for."""
        if not len(samples):
            if self._days:
                self._days[max(self._days)][0] += watched
            else:
                self._pending += watched
            return
        now = float(samples.times.max())
        ledger = self._days.setdefault(int(now // DAY), [0.0, 0.0])
        ledger[0] += watched + self._pending
        self._pending = 0.0
        keys = set(np.unique(samples.tracks).tolist())
        ledger[1] += len(keys - self._recent.keys())
        self._recent |= dict.fromkeys(keys, now)
        self._parts.append(samples)
        if len(self._parts) >= 2048:
            self._tidy(now)

    def flag(self, tracks: Collection[int]) -> None:
        """These tracks (keys) raised an alarm: they are not remembered unless a person says that they were fine."""
        self._flagged |= set(tracks)

    def verdict(self, tracks: Collection[int], *, fine: bool) -> None:
        """A person has looked. "This was fine": remembered, and as if `k` others had done it. "This was real": never learned,
        and not counted among what normal days bring.
        """
        new = set(tracks)
        self._fine = self._fine | new if fine else self._fine - new
        self._real = self._real - new if fine else self._real | new

    def judged(self, samples: Samples, judgement: Judgement) -> Drift:
        """What the model said of samples just taken: is this still the same camera? -> the monitor's new state."""
        self.drift = self.drift.step(samples, judgement)
        return self.drift

    def looked(self, time: float, fit: Fit) -> Drift:
        """What the picture itself says at `time` (UTC seconds): the same view, another view, or nothing to be told."""
        self.drift = self.drift.look(time, fit)
        return self.drift

    def forget(self, before: float) -> None:
        """Begin anew: nothing that was seen before (UTC seconds) counts any longer. The camera looks elsewhere now."""
        kept = self.samples
        starts = {int(key): float(kept.times[kept.tracks == key].min()) for key in np.unique(kept.tracks)}
        old = np.array([key for key, start in starts.items() if start < before], np.int64)
        self._parts = [kept[~np.isin(kept.tracks, old)]] if len(kept) else []
        for day in [day for day in self._days if (day + 1) * DAY <= before]:
            del self._days[day]
        if (today := int(before // DAY)) in self._days:  # of a day half gone the rest counts
            left = 1.0 - (before - today * DAY) / DAY
            self._days[today] = [part * left for part in self._days[today]]
        self.drift = Drift()

    # ------------------------------------------------------------------ what it knows

    @property
    def samples(self) -> Samples:
        """All that is kept."""
        if len(self._parts) > 1:
            self._tidy(max(float(part.times.max(initial=-np.inf)) for part in self._parts))
        return self._parts[0] if self._parts else none_of((1, 1))

    @property
    def watched(self) -> float:
        """Seconds, of the days that count."""
        return sum(day[0] for day in self._days.values()) + self._pending

    @property
    def seen(self) -> int:
        """Tracks, kept or not, of the days that count."""
        return round(sum(day[1] for day in self._days.values()))

    # ------------------------------------------------------------------ making models

    def fit(self, *, version: int = 1) -> Normality:
        """A model of all that is kept, at once: no quarantine, no trial. Flagged tracks are remembered only if they were fine."""
        return self._fit(self.samples, None, version)

    def night(self, model: Normality | None, now: float, previous: Normality | None = None) -> Update:
        """The nightly update at `now` (UTC seconds): `model` is the champion, `previous` the one before it.

        The first model is made of all there is. Later ones are made of tracks that were last seen a day ago, and the
        challenger counts only if it does no worse on tracks that neither has learned from.
        """
        if self.drift.frozen:
            return Update(model, False, "drift")
        samples = self.samples
        if model is None or not model.ready:
            first = self._fit(samples, None, 1 if model is None else model.version + 1)
            return Update(first, first.ready, "first" if first.ready else "learning")
        if previous is not None and (trials := self._went_wrong(model, previous, samples)) is not None:
            back = replace(previous, version=model.version + 1)
            return Update(back, True, "rollback", *trials)
        known = samples[self._older_than(samples, now - QUARANTINE)]
        if not len(known) or known.times.max() <= model.made:
            return Update(model, False, "nothing new")
        held = _held_out(known.tracks)
        fresh = self._fit(known[~held], model, model.version + 1)
        if len(fresh.names) < len(model.names):
            return Update(model, False, "learning")
        trial = known[held & ~np.isin(known.tracks, self._array(self._real | (self._flagged - self._fine)))]
        if len(np.unique(trial.tracks)) < FEWEST or set(fresh.names) - set(model.names):
            # Too few to meet on; or more can be judged than before, which no trial on the old attributes would honour.
            return Update(fresh, True, "nightly")
        champion, challenger, better = compare(model, fresh, trial)
        return Update(fresh if better else model, better, "nightly" if better else "worse", champion, challenger)

    # ------------------------------------------------------------------ keeping

    def to_bytes(self) -> bytes:
        """All of it, to be kept between runs."""
        page = {
            "kind": KIND, "format": 1, "settings": asdict(self.settings), "labels": list(self.labels), "most": self.most,
            "days": {str(day): told for day, told in sorted(self._days.items())}, "pending": self._pending,
            "flagged": sorted(self._flagged), "fine": sorted(self._fine), "real": sorted(self._real),
            "recent": sorted(self._recent.items()), "drift": self.drift.told(),
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
            learner._days = {int(day): [float(a), float(b)] for day, (a, b) in page["days"].items()}
            learner._pending = float(page["pending"])
            learner._flagged, learner._fine, learner._real = set(page["flagged"]), set(page["fine"]), set(page["real"])
            learner._recent = {int(key): float(time) for key, time in page["recent"]}
            learner.drift = Drift.of(page["drift"])
            learner._parts = [Samples.from_arrays(arrays)]
            return learner
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"what the camera has learned so far is damaged ({error}): it begins anew") from error

    # ------------------------------------------------------------------ inside

    def _tidy(self, now: float) -> None:
        """Bounds are kept: of tracks, of one track's rows, of days."""
        samples = together(self._parts)
        samples = samples[np.lexsort((samples.times, samples.tracks))]
        samples = samples[as_long_as(samples.tracks, samples.times, MOST_ROWS)]
        self._parts = [samples[chosen(samples.tracks, samples.times, self.most, keep=self._array(self._fine))]]
        self._recent = {key: time for key, time in self._recent.items() if now - time < HOUR}
        for day in sorted(self._days)[:-LEDGER]:
            del self._days[day]
        if len(self._flagged) + len(self._fine) + len(self._real) > 8 * self.most:
            left = set(np.unique(self._parts[0].tracks).tolist())
            self._flagged, self._fine, self._real = self._flagged & left, self._fine & left, self._real & left

    def _fit(self, samples: Samples, champion: Normality | None, version: int) -> Normality:
        """What a person called real tells nothing; what was flagged, or odd to the champion, tells how often that happens."""
        samples = samples[~np.isin(samples.tracks, self._array(self._real))]
        bad = np.isin(samples.tracks, self._array(self._flagged))
        if champion is not None and len(samples):
            bad |= track_p(champion, samples)[1] <= SUSPECT
        fine = np.isin(samples.tracks, self._array(self._fine))
        watched, seen = self.watched, self.seen
        return Normality.fit(
            samples, self.settings, watched=watched, seen=seen, step=STEP, version=version, trusted=~bad | fine, vouched=fine,
        )  # fmt: skip

    def _older_than(self, samples: Samples, time: float) -> NDArray[np.bool_]:
        """(n,) whether the row's track was last seen by then."""
        keys, where = np.unique(samples.tracks, return_inverse=True)
        last = np.full(len(keys), -np.inf)
        np.maximum.at(last, where.reshape(-1), samples.times)
        return last[where.reshape(-1)] <= time

    def _went_wrong(self, model: Normality, previous: Normality, samples: Samples) -> tuple[Trial, Trial] | None:
        """Whether normal days since the update bring far more evidence than it promised, and the model before does not."""
        since = samples[(samples.times > model.made + QUARANTINE) & ~np.isin(samples.tracks, self._array(self._real))]
        if len(np.unique(since.tracks)) < FEWEST:
            return None
        now, before = Trial.of(model, since), Trial.of(previous, since)
        return (now, before) if now.beyond > 3 * now.promised and now.beyond > 2 * before.beyond else None

    @staticmethod
    def _array(keys: set[int]) -> NDArray[np.int64]:
        return np.array(sorted(keys), np.int64)


def _held_out(tracks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) keys -> whether they belong to the tracks that are never learned from."""
    held: NDArray[np.bool_] = (tracks.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) % np.uint64(HELD_OUT) == 0
    return held


__all__ = ["Learner", "Update", "peaks_of"]
