"""Config -> what the watch of one camera is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pahara.alarms import AlarmBudget, AlarmRule
from pahara.core import Behaviour, Signal, Tracker, Tripwire, Zone
from pahara.core.errors import ConfigError
from pahara.core.rate import Rate

from .labels import wide
from .loading import from_data
from .model import NO_POSE, SCHEME, Camera, Config, DetectorChoice, EvidencePart, GateChoice, PoseChoice, TrackerChoice
from .options import given, model_of
from .pose import is_model_path
from .problems import ConfigProblems, did_you_mean
from .registry import find
from .resolve import draw, resolve
from .secrets import Secret, shown
from .signals import ResolvedSignals, resolve_signals
from .telling import Teller

if TYPE_CHECKING:
    from pahara.detection.posing import Posing
    from pahara.store import Retention

MEMORY = 10.0  # seconds of trail that a behaviour gets which names no number
ONLY = "camera"  # key of the one camera of `default_config`


@dataclass(frozen=True)
class CameraPlan:
    """All that one camera's watch needs, ready to use; made anew for each watch, because trackers and gates remember."""

    camera: str  # its key
    name: str  # what people call it
    source: str  # what to open; print `source_shown` instead
    source_shown: str  # the same without secrets
    record: str  # the main stream for evidence; "" is the source
    zones: Mapping[str, Zone]
    lines: Mapping[str, Tripwire]
    behaviours: Mapping[str, Behaviour]  # by name
    rules: Mapping[str, AlarmRule]  # by the behaviour's name
    detector: DetectorChoice
    tracker_options: Mapping[str, Any]
    gate_options: Mapping[str, Any] | None  # of the motion gate; None is off
    evidence: EvidencePart
    memory: float  # seconds of trail that the longest of its behaviours needs
    language: str = "en"
    alarm_budget: AlarmBudget | None = None  # shared by all behaviours; None tells of every alarm
    tracker_kind: str = "bytetrack"
    pose: PoseChoice = NO_POSE
    folder: Path = Path()  # what a pose model's path is relative to
    _signals: ResolvedSignals = field(default_factory=ResolvedSignals, repr=False)

    @property
    def kinds(self) -> Mapping[str, str]:
        """The kind of each behaviour, by name: {"loitering-gate": "loitering"}."""
        return {name: str(getattr(behaviour, "kind", name)) for name, behaviour in self.behaviours.items()}

    def make_tracker(self) -> Tracker:
        """A fresh tracker."""
        tracker: Tracker = find("trackers", self.tracker_kind)(**self.tracker_options)
        return tracker

    def make_signals(self) -> tuple[Signal, ...]:
        """Fresh signals: those of the configuration, and those that a behaviour of this camera reads."""
        return self._signals.make()

    def make_pose(self) -> Posing | None:
        """A fresh pose step, its model loaded, or None where pose is off. ModelError when the model cannot be had."""
        if not self.pose.enabled:
            return None
        from pahara.detection.pose import load_pose
        from pahara.detection.posing import Posing

        beside = self.folder / Path(str(self.pose.model)).expanduser()
        model = load_pose(beside if is_model_path(self.pose.model) and beside.is_file() else str(self.pose.model))
        return Posing(model, self.pose.per_second, least_height=self.pose.least_height)

    def make_gate(self) -> Any | None:
        """A fresh motion gate, or None where it is off."""
        if self.gate_options is None:
            return None
        from pahara.detection.gate import MotionGate

        return MotionGate(**self.gate_options)


def plan(config: Config, camera: str) -> CameraPlan:
    """The plan of one camera by its key; ConfigError when there is no such camera."""
    if camera not in config.cameras:
        raise ConfigError(f"no camera '{camera}'{_in(config)}. {did_you_mean(camera, config.cameras)}".rstrip(". ") + ".")
    return _plan(config, camera, config.cameras[camera])


def plans(config: Config) -> Iterator[CameraPlan]:
    """The plans of all cameras that are enabled."""
    for key, camera in config.cameras.items():
        if camera.enabled:
            yield _plan(config, key, camera)


def plan_for_source(config: Config, source: str, camera: str = "") -> CameraPlan:
    """The plan to watch `source` with: of the named camera, of the camera that has this source, or of the only camera.

    Its source is replaced by the given one. Without any camera in the file the defaults watch the whole picture.
    ConfigError when several cameras could be meant.
    """
    key = camera
    if not key and config.cameras:
        same = [k for k, each in config.cameras.items() if source in (str(each.source), _resolved(config, each.source))]
        if len(config.cameras) > 1 and len(same) != 1:
            raise ConfigError(f"which camera is {shown(source)}{_in(config)}? Say --camera with one of: {', '.join(config.cameras)}")
        key = same[0] if same else next(iter(config.cameras))
    if key:
        found = plan(config, key)
        return _with_source(found, source)
    return _plan(config, ONLY, Camera(source=source))


def default_config(source: str = "") -> Config:
    """For `pahara watch FILE` without a configuration: the standard behaviours in the whole picture.

    running, falling, loitering (60 s), crowding, abandoned and tamper, each with its own default limits. They need no
    zone and no line; intrusion, crossing, wrong way and tailgating do, and wait for a pahara.yml.
    """
    if not source:
        return from_data({"version": 1})
    if SCHEME.match(source) and Path(source).exists():
        source = f"./{source}"  # a file that is called like an address
    return from_data({"version": 1, "cameras": {ONLY: {"source": source}}})


def store_place(config: Config) -> tuple[str, Path]:
    """Where the store is: (folder or database URL, folder of the evidence)."""
    folder = (config.folder / Path(str(config.store.path)).expanduser()).absolute()
    return (str(config.store.url) or str(folder)), folder


def retention(config: Config) -> Retention:
    """How long the store keeps things: `retention(config).apply(store)`."""
    from pahara.store import Retention

    told = config.store
    return Retention(
        told.days,
        told.gigabytes,
        told.min_free_gigabytes,
        told.track_days,
        told.event_days,
        config.recording.days,
        config.recording.gigabytes,
    )


def _plan(config: Config, key: str, camera: Camera) -> CameraPlan:
    places = draw(camera.zones, camera.lines, camera=key, timezone=str(config.timezone), folder=config.folder)
    chosen = config.defaults.behaviours if camera.behaviours is None else camera.behaviours
    entries = [{"kind": str(each.kind), "name": str(each.name), "alarm": each.alarm, **each.options} for each in chosen]
    teller = Teller({}, config.file)
    found = resolve(entries, places, teller)
    wanted = config.signals if camera.signals is None else camera.signals
    signals = resolve_signals(
        [{"kind": str(each.kind), **each.options} for each in wanted], [(each, ()) for each in found.behaviours.values()], places, teller
    )
    if found.problems or signals.problems:
        raise ConfigProblems([*found.problems, *signals.problems])
    tracker = camera.tracker or config.tracker
    return CameraPlan(
        camera=key,
        name=str(camera.name) or key,
        source=Secret(_resolved(config, camera.source), shown(camera.source)),
        source_shown=shown(camera.source),
        record=Secret(_resolved(config, camera.record), shown(camera.record)) if camera.record else "",
        zones=found.zones,
        lines=found.lines,
        behaviours=wide(found.behaviours),
        rules=found.rules,
        detector=camera.detector or config.detector,
        tracker_kind=str(tracker.kind),
        tracker_options=_given(find("trackers", str(tracker.kind)), tracker),
        gate_options=_gate(camera.gate or config.gate),
        evidence=config.evidence,
        memory=max([float(getattr(each, "memory", MEMORY)) for each in found.behaviours.values()], default=MEMORY),
        language=config.language,
        alarm_budget=_budget(config, key, camera, found.behaviours),
        pose=camera.pose or config.pose,
        folder=config.folder,
        _signals=signals,
    )


def _with_source(found: CameraPlan, source: str) -> CameraPlan:
    return replace(found, source=Secret(source, shown(source)), source_shown=shown(source))


def _given(plug_in: Any, choice: TrackerChoice) -> dict[str, Any]:
    return given(model_of(plug_in).model_validate(choice.options))


def _budget(config: Config, key: str, camera: Camera, behaviours: Mapping[str, Behaviour]) -> AlarmBudget | None:
    """What the camera says, else what all do. ConfigError where it names a behaviour that this camera does not have."""
    told = camera.alarm_budget or config.alarm_budget
    if told is None:
        return None
    for name in (*told.first, *told.always):
        if camera.alarm_budget is not None and str(name) not in behaviours:
            raise ConfigError(
                f"no behaviour named '{name}' in the alarm budget of camera '{key}'{_in(config)}. {did_you_mean(str(name), behaviours)}"
            )
    try:
        return AlarmBudget(Rate.of(str(told.budget)).per_day, tuple(map(str, told.first)), tuple(map(str, told.always)))
    except ValueError as error:
        raise ConfigError(f"alarm_budget of camera '{key}'{_in(config)}: {error}") from None


def _gate(choice: GateChoice) -> dict[str, Any] | None:
    if not choice.enabled:
        return None
    from pahara.detection.gate import MotionGate

    return given(model_of(MotionGate).model_validate(choice.options))


def _resolved(config: Config, source: str) -> str:
    """A path in the file is relative to the file."""
    beside = config.folder / str(source)
    return str(beside) if "://" not in source and not Path(source).is_absolute() and beside.exists() else str(source)


def _in(config: Config) -> str:
    return f" in {config.file}" if config.file else ""
