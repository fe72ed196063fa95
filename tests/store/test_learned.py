"""What a camera has learned survives: whole or not at all, never overwritten, and one knows which one counts."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from pahara.core import ModelError, StoreError
from pahara.store import Store
from pahara.store.gallery import Gallery
from pahara.store.learned import Current, LearnedFolder, Library


@pytest.fixture
def learned(tmp_path):
    return LearnedFolder(tmp_path / "normality" / "gate", lambda: 1000.0)


def writes(words):
    return lambda path: path.write_text(words)


def test_models_are_numbered_and_the_newest_counts(learned):
    assert learned.current == Current()
    assert learned.versions == ()
    assert learned.add(writes("one"), "first", tracks=200) == 1
    assert learned.add(writes("two"), "nightly") == 2
    assert learned.versions == (1, 2)
    assert learned.current == Current(2, 1000.0, "nightly")
    assert learned.path(1).read_text() == "one"
    assert [line["what"] for line in learned.journal()] == ["first", "nightly"]


def test_an_older_model_can_be_chosen_again_and_one_that_is_not_there_cannot(learned):
    learned.add(writes("one"), "first")
    learned.add(writes("two"), "nightly")
    before = learned.stamp()
    learned.choose(1, "rollback")
    assert learned.current.version == 1
    assert learned.stamp() != before
    with pytest.raises(StoreError, match="no model 9.*there are: 1, 2"):
        learned.choose(9, "rollback")
    assert learned.add(writes("three"), "nightly") == 3, "a number is never given twice, also after a rollback"


def test_a_save_that_fails_leaves_what_was(learned):
    learned.add(writes("one"), "first")

    def fails(path):
        path.write_text("half of a mo")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="disk full"):
        learned.add(fails, "nightly")
    assert (learned.versions, learned.current.version) == ((1,), 1)
    assert {file.name for file in learned.folder.iterdir()} == {"v0001.model", "current.json", "journal.jsonl"}


def test_a_program_killed_while_it_saves_leaves_the_old_model(learned, tmp_path):
    learned.add(writes("one"), "first")
    learned.save_state(b"the old state")
    program = textwrap.dedent(f"""
        import pathlib, sys, time
        from pahara.store.learned import LearnedFolder
        folder = LearnedFolder(pathlib.Path({str(learned.folder)!r}))
        def slowly(path):
            with path.open("w") as file:
                file.write("half")
                file.flush()
                print("writing", flush=True)
                time.sleep(60)
        folder.add(slowly, "nightly")
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    again = LearnedFolder(learned.folder)
    assert (again.versions, again.current.version, again.path(1).read_text()) == ((1,), 1, "one")
    assert again.state() == b"the old state"
    assert again.add(writes("two"), "nightly") == 2


def test_a_damaged_note_of_what_counts_falls_back_to_the_newest(learned):
    learned.add(writes("one"), "first")
    learned.add(writes("two"), "nightly")
    (learned.folder / "current.json").write_text('{"version": ')
    assert learned.current.version == 2
    with (learned.folder / "journal.jsonl").open("a") as journal:
        journal.write('{"torn')
    assert [line["what"] for line in learned.journal()] == ["first", "nightly"]


def test_old_models_go_but_not_one_that_a_recording_needs(learned):
    for _ in range(8):
        learned.add(writes("m"), "nightly")
    learned.choose(2, "rollback")
    assert learned.prune({4}, most=3) == 3
    assert learned.versions == (2, 4, 6, 7, 8)


def test_a_library_reads_each_model_once_and_tells_of_a_damaged_one_once(learned):
    read = []

    def load(path):
        read.append(path.name)
        if path.read_text() == "bad":
            raise ModelError(f"{path.name} is damaged")
        return path.read_text()

    for words in ("one", "bad", "three"):
        learned.add(writes(words), "nightly")
    library = Library(learned, load)
    assert [library(version) for version in (0, 1, 2, 3, 1, 2)] == [None, "one", None, "three", "one", None]
    assert read == ["v0001.model", "v0002.model", "v0003.model"]
    assert library.problems == ["v0002.model is damaged"]
    assert library(7) is None


def test_two_stores_cameras_have_folders_of_their_own(tmp_path):
    with Store.open(tmp_path / "out") as store:
        gate, yard = LearnedFolder.of(store, "গেট"), LearnedFolder.of(store, "yard")
        assert gate.folder != yard.folder
        assert gate.folder.parent == tmp_path / "out" / "normality"
        assert store.sweep().orphans == 0


# ---------------------------------------------------------------- the gallery


def test_the_gallery_keeps_one_picture_of_each_track_and_finds_it_again(learned):
    gallery = Gallery.of(learned)
    gallery.add(7, 100.0, b"early")
    gallery.add(7, 104.5, b"later")
    gallery.add(-8, 100.0, b"other")
    assert len(gallery) == 2
    again = Gallery.of(learned)
    assert (again.find(7), again.find(-8), again.find(9)) == (b"later", b"other", b"")
    assert 7 in again
    assert 9 not in again


def test_of_several_pictures_the_nearest_in_time_is_shown(learned):
    gallery = Gallery.of(learned)
    for time in (100.0, 110.0, 120.0):
        gallery.add(7, time, str(time).encode(), instead=False)
    assert gallery.find(7, 112.0) == b"110.0"


def test_a_full_gallery_gives_up_the_oldest_but_last_those_that_a_model_shows(learned):
    gallery = Gallery.of(learned, most=3)
    for track in range(6):
        gallery.add(track, 100.0 + track, b"x")
    assert gallery.prune(keep={0, 1}) == 3
    assert [track for track in range(6) if track in gallery] == [0, 1, 5]
    assert gallery.prune(before=101.0) == 1
    assert 0 not in gallery
    assert len(Gallery.of(learned)) == 2
