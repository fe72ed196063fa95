"""A process that is killed at any moment loses nothing that it was told is kept, and leaves nothing else behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.store.conftest import Place

from pahara.store import Store

CHILD = """
import random, sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from pahara.store import Retention, Store
from tests.store.conftest import a_walk, an_event

seed = int(sys.argv[4])
dice = random.Random(seed)

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()

with Store.open(sys.argv[1], media=Path(sys.argv[2])) as store:
    recording = store.begin_recording("gate", "gate.mp4", (768, 432))
    say("recording", recording.id)
    for i in range(100_000):
        event = an_event(i * 50.0 + seed * 1e7, subject=(i,))
        store.save_event(event, recording)
        say("event", event.id)
        def write(path):
            with path.open("wb") as file:
                for _ in range(dice.randint(1, 30)):
                    file.write(dice.randbytes(20_000))
                    file.flush()
        kept = store.add_evidence(event.id, dice.choice(["clip", "snapshot", "thumbnail"]), write)
        if i % 7 == 3:
            store.lock(event.id)
            say("locked", event.id, kept.sha256)
        store.save_event(replace(event, phase="ended", time=i * 50.0 + 30), recording)
        say("ended", event.id)
        walk = a_walk(20, begin=i * 50.0, seed=i)
        store.add_observations(recording, walk)
        say("beats", recording.id, len(walk))
        if i % 4 == 1:
            Retention(gigabytes=0.002).apply(store)
"""


def kill_again_and_again(place: Place, times: int, seed: int) -> None:
    dice = random.Random(seed)
    media = place.media
    events: dict[str, str] = {}
    locked: dict[str, str] = {}
    beats: dict[int, int] = {}
    for round_number in range(times):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, place.where, str(media), str(Path(__file__).parents[2]), str(round_number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        told = [child.stdout.readline()]  # it is at work now
        time.sleep(dice.uniform(0.0, 0.5))
        os.kill(child.pid, signal.SIGKILL)
        rest, trouble = child.communicate(timeout=30)
        assert child.returncode == -signal.SIGKILL, trouble
        told += rest.splitlines()
        for line in told:
            match line.split():
                case ["recording", number]:
                    beats[int(number)] = 0
                case ["event", name]:
                    events[name] = "began"
                case ["ended", name]:
                    events[name] = "ended"
                case ["locked", name, digest]:
                    locked[name] = digest
                case ["beats", number, count]:
                    beats[int(number)] += int(count)

        with place.open() as store:
            there = {event.id: event for event in store.every_event()}
            for name, phase in events.items():
                assert name in there, f"round {round_number}: event {name} was committed and is lost"
                assert phase == "began" or there[name].event.phase == "ended"
            for number, count in beats.items():
                assert sum(1 for _ in store.observations(number)) >= count
            for name, digest in locked.items():
                assert there[name].locked
                assert [(e.state, e.sha256) for e in there[name].evidence] == [("kept", digest)]
            kept = [e for event in there.values() for e in event.evidence if e.state == "kept"]
            assert all(store.evidence.verify(e) for e in kept)
            on_disk = {p.relative_to(media).as_posix() for p in media.rglob("*") if p.is_file()} - {".pahara-lock", ".pahara-store"}
            assert on_disk == {e.relative for e in kept}, f"round {round_number}"
            assert not any(getattr(store.sweep(), name) for name in ("unfinished", "finished", "orphans", "missing"))
            if place.kind == "sqlite":
                with store.database.reading() as connection:
                    assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
                    assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    assert len(events) > times
    assert locked


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_kill_9_at_a_dozen_moments_loses_nothing_on_sqlite(tmp_path):
    kill_again_and_again(Place(str(tmp_path), tmp_path / "media", "sqlite"), 12, seed=1)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_kill_9_at_three_moments_loses_nothing_on_postgresql(postgres_place: Place):
    kill_again_and_again(postgres_place, 3, seed=2)


def test_a_place_that_was_never_killed_needs_no_sweeping(tmp_path):
    with Store.open(tmp_path) as store:
        assert not any(getattr(store.sweep(), name) for name in store.sweep().__slots__)
