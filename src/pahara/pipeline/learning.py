"""A camera learns while it watches: what it sees is kept, a model is made at night, and the watch takes it over between two beats."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from pahara.config import CameraPlan
from pahara.core import Behaviour, Event, Frame, ModelError, PaharaError, Scene, StoreError, Track
from pahara.core.frozen import Frozen
from pahara.normality import VERSION, Learner, Normality, Samples, Settings, Unusual, grid, measure, track_key
from pahara.normality.attributes import ATTRIBUTES
from pahara.report import Background
from pahara.store import Recording, Store
from pahara.store.gallery import Gallery
from pahara.store.learned import Current, LearnedFolder, Library
from pahara.video.draw import thumbnail
from pahara.video.picture import jpeg

from .watch import Look

log = logging.getLogger(__name__)

MOVED = "tamper.moved"  # the signal that says whether the view is another, 0.5 at its limit
FORGIVEN = 1200.0  # seconds within which a camera that was turned may be turned back
NONE_YET = -1  # the signal's value while there is no model: a replay must not take one that was made later
DAY, HOUR = 86400.0, 3600.0
NIGHT = 3.0  # o'clock, by the camera's clock: a new model is made of what has come out of quarantine
TRY = 600.0  # seconds of watching between two looks whether there is enough for a first model
SAVE = 600.0  # seconds of watching between two savings of what was learned
ASK = 1.0  # seconds between two looks whether another program chose another model
PICTURE = (160, 120)  # pixels of a thumbnail in the gallery
TALLER = 1.3  # a picture is taken again once the person looks so much taller
CROPS = 4  # pictures a beat, at most


@dataclass
class Lessons:
    """What one camera's next model is made of, and how far every recording has been learned from."""

    learner: Learner
    done: dict[str, float] = field(default_factory=dict)  # recording or film -> media seconds up to which it was learned
    night: float = 0.0  # UTC seconds of the last nightly update

    @classmethod
    def load(cls, folder: LearnedFolder, settings: Settings) -> tuple[Lessons, str]:
        """What is on the disk, else a new beginning -> and what went wrong, "" if nothing."""
        state = folder.state()
        if not state:
            return cls(Learner(settings)), ""
        try:
            line, _, learned = state.partition(b"\n")
            told = json.loads(line)
            lessons = cls(Learner.from_bytes(learned), {str(k): float(v) for k, v in told["done"].items()}, float(told["night"]))
            lessons.learner.settings = settings
            return lessons, ""
        except (ModelError, ValueError, KeyError, TypeError, AttributeError) as problem:
            aside = folder.set_aside()
            return cls(
                Learner(settings)
            ), f"what {folder.folder.name} had learned so far is damaged ({problem}): kept as {aside.name}, it begins anew"

    def save(self, folder: LearnedFolder) -> None:
        """Onto the disk, whole or not at all."""
        told = json.dumps({"done": self.done, "night": self.night}).encode()
        folder.save_state(told + b"\n" + self.learner.to_bytes())

    def snapshot(self) -> Lessons:
        """The same, untouched by what is learned from now on."""
        return deepcopy(self)


class Sampler:
    """Scenes of one recording -> samples on the learner's grid of moments, each moment once."""

    def __init__(self, key: str = "", *, epoch: float = 1.0, begun: float = 0.0, since: float = -np.inf) -> None:
        """`key` of what is watched, `epoch` UTC seconds of its media time 0 (0: nobody knows), `begun` UTC seconds when it was
        watched, `since` media seconds up to which it was learned from already."""
        self.asked = since
        self._last: float | None = None
        # A film without a clock: its tracks must not be taken for those of another, and its hour of the day tells nothing.
        self._clockless, self._begun = not epoch, begun
        self._salt = np.int64(int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little", signed=True))

    @classmethod
    def of(cls, recording: Recording | None, since: float = -np.inf) -> Sampler:
        """For a recording of a store."""
        if recording is None:
            return cls(since=since)
        return cls(source_key(recording), epoch=recording.epoch, begun=recording.begun, since=since)

    def key(self, scene: Scene, track: Track) -> int:
        """How the learner knows this track."""
        key = track_key(scene.camera, scene.epoch, track)
        return int(np.int64(key) ^ self._salt) if self._clockless else key

    def __call__(self, scene: Scene) -> tuple[Samples, float] | None:
        """-> new samples and the seconds of watching that they stand for; None between two moments of the grid."""
        due = [time for time in grid(scene.time, seconds=1.0) if time > self.asked]
        if not due:
            return None
        self.asked = due[-1]
        watched = 0.0 if self._last is None or scene.time - self._last > 60.0 else scene.time - self._last
        self._last = scene.time
        samples = measure(scene, times=due)
        if self._clockless:
            kept = samples.only(*(name for name in samples.features if name != "time"))
            samples = replace(kept, tracks=kept.tracks ^ self._salt, times=kept.times + self._begun)
        return samples, watched


class Learning:
    """One watch of one camera that learns. Not for several threads, but for the one that it makes a model in.

    `background`: models are made in a thread of their own (a live camera waits for nobody); else in the watch itself, so
    that a film's result does not depend on the machine.
    """

    def __init__(
        self,
        folder: LearnedFolder,
        *,
        recording: Recording | None = None,
        settings: Settings = Settings(),  # noqa: B008 a frozen value
        background: bool = False,
        verdicts: Callable[[], Mapping[str, str]] = dict,
        days: float | None = None,
    ) -> None:
        """`verdicts` gives what people said: event id -> "real" or "fine"; `days` that pictures of people may be kept."""
        self.folder, self.recording, self.settings, self.background = folder, recording, settings, background
        self.problems: list[str] = []
        self.notes: list[Mapping[str, Any]] = []  # what happened, for whoever shows it
        self.library: Library[Normality] = Library(folder, Normality.load)
        self.gallery = Gallery.of(folder)
        self.view = Background(pictures=9)
        self.owns = folder.claim()
        if not self.owns:
            self._say("another program is learning for this camera: this watch judges by its model and learns nothing itself")
        self.lessons, said = Lessons.load(folder, settings)
        if said:
            self._say(said)
        self._verdicts, self._days = verdicts, days
        key = source_key(recording)
        self._sampler = Sampler.of(recording, self.lessons.done.get(key, -np.inf))
        self._key = key
        self._heights: dict[int, float] = {}  # of those in the gallery, pixels
        self._stamp: tuple[int, int] | None = None
        self._asked = self._saved = self._tried = self._claimed = -np.inf
        self._turned = False  # the new view is learned; the signal still compares with the old one
        self._thread: Thread | None = None
        self._saving: Thread | None = None
        self._fresh: list[Callable[[Learner], object]] | None = None  # what came while a model is being made
        self._made: tuple[Lessons, Any] | None = None
        self.judged = 0.0  # seconds watched with a model that was ready
        self.alarms = 0
        self.budget = 0.0  # alarms a day that were asked for
        self.chosen = NONE_YET  # the model that counts
        self._refresh()

    # -- what the watch asks -------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """What judges now: nobody while the camera looks elsewhere than where it learned."""
        return NONE_YET if self.lessons.learner.drift.frozen else self.chosen

    def model(self, version: int) -> Normality | None:
        """What a behaviour asks: the version that stands in the scene; 0 is whichever counts now."""
        return self.library(self.version if version == 0 else version)

    def bind(self, behaviours: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
        """The behaviours that wait for this camera's model get it."""
        self.budget = sum(each.budget for each in behaviours.values() if isinstance(each, Unusual) and each.model is None)
        return bound(behaviours, self.model)

    def signal(self, frame: Frame) -> Mapping[str, float]:
        """Which model judges from this frame on: it stands in the observation, so that a replay asks the same."""
        del frame
        return Frozen({VERSION: float(self.version)})

    # -- what the watch tells ------------------------------------------------------------------------------------

    def see(self, look: Look) -> None:
        """One frame and what came of it."""
        if look.moment is None:
            return
        scene = look.moment.scene
        self._take_over()
        for event in look.moment.events:
            if event.phase == "began":
                self._alarm(event, scene)
        taken = self._sampler(scene)
        if taken is None:
            return
        samples, watched = taken
        model = self.library(self.chosen)
        if model is not None and model.ready:
            self.judged += watched if self.version == self.chosen else 0.0
            judged = model.judge(samples)
            self._do(lambda learner: learner.judged(samples, judged))
        self._watch_the_view(scene)
        if not self.owns and scene.time - self._claimed >= ASK:
            self._claim_again(scene.time)
        if not self.owns:
            self._poll(scene.time)
            return
        self._do(lambda learner: learner.take(samples, watched=watched))
        self._picture(look, samples, scene)
        if self.view.wants(scene.time) and look.frame.image.size:
            self.view.add(scene.time, look.frame.image)
        self.lessons.done[self._key] = self._sampler.asked
        self._poll(scene.time)
        now = scene.epoch + scene.time if scene.epoch else self._begun + scene.time
        if self._due(scene.time, now):
            self._update(now)
        if scene.time - self._saved >= SAVE:
            if self._saved > -np.inf:
                self._save(aside=True)
            self._saved = scene.time

    def update(self, now: float) -> str:
        """What the night brings, at once -> what happened: "first", "nightly", "worse", "rollback", "nothing new", "learning", "drift"."""
        background, self.background = self.background, False
        self._update(now)
        self.background = background
        return str(self.notes[-1]["what"]) if self.notes else "learning"

    def facts(self) -> dict[str, Any]:
        """Where it stands, for machines."""
        learner = self.lessons.learner
        return {
            "version": max(self.chosen, 0), "ready": self.chosen != NONE_YET, "frozen": learner.drift.why, "tracks": _tracks(learner),
            "tracks_needed": self.needed, "hours_watched": round(learner.watched / HOUR, 3), "judged_hours": round(self.judged / HOUR, 4),
            "alarms": self.alarms, "budget_per_day": self.budget, "happened": [dict(note) for note in self.notes],
        }  # fmt: skip

    def finish(self) -> None:
        """The watch is over: what was learned is kept; a camera that has none gets its first model if there is enough."""
        if self._thread is not None:
            self._thread.join()
        self._take_over()
        self._keep_view()
        if self.chosen == NONE_YET and not self.background and self._enough():
            self._update(self._begun if self.recording is not None and not self.recording.epoch else self._latest())
        self._save()
        if self.judged or self.alarms:
            with suppress(PaharaError):
                self.folder.note("watched", seconds=round(self.judged, 1), alarms=self.alarms, recording=self._key)
        self.folder.release()

    # -- inside --------------------------------------------------------------------------------------------------

    @property
    def _begun(self) -> float:
        return self.recording.begun if self.recording is not None else 0.0

    def _latest(self) -> float:
        times = self.lessons.learner.samples.times
        return float(times.max()) if len(times) else 0.0

    def _alarm(self, event: Event, scene: Scene) -> None:
        everyone = {track.id: track for track in (*scene.past, *scene.tracks)}
        keys = [self._sampler.key(scene, everyone[i]) for i in event.subject if i in everyone]
        self._do(lambda learner: learner.flag(keys))
        if event.kind == Unusual.kind:
            self.alarms += 1
        with suppress(PaharaError):  # a full disk: it is told elsewhere
            self.folder.note("alarm", event=event.id, kind=event.kind, tracks=[str(key) for key in keys])

    def _do(self, work: Callable[[Learner], object]) -> None:
        work(self.lessons.learner)
        if self._fresh is not None:
            self._fresh.append(work)

    def _picture(self, look: Look, samples: Samples, scene: Scene) -> None:
        """Thumbnails of those that the model may show later."""
        if look.frame.image.shape[:2] != (scene.size[1], scene.size[0]):
            return
        taken = 0
        edge = np.array([2, 2, scene.size[0] - 2, scene.size[1] - 2])
        for row, key in enumerate(samples.tracks.tolist()):
            box = samples.boxes[row]
            tall = float(box[3] - box[1])
            if (
                taken >= CROPS
                or tall < 24
                or tall < TALLER * self._heights.get(key, 0.0)
                or (box[:2] < edge[:2]).any()
                or (box[2:] > edge[2:]).any()
            ):
                continue
            if samples.times[row] < scene.epoch + scene.time - 0.6 and scene.epoch:
                continue  # the picture shows now, not then
            self._heights[key] = tall
            self.gallery.add(key, float(samples.times[row]), jpeg(thumbnail(look.frame.image, box, PICTURE), 80))
            taken += 1
        if len(self._heights) > 20_000:
            self._heights.clear()

    def _keep_view(self) -> None:
        """The place without its people, for `pahara normality show`."""
        if self.owns and (picture := self.view.jpeg()):
            with suppress(PaharaError):
                self.folder.write("background.jpg", picture)

    def _watch_the_view(self, scene: Scene) -> None:
        """Fast drift: while the camera looks elsewhere nobody is judged; when it stays so, what was learned is forgotten."""
        before = self.lessons.learner.drift
        moved = scene.signals.get(MOVED)
        if moved is not None and len(moved.values):
            time = scene.epoch + scene.time
            self._turned &= bool(moved.values[-1] >= 0.5)  # the signal, too, needs its time to get used to a new view
            if self._turned or self.chosen == NONE_YET:
                pass
            elif moved.values[-1] >= 0.5:
                self._do(lambda learner: learner.looked(time, "other"))
            elif not before.frozen or time - before.since < FORGIVEN:  # later the signal has only got used to the new view
                self._do(lambda learner: learner.looked(time, "same"))
        after = self.lessons.learner.drift
        if after.frozen and not before.frozen:
            self._note("frozen", why=after.why)
        elif before.frozen and not after.frozen:
            self._note("thawed", why=before.why)
        if after.relearn and self._thread is None:
            since = after.since
            self._do(lambda learner: learner.forget(since))
            self.chosen, self._turned = NONE_YET, after.why == "view"
            try:
                self.folder.choose(0, "relearn", because=after.why)
            except PaharaError as problem:
                self._say(str(problem))
            self._stamp = self.folder.stamp()
            self.notes.append({"what": "relearn", "why": after.why})

    def _note(self, what: str, **facts: Any) -> None:
        self.notes.append({"what": what, **facts})
        with suppress(PaharaError):
            self.folder.note(what, **facts)

    def _poll(self, time: float) -> None:
        if time - self._asked >= ASK or time < self._asked:
            self._asked = time
            self._refresh()

    def _claim_again(self, time: float) -> None:
        """Whoever was learning may have ended: the watch before this one, which was still being put away."""
        self._claimed = time
        if self.folder.claim():
            self.owns = True
            self.lessons, said = Lessons.load(self.folder, self.settings)
            if said:
                self._say(said)

    def _refresh(self) -> None:
        """Another program may have chosen another model."""
        stamp = self.folder.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self.chosen = self._usable(self.folder.current)

    def _usable(self, current: Current) -> int:
        """The current model; where it is damaged, the newest that can be read."""
        if current.version <= 0:  # none yet, or none any longer
            return NONE_YET
        for version in dict.fromkeys([current.version, *reversed(self.folder.versions)]):
            told = len(self.library.problems)
            model = self.library(version)
            for problem in self.library.problems[told:]:
                self._say(problem)
            if model is not None:
                return version
        return NONE_YET

    @property
    def needed(self) -> int:
        """Tracks that a first model is made of."""
        settings = self.settings
        return min(settings.ready.get(name, ATTRIBUTES[name].ready) for name in ("motion", "shape") if name not in settings.without)

    def _enough(self) -> bool:
        return _tracks(self.lessons.learner) >= self.needed

    def _due(self, time: float, now: float) -> bool:
        if self._thread is not None:
            return False
        if self.chosen == NONE_YET:
            if time - self._tried < TRY:
                return False
            self._tried = time
            return self._enough()
        if not self.lessons.night:
            self.lessons.night = now
        return _nights(now, self.settings) > _nights(self.lessons.night, self.settings)

    def _update(self, now: float) -> None:
        """Make a model of what was learned, here or in a thread."""
        self.lessons.night = now
        for event, verdict in self._verdicts().items():
            keys = self._tracks_of(event)
            if keys:
                self._do(lambda learner, keys=keys, fine=verdict == "fine": learner.verdict(keys, fine=fine))  # type: ignore[misc]
        model, previous = self.library(self.chosen), self.library(self._before())
        if not self.background:
            self._adopt(self.lessons, _made(self.lessons.learner, model, now, previous))
            return
        part = self.lessons.snapshot()
        self._fresh = []

        def work() -> None:
            self._made = part, _made(part.learner, model, now, previous)

        self._thread = Thread(target=work, name="normality", daemon=True)
        self._thread.start()

    def _take_over(self) -> None:
        """What the thread has made, between two beats."""
        if self._thread is None or self._thread.is_alive():
            return
        self._thread = None
        made, self._made = self._made, None
        fresh, self._fresh = self._fresh or [], None
        if made is None:
            return
        part, update = made
        for work in fresh:
            work(part.learner)
        part.done, part.night = self.lessons.done, self.lessons.night
        self.lessons = part
        self._adopt(part, update)

    def _adopt(self, lessons: Lessons, update: Any) -> None:
        if isinstance(update, str):
            self._say(update)
            return
        self._keep_view()
        facts = {"tracks": _tracks(lessons.learner), "hours": round(lessons.learner.watched / HOUR, 2)}
        try:
            if update.taken and update.model is not None and update.model.ready:
                self.chosen = self.folder.add(update.model.save, update.why, **facts)
                self._stamp = self.folder.stamp()
                self.folder.prune(self._needed())
                keep = {int(t) for known in update.model.known.values() for t in np.unique(known.memory.tracks)}
                self.gallery.prune(keep, self._latest() - self._days * DAY if self._days is not None else -np.inf)
            else:
                self.folder.note(update.why, **facts)
            self.notes.append({"what": update.why, "version": self.version, **facts})
            lessons.save(self.folder)
        except PaharaError as problem:
            self._say(f"what was learned could not be kept: {problem}")

    def _before(self) -> int:
        """The version before the one that counts; 0 where there is none, or where it was gone back to already."""
        if self.folder.current.why == "rollback":
            return 0
        return max([version for version in self.folder.versions if version < self.chosen], default=0)

    def _needed(self) -> set[int]:
        """Versions that judged within the last month: recordings of then can still be replayed."""
        keep = set()
        since = self.folder.clock() - (self._days if self._days is not None else 10_000) * DAY
        for version in self.folder.versions:
            with suppress(OSError):
                if self.folder.path(version).stat().st_mtime >= since:
                    keep.add(version)
        return keep

    def _tracks_of(self, event: str) -> list[int]:
        for line in self.folder.journal():
            if line.get("what") == "alarm" and line.get("event") == event:
                return [int(key) for key in line.get("tracks", ())]
        return []

    def _save(self, *, aside: bool = False) -> None:
        """`aside`: in a thread of its own, so that the watch does not wait for the disk."""
        if aside and self.background:
            if self._thread is None and (self._saving is None or not self._saving.is_alive()):
                self._saving = Thread(target=self._keep, args=(self.lessons.snapshot(),), name="lessons", daemon=True)
                self._saving.start()
            return
        if self._saving is not None:
            self._saving.join()
        self._keep(self.lessons)

    def _keep(self, lessons: Lessons) -> None:
        if not self.owns:
            return
        try:
            lessons.save(self.folder)
        except PaharaError as problem:
            self._say(f"what was learned could not be kept: {problem}")

    def _say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            log.warning("%s", problem)


def _made(learner: Learner, model: Normality | None, now: float, previous: Normality | None) -> Any:
    """The update, or what went wrong in words: making a model must never end a watch."""
    try:
        return learner.night(model, now, previous)
    except (PaharaError, ArithmeticError, ValueError, LookupError, MemoryError) as problem:
        log.exception("no model could be made")
        return f"no model could be made of what was learned: {problem}"


def _tracks(learner: Learner) -> int:
    return len(np.unique(learner.samples.tracks))


def _nights(now: float, settings: Settings) -> int:
    """How many times it has been three at night by the camera's clock."""
    return int((now + settings.utc_offset * HOUR - NIGHT * HOUR) // DAY)


def source_key(recording: Recording | None) -> str:
    """How the ledger of what was learned names a recording."""
    return "" if recording is None else f"recording {recording.id}"


def bound(behaviours: Mapping[str, Behaviour], model: Callable[[int], Normality | None]) -> dict[str, Behaviour]:
    """Those of the kind `unusual` that name no model of their own ask `model` for it."""
    return {
        name: replace(each, model=model) if isinstance(each, Unusual) and each.model is None else each for name, each in behaviours.items()
    }


def waits(behaviours: Iterable[Behaviour]) -> bool:
    """Whether one of them needs what this camera learns."""
    return any(isinstance(each, Unusual) and each.model is None for each in behaviours)


def settings_of(timezone: str, at: float) -> Settings:
    """What the configuration says of learning: the camera's clock. `at` UTC seconds."""
    when = datetime.fromtimestamp(at, UTC)
    zone = when.astimezone() if timezone == "local" else when.astimezone(ZoneInfo(timezone))
    offset = zone.utcoffset()
    return Settings(utc_offset=offset.total_seconds() / HOUR if offset is not None else 0.0)


def learning_of(
    plan: CameraPlan,
    store: Store,
    recording: Recording,
    *,
    timezone: str = "local",
    background: bool = False,
    days: float | None = None,
) -> Learning | None:
    """What a watch of this plan learns; None where no behaviour asks for it. `days` that evidence is kept."""
    if not waits(plan.behaviours.values()):
        return None
    folder = LearnedFolder.of(store, plan.camera)

    settings = settings_of(timezone, recording.epoch or recording.begun)
    verdicts = verdicts_of(store, plan.camera)
    return Learning(folder, recording=recording, settings=settings, background=background, verdicts=verdicts, days=days)


def verdicts_of(store: Store, camera: str) -> Callable[[], Mapping[str, str]]:
    """Asks what people said of this camera's events: id -> "real" or "fine"."""

    def verdicts() -> Mapping[str, str]:
        try:
            return {each.id: str(each.verdict) for said in ("real", "fine") for each in store.every_event(camera=camera, verdict=said)}
        except StoreError:
            return {}

    return verdicts


def remembered(plan: CameraPlan, store: Store) -> CameraPlan:
    """The plan for a replay: its behaviours ask the models that the store has of this camera, by the versions in the scenes."""
    if not waits(plan.behaviours.values()):
        return plan
    folder = LearnedFolder.of(store, plan.camera)
    library: Library[Normality] = Library(folder, Normality.load)

    def model(version: int) -> Normality | None:
        found = library(folder.current.version if version == 0 else version)
        if library.problems:
            raise ModelError(library.problems[0])
        return found

    return replace(plan, behaviours=bound(plan.behaviours, model))


__all__ = ["NONE_YET", "Learning", "Lessons", "Sampler", "bound", "learning_of", "remembered", "settings_of", "verdicts_of", "waits"]
