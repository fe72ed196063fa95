"""The promises of a plug-in, checked: call these in the tests of your own behaviour, detector or tracker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from math import isfinite
from typing import Any

import numpy as np

from pahara.alarms import AlarmRule
from pahara.core import Behaviour, Detections, Detector, Image, Observation, Reason, Scene, Scores, Subject, Tracker
from pahara.core.frozen import Frozen
from pahara.language import LANGUAGES, catalogue
from pahara.language import explain as in_words

from .actors import Actor, Actors, Cast, fall, leave_a_bag, path, remember, run, scenes, stand, walk
from .actors import observations as observed

SIZE = (640, 360)
SECONDS = 48.0
WEEKS = 28 * 24 * 3600.0  # four: a schedule sees no difference
STRANGE = 19 * 24 * 3600.0 + 13 * 3600.0 + 77.0  # another weekday and hour
DAY = 1_767_571_200.0  # 2026-01-05 00:00 UTC, a Monday


def _story() -> dict[int, Actor | Cast]:
    """A busy minute: people walk, follow, stand, run, fall, leave and take bags, and gather."""
    owner, bag = leave_a_bag((0.98, 0.85), (0.7, 0.85), (0.98, 0.85), 8, 12, 14, 18)
    return {
        1: walk((0.02, 0.7), (0.98, 0.7), 0, 12),
        2: walk((0.98, 0.75), (0.02, 0.75), 1, 13),
        3: walk((0.02, 0.72), (0.98, 0.72), 1.5, 13.5),
        4: stand((0.5, 0.65), 3, 46),
        5: run((0.02, 0.95), (0.98, 0.95), 20),
        6: fall((0.3, 0.9), 12, 22, 40),
        7: owner,
        8: bag,
        9: Cast(stand((0.15, 0.8), 0, 30, height=0.08, slim=0.8), "backpack"),
        10: path((24, 0.02, 0.8), (29, 0.13, 0.8), (31, 0.13, 0.8), (36, 0.02, 0.8)),
        **{11 + i: stand((0.42 + 0.04 * i, 0.6 + 0.02 * (i % 2)), 26, 42) for i in range(5)},
    }


def _tampering(time: float) -> float:
    return 0.9 if 30 <= time < 40 else 0.1


def _strange(time: float) -> float:
    return 3.0 if 20 <= time < 30 else 0.3


def _certain(time: float) -> float:
    return 0.9 if 20 <= time < 30 else 0.2


def _limit(time: float) -> float:
    del time
    return 0.7


def _nothing(time: float) -> float:
    del time
    return 0.0


SIGNALS: Mapping[str, Callable[[float], float]] = {
    "tamper.covered": _tampering, "tamper.defocused": _nothing, "tamper.moved": _nothing,
    "tamper.dark": _nothing, "tamper.frozen": _nothing, "autoencoder.unusual": _strange,
    "clip.fight": _certain, "clip.normal": _tampering, "clip.limit.fight": _limit,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Told:
    """What a behaviour said of a story: every subject's highest score and its seconds at or above the limit."""

    peaks: Mapping[Subject, float]
    seconds: Mapping[Subject, float]

    @classmethod
    def by(cls, behaviour: Behaviour, seen: Sequence[Scene], names: Mapping[int, int] | None = None) -> _Told:
        peaks: dict[Subject, float] = {}
        seconds: dict[Subject, float] = {}
        for before, scene in zip((seen[0], *seen), seen, strict=False):
            for subject, score in _asked(behaviour, scene).items():
                known = subject if names is None else tuple(sorted(names[i] for i in subject))
                peaks[known] = max(peaks.get(known, 0.0), score)
                seconds[known] = seconds.get(known, 0.0) + (scene.time - before.time) * (score >= 0.5)
        return cls(peaks, seconds)

    def must_equal(self, other: _Told, promise: str, *, score: float, lasting: float) -> None:
        for subject in sorted(self.peaks.keys() | other.peaks.keys()):
            a, b = self.peaks.get(subject, 0.0), other.peaks.get(subject, 0.0)
            assert abs(a - b) <= score, f"{promise}: the highest score of {subject} is {a:.3f} here and {b:.3f} there"
            a, b = self.seconds.get(subject, 0.0), other.seconds.get(subject, 0.0)
            assert abs(a - b) <= lasting, f"{promise}: {subject} is at or above the limit for {a:.1f} s here and for {b:.1f} s there"


def check_behaviour(
    behaviour: Behaviour,
    actors: Actors | None = None,
    *,
    seconds: float = SECONDS,
    signals: Mapping[str, Callable[[float], float]] | None = None,
) -> None:
    """Raise AssertionError, naming the broken promise, unless all of them hold.

    The promises are checked on a staged minute with walkers, a runner, a fall, bags, a group and tampering. A behaviour
    that is about something else needs `actors` (and `signals`) of its own in which its score reaches 0.5.
    """
    _check_form(behaviour)
    empty = Scene("test", 0.0, SIZE, ())
    _asked(behaviour, empty, "an empty scene is no error")

    def story(**changed: Any) -> tuple[Scene, ...]:
        if actors is None:
            return _cached_story(tuple(sorted(changed.items())))
        options: dict[str, Any] = {"seconds": seconds, "signals": signals, "epoch": DAY, "size": SIZE, **changed}
        return _sealed(scenes(actors, **options))

    plain = story()
    told = _Told.by(behaviour, plain)
    assert max(told.peaks.values(), default=0.0) >= 0.5, (
        "the story never wakes this behaviour, so nothing was checked: give actors= in which its score reaches 0.5"
    )
    _check_purity(behaviour, plain)
    _check_explanations(behaviour, plain)

    def same(promise: str, seen: Sequence[Scene], names: Mapping[int, int] | None = None, *, score: float, lasting: float) -> None:
        told.must_equal(_Told.by(behaviour, seen, names), promise, score=score, lasting=lasting)

    same("scores do not depend on when the camera was switched on", story(since=500_000.0, epoch=DAY - 500_000.0), score=0.02, lasting=0.21)
    shift = WEEKS if _has_schedule(behaviour) else STRANGE
    same("scores do not depend on the date", story(epoch=DAY + shift), score=1e-6, lasting=1e-6)
    for size in [(320, 180), (1280, 720)]:
        same("scores do not depend on the resolution", story(size=size), score=0.06, lasting=0.41)
    for fps in (5.0, 20.0):
        same("scores do not depend on the frame rate", story(fps=fps), score=0.1, lasting=1.01)
    same("`memory` says how much of the trail is needed", story(memory=max(_memory(behaviour), 1.0)), score=0.02, lasting=0.21)
    same("ids are only names", *_renamed(plain), score=0.0, lasting=1e-6)


@cache
def _cached_story(options: tuple[tuple[str, Any], ...]) -> tuple[Scene, ...]:
    given: dict[str, Any] = {"seconds": SECONDS, "signals": SIGNALS, "epoch": DAY, "size": SIZE, **dict(options)}
    return _sealed(scenes(_story(), **given))


def _sealed(seen: Iterable[Scene]) -> tuple[Scene, ...]:
    """Scenes in which nothing can be changed; trails are read-only already."""
    return tuple(replace(scene, signals=Frozen(dict(scene.signals))) for scene in seen)


def _check_form(behaviour: Behaviour) -> None:
    name = type(behaviour).__name__
    assert is_dataclass(behaviour), f"a behaviour is a frozen dataclass whose fields are its options: {name} is no dataclass"
    frozen = getattr(type(behaviour), "__dataclass_params__").frozen  # noqa: B009
    assert frozen, f"a behaviour is a frozen dataclass whose fields are its options: {name} is not frozen"
    kind = getattr(behaviour, "kind", None)
    assert isinstance(kind, str), f"a behaviour has a kind: {name}.kind is {kind!r}"
    assert kind, f"a behaviour has a kind: {name}.kind is {kind!r}"
    assert callable(getattr(behaviour, "explain", None)), f"a behaviour explains itself: {name} has no method explain(scene, subject)"
    assert _memory(behaviour) > 0, f"`memory` says how much of the trail is needed: {name}.memory is {_memory(behaviour)}"
    try:
        AlarmRule.of(behaviour)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"alarm_defaults are fields of an alarm rule: {error}") from error


def _memory(behaviour: Behaviour) -> float:
    return float(getattr(behaviour, "memory", 10.0))


def _has_schedule(behaviour: Behaviour) -> bool:
    return any(getattr(getattr(behaviour, field.name), "windows", None) for field in fields(behaviour))  # type: ignore[arg-type]


def _asked(behaviour: Behaviour, scene: Scene, promise: str = "a scene is no error, and cannot be changed") -> Scores:
    """The scores, after a look at their form."""
    try:
        scores = behaviour(scene)
    except Exception as error:
        raise AssertionError(f"{promise}: {type(error).__name__}: {error}") from error
    assert isinstance(scores, Mapping), f"scores map subjects to numbers, got {type(scores).__name__}"
    known = {track.id for track in (*scene.tracks, *scene.past)} if scores else set()
    for subject, score in scores.items():
        good = isinstance(subject, tuple) and list(subject) == sorted(set(subject)) and known.issuperset(subject)
        assert good, f"a subject is a sorted tuple of track ids of the scene, got {subject!r}"
        assert 0 <= score <= 1, f"scores lie in [0, 1]: {subject} has {score!r}"
    return scores


def _check_purity(behaviour: Behaviour, seen: Sequence[Scene]) -> None:
    """The same scene gives the same scores, in any order."""
    some = seen[:: max(1, len(seen) // 60)]
    forward = [dict(_asked(behaviour, scene)) for scene in some]
    backward = [dict(_asked(behaviour, scene)) for scene in reversed(some)][::-1]
    for scene, first, again in zip(some, forward, backward, strict=True):
        assert first == again, f"the same scene gives the same scores: at {scene.time:.1f} s first {first}, then {again}"
    copies = [replace(scene) for scene in some]  # equal in all but identity
    for scene, first, other in zip(some, forward, map(behaviour, copies), strict=True):
        assert first == other, f"the same scene gives the same scores: a copy of {scene.time:.1f} s gives {dict(other)}, not {first}"


def _check_explanations(behaviour: Behaviour, seen: Sequence[Scene]) -> None:
    asked = 0
    for scene in seen[:: max(1, len(seen) // 60)]:
        for subject in behaviour(scene):
            asked += 1
            try:
                reason = behaviour.explain(scene, subject)
            except Exception as error:
                raise AssertionError(f"a behaviour explains every subject it scores: {type(error).__name__}: {error}") from error
            assert isinstance(reason, Reason), f"explain gives a Reason, got {type(reason).__name__}"
            _check_reason(reason, built_in=type(behaviour).__module__.startswith("pahara."))
    assert asked, "no subject was explained: the check would pass without checking"


def _check_reason(reason: Reason, *, built_in: bool) -> None:
    assert reason.code, "a reason has a code, which names its sentence"
    assert all(map(isfinite, (reason.measured, reason.limit))), f"a reason holds numbers: {reason}"
    spoken = [language for language in LANGUAGES if f"reason.{reason.code}" in catalogue(language)]
    missing = [language for language in LANGUAGES if language not in spoken]
    assert not missing or not (spoken or built_in), f"every language knows the reason {reason.code!r}: {', '.join(missing)} does not"
    for language in LANGUAGES:
        try:
            in_words(reason, language)
        except (KeyError, IndexError, ValueError) as error:
            raise AssertionError(f"the sentence of {reason.code!r} in {language!r} can be filled in: {error!r}") from error


def _renamed(seen: Sequence[Scene]) -> tuple[list[Scene], dict[int, int]]:
    """The same scenes under other ids, in another order; with the way back to the old ids."""
    ids = sorted({track.id for scene in seen for track in (*scene.tracks, *scene.past)})
    new = {old: 5000 + 37 * place for place, old in enumerate(reversed(ids))}
    renamed = []
    for scene in seen:
        tracks = sorted((replace(t, id=new[t.id]) for t in scene.tracks), key=lambda t: t.id)
        renamed.append(replace(scene, tracks=tuple(tracks), past=tuple(replace(t, id=new[t.id]) for t in scene.past)))
    return renamed, {name: old for old, name in new.items()}


# ---------------------------------------------------------------- detectors


def check_detector(detector: Detector, images: Sequence[Image] = ()) -> None:
    """Raise AssertionError, naming the broken promise, unless all of them hold.

    `images` (BGR uint8, of at least two sizes) should show something that the detector finds; noise is always tried.
    """
    rng = np.random.default_rng(0)
    noise: list[Image] = [rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in [(120, 160), (90, 200), (33, 17)]]
    pictures = [*images, *noise]
    copies = [picture.copy() for picture in pictures]

    assert detector([]) == [], "no pictures give an empty list"
    together = _detected(detector, pictures)
    assert all((a == b).all() for a, b in zip(pictures, copies, strict=True)), "a detector changes nothing of the pictures"
    for picture, found in zip(pictures, together, strict=True):
        _check_detections(found, picture)
    for picture, found in zip(pictures, together, strict=True):
        _must_agree(found, _detected(detector, [picture])[0], "a picture gives the same detections alone and in company")
    for found, again in zip(together, reversed(_detected(detector, pictures[::-1])), strict=True):
        _must_agree(found, again, "the same picture gives the same detections, in any order")
    if images:
        assert any(len(found) for found in together[: len(images)]), "nothing was found in the pictures given: the check proves little"


def _detected(detector: Detector, pictures: Sequence[Image]) -> list[Detections]:
    try:
        found = detector(pictures)
    except Exception as error:
        sizes = [picture.shape for picture in pictures]
        raise AssertionError(f"a picture is no error, whatever its size: {type(error).__name__}: {error} (shapes {sizes})") from error
    assert isinstance(found, list), f"a detector gives a list, got {type(found).__name__}"
    assert len(found) == len(pictures), f"a detector gives one Detections per picture: {len(found)} for {len(pictures)}"
    assert all(isinstance(each, Detections) for each in found), "a detector gives one Detections per picture, in their order"
    return found


def _check_detections(found: Detections, picture: Image) -> None:
    tall, wide = picture.shape[:2]
    assert np.isfinite([*found.boxes.ravel(), *found.scores]).all(), "boxes and scores are numbers"
    assert ((found.scores >= 0) & (found.scores <= 1)).all(), f"scores lie in [0, 1]: {found.scores}"
    assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all(), "boxes are x1 y1 x2 y2 with x1 <= x2 and y1 <= y2"
    inside = (found.boxes >= -1).all() and (found.boxes <= np.array([wide, tall, wide, tall]) + 1).all()
    assert inside, f"boxes are pixels of the picture itself ({wide} x {tall}): {found.boxes.tolist()}"
    assert all(isinstance(name, str) and name for name in found.names), f"every class has a name: {found.names}"


def _must_agree(a: Detections, b: Detections, promise: str) -> None:
    # Engines may sum in another order when they batch: a weak detection at the threshold may come or go.
    sure_a, sure_b = a[a.scores >= 0.3], b[b.scores >= 0.3]
    assert abs(len(sure_a) - len(sure_b)) <= 0.02 * len(sure_a), f"{promise}: {len(sure_a)} against {len(sure_b)}"
    if len(sure_a) and len(sure_b):
        apart = np.abs(sure_a.boxes[:, None] - sure_b.boxes[None]).max(axis=-1).min(axis=1)
        assert (apart <= 1.0).mean() >= 0.98, f"{promise}: boxes differ by up to {apart.max():.1f} pixels"


# ---------------------------------------------------------------- trackers


def check_tracker(make: Callable[[], Tracker]) -> None:
    """Raise AssertionError, naming the broken promise, unless all of them hold. `make` gives a fresh tracker."""
    for fps in (5.0, 12.5, 30.0):
        two = _tracked(make(), {1: walk((0.1, 0.6), (0.9, 0.6), 0, 8), 2: walk((0.9, 0.9), (0.1, 0.9), 0, 8)}, fps=fps)
        ids = {int(i) for seen in two for i in seen.ids}
        assert len(ids) == 2, f"two people who stay in view are two tracks, at {fps:g} frames a second too: got {len(ids)}"
    alone: Actors = {1: walk((0.1, 0.6), (0.9, 0.6), 0, 8)}
    first, second = make(), make()
    a, b = _tracked(first, alone), _tracked(second, alone)
    same = all((x.ids == y.ids).all() and np.array_equal(x.boxes, y.boxes) for x, y in zip(a, b, strict=True))
    assert same, "two trackers do not know of each other, and the same detections give the same tracks"
    assert len({int(i) for seen in _tracked(make(), alone, blind=(3.0, 3.5)) for i in seen.ids}) == 1, (
        "half a second without detections does not end a track"
    )
    late = _tracked(make(), alone, since=1_000_000.0)
    assert [len(seen) for seen in late] == [len(seen) for seen in a], "tracks do not depend on when the camera was switched on"
    gone = _tracked(make(), {1: walk((0.1, 0.6), (0.5, 0.6), 0, 3)}, seconds=90.0, fps=5.0)
    assert len(gone[-1]) == 0, "who left a minute and a half ago is no longer alive"
    classes: Actors = {1: walk((0.1, 0.6), (0.9, 0.6), 0, 4), 2: Cast(walk((0.12, 0.6), (0.92, 0.6), 0, 4), "dog")}
    labels = {(int(i), label) for seen in _tracked(make(), classes) for i, label in zip(seen.ids, seen.labels, strict=True)}
    assert len({i for i, _ in labels}) == len(labels) == 2, f"a track keeps its class, and classes do not share tracks: {sorted(labels)}"
    *_, scene = remember(_tracked(make(), alone))
    assert any(t.last_seen > scene.time - 1 for t in scene.tracks), "the scene memory can follow a tracker"


def _tracked(
    tracker: Tracker, actors: Actors, *, seconds: float = 8.0, fps: float = 10.0, since: float = 0.0, blind: tuple[float, float] = (0, 0)
) -> list[Observation]:
    """What a tracker makes of perfect detections, after a look at its form."""
    names = ("person", "dog")
    told = []
    for truth in observed(actors, seconds=seconds, fps=fps, since=since, patience=0.0):
        rows = truth.seen & (not blind[0] <= truth.time - since < blind[1])
        labels = np.array([names.index(label) for label in truth.labels], np.intp)
        found = Detections.of(truth.boxes[rows], truth.scores[rows], labels[rows], names)
        try:
            seen = tracker.update(found, truth.time)
        except Exception as error:
            raise AssertionError(f"{len(found)} detections are no error: {type(error).__name__}: {error}") from error
        n = len(seen.ids)
        shapes = seen.boxes.shape == (n, 4) and len(seen.labels) == n and seen.seen.shape == (n,) and seen.scores.shape == (n,)
        assert shapes, "row i of every array is the same track"
        assert seen.time == truth.time, f"an observation has the time of its frame: {seen.time} is not {truth.time}"
        assert len(set(seen.ids.tolist())) == n, f"ids are unique within a camera: {seen.ids.tolist()}"
        assert np.isfinite(seen.boxes).all(), "boxes are numbers"
        assert int(seen.seen.sum()) <= len(found), "a track is seen only where there is a detection"
        told.append(seen)
    return told
