"""The user's footage for a drill: read again and again, never written to, and surveyed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.config import CameraPlan
from pahara.core import Detections, Detector, Event, Frame, Image, Observation, SourceError
from pahara.detection import OnnxDetector
from pahara.detection.frames import detect_frames
from pahara.simulate.look import Sample
from pahara.video import open_source

from .analyst import BEAT, Analyst
from .realism import Followed

Floats = NDArray[np.floating[Any]]
SAMPLES = 60  # frames that the look is measured in
MEGAPIXELS = 1.2  # up to which so many are kept
SHORTEST = 4.0  # seconds of footage below which nothing can be told
PERSON = "person"
Tell = Callable[[float, float], None]  # seconds done, seconds in all


@dataclass(frozen=True)
class Footage:
    """A file or folder that can be read again."""

    place: str  # what is opened
    shown: str  # the same without secrets
    size: tuple[int, int]
    epoch: float  # UTC seconds of media time 0
    camera: str
    seconds: float  # at most so much of it is used
    length: float = 0.0  # seconds of the whole; 0 unknown

    def frames(self, first: int = 0, count: int | None = None) -> Iterator[Frame]:
        """Frames `first`, `first` + 1 …: those before are decoded, but not turned into pictures."""
        with open_source(self.place, camera=self.camera, ring_seconds=0) as source:
            yield from islice(source, first, None if count is None else first + count)

    def bits(self, fps: float) -> float:
        """Bits of the file per pixel and frame, 0 where that is unknown."""
        path = Path(self.place)
        if not path.is_file() or self.length <= 0:
            return 0.0
        return path.stat().st_size * 8 / (self.length * fps * self.size[0] * self.size[1])

    @property
    def digest(self) -> str:
        """Tells whether it is still the same: of names, sizes and the first megabyte."""
        path = Path(self.place)
        told = hashlib.sha256()
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                told.update(f"{file.name} {file.stat().st_size}\n".encode())
                if not path.is_dir():
                    with file.open("rb") as opened:
                        told.update(opened.read(1 << 20))
        return told.hexdigest()[:16]


@dataclass(eq=False)
class Survey:
    """What one pass over the footage told: the control run."""

    times: list[float] = field(default_factory=list)
    detections: list[Detections] = field(default_factory=list)  # of every frame, gate or not
    samples: list[Sample] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)  # of every beat, of the untouched footage
    events: list[Event] = field(default_factory=list)  # of the camera's own rules on the untouched footage
    followed: Followed = field(default_factory=Followed)  # real people
    luma_gain: float = 1.0  # of the source's luma plane to grey of 0..255

    @property
    def fps(self) -> float:
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0]

    def people(self, *, confidence: float = 0.0) -> tuple[Floats, Floats]:
        """(n, 4) boxes and (n,) confidences of all people of all frames."""
        boxes = [_people(d, confidence) for d in self.detections]
        return np.concatenate([b for b, _ in boxes]), np.concatenate([s for _, s in boxes])


def open_footage(plan: CameraPlan, *, seconds: float) -> Footage:
    """SourceError for what cannot be read twice: live cameras are recorded first, see `record`."""
    with open_source(str.__str__(plan.source), camera=plan.camera, ring_seconds=0) as source:
        if source.live:
            raise SourceError(f"{plan.source_shown} is live: a drill needs footage that can be read again")
        return Footage(str.__str__(plan.source), plan.source_shown, source.size, source.epoch, plan.camera, seconds, source.duration)


def record(plan: CameraPlan, path: Path, seconds: float, tell: Tell | None = None) -> Path:
    """`seconds` of a live camera as a file, the camera's own packets where its codec allows. SourceError when nothing comes."""
    with open_source(str.__str__(plan.source), camera=plan.camera, ring_seconds=seconds + 5, ring_bytes=1 << 30) as source:
        first = last = None
        for frame in source:
            first = frame.time if first is None else first
            last = frame.time
            if tell is not None:
                tell(last - first, seconds)
            if last - first >= seconds:
                break
        if first is None or last is None or source.ring is None:
            raise SourceError(f"{plan.source_shown} gave no picture: nothing to drill on")
        return source.ring.write_clip(path, first, last).path


def survey(
    footage: Footage, detector: Detector, analyst: Analyst, plan: CameraPlan, tell: Tell | None = None, *, total: float = 0.0
) -> Survey:
    """One pass: what the detector sees in every frame, and what the camera's rules say of the untouched footage."""
    told = Survey()
    gate, signals = plan.make_gate(), plan.make_signals()
    whole = min(total or footage.seconds, footage.seconds)
    wide, tall = footage.size
    step = whole / float(np.clip(SAMPLES * MEGAPIXELS / (wide * tall / 1e6), 20, SAMPLES))  # large pictures: fewer, for the memory's sake
    due, waiting = 0.0, False
    for frame in footage.frames():
        if told.times and frame.time - told.times[0] > footage.seconds:
            break
        image = frame.image
        if frame.size != footage.size:
            raise SourceError(f"{footage.shown} changes its picture size at {frame.time:.1f} s: give a stretch with one size")
        found = detect_frames(detector, [frame])[0]
        values = {name: value for signal in signals for name, value in signal(frame).items()}
        looked = gate is None or gate.look(frame, analyst.busy)
        moment = analyst.look(frame.time, found if looked else None, values)
        if moment is not None:
            told.events += moment.events
            told.observations.append(moment.observation)
            if looked:
                told.followed.add(moment.observation)
        if waiting:  # the frame after a sample tells the noise
            told.samples[-1] = Sample(told.samples[-1].image, image, told.samples[-1].boxes)
            waiting = False
        if frame.time >= due:
            if not told.samples:
                told.luma_gain = _luma_gain(frame, image)
            told.samples.append(Sample(image, None, _people(found, 0.25)[0]))
            due, waiting = frame.time + step, len(told.samples) % 3 == 1
        told.times.append(frame.time)
        told.detections.append(found)
        if tell is not None:
            tell(frame.time, whole)
    told.events += analyst.finish()
    if len(told.times) < 2 or told.seconds < SHORTEST:
        raise SourceError(f"{footage.shown} is too short for a drill: it needs {SHORTEST:.0f} seconds at least")
    return told


def stateless(detector: Detector) -> bool:
    """Whether a frame's detections can be kept and used again."""
    return isinstance(detector, OnnxDetector)


def composed(real: Frame, image: Image, luma_gain: float) -> Frame:
    """A frame with another picture: its luma is the camera's own, changed as the picture was."""
    import cv2

    def luma() -> NDArray[np.uint8]:
        before, after = cv2.cvtColor(real.image, cv2.COLOR_BGR2GRAY), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        change = (after.astype(np.float32) - before) * np.float32(luma_gain)
        return np.asarray(np.clip(np.round(real.luma + change), 0, 255), np.uint8)

    return Frame(real.camera, real.time, real.size, lambda: image, luma)


def analyst_at(plan: CameraPlan, size: tuple[int, int], epoch: float) -> Analyst:
    """A fresh analyst whose clock on the wall says `epoch` at media time 0."""
    return Analyst(plan.camera, size, plan.behaviours, plan.rules, tracker=plan.make_tracker(), epoch=epoch, memory=plan.memory, beat=BEAT)


def _people(found: Detections, confidence: float) -> tuple[Floats, Floats]:
    person = found.names.index(PERSON) if PERSON in found.names else -1
    rows = (found.labels == person) & (found.scores >= confidence)
    return found.boxes[rows], found.scores[rows]


def _luma_gain(frame: Frame, image: Image) -> float:
    """1 where luma runs from 0 to 255, 0.86 where it runs from 16 to 235 as in video."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float64).ravel()[::13]
    own = frame.luma.astype(np.float64).ravel()[::13]
    if len(own) != len(grey) or grey.std() < 2:
        return 1.0
    return float(np.clip(np.cov(grey, own)[0, 1] / grey.var(), 0.7, 1.1))
