"""Events come back whole, are found by anything one may ask, and keep what people said about them."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text
from tests.store.conftest import EPOCH, Place, a_walk, an_event

from pahara.core import Reason, StoreError
from pahara.store import Store


def test_an_event_comes_back_as_it_was_handed_in(store: Store):
    recording = store.begin_recording("gate", "gate.mp4", (768, 432), epoch=EPOCH)
    told = an_event(subject=(3, 17), camera="ফটক ১", boxes=((1.1, 2.2, 3.3, 4.4), (5.0, 6.0, 7.0, 8.0)))
    store.save_event(told, recording)
    kept = store.event(told.id)
    assert kept.event == told
    assert (kept.recording, kept.reviewed, kept.verdict, kept.note, kept.locked, kept.evidence) == (
        recording.id,
        False,
        None,
        "",
        False,
        (),
    )
    assert store.events(recording=recording) == [kept]


def test_numbers_from_numpy_and_odd_words_are_kept(store: Store):
    reason = Reason("x.y", np.float32(1.5), np.float64(2), values={"n": np.int64(4), "name": 'a"\\\x00\u2028\ud800😀', "inf": float("inf")})
    told = an_event(subject=(np.int64(4),), peak=np.float32(0.5), start=np.float64(3.25), reason=reason, camera="a\x00b")
    store.save_event(told)
    kept = store.event(told.id).event
    assert kept.reason.values == {"n": 4, "name": 'a"\\\x00\u2028\ud800😀', "inf": float("inf")}
    assert (kept.subject, kept.peak, kept.start, kept.camera) == ((4,), 0.5, 3.25, "ab")


def test_the_end_completes_the_beginning_and_nothing_undoes_it(store: Store):
    began = an_event()
    ended = replace(began, phase="ended", time=60.0, peak=0.9, peak_time=40.0, boxes=((5.0, 5.0, 9.0, 9.0),))
    store.save_event(began)
    store.save_event(began)
    assert store.event(began.id).event == began
    store.review(began.id, "real", "seen")
    store.lock(began.id)
    store.save_event(ended)
    store.save_event(ended)
    store.save_event(began)  # late, or told twice
    kept = store.event(began.id)
    assert kept.event == ended
    assert (kept.reviewed, kept.verdict, kept.note, kept.locked) == (True, "real", "seen", True)
    assert store.count() == 1


def test_an_end_without_its_beginning_is_kept(store: Store):
    ended = an_event(phase="ended")
    store.save_event(ended)
    assert store.event(ended.id).event == ended


def test_review_says_what_it_was_and_may_be_taken_back(store: Store):
    told = an_event()
    store.save_event(told)
    assert store.review(told.id, "fine", "a cat 🐈\x00").note == "a cat 🐈"
    assert store.review(told.id, "real").note == "a cat 🐈"
    back = store.review(told.id, None, "", reviewed=False)
    assert (back.reviewed, back.verdict, back.note) == (False, None, "")
    with pytest.raises(StoreError, match="no verdict 'maybe'"):
        store.review(told.id, "maybe")  # type: ignore[arg-type]
    assert store.lock(told.id).locked
    assert not store.lock(told.id, False).locked


@pytest.mark.parametrize("ask", [lambda s: s.event("nobody"), lambda s: s.lock("nobody"), lambda s: s.review("nobody", "real")])
def test_an_event_that_is_not_there_is_told(store: Store, ask):
    with pytest.raises(StoreError, match="no event 'nobody'"):
        ask(store)
    with pytest.raises(StoreError, match="no recording 9"):
        store.recording(9)


@pytest.mark.parametrize("bad", ["", "../../etc/passwd", "a b", "x" * 65, "a\x00"])
def test_an_id_that_could_be_a_path_is_refused(store: Store, bad):
    with pytest.raises(StoreError, match="cannot be called"):
        store.save_event(an_event(id=bad))


def test_an_event_without_a_time_is_refused(store: Store):
    with pytest.raises(StoreError, match="has no time"):
        store.save_event(an_event(epoch=float("nan")))


@pytest.fixture
def busy(store: Store) -> Store:
    recording = store.begin_recording("gate", "gate.mp4", (768, 432), epoch=EPOCH)
    for i in range(60):
        told = an_event(float(i // 2), camera=["gate", "yard", "ছাদ"][i % 3], kind=["loitering", "running"][i % 2], subject=(i,))
        store.save_event(told, recording)
        if i % 4 == 0:
            store.review(told.id, ["real", "fine"][i % 8 == 0])
        if i % 10 == 0:
            store.lock(told.id)
    return store


QUESTIONS = (
    ({}, lambda e: True),
    ({"camera": "ছাদ"}, lambda e: e.event.camera == "ছাদ"),
    ({"camera": ["gate", "yard"]}, lambda e: e.event.camera in ("gate", "yard")),
    ({"camera": []}, lambda e: False),
    ({"kind": "running"}, lambda e: e.event.kind == "running"),
    ({"behaviour": "running-rule", "camera": "gate"}, lambda e: e.event.kind == "running" and e.event.camera == "gate"),
    ({"since": EPOCH + 5, "until": EPOCH + 20}, lambda e: 5 <= e.event.start < 20),
    ({"reviewed": True}, lambda e: e.reviewed),
    ({"reviewed": False, "kind": "loitering"}, lambda e: not e.reviewed and e.event.kind == "loitering"),
    ({"verdict": "fine"}, lambda e: e.verdict == "fine"),
    ({"verdict": ["fine", "real"], "locked": True}, lambda e: e.verdict and e.locked),
    ({"locked": False}, lambda e: not e.locked),
)


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_question_finds_exactly_what_it_asks_page_by_page(busy: Store, newest_first):
    everything = busy.events(limit=1000)
    assert len(everything) == 60
    for asked, true in QUESTIONS:
        expected = sorted((e for e in everything if true(e)), key=lambda e: (e.start_utc, e.id), reverse=newest_first)
        assert len(expected) < 60 or not asked
        assert busy.events(**asked, limit=1000, newest_first=newest_first) == expected, asked
        assert busy.count(**asked) == len(expected)
        assert list(busy.every_event(**asked, newest_first=newest_first)) == expected
        paged, after = [], None
        while page := busy.events(**asked, limit=7, newest_first=newest_first, after=after):
            paged += page
            after = page[-1].cursor
        assert paged == expected, asked


def test_a_page_goes_on_where_it_was_while_new_events_come(busy: Store):
    first = busy.events(limit=10)
    busy.save_event(an_event(1000.0))
    second = busy.events(limit=10, after=first[-1].cursor)
    assert not {e.id for e in first} & {e.id for e in second}
    assert [e.start_utc for e in first + second] == sorted((e.start_utc for e in first + second), reverse=True)


@pytest.mark.parametrize("cursor", ["", "x", "1.0", "x~y", "1.0~'; DROP TABLE events; --"])
def test_a_cursor_that_nobody_gave_is_told(store: Store, cursor):
    with pytest.raises(StoreError, match="no place in a list"):
        store.events(after=cursor)


def test_no_question_reads_the_whole_table(tmp_path):
    with Store.open(tmp_path) as store, store.database.reading() as connection:
        order = "ORDER BY start_utc DESC, id DESC LIMIT 100"
        for where in (
            "1",
            "camera = 'x'",
            "behaviour = 'x'",
            "kind = 'x'",
            "reviewed IS 0",
            "verdict = 'real'",
            "locked IS 1",
            "start_utc >= 5 AND start_utc < 9",
            "camera = 'x' AND (start_utc, id) < (5.0, 'a')",
        ):
            plan = " ".join(row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN SELECT * FROM events WHERE {where} {order}")))
            assert "USING INDEX" in plan, f"{where}: {plan}"
            assert "TEMP B-TREE" not in plan, f"{where}: {plan}"


def test_a_recording_says_what_a_replay_needs(place: Place):
    with place.open(clock=lambda: 1000.5) as store:
        made = store.begin_recording(
            "ফটক", "rtsp://admin:s3cret@10.0.0.5/live", (1920, 1080), epoch=EPOCH + 0.123456, memory=90.0, beat=0.2, config="version: 1\n", settings={"detector": "yolox"}
        )  # fmt: skip
        assert "s3cret" not in made.source
        assert made.ended is None
    with place.open(clock=lambda: 2000.5) as store:
        (again,) = store.recordings(camera="ফটক")
        assert again == made
        assert (again.camera, again.size, again.epoch, again.memory, again.beat) == ("ফটক", (1920, 1080), EPOCH + 0.123456, 90.0, 0.2)
        assert (again.config, again.settings, again.begun) == ("version: 1\n", {"detector": "yolox"}, 1000.5)
        store.end_recording(again)
        assert store.recording(made.id).ended == 2000.5
        later = store.begin_recording("yard", "yard.mp4", (10, 10))
        assert store.recordings() == [store.recording(made.id), later]
        assert store.recordings(since=1500) == [later]
        assert store.recordings(until=1500, camera=["yard", "ফটক"]) == [store.recording(made.id)]


def test_passwords_are_not_kept(store: Store):
    made = store.begin_recording("gate", "rtsp://u:p@h:554/a?user=a&pwd=b&n=1", (10, 10))
    assert store.recording(made.id).source == made.source == "rtsp://***@h:554/a?user=a&pwd=***&n=1"


def test_readers_and_writers_work_at_the_same_time(store: Store):
    recording = store.begin_recording("gate", "gate.mp4", (768, 432), epoch=EPOCH)
    problems: list[BaseException] = []
    done = threading.Event()

    def write(camera: str) -> None:
        try:
            for i in range(25):
                told = an_event(float(i), camera=camera, subject=(i,))
                store.save_event(told, recording)
                store.add_evidence(told.id, "thumbnail", lambda path: path.write_bytes(b"jpeg"))
                store.save_event(replace(told, phase="ended"), recording)
                if camera == "a":
                    store.add_observations(recording, a_walk(20, begin=i * 10.0))
        except BaseException as problem:  # noqa: BLE001
            problems.append(problem)

    def read() -> None:
        try:
            while not done.is_set():
                for found in store.events(limit=50):
                    assert found.event.reason.code == "loitering.dwell"
                    assert all(e.path.is_file() for e in found.evidence)
                assert sum(1 for _ in store.observations(recording)) % 20 == 0
        except BaseException as problem:  # noqa: BLE001
            problems.append(problem)

    writers = [threading.Thread(target=write, args=(camera,)) for camera in "abc"]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert problems == []
    assert store.count() == 75
    assert store.usage().evidence == 75


def test_several_cameras_are_one_list_that_pages_without_loss(place: Place):
    from dataclasses import replace

    with place.open() as store:
        made = []
        for number in range(30):
            event = replace(an_event(float(number % 10), camera=f"c{number % 4}"), id=f"e{number:02d}")  # some begin at the same moment
            store.save_event(event)
            made.append(event)
        for cameras in (["c0", "c2"], ["c3", "c1", "c2", "c0", "none"], ("c1", "c1")):
            for newest_first in (True, False):
                for more in ({}, {"since": made[3].epoch + 3, "until": made[3].epoch + 8}, {"reviewed": False}, {"kind": made[0].kind}):
                    expected = sorted(
                        (e.epoch + e.start, e.id) for e in made if e.camera in cameras and (not more.get("since") or 3 <= e.start < 8)
                    )
                    seen, after = [], None
                    while page := store.events(camera=cameras, newest_first=newest_first, limit=4, after=after, **more):
                        assert len(page) <= 4
                        seen += [(each.start_utc, each.id) for each in page]
                        after = page[-1].cursor
                    assert seen == (expected[::-1] if newest_first else expected)
