"""Retention removes the oldest first, no more than it must, and never what someone locked."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update
from tests.store.conftest import EPOCH, Place, a_walk, an_event, write_until_full

from pahara.store import Removed, Retention, Store, shelf
from pahara.store.retention import DAY
from pahara.store.tables import events, evidence


@dataclass
class Clock:
    """The wall clock of a test."""

    now: float = EPOCH

    def __call__(self) -> float:
        return self.now


def files(media: Path) -> set[str]:
    return {p.relative_to(media).as_posix() for p in media.rglob("*") if p.is_file()} - {".pahara-lock", ".pahara-store"}


things = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 3000), st.booleans(), st.sampled_from(["clip", "snapshot"])), max_size=12)
limits = st.none() | st.floats(0, 20)


@given(things, limits, st.none() | st.integers(0, 12_000), limits)
@settings(max_examples=25, deadline=None)
def test_what_stays_is_the_newest_that_fits_and_everything_locked(things, days, room, event_days):
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        with Store.open(folder, clock=clock) as store:
            kept = []
            for i, (age, size, locked, kind) in enumerate(sorted(things, key=lambda thing: -thing[0])):
                clock.now = EPOCH - age * DAY
                event = an_event(float(i), subject=(i,))
                store.save_event(event)
                if locked:
                    store.lock(event.id)
                made = store.add_evidence(event.id, kind, lambda path, size=size: path.write_bytes(b"x" * size))  # type: ignore[misc]
                kept.append((made, locked))
            clock.now = EPOCH
            removed = Retention(days=days, gigabytes=None if room is None else room / 1e9, event_days=event_days).apply(store)

            expected = {made.id for made, locked in kept if locked or days is None or made.stored >= EPOCH - days * DAY}
            gone_events = {
                made.event_id for made, locked in kept if not locked and event_days is not None and made.stored < EPOCH - event_days * DAY
            }
            expected -= {made.id for made, _ in kept if made.event_id in gone_events}
            total = sum(made.bytes for made, _ in kept if made.id in expected)
            for made, locked in kept:  # oldest first
                if room is not None and total > room and made.id in expected and not locked:
                    expected.remove(made.id)
                    total -= made.bytes

            left = {event.id: event for event in store.every_event()}
            assert left.keys() == {made.event_id for made, _ in kept} - gone_events
            for made, _ in kept:
                if made.event_id in left:
                    (now,) = left[made.event_id].evidence
                    assert now == (made if made.id in expected else replace(made, state="expired"))
            assert files(Path(folder) / "media") == {made.relative for made, _ in kept if made.id in expected}
            away = [made for made, _ in kept if made.id not in expected]
            assert (removed.evidence, removed.bytes, removed.events) == (len(away), sum(made.bytes for made in away), len(gone_events))
            assert removed.short == max(0, total - room if room is not None else 0)
            assert not store.sweep().orphans
            assert Retention(days=days, gigabytes=None if room is None else room / 1e9, event_days=event_days).apply(store) == Removed(
                short=removed.short
            )


def test_nothing_is_removed_when_nobody_says_so(store: Store, place: Place):
    event = an_event()
    store.save_event(event, store.begin_recording("gate", "x", (1, 1)))
    store.add_evidence(event.id, "clip", lambda path: path.write_bytes(b"x"))
    assert Retention().apply(store, now=1e12) == Removed()
    assert not Retention().apply(store)
    assert len(files(place.media)) == 1


def test_every_kind_of_thing_has_its_own_time(place: Place):
    clock = Clock()
    with place.open(clock=clock) as store:
        recording = store.begin_recording("gate", "x", (768, 432), epoch=EPOCH, memory=5.0)
        ids = []
        for day in range(6):
            clock.now = EPOCH + day * DAY
            store.add_observations(recording, a_walk(20, begin=day * 100.0))
            event = an_event(day * 100.0, subject=(day,))
            store.save_event(event, recording)
            store.add_evidence(event.id, "clip", lambda path: path.write_bytes(b"x" * 100))
            ids.append(event.id)
        store.end_recording(recording)
        store.lock(ids[1])
        removed = Retention(days=2.5, track_days=1.5, event_days=4.5).apply(store)
        left = {event.id: event for event in store.every_event()}
        assert list(left) == ids[1:]
        assert [bool(left[i].kept("clip")) for i in ids[1:]] == [True, False, True, True, True]
        # The stretch that the locked event of the second day stands on is still there to be replayed.
        assert sorted({o.time // 100 for o in store.observations(recording)}) == [1, 4, 5]
        assert (removed.evidence, removed.bytes, removed.events, removed.trails, removed.recordings) == (2, 200, 1, 3, 0)
        assert removed.trail_bytes > 0

        store.lock(ids[1], False)
        clock.now += 100 * DAY
        last = Retention(days=1, track_days=1, event_days=1).apply(store)
        assert (last.evidence, last.events, last.trails, last.recordings) == (4, 5, 3, 1)
        assert store.usage().evidence == store.usage().events == store.usage().trail_beats == store.usage().recordings == 0
        assert files(place.media) == set()


def test_a_recording_that_goes_on_stays_even_when_it_is_empty(place: Place):
    clock = Clock()
    with place.open(clock=clock) as store:
        going, done = (store.begin_recording("gate", "x", (1, 1)) for _ in range(2))
        store.end_recording(done)
        clock.now += 10 * DAY
        assert Retention(track_days=1).apply(store).recordings == 1
        assert store.recordings() == [going]


def test_more_than_a_batch_goes_in_one_round(place: Place):
    clock = Clock()
    with place.open(clock=clock) as store:
        event = an_event()
        store.save_event(event)
        locked = an_event(5.0)
        store.save_event(locked)
        store.lock(locked.id)
        store.add_evidence(locked.id, "clip", lambda path: path.write_bytes(b"x" * 10))
        others = [an_event(10.0 + i, subject=(i,)) for i in range(450)]
        with store.database.writing() as connection:  # in one transaction: only quicker
            told = {"stored": EPOCH, "reviewed": False, "note": "", "locked": False}
            connection.execute(insert(events), [shelf.row_of(other) | told for other in others])
            shown = {"kind": "clip", "state": "kept", "bytes": 10, "sha256": "", "stored": EPOCH}
            paths = [store.evidence.path_for(other, "clip").relative_to(place.media).as_posix() for other in others]
            connection.execute(insert(evidence), [shown | {"event_id": o.id, "path": p} for o, p in zip(others, paths, strict=True)])
        for path in paths:
            (place.media / path).parent.mkdir(parents=True, exist_ok=True)
            (place.media / path).write_bytes(b"x" * 10)
        removed = Retention(gigabytes=100 / 1e9).apply(store)
        assert (removed.evidence, removed.bytes, removed.short) == (441, 4410, 0)
        assert len(files(place.media)) == 10
        last = Retention(event_days=1).apply(store, now=EPOCH + 2 * DAY)
        assert (last.events, last.evidence) == (451, 9)
        assert [e.id for e in store.every_event()] == [locked.id]
        assert len(files(place.media)) == 1


def test_evidence_that_someone_else_removed_counts_for_nothing(store: Store):
    event = an_event()
    store.save_event(event)
    store.add_evidence(event.id, "clip", lambda path: path.write_bytes(b"x" * 10)).path.unlink()
    removed = Retention(gigabytes=0).apply(store)
    assert removed.short == 0
    assert store.event(event.id).evidence[0].state == "expired"


def test_a_disk_that_must_keep_room_gives_everything_but_what_is_locked(store: Store, place: Place):
    for i in range(3):
        event = an_event(float(i), subject=(i,))
        store.save_event(event)
        store.add_evidence(event.id, "clip", lambda path: path.write_bytes(b"x" * 10))
    store.lock(event.id)
    assert not Retention(min_free_gigabytes=0).apply(store)
    removed = Retention(min_free_gigabytes=1e9).apply(store)
    assert removed.evidence == 2
    assert removed.short > 0
    assert files(place.media) == {store.event(event.id).evidence[0].relative}


def test_locking_in_the_very_moment_of_retention_keeps_the_evidence(store: Store):
    event = an_event()
    store.save_event(event)
    kept = store.add_evidence(event.id, "clip", lambda path: path.write_bytes(b"x" * 10))
    removed: list[Removed] = []
    round_of_retention = threading.Thread(target=lambda: removed.append(Retention(gigabytes=0).apply(store)))
    with store.database.writing() as connection:  # someone presses "lock", and the database is about to say yes
        connection.execute(update(events).where(events.c.id == event.id).values(locked=True))
        round_of_retention.start()
        round_of_retention.join(0.5)
        assert round_of_retention.is_alive()  # it waits for the answer
    round_of_retention.join(20)
    assert removed == [Removed(short=10)]
    assert store.event(event.id).evidence == (kept,)
    assert kept.path.exists()


@pytest.mark.parametrize("wrong", [{"days": -1.0}, {"gigabytes": float("nan")}, {"track_days": -0.5}])
def test_a_time_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="must be 0 or more"):
        Retention(**wrong)


def test_a_full_disk_is_freed_by_retention_and_work_goes_on(small_disk: Path):
    with Store.open(small_disk) as store:
        precious = an_event(0.0)
        store.save_event(precious)
        store.lock(precious.id)
        store.add_evidence(precious.id, "clip", lambda path: path.write_bytes(b"x" * 100_000))
        write_until_full(store, "gate", clip=100_000)
        write_until_full(store, "yard")  # now the database itself has no room to grow
        before = store.usage()
        assert before.evidence > 5
        removed = Retention(gigabytes=0.0002).apply(store)
        assert removed.evidence == before.evidence - 2
        assert removed.short == 0
        for j in range(10):
            store.save_event(an_event(float(j), camera="roof", subject=(j,)))
        assert store.count(camera="roof") == 10
        assert len(files(small_disk / "media")) == 2
        assert store.usage().locked_bytes == 100_000
