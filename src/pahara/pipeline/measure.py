"""Running the watch against ground truth: what the detector, the tracker and the rules make of a film whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pahara.config import CameraPlan
from pahara.core import Detections, Detector, PaharaError, SourceError, Tracker
from pahara.detection.frames import detect_frames
from pahara.evaluation import (
    AlarmReport,
    Annotations,
    Incident,
    Truth,
    alarms_of,
    by_kind,
    evaluate_alarms,
    read_coco,
    read_mot,
    read_truth,
    read_yolo,
)
from pahara.video import open_source
from pahara.video.picture import read_picture

from .setup import analyst_of, open_plan
from .watch import watch

Tell = Callable[[float], None]  # share done, 0..1
PEOPLE = ("person",)


def read_any_truth(path: Path, *, scale: float = 1.0) -> Truth | Annotations:
    """Pahara's truth JSON, COCO JSON or MOT text, told apart by their contents; TruthError when it is none of them."""
    if path.suffix.lower() == ".json":
        return read_truth(path) if is_truth(path) else read_coco(path)
    return read_mot(path, scale=scale)


def is_truth(path: Path) -> bool:
    """Whether a JSON file says near its beginning that it is Pahara's truth."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return "pahara-truth" in file.read(4096)
    except OSError:
        return False


def track_video(source: str, detector: Detector, tracker: Tracker, *, tell: Tell | None = None) -> tuple[Annotations, list[float]]:
    """Detect and track every frame -> sightings (frames count from 0), and the time of each frame."""
    frames, ids, boxes, labels, times, names = [], [], [], [], [], dict[str, int]()
    with open_source(source, camera="evaluate", ring_seconds=0) as opened:
        for number, frame in enumerate(opened):
            seen = tracker.update(detect_frames(detector, [frame])[0], frame.time)
            times.append(frame.time)
            for row in np.flatnonzero(seen.seen):
                frames.append(number)
                ids.append(int(seen.ids[row]))
                boxes.append(seen.boxes[row])
                labels.append(names.setdefault(seen.labels[row], len(names)))
            if tell is not None and opened.duration:
                tell(frame.time / opened.duration)
    return Annotations.of(frames, np.array(boxes).reshape(-1, 4), ids=ids, labels=labels, names=tuple(names) or PEOPLE), times


def detect_video(source: str, detector: Detector, *, tell: Tell | None = None) -> tuple[Annotations, list[float]]:
    """Detections of every frame (counted from 0), and the time of each frame."""
    found, times = [], []
    with open_source(source, camera="evaluate", ring_seconds=0) as opened:
        for frame in opened:
            found.append(detect_frames(detector, [frame])[0])
            times.append(frame.time)
            if tell is not None and opened.duration:
                tell(frame.time / opened.duration)
    return as_annotations(found), times


def detect_pictures(folder: Path, pictures: Sequence[str], detector: Detector, *, tell: Tell | None = None) -> Annotations:
    """Detections of each picture of a truth, in its order. SourceError for a picture that cannot be read."""
    found = []
    for number, name in enumerate(pictures, 1):
        path = folder / name
        try:
            image = read_picture(path.read_bytes())
        except OSError:
            image = None
        if image is None:
            raise SourceError(f"{path} is missing or no picture that can be read; mend or remove it and its label")
        found.append(detector([image])[0])
        if tell is not None:
            tell(number / len(pictures))
    return as_annotations(found)


def as_annotations(found: Sequence[Detections]) -> Annotations:
    """Detections picture by picture as one table; pictures count from 0."""
    if not found:
        return Annotations.of([], [], names=PEOPLE)
    return Annotations.of(
        np.concatenate([np.full(len(seen), number) for number, seen in enumerate(found)]),
        np.concatenate([seen.boxes for seen in found]),
        labels=np.concatenate([seen.labels for seen in found]),
        scores=np.concatenate([seen.scores for seen in found]),
        names=found[0].names,
    )


def on_frames(truth: Truth | Annotations, times: Sequence[float]) -> Annotations:
    """The truth's boxes with frames counted from 0 as the video's are: by time in Pahara's truth, from 1 in MOT's.

    A row of Pahara's truth counts where the video has a frame within half a step of the truth, and once: the rest of a
    truth whose video was cut short, or was thinned, says nothing about the frames that are there. PaharaError where none fits.
    """
    if not isinstance(truth, Truth):
        return replace(truth, frames=truth.frames - 1)
    shown = np.asarray(times, dtype=np.float64)
    if not len(shown) or not len(truth.times):
        raise PaharaError("the video or the truth has no frames: nothing can be compared")
    right = np.minimum(np.searchsorted(truth.times, shown), len(truth.times) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(shown - truth.times[left] <= truth.times[right] - shown, left, right)
    step = float(np.median(np.diff(truth.times))) if len(truth.times) > 1 else np.inf
    fits = np.abs(truth.times[nearest] - shown) <= step / 2 + 1e-6
    row = np.full(len(truth.times), -1)
    for frame in np.flatnonzero(fits)[::-1]:  # of two frames that show the same row, the first one keeps it
        row[nearest[frame]] = frame
    if (row < 0).all():
        raise PaharaError("no frame of the video lies at a time of the truth: do they belong together?")
    boxes = truth.seen()
    return replace(boxes, frames=row[boxes.frames])[row[boxes.frames] >= 0]


def shared_classes(truth: Annotations, found: Annotations) -> tuple[Annotations, Annotations]:
    """Both sides reduced to the classes that both name; PaharaError where there is none."""
    both = [name for name in truth.names if name in found.names]
    if not both:
        raise PaharaError(f"the truth names {', '.join(truth.names)} and the detector {', '.join(found.names[:8])}: no class is the same")
    return truth.only(*both), found.only(*both)


def read_pictures(folder: Path, labels: Path | None, names: Sequence[str]) -> Annotations:
    """A YOLO set (pictures, labels beside them) or a COCO file as truth."""
    if labels is not None and labels.suffix.lower() == ".json":
        return read_coco(labels)
    return read_yolo(folder, labels, names=names)


def watch_events(
    plan: CameraPlan, detector: Detector, incidents: Sequence[Incident], *, tell: Tell | None = None
) -> tuple[AlarmReport, dict[str, AlarmReport]]:
    """Watch the plan's source and compare its events with the incidents -> the report, and one for each kind that a rule watches for."""
    alarms = []
    time = 0.0
    with open_plan(plan) as source:
        analyst = analyst_of(plan, source, detector)
        for look in watch(source, detector, analyst, gate=plan.make_gate(), signals=plan.make_signals(), pose=plan.make_pose()):
            time = look.frame.time
            if look.moment is not None:
                alarms += alarms_of(look.moment.events)
            if tell is not None and source.duration:
                tell(time / source.duration)
    watched = set(plan.kinds.values())
    wanted = [incident for incident in incidents if incident.kind in watched]
    hours = max(time, 1.0) / 3600
    return evaluate_alarms(wanted, alarms, hours=hours), dict(by_kind(wanted, alarms, hours=hours))
