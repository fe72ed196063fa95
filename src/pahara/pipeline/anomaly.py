"""Learned suspicion measured on clips: learn what is normal from some, score the others as a camera would, strictly causally."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pahara.core import Detector, Observation, PaharaError, Scene, StoreError
from pahara.detection.frames import detect_frames
from pahara.evaluation import AurocTable, BudgetRow, Spans, Watched, auroc_table, by_budget, frame_scores, read_spans
from pahara.normality.evidence import over_tracks
from pahara.normality.measure import LONGEST, measure
from pahara.normality.model import Normality
from pahara.normality.samples import Samples, none_of, together
from pahara.normality.settings import Settings
from pahara.store.trails import decode, encode
from pahara.tracking import ByteTrack, SceneMemory, on_grid
from pahara.video import open_source
from pahara.video.address import PICTURES, natural_order

Floats = NDArray[np.float64]
Tell = Callable[[float], None]  # share done, 0..1

VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts")
LEARN_EVERY = 0.5  # seconds between two samples that are learned from
APART = 3600.0  # seconds between the clips of one folder, as if each came from another hour
LEAST_TRACKS = 12  # below that nothing can be learned
FOLDS = 5  # of the normal clips: alarm thresholds come from scores of clips that the model had not seen
COLUMNS = ("unusual", "evidence", "speed")


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip as the watcher sees it."""

    name: str
    size: tuple[int, int]
    times: Floats  # (n,) seconds of its frames
    seen: tuple[Observation, ...]  # n
    epoch: float = 0.0

    @property
    def people(self) -> NDArray[np.int64]:
        """(n,) how many were seen in each frame."""
        return np.array([int(each.seen.sum()) for each in self.seen], np.int64)

    def scenes(self) -> Iterator[Scene]:
        """The scene at each frame, knowing nothing later."""
        memory = SceneMemory(self.name, self.size, epoch=self.epoch, seconds=LONGEST + 10.0)
        return (memory.step(each) for each in self.seen)


@dataclass(frozen=True, eq=False)
class Scored:
    """A clip with a score per frame for each way to score it."""

    clip: Clip
    columns: Mapping[str, Floats]  # "unusual", "evidence", "speed" -> (n,)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What came out, and what it was made from."""

    table: AurocTable
    budgets: tuple[BudgetRow, ...]
    clips: tuple[Scored, ...]
    truth: tuple[NDArray[np.bool_], ...]
    attributes: tuple[str, ...]  # that could be asked
    tracks: int  # learned from
    normal_seconds: float
    threshold_per_hour: Mapping[str, float]


def clips_in(folder: Path) -> list[Path]:
    """The clips of a folder in natural order: its videos and its folders of pictures; itself, when it holds pictures. PaharaError without any."""
    try:
        inside = sorted((each for each in folder.iterdir() if not each.name.startswith(".")), key=lambda each: natural_order(each.name))
    except OSError as error:
        raise PaharaError(f"cannot read the folder {folder}: {error.strerror}") from error
    found = [each for each in inside if each.suffix.lower() in VIDEOS or (each.is_dir() and _has_pictures(each))]
    if not found and _has_pictures(folder):
        return [folder]
    if not found:
        raise PaharaError(f"{folder} holds no clips: give a folder of videos, or of folders with numbered pictures")
    return found


def read_clip(path: Path, detector: Detector, *, key: str, cache: Path | None = None, fps: float = 10.0, tell: Tell | None = None) -> Clip:
    """Every frame detected and tracked; kept in `cache` under `key` (what the detector is), so that a second run begins there."""
    kept = cache / f"{path.stem}-{_fingerprint(path, key, fps)}.pht" if cache is not None else None
    if kept is not None and kept.exists():
        try:
            seen = decode(kept.read_bytes())
            wide, tall = (int(side) for side in kept.with_suffix(".size").read_text(encoding="ascii").split())
        except (StoreError, OSError, ValueError):
            kept.unlink(missing_ok=True)
        else:
            return Clip(path.stem, (wide, tall), np.array([each.time for each in seen]), tuple(seen))
    tracker, rows = ByteTrack(), []
    with open_source(path, camera=path.stem, ring_seconds=0, fps=fps) as source:
        for frame in source:
            rows.append(on_grid(tracker.update(detect_frames(detector, [frame])[0], frame.time)))
            if tell is not None and source.duration:
                tell(min(frame.time / source.duration, 1.0))
        size = source.size
    if len(rows) < 2:
        raise PaharaError(f"{path}: a clip needs two pictures at least")
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".size").write_text(f"{size[0]} {size[1]}", encoding="ascii")
        part = kept.with_suffix(".part")
        part.write_bytes(encode(rows))
        part.replace(kept)
    return Clip(path.stem, size, np.array([each.time for each in rows]), tuple(rows))


def compare(normal: Sequence[Clip], asked: Sequence[Clip], spans: Mapping[str, Spans], *, sigma: float, seed: int = 0) -> Comparison:
    """Learn from `normal`, score `asked`, judge by `spans` (clip -> what is abnormal). PaharaError when too little can be learned.

    Columns: "unusual", how rare the rarest person of the frame is (−log₁₀ p, the product's judgement of one moment);
    "evidence", gathered over the last eight seconds of a track (what alarms); "speed", body heights a second and nothing
    learned. Thresholds of the budgets come from normal clips alone, each scored by a model that had not seen it.
    """
    missing = [clip.name for clip in asked if clip.name not in spans]
    if missing:
        raise PaharaError(f"the labels say nothing of the clip {missing[0]}: a row with empty cells says that nothing happens in it")
    truth = tuple(spans[clip.name].frames(clip.times) for clip in asked)
    if not any(each.any() for each in truth):
        raise PaharaError("the labels name nothing abnormal in these clips: there is nothing to find")
    normal = [replace(clip, epoch=APART * number) for number, clip in enumerate(normal)]
    asked = [replace(clip, epoch=APART * (len(normal) + number)) for number, clip in enumerate(asked)]
    samples = [_learnt(clip) for clip in normal]
    model = _fitted(samples)
    scored = tuple(score(model, clip) for clip in asked)
    columns = {name: [each.columns[name] for each in scored] for name in COLUMNS}
    table = auroc_table(columns, truth, people=[clip.people for clip in asked], sigma=sigma, seed=seed)
    unseen = []
    for part in range(min(FOLDS, len(normal))):
        others = [each for number, each in enumerate(samples) if number % FOLDS != part]
        if others and len(np.unique(together(others).tracks)) >= LEAST_TRACKS:
            held_out = _fitted(others)
            unseen += [score(held_out, clip) for number, clip in enumerate(normal) if number % FOLDS == part]
    budgets: tuple[BudgetRow, ...] = ()
    if unseen:
        budgets = by_budget(
            [Watched.of(each.clip.name, each.clip.times, each.columns["evidence"]) for each in unseen],
            [
                Watched.of(each.clip.name, each.clip.times, each.columns["evidence"], spans[each.clip.name].seconds(each.clip.times))
                for each in scored
            ],
            seed=seed,
        )
    every = together(samples)
    seconds = float(sum(clip.times[-1] - clip.times[0] for clip in normal))
    return Comparison(
        table, budgets, scored, truth, model.names, len(np.unique(every.tracks)), seconds, {row.name: row.threshold for row in budgets}
    )


def score(model: Normality, clip: Clip) -> Scored:
    """Each frame by what was known at it."""
    parts, frames = [], []
    for number, scene in enumerate(clip.scenes()):
        here = measure(scene)
        parts.append(here)
        frames += [number] * len(here)
    samples = together(parts) if parts else none_of(clip.size)
    judged = model.judge(samples)
    p = np.where(np.isnan(judged.fused), 1.0, judged.fused)
    step = float(np.median(np.diff(clip.times)))
    evidence = over_tracks(judged.fused, samples.tracks, samples.times, model.settings.drift, step)
    body = model.scale.at(samples.feet[:, 1])
    motion = samples.features.get("motion", np.zeros((0, 3)))
    speed = np.nan_to_num(np.hypot(motion[:, 0], motion[:, 1]) / body) if len(samples) else np.zeros(0)
    n = len(clip.times)
    return Scored(
        clip,
        {
            "unusual": frame_scores(-np.log10(np.maximum(p, 1e-300)), frames, n),
            "evidence": frame_scores(evidence, frames, n),
            "speed": frame_scores(speed, frames, n),
        },
    )


def read_data(folder: Path, labels: Path | None) -> tuple[Path, Path, Mapping[str, Spans]]:
    """`folder` with train/, test/ and a CSV of labels (test-labels.csv or labels.csv) -> both folders and the labels."""
    train, test = folder / "train", folder / "test"
    for each in (train, test):
        if not each.is_dir():
            raise PaharaError(
                f"{folder} should hold train/ (normal clips), test/ and test-labels.csv; there is no {each.name}/. Or give --train and --test"
            )
    found = labels or next((folder / name for name in ("test-labels.csv", "labels.csv") if (folder / name).exists()), None)
    if found is None:
        raise PaharaError(f"{folder} has no test-labels.csv: give the labels with --labels FILE")
    return train, test, read_spans(found)


def _learnt(clip: Clip) -> Samples:
    """Samples of a clip on the grid of what is learned from."""
    parts, last = [none_of(clip.size)], -np.inf
    for scene in clip.scenes():
        if scene.time - last >= LEARN_EVERY - 1e-6:
            parts.append(measure(scene))
            last = scene.time
    return together(parts)


def _fitted(samples: Sequence[Samples]) -> Normality:
    """A model that asks whatever it has seen anything of: for measuring; at work an attribute waits for its number of tracks."""
    every = together(samples)
    tracks = len(np.unique(every.tracks))
    if tracks < LEAST_TRACKS:
        raise PaharaError(
            f"the normal clips hold {tracks} tracks; at least {LEAST_TRACKS} are needed, and 200 make a model that a camera would use"
        )
    few = dict.fromkeys(("motion", "shape", "dwell", "interaction", "posture", "pose_motion"), LEAST_TRACKS)
    return Normality.fit(every, Settings(ready=few))


def _has_pictures(folder: Path) -> bool:
    try:
        return any(each.suffix.lower() in PICTURES and not each.name.startswith(".") for each in folder.iterdir())
    except OSError:
        return False


def _fingerprint(path: Path, key: str, fps: float) -> str:
    """What makes two looks at one clip the same."""
    files = sorted(each for each in path.iterdir() if each.suffix.lower() in PICTURES) if path.is_dir() else [path]
    told = [f"{path.resolve()}|{key}|{fps if path.is_dir() else 0:g}|1", *(f"{each.name}:{each.stat().st_size}" for each in files)]
    return hashlib.blake2b("\n".join(told).encode(), digest_size=8).hexdigest()
