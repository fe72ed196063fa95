"""What a watch costs on this machine, each figure beside its physical limit, measured in one run on the same frames."""

from __future__ import annotations

import statistics
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import av
import numpy as np

from pahara.config import CameraPlan, ChosenDetector
from pahara.core import Detections, Detector, Event, Image, SourceError
from pahara.detection import OnnxDetector

from .replay import compare
from .setup import analyst_of, open_plan
from .watch import Gate, watch

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BenchResult:
    """CPU milliseconds a frame (medians of rounds) and what the motion gate saves and misses."""

    frames: int
    rounds: int
    decode_ms: float  # bare: PyAV to BGR
    inference_ms: float  # bare: the model on a ready input, one thread; not a number for a detector without a model
    detect_ms: float  # the detector with preparing the input and reading the output
    whole_ms: float  # decode, detect every frame, track, behaviours, alarm rule
    overhead: float  # whole ÷ (bare decode + bare inference)
    gated_ms: float  # the same with the motion gate
    gate_saves: float  # whole ÷ gated
    gate_share: float  # share of frames that the detector saw
    gate_seen: float  # tracked seconds with the gate ÷ without
    events: int  # without the gate
    gate_missed: int  # of these, not found with the gate
    gate_added: int  # found with the gate only


def bench(
    plan: CameraPlan, video: Path, chosen: ChosenDetector, *, frames: int = 300, rounds: int = 3, tell: Tell | None = None
) -> BenchResult:
    """Measure a watch of `video`'s first `frames` frames. SourceError, ModelError as in a watch."""
    say = tell or (lambda _: None)
    with open_plan(plan):
        pass  # what is no video is told as in a watch
    detector = chosen.make()
    stateless = isinstance(detector, OnnxDetector)
    decodes, inferences, wholes, gateds, detects = [], [], [], [], []
    plain = gated = _Run()
    for turn in range(1, rounds + 1):
        say(f"round {turn} of {rounds}: bare decode and inference")
        there, spent = _decode(video, frames)  # a short video has fewer frames than were asked for
        decodes.append(spent)
        inferences.append(_inference(detector, there) if isinstance(detector, OnnxDetector) else float("nan"))
        say(f"round {turn} of {rounds}: every frame")
        plain = _whole(plan, detector if stateless else chosen.make(), frames, gate=None)
        wholes.append(plain.cpu)
        detects.append(plain.detect)
        say(f"round {turn} of {rounds}: with the motion gate")
        gated = _whole(plan, detector if stateless else chosen.make(), frames, gate=plan.make_gate() or _default_gate())
        gateds.append(gated.cpu)
    counted = max(plain.frames, 1)
    middle = {name: 1000 * statistics.median(values) / counted for name, values in
              {"decode": decodes, "inference": inferences, "whole": wholes, "gated": gateds, "detect": detects}.items()}  # fmt: skip
    limit = middle["decode"] + (middle["inference"] if np.isfinite(middle["inference"]) else middle["detect"])
    differ = compare(plain.events, gated.events)
    return BenchResult(
        frames=counted,
        rounds=rounds,
        decode_ms=middle["decode"],
        inference_ms=middle["inference"],
        detect_ms=middle["detect"],
        whole_ms=middle["whole"],
        overhead=middle["whole"] / limit,
        gated_ms=middle["gated"],
        gate_saves=middle["whole"] / middle["gated"],
        gate_share=gated.detected / max(gated.frames, 1),
        gate_seen=gated.tracked / plain.tracked if plain.tracked else 1.0,
        events=len(plain.events),
        gate_missed=len(differ.removed),
        gate_added=len(differ.added),
    )


def as_dict(result: BenchResult) -> dict[str, float | int | None]:
    """JSON-ready: what is not a number becomes null."""
    return {name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in asdict(result).items()}


@dataclass(slots=True)
class _Run:
    cpu: float = 0.0  # seconds
    detect: float = 0.0  # of these in the detector
    frames: int = 0
    detected: int = 0
    tracked: float = 0.0  # track-seconds in the scene
    events: list[Event] = field(default_factory=list)


def _decode(video: Path, frames: int) -> tuple[int, float]:
    """-> frames that there are, CPU seconds. SourceError where the video is damaged: the two sides would not be compared on the same frames."""
    done = 0
    with av.open(str(video)) as container:
        container.streams.video[0].thread_type = "NONE"
        start = clock.process_time()
        try:
            for frame in islice(container.decode(video=0), frames):
                frame.to_ndarray(format="bgr24")
                done += 1
        except av.error.FFmpegError as problem:
            raise SourceError(f"{video} is damaged after {done} frames: measure on a whole one, or fewer --frames") from problem
        return done, clock.process_time() - start


def _inference(detector: OnnxDetector, frames: int) -> float:
    """The engine on an input that is ready, as often as there are frames (at most 100 are run and scaled up)."""
    feeds = detector.ready_feeds()
    detector.engine.run(feeds)
    runs = min(frames, 100)
    start = clock.process_time()
    for _ in range(runs):
        detector.engine.run(feeds)
    return (clock.process_time() - start) * frames / runs


def _whole(plan: CameraPlan, detector: Detector, frames: int, *, gate: Gate | None) -> _Run:
    run = _Run()
    latest: dict[str, Event] = {}

    def detect(images: Sequence[Image], /) -> list[Detections]:
        begin = clock.process_time()
        found = detector(images)
        run.detect += clock.process_time() - begin
        return found

    with open_plan(plan) as source:
        analyst = analyst_of(plan, source, detector)
        before = 0.0
        start = clock.process_time()
        for look in islice(watch(source, detect, analyst, gate=gate, signals=plan.make_signals(), pose=plan.make_pose()), frames):
            run.frames += 1
            run.detected += look.detections is not None
            if look.moment is not None:
                run.tracked += len(look.moment.scene.tracks) * (look.moment.scene.time - before)
                before = look.moment.scene.time
                latest.update({event.id: event for event in look.moment.events})
        latest.update({event.id: event for event in analyst.finish()})
        run.cpu = clock.process_time() - start
    run.events = sorted(latest.values(), key=lambda event: (event.start, event.id))
    return run


def _default_gate() -> Gate:
    from pahara.detection.gate import MotionGate

    return MotionGate()
