"""A scene is measured: what each person did in the last second, from rows that are not later than the moment told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pahara.core import Scene, Track
from pahara.core.frozen import Frozen
from pahara.core.rows import TINY, Rows, rows_of

from .samples import Samples, none_of, together

WINDOW = 1.0  # seconds of trail that a sample looks at
SPAN = 0.45  # seconds of it that must have been seen
FRESH = 0.6  # seconds since the last sighting after which a trail tells nothing of now
LONGEST = 180.0  # seconds: a stay is not told longer
BEAT = 0.5  # seconds: older rows of a trail are thinned to these beats, so only these are looked at for a stay
FAR = 4.0  # body heights: whoever is further away is no company
DEPTH = 1.6  # ratio of heights beyond which one of two people stands far behind the other
EDGE = 0.008  # of the picture: a box that ends so near its border is cut by it
Floats = NDArray[np.float64]


def track_key(camera: str, epoch: float, track: Track) -> int:
    """A number for one track of one camera and recording that no other track has (but for one chance in 10¹⁸)."""
    told = f"{camera}|{round((epoch + track.born) * 1000)}|{track.id}".encode()
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "little", signed=True)


def measure(
    scene: Scene,
    *,
    times: Sequence[float] = (),
    labels: tuple[str, ...] = (),
    extra: Mapping[str, Mapping[int, NDArray[np.floating]]] = Frozen(),
) -> Samples:
    """Samples of the tracks alive in `scene`: one row per track and time, where it had been seen long enough.

    `times` are media seconds up to `scene.time` (left out: now); only rows up to each of them count. `labels` () means any
    class. `extra` brings attributes that pixels tell of now: name -> track id -> (d,), e.g. {"appearance": {7: vector}}.
    """
    asked = np.asarray(times or (scene.time,), np.float64)
    if (asked > scene.time + TINY).any():
        raise ValueError(f"nothing is known of {float(asked.max()):.3f} s at {scene.time:.3f} s")
    mine = [track for track in scene.tracks if not labels or track.label in labels]
    if not mine:
        return none_of(scene.size)
    seconds = float(scene.time - asked.min()) + WINDOW + FRESH
    gone = [track for track in scene.past if track.last_seen >= asked.min() - FRESH and (not labels or track.label in labels)]
    everyone = [*mine, *gone]
    rows = _Rows.of(everyone, scene, seconds)
    parts = [_at(scene, rows, len(mine), float(time)) for time in asked]
    samples = together([none_of(scene.size), *parts])
    for name, by_id in extra.items():
        if by_id:
            samples = _with_extra(samples, name, by_id, {track_key(scene.camera, scene.epoch, track): track.id for track in mine})
    return samples


class _Rows:
    """All trails in one set of arrays."""

    def __init__(self, rows: Rows, scene: Scene) -> None:
        self.rows, self.tracks = rows, rows.tracks
        wide, tall = scene.size
        self.boxes = rows.boxes / tall  # picture heights
        self.cut = np.empty(rows.boxes.shape, bool)
        self.cut[:, 0], self.cut[:, 1] = rows.boxes[:, 0] <= EDGE * wide, rows.boxes[:, 1] <= EDGE * tall
        self.cut[:, 2], self.cut[:, 3] = rows.boxes[:, 2] >= (1 - EDGE) * wide, rows.boxes[:, 3] >= (1 - EDGE) * tall

    @classmethod
    def of(cls, tracks: Sequence[Track], scene: Scene, seconds: float) -> _Rows:
        return cls(rows_of(tracks, seconds, before=1), scene)

    def windows(self, time: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
        """-> each trail's first and last row of the window that ends at `time`, whether it was seen then, and whether for long
        enough to tell what it does."""
        times = self.rows.times
        n = len(self.tracks)
        last = self.rows.at(np.full(n, time))
        end = times[last]
        first = self.rows.at(end - WINDOW - 2 * TINY)
        first = np.where(times[first] < end - WINDOW - TINY, np.minimum(first + 1, last), first)
        seen = (end <= time + TINY) & (time - end <= FRESH)
        return first, last, seen, (end - times[first] >= SPAN) & (last - first >= 2)


def _at(scene: Scene, rows: _Rows, mine: int, time: float) -> Samples:
    """One moment: a row for each of the first `mine` tracks of which enough was seen."""
    first, last, seen, long = rows.windows(time)
    who = np.flatnonzero(seen)
    chosen = who[who < mine]
    if not len(chosen):
        return none_of(scene.size)
    velocity, spread, tall, slim, whole = _lines(rows, first[who], last[who])
    here = np.flatnonzero(who < mine)
    tracks = [rows.tracks[i] for i in chosen]
    feet = np.stack([rows.boxes[last[who], 0] + rows.boxes[last[who], 2], 2 * rows.boxes[last[who], 3]], axis=1) / 2
    near = _company(feet, velocity, tall)
    shape = np.where(whole[:, None], np.stack([tall, slim], axis=1), np.nan)
    pose, motion = _postures(tracks, rows.rows.times[last[chosen]])
    features = {
        "motion": np.column_stack([velocity, spread])[here],
        "shape": shape[here],
        "place": np.column_stack([feet, velocity])[here],
        "dwell": np.array([_stay(track, time, float(tall[h]) * scene.size[1]) for track, h in zip(tracks, here, strict=True)])[:, None],
        "interaction": near[here],
        "time": np.full((len(chosen), 1), (scene.epoch + time) % 86400.0 / 3600.0),
    }
    for values in features.values():
        values[~long[chosen]] = np.nan  # who has just come: only pixels can tell of them, see `extra`
    if pose is not None and motion is not None:
        features |= {"posture": pose, "pose_motion": motion}
    return Samples(
        np.array([track_key(scene.camera, scene.epoch, track) for track in tracks], np.int64),
        np.full(len(chosen), scene.epoch + time),
        np.array([track.label for track in tracks], np.str_),
        rows.rows.boxes[last[chosen]].astype(np.float32),
        scene.size,
        Frozen({name: values.astype(np.float32) for name, values in features.items()}),
    )


def _lines(rows: _Rows, first: NDArray[np.intp], last: NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.bool_]]:
    """Straight lines through the windows -> velocity (n, 2), spread (n,), height (n,), width / height (n,), whole (n,).

    An edge that the picture's border cuts stands still whatever the person does: then the other edge tells the speed.
    """
    # Each window's sums are of its own rows alone, in their order: nothing later, and nobody else, touches a digit.
    lengths = last - first + 1
    begins = np.cumsum(lengths) - lengths
    at = np.repeat(first - begins, lengths) + np.arange(int(lengths.sum()))
    t = (rows.rows.times[at] - np.repeat(rows.rows.times[last], lengths))[:, None]
    box = rows.boxes[at]
    middle = (box[:, :2] + box[:, 2:]) / 2
    near = np.concatenate([box, middle], axis=1) - np.repeat(
        np.concatenate([rows.boxes[last], middle[begins + lengths - 1]], 1), lengths, axis=0
    )
    size = np.stack([box[:, 3] - box[:, 1], box[:, 2] - box[:, 0]], axis=1)
    every = np.concatenate([np.ones_like(t), t, t * t, near, near * t, near * near, size, rows.cut[at]], axis=1)
    s = np.add.reduceat(every, begins, axis=0)
    n, st, stt = s[:, :1], s[:, 1:2], s[:, 2:3]
    sx, sxt, sxx, size, cut = s[:, 3:9], s[:, 9:15], s[:, 15:21], s[:, 21:23], s[:, 23:27]
    var = np.maximum(stt - st * st / n, 1e-12)
    cov = sxt - st * sx / n
    slope = cov / var  # (n, 6)
    rest = np.maximum(sxx - sx * sx / n - cov * slope, 0.0) / n  # mean squared distance from the line
    clipped = cut > 0
    velocity, squares = np.empty((len(s), 2)), np.zeros(len(s))
    for axis, (low, high, both) in enumerate([(0, 2, 4), (1, 3, 5)]):
        one, other = slope[:, low], slope[:, high]
        # What moves takes both its edges along; one edge alone jumps when somebody walks in front (minmod, Roe 1986).
        steady = np.where(one * other > 0, np.sign(one) * np.minimum(np.abs(one), np.abs(other)), 0.0)
        velocity[:, axis] = np.where(clipped[:, low], np.where(clipped[:, high], np.nan, other), np.where(clipped[:, high], one, steady))
        column = np.where(clipped[:, low] == clipped[:, high], both, np.where(clipped[:, low], high, low))
        squares += rest[np.arange(len(s)), column]
    mean = size / n
    tall = np.maximum(mean[:, 0], 1e-6)
    whole = np.logical_not(clipped.any(axis=1)).astype(bool)
    return velocity, np.sqrt(squares), tall, mean[:, 1] / tall, whole


def _company(feet: Floats, velocity: Floats, tall: Floats) -> Floats:
    """(n, 4): distance and closing speed of the nearest and of the next one, body heights; NaN for who is alone."""
    n = len(feet)
    told = np.full((n, 4), np.nan)
    if n < 2:
        return told
    unit = (tall[:, None] + tall[None]) / 2
    gap = feet[None] - feet[:, None]  # (n, n, 2) from me to you
    distance = np.hypot(gap[..., 0], gap[..., 1])
    moving = np.nan_to_num(velocity)
    towards = ((moving[:, None] - moving[None]) * gap).sum(-1) / np.maximum(distance, 1e-6) / unit
    apart = distance / unit
    ratio = tall[:, None] / tall[None]
    apart[(ratio > DEPTH) | (ratio < 1 / DEPTH)] = np.inf
    np.fill_diagonal(apart, np.inf)
    order = np.argsort(apart, axis=1, kind="stable")[:, :2]
    rows = np.arange(n)[:, None]
    near, closing = apart[rows, order], towards[rows, order]
    company = near < FAR
    told[:, 0 : 2 * order.shape[1] : 2] = np.where(company, near, FAR)
    told[:, 1 : 2 * order.shape[1] : 2] = np.where(company, closing, 0.0)
    if order.shape[1] == 1:
        told[:, 2], told[:, 3] = FAR, 0.0
    told[~company[:, 0]] = np.nan
    return told


def _stay(track: Track, time: float, tall: float) -> float:
    """Seconds of the unbroken stay within one body height (pixels) of where the track is at `time`."""
    stop = int(track.times.searchsorted(time + TINY, side="right"))
    start = int(track.times.searchsorted(time - LONGEST - TINY))
    times, feet = track.times[start:stop], track.feet[start:stop]
    beat = np.floor(times / BEAT)
    kept = np.flatnonzero(np.append(True, beat[1:] != beat[:-1]))
    apart = feet[kept] - feet[-1]
    away = np.flatnonzero(np.hypot(apart[:, 0], apart[:, 1]) > tall)
    since = times[kept[away[-1]]] if len(away) else (times[0] if start else track.born)
    return float(min(time - since, LONGEST))


def _postures(tracks: Sequence[Track], ends: Floats) -> tuple[Floats | None, Floats | None]:
    """Joints in the box's own frame, and how fast the parts of the body move; None where nobody has a skeleton."""
    counts = {track.keypoints.shape[1] for track in tracks} - {0}
    if not counts:
        return None, None
    from .posture import posture  # only cameras with pose pay for it

    return posture(tracks, ends, max(counts), WINDOW)


def _with_extra(samples: Samples, name: str, by_id: Mapping[int, NDArray[np.floating]], ids: Mapping[int, int]) -> Samples:
    width = len(next(iter(by_id.values())))
    values = np.full((len(samples), width), np.nan, np.float32)
    for row, key in enumerate(samples.tracks.tolist()):
        if (vector := by_id.get(ids[key])) is not None:
            values[row] = vector
    return samples.with_feature(name, values)
