"""Many cameras on one machine, day and night: readers, one inference thread, a keeper, and someone who looks after them all."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, RLock, Thread

from pahara.config import ChosenDetector, Config, choose_detector, plan, plans, retention
from pahara.core import Detections, Detector, Event, Frame
from pahara.detection.frames import detect_frames
from pahara.store import Removed, Store

from .health import over, trouble
from .inference import Detect, DetectorFault, Inference, Post
from .keeper import Keeper
from .setup import class_names
from .station import Clock, Opener, Station, Status, open_live

log = logging.getLogger(__name__)

TICK = 0.5  # seconds between two looks after everything
HANG = 30.0  # seconds after which a call counts as hung
REST = 5.0  # seconds before a detector that failed is loaded again; doubled with each failure, up to a minute
WELL = 10.0  # seconds that a detector must work before it counts as mended
PULSE = 1.0  # seconds between two signs of life on the disk
TIDY = 3600.0  # seconds between two looks at what has had its time

Listener = Callable[[Event], None]


@dataclass
class _Eyes:
    """A detector that several cameras may share."""

    chosen: ChosenDetector
    made: Detector | None = None
    failures: int = 0
    rests_until: float = 0.0  # monotonic seconds
    well_since: float = 0.0  # monotonic seconds; 0 while it has not worked since its failure
    failure: Event | None = None  # what the owner was told


@dataclass(frozen=True, slots=True)
class Health:
    """How the whole watch is."""

    cameras: tuple[Status, ...]
    running: float  # seconds since it began
    backlog: int  # pieces of work that wait for the disk
    refused: int  # pieces of work that found no room
    slowest_write: float  # seconds
    pictures: int  # that detectors have seen
    restarts: int  # of detectors and of the inference thread
    detectors: Mapping[str, str] = field(default_factory=dict)  # name -> "" or why it does not work

    @property
    def well(self) -> bool:
        """Whether every camera is watched and every detector works."""
        return all(camera.state in ("watching", "starting") for camera in self.cameras) and not any(self.detectors.values())


class Live:
    """`with Live(config, store) as live:` watches every enabled camera of the configuration until the block ends.

    `reload` takes a changed configuration: cameras that changed begin anew, new ones come, gone ones go, the others never notice.
    `listen` hears of every report once it is stored. `make` loads a detector; `opener` opens a source (a test may hand in others).
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        rate: float = 5.0,
        make: Callable[[ChosenDetector], Detector] = ChosenDetector.make,
        opener: Opener = open_live,
        hang: float = HANG,
        clock: Clock | None = None,
    ) -> None:
        self.config, self.store, self.rate, self.hang = config, store, rate, hang
        self.clock = clock or Clock()
        self.keeper = Keeper()
        self._make, self._opener = make, opener
        self._bell = Condition()
        self._guard = RLock()
        self._stations: dict[str, Station] = {}
        self._keys: dict[str, Hashable] = {}  # camera -> its detector
        self._prints: dict[str, str] = {}  # camera -> what it was made from
        self._eyes: dict[Hashable, _Eyes] = {}
        self._listeners: list[Listener] = []
        self._began = self.clock.steady()
        self._stopping = threading.Event()
        self._inference = self._new_inference()
        self._pictures = self._restarts = 0
        self._pulse = Pulse(_folder(store) / "pulse.json")
        self._alive_until = self._pulse.read()
        self._tidied = float("-inf")
        self._supervisor = Thread(target=self._supervise, name="supervisor", daemon=True)

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to watch. ModelError or ConfigError, before anything runs, where a detector cannot be had or a camera makes no sense."""
        with self._guard:
            for each in plans(self.config):
                self._add(each.camera)
            self._inference.start()
            self._supervisor.start()
            for station in self._stations.values():
                station.start(self._alive_until.get(station.plan.camera, 0.0))

    def stop(self, timeout: float = 30.0) -> bool:
        """End well: what is going on ends, clips are written, nothing is left half-written -> whether all was kept in time."""
        if self._stopping.is_set():
            return True
        self._stopping.set()
        self._inference.stop()
        if self._supervisor.is_alive():
            self._supervisor.join(2 * TICK + 1)
        with self._guard:
            for station in self._stations.values():
                station.stop()
            now = self.clock.now()
            for eyes in self._eyes.values():
                if eyes.failure is not None:
                    self._tell(over(eyes.failure, now))
        done = self.keeper.stop(timeout)
        self._beat()
        return done

    def __enter__(self) -> Live:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reload(self, config: Config) -> dict[str, str]:
        """-> camera -> "added" | "removed" | "changed". Nothing changes where the new configuration makes no sense (its error is raised)."""
        with self._guard:
            wanted = {each.camera: each for each in plans(config)}
            prints = {camera: _print(config, camera) for camera in wanted}
            told: dict[str, str] = {}
            fresh = [camera for camera in wanted if self._prints.get(camera) != prints[camera]]
            for camera in fresh:  # before anything is touched
                self._load(choose_detector(wanted[camera].detector, folder=config.folder), camera)
            self.config = config
            for camera in [*self._stations]:
                if camera not in wanted or camera in fresh:
                    told[camera] = "changed" if camera in wanted else "removed"
                    self._remove(camera)
            for camera in fresh:
                told.setdefault(camera, "added")
                self._add(camera)
                self._stations[camera].start(self._alive_until.get(camera, 0.0) if told[camera] == "added" else 0.0)
            self._eyes = {key: eyes for key, eyes in self._eyes.items() if key in self._keys.values()}
            return told

    # -- what others ask -----------------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Callable[[], None]:
        """`listener` hears of every report, after it was stored, in the keeper's thread: be quick -> a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def station(self, camera: str) -> Station | None:
        """The camera's station, where it is watched."""
        return self._stations.get(camera)

    @property
    def stations(self) -> Mapping[str, Station]:
        """All, by camera."""
        return dict(self._stations)

    @property
    def running(self) -> bool:
        """Whether it has begun, has not been ended, and someone looks after it."""
        return self._supervisor.is_alive() and not self._stopping.is_set()

    def health(self) -> Health:
        """How it is."""
        with self._guard:
            stations, eyes = list(self._stations.values()), list(self._eyes.values())
        return Health(
            tuple(station.status() for station in stations),
            self.clock.steady() - self._began,
            self.keeper.backlog,
            self.keeper.refused,
            self.keeper.slowest,
            self._pictures + self._inference.pictures,
            self._restarts,
            {each.chosen.name: each.failure.reason.values["said"] if each.failure is not None else "" for each in eyes},  # type: ignore[misc]
        )

    # -- cameras -------------------------------------------------------------------------------------------------

    def _add(self, camera: str) -> None:
        made = plan(self.config, camera)
        chosen = choose_detector(made.detector, folder=self.config.folder)
        key = self._load(chosen, camera)
        eyes = self._eyes[key]
        self._stations[camera] = Station(
            made,
            self.config,
            self.store,
            self.keeper,
            self._bell,
            self._publish,
            detector_name=chosen.name,
            names=class_names(eyes.made),
            rate=self.rate,
            clock=self.clock,
            opener=self._opener,
        )
        self._keys[camera], self._prints[camera] = key, _print(self.config, camera)

    def _remove(self, camera: str) -> None:
        station = self._stations.pop(camera)
        self._keys.pop(camera, None)
        self._prints.pop(camera, None)
        station.stop()

    def _posts(self) -> list[Post]:
        with self._guard:
            resting = self.clock.steady()
            return [
                Post(station, self._keys[camera])
                for camera, station in self._stations.items()
                if self._eyes[self._keys[camera]].rests_until <= resting
            ]

    # -- detectors -----------------------------------------------------------------------------------------------

    def _load(self, chosen: ChosenDetector, camera: str) -> Hashable:
        # A model is shared; what remembers one camera's pictures (background subtraction) is not.
        key = (chosen.kind, json.dumps(dict(chosen.options), sort_keys=True, default=str), "" if chosen.kind == "onnx" else camera)
        if key not in self._eyes:
            self._eyes[key] = _Eyes(chosen, self._make(chosen))
        return key

    def _detector(self, key: Hashable) -> Detect:
        eyes = self._eyes[key]
        if eyes.made is None:
            eyes.made = self._make(eyes.chosen)
            log.warning("detector %s was loaded again", eyes.chosen.name)
        detector = eyes.made

        def detect(frames: Sequence[Frame]) -> list[Detections]:
            found = detect_frames(detector, frames)
            if eyes.failures:
                self._recovers(eyes)
            return found

        return detect

    def _recovers(self, eyes: _Eyes) -> None:
        now = self.clock.steady()
        eyes.well_since = eyes.well_since or now
        if now - eyes.well_since < WELL:
            return
        eyes.failures = 0
        if eyes.failure is not None:
            self._tell(over(eyes.failure, self.clock.now()))
            eyes.failure = None

    def _fault(self, fault: DetectorFault) -> None:
        with self._guard:
            eyes = self._eyes.get(fault.key)
            if eyes is None:
                return
            eyes.made, eyes.failures, eyes.well_since = None, eyes.failures + 1, 0.0
            eyes.rests_until = self.clock.steady() + min(REST * 2 ** (eyes.failures - 1), 60.0)
            self._restarts += 1
            if eyes.failure is None:
                now = self.clock.now()
                camera = next((camera for camera, key in self._keys.items() if key == fault.key), "")
                eyes.failure = trouble("detector_failed", camera, now, now, said=f"{eyes.chosen.name}: {fault.said}"[:300])
                self._tell(eyes.failure)

    def _new_inference(self) -> Inference:
        return Inference(self._bell, self._posts, self._detector, self._fault)

    # -- looking after everything --------------------------------------------------------------------------------

    def _supervise(self) -> None:
        beat = 0.0
        while not self._stopping.wait(TICK):
            try:
                with self._guard:
                    stations = list(self._stations.values())
                if leap := self.clock.leap():
                    log.warning("the clock of this machine leapt by %.0f s", leap)
                    for station in stations:
                        station.leapt(leap)
                for station in stations:
                    station.check()
                self._look_after_inference()
                if self.clock.steady() - beat >= PULSE:
                    beat = self.clock.steady()
                    self._beat()
                self._tidy()
            except Exception:  # the one who looks after the others must not die of one failure
                log.exception("looking after the watch failed")

    def _look_after_inference(self) -> None:
        inference = self._inference
        since, at = inference.busy_since, inference.at
        hung = since > 0 and time.monotonic() - since > self.hang
        if not hung and inference.alive:
            return
        log.error("the inference thread %s: a new one takes over", "hangs" if hung else "died")
        inference.abandon()
        self._pictures += inference.pictures
        if isinstance(at, Station):
            at.failed(TimeoutError(f"a behaviour, signal or tracker did not come back within {self.hang:.0f} s"))
            self._restarts += 1
        elif at is not None:
            self._fault(DetectorFault(at, f"did not come back within {self.hang:.0f} s"))
        self._inference = self._new_inference()
        self._inference.start()

    def _beat(self) -> None:
        """A sign of life: after a crash or a power cut it tells since when nobody watched."""
        now = self.clock.now()
        with self._guard:
            seen = {camera: min(now, station.status().last) for camera, station in self._stations.items() if station.frames}
        self._pulse.write({**self._alive_until, **seen})

    def _tidy(self) -> None:
        if self.clock.steady() - self._tidied < TIDY:
            return
        self._tidied = self.clock.steady()

        def tidy() -> None:
            removed: Removed | None = retention(self.config).apply(self.store)
            if removed:
                log.info("retention: %s", removed)

        self.keeper.put(tidy, must=False)

    def _tell(self, event: Event) -> None:
        def keep() -> None:
            try:
                self.store.save_event(event)
            finally:
                self._publish(event)

        self.keeper.put(keep)

    def _publish(self, event: Event) -> None:
        for listener in [*self._listeners]:
            try:
                listener(event)
            except Exception:  # one listener that fails must not silence the others
                log.exception("a listener failed")


class Pulse:
    """When each camera was last seen, on the disk, once a second: survives `kill -9`; after a power cut it may be some seconds old."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, float]:
        """Camera -> UTC seconds; {} when there is nothing that can be read."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(camera): float(seen) for camera, seen in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def write(self, seen: Mapping[str, float]) -> None:
        """All at once or not at all; a full disk costs the sign of life, nothing else."""
        part = self.path.with_name(self.path.name + ".part")
        with suppress(OSError):
            part.write_text(json.dumps({camera: round(at, 3) for camera, at in seen.items()}), encoding="utf-8")
            part.replace(self.path)


def _print(config: Config, camera: str) -> str:
    """All that a camera is made from: when this changes, it begins anew."""
    dumped = config.model_dump(mode="json", by_alias=True)
    shared = {key: value for key, value in dumped.items() if key not in ("cameras", "store", "notify", "web")}
    secret = [str.__str__(each) for each in (config.cameras[camera].source, config.cameras[camera].record)]  # masked in the dump
    return json.dumps([shared, dumped["cameras"][camera], secret], sort_keys=True, default=str)


def _folder(store: Store) -> Path:
    return store.evidence.folder.parent if store.database.file is None else store.database.file.parent


__all__ = ["Health", "Live", "Pulse"]
