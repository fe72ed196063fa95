"""Incidents are staged where people walk, within the rule's place, and the same by seed."""

from __future__ import annotations

import numpy as np
import pytest

from pahara.behaviours.crossing import Crossing
from pahara.behaviours.crowding import Crowding
from pahara.behaviours.falling import Falling
from pahara.behaviours.intrusion import Intrusion
from pahara.behaviours.tamper import Tamper
from pahara.core import Tripwire, Zone
from pahara.simulate.acting import Company
from pahara.simulate.camera import View
from pahara.simulate.takes import GRID, KINDS, MAKERS, PASSING, Ground, Take, Wish, ground_of, stage
from pahara.simulate.view import Estimate, Scale, body_heights

SIZE = (640, 480)
VIEW = View(SIZE, 4.0, 25.0, 70.0)
YARD = Zone("yard", ((0.3, 0.5), (0.7, 0.5), (0.75, 0.9), (0.25, 0.9)))
GATE = Tripwire("gate", (0.5, 0.45), (0.5, 0.95))


def estimate() -> Estimate:
    y = np.linspace(150, 450, 30)
    a, b = np.polyfit(y, body_heights(VIEW, np.stack([np.full(30, 320.0), y], 1)), 1)
    return Estimate(Scale(float(a), float(b), 100), VIEW)


def ground(feet: np.ndarray | None = None) -> Ground:
    rng = np.random.default_rng(0)
    feet = np.stack([rng.uniform(60, 580, 400), rng.uniform(230, 460, 400)], 1) if feet is None else feet
    return ground_of(estimate(), feet, {"yard": YARD}, {"gate": GATE})


def wish(kind: str) -> Wish:
    options = {
        "seconds": {"loitering": 8.0, "abandoned": 8.0, "removed": 6.0}.get(kind, 2.0), "speed": 1.5, "people": 4, "gone": 5.0, "within": 0.0,
        "direction": (1.0, 0.0) if kind == "wrong_way" else "both",
    }  # fmt: skip
    places = (
        {"zone": YARD}
        if kind in ("intrusion", "loitering", "wrong_way", "crowding")
        else {"line": GATE}
        if kind in ("crossing", "tailgating")
        else {}
    )
    return Wish(kind, f"{kind}-here", options=options, **places)  # type: ignore[arg-type]


def some(kind: str, seed: int) -> Take:
    for variant in range(12):
        take = stage(wish(kind), ground(), seed, fps=10, variant=variant)
        if take is not None:
            return take
    raise AssertionError(f"{kind} could not be staged in a wide yard")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_staged_and_is_the_same_by_seed(kind: str) -> None:
    first, again, other = some(kind, 3), some(kind, 3), some(kind, 4)
    assert first == again
    assert first != other
    assert 0 < first.deed <= first.due <= first.seconds
    Company(first.script, {a.id: 1.66 for a in first.script.actors})  # its actions fit together


def test_every_kind_that_can_be_wished_for_has_a_maker() -> None:
    assert set(KINDS) == set(MAKERS) - {"passing"}


@pytest.mark.parametrize("kind", ["intrusion", "loitering", "falling", "abandoned", "crossing", "passing"])
def test_nobody_stands_where_nobody_walks(kind: str) -> None:
    here = ground()
    share = []
    for seed in range(8):
        take = some(kind, seed) if kind != "passing" else stage(PASSING, here, seed, fps=10)
        assert take is not None
        company = Company(take.script, {a.id: 1.66 for a in take.script.actors})
        for performance in company.performances.values():
            times = np.arange(performance.begin, performance.end, 0.25)
            pixels = here.pixels(performance.sample(times).roots[:, :2])
            inside = here.inside(np.nan_to_num(pixels, nan=-1))
            share.append(float(here.walkable(pixels[inside]).mean()) if inside.any() else 1.0)
    assert np.mean(share) > 0.85
    assert min(share) > 0.4


def test_an_intruder_ends_up_in_the_zone_and_begins_outside() -> None:
    for seed in range(6):
        take = some("intrusion", seed)
        (performance,) = Company(take.script, {1: 1.66}).performances.values()
        start, there = ground().pixels(performance.sample(np.array([performance.begin, take.deed + 1.0])).roots[:, :2])
        assert YARD.contains(there[None], SIZE)[0]
        assert not (0 <= start[0] < SIZE[0] and 0 <= start[1] < SIZE[1] and YARD.contains(start[None], SIZE)[0])


def test_people_cross_the_line_in_the_wanted_direction() -> None:
    for direction, sign in (("forward", 1), ("backward", -1)):
        for seed in range(4):
            for variant in range(12):
                take = stage(Wish("crossing", "c", line=GATE, options={"direction": direction}), ground(), seed, fps=10, variant=variant)
                if take is not None:
                    break
            assert take is not None
            (performance,) = Company(take.script, {1: 1.66}).performances.values()
            ends = ground().pixels(performance.sample(np.array([performance.begin, performance.end])).roots[:, :2])
            side = GATE.side(ends, SIZE) * sign
            assert side[0] < 0 < side[1]


def test_a_view_without_room_is_told_by_none() -> None:
    corner = ground_of(estimate(), np.tile([[320.0, 300.0]], (60, 1)), {}, {})
    assert all(stage(wish("running"), corner, seed, fps=10) is None for seed in range(3))


def test_without_feet_the_places_are_taken_and_without_places_the_lower_part() -> None:
    nobody = np.zeros((0, 2))
    assert ground_of(estimate(), nobody, {"yard": YARD}, {}).origin == "places"
    lower = ground_of(estimate(), nobody, {}, {})
    assert lower.origin == "lower"
    assert not lower.mask[: 200 // GRID].any()
    assert lower.mask[-10:].all()


def test_a_wish_reads_the_limits_of_any_behaviour() -> None:
    assert Wish.of("in", Intrusion(YARD, seconds=3.0)).limit("seconds", 0.5) == 3.0
    assert Wish.of("c", Crossing(GATE, direction="forward")).place == "gate"
    assert Wish.of("many", Crowding(people=5)).options["people"] == 5
    assert Wish.of("fall", Falling()).zone is None
    only = Wish.of("t", Tamper(watch_for=("dark",)))
    assert {stage(only, ground(), seed, fps=10).trick for seed in range(4)} == {"dark"}  # type: ignore[union-attr]
