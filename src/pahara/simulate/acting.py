"""Scripts -> performances: where every actor and bag is at any time, and in what pose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import actions, motion
from .reading import ScriptError
from .script import Actor, Script, Wall
from .skeleton import POSE, POSE_SIZE, Skeleton, stand_up

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Moves:
    """n moments of one actor."""

    roots: Floats  # (n, 3) metres
    headings: Floats  # (n,) radians to the left of y
    poses: Floats  # (n, 28) as in skeleton.POSE
    grounded: NDArray[np.bool_]  # (n,)
    speeds: Floats  # (n,) metres per second along the ground
    wheels: Floats  # (n,) metres rolled, for wheels and legs


@dataclass(frozen=True, eq=False)
class Segment:
    """One action in time."""

    verb: str
    begin: float
    end: float
    blend: float  # seconds in which the pose before it fades out
    sample: Callable[[Floats], Moves]  # seconds since `begin` -> moves
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """Where a bag is during a stretch of time: with an actor, or on the ground."""

    begin: float
    end: float
    by: int | None
    at: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    hand: str = "r"  # r, l or back


class Way:
    """A smooth path through points, measured in metres from its start."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        corners = np.array(points, np.float64)
        keep = np.concatenate([[True], np.hypot(*np.diff(corners, axis=0).T) > 1e-6])
        corners = corners[keep]
        for _ in range(3 if len(corners) > 2 else 0):  # Chaikin: cut the corners, keep the ends
            inner = np.empty((2 * (len(corners) - 1), 2))
            inner[0::2], inner[1::2] = corners[:-1] * 0.78 + corners[1:] * 0.22, corners[:-1] * 0.22 + corners[1:] * 0.78
            corners = np.concatenate([corners[:1], inner[1:-1] if len(inner) > 2 else inner, corners[-1:]])
        steps = np.hypot(*np.diff(corners, axis=0).T) if len(corners) > 1 else np.zeros(0)
        self.corners = corners
        self.marks = np.concatenate([[0.0], np.cumsum(steps)])
        self.length = float(self.marks[-1])

    def at(self, metres: Floats) -> Floats:
        """(n,) -> (n, 2)."""
        return np.stack([np.interp(metres, self.marks, self.corners[:, k]) for k in (0, 1)], -1)

    def heading(self, metres: Floats) -> Floats:
        """(n,) -> (n,) radians, looking a little ahead and behind so that nobody turns on the spot."""
        if self.length < 1e-6:
            return np.zeros(len(metres))
        span = min(0.35, self.length / 2)
        ahead, behind = self.at(np.clip(metres + span, 0, self.length)), self.at(np.clip(metres - span, 0, self.length))
        d = ahead - behind
        result: Floats = np.arctan2(-d[:, 0], d[:, 1])
        return result


def shortest(angle: float) -> float:
    """An angle in -pi..pi."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def toward(here: tuple[float, float] | Floats, there: tuple[float, float] | Floats) -> float:
    """The heading from one point to another, radians to the left of y."""
    return float(np.arctan2(-(there[0] - here[0]), there[1] - here[1]))


@dataclass
class _State:
    """What is known when the next action begins."""

    time: float
    spot: Floats  # (2,)
    heading: float
    moving: bool = False
    wheels: float = 0.0


@dataclass
class _Known:
    """What one performance must know of the others."""

    put: dict[int, list[tuple[float, tuple[float, float]]]] = field(default_factory=dict)  # by bag: when it was put where
    homes: dict[tuple[int, int], Floats] = field(default_factory=dict)  # (actor, n-th fight) -> where it began


class _NotYet(Exception):
    """A bag that someone else must put down first."""


class Performance:
    """One actor, compiled. `height` is in metres, `seed` makes its idle motions its own."""

    def __init__(self, actor: Actor, script: Script, height: float, seed: int, known: _Known | None = None) -> None:
        """`known` tells what other actors do that matters to this one; see `Company`."""
        self.actor, self.height, self.seed = actor, height, seed
        self._script, self._known = script, known or _Known()
        self._drift = float(seed % 97)  # so that no two people sway together
        self._fights = 0
        self.segments: list[Segment] = []
        self.holds: list[tuple[float, int, str, tuple[float, float], float]] = []  # (time, bag, "down"|"up", spot, turn)
        self._compile()
        self.begin = actor.enters
        self.end = self.segments[-1].end if self.segments else actor.enters

    # -- compiling -------------------------------------------------------

    def _compile(self) -> None:
        actor = self.actor
        spot = np.array(actor.at, np.float64)
        if actor.facing is not None:
            heading = float(np.radians(actor.facing))
        else:
            target = next((p for a in actor.does for p in getattr(a, "along", ())[:1]), None)
            heading = toward(spot, target) if target is not None and tuple(target) != tuple(actor.at) else np.pi
        state = _State(actor.enters, spot, heading)
        for n, action in enumerate(actor.does):
            after = actor.does[n + 1] if n + 1 < len(actor.does) else None
            self._add(state, action, after, first=n == 0)

    def _add(self, state: _State, action: actions.Action, after: actions.Action | None, *, first: bool) -> None:
        match action:
            case actions.Walk() | actions.Run() | actions.Push() | actions.Drive():
                self._travel(state, action, list(action.along), goes_on=_travels(after) or after is None, first=first)
            case actions.Stand():
                seconds = action.seconds if action.until is None else action.until - state.time
                if seconds <= 0:
                    if action.until is None:
                        raise ScriptError(f"actor {self.actor.id}: stands for {seconds:g} s")
                    return
                goal = state.heading if action.facing is None else toward(state.spot, action.facing)
                self._still(state, action.verb, seconds, lambda t: motion.standing(t + self._drift, self.seed, action.style), goal=goal)
            case actions.Loiter():
                self._loiter(state, action)
            case actions.Crouch():
                self._still(state, "crouch", action.seconds, lambda t: motion.crouching(t + self._drift, self.seed), blend=0.7)
                self._still(state, "stand", 0.8, lambda t: motion.standing(t + self._drift, self.seed), blend=0.7)
            case actions.Sit():
                seat = action.seat / self.height
                self._still(
                    state, "sit", action.seconds, lambda t: motion.sitting(t + self._drift, self.seed, seat), blend=1.0, grounded=False
                )
                self._still(state, "stand", 1.0, lambda t: motion.standing(t + self._drift, self.seed), blend=0.9)
            case actions.Fall():
                total = action.takes + action.lie + (motion.RISING if action.rise else 0.0)
                self._still(
                    state, "fall", total, lambda t: motion.falling(t, action.way, action.takes, action.lie, action.rise, self.seed), blend=0.25,
                    grounded=False, detail={"down": action.takes, "lie": action.lie, "rise": action.rise, "way": action.way},
                )  # fmt: skip
            case actions.PutDown() | actions.PickUp():
                self._handle(state, action)
            case actions.Climb():
                self._climb(state, action)
            case actions.Fight():
                self._fight(state, action)
            case _:
                raise ScriptError(f"nobody knows how to {action.verb}")

    def _keep(self, state: _State, segment: Segment) -> None:
        self.segments.append(segment)
        last = segment.sample(np.array([segment.end - segment.begin]))
        state.time, state.spot, state.heading = segment.end, last.roots[0, :2].copy(), float(last.headings[0])
        state.wheels = float(last.wheels[0])

    def _still(
        self, state: _State, verb: str, seconds: float, poses: Callable[[Floats], Floats], *, goal: float | None = None, blend: float = 0.45,
        grounded: bool = True, detail: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        spot, heading, wheels = state.spot.copy(), state.heading, state.wheels
        swing = shortest((heading if goal is None else goal) - heading)
        takes = 0.25 + 0.45 * abs(swing)

        def sample(t: Floats) -> Moves:
            n = len(t)
            u = np.clip(t / takes, 0, 1)
            return Moves(
                np.tile([*spot, 0.0], (n, 1)), heading + swing * u * u * (3 - 2 * u), poses(t),
                np.full(n, grounded), np.zeros(n), np.full(n, wheels),
            )  # fmt: skip

        self._keep(state, Segment(verb, state.time, state.time + seconds, blend, sample, detail or {}))
        state.moving = False

    def _travel(self, state: _State, action: Any, along: list[tuple[float, float]], *, goes_on: bool, first: bool) -> None:
        way = Way([tuple(state.spot), *along])
        if way.length < 0.02:
            return
        verb, speed = action.verb, float(action.speed)
        old = state.heading
        new = float(way.heading(np.zeros(1))[0])
        swing = shortest(new - old)
        wheeled = self.actor.kind in ("car", "cyclist")
        full_start = state.moving or first
        slow = {"run": 0.9, "drive": 1.6}.get(verb, 0.5)
        a_in, a_out = 0.0 if full_start else slow, 0.0 if goes_on else slow
        pause = 0.0 if full_start or wheeled else max(0.0, abs(swing) - 1.2) * 0.35  # turn first, then go
        ramp = (a_in + a_out) / 2 * speed
        if ramp > way.length * 0.9:
            a_in, a_out = a_in * way.length * 0.9 / ramp, a_out * way.length * 0.9 / ramp
            ramp = way.length * 0.9
        total = pause + (way.length + ramp) / speed
        takes = 0.05 if first or wheeled else 0.25 + 0.30 * abs(swing)
        cycle = motion.stride(speed, self.height, verb == "run")
        bend = float(getattr(action, "bend", 0.0))
        wheels = state.wheels

        def sample(t: Floats) -> Moves:
            n = len(t)
            on = np.clip(t - pause, 0, None)
            rest = np.clip(total - t, 0, None)
            gone = speed * on - speed * (a_in / 2 if a_in else 0)
            if a_in:
                gone = np.where(on < a_in, speed * on**2 / (2 * a_in), gone)
            if a_out:
                gone = np.where(rest < a_out, way.length - speed * rest**2 / (2 * a_out), gone)
            gone = np.clip(gone, 0, way.length)
            now = speed * np.clip(np.minimum(on / a_in if a_in else 1.0, rest / a_out if a_out else 1.0), 0, 1) * (t >= pause)
            u = np.clip(t / takes, 0, 1)
            late = 1 - u * u * (3 - 2 * u)
            headings = way.heading(gone) - swing * late
            roots = np.concatenate([way.at(gone), np.zeros((n, 1))], 1)
            phase = (wheels + gone) / cycle
            vigour = np.clip(now / (0.6 * speed), 0, 1)
            poses = motion.gait(phase, cycle / self.height, speed, running=verb == "run", vigour=vigour, bend=bend)
            if verb == "push":
                for s in ("l", "r"):
                    poses[:, POSE[f"{s}_swing"]], poses[:, POSE[f"{s}_elbow"]] = 0.55, 0.85
                    poses[:, POSE[f"{s}_turn"]] = 0.0
                poses[:, POSE["pitch"]] += 0.06
            if self.actor.kind == "cyclist":
                poses = motion.riding((wheels + gone) / 4.2, 0.90 / self.height)
            return Moves(roots, headings, poses, np.full(n, self.actor.kind == "person" and verb != "run"), now, wheels + gone)

        self._keep(state, Segment(verb, state.time, state.time + total, 0.0 if first else 0.35, sample, {"speed": speed}))
        state.moving = goes_on

    def _loiter(self, state: _State, action: actions.Loiter) -> None:
        rng = np.random.default_rng([self.seed, round(state.time * 100)])
        home, until = state.spot.copy(), state.time + action.seconds
        styles = ["idle", "look", "phone", "look"]
        while state.time < until - 0.3:
            left = until - state.time
            if left > 4 and rng.random() < 0.45 and action.around > 0:
                angle, far = rng.uniform(0, 2 * np.pi), action.around * np.sqrt(rng.uniform(0.1, 1))
                goal = home + far * np.array([np.cos(angle), np.sin(angle)])
                begin = len(self.segments)
                self._travel(state, actions.Walk((tuple(goal),), 0.7), [tuple(goal)], goes_on=False, first=False)
                self.segments[begin:] = [_renamed(s, "loiter") for s in self.segments[begin:]]
            else:
                seconds = min(float(rng.uniform(2, 6)), left)
                if left - seconds < 1.5:
                    seconds = left
                style = str(rng.choice(styles))
                goal_heading = state.heading + float(rng.normal(0, 0.8))
                self._still(state, "loiter", seconds, self._standing(style), goal=goal_heading)

    def _standing(self, style: str) -> Callable[[Floats], Floats]:
        return lambda t: motion.standing(t + self._drift, self.seed, style)

    def _handle(self, state: _State, action: actions.PutDown | actions.PickUp) -> None:
        takes = 1.7
        if isinstance(action, actions.PickUp):
            there = self._script_bag_spot(action.bag, state.time)
            gap = np.array(there) - state.spot
            far = float(np.hypot(*gap))
            if far > 0.55:
                stop = np.array(there) - gap / far * 0.42
                self._travel(state, actions.Walk((tuple(stop),), 1.2), [tuple(stop)], goes_on=False, first=False)
            self._still(state, "pick_up", takes, lambda t: motion.bending(t, takes), goal=toward(state.spot, there) + 0.35)
            self.holds.append((state.time - takes / 2, action.bag, "up", there, 0.0))
        else:
            heading = state.heading
            right = np.array([np.cos(heading), np.sin(heading)])
            forward = np.array([-np.sin(heading), np.cos(heading)])
            spot = state.spot + right * 0.26 * self.height / 1.7 + forward * 0.30 * self.height / 1.7
            self._still(state, "put_down", takes, lambda t: motion.bending(t, takes))
            self.holds.append(
                (state.time - takes / 2, action.bag, "down", (float(spot[0]), float(spot[1])), heading + np.pi / 2)
            )  # as it hung

    def _script_bag_spot(self, bag: int, time: float) -> tuple[float, float]:
        """Where the bag stands at `time`: where this actor put it last, else where the script or another actor put it."""
        mine = [spot for at, b, what, spot, _ in self.holds if b == bag and what == "down" and at <= time]
        if mine:
            return mine[-1]
        told = next(b for b in self._script.bags if b.id == bag)
        if told.at is not None:
            return told.at
        others = [spot for at, spot in self._known.put.get(bag, []) if at <= time]
        if others:
            return others[-1]
        raise _NotYet(self.actor.id, bag)

    def _climb(self, state: _State, action: actions.Climb) -> None:
        wall: Wall = next(w for w in self._script.place.walls if w.name == action.wall)
        start, end = np.array(wall.start), np.array(wall.end)
        along = (end - start) / np.hypot(*(end - start))
        foot = start + along * np.clip((state.spot - start) @ along, 0.3, np.hypot(*(end - start)) - 0.3)
        across = foot - state.spot
        if np.hypot(*across) < 1e-3:
            raise ScriptError(f"actor {self.actor.id} stands in the wall {action.wall!r} that it should climb")
        across = across / np.hypot(*across)
        near = foot - across * 0.42
        if np.hypot(*(near - state.spot)) > 0.1:
            self._travel(state, actions.Walk((tuple(near),), 1.2), [tuple(near)], goes_on=False, first=not self.segments)
        heading = toward(near, foot)
        goal = near + across * 0.84
        begin_heading = state.heading
        swing = shortest(heading - begin_heading)
        wheels, middle = state.wheels, (near + goal) / 2

        def sample(t: Floats) -> Moves:
            n = len(t)
            poses, rise, side = motion.climbing(t, action.takes, wall.high / self.height)
            u = np.clip(t / 0.4, 0, 1)
            spots = middle + across * 0.42 * side[:, None]
            roots = np.concatenate([spots, (rise * self.height)[:, None]], 1)
            return Moves(roots, begin_heading + swing * u, poses, np.zeros(n, bool), np.zeros(n), np.full(n, wheels))

        self._keep(state, Segment("climb", state.time, state.time + action.takes, 0.3, sample, {"wall": action.wall}))
        state.moving = False

    def _fight(self, state: _State, action: actions.Fight) -> None:
        home, old, wheels = state.spot.copy(), state.heading, state.wheels
        begin, seconds = state.time, action.seconds
        pair = (min(self.actor.id, action.with_), max(self.actor.id, action.with_))
        who = int(self.actor.id != pair[0])
        seed = int(np.random.default_rng([self._script.seed, *pair]).integers(1 << 30))
        count = self._fights
        self._fights += 1
        partner = self._known.homes.get((action.with_, count))

        def sample(t: Floats) -> Moves:
            n = len(t)
            other = partner if partner is not None else home + np.array([0.0, 1.0])
            middle = (home + other) / 2
            apart = (home - other) / max(float(np.hypot(*(home - other))), 1e-6)
            close = np.clip(np.minimum(t / 0.7, (seconds - t) / 0.7), 0, 1)
            close = close * close * (3 - 2 * close)
            spin = 0.55 * motion.wander(t, seed, 3.0) * close
            drift = np.stack([motion.wander(t, seed + 5, 3.5), motion.wander(t, seed + 6, 3.5)], -1) * 0.35 * close[:, None]
            out = np.stack([apart[0] * np.cos(spin) - apart[1] * np.sin(spin), apart[0] * np.sin(spin) + apart[1] * np.cos(spin)], -1)
            poses, lunge = motion.fighting(t, seed, who, seconds)
            gap = np.clip(0.40 - lunge, 0.20, 0.8)
            spots = (1 - close)[:, None] * home + close[:, None] * (middle + drift + out * gap[:, None])
            facing = np.arctan2(out[:, 0], -out[:, 1])
            turned = np.array([shortest(a) for a in facing - old]) * np.clip(t / 0.4, 0, 1)
            speeds = np.zeros(n)
            return Moves(np.concatenate([spots, np.zeros((n, 1))], 1), old + turned, poses, np.ones(n, bool), speeds, np.full(n, wheels))

        self._keep(state, Segment("fight", begin, begin + seconds, 0.35, sample, {"with": action.with_, "home": home}))
        state.moving = False

    # -- playing ---------------------------------------------------------

    def sample(self, times: Floats) -> Moves:
        """Moments at `times` seconds of the scene; outside of begin..end the nearest moment."""
        n = len(times)
        out = Moves(np.zeros((n, 3)), np.zeros(n), np.zeros((n, POSE_SIZE)), np.ones(n, bool), np.zeros(n), np.zeros(n))
        if not self.segments:
            out.roots[:, :2] = self.actor.at
            out.poses[:] = motion.pose()
            out.headings[:] = np.radians(self.actor.facing or 180.0)
            return out
        begins = np.array([s.begin for s in self.segments])
        which = np.clip(np.searchsorted(begins, times + 1e-9, side="right") - 1, 0, len(begins) - 1)
        for i in np.unique(which):
            rows = which == i
            segment = self.segments[i]
            t = np.clip(times[rows], segment.begin, segment.end) - segment.begin
            got = segment.sample(t)
            poses = got.poses
            if i and segment.blend > 0:
                u = np.clip(t / segment.blend, 0, 1)
                if (u < 1).any():
                    last = self.segments[i - 1]
                    old = last.sample(np.array([last.end - last.begin])).poses
                    u = u * u * (3 - 2 * u)
                    poses = old * (1 - u)[:, None] + poses * u[:, None]
            out.roots[rows], out.headings[rows], out.poses[rows] = got.roots, got.headings, poses
            out.grounded[rows], out.speeds[rows], out.wheels[rows] = got.grounded, got.speeds, got.wheels
        return out

    def verb_at(self, time: float) -> str:
        """What the actor is doing at a time; "" when it is not there."""
        return next((s.verb for s in reversed(self.segments) if s.begin - 1e-9 <= time <= s.end + 1e-9), "")

    def skeletons(self, times: Floats, moves: Moves | None = None, *, carry: Floats | None = None) -> Skeleton:
        """Bodies at `times`; `carry` (n,) 0..1 holds the right arm still, as with a bag in the hand."""
        moves = self.sample(times) if moves is None else moves
        poses = moves.poses
        if carry is not None and carry.any():
            poses = poses.copy()
            bent = poses[:, POSE["spine_pitch"]] > 0.5
            still = carry * ~bent
            for name, value in (("r_swing", 0.03), ("r_out", 0.14), ("r_elbow", 0.08)):
                poses[:, POSE[name]] = poses[:, POSE[name]] * (1 - 0.8 * still) + value * 0.8 * still
        n = len(times)
        return stand_up(poses, np.full(n, self.height), moves.roots, moves.headings, moves.grounded)


def _renamed(segment: Segment, verb: str) -> Segment:
    return Segment(verb, segment.begin, segment.end, segment.blend, segment.sample, segment.detail)


def _travels(action: actions.Action | None) -> bool:
    return isinstance(action, actions.Walk | actions.Run | actions.Push | actions.Drive)


class Company:
    """All actors and bags of a script, compiled. ScriptError when the actions do not fit together."""

    def __init__(self, script: Script, heights: Mapping[int, float]) -> None:
        """`heights` are metres by actor id."""
        self.script = script
        self.performances = self._compile(script, heights, _Known())
        fights = [(p, s) for p in self.performances.values() for s in p.segments if s.verb == "fight"]
        if fights:  # once more, now that everybody knows where the opponent stands
            homes = {
                (p.actor.id, n): s.detail["home"]
                for p in self.performances.values()
                for n, s in enumerate(s for s in p.segments if s.verb == "fight")
            }
            self.performances = self._compile(script, heights, _Known(homes=homes))
            self._check_fights()
        self.bags = {bag.id: self._journey(bag.id) for bag in script.bags}

    @staticmethod
    def _compile(script: Script, heights: Mapping[int, float], known: _Known) -> dict[int, Performance]:
        made: dict[int, Performance] = {}
        waiting = list(script.actors)
        while waiting:
            later = []
            for actor in waiting:
                seed = int(np.random.default_rng([script.seed, actor.id, 77]).integers(1 << 30))
                try:
                    made[actor.id] = performance = Performance(actor, script, heights.get(actor.id, 1.7), seed, known)
                except _NotYet as missing:
                    later.append((actor, missing))
                    continue
                for at, bag, what, spot, _ in performance.holds:
                    if what == "down":
                        known.put.setdefault(bag, []).append((at, spot))
            if len(later) == len(waiting):
                who, bag = later[0][1].args
                raise ScriptError(f"{script.name}: actor {who} picks up bag {bag}, which nobody has put down before")
            waiting = [actor for actor, _ in later]
        return {actor.id: made[actor.id] for actor in script.actors}

    def _check_fights(self) -> None:
        for performance in self.performances.values():
            for mine in (s for s in performance.segments if s.verb == "fight"):
                other = self.performances[mine.detail["with"]]
                both = [
                    s for s in other.segments
                    if s.verb == "fight" and s.detail["with"] == performance.actor.id and min(s.end, mine.end) - max(s.begin, mine.begin) > 0.5
                ]  # fmt: skip
                if not both:
                    raise ScriptError(
                        f"{self.script.name}: actor {performance.actor.id} fights with {other.actor.id} from {mine.begin:.1f} s, "
                        f"but {other.actor.id} does not fight back then; give {other.actor.id} a 'fight' too ('stand: {{until: ...}}' helps to meet)"
                    )
                far = float(np.hypot(*(both[0].detail["home"] - mine.detail["home"])))
                if far > 3.0:
                    raise ScriptError(
                        f"{self.script.name}: actors {performance.actor.id} and {other.actor.id} stand {far:.1f} m apart when they fight; "
                        "let them meet within 3 m"
                    )

    def _journey(self, bag_id: int) -> list[Held]:
        bag = next(b for b in self.script.bags if b.id == bag_id)
        events = sorted(
            (at, who, what, spot, turn) for who, p in self.performances.items() for at, b, what, spot, turn in p.holds if b == bag_id
        )
        now = Held(0.0, np.inf, bag.by, bag.at or (0.0, 0.0), 0.3, "back" if bag.kind == "backpack" else "r")
        told = []
        for at, who, what, spot, heading in events:
            if what == "down" and now.by != who:
                raise ScriptError(f"{self.script.name}: actor {who} puts down bag {bag_id} at {at:.1f} s without having it")
            if what == "up" and now.by is not None:
                raise ScriptError(f"{self.script.name}: actor {who} picks up bag {bag_id} at {at:.1f} s, but {now.by} has it")
            told.append(Held(now.begin, at, now.by, now.at, now.turn, now.hand))
            now = Held(at, np.inf, who if what == "up" else None, spot, heading, "r")
        return [*told, now]

    def held(self, bag: int, time: float) -> Held | None:
        """How the bag is at a time; None while its bearer is not there."""
        for stretch in self.bags[bag]:
            if stretch.begin <= time < stretch.end:
                if stretch.by is None:
                    return stretch
                bearer = self.performances[stretch.by]
                return stretch if bearer.begin <= time <= bearer.end else None
        return None

    def carrying(self, actor: int, times: Floats) -> Floats:
        """(n,) 1 where the actor has a bag in the hand."""
        out = np.zeros(len(times))
        for stretches in self.bags.values():
            for s in stretches:
                if s.by == actor and s.hand != "back":
                    out[(times >= s.begin) & (times < s.end)] = 1.0
        return out
