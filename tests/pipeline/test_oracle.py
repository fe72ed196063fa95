"""Perfect sight: what the rules would tell of staged people among the real ones."""

from __future__ import annotations

import numpy as np
import pytest

from pahara.config import from_data, plan
from pahara.core import Observation
from pahara.pipeline.oracle import REAL, of_staged, perfect
from pahara.simulate.actions import PutDown, Walk
from pahara.simulate.camera import View
from pahara.simulate.into import Into, staged_script
from pahara.simulate.look import Look
from pahara.simulate.script import Actor, Bag, Script
from pahara.simulate.view import Estimate, Scale, body_heights

SIZE = (640, 480)
VIEW = View(SIZE, 4.0, 25.0, 70.0)


def spot(x: float, y: float) -> tuple[float, float]:
    a, b = VIEW.ground(np.array([[x, y]]))[0]
    return float(a), float(b)


def scene() -> Into:
    """Someone comes from the left, puts a suitcase down in the middle, and leaves to the right."""
    y = np.linspace(150, 450, 30)
    a, b = np.polyfit(y, body_heights(VIEW, np.stack([np.full(30, 320.0), y], 1)), 1)
    estimate = Estimate(Scale(float(a), float(b), 100), VIEW)
    actor = Actor(1, spot(60, 320), (Walk((spot(320, 320),)), PutDown(101), Walk((spot(640, 320), spot(900, 320)))))
    script = Script("bag", size=SIZE, fps=10, duration=40.0, seed=2, actors=(actor,), bags=(Bag(101, "suitcase", by=1),))
    return Into(staged_script(script, estimate), estimate, Look(np.zeros((480, 640, 3), np.uint8)))


@pytest.fixture(scope="module")
def rules():
    made = {
        "version": 1,
        "cameras": {
            "c": {
                "source": "x.mp4",
                "lines": {"gate": {"from": [0.3, 0.3], "to": [0.3, 1.0]}},
                "behaviours": [{"kind": "abandoned", "seconds": 10}, {"kind": "crossing", "line": "gate"}],
            }
        },
    }
    return plan(from_data(made), "c")


def bystander(seconds: float) -> list[Observation]:
    """A real person who stands right beside the suitcase all the time."""
    box = np.array([[330.0, 180.0, 380.0, 325.0]], np.float32)
    return [
        Observation(100 + k / 10, np.array([7]), box, ("person",), np.array([True]), np.array([0.9], np.float32))
        for k in range(int(seconds * 10))
    ]


def test_a_bag_that_is_left_is_told_after_its_limit_and_the_crossing_when_it_happens(rules) -> None:
    told = perfect(rules, scene(), 36.0, begin=100.0, epoch=0.0)
    by = {e.kind: e.time - 100 for e in told}
    assert set(by) == {"abandoned", "crossing"}
    assert by["crossing"] < 4
    assert 14 < by["abandoned"] < 24
    assert all(of_staged(e) for e in told)


def test_who_really_stands_beside_the_bag_attends_it(rules) -> None:
    told = perfect(rules, scene(), 36.0, begin=100.0, epoch=0.0, real=bystander(36))
    assert {e.kind for e in told} == {"crossing"}


def test_real_peoples_own_events_are_not_the_staged_ones(rules) -> None:
    walker = [
        Observation(100 + k / 10, np.array([7]), np.array([[100.0 + 6 * k, 300, 150.0 + 6 * k, 440]], np.float32), ("person",), np.array([True]), np.array([0.9], np.float32))
        for k in range(60)
    ]  # fmt: skip
    told = perfect(rules, scene(), 8.0, begin=100.0, epoch=0.0, real=walker)
    crossings = [e for e in told if e.kind == "crossing"]
    assert sorted(of_staged(e) for e in crossings) == [False, True]
    assert {e.subject for e in crossings} == {(1,), (7 + REAL,)}
