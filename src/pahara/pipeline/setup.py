"""From a camera's plan to a session that is ready to run; and from a recording back to its plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pahara import __version__
from pahara.config import CameraPlan, ChosenDetector, Config, choose_detector, from_data, plan, retention
from pahara.config.labels import fit_labels
from pahara.core import ConfigError, Detector, Signal, StoreError
from pahara.detection.tamper import TamperSignals
from pahara.language import LANGUAGES
from pahara.report import SummaryCollector
from pahara.store import Recording, Retention, Store
from pahara.video import VideoSource, open_source
from pahara.video.ring import Ring
from pahara.video.writer import AnnotatedWriter

from .analyst import BEAT, Analyst
from .budgeting import Budgeting
from .explaining import Explainer
from .record import Recorder
from .session import Session
from .watch import PoseStep

if TYPE_CHECKING:
    from .learning import Learning

SPARE = 10.0  # seconds of packets beyond the longest clip: clips are cut a moment after their end
TOLD = ("numpy", "opencv-contrib-python-headless", "av", "onnxruntime", "openvino")


def analyst_of(plan: CameraPlan, source: VideoSource, detector: Detector | None = None) -> Analyst:
    """A fresh analyst for the plan's camera; rules for labels that `detector` does not know take what it says instead."""
    plan, _ = fit_labels(plan, class_names(detector))
    return Analyst(
        plan.camera,
        source.size,
        plan.behaviours,
        plan.rules,
        tracker=plan.make_tracker(),
        epoch=source.epoch,
        memory=plan.memory,
        beat=BEAT,
    )


def class_names(detector: Detector | None) -> tuple[str, ...]:
    """What a detector calls things; () where it does not tell."""
    return tuple(getattr(detector, "names", ()))


def open_plan(plan: CameraPlan, *, timeout: float = 10.0) -> VideoSource:
    """The plan's source with a ring that holds the longest clip. SourceError when it cannot be opened."""
    clip = plan.evidence.before + plan.evidence.longest + plan.evidence.after
    return open_source(str.__str__(plan.source), camera=plan.camera, timeout=timeout, ring_seconds=clip + SPARE)


def prepare(
    plan: CameraPlan,
    source: VideoSource,
    *,
    config: Config | None = None,
    detector: Detector | None = None,
    chosen: ChosenDetector | None = None,
    pose: PoseStep | None = None,
    store: Store | None = None,
    annotate: Path | None = None,
    seconds: float = float("inf"),
) -> Session:
    """Everything that a watch of `source` by `plan` needs. `config` is what the recording keeps for its replay.

    `detector` and `pose` are loaded ones; else `chosen` (default: what the plan says) and the plan's are made. ModelError when it cannot be loaded.
    """
    if chosen is None:
        chosen = choose_detector(plan.detector, folder=config.folder if config is not None else None)
    if detector is None:
        detector = chosen.make()
    if pose is None:
        pose = plan.make_pose()
    names = class_names(detector)
    plan, said = fit_labels(plan, names)
    recorder = None if store is None else recorder_of(plan, source, store, config=config, detector_name=chosen.name, classes=names)
    plan, signals, learning = taught(plan, recorder, config, background=bool(getattr(source, "live", False)))
    return Session(
        source,
        detector,
        analyst_of(plan, source),
        SummaryCollector(
            plan.camera,
            source.size,
            source=plan.source_shown,
            epoch=source.epoch,
            zones=plan.zones.values(),
            lines=plan.lines.values(),
            behaviours=plan.kinds,
        ),
        gate=plan.make_gate(),
        signals=signals,
        pose=pose,
        recorder=recorder,
        learning=learning,
        annotate=None
        if annotate is None
        else AnnotatedWriter(annotate, zones=list(plan.zones.values()), lines=list(plan.lines.values()), epoch=source.epoch),
        seconds=seconds,
        title=plan.name,
        detector_name=chosen.name,
        detector_note={language: chosen.why(language) for language in LANGUAGES},
        versions=versions(),
        said_instead=said,
    )


def recorder_of(
    plan: CameraPlan,
    source: VideoSource,
    store: Store,
    *,
    config: Config | None,
    detector_name: str,
    classes: tuple[str, ...],
    ring: Ring | None = None,
) -> Recorder:
    """Begin a recording of `source` in `store`, with all that a replay needs. `ring`: what clips come from instead of the source's own."""
    recording = store.begin_recording(
        plan.camera,
        plan.source_shown,
        source.size,
        epoch=source.epoch,
        memory=plan.memory,
        beat=BEAT,
        config=json.dumps(config.as_dict()) if config is not None else "",
        settings={
            "camera": plan.camera,
            "detector": detector_name,
            "folder": str(config.folder) if config is not None else "",
            "classes": list(classes),
        },
    )
    return Recorder(
        store,
        recording,
        plan.zones,
        plan.lines,
        source.ring if ring is None else ring,
        pre=plan.evidence.before,
        post=plan.evidence.after,
        longest=plan.evidence.longest,
        retention=_retention(config) if config is not None else None,
    )


def taught(
    plan: CameraPlan, recorder: Recorder | None, config: Config | None, *, background: bool
) -> tuple[CameraPlan, tuple[Signal, ...], Learning | None]:
    """The plan with its behaviours bound to what the camera has learned, its signals, and what learns on; None without a store.

    `background`: models are made in a thread of their own.
    """
    signals = plan.make_signals()
    if recorder is None:
        return plan, signals, None
    if plan.alarm_budget is not None:
        recorder.budgeting = Budgeting(plan.alarm_budget, recorder.store, recorder.recording)
    learning = learning_for(plan, recorder, config, background=background)
    recorder.explain = Explainer(signals, learning)
    if learning is None:
        return plan, signals, None
    if not any(isinstance(each, TamperSignals) for each in signals):
        signals = (*signals, TamperSignals())  # a camera that was turned must not judge by what it learned elsewhere
    return replace(plan, behaviours=learning.bind(plan.behaviours)), (*signals, learning.signal), learning


def learning_for(plan: CameraPlan, recorder: Recorder, config: Config | None, *, background: bool) -> Learning | None:
    """What a watch of this plan learns beside `recorder`'s store; None where no behaviour of it learns."""
    if not any(getattr(behaviour, "kind", "") == "unusual" for behaviour in plan.behaviours.values()):
        return None
    from .learning import learning_of  # only who learns pays for it

    timezone, days = ("local", None) if config is None else (str(config.timezone), config.store.days)
    return learning_of(plan, recorder.store, recorder.recording, timezone=timezone, background=background, days=days)


def _retention(config: Config) -> Retention:
    """What the file says; without one the defaults, save that nobody asked to keep room on the disk: old evidence goes by age and size alone."""
    told = retention(config)
    return told if config.file else replace(told, min_free_gigabytes=None)


def versions() -> Mapping[str, str]:
    """Pahara and the libraries that a result depends on."""
    found = {"pahara": __version__}
    for name in TOLD:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def plan_of(recording: Recording, config: Config | None = None) -> CameraPlan:
    """The plan that a recording was made with, or what `config` says for its camera.

    StoreError when the recording kept no configuration and none is given; ConfigError when `config` has no such camera.
    """
    camera = str(recording.settings.get("camera", recording.camera))
    if config is None:
        if not recording.config:
            raise StoreError(f"recording {recording.id} of {recording.camera} kept no configuration: give one with -c pahara.yml")
        folder = str(recording.settings.get("folder", ""))  # models that behaviours ask are named relative to it
        config = from_data(json.loads(recording.config), folder=Path(folder) if folder else None)
    elif camera not in config.cameras and len(config.cameras) == 1:
        camera = next(iter(config.cameras))
    if not config.cameras:
        raise ConfigError(f"{config.file or 'the configuration'} has no cameras: nothing says what to look for in {recording.camera}")
    found, _ = fit_labels(plan(config, camera), recording.settings.get("classes", ()))
    return replace(found, camera=recording.camera)
