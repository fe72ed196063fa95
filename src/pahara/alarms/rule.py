"""Scores over time become events: when to begin, when to end, and when to keep quiet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pahara.core import Box, Event, Reason, Scene, Scores, Subject, Track, event_id

from .place import NOBODY, NOWHERE, Place, boxes_of

Explain = Callable[[Scene, Subject], Reason]
NEVER = float("-inf")
TINY = 1e-9  # seconds; times are sums of frame intervals


@dataclass(frozen=True, slots=True)
class Episode:
    """One subject's score since it rose. It becomes an event once it has held long enough."""

    subject: Subject  # whose event it is
    current: Subject  # who carries it on now: another id after the tracker lost the first
    start: float  # media seconds: the score rose
    last_high: float  # media seconds: the score was last at or above `below`
    peak: float
    peak_time: float  # media seconds
    boxes: tuple[Box, ...]  # the subject's boxes at the peak
    told: Reason | tuple[Scene, Subject]  # the reason at the peak, or what to explain when someone asks
    place: Place  # where it was last seen
    began: Event | None = None  # the report, once made
    quiet_until: float = NEVER  # media seconds: before that it would be a repeat
    repeats: Place = NOWHERE  # it is a repeat as long as it stays here
    inherited: Place = NOWHERE  # where the id before `current` was lost
    heir: int = NOBODY  # a track that was born where this one went out of sight

    def reason(self, explain: Explain) -> Reason:
        """Why, at the peak."""
        return self.told if isinstance(self.told, Reason) else explain(*self.told)


@dataclass(frozen=True, slots=True)
class Closed:
    """An alerted episode that ended within the cooldown, or whose place is still held under another id."""

    subject: Subject
    ended: float  # media seconds
    place: Place
    heir: int = NOBODY


@dataclass(frozen=True, slots=True)
class AlarmState:
    """All that the rule remembers about one behaviour of one camera."""

    time: float = NEVER  # media seconds of the last step
    open: Mapping[Subject, Episode] = field(default_factory=dict)  # by who carries it now
    closed: tuple[Closed, ...] = ()


START = AlarmState()


@dataclass(frozen=True)
class AlarmRule:
    """Rise to `above` and stay for `hold` seconds to begin; stay under `below` for `linger` seconds to end (hysteresis).

    A repeat keeps quiet: the same subject within `cooldown` seconds of its end; and a track that is born where an
    alerted one was lost (same label, overlap of at least `same_place`, within the cooldown) is the same thing under a
    new id. While it stays there, an event that is open goes on and one that has ended is not told again: a parked car
    or a sleeping person alerts once. `same_place` 0 turns that off, for what happens in a moment, such as crossings.
    """

    above: float = 0.5  # score that begins
    below: float = 0.4  # score under which it ends
    hold: float = 0.0  # seconds before begin
    linger: float = 2.0  # seconds before end
    cooldown: float = 30.0  # seconds before a repeat
    same_place: float = 0.5  # IoU; 0 = never the same

    def __post_init__(self) -> None:
        if not 0 < self.below <= self.above <= 1:
            raise ValueError(f"an alarm rule needs 0 < below <= above <= 1, got below {self.below} and above {self.above}")
        for name in ("hold", "linger", "cooldown"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is a number of seconds, 0 or more, got {getattr(self, name)}")
        if not 0 <= self.same_place <= 1:
            raise ValueError(f"same_place is an overlap from 0 (off) to 1, got {self.same_place}")

    @classmethod
    def of(cls, behaviour: object, **given: float) -> AlarmRule:
        """The rule that suits a behaviour: its `alarm_defaults`, with `given` on top."""
        defaults: Mapping[str, float] = getattr(behaviour, "alarm_defaults", {})
        return cls(**{**defaults, **given})

    def step(
        self, state: AlarmState, *, behaviour: str, kind: str, scene: Scene, scores: Scores, explain: Explain
    ) -> tuple[AlarmState, tuple[Event, ...]]:
        """One beat. The same state and scene give the same answer: nothing is remembered elsewhere.

        `behaviour` is the name in the configuration, `kind` what it is an instance of. `explain` is asked when an
        event begins, and with the scene of the peak once the peak is past.
        """
        rising = [subject for subject, score in scores.items() if score >= self.above and subject not in state.open]
        if not (rising or state.open or state.closed):
            return AlarmState(scene.time), ()

        young = [track for track in scene.tracks if track.born > state.time] if self.same_place else []
        closed = [kept for old in state.closed if (kept := self._keep(old, scene, young))]
        after: dict[Subject, Episode] = {}
        events: list[Event] = []

        for key in sorted(state.open):
            episode = state.open[key]
            if self.same_place:
                episode = self._hand_over(episode, scene, state, young, after)
            score = scores.get(episode.current, 0.0)
            high = score >= self.below or self._still_in_place(episode, scene)
            episode = self._measure(episode, score, high, scene, explain)
            if high or scene.time - episode.last_high < self.linger - TINY:
                episode, event = self._report(episode, score, behaviour, kind, scene, explain)
                after[episode.current] = episode
            else:
                event = _ended(episode, scene.time, explain)
                if event or bool(episode.repeats.label):
                    closed = [c for c in closed if c.subject != episode.current and (c.heir,) != episode.current]
                    closed.append(Closed(episode.current, scene.time, episode.place, episode.heir))
            events += event

        for subject in sorted(rising):
            if subject not in after and not self._is_double(subject, after, scene):
                episode = self._rise(subject, scores[subject], closed, scene)
                after[subject], event = self._report(episode, scores[subject], behaviour, kind, scene, explain)
                events += event
        return AlarmState(scene.time, after, tuple(closed)), tuple(events)

    def finish(self, state: AlarmState, *, time: float, explain: Explain) -> tuple[Event, ...]:
        """The recording is over at `time` (media seconds): what is open ends now."""
        return tuple(event for key in sorted(state.open) for event in _ended(state.open[key], time, explain))

    # -------------------------------------------------------------- one episode

    def _rise(self, subject: Subject, score: float, closed: list[Closed], scene: Scene) -> Episode:
        quiet_until, repeats, track = NEVER, NOWHERE, _track(scene, subject)
        for old in closed:
            again = old.subject == subject
            if again or (old.heir,) == subject:
                quiet_until = max(quiet_until, old.ended + self.cooldown)
                if self.same_place and old.place.holds(track, self.same_place) and not (again and old.place.was_left(track, old.ended)):
                    repeats = old.place
        return Episode(
            subject, subject, scene.time, scene.time, score, scene.time, boxes_of(scene, subject), (scene, subject),
            Place.of(scene, subject), quiet_until=quiet_until, repeats=repeats,
        )  # fmt: skip

    def _measure(self, episode: Episode, score: float, high: bool, scene: Scene, explain: Explain) -> Episode:
        track = _track(scene, episode.current)
        changes: dict[str, Any] = {}
        if high:
            changes["last_high"] = scene.time
        if score > episode.peak:
            changes |= {
                "peak": score, "peak_time": scene.time, "boxes": boxes_of(scene, episode.current), "told": (scene, episode.current),
            }  # fmt: skip
        elif not isinstance(episode.told, Reason):
            changes["told"] = episode.reason(explain)  # the peak is behind us: ask once, and let the old scene go
        if track is not None and track.times[-1] != episode.place.last_seen:
            changes["place"] = Place.at(track)
        if episode.repeats.label and track is not None and not episode.repeats.holds(track, self.same_place):
            changes["repeats"] = NOWHERE  # it moved on: from now on only the cooldown keeps it quiet
        return replace(episode, **changes) if changes else episode

    def _report(
        self, episode: Episode, score: float, behaviour: str, kind: str, scene: Scene, explain: Explain
    ) -> tuple[Episode, tuple[Event, ...]]:
        quiet = bool(episode.repeats.label) or scene.time < episode.quiet_until - TINY
        if episode.began or quiet or score < self.below or scene.time - episode.start < self.hold - TINY:
            return episode, ()
        began = Event(
            id=event_id(scene.camera, behaviour, episode.subject, scene.epoch + episode.start),
            camera=scene.camera, behaviour=behaviour, kind=kind, subject=episode.subject, phase="began",
            start=episode.start, time=scene.time, epoch=scene.epoch, peak=episode.peak, peak_time=episode.peak_time,
            reason=explain(scene, episode.current), boxes=episode.boxes, size=scene.size,
        )  # fmt: skip
        return replace(episode, began=began), (began,)

    # -------------------------------------------------------------- the same thing under a new id

    def _keep(self, old: Closed, scene: Scene, young: list[Track]) -> Closed | None:
        """A closed episode that still counts; a track born in its place becomes its heir."""
        heir = old.heir if old.heir in scene.by_id else old.place.born_here(young, self.same_place) if young else NOBODY
        place = old.place
        if heir != NOBODY and place.holds(scene.by_id[heir], self.same_place):
            place = replace(place, last_seen=scene.by_id[heir].last_seen)
        if heir == NOBODY and scene.time - max(old.ended, place.last_seen) >= self.cooldown:
            return None
        return replace(old, place=place, heir=heir)

    def _hand_over(
        self, episode: Episode, scene: Scene, state: AlarmState, young: list[Track], after: Mapping[Subject, Episode]
    ) -> Episode:
        """Out of sight: look for an heir. Gone: the heir carries on."""
        if len(episode.current) != 1:
            return episode
        track = _track(scene, episode.current)
        if track is not None and track.born > state.time and episode.place.holds(track, self.same_place):
            return replace(episode, inherited=episode.place)  # the tracker gave the old id back: its clock starts anew too
        heir = episode.heir if episode.heir in scene.by_id else NOBODY
        if heir == NOBODY and young and (track is None or track.last_seen < scene.time):
            heir = episode.place.born_here([t for t in young if (t.id,) not in state.open and (t.id,) not in after], self.same_place)
        if track is None and heir != NOBODY and (heir,) not in state.open and (heir,) not in after:
            return replace(episode, current=(heir,), heir=NOBODY, inherited=episode.place)
        return episode if heir == episode.heir else replace(episode, heir=heir)

    def _still_in_place(self, episode: Episode, scene: Scene) -> bool:
        """A new id's own clock starts at zero; while it stays where the old one was lost, the event goes on."""
        return bool(episode.inherited.label) and episode.inherited.holds(_track(scene, episode.current), self.same_place)

    def _is_double(self, subject: Subject, open_now: Mapping[Subject, Episode], scene: Scene) -> bool:
        """A second track on a thing whose episode is open and whose first track has not gone yet."""
        track = _track(scene, subject)
        return track is not None and any(e.heir == track.id and e.place.holds(track, self.same_place) for e in open_now.values())


def _track(scene: Scene, subject: Subject) -> Track | None:
    """The live track of a subject of one."""
    return scene.by_id.get(subject[0]) if len(subject) == 1 else None


def _ended(episode: Episode, time: float, explain: Explain) -> tuple[Event, ...]:
    if episode.began is None:
        return ()
    ended = replace(
        episode.began, phase="ended", time=time, peak=episode.peak, peak_time=episode.peak_time,
        reason=episode.reason(explain), boxes=episode.boxes,
    )  # fmt: skip
    return (ended,)
