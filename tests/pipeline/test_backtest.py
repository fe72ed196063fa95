"""What a changed rule would have removed and added."""

from __future__ import annotations

import dataclasses

import pytest

from pahara.config import from_data, plan
from pahara.pipeline.backtest import Backtest, missing_signals, try_rules
from pahara.pipeline.replay import compare, events_of, stored_events


def rules(config, **intrusion):
    """The plan of the yard with another intrusion rule."""
    data = config.as_dict()
    data["cameras"]["yard"]["behaviours"] = [{"kind": "intrusion", "zone": "right", **intrusion}]
    return plan(from_data(data), "yard")


@pytest.fixture
def recording(session, store):
    session.run()
    return store.recordings()[0]


def test_the_same_rules_keep_everything(store, recording, yard):
    result = try_rules(store, recording, yard, yard)
    assert ([old.id == new.id for old, new in result.kept], result.removed, result.added) == ([True], (), ())
    assert result.hours == pytest.approx(12 / 3600, rel=0.02)


def test_a_stricter_rule_removes_and_an_operator_said_it_was_real(store, recording, yard, config):
    (kept,) = store.every_event()
    strict = rules(config, seconds=60)
    assert try_rules(store, recording, yard, strict).confirmed_missed == 0
    store.review(kept.id, "fine")
    assert try_rules(store, recording, yard, strict).confirmed_missed == 0
    store.review(kept.id, "real")
    result = try_rules(store, recording, yard, strict)
    assert [event.id for event in result.removed] == [kept.id]
    assert (result.verdicts, result.confirmed_missed) == ({kept.id: "real"}, 1)
    assert try_rules(store, recording, yard, yard).confirmed_missed == 0, "what is kept is not missed"


def test_a_looser_rule_adds(store, recording, yard, config):
    result = try_rules(store, recording, rules(config, seconds=60), yard)
    assert ([event.kind for event in result.added], result.removed) == (["intrusion"], ())


def test_the_same_incident_a_moment_later_is_kept_and_not_removed_and_added(store, recording, yard, config):
    result = try_rules(store, recording, yard, rules(config, seconds=1))
    assert (len(result.kept), result.removed, result.added) == (1, (), ())
    old, new = result.kept[0]
    assert new.start >= old.start


def test_results_of_several_recordings_add_up(store, recording, yard, config):
    one = try_rules(store, recording, yard, rules(config, seconds=60))
    both = one + one + Backtest()
    assert both.hours == pytest.approx(2 * one.hours)
    assert len(both.removed) == 2


def test_a_rule_whose_signal_was_never_computed_is_told(store, recording, yard, config):
    data = config.as_dict()
    data["cameras"]["yard"]["behaviours"].append("tamper")
    (told,) = missing_signals(store, recording, plan(from_data(data), "yard"))
    assert "'tamper'" in told
    assert missing_signals(store, recording, yard) == []


def test_a_later_watch_of_the_same_film_does_not_take_the_events_of_the_first_away(store, recording, yard):
    again = events_of(store, recording, yard.behaviours, yard.rules)
    second = store.begin_recording("yard", "block.mp4", (160, 90), epoch=recording.epoch, memory=10.0, beat=0.1)
    store.save_event(again[0], second)
    assert compare(stored_events(store, recording, again), again).identical
    stranger = dataclasses.replace(again[0], id="0" * 16)
    assert not compare(stored_events(store, recording, [stranger]), [stranger]).identical
