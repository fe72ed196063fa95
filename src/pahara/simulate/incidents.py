"""What really happens in a script, judged by its rules on the true boxes: the incidents of the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import boxes as box_math

from . import props
from .acting import Company
from .camera import View
from .mesh import Mesh
from .places import line_values, way_in_picture, zone_values
from .script import Rule, Script, Thing
from .skeleton import FLESH, J, Skeleton
from .truth import Box, Incident

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

BEAT = 0.1  # seconds between two looks, as the product's own
SMALLEST = 40.0  # pixels: who is less tall is not expected to be found
HALF_HIDDEN = 0.5  # share of the box that one who stands nearer may cover
DEFAULTS: dict[str, dict[str, float]] = {  # what the product uses where the rule says nothing
    "intrusion": {"seconds": 0.5}, "loitering": {"seconds": 30.0}, "running": {"speed": 1.5}, "wrong_way": {"seconds": 2.0, "speed": 0.3},
    "crowding": {"people": 10}, "falling": {"seconds": 2.0}, "abandoned": {"seconds": 30.0}, "removed": {"seconds": 20.0},
    "tailgating": {"seconds": 3.0}, "tamper": {"seconds": 3.0}, "crossing": {},
}  # fmt: skip
RADIUS = 1.5  # body heights: a bag farther from its owner is alone
GONE = 5.0  # seconds a thing must be missing
FROZEN = 20.0  # seconds a picture must stand still
STILL_OUT = 2.0  # seconds outside that do not break a stay
CLEAR = 0.3  # body heights beyond a line that leave no doubt
SHOWN = 1.0  # seconds that a crossing is told


@dataclass(frozen=True, eq=False)
class Trail:
    """One person at every beat of the scene."""

    id: int
    times: Floats  # (t,) seconds
    boxes: Floats  # (t, 4) pixels, cut to the picture
    here: Flags  # (t,) enough of the body is in the picture
    clear: Flags  # (t,) feet and trunk are in the picture and nothing of the place stands before them
    hidden: Flags  # (t,) someone who stands nearer covers more than half of the box
    tall: Floats  # (t,) pixels of the whole body upright at that place

    @property
    def feet(self) -> Floats:
        return box_math.foot_points(self.boxes)

    @property
    def heights(self) -> Floats:
        return np.maximum(box_math.heights(self.boxes), 1.0)


@dataclass(frozen=True, eq=False)
class Observed:
    """The whole scene at every beat, without drawing it."""

    script: Script
    company: Company
    times: Floats
    trails: dict[int, Trail]
    bag_feet: dict[int, Callable[[float], Floats | None]] = field(default_factory=dict)


def body_boxes(view: View, bodies: Skeleton, heights: Floats) -> tuple[Floats, Floats]:
    """(n,) bodies -> (n, 4) uncut boxes in pixels from the joints and the flesh around them, and (n,) depth in metres."""
    pixels, depth = view.project(bodies.joints)
    flesh = FLESH * heights[:, None] * view.focal / np.maximum(depth, 0.3)
    low, high = (pixels - flesh[..., None]).min(1), (pixels + flesh[..., None]).max(1)
    return np.concatenate([low, high], 1), depth.min(1)


def observe(script: Script, company: Company) -> Observed:
    """Every person at every beat."""
    view = script.view
    times = np.arange(0, script.duration - 1e-6, BEAT)
    blocks = _blocks(script)
    trails, far = {}, {}
    for id_, performance in company.performances.items():
        if performance.actor.kind == "car":
            continue
        rows = np.flatnonzero((times >= performance.begin) & (times <= performance.end))
        boxes, here, clear, tall = np.zeros((len(times), 4)), np.zeros(len(times), bool), np.zeros(len(times), bool), np.zeros(len(times))
        if len(rows):
            bodies = performance.skeletons(times[rows])
            whole, depth = body_boxes(view, bodies, np.full(len(rows), performance.height))
            cut = box_math.clip(whole, script.size)
            share = box_math.area(cut) / np.maximum(box_math.area(whole), 1e-6)
            here[rows] = (depth > 0.3) & (share > 0.35)
            boxes[rows] = np.where(here[rows][:, None], cut, 0.0)
            joints = bodies.joints
            probes = np.stack([joints[:, J["l_ankle"]], joints[:, J["r_ankle"]], joints[:, J["pelvis"]], joints[:, J["neck"]]], 1)
            clear[rows] = here[rows] & (share > 0.97) & ~_behind(view, probes, blocks)
            away = np.linalg.norm(joints[:, J["pelvis"]] - view.position, axis=1)
            tall[rows] = view.focal * performance.height / np.maximum(away, 0.3)
        trails[id_] = Trail(id_, times, boxes, here, clear, np.zeros(len(times), bool), tall)
        far[id_] = np.full(len(times), np.inf)
        if len(rows):
            far[id_][rows] = away
    for trail in trails.values():
        for other in trails.values():
            before = trail.here & other.here & (far[other.id] < far[trail.id])
            if before.any():
                own, its = trail.boxes[before], other.boxes[before]
                sides = np.clip(np.minimum(own[:, 2:], its[:, 2:]) - np.maximum(own[:, :2], its[:, :2]), 0.0, None)
                hidden = sides.prod(1) > HALF_HIDDEN * box_math.area(own)
                trail.hidden[np.flatnonzero(before)[hidden]] = True
    return Observed(script, company, times, trails)


def _blocks(script: Script) -> list[tuple[Floats, float, float]]:
    """What can stand before someone: outline on the ground (n, 2), from and to which height."""
    told: list[tuple[Floats, float, float]] = []
    told += [(np.array([w.start, w.end]), w.base, w.base + w.high) for w in script.place.walls if w.kind != "fence"]
    return told + [_footprint(thing) for thing in script.place.things]


def _footprint(thing: Thing) -> tuple[Floats, float, float]:
    wide, deep, high = (told or usual for told, usual in zip(thing.size, props.SIZES[thing.kind], strict=True))
    base = 0.0
    if thing.kind == "tree":
        wide, deep = 0.35, 0.35
    if thing.kind == "lamp_post":
        high = 5.0
    c, s = np.cos(np.radians(thing.turn)), np.sin(np.radians(thing.turn))
    corners = np.array([[-wide, -deep], [wide, -deep], [wide, deep], [-wide, deep]]) / 2
    return corners @ np.array([[c, s], [-s, c]]) + np.array(thing.at), base, high


def _behind(view: View, probes: Floats, blocks: list[tuple[Floats, float, float]]) -> Flags:
    """(n, k, 3) points -> (n,) True where a line of sight to one of them meets a block."""
    hidden = np.zeros(len(probes), bool)
    eye = view.position
    for outline, low, high in blocks:
        ends = np.roll(outline, -1, axis=0) if len(outline) > 2 else outline[1:]
        for a, b in zip(outline, ends, strict=False):
            d, e = probes[..., :2] - eye[:2], b - a
            cross = d[..., 0] * e[1] - d[..., 1] * e[0]
            with np.errstate(divide="ignore", invalid="ignore"):
                off = a - eye[:2]
                t = (off[0] * e[1] - off[1] * e[0]) / cross  # share of the way from the eye to the point
                u = (off[0] * d[..., 1] - off[1] * d[..., 0]) / cross
            z = eye[2] + (probes[..., 2] - eye[2]) * t
            hidden |= ((t > 0) & (t < 0.995) & (u >= 0) & (u <= 1) & (z >= low) & (z <= high)).any(1)
    return hidden


def incidents(script: Script, company: Company, observed: Observed | None = None) -> tuple[Incident, ...]:
    """All incidents in order of their start. `sure` ones are so far beyond the limit that a right rule must tell them."""
    seen = observe(script, company) if observed is None else observed
    found: list[Incident] = []
    for index, rule in enumerate(script.rules):
        judge = _JUDGES.get(rule.kind)
        if judge is not None:
            found += [_placed(i, index, rule) for i in judge(seen, rule)]
    found += _staged(seen)
    found = [replace(i, sure=False) if i.kind != "tamper" and _blind(script, i.start) else i for i in found]
    found = [replace(i, start=float(i.start), end=float(i.end), sure=bool(i.sure) and not _repeated(i, found)) for i in found]
    return tuple(sorted((i for i in found if i.start < script.duration), key=lambda i: (i.start, i.kind, i.subjects)))


def _blind(script: Script, time: float) -> bool:
    """Whether the camera has just been, or is about to be, tampered with."""
    return any(t.begin - 1.0 <= time <= t.end + 2.0 for t in script.tampers)


COOLDOWN = {
    "intrusion": 30.0,
    "loitering": 60.0,
    "running": 10.0,
    "wrong_way": 15.0,
    "falling": 60.0,
    "crowding": 60.0,
}  # the product's own


def _repeated(incident: Incident, earlier: list[Incident]) -> bool:
    """Whether the same one did the same so shortly before that the product keeps quiet."""
    quiet = COOLDOWN.get(incident.kind, 0.0)
    return any(
        i.kind == incident.kind
        and i.rule == incident.rule
        and i.subjects == incident.subjects
        and i.start < incident.start <= i.end + quiet
        for i in earlier
    )


def _placed(incident: Incident, index: int, rule: Rule) -> Incident:
    return Incident(
        incident.kind,
        incident.start,
        incident.end,
        incident.subjects,
        incident.box,
        rule.zone or rule.line,
        index,
        incident.detail,
        incident.sure,
    )


def limit(rule: Rule, name: str) -> float:
    """A setting of the rule, or the product's default."""
    told = getattr(rule, name)
    return float(DEFAULTS[rule.kind][name] if told is None else told)


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """Rows first..last of every stretch that is True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _joined(runs: list[tuple[int, int]], gap: float) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for a, b in runs:
        if out and (a - out[-1][1] - 1) * BEAT <= gap + 1e-9:
            out[-1] = (out[-1][0], b)
        else:
            out.append((a, b))
    return out


def _box(trails: Sequence[Trail], row: int) -> Box:
    rows = np.array([t.boxes[row] for t in trails if t.here[row]])
    if not len(rows):
        return (0.0, 0.0, 0.0, 0.0)
    return (float(rows[:, 0].min()), float(rows[:, 1].min()), float(rows[:, 2].max()), float(rows[:, 3].max()))


def _as_box(row: Floats) -> Box:
    return (float(row[0]), float(row[1]), float(row[2]), float(row[3]))


def _row(seen: Observed, time: float) -> int:
    return int(np.clip(round(time / BEAT), 0, len(seen.times) - 1))


def _good(trail: Trail, a: int, b: int, *, share: float = 0.85, in_a_knot: bool = False) -> bool:
    """Whether someone can be followed from row a to row b: tall enough, and hardly ever hidden, `in_a_knot` of people perhaps."""
    part = slice(a, b + 1)
    seen = trail.clear if in_a_knot else trail.clear & ~trail.hidden
    return bool(seen[part].mean() >= share and np.median(trail.tall[part]) >= SMALLEST)


def _inside(seen: Observed, trail: Trail, zone: str) -> Flags:
    if not zone:
        return trail.here
    return trail.here & zone_values(seen.script)[zone].contains(trail.feet, seen.script.size)


def _intrusion(seen: Observed, rule: Rule) -> Iterator[Incident]:
    wait = limit(rule, "seconds")
    for trail in seen.trails.values():
        for a, b in _joined(_runs(_inside(seen, trail, rule.zone)), 0.5):
            stay = (b - a + 1) * BEAT
            if stay >= wait:
                start = seen.times[a] + wait
                clear = int(trail.clear[a : b + 1].sum()) * BEAT
                sure = clear >= wait + 1.5 and _good(trail, a, b, share=0.5)
                yield Incident(
                    "intrusion",
                    start,
                    seen.times[b],
                    (trail.id,),
                    _box([trail], _row(seen, start)),
                    detail={"stay": round(stay, 2), "limit": wait},
                    sure=sure,
                )


def _loitering(seen: Observed, rule: Rule) -> Iterator[Incident]:
    wait = limit(rule, "seconds")
    for trail in seen.trails.values():
        for a, b in _joined(_runs(_inside(seen, trail, rule.zone)), STILL_OUT):
            stay = (b - a + 1) * BEAT
            if stay >= wait:
                start = seen.times[a] + wait
                sure = stay >= 1.3 * wait and _good(trail, a, b)
                yield Incident(
                    "loitering",
                    start,
                    seen.times[b],
                    (trail.id,),
                    _box([trail], _row(seen, start)),
                    detail={"dwell": round(stay, 2), "limit": wait, "entered": round(float(seen.times[a]), 2)},
                    sure=sure,
                )


@dataclass(frozen=True)
class Passing:
    """Someone went through a line."""

    id: int
    time: float  # seconds: the foot point was on the line
    forward: bool
    sure: bool


def passings(seen: Observed, line: str) -> list[Passing]:
    """All crossings of a line between its ends, by time."""
    wire = line_values(seen.script)[line]
    found = []
    for trail in seen.trails.values():
        off = wire.side(trail.feet, seen.script.size) / trail.heights
        along = wire.along(trail.feet, seen.script.size)
        for a, b in _runs(trail.here):
            settled, last = 0, a
            for row in range(a, b + 1):
                side = int(off[row] >= 0.1) - int(off[row] <= -0.1)
                if side == 0:
                    continue
                if settled and side != settled:
                    steady = off[row : min(row + 4, b + 1)] * side
                    if len(steady) < 3 or (steady < 0.05).any():
                        continue
                    k = next((r for r in range(row, last, -1) if off[r - 1] * settled > 0 >= off[r] * settled), row)
                    u = off[k - 1] / (off[k - 1] - off[k]) if off[k - 1] != off[k] else 0.0
                    at = along[k - 1] + u * (along[k] - along[k - 1])
                    if 0 <= at <= 1:
                        before, after = off[max(a, k - 15) : k] * settled, off[k : k + 15] * side
                        there = slice(max(a, k - 8), min(k + 8, b) + 1)
                        sure = bool(
                            (before > CLEAR).any() and (after > CLEAR).any() and b - k >= 10 and k - a >= 8 and 0.04 <= at <= 0.96
                            and trail.clear[there].mean() > 0.9 and trail.hidden[there].mean() < 0.5 and np.median(trail.tall[there]) >= SMALLEST
                        )  # fmt: skip
                        found.append(Passing(trail.id, float(seen.times[k - 1] + u * BEAT), side > 0, sure))
                settled, last = side, row
    return sorted(found, key=lambda p: p.time)


def _wanted(rule: Rule, passing: Passing) -> bool:
    return rule.direction in (None, "both") or passing.forward == (rule.direction == "forward")


def _crossing(seen: Observed, rule: Rule) -> Iterator[Incident]:
    for p in passings(seen, rule.line):
        if _wanted(rule, p):
            detail = {"direction": "forward" if p.forward else "backward"}
            yield Incident(
                "crossing", p.time, p.time + SHOWN, (p.id,), _box([seen.trails[p.id]], _row(seen, p.time)), detail=detail, sure=p.sure
            )


def _tailgating(seen: Observed, rule: Rule) -> Iterator[Incident]:
    wait = limit(rule, "seconds")
    through = [p for p in passings(seen, rule.line) if _wanted(rule, p)]
    for n, second in enumerate(through):
        first = next((p for p in reversed(through[:n]) if p.forward == second.forward and p.id != second.id), None)
        if first is not None and second.time - first.time <= wait:
            gap = second.time - first.time
            both = (min(first.id, second.id), max(first.id, second.id))
            box = _box([seen.trails[i] for i in both], _row(seen, second.time))
            crowded = any(second.time - 5 < p.time < second.time and p not in (first, second) for p in through)
            sure = first.sure and second.sure and gap <= 0.7 * wait and not crowded  # in a queue nobody can say who followed whom
            yield Incident(
                "tailgating", second.time, second.time + SHOWN, both, box, detail={"gap": round(gap, 2), "limit": wait}, sure=sure
            )


def pace(trail: Trail, window: float) -> tuple[Floats, Floats]:
    """(t, 2, 2) body heights per second in the first and second half of the last `window` seconds, and (t,) the least speed of the two."""
    half = round(window / 2 / BEAT)
    feet = trail.feet
    steps = np.zeros((len(feet), 2, 2))
    least = np.zeros(len(feet))
    whole = np.convolve(trail.here, np.ones(2 * half + 1), "full")[: len(feet)] > 2 * half + 0.5
    rows = np.flatnonzero(whole)
    if len(rows):
        size = np.median(np.stack([trail.heights[rows], trail.heights[rows - half], trail.heights[rows - 2 * half]]), axis=0)[:, None]
        steps[rows, 0] = (feet[rows - half] - feet[rows - 2 * half]) / size / (window / 2)
        steps[rows, 1] = (feet[rows] - feet[rows - half]) / size / (window / 2)
        least[rows] = np.hypot(steps[rows, :, 0], steps[rows, :, 1]).min(1)
    return steps, least


def _running(seen: Observed, rule: Rule) -> Iterator[Incident]:
    fast = limit(rule, "speed")
    for trail in seen.trails.values():
        _, speed = pace(trail, 1.0)
        within = _inside(seen, trail, rule.zone)
        for a, b in _joined(_runs((speed >= fast) & within), 1.0):
            if (b - a + 1) * BEAT >= 0.4:
                beyond = ((speed[a : b + 1] >= 1.3 * fast).sum()) * BEAT
                sure = beyond >= 1.0 and _good(trail, a, b)
                start = float(seen.times[a])
                yield Incident(
                    "running",
                    start,
                    float(seen.times[b]),
                    (trail.id,),
                    _box([trail], a),
                    detail={"speed": round(float(speed[a : b + 1].max()), 2), "limit": fast},
                    sure=sure,
                )


def _wrong_way(seen: Observed, rule: Rule) -> Iterator[Incident]:
    arrow = np.array(way_in_picture(seen.script, rule))
    wait, slow = limit(rule, "seconds"), limit(rule, "speed")
    half = round(wait / 2 / BEAT)
    for trail in seen.trails.values():
        steps, _ = pace(trail, wait)
        against = -(steps @ arrow)
        total = np.hypot(steps[..., 0], steps[..., 1])
        within = _inside(seen, trail, rule.zone)
        all_in = within & np.roll(within, half) & np.roll(within, 2 * half)
        wrong = all_in & (against >= np.maximum(total * 0.5, 1e-6)).all(1) & (against.min(1) >= slow)
        for a, b in _joined(_runs(wrong), 2.0):
            strong = ((against.min(1) >= 1.4 * slow) & (against >= total * 0.75).all(1))[a : b + 1].sum() * BEAT
            sure = strong >= 0.8 and _good(trail, max(a - 2 * half, 0), b)
            if b > a:
                yield Incident(
                    "wrong_way",
                    float(seen.times[a]),
                    float(seen.times[b]),
                    (trail.id,),
                    _box([trail], a),
                    detail={"speed": round(float(against[a : b + 1].min(1).max()), 2), "limit": slow},
                    sure=sure,
                )


def _crowding(seen: Observed, rule: Rule) -> Iterator[Incident]:
    most = int(limit(rule, "people"))
    within = {t.id: _inside(seen, t, rule.zone) for t in seen.trails.values()}
    count = np.sum(list(within.values()), axis=0) if within else np.zeros(len(seen.times))
    for a, b in _joined(_runs(count >= most), 2.0):
        if (b - a + 1) * BEAT < 2.0:
            continue
        who = tuple(sorted(i for i, w in within.items() if w[a : b + 1].mean() > 0.5))
        trails = [seen.trails[i] for i in who]
        clear = np.mean([t.clear[a : b + 1].mean() for t in trails]) if trails else 0.0
        sure = bool(
            (count[a : b + 1] > most).sum() * BEAT >= 6.0
            and clear > 0.85
            and trails
            and min(np.median(t.tall[a : b + 1]) for t in trails) >= SMALLEST
        )
        yield Incident(
            "crowding",
            float(seen.times[a]),
            float(seen.times[b]),
            who,
            _box(trails, a),
            detail={"people": int(count[a : b + 1].max()), "limit": most},
            sure=sure,
        )


def _falling(seen: Observed, rule: Rule) -> Iterator[Incident]:
    wait = limit(rule, "seconds")
    for id_, performance in seen.company.performances.items():
        if id_ not in seen.trails:
            continue
        trail = seen.trails[id_]
        for s in (s for s in performance.segments if s.verb == "fall"):
            down = s.begin + s.detail["down"]
            start, end = down + wait, down + s.detail["lie"]
            a, b = _row(seen, down + 0.3), int(min(end, performance.end, seen.times[-1]) / BEAT)
            if (
                s.detail["lie"] < wait
                or start > seen.times[-1]
                or not trail.here[a]
                or not _inside(seen, trail, rule.zone)[a : b + 1].any()
            ):
                continue
            wide, tall = np.diff(trail.boxes[a : b + 1][:, [0, 2]])[:, 0], trail.heights[a : b + 1]
            up = float(np.median(trail.heights[max(_row(seen, s.begin - 1.5), 0) : max(_row(seen, s.begin), 1)]))
            flat = (wide >= 1.05 * tall) & (tall <= 0.6 * up)
            edge = (
                (trail.boxes[a : b + 1, 3] >= seen.script.size[1] * 0.985)
                | (trail.boxes[a : b + 1, :2].min(1) <= 3)
                | (trail.boxes[a : b + 1, 2] >= seen.script.size[0] - 3)
            )
            dropped = float(np.median(trail.boxes[a : b + 1, 1])) - float(trail.boxes[_row(seen, s.begin), 1]) >= 0.38 * up
            sure = bool(
                flat.mean() > 0.95
                and not edge.any()
                and dropped
                and s.detail["lie"] >= wait + 2.5
                and _good(trail, _row(seen, s.begin - 1.0), b, share=0.8)
                and end <= seen.script.duration + wait
            )
            detail = {"down": round(down, 2), "lies": s.detail["lie"], "limit": wait, "way": s.detail["way"]}
            yield Incident(
                "falling", start, min(end, seen.script.duration), (id_,), _box([trail], _row(seen, start)), detail=detail, sure=sure
            )


def bag_box(script: Script, bag_id: int, at: tuple[float, float], turn: float) -> Floats:
    """(4,) pixels of a bag that stands on the ground, cut to the picture."""
    told = next(b for b in script.bags if b.id == bag_id)
    mesh: Mesh = props.carried(told, 0).moved(at, turn)
    pixels, depth = script.view.project(mesh.points)
    if depth.min() < 0.2:
        return np.zeros(4)
    return np.asarray(box_math.clip(np.concatenate([pixels.min(0), pixels.max(0)])[None], script.size)[0])


def _away(trail: Trail, spot: Floats) -> Floats:
    """(t,) distance from a spot on the picture in the person's own body heights; infinite while not there."""
    off = np.hypot(*(trail.feet - spot).T) / trail.heights
    return np.where(trail.here, off, np.inf)


def _company(trail: Trail, spot: Floats, begin: float, end: float) -> bool:
    """Whether someone stays so near to a spot that one may think they belong to what stands there."""
    near = (_away(trail, spot) <= 1.2 * RADIUS) & (trail.times >= begin - 6.0) & (trail.times <= end)
    return any((b - a) * BEAT >= 2.5 for a, b in _joined(_runs(near), 2.0))


def _cover(box: Floats, boxes: Floats) -> Floats:
    """(4,), (t, 4) -> (t,) share of the box that each of the others covers."""
    covered: Floats = box_math.cover_matrix(box[None].astype(np.float64), boxes)[0]
    return covered


def _abandoned(seen: Observed, rule: Rule) -> Iterator[Incident]:
    wait = limit(rule, "seconds")
    for bag_id, stretches in seen.company.bags.items():
        for before, stood in pairwise(stretches):
            if stood.by is not None or before.by is None or before.by not in seen.trails:
                continue
            box = bag_box(seen.script, bag_id, stood.at, stood.turn)
            spot = box_math.foot_points(box[None])[0]
            a, b = _row(seen, stood.begin), _row(seen, min(stood.end, seen.times[-1]))
            owner = seen.trails[before.by]
            near = _away(owner, spot)[a : b + 1] <= RADIUS
            if not near.any() or box_math.area(box[None])[0] < 1:
                continue
            left = seen.times[a] + (np.flatnonzero(near)[-1] + 1) * BEAT
            for other in seen.trails.values():  # someone who stays with it looks after it
                if other.id != owner.id:
                    for c, d in _joined(_runs(_away(other, spot)[a : b + 1] <= RADIUS), 2.0):
                        if (d - c) * BEAT >= 4.0:
                            left = max(left, float(seen.times[a + d]))
            start, end = left + wait, float(min(stood.end, seen.script.duration))
            if end - left < wait:
                continue
            alone = not any(_company(t, spot, left, end) for t in seen.trails.values() if t.id != owner.id)
            clear = alone and not _behind(seen.script.view, np.array([[[*stood.at, 0.1], [*stood.at, 0.3]]]), _blocks(seen.script))[0]
            sure = bool(end - left >= wait + 4.0 and clear and min(box[2] - box[0], box[3] - box[1]) >= 14 and box[3] - box[1] >= 22)
            yield Incident(
                "abandoned",
                start,
                end,
                (bag_id,),
                _as_box(box),
                detail={"left": round(float(left), 2), "limit": wait, "owner": owner.id},
                sure=sure,
            )


def _removed(seen: Observed, rule: Rule) -> Iterator[Incident]:
    wait = limit(rule, "seconds")
    for bag_id, stretches in seen.company.bags.items():
        for stood, after in pairwise(stretches):
            if stood.by is not None or after.by is None or stood.end - stood.begin < wait:
                continue
            box = bag_box(seen.script, bag_id, stood.at, stood.turn)
            if box_math.area(box[None])[0] < 1:
                continue
            gone = stood.end  # while the taker stands before the place, nobody can see that it is empty
            for trail in seen.trails.values():
                hides = (_cover(box, trail.boxes) >= 0.3) & trail.here & (trail.times >= stood.end) & (trail.times <= stood.end + 6.0)
                if trail.id == after.by and hides.any():
                    gone = max(gone, float(trail.times[hides][-1]))
            start = gone + GONE
            if start >= seen.script.duration:
                continue
            a, b = _row(seen, stood.end), _row(seen, start + 2.0)
            others = [t for t in seen.trails.values() if t.id != after.by]
            clear = not _behind(seen.script.view, np.array([[[*stood.at, 0.1], [*stood.at, 0.3]]]), _blocks(seen.script))[0]
            clear = clear and not any((_cover(box, t.boxes[a : b + 1]) * t.here[a : b + 1] > 0.2).any() for t in others)
            sure = bool(stood.end - stood.begin >= wait + 4.0 and clear and box[3] - box[1] >= 22 and start + 3 < seen.script.duration)
            detail = {"taken": round(stood.end, 2), "stood": round(stood.end - stood.begin, 2), "limit": GONE, "by": after.by}
            yield Incident("removed", start, min(start + 10.0, seen.script.duration), (bag_id,), _as_box(box), detail=detail, sure=sure)


def _tamper(seen: Observed, rule: Rule) -> Iterator[Incident]:
    for told in seen.script.tampers:
        wait = FROZEN if told.kind == "frozen" else limit(rule, "seconds")
        end = min(told.end, seen.script.duration)
        if end - told.begin >= wait:
            box = (0.0, 0.0, float(seen.script.size[0]), float(seen.script.size[1]))
            yield Incident(
                "tamper", told.begin, end, (), box, detail={"trick": told.kind, "limit": wait}, sure=end - told.begin >= wait + 5.0
            )


def _staged(seen: Observed) -> Iterator[Incident]:
    """Fights and climbing are what the script says they are."""
    told = set()
    for id_, performance in seen.company.performances.items():
        for s in performance.segments:
            if s.verb == "fight":
                both = (min(id_, s.detail["with"]), max(id_, s.detail["with"]))
                if (both, round(s.begin)) not in told:
                    told |= {(both, round(s.begin) + k) for k in (-1, 0, 1)}
                    start = min(s.begin + 0.6, s.end)
                    trails = [seen.trails[i] for i in both]
                    a, b = _row(seen, start), _row(seen, s.end)
                    yield Incident(
                        "fight",
                        start,
                        s.end,
                        both,
                        _box(trails, a),
                        sure=all(_good(t, a, b, share=0.7, in_a_knot=True) for t in trails) and b - a >= 30,
                    )
            elif s.verb == "climb":
                trail = seen.trails[id_]
                a, b = _row(seen, s.begin), _row(seen, s.end)
                yield Incident(
                    "climbing",
                    s.begin,
                    s.end,
                    (id_,),
                    _box([trail], a),
                    place=s.detail["wall"],
                    sure=bool(trail.tall[a] >= SMALLEST and trail.here[a : b + 1].all()),
                )


_JUDGES: dict[str, Callable[[Observed, Rule], Iterator[Incident]]] = {
    "intrusion": _intrusion, "crossing": _crossing, "loitering": _loitering, "running": _running, "wrong_way": _wrong_way, "crowding": _crowding,
    "falling": _falling, "abandoned": _abandoned, "removed": _removed, "tailgating": _tailgating, "tamper": _tamper,
}  # fmt: skip
