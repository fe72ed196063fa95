"""Continuous recording on the disk: rows and files agree, whatever dies when, and the oldest goes first."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor

import pytest

from pahara.core import StoreError
from pahara.store import Retention, Store
from pahara.store.database import DiskFullError
from pahara.store.layout import slug

NOON = 1_767_268_800.0  # 2026-01-01 12:00:00 UTC


def minute(store, number, size=1000, camera="gate"):
    return store.footage.add(camera, NOON + 60 * number, NOON + 60 * (number + 1), lambda path: path.write_bytes(bytes(size)))


def files(store):
    return sorted(path.relative_to(store.evidence.folder).as_posix() for path in store.evidence.folder.rglob("*.mp4"))


def test_a_minute_lies_under_its_day_hour_and_camera_and_is_found_by_time(tmp_path):
    with Store.open(tmp_path) as store:
        pieces = [minute(store, number) for number in range(3)]
        assert files(store) == [f"2026-01-01/12/{slug('gate')}/0{n}.00.mp4" for n in range(3)]
        assert [piece.id for piece in store.footage.between("gate", NOON + 59, NOON + 61)] == [pieces[0].id, pieces[1].id]
        assert store.footage.between("yard", NOON, NOON + 600) == []
        assert store.footage.piece(pieces[2].id).path.read_bytes() == bytes(1000)
        again = minute(store, 0)
        assert again.path != pieces[0].path
        assert again.path.is_file()


def test_what_fails_while_it_is_written_leaves_neither_row_nor_file(tmp_path):
    def full(path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with Store.open(tmp_path) as store:
        with pytest.raises(DiskFullError, match="disk full"):
            store.footage.add("gate", NOON, NOON + 60, full)
        with pytest.raises(StoreError, match="nothing was written"):
            store.footage.add("gate", NOON, NOON + 60, lambda path: None)
        assert store.footage.between("gate", NOON, NOON + 60) == []
        assert not [path for path in store.evidence.folder.rglob("*") if path.is_file() and not path.name.startswith(".pahara")]


def test_a_killed_writer_leaves_nothing_behind(tmp_path):
    store = Store.open(tmp_path)
    kept = minute(store, 0)

    def killed(path):
        path.write_bytes(b"half")
        raise SystemExit

    store.footage._unlink = lambda path: False  # nothing of a killed program tidies up
    store.footage.database.writing, writing = None, store.footage.database.writing

    def announce(*asked):
        store.footage.database.writing = writing
        made = type(store.footage)._announce(store.footage, *asked)
        store.footage.database.writing = None
        return made

    store.footage._announce = announce
    with pytest.raises((SystemExit, TypeError)):
        store.footage.add("gate", NOON + 60, NOON + 120, killed)
    store.footage.database.writing = writing
    left = list(store.evidence.folder.rglob(".part-*"))
    assert left
    store.close()
    with Store.open(tmp_path) as store:
        assert not list(store.evidence.folder.rglob(".part-*"))
        assert [piece.id for piece in store.footage.between("gate", NOON, NOON + 600)] == [kept.id]
        kept.path.unlink()
        assert store.sweep().missing == 1
        assert store.footage.between("gate", NOON, NOON + 600) == []


def test_the_oldest_minutes_go_by_age_and_by_size(tmp_path):
    with Store.open(tmp_path, clock=lambda: NOON + 86400) as store:
        for number in range(5):
            minute(store, number)
        removed = Retention(footage_gigabytes=2.5e-6).apply(store)
        assert (removed.footage, removed.footage_bytes) == (3, 3000)
        assert [piece.begin for piece in store.footage.between("gate", NOON, NOON + 600)] == [NOON + 180, NOON + 240]
        assert Retention(footage_days=1.0 - 241 / 86400).apply(store).footage == 1
        assert len(files(store)) == 1
        assert not Retention(footage_days=1.0).apply(store)


def test_room_is_made_of_footage_before_evidence(tmp_path):
    with Store.open(tmp_path) as store:
        minute(store, 0)
        removed = Retention(min_free_gigabytes=1e9).apply(store)
        assert removed.footage == 1
        assert removed.short > 0


def test_several_stores_are_made_at_once(tmp_path):
    with ThreadPoolExecutor(6) as pool:
        for store in pool.map(lambda number: Store.open(tmp_path / str(number)), range(6)):
            assert store.count() == 0
            store.close()
