"""One budget for a camera: what goes beyond it is kept like any other event, and nobody is told; also after a restart."""

import pytest

from pahara.alarms import AlarmBudget
from pahara.config import from_data, plan
from pahara.core import Event, Reason, event_id
from pahara.core.errors import ConfigError
from pahara.pipeline.budgeting import CHANNEL, Budgeting
from pahara.pipeline.record import Recorder
from pahara.store import Store

EPOCH = 1_700_000_000.0
HOUR = 3600.0


def event(behaviour, time, phase="began"):
    return Event(
        id=event_id("gate", behaviour, (1,), EPOCH + time), camera="gate", behaviour=behaviour, kind=behaviour, subject=(1,), phase=phase,
        start=time, time=time + (phase == "ended"), epoch=EPOCH, peak=0.7, peak_time=time, reason=Reason("x", 1, 1), boxes=(), size=(640, 360),
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path, clock=lambda: EPOCH + 30 * HOUR) as opened:
        yield opened


def recorder(store, budget):
    recording = store.begin_recording("gate", "x", (640, 360), epoch=EPOCH)
    made = Recorder(store, recording)
    made.budgeting = Budgeting(budget, store, recording)
    return made


def test_what_is_over_the_budget_is_stored_but_the_outbox_has_nothing_to_tell(store):
    watch = recorder(store, AlarmBudget(2))
    for hour in range(4):
        watch.budgeting.decide([event("running", hour * HOUR)])
        watch._keep(event("running", hour * HOUR), None)
    ids = [event("running", hour * HOUR).id for hour in range(4)]
    assert [each.id for each in store.events(newest_first=False)] == ids
    assert [each.id for each, _ in store.outbox.untold()] == ids[:2]
    assert watch.held == set(ids[2:])
    assert store.outbox.of_event(ids[3])[0].channel == CHANNEL
    realised = watch.budgeting.realised()
    assert (realised.told, realised.held) == (2, 2)


def test_a_restart_does_not_give_a_new_budget(store):
    first = recorder(store, AlarmBudget(2))
    for hour in range(3):
        first.budgeting.decide([event("running", hour * HOUR)])
        first._keep(event("running", hour * HOUR), None)
    recording = store.begin_recording("gate", "x", (640, 360), epoch=EPOCH + 4 * HOUR)
    again = Budgeting(AlarmBudget(2), store, recording)
    assert (again.state.told, again.state.held) == (2, 1)
    late = event("running", 0)
    again.decide([late])
    assert late.id in again.held


def test_the_end_of_a_held_event_is_held_too(store):
    watch = recorder(store, AlarmBudget(1, always=("falling",)))
    for each in (event("running", 0), event("running", HOUR), event("falling", 2 * HOUR), event("running", HOUR, "ended")):
        watch.budgeting.decide([each])
        watch._keep(each, None)
    assert [each.behaviour for each, _ in store.outbox.untold()] == ["running", "falling"]


def configured(**said):
    return from_data({"version": 1, "cameras": {"gate": {"source": "x.mp4", "behaviours": ["running", "falling"], **said}}})


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ("3/day", AlarmBudget(3)),
        (5, AlarmBudget(5)),
        ({"budget": "1/week", "first": ["falling"], "always": ["falling"]}, AlarmBudget(1 / 7, ("falling",), ("falling",))),
    ],
)
def test_a_budget_in_the_configuration(said, made):
    config = configured(alarm_budget=said)
    assert plan(config, "gate").alarm_budget == made
    assert plan(from_data(config.as_dict()), "gate").alarm_budget == made


def test_a_budget_of_all_cameras_may_name_behaviours_that_only_some_have():
    data = configured().as_dict() | {"alarm_budget": {"budget": "2/day", "first": ["intrusion"]}}
    assert plan(from_data(data), "gate").alarm_budget == AlarmBudget(2, ("intrusion",))
    assert plan(configured(), "gate").alarm_budget is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("3/dya", "Did you mean 'day'"),
        ({"budget": "3/day", "first": ["runing"]}, "Did you mean 'running'"),
        ({"bugdet": 3}, "Did you mean 'budget'"),
    ],
)
def test_a_budget_that_cannot_be_says_what_was_meant(said, told):
    with pytest.raises(ConfigError, match=told):
        plan(configured(alarm_budget=said), "gate")
