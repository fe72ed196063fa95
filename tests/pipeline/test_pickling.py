"""Every value that flows, and every configured behaviour, can be sent to another process and means the same there."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np
import pytest

import pahara.core as core
import pahara.report as report
import pahara.store as store_room
from pahara.config import from_data, plan, retention
from pahara.config.registry import names
from pahara.core import Detections, Frame, Observation
from pahara.pipeline.backtest import try_rules
from pahara.pipeline.replay import compare, replay, stored_events
from pahara.pipeline.setup import plan_of
from pahara.simulate import load_script, truth_of

ZONES = {"yard": [[0, 0], [1, 0], [1, 1], [0, 1]]}
LINES = {"door": [[0.5, 0], [0.5, 1]]}
NEEDS = {
    "intrusion": {"zone": "yard", "schedule": {"days": "sun-thu", "from": "22:00", "to": "06:00"}},
    "crossing": {"line": "door"}, "tailgating": {"line": "door"}, "wrong_way": {"zone": "yard", "direction": [1, 0]},
}  # fmt: skip


NO_VALUES = {"SummaryCollector", "Background"}  # they work, and stay where they are


def same(one, other) -> bool:
    """Equal all the way down, arrays and hidden fields too."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if type(one) is not type(other):
        return False
    if isinstance(one, Frame):
        return (
            (one.camera, one.time, one.size) == (other.camera, other.time, other.size)
            and same(one.image, other.image)
            and same(one.luma, other.luma)
        )
    if is_dataclass(one) and not isinstance(one, type):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one).__module__.startswith("pahara") and hasattr(one, "__dict__"):
        return same(vars(one), vars(other))
    return bool(one == other or (one != one and other != other))


def journey(value):
    return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def kinds_in(value, found: set[str]) -> None:
    """The names of all dataclasses in a value."""
    if is_dataclass(value) and not isinstance(value, type):
        found.add(type(value).__name__)
        for each in fields(value):
            kinds_in(getattr(value, each.name), found)
    elif isinstance(value, Mapping):
        for each in value.values():
            kinds_in(each, found)
    elif isinstance(value, list | tuple):
        for each in value:
            kinds_in(each, found)


def _told(store, event):
    store.outbox.take_over(event, [store_room.Wanted("phone", 1e12)], 1.0)
    return store.outbox.due("phone", 2.0)


@pytest.fixture
def values(session, store, config, yard):
    """Of everything one, from a real watch that was kept, replayed and back-tested."""
    looks = []
    summary = session.run(lambda _, look: looks.append(look))
    (recording,) = store.recordings()
    again = plan_of(recording)
    moments = list(replay(store, recording, again.behaviours, again.rules))
    events = [event for moment in moments for event in moment.events]
    (kept,) = store.every_event()
    return {
        "frame": Frame.of("yard", 1.0, np.zeros((4, 6, 3), np.uint8)),
        "detections": Detections.of([(1, 2, 3, 4)], [0.5], [0], ("person",)),
        "observation": Observation(0.0, np.zeros(0, int), np.zeros((0, 4), np.float32), (), np.zeros(0, bool), np.zeros(0, np.float32)),
        "looks": looks[::20],
        "moments": moments[::10],
        "events": events,
        "comparison": compare(stored_events(store, recording, events), events),
        "backtest": try_rules(store, recording, again, again),
        "plan": yard,
        "config": config.as_dict(),
        "summary": summary,
        "stored": kept,
        "recording": recording,
        "usage": store.usage(),
        "retention": retention(config),
        "removed": retention(config).apply(store),
        "truth": truth_of(load_script("alley"), []),
        "script": load_script("shop-door"),
        "places": [core.Zone("yard", ((0, 0), (1, 0), (1, 1))), core.Tripwire("door", (0, 0), (1, 1)), core.EVERYWHERE],
        "series": core.Series(np.arange(3.0), np.ones(3)),
        "drill": report.Drill((report.Staged("running", 1.0, 2.0),), ("ab",), 1.0),
        "crossings": report.Crossings(),
        "swept": store_room.Swept(),
        "blind": store.blind.begin("yard", 1.0, "off"),
        "wanted": store_room.Wanted("phone", 9.0),
        "user": store.accounts.add_first("Owner", "hash", language="bn", now=1.0),
        "delivery": _told(store, events[-1]),
    }


def test_every_value_survives_the_journey(values):
    for name, value in values.items():
        assert same(journey(value), value), name


def test_no_public_value_was_forgotten(values):
    found: set[str] = set()
    kinds_in(values, found)
    for room in (core, report, store_room):
        for name in room.__all__:
            public = getattr(room, name)
            if isinstance(public, type) and is_dataclass(public) and not issubclass(public, Enum):
                assert name in found | NO_VALUES, f"{room.__name__}.{name}"


@pytest.mark.parametrize("kind", names("behaviours"))
def test_every_behaviour_as_configured_survives_the_journey(kind):
    behaviours = [{"kind": kind, **NEEDS.get(kind, {})}]
    try:
        made = plan(
            from_data({"version": 1, "cameras": {"a": {"source": "0", "zones": ZONES, "lines": LINES, "behaviours": behaviours}}}), "a"
        )
    except core.ConfigError as needs:
        pytest.skip(f"needs a file: {needs}")
    for value in (dict(made.behaviours), dict(made.rules)):
        assert same(journey(value), value)
