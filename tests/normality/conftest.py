"""People for these tests: an hour of ordinary walking, as scenes and as samples."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from pahara.normality import Normality, Samples, Settings, grid, measure, none_of, together
from pahara.testing.actors import Actor, scenes, walk

EASY = Settings(ready={"motion": 40, "shape": 40, "dwell": 40, "interaction": 40, "place": 40})


def walkers(count: int, seconds: float, seed: int = 0) -> dict[int, Actor]:
    """People who cross the picture both ways at an ordinary pace, taller where they are nearer."""
    rng = np.random.default_rng(seed)
    people: dict[int, Actor] = {}
    for i in range(count):
        y, begin, lasts = rng.uniform(0.6, 0.95), rng.uniform(0, seconds - 12), rng.uniform(7, 12)
        ends = [(0.03, y), (0.97, y)][:: rng.choice([1, -1])]
        people[i + 1] = walk(ends[0], ends[1], begin, begin + lasts, height=0.08 + 0.3 * y)
    return people


def sampled(people: dict[int, Actor], seconds: float, *, epoch: float = 1.7e9, camera: str = "test", seed: int = 0) -> Samples:
    """Every half second of them, as a watch measures it."""
    parts, asked = [none_of((640, 360))], -1.0
    for scene in scenes(people, seconds=seconds, fps=10, jitter=0.01, epoch=epoch, camera=camera, seed=seed):
        due = [time for time in grid(scene.time, seconds=0.5) if time > asked]
        if due:
            asked = due[-1]
            parts.append(measure(scene, times=due))
    return together(parts)


@cache
def ordinary() -> Samples:
    """Ninety people in four minutes."""
    return sampled(walkers(90, 240.0), 240.0)


@cache
def model() -> Normality:
    """What they teach."""
    return Normality.fit(ordinary(), EASY)


@pytest.fixture(scope="session")
def crowd() -> SimpleNamespace:
    """An ordinary camera: crowd.ordinary() are its samples, crowd.model() what they teach, crowd.sampled(people, seconds) others."""
    return SimpleNamespace(ordinary=ordinary, model=model, sampled=sampled, walkers=walkers, EASY=EASY)
