"""Windows of tracks and skeletons to learn actions from: out of Pahara's own store, and out of staged scenes with their truth.

The input is made by `behaviours.learned.Window.take`, which the watcher uses too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pahara.behaviours.learned import Window, near_pairs
from pahara.core import Observation, Track
from pahara.core.errors import DataError

if TYPE_CHECKING:
    from pahara.simulate import Script, Truth
    from pahara.store import Store

NOTHING = "nothing"  # the class of windows in which none of the actions happens
SURE, NOT = 0.5, 0.1  # shares of a window that an action fills: from here on it counts, up to here it does not; between is left out
HIDDEN = 0.25  # share that must be visible for a sighting; a detector would not see less

Label = Callable[[float, float, tuple[int, ...]], int]  # begin, end, ids -> class; -1 to leave the window out


@dataclass(frozen=True, eq=False)
class WindowSet:
    """w windows with their classes. Item i is (window (t, k, 3) float32, label)."""

    inputs: NDArray[np.float32]  # (w, t, k, 3) x, y in body heights, confidence
    labels: NDArray[np.int64]  # (w,) index into `names`; -1 where nobody said
    groups: tuple[str, ...]  # (w,) what must stay on one side of a split: the recording or the scene
    names: tuple[str, ...]  # class names
    window: Window

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], int]:
        return self.inputs[index], int(self.labels[index])

    def rows(self, rows: NDArray[np.intp] | Sequence[int]) -> WindowSet:
        """Some of the windows."""
        picked = np.asarray(rows, np.intp)
        return WindowSet(self.inputs[picked], self.labels[picked], tuple(self.groups[i] for i in picked.tolist()), self.names, self.window)

    def split(self, *, shares: Mapping[str, float] | None = None, seed: int = 0) -> dict[str, WindowSet]:
        """Stratified, and by group: see `splits.split`. Windows that nobody labelled are left out."""
        from .splits import SHARES, split

        known = np.flatnonzero(self.labels >= 0)
        told = self.rows(known)
        return {
            name: told.rows(rows) for name, rows in split(told.labels.tolist(), told.groups, shares=shares or SHARES, seed=seed).items()
        }

    @classmethod
    def join(cls, sets: Iterable[WindowSet]) -> WindowSet:
        """Several sets of the same names and window as one. DataError when there is none, or they differ."""
        parts = list(sets)
        if not parts:
            raise DataError("there are no windows to learn from")
        if any(part.names != parts[0].names or part.window != parts[0].window for part in parts):
            raise DataError("only window sets of the same classes and the same kind of window can be joined")
        return cls(
            np.concatenate([part.inputs for part in parts]), np.concatenate([part.labels for part in parts]),
            tuple(group for part in parts for group in part.groups), parts[0].names, parts[0].window,
        )  # fmt: skip


def track_windows(
    tracks: Sequence[Track], window: Window, label: Label, *, names: Sequence[str], group: str = "", stride: float = 0.5
) -> WindowSet:
    """Windows of tracks (of pairs near each other, when `window.people` is 2), one every `stride` seconds.

    `label(begin, end, ids)` gives a window's class, -1 to leave it out. A window ends at a sighting and sees nothing after it.
    """
    inputs, labels = [], []
    for some in combinations(tracks, window.people):
        for end in _ends(some, window, stride):
            kind = label(end - window.seconds, end, tuple(sorted(track.id for track in some)))
            known = [_until(track, end) for track in some]
            if kind < 0 or (window.people == 2 and not near_pairs(known, window.near)):
                continue
            made = window.take(known)
            if made is not None:
                inputs.append(made)
                labels.append(kind)
    return WindowSet(
        np.stack(inputs) if inputs else np.zeros((0, *window.shape), np.float32), np.array(labels, np.int64), (group,) * len(inputs),
        tuple(names), window,
    )  # fmt: skip


def truth_windows(truth: Truth | str | Path, window: Window, actions: Sequence[str], *, stride: float = 0.5, group: str = "") -> WindowSet:
    """Windows of a staged scene (a Truth, or its file): class 0 is "nothing", then one class for each kind of incident in `actions`.

    A window belongs to an action that fills at least half of it (or lies in it, when it is shorter) and of which all of the
    people take part; windows that only touch one are left out. Joints are taken when `window.joints` is 17.
    """
    from pahara.simulate import Truth as Told
    from pahara.simulate import read_truth

    told = truth if isinstance(truth, Told) else read_truth(truth)
    names = (NOTHING, *actions)
    incidents = [(names.index(i.kind), i.start, i.end, frozenset(i.subjects)) for i in told.incidents if i.kind in actions]

    def label(begin: float, end: float, ids: tuple[int, ...]) -> int:
        best, touched = 0, False
        for kind, start, stop, subjects in incidents:
            together = min(end, stop) - max(begin, start)
            share = together / max(min(end - begin, stop - start), 1e-6)
            mine = bool(subjects & set(ids)) if len(ids) == 1 else set(ids) <= subjects or not subjects
            if mine and share >= SURE:
                best = kind
            elif share > NOT and bool(subjects & set(ids)):
                touched = True
        return best if best or not touched else -1

    return track_windows(truth_tracks(told), window, label, names=names, group=group or told.name, stride=stride)


def staged_windows(
    scripts: Iterable[Script], window: Window, actions: Sequence[str], *, stride: float = 0.5, progress: Callable[[int], None] | None = None
) -> WindowSet:
    """Windows of scripts, worked out without drawing a picture; each script is a group of its own."""
    from pahara.simulate import truth_of

    parts = []
    for number, script in enumerate(scripts, 1):
        parts.append(truth_windows(truth_of(script), window, actions, stride=stride, group=f"{script.name}-{script.seed}"))
        if progress is not None:
            progress(number)
    return WindowSet.join(parts)


def store_windows(
    store: Store, window: Window, *, stride: float = 1.0, labels: Mapping[str, str] | None = None, names: Sequence[str] = (NOTHING,),
    camera: str | None = None,
) -> WindowSet:  # fmt: skip
    """Windows of all recordings that the store keeps (of one camera): what the watcher really saw.

    labels: {behaviour (its name or its kind): class name of `names`}. A window in an event of that behaviour, with its subject, has this class where
    a person confirmed the event ("real"); where a person said it was fine it is class 0; where nobody said anything it is left
    out. A window outside of every event is class 0. Each recording is a group.
    """
    wanted = dict(labels or {})
    unknown = sorted(set(wanted.values()) - set(names))
    if unknown:
        raise DataError(f"the class {unknown[0]!r} is not among the names {', '.join(names)}")
    parts = []
    for recording in store.recordings(camera=camera):
        happened = [
            (
                event.start, event.time if event.phase == "ended" else float("inf"), set(event.subject),
                _verdict(stored.verdict, wanted.get(event.behaviour, wanted.get(event.kind)), names),
            )
            for stored in store.every_event(camera=recording.camera)
            if stored.recording == recording.id
            for event in [stored.event]
        ]  # fmt: skip

        def label(begin: float, end: float, ids: tuple[int, ...], happened: list[tuple[float, float, set[int], int]] = happened) -> int:
            found = [
                kind
                for start, stop, subject, kind in happened
                if min(end, stop) > max(begin, start) and (not subject or subject & set(ids))
            ]
            return min(found) if -1 in found else max(found, default=0)

        tracks = observed_tracks(store.observations(recording))
        parts.append(track_windows(tracks, window, label, names=names, group=f"recording {recording.id}", stride=stride))
    return WindowSet.join(parts) if parts else track_windows([], window, lambda *_: -1, names=names)


def observed_tracks(observations: Iterable[Observation], labels: Sequence[str] = ("person",)) -> list[Track]:
    """The whole trails in a run of observations, by id; () takes every label."""
    times: dict[int, list[float]] = {}
    boxes: dict[int, list[NDArray[np.float32]]] = {}
    names: dict[int, str] = {}
    for seen in observations:
        for row in np.flatnonzero(seen.seen).tolist():
            number = int(seen.ids[row])
            times.setdefault(number, []).append(seen.time)
            boxes.setdefault(number, []).append(seen.boxes[row])
            names[number] = seen.labels[row]
    return [
        Track(number, names[number], np.array(times[number]), np.array(boxes[number], np.float32))
        for number in sorted(times)
        if not labels or names[number] in labels
    ]


def truth_tracks(truth: Truth, labels: Sequence[str] = ("person",)) -> list[Track]:
    """The trails of a staged scene, with joints where it has them; sightings that nobody could see are left out."""
    rows: dict[int, list[tuple[float, tuple[float, ...], tuple[tuple[float, float, float], ...]]]] = {}
    names: dict[int, str] = {}
    for time, objects in truth.frames:
        for one in objects:
            if one.visible >= HIDDEN and (not labels or one.label in labels):
                rows.setdefault(one.id, []).append((time, one.box, one.keypoints))
                names[one.id] = one.label
    tracks = []
    for number, some in sorted(rows.items()):
        joints = np.array([keypoints for *_, keypoints in some], np.float32).reshape(len(some), -1, 3) if all(k for *_, k in some) else None
        boxes = np.array([box for _, box, _ in some], np.float32)
        times = np.array([time for time, *_ in some])
        tracks.append(
            Track(number, names[number], times, boxes) if joints is None else Track(number, names[number], times, boxes, keypoints=joints)
        )
    return tracks


def _ends(tracks: Sequence[Track], window: Window, stride: float) -> Iterator[float]:
    """Sightings of the first track about `stride` seconds apart at which all were there long enough."""
    times = tracks[0].times
    begin = max(float(track.times[0]) for track in tracks) + window.least * window.seconds
    stop = min(track.last_seen for track in tracks) + 1e-6
    wanted = begin
    for time in times[(times >= begin - 1e-6) & (times <= stop)].tolist():
        if time >= wanted - 1e-6:
            yield time
            wanted = max(wanted + stride, time)


def _until(track: Track, end: float) -> Track:
    """The trail as a watcher knows it at `end`."""
    rows = slice(0, int(track.times.searchsorted(end + 1e-6)))
    return Track(track.id, track.label, track.times[rows], track.boxes[rows], keypoints=track.keypoints[rows])


def _verdict(verdict: str | None, name: str | None, names: Sequence[str]) -> int:
    if name is None:
        return 0
    return names.index(name) if verdict == "real" else 0 if verdict == "fine" else -1
