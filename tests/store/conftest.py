"""What the store's tests share: a real PostgreSQL, places to open stores in, and events and observations to put there."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from pahara.core import Event, Observation, Reason, event_id
from pahara.store import DiskFullError, Store
from pahara.tracking.memory import on_grid

EPOCH = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


def an_event(
    start: float = 10.0, *, camera: str = "gate", kind: str = "loitering", subject: tuple[int, ...] = (3,), phase: str = "began", **other
) -> Event:
    behaviour = other.pop("behaviour", f"{kind}-rule")
    values = {
        "id": event_id(camera, behaviour, subject, EPOCH + start),
        "time": start + 2.0,
        "epoch": EPOCH,
        "peak": 0.75,
        "peak_time": start + 1.5,
        "reason": Reason("loitering.dwell", 34.2, 30.0, "s", "ফটক", {"people": 2, "side": "left", "ratio": 0.1}),
        "boxes": ((1.125, 2.0, 30.5, 99.875),),
        "size": (768, 432),
    } | other
    return Event(camera=camera, behaviour=behaviour, kind=kind, subject=subject, phase=phase, start=start, **values)  # type: ignore[arg-type]


def a_walk(beats: int = 100, people: int = 3, *, begin: float = 0.0, seed: int = 0, beat: float = 0.1) -> list[Observation]:
    """People who walk with the jitter of a detector, as the analyst hands them over."""
    rng = np.random.default_rng(seed)
    at, speed = rng.uniform([0, 100], [600, 300], (people, 2)), rng.uniform(-30, 30, (people, 2))
    made = []
    for i in range(beats):
        feet = at + speed * i * beat + rng.normal(0, 0.7, (people, 2))
        tall = 100 + rng.normal(0, 1.0, people)
        boxes = np.stack([feet[:, 0] - tall / 5, feet[:, 1] - tall, feet[:, 0] + tall / 5, feet[:, 1]], axis=1).astype(np.float32)
        seen = rng.random(people) < 0.95
        scores = np.where(seen, rng.uniform(0.3, 1, people), 0).astype(np.float32)
        moment = Observation(
            begin + i * beat, np.arange(1, people + 1), boxes, ("person",) * people, seen, scores, {"dark": rng.random(), "blur": 3.0}
        )
        made.append(on_grid(moment))
    return made


def same(a: Observation, b: Observation) -> bool:
    """Everything that a behaviour can see is equal to the last bit; the confidence to 1/255."""
    return (
        a.time == b.time
        and np.array_equal(a.ids, b.ids)
        and a.boxes.dtype == b.boxes.dtype == np.float32
        and np.array_equal(a.boxes, b.boxes, equal_nan=True)
        and a.labels == b.labels
        and np.array_equal(a.seen, b.seen)
        and bool(np.all(np.abs(a.scores - b.scores) <= 0.5 / 255 + 1e-6))
        and list(a.signals) == list(b.signals)
        and np.array_equal(list(a.signals.values()), list(b.signals.values()), equal_nan=True)
        and b.keypoints.dtype == np.float32
        and np.array_equal(a.keypoints, b.keypoints, equal_nan=True)
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB of its own, where the system lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "pahara-test", str(disk)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small tmpfs cannot be mounted here (needs root); the test with RLIMIT_FSIZE always runs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def write_until_full(store: Store, camera: str, *, clip: int = 0) -> int:
    """Save events (with a clip of so many bytes) until the disk is full -> how many were saved."""
    for i in range(10_000):
        event = an_event(float(i), camera=camera, subject=(i,))
        try:
            store.save_event(event)
            if clip:
                store.add_evidence(event.id, "clip", lambda path: path.write_bytes(b"x" * clip))
        except DiskFullError:
            return store.count(camera=camera)
    pytest.fail("the disk did not fill")


@dataclass
class Place:
    """Where a store is opened, again and again."""

    where: str
    media: Path
    kind: str

    def open(self, **options) -> Store:
        return Store.open(self.where, media=self.media, **options)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own on a free port of 127.0.0.1 -> its URL, without the name of a database."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[4]))
    program = found[-1].parent if found else None
    if program is None and (on_path := shutil.which("postgres")):
        program = Path(on_path).parent
    if program is None:
        message = "PostgreSQL is not installed (Debian: apt install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = Path(tempfile.mkdtemp(prefix="pahara-pg-"))
    other: dict[str, object] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        someone = pwd.getpwnam("postgres")
        os.chown(folder, someone.pw_uid, someone.pw_gid)
        other = {"user": someone.pw_uid, "group": someone.pw_gid, "extra_groups": []}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data, log = folder / "data", folder / "log"
    made = [str(program / "initdb"), "-D", str(data), "-U", "pahara", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder, **other)  # type: ignore[call-overload]
    run = [str(program / "postgres"), "-D", str(data), "-k", str(folder), "-h", "127.0.0.1", "-p", str(port), "-c", "fsync=off"]
    with log.open("wb") as output:
        server = subprocess.Popen(run, stdout=output, stderr=output, cwd=folder, **other)  # type: ignore[call-overload]
    url = f"postgresql://pahara@127.0.0.1:{port}"
    try:
        _wait_for(url, server, log)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nobody needs this data again
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if server.poll() is not None:
            pytest.fail(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
        try:
            with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), 1):
                pass
            with _admin(url).connect():
                return
        except Exception:  # noqa: BLE001  still starting: every driver says it differently
            time.sleep(0.05)
    pytest.fail(f"PostgreSQL did not answer within 10 s: {log.read_text()[-2000:]}")


def _admin(url: str):
    return create_engine(
        url.replace("postgresql://", "postgresql+pg8000://") + "/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool
    )


@pytest.fixture
def postgres_place(postgres: str, tmp_path: Path) -> Place:
    with _admin(postgres).connect() as connection:  # an empty schema is much quicker than a new database
        for step in ("SET lock_timeout = '20s'", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
            connection.execute(text(step))
    return Place(f"{postgres}/postgres", tmp_path / "media", "postgresql")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place for a store; every test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_place")
    return Place(str(tmp_path), tmp_path / "media", "sqlite")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.open() as opened:
        yield opened
