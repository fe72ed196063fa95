"""A short story with real behaviours and alarms, gathered as the watch gathers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from pahara.alarms import START, AlarmRule
from pahara.behaviours.crossing import Crossing
from pahara.behaviours.intrusion import Intrusion
from pahara.behaviours.loitering import Loitering
from pahara.behaviours.running import Running
from pahara.core import Scene, Tripwire, Zone
from pahara.report import Drill, RunFacts, RunSummary, SourceStats, Staged, SummaryCollector
from pahara.testing.actors import path, run, scenes, stand, walk

SIZE = (640, 360)
NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC).timestamp()
GATE = Zone("gate", ((0.0, 0.4), (0.4, 0.4), (0.4, 1.0), (0.0, 1.0)))
SHOP = Zone("দোকান", ((0.6, 0.4), (1.0, 0.4), (1.0, 1.0), (0.6, 1.0)))
ROAD = Tripwire("road", (0.5, 0.0), (0.5, 1.0))  # seen downwards: the left of the picture is its right hand


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG that is a little different for every seed."""
    wide, tall = size
    image = np.full((tall, wide, 3), 90, np.uint8)
    cv2.rectangle(image, (40 + 7 * seed % 300, 80), (90 + 7 * seed % 300, 240), (40, 40, 220), 3)
    return cv2.imencode(".jpg", image)[1].tobytes()


def told(seconds: float = 60.0) -> Iterator[Scene]:
    """One loiters at the gate, one walks across the road and into the shop, one runs back."""
    actors = {
        1: stand((0.2, 0.8), 2, 45),
        2: path((5, 0.3, 0.6), (12, 0.7, 0.7), (25, 0.9, 0.8)),
        3: run((0.95, 0.7), (0.05, 0.7), 30),
        4: walk((0.1, 0.5), (0.3, 0.9), 50, 58),
    }
    return scenes(actors, seconds=seconds, camera="yard", epoch=NOON)


def gather(seen: Iterator[Scene], *, camera: str = "yard", pictures: bool = True, **finish: object) -> RunSummary:
    """What the pipeline does: scores, alarms, collector."""
    behaviours = {
        "loitering": Loitering(GATE, seconds=20),
        "shop-closed": Intrusion(SHOP),
        "road": Crossing(ROAD),
        "running": Running(),
        "far-too-long": Loitering(SHOP, seconds=300),
    }
    rules = {name: AlarmRule.of(behaviour) for name, behaviour in behaviours.items()}
    states = dict.fromkeys(behaviours, START)
    kinds = {name: behaviour.kind for name, behaviour in behaviours.items()}
    collector = SummaryCollector(camera, SIZE, source="yard.mp4", epoch=NOON, begin=0.0, zones=[GATE, SHOP], lines=[ROAD], behaviours=kinds)
    for scene in seen:
        scores = {name: behaviour(scene) for name, behaviour in behaviours.items()}
        for name, behaviour in behaviours.items():
            states[name], events = rules[name].step(
                states[name], behaviour=name, kind=kinds[name], scene=scene, scores=scores[name], explain=behaviour.explain
            )
            for event in events:
                collector.event(event, snapshot=picture(len(event.id)) if pictures and event.phase == "began" else b"")
        collector.see(scene, scores)
    options = {
        "end": 60.0,
        "facts": RunFacts(600, 300, 20.0, 30.0, 10.0, "yolox-nano, 416 px", "Small people are missed.", {"onnxruntime": "1.32"}),
        "stats": SourceStats(2, 1, 1, ((46.0, 49.0),)),
        **finish,
    }
    return collector.finish(**options)


@pytest.fixture(scope="session")
def story() -> RunSummary:
    """Loitering, an intrusion, three crossings or so, and someone who runs."""
    return gather(told())


@pytest.fixture(scope="session")
def bare_story() -> RunSummary:
    """The same when no picture was kept."""
    return gather(told(), pictures=False)


@pytest.fixture(scope="session")
def staged(story: RunSummary) -> RunSummary:
    """The same as a demo: two of three staged incidents were caught, one event is a false alarm."""
    loitering, other = (next(c.event for c in story.cards if c.event.kind == kind) for kind in ("loitering", "running"))
    rows = (
        Staged("loitering", 2.0, 45.0, loitering.time, loitering.id, "gate"),
        Staged("falling", 20.0, 25.0),
        Staged("intrusion", 20.0, 25.0, 21.5, place="দোকান"),
    )
    return replace(story, drill=Drill(rows, (other.id,), hours=1 / 60))
