"""A backup holds one moment of a running store, is checked, and comes back as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import threading

import pytest

from pahara.core import Event, Reason, StoreError, event_id
from pahara.store import Store
from pahara.store.backup import back_up, read_backup, restore

NOON = 1_767_268_800.0


def event(number):
    started = NOON + number
    return Event(event_id("gate", "loitering", (number,), started), "gate", "loitering", "loitering", (number,), "ended", started, started + 5, 0.0, 0.9, started + 1, Reason("loitering", 61.0, 60.0, "s"), ((0.0, 0.0, 5.0, 9.0),), (64, 48))  # fmt: skip


@pytest.fixture
def place(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "pahara.yml").write_text(
        "version: 1\ncameras:\n  gate: {source: 'rtsp://u:secret@127.0.0.1/live'}\n", encoding="utf-8"
    )
    return tmp_path / "old"


def filled(place, count=20):
    store = Store.open(place / "pahara-data")
    for number in range(count):
        store.save_event(event(number))
        store.add_pictures(event(number).id, {"snapshot": lambda path, n=number: path.write_bytes(b"picture %d" % n)})
    store.accounts.add_first("Rahima", "hash", language="bn", now=NOON)
    (place / "pahara-data" / "signing.key").write_text("a key")
    return store


def test_what_was_backed_up_comes_back_byte_for_byte(place, tmp_path):
    with filled(place) as store:
        made = back_up(store, place / "pahara.yml", tmp_path / "backup.tar", evidence=True)
        before = [each.event for each in store.every_event()]
        pictures = {each.id: each.kept("snapshot").path.read_bytes() for each in store.every_event()}
    assert made.evidence == 20
    assert (tmp_path / "backup.tar").stat().st_mode & 0o077 == 0 or os.name == "nt"
    new = tmp_path / "new"
    restore(tmp_path / "backup.tar", new / "pahara.yml", new / "pahara-data")
    assert (new / "pahara.yml").read_bytes() == (place / "pahara.yml").read_bytes()
    assert (new / "pahara-data" / "signing.key").read_text() == "a key"
    with Store.open(new / "pahara-data") as store:
        assert [each.event for each in store.every_event()] == before
        assert {each.id: each.kept("snapshot").path.read_bytes() for each in store.every_event()} == pictures
        assert store.accounts.named("rahima").role == "owner"
        swept = store.sweep()
        assert (swept.orphans, swept.missing, swept.strangers) == (0, 0, 0)


def test_a_backup_of_a_store_that_is_being_written_is_one_moment(place, tmp_path):
    with filled(place, 3) as store:
        stopping = threading.Event()

        def write():
            number = 100
            while not stopping.is_set():
                store.save_event(event(number))
                number += 1

        writer = threading.Thread(target=write)
        writer.start()
        back_up(store, place / "pahara.yml", tmp_path / "backup.tar")
        stopping.set()
        writer.join()
    restore(tmp_path / "backup.tar", tmp_path / "new.yml", tmp_path / "new")
    with Store.open(tmp_path / "new") as store:
        numbers = sorted(each.event.subject[0] for each in store.every_event())
    assert numbers[:3] == [0, 1, 2]
    assert numbers[3:] == list(range(100, 100 + len(numbers) - 3))


def test_what_is_there_is_overwritten_by_nobody(place, tmp_path):
    with filled(place) as store:
        back_up(store, place / "pahara.yml", tmp_path / "backup.tar")
        with pytest.raises(StoreError, match="there already"):
            back_up(store, place / "pahara.yml", tmp_path / "backup.tar")
        with pytest.raises(StoreError, match="--force"):
            restore(tmp_path / "backup.tar", place / "pahara.yml", place / "pahara-data")
        with pytest.raises(StoreError, match="running"):
            restore(tmp_path / "backup.tar", place / "pahara.yml", place / "pahara-data", force=True)
        store.save_event(event(999))
    restore(tmp_path / "backup.tar", place / "pahara.yml", place / "pahara-data", force=True)
    assert list(place.glob("pahara.yml.before-restore-*"))
    assert list((place / "pahara-data").glob("pahara.db.before-restore-*"))
    with Store.open(place / "pahara-data") as store:
        assert store.find(event(999).id) is None
        assert store.count() == 20


def test_a_damaged_or_strange_backup_is_refused_before_anything_is_touched(place, tmp_path):
    with filled(place) as store:
        back_up(store, place / "pahara.yml", tmp_path / "backup.tar")
    data = bytearray((tmp_path / "backup.tar").read_bytes())
    at = data.index(b"rtsp://u:secret")
    data[at] ^= 1
    (tmp_path / "bad.tar").write_bytes(data)
    (tmp_path / "short.tar").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.tar").write_text("no backup")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        for name, content in (
            ("manifest.json", json.dumps({"pahara": "0", "schema": "v0001", "made": 0, "files": {"store/../../x": [1, "a"]}}).encode()),
            ("store/../../x", b"x"),
        ):
            (tmp_path / "piece").write_bytes(content)
            archive.add(tmp_path / "piece", name)
    for name, said in (
        ("bad", "checksum"),
        ("short", "take another|no backup"),
        ("text", "no backup"),
        ("evil", "does not hold"),
        ("none", "no backup"),
    ):
        with pytest.raises(StoreError, match=said):
            restore(tmp_path / f"{name}.tar", tmp_path / "x.yml", tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert read_backup(tmp_path / "backup.tar").database


@pytest.mark.slow
def test_the_verbs_make_a_round_trip_and_accounts_are_made_on_the_machine(place, tmp_path):
    filled(place).close()

    def pahara(*words, given="", folder=place):
        return subprocess.run(
            [sys.executable, "-m", "pahara", *words], cwd=folder, input=given, capture_output=True, text=True, timeout=120
        )

    assert pahara("user", "add", "Karim", "--role", "operator", given="a long strange sentence\n").returncode == 0
    short = pahara("user", "password", "karim", given="short\n")
    assert short.returncode != 0
    assert "at least 10" in short.stderr
    assert "Traceback" not in short.stderr
    assert pahara("user", "password", "karim", given="another strange sentence\n").returncode == 0
    listed = json.loads(pahara("user", "list", "--json").stdout)
    assert [(each["name"], each["role"]) for each in listed] == [("Karim", "operator"), ("Rahima", "owner")]
    last = pahara("user", "remove", "rahima")
    assert last.returncode != 0
    assert "another owner" in last.stderr
    made = pahara("backup", str(tmp_path / "b.tar"), "--json")
    assert json.loads(made.stdout)["database"]
    back = pahara("restore", str(tmp_path / "b.tar"), "-c", str(tmp_path / "new" / "pahara.yml"), "--json", folder=tmp_path)
    assert back.returncode == 0, back.stderr
    assert json.loads(back.stdout)["store"] == str(tmp_path / "new" / "pahara-data")
    with Store.open(tmp_path / "new" / "pahara-data") as store:
        assert store.count() == 20
        assert [each.action for each in store.accounts.log()] == ["password changed", "user added"]
        from pahara.web.passwords import matches

        assert matches(store.accounts.named("Karim").password, "another strange sentence")
