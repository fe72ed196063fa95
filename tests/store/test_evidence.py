"""Evidence is there whole or not at all, whatever dies when, and stays inside its folder."""

from __future__ import annotations

import errno
import hashlib
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update
from tests.store.conftest import EPOCH, Place, an_event, write_until_full

from pahara.core import StoreError
from pahara.store import DiskFullError, Store
from pahara.store.layout import slug
from pahara.store.tables import evidence


def files(media: Path) -> set[str]:
    """Everything under the media folder, but for its two own marks."""
    found = {p.relative_to(media).as_posix() for p in media.rglob("*") if p.is_file()}
    return found - {".pahara-lock", ".pahara-store"}


def fill(size: int = 1000):
    return lambda path: path.write_bytes(b"x" * size)


def test_a_file_lies_by_day_hour_camera_and_says_what_it_is(store: Store, place: Place):
    told = an_event(camera="Front Gate ১")
    store.save_event(told)
    seen: list[Path] = []

    def write(path: Path) -> None:
        seen.append(path)
        path.write_bytes(b"moving pictures")

    kept = store.add_evidence(told.id, "clip", write, begin=EPOCH + 5, end=EPOCH + 25.5)
    assert kept.relative == f"2023-11-14/22/{slug('Front Gate ১')}/13.30-{told.id}.mp4"
    assert kept.relative.split("/")[2].startswith("front-gate-")
    assert kept.path == store.evidence.path_for(told, "clip") == place.media / kept.relative
    assert seen[0].parent == kept.path.parent
    assert seen[0].suffix == ".mp4"
    assert kept.path.read_bytes() == b"moving pictures"
    assert (kept.state, kept.bytes, kept.begin, kept.end) == ("kept", 15, EPOCH + 5, EPOCH + 25.5)
    assert kept.sha256 == hashlib.sha256(b"moving pictures").hexdigest()
    still = store.add_evidence(told.id, "snapshot", fill(), time_utc=EPOCH + 3600)
    small = store.add_evidence(told.id, "thumbnail", fill(10), extension="webp")
    assert still.relative.endswith(f"2023-11-14/23/{slug('Front Gate ১')}/13.20-{told.id}.jpg")
    assert small.relative.endswith(".thumb.webp")
    event = store.event(told.id)
    assert event.evidence == (kept, still, small)
    assert (event.kept("clip"), event.kept("snapshot"), event.kept("thumbnail")) == (kept, still, small)
    assert files(place.media) == {kept.relative, still.relative, small.relative}
    assert store.evidence.verify(kept)
    kept.path.write_bytes(b"moving picturez")
    assert not store.evidence.verify(kept)
    kept.path.unlink()
    assert not store.evidence.verify(kept)


@given(st.text())
def test_no_camera_name_leads_out_of_the_folder(name):
    made = slug(name)
    assert made.isascii()
    assert all(c.isalnum() or c == "-" for c in made)
    assert 7 < len(made) < 60


def test_cameras_that_look_alike_have_folders_of_their_own():
    names = ["gate", "Gate", "gate!", "gate ", "ফটক", "ফটক ", "../gate", "gáte"]
    assert len({slug(name) for name in names}) == len(names)


def test_a_better_picture_replaces_the_first_even_in_the_same_second(store: Store, place: Place):
    told = an_event()
    store.save_event(told)
    first = store.add_evidence(told.id, "snapshot", fill(10))
    second = store.add_evidence(told.id, "snapshot", fill(20))
    assert first.relative != second.relative
    assert store.event(told.id).evidence == (second,)
    assert files(place.media) == {second.relative}


class Broken(Exception):
    pass


def fail_with(problem: BaseException, *, half_written: bool = True):
    def write(path: Path) -> None:
        if half_written:
            path.write_bytes(b"half")
        raise problem

    return write


@pytest.mark.parametrize("half_written", [True, False])
@pytest.mark.parametrize(
    ("problem", "told_as", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), StoreError, "disk full"),
        (OSError(errno.EIO, "Input/output error"), StoreError, "Input/output error"),
        (Broken("no packets"), Broken, "no packets"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
    ],
)
def test_a_writing_that_fails_leaves_nothing(store: Store, place: Place, problem, told_as, words, half_written):
    event = an_event()
    store.save_event(event)
    before = store.add_evidence(event.id, "snapshot", fill())
    with pytest.raises(told_as, match=words):
        store.add_evidence(event.id, "snapshot", fail_with(problem, half_written=half_written))
    assert files(place.media) == {before.relative}
    assert store.event(event.id).evidence == (before,)
    assert not store.sweep().unfinished


def test_a_writer_that_writes_nothing_is_told(store: Store, place: Place):
    event = an_event()
    store.save_event(event)
    with pytest.raises(StoreError, match="nothing was written"):
        store.add_evidence(event.id, "clip", lambda path: None)
    with pytest.raises(StoreError):
        store.add_evidence(event.id, "clip", lambda path: path.unlink())
    assert files(place.media) == set()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"event_id": "nobody"}, "no event 'nobody'"),
        ({"kind": "painting"}, "no evidence of kind 'painting'"),
        ({"extension": "../../x"}, "file ending"),
        ({"time_utc": float("nan")}, "no time"),
        ({"time_utc": 1e30}, "no time"),
    ],
)
def test_evidence_that_cannot_be_is_refused(store: Store, place: Place, asked, words):
    event = an_event()
    store.save_event(event)
    with pytest.raises(StoreError, match=words):
        store.add_evidence(**({"event_id": event.id, "kind": "clip", "write": fill()} | asked))
    assert files(place.media) == set()


def forge(store: Store, place: Place, relative: str, state: str, *, stored: float | None = None, on_disk: tuple[str, ...] = ()) -> None:
    """What a process that died at that moment leaves behind."""
    values = {"event_id": store.events()[0].id, "kind": "clip", "path": relative, "state": state, "bytes": 4, "sha256": ""}
    with store.database.writing() as connection:
        connection.execute(insert(evidence).values(**values, stored=store.clock() if stored is None else stored))
    for name in on_disk:
        (place.media / name).parent.mkdir(parents=True, exist_ok=True)
        (place.media / name).write_bytes(b"half")


AT = "2023-11-14/22/gate-abcdef"


PART, WHOLE = f"{AT}/.part-13.30-a.mp4", f"{AT}/13.30-a.mp4"


@pytest.mark.parametrize(
    ("state", "on_disk"),
    [("writing", ()), ("writing", (PART,)), ("writing", (WHOLE,)), ("writing", (PART, WHOLE)), ("removing", ()), ("removing", (WHOLE,))],
)
def test_opening_finishes_what_a_dead_process_began(place: Place, state, on_disk):
    with place.open() as store:
        store.save_event(an_event())
        forge(store, place, f"{AT}/13.30-a.mp4", state, on_disk=on_disk)
    with place.open() as store:
        assert files(place.media) == set()
        assert not (place.media / "2023-11-14").exists()
        assert [e.state for e in store.events()[0].evidence] == (["expired"] if state == "removing" else [])


def test_opening_a_second_time_leaves_what_the_first_is_writing(place: Place):
    with place.open() as writer:
        event = an_event()
        writer.save_event(event)

        def write(path: Path) -> None:
            path.write_bytes(b"half")
            with place.open() as reader:  # another program looks, and even sweeps
                assert path.exists()
                assert reader.sweep().unfinished == 0
                assert reader.event(event.id).evidence == ()
            writer.sweep()
            path.write_bytes(b"whole")

        assert writer.add_evidence(event.id, "clip", write).path.read_bytes() == b"whole"


def test_a_long_dead_writing_is_swept_even_while_others_are_at_work(place: Place):
    with place.open() as alive:
        alive.save_event(an_event())
        forge(alive, place, f"{AT}/13.30-a.mp4", "writing", stored=alive.clock() - 4000, on_disk=(f"{AT}/.part-13.30-a.mp4",))
        forge(alive, place, f"{AT}/13.31-b.mp4", "writing", stored=alive.clock() - 40, on_disk=(f"{AT}/.part-13.31-b.mp4",))
        with place.open():
            assert files(place.media) == {f"{AT}/.part-13.31-b.mp4"}


def test_sweep_mends_what_another_hand_did(store: Store, place: Place):
    event = an_event()
    store.save_event(event)
    clip = store.add_evidence(event.id, "clip", fill())
    still = store.add_evidence(event.id, "snapshot", fill())
    innocent = {
        "notes.txt",
        "2023-11-14/22/holiday.mp4",
        "2023-11-14/22/gate-abcdef/README",
        "2023-11-14/22/gate-abcdef/13.30-a.mp4.txt",
        "x/y/z/13.30-a.mp4",
    }
    for name in (*innocent, f"{AT}/13.30-aaaa.mp4", f"{AT}/.part-13.31-bbbb.jpg", f"{AT}/13.32-cccc.2.thumb.jpg"):
        (place.media / name).parent.mkdir(parents=True, exist_ok=True)
        (place.media / name).write_bytes(b"?")
    away = shutil.move(clip.path, place.media.parent / "away.mp4")
    swept = store.sweep()
    assert (swept.orphans, swept.missing, swept.found, swept.strangers) == (3, 1, 0, 0)
    assert files(place.media) == innocent | {still.relative}
    assert {e.kind: e.state for e in store.event(event.id).evidence} == {"clip": "missing", "snapshot": "kept"}
    assert store.event(event.id).kept("clip") is None
    shutil.move(away, clip.path)
    assert store.sweep().found == 1
    assert store.event(event.id).kept("clip") == clip
    assert not any(vars_of(store.sweep()))


def vars_of(swept) -> list[int]:
    return [getattr(swept, name) for name in swept.__slots__]


def test_a_media_folder_whose_database_was_lost_is_left_alone(tmp_path):
    with Store.open(tmp_path) as store:
        event = an_event()
        store.save_event(event)
        kept = store.add_evidence(event.id, "clip", fill())
    for file in tmp_path.glob("pahara.db*"):
        file.unlink()
    with Store.open(tmp_path) as store:
        assert store.sweep().strangers == 1
        assert kept.path.exists()


def test_a_link_does_not_lead_a_sweep_astray(tmp_path):
    outside = tmp_path / "outside/22/gate-abcdef/13.30-a.mp4"
    outside.parent.mkdir(parents=True)
    outside.write_bytes(b"mine")
    with Store.open(tmp_path / "store") as store:
        (tmp_path / "store/media/2023-11-14").symlink_to(tmp_path / "outside", target_is_directory=True)
        store.sweep()
    assert outside.exists()


def test_a_file_that_cannot_be_removed_now_is_removed_later(place: Place):
    with place.open() as store:
        store.save_event(an_event())
        forge(store, place, f"{AT}/13.30-a.mp4", "kept", on_disk=(f"{AT}/13.30-a.mp4/in the way",))  # a folder cannot be unlinked
        with store.database.writing() as connection:
            connection.execute(update(evidence).values(state="removing"))
    with place.open() as store:
        assert [e.state for e in store.events()[0].evidence] == ["expired"]
        shutil.rmtree(place.media / AT)
        assert store.sweep().finished == 1
        assert store.sweep().finished == 0


def test_tidying_empty_folders_does_not_disturb_a_writer(tmp_path):
    with Store.open(tmp_path) as store:
        event = an_event()
        store.save_event(event)
        done = threading.Event()

        def tidy() -> None:
            while not done.is_set():
                for folder in sorted((tmp_path / "media").rglob("*"), reverse=True):
                    if folder.is_dir():
                        with suppress(OSError):
                            folder.rmdir()

        thread = threading.Thread(target=tidy)
        thread.start()
        try:
            for _ in range(60):
                kept = store.add_evidence(event.id, "thumbnail", fill(5))
                kept.path.unlink()
        finally:
            done.set()
            thread.join()


CHILD = """
import os, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from pahara.core import StoreError
from pahara.store import DiskFullError, Store
from tests.store.conftest import a_walk, an_event

store = Store.open(sys.argv[1])
recording = store.begin_recording("gate", "gate.mp4", (768, 432))
limit = 1_000_000  # bytes in any file
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
first = an_event(0.0)
store.save_event(first, recording)
store.add_evidence(first.id, "snapshot", lambda path: path.write_bytes(b"x" * 1000))
try:
    store.add_evidence(first.id, "clip", lambda path: path.write_bytes(b"x" * 1_400_000))
except StoreError as problem:
    print("clip:", problem)
kept = 1
try:
    for i in range(1, 5000):
        store.save_event(an_event(float(i), subject=(i,)), recording)
        kept += 1
except StoreError as problem:
    print("event:", problem)
print("kept", kept)
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_files_that_may_not_grow_any_more_lose_nothing_that_was_kept(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), str(Path(__file__).parents[2])],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    clip, event, kept = run.stdout.splitlines()
    assert clip.startswith("clip: disk full")
    assert event.startswith("event: ")
    with Store.open(tmp_path) as store:
        assert store.count() >= int(kept.split()[1]) > 10
        assert [e.kind for e in store.events(newest_first=False)[0].evidence] == ["snapshot"]
        assert len(files(tmp_path / "media")) == 1
        assert not any(vars_of(store.sweep()))


def test_a_full_disk_is_told_and_nothing_half_written_stays(small_disk: Path):
    (small_disk / "holiday.mov").write_bytes(bytes(1_500_000))
    store = Store.open(small_disk)
    assert (small_disk / "pahara.db-reserve").stat().st_size == 1 << 20
    recording = store.begin_recording("gate", "gate.mp4", (768, 432))
    event = an_event()
    store.save_event(event, recording)
    kept = store.add_evidence(event.id, "snapshot", fill(1000))
    half = f"{AT}/.part-13.30-a.mp4"
    forge(store, Place("", small_disk / "media", "sqlite"), f"{AT}/13.30-a.mp4", "writing", on_disk=(half,))
    with pytest.raises(DiskFullError, match="disk full"):
        store.add_evidence(event.id, "clip", fill(7_000_000))
    assert files(small_disk / "media") == {kept.relative, half}
    saved = write_until_full(store, "yard")
    assert saved > 5
    with pytest.raises(DiskFullError, match="disk full"):
        store.add_evidence(event.id, "clip", fill(7_000_000))
    assert store.count() == saved + 1  # reading goes on
    store.close()
    with (small_disk / "more.mov").open("wb", buffering=0) as other, suppress(OSError):
        while True:
            other.write(bytes(4096))
    assert shutil.disk_usage(small_disk).free == 0
    with Store.open(small_disk) as again:  # a full disk can still be looked at
        assert again.count() == saved + 1
        assert files(small_disk / "media") == {kept.relative}
        assert again.event(event.id).evidence == (kept,)
        write_until_full(again, "roof")
        again.close()
        (small_disk / "holiday.mov").unlink()
    with Store.open(small_disk) as again:  # … and goes on when there is room
        again.save_event(an_event(camera="door"))
        assert [e.relative for e in again.event(event.id).evidence] == [kept.relative]


def test_a_store_opens_when_someone_else_has_filled_the_disk(small_disk: Path):
    with Store.open(small_disk) as store:
        store.save_event(an_event())
    with (small_disk / "more.mov").open("wb", buffering=0) as other, suppress(OSError):
        while True:
            other.write(bytes(4096))
    with Store.open(small_disk) as store:  # even reading needs a few pages: the reserve gives them
        assert store.count() == 1
