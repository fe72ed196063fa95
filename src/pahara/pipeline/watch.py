"""The whole system in one loop: frames in, moments out. Everything live is this loop plus threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pahara.core import Detections, Detector, Frame, Observation, Signal
from pahara.detection.frames import detect_frames

from .analyst import Analyst, Moment
from .one_thread import one_thread


class Gate(Protocol):
    """Decides whether the detector is worth running on a frame."""

    def look(self, frame: Frame, tracks_alive: bool) -> bool: ...


class PoseStep(Protocol):
    """A beat's frame, what was tracked in it, and how suspicious each is -> joints (n, k, 3), zeros where nobody looked."""

    def __call__(self, frame: Frame, seen: Observation, suspicion: Mapping[int, float], /) -> NDArray[np.float32]: ...


@dataclass(frozen=True, eq=False)
class Look:
    """One frame and what came of it."""

    frame: Frame
    detections: Detections | None  # None when the gate spared the detector
    moment: Moment | None  # None between two beats


def watch(
    frames: Iterable[Frame],
    detect: Detector,
    analyst: Analyst,
    *,
    gate: Gate | None = None,
    signals: Sequence[Signal] = (),
    pose: PoseStep | None = None,
) -> Iterator[Look]:
    """One camera, one thread, no surprises."""
    with one_thread():
        for frame in frames:
            values: Mapping[str, float] = {name: value for signal in signals for name, value in signal(frame).items()}
            detections = None
            if gate is None or gate.look(frame, analyst.busy):
                detections = detect_frames(detect, [frame])[0]
            yield Look(frame, detections, analyst.look(frame.time, detections, values, None if pose is None else partial(pose, frame)))
