"""One camera's thinking: detections in, moments out. No pictures, no disk, no threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pahara.alarms import START, AlarmRule, AlarmState
from pahara.core import Behaviour, Detections, Event, Observation, Scene, Scores, Tracker
from pahara.core.frozen import Frozen
from pahara.tracking import SceneMemory, on_grid

BEAT = 0.1  # seconds between two observations that are remembered and stored: above ten a second detectors see jitter, not news
THINK = 0.2  # seconds between two questions to the behaviours: nobody needs an alarm a tenth of a second sooner
RESTLESS = 0.1  # body heights in two seconds: less than that is standing still

Joints: TypeAlias = Callable[[Observation, Mapping[int, float]], NDArray[np.float32]]  # what was tracked, suspicion by id -> (n, k, 3)


@dataclass(frozen=True, eq=False)
class Moment:
    """All that one beat brought. Behaviours are asked at every second beat or so: between, there are no scores and no events."""

    observation: Observation
    scene: Scene
    scores: Mapping[str, Scores] = field(default_factory=Frozen)  # by the behaviour's name
    events: tuple[Event, ...] = ()


class Analyst:
    """Tracker, trails, behaviours and alarm state of one camera.

    The tracker sees every detected frame; what it knows is remembered at the *beat*, ten times a second, and behaviours
    are asked five times a second. What they see is exactly what the store keeps, and when they are asked follows from
    the observations' times alone, so that a replay of stored observations gives the same events.
    """

    def __init__(
        self,
        camera: str,
        size: tuple[int, int],
        behaviours: Mapping[str, Behaviour],
        rules: Mapping[str, AlarmRule],
        *,
        tracker: Tracker | None = None,
        epoch: float = 0.0,
        memory: float = 30.0,
        beat: float = BEAT,
    ) -> None:
        """`size` (width, height) pixels; `epoch` UTC seconds of media time 0; `memory` seconds of trail.

        `tracker` may be left out where only `recall` (replay) is used. KeyError when a behaviour has no rule.
        """
        self.camera, self.tracker, self.beat = camera, tracker, beat
        self.behaviours = dict(behaviours)
        self.rules = {name: rules[name] for name in behaviours}
        self._memory = SceneMemory(camera, size, epoch=epoch, seconds=memory)
        self._alarms: dict[str, AlarmState] = dict.fromkeys(behaviours, START)
        self._next_beat = self._next_thought = -np.inf
        self._tracked: Observation | None = None
        self._fresh = False  # whether the detector looked since the last beat
        self.scene: Scene | None = None  # of the last beat
        self._scores: Mapping[str, Scores] = Frozen()  # of the last thought

    @property
    def busy(self) -> bool:
        """Whether someone is in view who moves; a parked car or a sleeper alone does not keep the detector awake."""
        if self._tracked is None or len(self._tracked) == 0:
            return False
        if self.scene is None:
            return True
        by_id = self.scene.by_id
        for track_id in self._tracked.ids.tolist():
            track = by_id.get(track_id)
            if track is None or track.times[-1] - track.born < 2.0:
                return True
            recent = track.boxes[track.since(track.last_seen - 2.0)]
            moved = np.abs(recent - recent[-1]).max()
            if moved > RESTLESS * max(float(track.heights[-1]), 1.0):
                return True
        return False

    @property
    def suspicion(self) -> dict[int, float]:
        """Track id -> the highest score that a behaviour gave it when last asked."""
        found: dict[int, float] = {}
        for scores in self._scores.values():
            for subject, score in scores.items():
                for one in subject:
                    found[one] = max(found.get(one, 0.0), score)
        return found

    def look(
        self, time: float, detections: Detections | None, signals: Mapping[str, float] = Frozen(), joints: Joints | None = None
    ) -> Moment | None:
        """One frame. `detections` is None when the detector was spared; -> a Moment at each beat, else None.

        `joints`, where pose is on, is asked at each beat: what was tracked, and `suspicion` -> (n, k, 3).
        """
        if self.tracker is None:
            raise TypeError("this analyst was made without a tracker: it can only recall")
        if detections is not None:
            self._tracked, self._fresh = self.tracker.update(detections, time), True
        if time < self._next_beat - 1e-6:
            return None
        self._next_beat = _next(time, self._next_beat, self.beat)
        # A rare look of the detector may fall between two beats: what it saw counts at the next one.
        fresh, self._fresh = self._fresh, False
        seen = self._observe(time, fresh, signals)
        if joints is not None:
            seen = replace(seen, keypoints=joints(seen, self.suspicion))
        return self.recall(on_grid(seen))

    def recall(self, observation: Observation) -> Moment:
        """One beat from an observation, seen now or read from the store."""
        scene = self.scene = self._memory.step(observation)
        if observation.time < self._next_thought - 1e-6:
            return Moment(observation, scene)
        self._next_thought = _next(observation.time, self._next_thought, THINK)
        scores: dict[str, Scores] = {}
        events: list[Event] = []
        for name, behaviour in self.behaviours.items():
            scores[name] = behaviour(scene)
            self._alarms[name], new = self.rules[name].step(
                self._alarms[name],
                behaviour=name,
                kind=getattr(behaviour, "kind", name),
                scene=scene,
                scores=scores[name],
                explain=behaviour.explain,
            )
            events += new
        self._scores = scores
        return Moment(observation, scene, scores, tuple(events))

    def finish(self) -> tuple[Event, ...]:
        """The recording is over: what is still going on ends now."""
        if self.scene is None:
            return ()
        return tuple(
            event
            for name, behaviour in self.behaviours.items()
            for event in self.rules[name].finish(self._alarms[name], time=self.scene.time, explain=behaviour.explain)
        )

    def _observe(self, time: float, fresh: bool, signals: Mapping[str, float]) -> Observation:
        last = self._tracked
        if last is None:
            return Observation(
                time, np.zeros(0, np.int64), np.zeros((0, 4), np.float32), (), np.zeros(0, bool), np.zeros(0, np.float32), signals
            )
        seen, scores = (last.seen, last.scores) if fresh else (np.zeros_like(last.seen), np.zeros_like(last.scores))
        return Observation(time, last.ids, last.boxes, last.labels, seen, scores, signals)


def _next(time: float, due: float, period: float) -> float:
    """When it is due again, keeping the rhythm where frames come a little late, and beginning anew after a gap."""
    late = time - due
    return time + period - (late if 0 <= late < period else 0.0)
