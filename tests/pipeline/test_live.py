"""Many cameras at once: films that play at their own pace, detectors that fail or hang, cameras that come and go."""

from __future__ import annotations

import json
import threading
import time

import pytest

from pahara.config import from_data
from pahara.core import SourceError
from pahara.pipeline.keeper import Keeper
from pahara.pipeline.live import Live, Pulse
from pahara.pipeline.slot import Slot
from pahara.pipeline.station import Clock
from pahara.store import Store

from .conftest import bright_blocks, configuration


def until(true, seconds=20.0):
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def cameras(film, *keys, **more):
    told = configuration(film).as_dict()
    yard = told["cameras"]["yard"]
    return from_data({**told, **more, "cameras": {key: {**yard, "source": str(film)} for key in keys}})


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def test_a_slot_holds_the_newest_frame_and_counts_what_it_pushed_out():
    slot = Slot(threading.Condition())
    assert slot.take() is None
    for number in range(3):
        slot.put(number, at=float(number))
    assert (slot.take().frame, slot.dropped) == (2, 2)
    assert slot.take() is None


def test_a_keeper_does_everything_in_order_and_outlives_what_fails(caplog):
    keeper, done = Keeper(), []
    for number in range(50):
        keeper.put(lambda number=number: done.append(number) if number != 7 else 1 / 0)
    assert keeper.stop()
    assert done == [number for number in range(50) if number != 7]
    assert keeper.failed == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_keeper_that_is_behind_refuses_what_may_be_lost_and_takes_what_must_not():
    held, done = threading.Event(), []
    keeper = Keeper(most=2)
    keeper.put(held.wait)
    until(lambda: keeper.backlog == 0)
    assert [keeper.put(lambda: done.append("look"), must=False) for _ in range(4)] == [True, True, False, False]
    keeper.put(lambda: done.append("event"))
    held.set()
    assert keeper.stop()
    assert done == ["look", "look", "event"]
    assert keeper.refused == 2


def test_a_leap_of_the_wall_clock_is_told_from_drift():
    wall, steady = [1000.0], [0.0]
    clock = Clock(lambda: wall[0], lambda: steady[0])
    for _ in range(100):  # one part in a hundred too fast
        wall[0] += 1.01
        steady[0] += 1.0
        assert clock.leap() == 0.0
    assert clock.now() == pytest.approx(wall[0], abs=0.2)
    wall[0] += 3600.0
    assert clock.leap() == pytest.approx(3600, abs=0.2)
    assert clock.now() == pytest.approx(wall[0])
    assert clock.leap() == 0.0


def test_a_pulse_is_read_back_and_a_damaged_one_tells_nothing(tmp_path):
    pulse = Pulse(tmp_path / "pulse.json")
    assert pulse.read() == {}
    pulse.write({"gate": 12.3456})
    assert pulse.read() == {"gate": 12.346}
    (tmp_path / "pulse.json").write_text('{"gate": ')
    assert pulse.read() == {}
    (tmp_path / "pulse.json").write_text("[1, 2]")
    assert pulse.read() == {}


@pytest.mark.slow
def test_two_cameras_are_watched_together_and_their_events_are_stored_before_they_are_told(film, store):
    heard = []

    def hear(event):
        heard.append((event.camera, event.phase, store.event(event.id).event.phase))

    with Live(cameras(film, "yard", "gate"), store, make=lambda chosen: bright_blocks, rate=10) as live:
        live.listen(hear)
        until(lambda: {camera for camera, phase, _ in heard if phase == "ended"} == {"yard", "gate"})
        assert [status.state for status in live.health().cameras] == ["watching", "watching"]
        assert live.health().well
        assert live.station("yard").picture()[0].shape == (90, 160, 3)
    assert all(kept in (phase, "ended") for _, phase, kept in heard)
    for stored in store.events():
        assert stored.event.phase == "ended"
        assert stored.kept("clip")
        assert stored.kept("snapshot")
        assert abs(stored.start_utc - time.time()) < 60  # a film plays now, not when it was made
    assert all(recording.ended is not None for recording in store.recordings())
    assert {each.why for each in store.blind.between(0, 1e12)} == {"off"}


@pytest.mark.slow
def test_a_detector_that_fails_is_loaded_again_and_the_owner_hears_of_it_once(film, store, monkeypatch):
    monkeypatch.setattr("pahara.pipeline.live.REST", 0.3)
    monkeypatch.setattr("pahara.pipeline.live.WELL", 1.0)
    made, heard = [], []

    def make(chosen):
        made.append(chosen)
        calls = iter(range(10**9))

        def detect(images):
            if len(made) < 3 and next(calls) > 3:
                raise RuntimeError("the model broke")
            return bright_blocks(images)

        return detect

    with Live(cameras(film, "yard"), store, make=make, rate=10) as live:
        live.listen(lambda event: heard.append((event.kind, event.phase)))
        until(lambda: ("detector_failed", "ended") in heard)
        assert len(made) == 3
        assert heard.count(("detector_failed", "began")) == 1
        assert live.health().restarts == 2
        assert live.health().well
    (told,) = store.events(kind="detector_failed")
    assert "RuntimeError: the model broke" in told.event.reason.values["said"]


@pytest.mark.slow
def test_a_detector_that_hangs_is_replaced_and_its_late_answer_counts_for_nothing(film, store, monkeypatch):
    monkeypatch.setattr("pahara.pipeline.live.REST", 0.3)
    monkeypatch.setattr("pahara.pipeline.live.WELL", 1.0)
    made, heard, release = [], [], threading.Event()

    def make(chosen):
        made.append(chosen)
        first = len(made) == 1

        def detect(images):
            if first:
                release.wait(30)
            return bright_blocks(images)

        return detect

    with Live(cameras(film, "yard", "gate"), store, make=make, rate=10, hang=1.0) as live:
        live.listen(lambda event: heard.append((event.kind, event.phase)))
        until(lambda: ("detector_failed", "ended") in heard)
        looks = live.station("yard").looks
        release.set()
        until(lambda: live.station("yard").looks > looks + 5)
        assert all(status.state == "watching" for status in live.health().cameras)


@pytest.mark.slow
def test_one_camera_whose_behaviour_fails_does_not_blind_the_others(film, store, monkeypatch):
    monkeypatch.setattr("pahara.pipeline.station.AGAIN", 0.5)
    from pahara.pipeline.analyst import Analyst

    real, broken = Analyst.look, [True]

    def look(self, *given):
        if self.camera == "yard" and broken[0]:
            raise ValueError("a plug-in of the owner's own")
        return real(self, *given)

    monkeypatch.setattr(Analyst, "look", look)
    with Live(cameras(film, "yard", "gate"), store, make=lambda chosen: bright_blocks, rate=10) as live:
        until(lambda: live.station("yard").state == "failed" and live.station("gate").looks > 5)
        assert live.station("gate").state == "watching"
        broken[0] = False
        until(lambda: live.station("yard").state == "watching")
    (told,) = store.events(kind="camera_failed")
    assert told.event.camera == "yard"
    assert told.event.phase == "ended"
    assert "a plug-in of the owner's own" in told.event.reason.values["said"]


@pytest.mark.slow
def test_a_changed_camera_begins_anew_and_the_others_never_notice(film, store):
    before = cameras(film, "yard", "gate", "attic")
    with Live(before, store, make=lambda chosen: bright_blocks, rate=10) as live:
        until(lambda: all(station.looks > 2 for station in live.stations.values()))
        gate, yard = live.station("gate"), live.station("yard")
        told = before.as_dict()
        told["cameras"]["yard"]["name"] = "আঙিনা"
        told["cameras"]["cellar"] = told["cameras"].pop("attic")
        assert live.reload(from_data(told)) == {"yard": "changed", "attic": "removed", "cellar": "added"}
        assert live.station("gate") is gate
        assert live.station("yard") is not yard
        assert live.station("attic") is None
        until(lambda: all(station.looks > 2 for station in live.stations.values()))
        assert live.reload(from_data(told)) == {}


@pytest.mark.slow
def test_a_change_that_makes_no_sense_changes_nothing(film, store):
    before = cameras(film, "yard")
    broken = before.as_dict()
    broken["cameras"]["yard"]["detector"] = "no-such-model.onnx"

    def make(chosen):
        if chosen.name == "no-such-model.onnx":
            return chosen.make()
        return bright_blocks

    with Live(before, store, make=make, rate=10) as live:
        until(lambda: live.station("yard").looks > 2)
        yard = live.station("yard")
        with pytest.raises(Exception, match="no-such-model"):
            live.reload(from_data(broken))
        assert live.station("yard") is yard
        assert live.config is before


@pytest.mark.slow
def test_a_camera_that_cannot_be_opened_is_told_of_and_the_rest_goes_on(film, store, monkeypatch):
    monkeypatch.setattr("pahara.pipeline.station.OFFLINE", 1.0)
    from pahara.pipeline.station import open_live

    missing = [True]

    def opener(plan):
        if plan.camera == "attic" and missing[0]:
            raise SourceError("nothing listens there")
        return open_live(plan)

    with Live(cameras(film, "yard", "attic"), store, make=lambda chosen: bright_blocks, rate=10, opener=opener) as live:
        until(lambda: live.station("attic").state == "offline" and live.station("yard").looks > 3)
        assert not live.health().well
        until(lambda: store.count(kind="offline") == 1)
        missing[0] = False
        until(lambda: live.station("attic").state == "watching")
        until(lambda: store.events(kind="offline")[0].event.phase == "ended")
    assert store.events(kind="offline")[0].event.reason.values["said"] == "nothing listens there"


@pytest.mark.slow
def test_the_time_that_pahara_was_off_stands_in_the_ledger(film, store, tmp_path):
    config = cameras(film, "yard")
    with Live(config, store, make=lambda chosen: bright_blocks, rate=10) as live:
        until(lambda: live.station("yard").looks > 2)
    pulse = tmp_path / "store" / "pulse.json"
    seen = json.loads(pulse.read_text())
    pulse.write_text(json.dumps({"yard": seen["yard"] - 100.0}))  # as if it had been killed 100 s ago
    with Live(config, store, make=lambda chosen: bright_blocks, rate=10) as live:
        until(lambda: live.station("yard").looks > 2)
    off = max((each for each in store.blind.between(0, 1e12) if each.end is not None), key=lambda each: each.seconds(0))
    assert (off.camera, off.why) == ("yard", "off")
    assert off.begin == pytest.approx(seen["yard"] - 100.0, abs=0.01)
    assert 100 <= off.seconds(0) < 110
