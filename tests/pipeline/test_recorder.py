"""What a watch keeps, and what it does when there is no room."""

from __future__ import annotations

import av
import pytest

from pahara.pipeline.setup import prepare
from pahara.store import DiskFullError, Store


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
    from pahara.pipeline.setup import open_plan

    with open_plan(yard) as source:
        assert prepare(yard, source, config=config, detector=lambda images: []).recorder is None


@pytest.mark.parametrize("broken", ["snapshot", "thumbnail", "clip"])
def test_one_piece_of_evidence_that_fails_costs_only_itself(session, store, monkeypatch, broken):
    add = Store.add_evidence

    def sometimes(self, event_id, kind, write, **kept):
        if kind == broken:
            raise OSError(5, "Input/output error")
        return add(self, event_id, kind, write, **kept)

    monkeypatch.setattr(Store, "add_evidence", sometimes)
    session.run()
    (kept,) = store.every_event()
    assert {each.kind for each in kept.evidence} == {"clip", "snapshot", "thumbnail"} - {broken}
    assert len(session.recorder.problems) == 1
    assert broken in session.recorder.problems[0]
