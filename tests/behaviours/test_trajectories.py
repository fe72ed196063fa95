"""More than ten thousand random walks, judged by geometry: no event is wrong, missing or told twice.

A hundred people walk at once, each alone in the eyes of the rules. Their paths are drawn so that geometry gives one answer;
what is seen of them is sampled at any frame rate, with trembling boxes, missed sightings and short occlusions.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pahara.alarms import START, AlarmRule
from pahara.behaviours import Crossing, Intrusion, Loitering
from pahara.core import Observation, Tripwire, Zone
from pahara.tracking import SceneMemory, on_grid

PEOPLE = 100
SIZE = (1280, 720)
WALKED: Counter[str] = Counter()  # trajectories judged so far, by rule


class World:
    """Random walkers and what a camera sees of them."""

    def __init__(self, seed, fps, jitter, gaps):
        self.rng = np.random.default_rng(seed)
        self.fps, self.jitter, self.gaps = fps, jitter, gaps
        self.tall = float(self.rng.uniform(60, 120))  # pixels that a person is tall
        self.way = [(np.array([0.0]), np.zeros((1, 2)))] * PEOPLE

    def walk(self, points, stays):
        """(w, 2) pixels, seconds at each -> times, points of a path at a random pace."""
        times, places, now = [], [], self.rng.uniform(0, 1.0)
        for k, (point, stay) in enumerate(zip(points, stays, strict=True)):
            if k:
                now += np.linalg.norm(point - points[k - 1]) / self.tall / self.rng.uniform(0.6, 2.5) + 0.05
            times += [now, now + stay]
            places += [point, point]
            now += stay
        return np.array(times), np.array(places)

    def scenes(self):
        """What SceneMemory makes of all this, frame by frame."""
        end = max(times[-1] for times, _ in self.way)
        clock = (
            np.arange(0, end, 1 / self.fps)
            + self.rng.uniform(0, 0.2 / self.fps, int(np.ceil(end * self.fps)))[: len(np.arange(0, end, 1 / self.fps))]
        )
        feet = np.stack([np.stack([np.interp(clock, t, p[:, 0]), np.interp(clock, t, p[:, 1])], -1) for t, p in self.way], 1)  # (t, n, 2)
        seen = np.stack([(clock >= t[0]) & (clock <= t[-1]) for t, _ in self.way], 1)
        missed = self.rng.random(seen.shape) < self.gaps
        if self.gaps:  # and one occlusion of up to a second each
            begin = self.rng.uniform(0, end, PEOPLE)
            missed |= (clock[:, None] >= begin) & (clock[:, None] < begin + self.rng.uniform(0, 0.8, PEOPLE))
        tremble = self.rng.normal(0, self.jitter * self.tall, (len(clock), PEOPLE, 4))
        half = 0.2 * self.tall
        x, y = feet[..., 0], feet[..., 1]
        boxes = (np.stack([x - half, y - self.tall, x + half, y], -1) + tremble).astype(np.float32)

        memory, ids = SceneMemory("test", SIZE, seconds=80.0), np.arange(1, PEOPLE + 1)
        last, since = np.zeros((PEOPLE, 4), np.float32), np.full(PEOPLE, -np.inf)
        for k, time in enumerate(clock):
            now = seen[k] & ~missed[k]
            last[now], since[now] = boxes[k, now], time
            listed = np.flatnonzero(time - since <= 2.0)
            yield memory.step(
                on_grid(
                    Observation(
                        float(time), ids[listed], last[listed], ("person",) * len(listed), now[listed],
                        np.full(len(listed), 0.9, np.float32),
                    )
                )
            )  # fmt: skip


def told(behaviour, rule, scenes):
    """-> for each person the events that began."""
    state, events = START, {i: [] for i in range(1, PEOPLE + 1)}
    for scene in scenes:
        state, new = rule.step(state, behaviour="b", kind="k", scene=scene, scores=behaviour(scene), explain=behaviour.explain)
        for event in new:
            if event.phase == "began":
                events[event.subject[0]].append(event)
    return events


worlds = st.builds(
    lambda seed, fps, jitter, gaps: World(seed, fps, jitter, gaps if fps >= 8 else 0.0),
    st.integers(0, 2**63), st.sampled_from([2, 3, 5, 8, 10, 15]), st.sampled_from([0.0, 0.01, 0.02]), st.sampled_from([0.0, 0.1, 0.2]),
)  # fmt: skip
THOROUGH = settings(max_examples=53, deadline=None, derandomize=True, phases=[Phase.generate], print_blob=True)


# ---------------------------------------------------------------- crossings


def crossing_walk(world, line):
    """A walk with clear stays on the sides, some of them on the line itself -> (times, places), directions in order."""
    rng, tall = world.rng, world.tall
    start, end = line.pixels(SIZE)
    long = float(np.linalg.norm(end - start))
    along = (end - start) / long
    right = np.array([-along[1], along[0]])  # of someone who walks the line, y downwards

    def point(side):
        place = rng.uniform(-0.35, 1.35) if side else rng.choice([rng.uniform(0.15, 0.85), rng.uniform(-0.4, -0.2), rng.uniform(1.2, 1.4)])
        off = side * rng.uniform(0.5, 2.5) if side else rng.uniform(-0.03, 0.03)
        return start + place * long * along + off * tall * right

    def cut(a, b):
        """Where the way from a to b cuts the endless line: 0 at its start, 1 at its end."""
        sa, sb = (a - start) @ right, (b - start) @ right
        return float(((a + sa / (sa - sb) * (b - a)) - start) @ along / long)

    sides = [int(rng.choice([-1, 1]))]
    points, stays, expected = [point(sides[0])], [rng.uniform(1.6, 2.4)], []
    on_line = None
    for _ in range(int(rng.integers(1, 5))):
        side = int(rng.choice([-1, 0, 1] if on_line is None else [-1, 1]))
        for _attempt in range(200):
            new = point(side)
            if side == 0 or side == sides[-1] or on_line is not None or not any(abs(cut(points[-1], new) - e) < 0.15 for e in (0, 1)):
                break
        else:
            continue
        if side == 0:
            on_line = new
        elif side == sides[-1]:
            on_line = None
        else:
            where = cut(points[-1], new) if on_line is None else float((on_line - start) @ along / long)
            if 0 < where < 1:
                expected.append("forward" if side > 0 else "backward")
            sides.append(side)
            on_line = None
        points.append(new)
        stays.append(rng.uniform(1.6, 2.4))
    return world.walk(np.array(points), np.append(stays[:-1], stays[-1] + 1.5)), expected


@pytest.mark.slow
@THOROUGH
@given(worlds)
def test_every_crossing_is_told_once_and_nothing_else(world):
    a, b = world.rng.uniform([0.25, 0.3], [0.4, 0.7]), world.rng.uniform([0.6, 0.3], [0.75, 0.7])
    line = Tripwire("line", tuple(a), tuple(b)) if world.rng.random() < 0.5 else Tripwire("line", tuple(b), tuple(a))
    expected = []
    for i in range(PEOPLE):
        world.way[i], directions = crossing_walk(world, line)
        expected.append(directions)
    behaviour = Crossing(line)
    events = told(behaviour, AlarmRule.of(behaviour), world.scenes())
    for i, directions in enumerate(expected):
        got = [e.reason.code.removeprefix("crossing.") for e in events[i + 1]]
        assert got == directions, f"person {i + 1}: {got} instead of {directions}; {world.way[i]}"
    WALKED["crossing"] += PEOPLE


# ---------------------------------------------------------------- stays


ZONE = Zone("yard", ((0.35, 0.3), (0.7, 0.25), (0.75, 0.75), (0.5, 0.6), (0.3, 0.8)))
LIMIT, GRACE = 6.0, 2.0
LOITERING, INTRUSION = Loitering(ZONE, seconds=LIMIT, grace=GRACE), Intrusion(ZONE, seconds=1.0, grace=0.5)


def distance_to_border(points):
    """(n, 2) pixels -> (n,) pixels to the zone's border."""
    corners = ZONE.pixels(SIZE)
    a, b = corners, np.roll(corners, -1, axis=0)
    share = np.clip(((points[:, None] - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
    return np.linalg.norm(points[:, None] - (a + share[..., None] * (b - a)), axis=-1).min(axis=1)


def staying_walk(world):
    """A walk in and out of the yard that stops clear of its border and does not stroll along it: there a trembling box decides."""
    while True:
        points, stays = [], []
        for _ in range(int(world.rng.integers(1, 5))):
            while True:
                new = world.rng.uniform([60, 140], [1220, 700])
                if distance_to_border(new[None])[0] >= 0.25 * world.tall:
                    break
            points.append(new)
            stays.append(float(world.rng.choice([world.rng.uniform(0.2, 2), world.rng.uniform(2, 10)])))
        times, places = world.walk(np.array(points), stays)
        clock = np.arange(times[0], times[-1], 0.05)
        path = np.stack([np.interp(clock, times, places[:, 0]), np.interp(clock, times, places[:, 1])], -1)
        near = distance_to_border(path) < 5 * world.jitter * world.tall
        if not (near[:-6] & near[3:-3] & near[6:]).any():  # nowhere near it for 0.3 s
            return times, places


def visits(way, grace, slack):
    """Stays in the zone by the true path -> [from, to, how many stays it may count as, when it was inside in between].

    Exits about as long as `grace` are unsure.
    """
    times, places = way
    clock = np.arange(times[0], times[-1], 0.01)
    inside = ZONE.contains(np.stack([np.interp(clock, times, places[:, 0]), np.interp(clock, times, places[:, 1])], -1), SIZE)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    found = []
    for begin, end in zip(clock[edges[::2]], clock[np.minimum(edges[1::2], len(clock) - 1)], strict=True):
        away = begin - found[-1][1] if found else np.inf
        if away > grace + slack:
            found.append([begin, end, 1, [(begin, end)]])
        else:
            found[-1][1] = end
            found[-1][3].append((begin, end))
            found[-1][2] += away > grace - slack
    return found


def judge(who, events, way, limit, grace, slack):
    """Every stay longer than the limit is told once, in time; nothing else is. What is within `slack` of it may go either way."""
    stays = visits(way, grace, slack)
    for begin, end, parts, inside in stays:
        # Who steps outside for a moment just when the limit is reached is told of when back inside.
        due = next((max(begin + limit, a) for a, b in inside if b > begin + limit + slack), begin + limit)
        mine = [e.time for e in events if begin <= e.time <= end + slack]
        if len(mine) > parts:
            wrong = "told twice"
        elif parts == 1 and end - begin >= limit + slack and not mine:
            wrong = "not told"
        elif parts == 1 and end - begin >= limit + slack and not begin + limit - slack <= mine[0] <= due + slack:
            wrong = "told at the wrong time"
        elif end - begin < limit - slack and mine:
            wrong = "told though too short"
        else:
            continue
        pytest.fail(f"{wrong}: {who}, in the zone from {begin:.1f} to {end:.1f} s, told at {mine}; {way}")
    elsewhere = [e.time for e in events if not any(begin <= e.time <= end + slack for begin, end, _, _ in stays)]
    assert not elsewhere, f"{who}: told at {elsewhere} s, when nobody was in the zone; {way}"


@pytest.mark.slow
@THOROUGH
@given(worlds)
def test_every_long_stay_is_told_once_and_nothing_else(world):
    for i in range(PEOPLE):
        world.way[i] = staying_walk(world)
    scenes = list(world.scenes())
    slack = 2 / world.fps + 0.2 + (0.3 if world.jitter else 0.0) + (1.1 if world.gaps else 0.0)
    for behaviour, limit, grace in [(LOITERING, LIMIT, GRACE), (INTRUSION, 1.0, 0.5)]:
        # Without cooldown each stay is judged for itself; the linger bridges the steps outside that `grace` allows.
        events = told(behaviour, AlarmRule(linger=grace + 1 / world.fps, cooldown=0, same_place=0), scenes)
        for i, way in enumerate(world.way):
            judge(f"{behaviour.kind}, person {i + 1}", events[i + 1], way, limit, grace, slack)
        WALKED[behaviour.kind] += PEOPLE


def test_the_walks_above_were_many():
    if not WALKED:
        pytest.skip("the slow tests were left out")
    assert WALKED["crossing"] + WALKED["loitering"] >= 10_000, WALKED
