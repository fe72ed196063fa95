"""What a watch keeps, and what it does when there is no room."""

from __future__ import annotations

import av
import pytest
from tests.pipeline.conftest import bright_blocks

from pahara.pipeline.setup import open_plan, prepare
from pahara.store import DiskFullError, Retention, Store


def test_an_event_has_pictures_and_a_clip_that_shows_it(session, store):
    session.run()
    assert session.recorder.problems == []
    (kept,) = store.every_event()
    assert {each.kind for each in kept.evidence} == {"clip", "snapshot", "thumbnail"}
    clip = kept.kept("clip")
    assert clip.path == session.recorder.clips[kept.id]
    with av.open(str(clip.path)) as film:
        bright = [frame.to_ndarray(format="gray").max() > 140 for frame in film.decode(video=0)]
    assert any(bright), "the block is in the clip"
    assert clip.begin <= kept.event.epoch + kept.event.start
    assert clip.end >= kept.event.epoch + kept.event.start + 1


def test_every_beat_is_kept_once_and_in_order(session, store):
    session.run()
    (recording,) = store.recordings()
    times = [seen.time for seen in store.observations(recording)]
    assert len(times) == len(set(times)) == 120
    assert times == sorted(times)


def test_without_a_file_the_defaults_say_how_long_things_are_kept(yard, config, tmp_path):
    """30 days of evidence and of trails. A disk with little room is no reason: nobody asked for it, and the watch is to be looked at."""
    begin = 1_700_000_000.0
    now = [begin]
    assert not config.file
    with Store.open(tmp_path / "out", clock=lambda: now[0]) as store:

        def watch():
            with open_plan(yard) as source:
                running = prepare(yard, source, config=config, detector=bright_blocks, store=store)
                running.run()
            assert running.recorder.problems == []
            assert running.recorder.retention.min_free_gigabytes is None
            return running.recorder.recording

        first = watch()
        now[0] = begin + 29 * 86_400
        watch()
        assert len(list(store.observations(first))) == 120
        now[0] = begin + 31 * 86_400
        last = watch()
        assert len(list(store.observations(first))) == 0
        assert len(list(store.observations(last))) == 120
        (kept,) = store.every_event()  # one film, one event: its evidence is the last watch's
        assert {each.kind for each in kept.evidence} == {"clip", "snapshot", "thumbnail"}


def test_what_has_had_its_time_goes_while_a_watch_goes_on(session, store, monkeypatch):
    """A camera that is watched for weeks: every hour the store is tidied."""
    asked = []
    monkeypatch.setattr(Retention, "apply", lambda self, store, now=None: asked.append(store.clock()))
    now = [1_700_000_000.0]
    monkeypatch.setattr(store, "clock", lambda: now[0])
    session.run(lambda running, _: now.__setitem__(0, now[0] + 100))  # each frame takes 100 s
    assert len(asked) == pytest.approx(120 * 100 / 3600, abs=1)


def test_trails_wait_until_there_is_room_again(session, store, monkeypatch):
    """The disk is full for the first two flushes."""
    add, refused = Store.add_observations, []

    def full(self, recording, observations):
        if len(refused) < 2:
            refused.append(len(observations))
            raise DiskFullError("there is no room")
        add(self, recording, observations)

    monkeypatch.setattr(Store, "add_observations", full)
    session.run()
    (recording,) = store.recordings()
    assert len(refused) == 2
    assert len(list(store.observations(recording))) == 120, "nothing was lost"


def test_a_disk_that_stays_full_costs_evidence_but_not_the_watch(session, store, monkeypatch):
    def full(*_, **__):
        raise DiskFullError("there is no room")

    for name in ("add_observations", "save_event", "add_evidence"):
        monkeypatch.setattr(Store, name, full)
    summary = session.run()
    assert session.frames == 120
    assert len(summary.cards) == 1, "the report has what the disk has not"
    assert summary.cards[0].snapshot is not None
    told = session.recorder.problems
    assert any("there is no room" in problem for problem in told)
    assert any("there was no room until the end" in problem for problem in told)
    assert len(told) == len(set(told)) <= 3, "each reason once, not once a frame"


def test_without_a_store_nothing_is_kept(yard, config, film):
    with open_plan(yard) as source:
        assert prepare(yard, source, config=config, detector=lambda images: []).recorder is None


@pytest.mark.parametrize(
    ("broken", "way", "left"), [("pictures", "add_pictures", {"clip"}), ("clip", "add_evidence", {"snapshot", "thumbnail"})]
)
def test_evidence_that_fails_costs_only_itself(session, store, monkeypatch, broken, way, left):
    """The two pictures of an event are kept together, its clip for itself."""

    def refused(self, *_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Store, way, refused)
    session.run()
    (kept,) = store.every_event()
    assert {each.kind for each in kept.evidence} == left
    assert len(session.recorder.problems) == 1
    assert broken in session.recorder.problems[0]
