"""A watch from the first frame to the summary, also when it is interrupted."""

from __future__ import annotations

import signal

import av
import pytest

from pahara.alarms import AlarmRule
from pahara.config import from_data
from pahara.core import ConfigError, SourceError, StoreError
from pahara.pipeline.replay import compare, events_of, stored_events
from pahara.pipeline.setup import open_plan, plan_of, prepare


def test_a_session_counts_what_it_saw(session):
    told = []
    summary = session.run(lambda running, look: told.append((running.frames, look.frame.time)))
    assert [number for number, _ in told] == list(range(1, 121))
    assert (session.frames, session.detected, session.interrupted) == (120, 120, False)
    assert (summary.facts.frames, summary.facts.detected) == (120, 120)
    assert summary.facts.fps == pytest.approx(10, abs=0.1)
    assert [event.phase for event in session.events] == ["began", "ended"]
    assert session.ongoing == {}
    (card,) = summary.cards
    assert card.event.kind == "intrusion"
    assert 3.5 < card.event.start < 5


def test_seconds_are_of_the_source(session):
    session.seconds = 3.0
    session.run()
    assert session.time == pytest.approx(3.0, abs=0.11)
    assert session.events == []


def test_an_interruption_ends_what_goes_on_and_keeps_it(session, store):
    def stop(running, look):
        if look.frame.time > 6:
            raise KeyboardInterrupt

    summary = session.run(stop)
    assert session.interrupted
    assert [event.phase for event in session.events] == ["began", "ended"]
    assert len(summary.cards) == 1
    (recording,) = store.recordings()
    assert recording.ended is not None
    plan = plan_of(recording)
    again = events_of(store, recording, plan.behaviours, plan.rules)
    assert compare(stored_events(store, recording, again), again).identical
    assert len(again) == 1


def test_a_finished_recording_replays_identically(session, store):
    session.run()
    (recording,) = store.recordings()
    plan = plan_of(recording)
    again = events_of(store, recording, plan.behaviours, plan.rules)
    (kept,) = store.every_event(recording=recording)
    assert [event.id for event in again] == [kept.id]
    assert again[0].boxes == kept.event.boxes
    assert again[0].peak == kept.event.peak


def test_the_annotated_film_has_every_frame(yard, config, tmp_path):
    with open_plan(yard) as source:
        running = prepare(yard, source, config=config, detector=lambda images: _none(images), annotate=tmp_path / "drawn.mp4", seconds=2)
        running.run()
    with av.open(str(tmp_path / "drawn.mp4")) as drawn:
        assert sum(1 for _ in drawn.decode(video=0)) == running.frames == 21


def _none(images):
    from pahara.core import Detections

    return [Detections.of([], [], [], ("person",)) for _ in images]


def test_a_recording_without_a_configuration_needs_one_for_its_replay(store, config):
    recording = store.begin_recording("yard", "yard.mp4", (160, 90), epoch=0.0, memory=10.0, beat=0.1)
    with pytest.raises(StoreError, match=r"give one with -c pahara\.yml"):
        plan_of(recording)
    assert plan_of(recording, config).camera == "yard"
    with pytest.raises(ConfigError, match="has no cameras"):
        plan_of(recording, from_data({"version": 1}))


def test_a_source_that_breaks_for_good_ends_the_watch_with_what_was_seen(session, store, monkeypatch):
    """A camera that never comes back: its trails, its event and the end of the recording are kept, and the user is told."""
    whole = session.source

    class Broken:
        stats = whole.stats

        def __iter__(self):
            for frame in whole:
                if frame.time > 6:
                    raise SourceError("the camera is gone")
                yield frame

    session.source = Broken()
    with pytest.raises(SourceError, match="the camera is gone"):
        session.run()
    (recording,) = store.recordings()
    assert recording.ended is not None
    assert len(list(store.observations(recording))) == 61
    assert len(list(store.every_event(recording=recording))) == 1


def test_an_interruption_in_the_middle_of_a_beat_loses_no_beat(session, store, monkeypatch):
    """Ctrl-C comes as a signal, wherever the program is just then: here while the behaviours think."""
    step = AlarmRule.step

    def interrupted(*words, **kept):
        answer = step(*words, **kept)
        if answer[1]:
            signal.raise_signal(signal.SIGINT)
        return answer

    monkeypatch.setattr(AlarmRule, "step", interrupted)
    session.run()
    monkeypatch.undo()
    assert session.interrupted
    (recording,) = store.recordings()
    plan = plan_of(recording)
    again = events_of(store, recording, plan.behaviours, plan.rules)
    assert len(again) == 1
    assert compare(stored_events(store, recording, again), again).identical
