"""An action that a model was taught to recognise in how people move: a fight, a fall, whatever it has seen examples of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import combinations
from math import isfinite
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pahara.core import EVERYWHERE, Reason, Scene, Scores, Subject, Track, Zone
from pahara.core.frozen import Frozen

from .options import some_labels
from .trails import chosen, find, place
from .windows import BOX_POINTS, windows

Floats = NDArray[np.floating]
QUIET = frozenset(
    {
        "normal",
        "nothing",
        "none",
        "no",
        "background",
        "other",
        "negative",
        "no-fight",
        "nofight",
        "nonfight",
        "non-fight",
        "no-fall",
        "nofall",
        "idle",
    }
)  # classes that nobody wants to be told of
MOST_PAIRS = 24  # of one scene, the nearest first
DEPTH = 1.6  # ratio of heights beyond which one of two people stands far behind the other
FRESH = 1.0  # seconds since the last sighting after which a trail tells nothing of now


@dataclass(frozen=True)
class Window:
    """What the model looks at: how long, how fine, how many people, and which points of them. Its file keeps it."""

    seconds: float = 2.0
    rate: float = 10.0  # steps a second
    people: int = 1  # 1, or 2 for what happens between two
    joints: int = 0  # keypoints of a skeleton; 0 takes the box's own points
    near: float = 1.5  # body heights between the feet of two people, at most
    least: float = 0.7  # share of the seconds that must have been seen

    def __post_init__(self) -> None:
        sizes = (self.seconds, self.rate, self.near)
        if (
            not all(isfinite(each) and each > 0 for each in sizes)
            or self.people not in (1, 2)
            or self.joints < 0
            or not 0 <= self.least <= 1
        ):
            raise ValueError(f"no such window: {self}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(steps, points, 3)."""
        return max(round(self.seconds * self.rate), 1), self.people * (self.joints or len(BOX_POINTS)), 3

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Window:
        """From the model's file; what this version does not know is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in told.items() if key in known})

    def take(self, tracks: Sequence[Track]) -> NDArray[np.float32] | None:
        """The window of these people that ends at their last sighting -> `shape`; None where too little of them was seen.

        Of two, the one who stands further left comes first, whatever their ids are.
        """
        end = max(track.last_seen for track in tracks)
        if any(track.keypoints.shape[1] != self.joints for track in tracks if self.joints):
            return None
        if min(track.last_seen for track in tracks) - max(track.born for track in tracks) < self.least * self.seconds - 1e-6:
            return None
        ordered = sorted(tracks, key=lambda track: (float(track.feet[track.since(end - self.seconds), 0].mean()), float(track.feet[-1, 1])))
        made = windows(ordered, self.seconds, self.rate, ends=[end], keypoints=self.joints > 0)
        first: NDArray[np.float32] = made[0]
        return first


@dataclass(frozen=True)
class Recogniser:
    """A model as a behaviour sees it: a function and what is known about it. The behaviour never learns what runs it."""

    scores: Callable[[NDArray[np.float32]], Floats]  # windows (w, t, k, 3) -> (w, c) or (w,) certainties in 0..1
    classes: tuple[str, ...]  # c names
    window: Window = field(default_factory=Window)  # how a trail becomes an input
    thresholds: Mapping[str, float] = field(default_factory=Frozen)  # class -> its limit, from training
    name: str = "model"  # for people

    def __post_init__(self) -> None:
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"action: the model needs class names that differ, got {self.classes!r}")

    def __call__(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        """(w, t, k, 3) -> (w, c); ValueError when the function does not answer so."""
        if not len(windows):
            return np.zeros((0, len(self.classes)))
        given = np.asarray(self.scores(windows), np.float64).reshape(len(windows), -1)
        if given.shape != (len(windows), len(self.classes)):
            raise ValueError(f"action: {self.name} gives {given.shape[1:]} scores a window for {len(self.classes)} classes")
        # The sum of a batch may come out in another order: the last digits are noise.
        rounded: NDArray[np.float64] = np.nan_to_num(np.clip(given, 0.0, 1.0)).round(5)
        return rounded


@dataclass(frozen=True)
class Action:
    """A trained model sees one of the actions of `watch_for` in how a person, or two people near each other, moved just now.

    The model looks at windows of some seconds, made of the trails as in training. Its certainty against the limit is the
    score; with several actions the one that is furthest beyond its limit counts.
    """

    model: Recogniser  # the .onnx file of `pahara train action`
    watch_for: tuple[str, ...] = ()  # classes of the model; all but the normal one when left out
    limit: float = 0.0  # certainty that alarms; 0 takes the model's own
    zone: Zone = EVERYWHERE
    labels: tuple[str, ...] = ("person",)

    kind: ClassVar[str] = "action"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.5, "linger": 2.0, "cooldown": 30.0}

    def __post_init__(self) -> None:
        some_labels("action", self.labels)
        if not (isfinite(self.limit) and 0 <= self.limit < 1):
            raise ValueError(f"action: limit is a certainty from 0 (the model's own) to below 1, got {self.limit}")
        unknown = [name for name in self.watch_for if name not in self.model.classes]
        if isinstance(self.watch_for, str) or unknown:
            raise ValueError(f"action: watch_for lists classes of the model ({', '.join(self.model.classes)}), got {self.watch_for!r}")
        if not self._columns:
            raise ValueError(f"action: the model knows nothing but {', '.join(self.model.classes)}; name what matters in watch_for")

    @property
    def memory(self) -> float:
        """Seconds of trail."""
        return self.model.window.seconds + FRESH

    @property
    def _columns(self) -> tuple[tuple[str, int, float], ...]:
        """Class, its column, its limit: of those that matter."""
        names = self.watch_for or tuple(name for name in self.model.classes if name.casefold() not in QUIET)
        return tuple((name, self.model.classes.index(name), self.limit or self.model.thresholds.get(name, 0.5)) for name in names)

    def __call__(self, scene: Scene) -> Scores:
        seen = dict(self._windows(scene))
        if not seen:
            return {}
        told = self.model(np.stack(list(seen.values())))
        return {subject: self._worst(row)[1] for subject, row in zip(seen, told, strict=True)}

    def explain(self, scene: Scene, subject: Subject) -> Reason:
        tracks = [track for track in (find(scene, one) for one in subject) if track is not None]
        window = self.model.window.take(tracks) if len(tracks) == self.model.window.people else None
        seconds = self.model.window.seconds
        where = place(self.zone)
        if window is None:
            name, _, limit = self._columns[0]
            return Reason("action.seen", 0.0, limit, place=where, values={"action": name, "seconds": seconds})
        row = self.model(window[None])[0]
        name, _, certainty, limit = self._worst(row)
        return Reason("action.seen", certainty, limit, place=where, values={"action": name, "seconds": seconds})

    def _windows(self, scene: Scene) -> Iterator[tuple[Subject, NDArray[np.float32]]]:
        """Who is looked at now, and what the model gets to see of them."""
        fresh = [track for track in chosen(scene, self.labels, self.zone) if scene.time - track.last_seen <= FRESH]
        pairs = near_pairs(fresh, self.model.window.near) if self.model.window.people == 2 else ()
        groups: list[tuple[Track, ...]] = [*pairs] if self.model.window.people == 2 else [(track,) for track in fresh]
        for group in groups:
            window = self.model.window.take(group)
            if window is not None:
                yield tuple(sorted(track.id for track in group)), window

    def _worst(self, row: NDArray[np.float64]) -> tuple[str, float, float, float]:
        """The class furthest beyond its limit: name, score (0.5 at the limit), certainty, limit."""
        judged = [(score_of(float(row[column]), limit), name, float(row[column]), limit) for name, column, limit in self._columns]
        score, name, certainty, limit = max(judged, key=lambda each: each[0])
        return name, score, certainty, limit


def near_pairs(tracks: Sequence[Track], near: float) -> list[tuple[Track, Track]]:
    """Two people each whose feet are at most `near` body heights apart now, the nearest first."""
    found = []
    for one, two in combinations(tracks, 2):
        tall = float(one.heights[-1]), float(two.heights[-1])
        if min(tall) <= 0 or max(tall) > DEPTH * min(tall):
            continue
        apart = 2 * float(np.hypot(*(one.feet[-1] - two.feet[-1]))) / sum(tall)
        if apart <= near:
            found.append((apart, one, two))
    return [(one, two) for _, one, two in sorted(found, key=lambda each: each[0])[:MOST_PAIRS]]


def score_of(certainty: float, limit: float) -> float:
    """A certainty as a score: straight from 0 to 0.5 at the limit, and from there to 1.

    >>> score_of(0.8, 0.8), score_of(0.4, 0.8), round(score_of(0.9, 0.8), 2)
    (0.5, 0.25, 0.75)
    """
    return 0.5 * certainty / limit if certainty < limit else 0.5 + 0.5 * (certainty - limit) / max(1 - limit, 1e-9)
