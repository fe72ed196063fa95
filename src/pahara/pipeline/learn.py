"""Learning from what is there already: the stored tracks of a camera, or films; it can be stopped at any moment and goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from pahara.config import CameraPlan
from pahara.core import Detector, PaharaError, Scene, StoreError
from pahara.normality import Normality, Readiness, Settings
from pahara.store import Recording, Store
from pahara.store.learned import LearnedFolder
from pahara.tracking import SceneMemory

from .analyst import BEAT, Analyst
from .learning import HOUR, Lessons, Sampler, source_key
from .watch import Look, watch

KEEP = 30.0  # seconds, by the clock, between two savings
TRAIL = 190.0  # seconds: the longest stay that is told, and what is looked at before it
Tell = Callable[[str, float, float], None]  # what is learned from, seconds done, seconds in all


@dataclass
class Learned:
    """What came of it."""

    version: int = 0  # of the new model; 0: none was made
    tracks: int = 0  # kept to learn from
    hours: float = 0.0  # watched in all
    seconds: float = 0.0  # media seconds that were new
    skipped: int = 0  # recordings that had been learned from before
    interrupted: bool = False
    readiness: tuple[Readiness, ...] = ()
    problems: list[str] = field(default_factory=list)
    model: Normality | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a model that judges."""
        return self.version > 0


def learn_recordings(
    store: Store, camera: str, recordings: Sequence[Recording], *, settings: Settings, anew: bool = False, tell: Tell | None = None
) -> Learned:
    """Learn what is usual from stored tracks. What alarmed is left out, unless someone said that it was fine."""
    folder = LearnedFolder.of(store, camera)
    lessons, result = _begin(folder, settings, anew)
    try:
        for recording in recordings:
            key = source_key(recording)
            span = store.span(recording)
            since = lessons.done.get(key, -np.inf)
            if span is None or span[1] - since < 1.0:
                result.skipped += 1
                continue
            begin = max(span[0], since)
            scenes = _scenes(store, recording, since - TRAIL)
            flags = _flags(store, recording)
            said = f"{camera}, recording {recording.id}"
            for time in _take(lessons, folder, key, Sampler.of(recording, since), scenes, flags):
                if tell is not None:
                    tell(said, time - begin, span[1] - begin)
            result.seconds += span[1] - begin
    except KeyboardInterrupt:
        result.interrupted = True
    return _finish(folder, lessons, result)


def learn_films(
    folder: LearnedFolder,
    plan: CameraPlan,
    films: Iterable[tuple[Path, Any]],
    detector: Detector,
    *,
    settings: Settings,
    anew: bool = False,
    tell: Tell | None = None,
    seen: Callable[[Look], None] | None = None,
) -> Learned:
    """Learn from films, each with its opened source; they are taken for normal. `seen` is called with every beat."""
    lessons, result = _begin(folder, settings, anew)
    try:
        for path, source in films:
            key = film_key(path)
            since = lessons.done.get(key, -np.inf)
            length = float(source.duration or 0.0)
            if length and length - since < 1.0:
                result.skipped += 1
                continue
            analyst = Analyst(plan.camera, source.size, {}, {}, tracker=plan.make_tracker(), epoch=source.epoch, memory=TRAIL, beat=BEAT)

            def scenes(source: Any = source, analyst: Analyst = analyst) -> Iterator[Scene]:
                for look in watch(source, detector, analyst, gate=plan.make_gate()):
                    if look.moment is not None:
                        if seen is not None:
                            seen(look)
                        yield look.moment.scene

            begun = path.stat().st_mtime if path.exists() else folder.clock()
            sampler = Sampler(key, epoch=source.epoch, begun=begun, since=since)
            last = 0.0
            for time in _take(lessons, folder, key, sampler, scenes(), ()):
                last = time
                if tell is not None:
                    tell(path.name, time, length)
            result.seconds += max(last - max(since, 0.0), 0.0)
    except KeyboardInterrupt:
        result.interrupted = True
    return _finish(folder, lessons, result)


def film_key(path: Path) -> str:
    """A film by what is in it, so that a moved one is not learned from twice."""
    told = blake2b(digest_size=8)
    try:
        told.update(str(path.stat().st_size).encode())
        if path.is_file():
            with path.open("rb") as file:
                told.update(file.read(1 << 20))
        else:
            told.update(str(path.resolve()).encode())
    except OSError:
        told.update(str(path).encode())
    return f"film {told.hexdigest()}"


def make_model(folder: LearnedFolder, lessons: Lessons, why: str) -> tuple[int, Normality]:
    """A model of all that was learned -> its version, 0 where it is not ready and was not kept."""
    newest = max(folder.versions, default=0)
    model = lessons.learner.fit(version=newest + 1)
    if not model.ready:
        return 0, model
    facts = {"tracks": tracks_of(lessons), "hours": round(lessons.learner.watched / HOUR, 2)}
    return folder.add(model.save, why, **facts), model


def tracks_of(lessons: Lessons) -> int:
    """Distinct tracks that are kept."""
    return len(np.unique(lessons.learner.samples.tracks))


# ---------------------------------------------------------------- inside


def _begin(folder: LearnedFolder, settings: Settings, anew: bool) -> tuple[Lessons, Learned]:
    from pahara.normality import Learner

    if not folder.claim():
        raise StoreError("a watch is learning for this camera just now: stop it first, or let it learn")
    if anew:
        return Lessons(Learner(settings)), Learned()
    lessons, problem = Lessons.load(folder, settings)
    return lessons, Learned(problems=[problem] if problem else [])


def _take(
    lessons: Lessons,
    folder: LearnedFolder,
    key: str,
    sampler: Sampler,
    scenes: Iterable[Scene],
    flags: Iterable[tuple[float, tuple[int, ...], bool]],
) -> Iterator[float]:
    """Learn from scenes -> media seconds, now and then. What was done is saved on the way."""
    waiting = sorted(flags)
    saved = monotonic()
    try:
        for scene in scenes:
            taken = sampler(scene)
            while waiting and waiting[0][0] <= scene.time + 1e-6:
                _, subject, fine = waiting.pop(0)
                known = {track.id: track for track in (*scene.past, *scene.tracks)}
                keys = [sampler.key(scene, known[i]) for i in subject if i in known]
                lessons.learner.flag(keys)
                if fine:
                    lessons.learner.verdict(keys, fine=True)
            if taken is None:
                continue
            samples, watched = taken
            lessons.learner.take(samples, watched=watched)
            lessons.done[key] = sampler.asked
            if monotonic() - saved >= KEEP:
                lessons.save(folder)
                saved = monotonic()
            yield scene.time
    finally:
        lessons.save(folder)


def _finish(folder: LearnedFolder, lessons: Lessons, result: Learned) -> Learned:
    result.tracks, result.hours = tracks_of(lessons), lessons.learner.watched / HOUR
    if result.interrupted or not result.tracks or (not result.seconds and folder.current.version):
        folder.release()
        return result
    try:
        result.version, result.model = make_model(folder, lessons, "learned")
        result.readiness = result.model.readiness()
        lessons.night = folder.clock()
        lessons.save(folder)
    except (PaharaError, ArithmeticError) as problem:
        result.problems.append(str(problem))
    folder.release()
    return result


def _scenes(store: Store, recording: Recording, since: float) -> Iterator[Scene]:
    memory = SceneMemory(recording.camera, recording.size, epoch=recording.epoch, seconds=TRAIL)
    for observation in store.observations(recording, since if np.isfinite(since) else None):
        yield memory.step(observation)


def _flags(store: Store, recording: Recording) -> list[tuple[float, tuple[int, ...], bool]]:
    """Who alarmed, when, and whether someone said that it was fine."""
    return [
        (each.event.start, each.event.subject, each.verdict == "fine")
        for each in store.every_event(recording=recording)
        if each.event.subject
    ]


__all__ = ["Learned", "film_key", "learn_films", "learn_recordings", "make_model", "tracks_of"]
