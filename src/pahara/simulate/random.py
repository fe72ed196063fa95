"""A random scene by seed: known incidents of chosen kinds among innocent passers-by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from . import actions as do
from .acting import Company
from .figure import dress
from .incidents import incidents
from .reading import ScriptError, suggest
from .render import _seed
from .script import KINDS, Actor, Bag, Change, Look, Rule, Script, Spot, Tamper, check, tidied
from .settings import SETTINGS, Setting

Rng = np.random.Generator
TRIES = 120
CASES = ("#23262c", "#2c4a6b", "#33383f", "#4a4440", "#3d4a3a")  # suitcases of unremarkable colours
KEPT = 20  # attempts with the same kinds
# What each kind needs: seconds of the scene, and whether it works where people come towards the camera ("y").
NEEDS: dict[str, tuple[float, bool]] = {
    "intrusion": (16, True), "crossing": (14, True), "loitering": (38, True), "running": (8, False), "wrong_way": (16, False), "crowding": (34, False),
    "falling": (22, True), "abandoned": (44, False), "removed": (34, False), "tailgating": (16, True), "tamper": (14, True), "fight": (22, False),
    "climbing": (20, False),
}  # fmt: skip


@dataclass
class _Draft:
    """A scene in the making. Positions are (s, c): along the traffic and across it, both in metres."""

    setting: Setting
    rng: Rng
    duration: float
    zones: dict[str, tuple[Spot, ...]] = field(default_factory=dict)
    lines: dict[str, tuple[Spot, Spot]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    bags: list[Bag] = field(default_factory=list)
    tampers: list[Tamper] = field(default_factory=list)
    free: list[tuple[int, int]] = field(default_factory=list)  # cells: (strip, column)
    curfew: float = 1e9  # nobody new after this time

    def __post_init__(self) -> None:
        self.free = [(strip, column) for strip in (0, 1) for column in (0, 1)]
        self._ids = 0

    # -- geometry ------------------------------------------------------------

    def at(self, s: float, c: float) -> Spot:
        """(s, c) as shares 0..1 of the floor -> metres."""
        x0, x1, y0, y1 = self.setting.floor
        if self.setting.along == "x":
            return (round(x0 + (x1 - x0) * s, 2), round(y0 + (y1 - y0) * c, 2))
        return (round(x0 + (x1 - x0) * c, 2), round(y0 + (y1 - y0) * s, 2))

    def box(self, s0: float, s1: float, c0: float, c1: float) -> tuple[Spot, ...]:
        return (self.at(s0, c0), self.at(s1, c0), self.at(s1, c1), self.at(s0, c1))

    def door(self, end: int, c: float) -> tuple[Spot, list[Spot]]:
        """Where one comes from at an end (0 or 1) of the traffic, and the points on the way to the floor at `c`."""
        spot = self.at(0.0, c)
        if self.setting.along == "x":
            y = spot[1]
            half = (y + 2.0) * np.tan(np.radians(self.setting.camera.fov / 2)) + 1.6
            return (round(float(-half if end == 0 else half), 2), y), []
        x = spot[0]
        if end == 0:
            return (x, 0.6), []
        side = 1.0 if x > 0 else -1.0
        return (side * 6.5, 16.6), [(x, 15.2)]

    def id(self) -> int:
        self._ids += 1
        return self._ids

    def add(self, at: Spot, does: Sequence[do.Action], enters: float, *, kind: str = "person", look: Look | None = None) -> int:
        id_ = self.id()
        self.actors.append(Actor(id_, at, tuple(does), kind, round(enters, 2), None, look or Look()))  # type: ignore[arg-type]
        return id_

    def cell(self, strips: tuple[int, ...] = (0, 1)) -> tuple[float, float, float, float]:
        """A free part of the floor: s from, s to, c from, c to as shares. The last third across is left to traffic."""
        free = [cell for cell in self.free if cell[0] in strips]
        if not free:
            raise _Full
        strip, column = free[int(self.rng.integers(len(free)))]
        self.free.remove((strip, column))
        c0 = 0.02 + 0.31 * strip
        s0 = 0.04 + 0.48 * column
        return s0, s0 + 0.44, c0, c0 + 0.26

    def way(self, end: int, c: float, s: float) -> tuple[Spot, list[Spot]]:
        """From an end to (s, c): start, points."""
        start, first = self.door(end, c)
        return start, [*first, self.at(s, c)]

    def out(self, end: int, c: float) -> list[Spot]:
        start, first = self.door(end, c)
        return [*first[::-1], start]

    def pace(self) -> float:
        return round(float(self.rng.uniform(1.05, 1.5)), 2)

    def when(self, need: float) -> float:
        """A time to enter such that `need` seconds are left."""
        latest = min(self.duration, self.curfew) - need
        if latest < 0.5:
            raise _Full
        return round(float(self.rng.uniform(0.5, latest)), 1)


class _Full(Exception):
    """No room or time for one more."""


# -- incidents ---------------------------------------------------------------


def _visit(d: _Draft, need: float, acts: list[do.Action], cell: tuple[float, float, float, float], *, look: Look | None = None) -> int:
    """Someone comes to the middle of a cell, acts and goes."""
    s0, s1, c0, c1 = cell
    s, c = float(d.rng.uniform(s0 + 0.35 * (s1 - s0), s1 - 0.35 * (s1 - s0))), (c0 + c1) / 2
    end = 0 if s < 0.5 else 1
    start, points = d.way(end, c, s)
    back = d.out(end, c)
    return d.add(start, [do.Walk(tuple(points), d.pace()), *acts, do.Walk(tuple(back), d.pace())], d.when(need), look=look)


def _intrusion(d: _Draft) -> None:
    cell = d.cell()
    d.zones["restricted"] = d.box(*cell)
    d.rules.append(Rule("intrusion", "restricted"))
    _visit(d, 16, [do.Stand(round(float(d.rng.uniform(3, 7)), 1), style="look")], cell)


def _loitering(d: _Draft) -> None:
    cell = d.cell()
    seconds = float(d.rng.choice([10.0, 12.0, 15.0]))
    d.zones["waiting"] = d.box(*cell)
    d.rules.append(Rule("loitering", "waiting", seconds=seconds))
    stay = round(seconds * float(d.rng.uniform(1.55, 1.8)), 1)
    _visit(d, stay + 12, [do.Loiter(stay, 0.3)], cell)


def _line(d: _Draft) -> str:
    if "gate" not in d.lines:
        s = round(float(d.rng.uniform(0.42, 0.58)), 2)
        low, high = d.at(s, 0.60), d.at(s, 1.12 if d.setting.along == "x" else 1.0)
        # Forward is to the right hand of who walks the line from its start: here along growing s.
        d.lines["gate"] = (low, high) if d.setting.along == "y" else (high, low)
    return "gate"


def _pass(
    d: _Draft, enters: float, *, end: int | None = None, c: float | None = None, speed: float | None = None, look: Look | None = None
) -> int:
    """Someone passes through the traffic strip."""
    end = int(d.rng.integers(2)) if end is None else end
    c = float(d.rng.uniform(0.74, 0.94)) if c is None else c
    start, first = d.door(end, c)
    return d.add(start, [do.Walk((*first, *d.out(1 - end, c)), speed or d.pace())], enters, look=look)


def _crossing(d: _Draft) -> None:
    d.rules.append(Rule("crossing", line=_line(d), direction=str(d.rng.choice(["both", "forward"]))))
    for end in (0, 1) if d.rng.random() < 0.6 else (0,):
        _pass(d, d.when(14), end=end)


def _tailgating(d: _Draft) -> None:
    d.rules.append(Rule("tailgating", line=_line(d), seconds=3.0))
    enters, speed, end, c = d.when(16), d.pace(), int(d.rng.integers(2)), float(d.rng.uniform(0.78, 0.9))
    _pass(d, enters, end=end, c=c, speed=speed)
    _pass(d, enters + float(d.rng.uniform(0.9, 1.5)), end=end, c=c + float(d.rng.uniform(-0.03, 0.03)), speed=speed)


def _running(d: _Draft) -> None:
    d.rules.append(Rule("running"))
    end, c = int(d.rng.integers(2)), float(d.rng.uniform(0.72, 0.94))
    start, first = d.door(end, c)
    d.add(start, [do.Run((*first, *d.out(1 - end, c)), round(float(d.rng.uniform(4.9, 5.8)), 2))], d.when(8))


def _wrong_way(d: _Draft) -> None:
    column_c = (0.02, 0.28) if d.rng.random() < 0.5 else (0.33, 0.59)
    strip = 0 if column_c[0] < 0.3 else 1
    if not all((strip, k) in d.free for k in (0, 1)):
        raise _Full
    d.free = [f for f in d.free if f[0] != strip]
    d.zones["one way"] = d.box(0.02, 0.98, *column_c)
    ahead = int(d.rng.integers(2))
    d.rules.append(Rule("wrong_way", "one way", direction=(1.0, 0.0) if ahead == 0 else (-1.0, 0.0)))
    c = sum(column_c) / 2
    for end in (ahead, 1 - ahead):
        _pass(d, d.when(16), end=end, c=c)


def _crowding(d: _Draft) -> None:
    if not all((0, k) in d.free or (1, k) in d.free for k in (0, 1)):
        raise _Full
    strip = int(d.rng.integers(2))
    if not all((strip, k) in d.free for k in (0, 1)):
        strip = 1 - strip
    if not all((strip, k) in d.free for k in (0, 1)):
        raise _Full
    d.free = [f for f in d.free if f[0] != strip]
    c0 = 0.02 + 0.31 * strip
    d.zones["meeting"] = d.box(0.05, 0.95, c0, c0 + 0.27)
    people = 3
    d.rules.append(Rule("crowding", "meeting", people=people))
    begin = d.when(36)
    stay_until = begin + 12 + float(d.rng.uniform(9, 13))
    for k in range(people + 2):
        s = 0.18 + 0.64 * k / (people + 1)
        c = c0 + 0.135 + float(d.rng.uniform(-0.04, 0.04))
        end = 0 if s < 0.5 else 1
        start, points = d.way(end, c, s)
        middle = d.at(0.5, c0 + 0.13)
        does: list[do.Action] = [
            do.Walk(tuple(points), d.pace()),
            do.Stand(until=round(stay_until + float(d.rng.uniform(0, 2)), 1), facing=middle, style="chat"),
        ]
        d.add(start, [*does, do.Walk(tuple(d.out(end, c)), d.pace())], begin + float(d.rng.uniform(0, 4)))


def _falling(d: _Draft) -> None:
    cell = d.cell()
    d.rules.append(Rule("falling"))
    s0, s1, c0, c1 = cell
    s, c = (s0 + s1) / 2, (c0 + c1) / 2
    end = int(d.rng.integers(2))
    start, points = d.way(end, c, s)
    lie = round(float(d.rng.uniform(8, 11)), 1)
    if d.setting.along == "x":  # so that the body lies across the view
        way = "forward" if d.rng.random() < 0.6 else "backward"
    else:
        way = "left" if points[-1][0] > 0 else "right"
        way = way if end == 1 else {"left": "right", "right": "left"}[way]
    rises = bool(d.rng.random() < 0.6)
    takes = round(float(d.rng.uniform(0.7, 1.1)), 2)
    fall = do.Fall(way, lie if rises else 90.0, rises, takes)  # type: ignore[arg-type]
    acts: list[do.Action] = [do.Walk(tuple(points), d.pace()), do.Stand(0.8), fall]
    if rises:
        acts += [do.Stand(1.5), do.Walk(tuple(d.out(end, c)), 0.9)]
    d.add(start, acts, d.when(12 + lie + 2))


def _abandoned(d: _Draft) -> None:
    cell = d.cell((0,))  # near the camera: bags are small
    seconds = 10.0
    d.rules.append(Rule("abandoned", seconds=seconds))
    s0, s1, c0, c1 = cell
    s, c = (s0 + s1) / 2, c0 + 0.4 * (c1 - c0)
    end = 0 if s < 0.5 else 1
    start, points = d.way(end, c, s)
    owner = d.add(
        start, [do.Walk(tuple(points), d.pace()), do.Stand(1.5), do.PutDown(0), do.Stand(1.0, style="look"), do.Walk(tuple(d.out(end, c)), d.pace())],
        d.when(36),
    )  # fmt: skip
    _give(d, owner, "suitcase")


def _give(d: _Draft, owner: int, kind: str) -> int:
    bag = d.id()
    d.bags.append(Bag(bag, kind, by=owner, colour=str(d.rng.choice(CASES)) if kind == "suitcase" else ""))  # type: ignore[arg-type]

    def named(action: do.Action) -> do.Action:
        return replace(action, bag=bag) if isinstance(action, do.PutDown | do.PickUp) and action.bag == 0 else action

    d.actors = [replace(a, does=tuple(named(x) for x in a.does)) if a.id == owner else a for a in d.actors]
    return bag


def _removed(d: _Draft) -> None:
    cell = d.cell((0,))
    seconds = 12.0
    d.rules.append(Rule("removed", seconds=seconds))
    s0, s1, c0, c1 = cell
    s, c = (s0 + s1) / 2, (c0 + c1) / 2
    bag = d.id()
    d.bags.append(Bag(bag, "suitcase", at=d.at(s, c), colour=str(d.rng.choice(CASES))))
    end = 0 if s < 0.5 else 1
    start, points = d.way(end, c, s + (-0.1 if end == 0 else 0.1))
    latest = min(d.duration, d.curfew) - 16
    if latest < 13.5:
        raise _Full
    d.add(start, [do.Walk(tuple(points), d.pace()), do.PickUp(bag), do.Walk(tuple(d.out(end, c)), 1.5)], float(d.rng.uniform(13.2, latest)))


def _fight(d: _Draft) -> None:
    cell = d.cell()
    s0, s1, c0, c1 = cell
    c, middle = (c0 + c1) / 2, (s0 + s1) / 2
    seconds = round(float(d.rng.uniform(7, 11)), 1)
    begin = d.when(14 + seconds)
    meet = round(begin + 9.5, 1)
    first, second = d._ids + 1, d._ids + 2
    for end, other, s in ((0, second, middle - 0.08), (1, first, middle + 0.08)):
        start, points = d.way(end, c, s)
        d.add(
            start, [do.Walk(tuple(points), 1.5), do.Stand(until=meet, facing=d.at(middle, c), style="chat"), do.Fight(other, seconds), do.Run(tuple(d.out(end, c)), 3.2)],
            begin,
        )  # fmt: skip


def _climbing(d: _Draft) -> None:
    wall = next((w for w in d.setting.place.walls if w.name and w.name == d.setting.fence), None)
    if wall is None:
        raise _Full
    x = round(float(d.rng.uniform(-2.5, 2.5)), 2)
    y = wall.start[1]
    end = int(d.rng.integers(2))
    start, _ = d.door(end, 0.97)
    does: list[do.Action] = [
        do.Walk(((x, y - 1.2),), d.pace()),
        do.Stand(1.5, style="look"),
        do.Climb(wall.name, round(float(d.rng.uniform(5.0, 7.0)), 1)),
        do.Walk(((x * 0.5 + (8 if x > 0 else -8), y + 3.0),), 1.5),
    ]
    d.add(start, does, d.when(20))


def _tamper(d: _Draft) -> None:
    kind = str(d.rng.choice(["covered", "defocused", "moved", "dark"] + (["frozen"] if d.duration >= 50 else [])))
    lasts = 28.0 if kind == "frozen" else 11.0
    begin = round(d.duration - lasts - 0.5, 1)
    d.rules.append(Rule("tamper"))
    d.tampers.append(Tamper(kind, begin, d.duration))  # type: ignore[arg-type]
    d.curfew = begin - 1.5


STAGERS = {
    "tamper": _tamper, "crowding": _crowding, "wrong_way": _wrong_way, "abandoned": _abandoned, "loitering": _loitering, "removed": _removed,
    "falling": _falling, "fight": _fight, "climbing": _climbing, "intrusion": _intrusion, "tailgating": _tailgating, "crossing": _crossing,
    "running": _running,
}  # fmt: skip  # in the order in which they need room
assert set(STAGERS) == set(KINDS) == set(NEEDS)


# -- the innocent -------------------------------------------------------------


def _distract(d: _Draft, kind: str) -> None:
    rng = d.rng
    if kind == "passer":
        _pass(d, d.when(14))
    elif kind == "bag bearer":
        who = _pass(d, d.when(14))
        _give(d, who, str(rng.choice(["backpack", "handbag"])))
    elif kind == "chat":
        cell = d.cell()
        s, c = (cell[0] + cell[1]) / 2, (cell[2] + cell[3]) / 2
        begin = d.when(18)
        until = round(begin + float(rng.uniform(14, 24)), 1)
        for end, off in ((0, -0.06), (1, 0.06)):
            start, points = d.way(end, c, s + off)
            d.add(
                start,
                [
                    do.Walk(tuple(points), d.pace()),
                    do.Stand(until=until, facing=d.at(s, c), style="chat"),
                    do.Walk(tuple(d.out(end, c)), d.pace()),
                ],
                begin,
            )
    elif kind == "shoe":
        end, c = int(rng.integers(2)), float(rng.uniform(0.76, 0.92))
        start, points = d.way(end, c, float(rng.uniform(0.15, 0.3)))
        d.add(
            start,
            [do.Walk(tuple(points), d.pace()), do.Crouch(round(float(rng.uniform(3, 5)), 1)), do.Walk(tuple(d.out(1 - end, c)), d.pace())],
            d.when(22),
        )
    elif kind == "cyclist" and d.setting.along == "x" and not d.setting.place.ceiling:
        end, c = int(rng.integers(2)), float(rng.uniform(0.8, 0.95))
        d.add(d.door(end, c)[0], [do.Drive(tuple(d.out(1 - end, c)), round(float(rng.uniform(1.6, 1.9)), 2))], d.when(12), kind="cyclist")
    elif kind == "trolley":
        end, c = int(rng.integers(2)), float(rng.uniform(0.78, 0.92))
        start, first = d.door(end, c)
        d.add(start, [do.Push((*first, *d.out(1 - end, c)), 1.0)], d.when(18))
    elif kind == "sitter" and d.setting.bench is not None:
        x, y = d.setting.bench
        end = int(rng.integers(2))
        start, _ = d.door(end, 1.0)
        d.add(
            start,
            [
                do.Walk(((x, y - 0.62),), d.pace()),
                do.Stand(0.6, facing=(x, y - 3)),
                do.Sit(round(float(rng.uniform(8, 16)), 1)),
                do.Walk((start,), d.pace()),
            ],
            d.when(24),
        )
    elif kind == "own bag":
        cell = d.cell()
        s, c = (cell[0] + cell[1]) / 2, (cell[2] + cell[3]) / 2
        end = int(rng.integers(2))
        start, points = d.way(end, c, s)
        does: list[do.Action] = [
            do.Walk(tuple(points), d.pace()),
            do.PutDown(0),
            do.Stand(round(float(rng.uniform(3, 6)), 1), style="phone"),
            do.PickUp(0),
            do.Walk(tuple(d.out(end, c)), d.pace()),
        ]
        _give(d, d.add(start, does, d.when(26)), "suitcase")


DISTRACTIONS = ("passer", "passer", "bag bearer", "chat", "shoe", "cyclist", "trolley", "sitter", "own bag")


# -- the whole ------------------------------------------------------------------


def random_script(
    seed: int,
    *,
    kinds: Sequence[str] = KINDS,
    duration: float = 60.0,
    size: tuple[int, int] = (640, 360),
    fps: float = 12.0,
    most: int = 3,
    setting: str = "",
) -> Script:
    """A plausible scene whose incidents are all clear cases of some of the `kinds`, `most` of them at most.

    With `kinds=()` nothing happens but everyday life. `setting` is one of settings.SETTINGS, or any. The same arguments
    give the same script. ScriptError for an unknown kind, or where the kinds cannot be staged in that time and place.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise ScriptError(f"there is no kind of incident named {kind!r}.{suggest(kind, KINDS)}")
    if setting and setting not in SETTINGS:
        raise ScriptError(f"there is no setting named {setting!r}.{suggest(setting, tuple(SETTINGS))}")
    problem = ""
    for attempt in range(TRIES):
        try:
            script = _draft(seed, attempt, kinds, duration, size, fps, most, setting)
        except _Full:
            problem = "they do not fit into its time and room"
            continue
        try:
            people = {a.id: dress(a.look, _seed(script.seed, a.id)).height for a in script.actors if a.kind != "car"}
            told = incidents(script, Company(check(script), people))
        except ScriptError as error:
            problem = str(error)
            continue
        wanted = {rule.kind for rule in script.rules} | ({"fight"} if any(_does(a, do.Fight) for a in script.actors) else set())
        wanted |= {"climbing"} if any(_does(a, do.Climb) for a in script.actors) else set()
        if {i.kind for i in told if i.sure} >= wanted and all(i.sure for i in told) and (wanted or not kinds):
            return script
        problem = "an incident would not be clear enough"
    raise ScriptError(
        f"no scene of {duration:g} s with {', '.join(kinds)} could be staged with seed {seed}: {problem}; allow more seconds or other kinds"
    )


def _does(actor: Actor, kind: type[do.Action]) -> bool:
    return any(isinstance(a, kind) for a in actor.does)


def _draft(
    seed: int, attempt: int, kinds: Sequence[str], duration: float, size: tuple[int, int], fps: float, most: int, setting: str
) -> Script:
    rng = np.random.default_rng([seed, attempt, 2025])
    possible = [k for k in STAGERS if k in kinds and NEEDS[k][0] <= duration]
    if kinds and not possible:
        raise _Full
    # The kinds are drawn apart from the rest and kept for some attempts: else the ones that are easy to stage would crowd out the others.
    lot = np.random.default_rng([seed, attempt // KEPT, 41])
    count = int(lot.integers(1, min(most, len(possible)) + 1)) if possible else 0
    chosen = [str(k) for k in lot.permutation(possible)[:count]]
    names = [setting] if setting else list(SETTINGS)
    if not setting:
        if "climbing" in chosen:
            names = ["yard"]
        elif any(not NEEDS[k][1] for k in chosen):
            names = [n for n in names if n not in ("corridor", "alley")]
    name = str(rng.choice(names))
    made = SETTINGS[name](rng)
    if made.light.kind == "night_ir" and {"abandoned", "removed"} & set(chosen):
        raise _Full  # nobody, and no small detector, tells a bag from a stone in infrared
    draft = _Draft(made, rng, duration)
    for kind in STAGERS:  # in a fixed order, so that the greedy ones get room
        if kind in chosen:
            STAGERS[kind](draft)
    for kind in rng.choice(DISTRACTIONS, size=int(rng.integers(1, 5))).tolist():
        try:
            _distract(draft, str(kind))
        except _Full:
            continue
    script = Script(
        name=f"{name.replace('_', '-')}-{seed}", size=size, fps=fps, duration=duration, seed=int(np.random.default_rng([seed, attempt]).integers(1 << 30)),
        camera=made.camera, place=made.place, light=replace(made.light, changes=_changes(made, rng, duration)), rain=made.rain, sensor=made.sensor,
        zones=draft.zones, lines=draft.lines, rules=tuple(draft.rules), actors=tuple(draft.actors), bags=tuple(draft.bags), tampers=tuple(draft.tampers),
        epoch=_epoch(made, rng),
    )  # fmt: skip
    tidy: Script = tidied(script)
    return tidy


def _epoch(made: Setting, rng: Rng) -> str:
    hour = {"day": 9, "overcast": 11, "dusk": 18, "night_ir": 23, "night_lamp": 21, "indoor": 14}[made.light.kind] + int(rng.integers(0, 1))
    return f"2025-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 29)):02d}T{hour:02d}:{int(rng.integers(60)):02d}:00Z"


def _changes(made: Setting, rng: Rng, duration: float) -> tuple[Change, ...]:
    kind, told = made.light.kind, []
    if kind == "day" and rng.random() < 0.35:
        at = float(rng.uniform(3, duration * 0.6))
        told = [("cloud", at, float(rng.uniform(0.15, 0.5)), 4.0), ("cloud", at + float(rng.uniform(8, 20)), 1.0, 5.0)]
    elif kind in ("indoor", "night_lamp") and made.light.lamps and rng.random() < 0.25:
        told = [("flicker", float(rng.uniform(3, duration * 0.7)), float(rng.uniform(0.5, 0.8)), float(rng.uniform(2, 6)))]
    lamp = made.light.lamps[0].name if made.light.lamps else ""
    return tuple(
        Change(
            round(at, 1),
            "flicker" if what == "flicker" else "cloud",
            round(amount, 2),
            round(seconds, 1),
            lamp if what == "flicker" else "",
        )
        for what, at, amount, seconds in told
    )


__all__ = ["DISTRACTIONS", "KINDS", "random_script"]
