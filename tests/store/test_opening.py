"""A store is made, found again, brought up to date, or refused in one clear line."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from tests.store.conftest import Place, a_walk, an_event, same

from pahara.core import StoreError
from pahara.store import Store, migrations
from pahara.store.database import parse_url
from pahara.store.tables import HEAD, VERSION_TABLE, metadata

HERE = Path(__file__).parent


def test_the_migrations_make_exactly_the_tables_of_the_program(place: Place):
    with place.open() as store, store.database.reading() as connection:
        found = MigrationContext.configure(connection, opts={"compare_type": True, "version_table": VERSION_TABLE})
        assert compare_metadata(found, metadata) == []
        assert {*metadata.tables} == {
            "about",
            "recordings",
            "trails",
            "events",
            "evidence",
            "footage",
            "chain",
            "seals",
            "blind",
            "deliveries",
            "users",
            "sessions",
            "tokens",
            "audit",
        }


def test_the_newest_migration_is_the_one_the_program_expects():
    assert ScriptDirectory.from_config(migrations.config()).get_heads() == [HEAD]
    assert HEAD in migrations.known()


def test_a_store_of_the_first_version_opens_without_loss(tmp_path):
    """v0001.sql was written by the first version; every later one must still read it."""
    with sqlite3.connect(tmp_path / "pahara.db") as old:
        old.executescript((HERE / "v0001.sql").read_text(encoding="utf-8"))
    old.close()
    with Store.open(tmp_path) as store:
        (recording,) = store.recordings()
        assert (recording.camera, recording.size, recording.memory, recording.config) == ("ফটক", (768, 432), 90.0, "version: 1\n")
        expected = a_walk(30, 2, seed=4)
        assert all(same(a, b) for a, b in zip(expected, store.observations(recording), strict=True))
        ended, began = store.events()
        assert ended.event == an_event(20.0, camera="ফটক", phase="ended")
        assert (ended.reviewed, ended.verdict, ended.note, ended.locked) == (True, "real", "দেখা হয়েছে", True)
        assert began.event == an_event(10.0, camera="ফটক")
        assert [(e.kind, e.state, e.bytes) for e in ended.evidence] == [("snapshot", "kept", 4), ("clip", "expired", 7)]
        assert store.outbox.untold() == []  # nobody wants last year's alarms on the day of the update


def test_opening_again_finds_everything_and_does_not_import_alembic(tmp_path):
    with Store.open(tmp_path) as store:
        store.save_event(an_event())
    look = "import sys; from pahara.store import Store; s = Store.open(sys.argv[1]); print(s.count(), 'alembic' in sys.modules); s.close()"
    run = subprocess.run([sys.executable, "-W", "error", "-c", look, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "False"]


def test_a_new_store_may_be_opened_by_many_at_once(place: Place):
    problems: list[BaseException] = []

    def use(number: int) -> None:
        try:
            with place.open() as store:
                store.save_event(an_event(float(number), subject=(number,)))
        except BaseException as problem:  # noqa: BLE001
            problems.append(problem)

    threads = [threading.Thread(target=use, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with place.open() as store:
        assert store.count() == 4


def test_a_store_of_a_newer_program_is_refused_and_left_alone(place: Place):
    with place.open() as store:
        store.save_event(an_event())
        with store.database.writing() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = 'v9999'"))
    with pytest.raises(StoreError, match=r"newer Pahara \(schema v9999; this one knows up to v0004\): update pahara"):
        place.open()


def test_tables_of_someone_else_are_refused_and_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "pahara.db") as other:
        other.execute("CREATE TABLE events (a)")
    other.close()
    with pytest.raises(StoreError, match="not a Pahara store"):
        Store.open(tmp_path)
    with sqlite3.connect(tmp_path / "pahara.db") as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("events",)]
    other.close()


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "pahara.db").write_bytes(b"this is a shopping list\n" * 400)
    with pytest.raises(StoreError, match=r"damaged .*\.recover"):
        Store.open(tmp_path)


@pytest.mark.parametrize("at", ["header", "everywhere"])
def test_a_database_that_rotted_on_the_disk_is_told(tmp_path, at):
    with Store.open(tmp_path) as store:
        for i in range(200):
            store.save_event(an_event(float(i), subject=(i,)))
    file = tmp_path / "pahara.db"
    rotten = bytearray(file.read_bytes())
    begin = 0 if at == "header" else 4096
    rotten[begin : 60 if at == "header" else None] = b"\xa5" * (60 if at == "header" else len(rotten) - begin)
    file.write_bytes(rotten)
    with pytest.raises(StoreError, match="damaged"), Store.open(tmp_path) as store:
        store.events()


def test_a_path_that_is_a_file_is_told(tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"x")
    with pytest.raises(StoreError, match="is a file: a store is a folder"):
        Store.open(tmp_path / "video.mp4")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "video.mp4" / "store")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "store", media=tmp_path / "video.mp4")


def test_a_folder_in_any_script_is_made(tmp_path):
    where = tmp_path / "ঢাকা % 100" / "store #1?"
    with Store.open(where) as store:
        store.save_event(an_event())
    with Store.open(str(where)) as store:
        assert store.count() == 1
    assert {p.name for p in where.iterdir()} >= {"pahara.db", "media"}


def test_a_url_may_name_the_file_and_another_folder_for_the_evidence(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/here/my.db", media=tmp_path / "there") as store:
        event = an_event()
        store.save_event(event)
        kept = store.add_evidence(event.id, "clip", lambda path: path.write_bytes(b"x"))
        assert kept.path.is_relative_to(tmp_path / "there")
    assert (tmp_path / "here/my.db").exists()
    with Store.open(f"sqlite:///{tmp_path}/here/my.db") as store:
        assert store.evidence.folder == tmp_path / "here/media"


READ_ONLY = """
import os, sys
sys.path.insert(0, sys.argv[2])
from pahara.core import StoreError
from pahara.store import Store
Store.open(sys.argv[3]).close()  # whatever is imported late is imported now
if os.geteuid() == 0:  # root may write anywhere
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    Store.open(sys.argv[1])
    print("opened")
except StoreError as problem:
    print(problem)
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX")
@pytest.mark.parametrize("there_before", [True, False])
def test_a_folder_that_may_not_be_written_is_told(tmp_path, there_before):
    with tempfile.TemporaryDirectory() as place:  # not under tmp_path, where another user cannot look
        Path(place).chmod(0o755)
        folder = Path(place) / "store"
        folder.mkdir()
        if there_before:
            Store.open(folder).close()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        child = [sys.executable, "-c", READ_ONLY, str(folder), str(HERE.parents[1]), str(tmp_path)]
        run = subprocess.run(child, capture_output=True, text=True)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert str(folder) in run.stdout, run.stderr
    assert "permissions" in run.stdout or "may be written" in run.stdout


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody:hunter2@127.0.0.1:1/x", "127.0.0.1"),
        ("postgresql+nodriver://127.0.0.1/x", "no driver"),
        ("mysql://root:hunter2@127.0.0.1/x", "SQLite or PostgreSQL"),
        ("sqlite://", "in memory"),
        ("://", "no database URL"),
        ("postgresql://h:notaport/x", "no database URL"),
    ],
)
def test_a_server_that_is_not_there_or_cannot_be_is_told_without_its_password(tmp_path, url, words):
    with pytest.raises(StoreError, match=words) as told:
        Store.open(url, media=tmp_path)
    assert "hunter2" not in str(told.value)


def test_a_server_needs_a_folder_for_the_evidence():
    with pytest.raises(StoreError, match="give media="):
        Store.open("postgresql://localhost/x")


def test_only_the_url_decides_for_another_driver():
    assert parse_url("postgresql://h/x").drivername == "postgresql+pg8000"
    assert parse_url("postgres://h/x").drivername == "postgresql+pg8000"
    assert parse_url("postgresql+psycopg://h/x").drivername == "postgresql+psycopg"


def test_commits_are_made_durable(tmp_path):
    with Store.open(tmp_path) as store, store.database.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_closing_twice_is_no_error(place: Place):
    store = place.open()
    store.close()
    store.close()
