"""What dies, and what Pahara does then: cameras, the program itself, the disk, the receivers, the clock.

Each fault is real: an RTSP server that is killed, frozen, resized or heard through a noisy wire; `kill -9` of `pahara run` at random moments; a
disk of a few megabytes that runs full; a web hook and an MQTT broker that are away for six hours of the service's clock; a wall clock that leaps.
`survived` counts faults after which the watch went on as promised, `lost` things that must not be lost: committed events, their evidence,
messages that had not expired, locked evidence. What a fault costs by its nature (pictures while a camera is dead) stands in the table.

The long form kills 50 times; `--short` is what the tests run.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np

from pahara.config import from_data
from pahara.core import Detections, Event, Reason, event_id
from pahara.pipeline.channels import dispatcher_of
from pahara.pipeline.live import Live
from pahara.pipeline.station import Clock
from pahara.store import Store
from pahara.video.writer import VideoWriter
from shared import show
from streams import Server, Wire, free_port, wait_for

BACK = 10.0  # seconds within which pictures are back
TOLD = 15.0  # seconds within which the owner is told


@dataclass(frozen=True)
class Result:
    """One row of the table."""

    fault: str
    survived: bool
    lost: int  # that must not be lost
    told: str  # what it cost, or what went wrong


def main() -> None:
    from shared import arguments

    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a minute, with few kills")
    parser.add_argument("--kills", type=int, default=0, help="of `pahara run`: 50, or 3 with --short")
    parser.add_argument("--only", default="", help="one of: streams, kills, disk, receivers, clock")
    told = parser.parse_args()
    results = run(short=told.short, kills=told.kills or (3 if told.short else 50), only=told.only)
    if not told.json:
        table(results)
    show(figures(results), as_json=told.json, notes={"lost": "committed events, evidence and messages that are gone"})
    if figures(results)["survived"] < len(results) or figures(results)["lost"]:
        sys.exit(1)


def figures(results: list[Result]) -> dict[str, int]:
    """By their names."""
    return {"faults": len(results), "survived": sum(each.survived for each in results), "lost": sum(each.lost for each in results)}


def table(results: list[Result]) -> None:
    """fault, survived, lost."""
    wide = max(len(each.fault) for each in results)
    print(f"{'fault':<{wide}}  survived  lost")
    for each in results:
        print(f"{each.fault:<{wide}}  {'yes' if each.survived else 'NO':<8}  {each.lost or 'nothing'}; {each.told}")


def run(*, short: bool, kills: int, only: str = "") -> list[Result]:
    """Every fault, one after the other; in the short form all at once."""
    parts: dict[str, Callable[[Path], Iterator[Result]]] = {
        "streams": lambda room: streams(room, short=short),
        "kills": lambda room: killed(room, kills),
        "disk": disk_full,
        "receivers": lambda room: receivers(room, short=short),
        "clock": clock_leaps,
    }

    def one(name: str) -> list[Result]:
        with tempfile.TemporaryDirectory(prefix=f"pahara-faults-{name}-") as room:
            return list(parts[name](Path(room)))

    names = [name for name in parts if not only or only == name]
    with ThreadPoolExecutor(len(parts) if short else 1) as pool:  # most of it is waiting; the long form is not to be disturbed
        return [result for found in pool.map(one, names) for result in found]


# -- cameras -----------------------------------------------------------------------------------------------------


def bright(images: list[Any]) -> list[Detections]:
    """A detector as a function: the box around all that is bright."""
    found = []
    for image in images:
        rows, columns = np.nonzero(image[..., 1] > 140)
        box = [(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)] if len(rows) > 40 else []
        found.append(Detections.of(box, [0.9] * len(box), [0] * len(box), ("person",)))
    return found


HALF = {"right": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}


def streams(room: Path, *, short: bool) -> Iterator[Result]:
    """Four cameras, each with its own trouble, watched by one program."""
    hold = 5.0 if short else 20.0
    servers = {name: Server() for name in ("killed", "frozen", "resized", "noisy")}
    wire = Wire(servers["noisy"].port)
    addresses = {name: server.address() for name, server in servers.items()} | {"noisy": f"rtsp://127.0.0.1:{wire.port}/live"}
    cameras = {name: {"source": address, "behaviours": []} for name, address in addresses.items()}
    config = from_data({"version": 1, "gate": False, "cameras": cameras})
    try:
        with Store.open(room) as store, Live(config, store, make=lambda _: bright) as live:
            station = live.stations
            if wait_for(lambda: all(each.looks > 3 for each in station.values()), 40) is None:
                yield Result("the cameras were never seen", False, 0, str([each.status() for each in station.values()]))
                return
            began = {name: time.time() for name in servers}
            servers["killed"].kill()
            servers["frozen"].signal(signal.SIGSTOP)
            wire.noisy = True
            looks = station["resized"].looks
            servers["resized"].signal(signal.SIGUSR1)
            resized = wait_for(lambda: station["resized"].status().size == (160, 120), BACK)
            went_on = wait_for(lambda: station["resized"].looks > looks + 5, BACK)
            stalled = wait_for(lambda: station["killed"].state == "stalled" and station["frozen"].state == "stalled", 6)
            time.sleep(max(0.0, hold - (time.time() - began["killed"])))
            wire.noisy = False
            quiet = time.time()
            servers["frozen"].signal(signal.SIGCONT)
            servers["killed"].start()
            returned = time.time()
            backs = {name: wait_for(lambda name=name: station[name].state == "watching", BACK) for name in ("killed", "frozen", "noisy")}  # type: ignore[misc]
            time.sleep(1.0)
            live.keeper.flush(10)
            for name, what in (("killed", "server killed and started again"), ("frozen", "server frozen")):
                rows = [each for each in store.blind.between(began[name] - 3, time.time(), name) if each.why != "off"]
                blind = sum((each.end or time.time()) - each.begin for each in rows)
                back = backs[name]
                exact = bool(rows) and abs(rows[0].begin - began[name]) <= 1.0
                yield Result(
                    what, stalled is not None and back is not None and exact, 0,
                    f"{blind:.1f} s blind, in the ledger to {abs(rows[0].begin - began[name]) if rows else -1:.1f} s; back after {_s(back)}",
                )  # fmt: skip
            yield Result(
                "resolution changed in the stream",
                resized is not None and went_on is not None,
                0,
                f"seen in its new size after {_s(resized)}",
            )
            yield Result(
                f"noise on the wire for {quiet - began['noisy']:.0f} s", backs["noisy"] is not None and wire.spoilt > 0, 0,
                f"{wire.spoilt} pieces spoilt, {station['noisy'].status().reconnects} reconnects; watching after {_s(backs['noisy'])}",
            )  # fmt: skip
            _ = returned
    finally:
        wire.close()
        for server in servers.values():
            server.signal(signal.SIGCONT)
            server.kill()


def _s(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


# -- the program itself ------------------------------------------------------------------------------------------


def film(path: Path, seconds: int = 8, fps: int = 10) -> Path:
    """A bright block that walks in and out of the right half, again and again."""
    with VideoWriter(path, threads=1) as writer:
        for n in range(seconds * fps):
            image = np.full((180, 320, 3), 40, np.uint8)
            left = round(float(np.interp(n / fps % 4, [0, 1.5, 2.5, 4], [-40, 260, 260, -40])))
            image[60:150, max(left, 0) : max(left + 36, 0)] = 220
            writer.write(image, n / fps)
    return path


def killed(room: Path, kills: int) -> Iterator[Result]:
    """`kill -9` of `pahara run`: what an outsider saw committed must be there ever after, and nothing half-written."""
    source = film(room / "film.mp4")
    camera = {"source": str(source), "zones": HALF, "behaviours": [{"kind": "intrusion", "zone": "right", "alarm": {"cooldown": 0}}]}
    data = {
        "version": 1, "detector": "motion", "gate": False, "recording": {"enabled": True}, "store": {"path": "data", "min_free_gigabytes": 0},
        "evidence": {"before": 1, "after": 0.5, "longest": 2}, "cameras": dict.fromkeys(("yard", "gate"), camera),
    }  # fmt: skip
    (room / "pahara.yml").write_text(json.dumps(data), encoding="utf-8")
    chance, seen, wrong, lost, late = random.Random(5), {}, [], 0, 0.0
    database = room / "data" / "pahara.db"
    for number in range(kills):
        with (room / "log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "pahara", "run", "-c", str(room / "pahara.yml"), "--no-web", "--rate", "10"],
                stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        known = len(seen)
        # Some die while they start, most a random while after something new was committed.
        end = time.monotonic() + (chance.uniform(0.5, 3.0) if number % 5 == 4 else 90.0)
        more = chance.uniform(0.0, 4.0)
        while time.monotonic() < end:
            if child.poll() is not None:
                wrong.append(f"run {number} ended by itself: {(room / 'log').read_text()[-300:]}")
                break
            seen |= _committed(database)
            if len(seen) > known and end > time.monotonic() + more:
                end = time.monotonic() + more
            time.sleep(0.02)
        child.kill()
        child.wait()
        begun = time.monotonic()
        there = _committed(database)
        gone = [event for event, phase in seen.items() if event not in there or (phase == "ended" and there[event] != "ended")]
        lost += len(gone)
        wrong += _look_at(room / "data", database)
        late = max(late, time.monotonic() - begun)
    yield Result(
        f"kill -9 of pahara run, {kills} times", not wrong, lost,
        "; ".join(wrong[:3]) or f"{len(seen)} committed events are there, the database is sound, no orphan; looked at again within {late:.1f} s",
    )  # fmt: skip


def _committed(database: Path) -> dict[str, str]:
    """What another program sees in the database: event -> phase."""
    if not database.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as reading:
            return dict(reading.execute("SELECT id, phase FROM events").fetchall())
    except sqlite3.OperationalError:  # its tables are just being made
        return {}


def _look_at(folder: Path, database: Path) -> list[str]:
    """Everything that is wrong with a store after its program was killed."""
    if not database.exists():
        return []
    wrong = []
    with closing(sqlite3.connect(database)) as raw:
        (told,) = raw.execute("PRAGMA integrity_check").fetchone()
        wrong += [f"integrity: {told}"] if told != "ok" else []
    with Store.open(folder) as store, store.database.reading() as connection:
        wrong += [f"evidence of {each.id} changed" for each in store.every_event() for item in each.evidence if item.state == "kept" and not store.evidence.verify(item)]  # fmt: skip
        kept = {
            row[0]
            for name in ("evidence", "footage")
            for row in connection.exec_driver_sql(f"SELECT path FROM {name} WHERE state = 'kept'")
        }
        there = {path.relative_to(store.evidence.folder).as_posix() for path in store.evidence.folder.rglob("*") if path.is_file()}
        there -= {".pahara-store", ".pahara-lock"}
    wrong += [f"orphan {each}" for each in sorted(there - kept)] + [f"no file {each}" for each in sorted(kept - there)]
    return wrong


# -- the disk ----------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(room: Path, megabytes: int) -> Iterator[Path | None]:
    """A file system of its own; None where nobody may mount one."""
    disk = room / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "pahara-faults", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], capture_output=True, check=False)


def disk_full(room: Path) -> Iterator[Result]:
    """The disk fills up while a camera is watched, and is freed again."""
    source = film(room / "film.mp4")
    with small_disk(room, 12) as disk:
        if disk is None:
            print("  (a small disk cannot be mounted here: that fault was not tried)", file=sys.stderr)
            return
        camera = {"source": str(source), "zones": HALF, "behaviours": [{"kind": "intrusion", "zone": "right", "alarm": {"cooldown": 0}}]}
        config = from_data(
            {"version": 1, "gate": False, "store": {"min_free_gigabytes": 0}, "evidence": {"before": 1, "after": 0.5, "longest": 2}, "cameras": {"yard": camera}}
        )  # fmt: skip
        heard: list[Event] = []
        with Store.open(disk / "data") as store, Live(config, store, make=lambda _: bright, rate=10) as live:
            live.listen(heard.append)
            first = wait_for(lambda: any(each.kept("clip") for each in store.events(limit=5)), 30)
            if first is None:
                yield Result("disk full", False, 0, "no event came")
                return
            locked = next(each for each in store.events(limit=5) if each.kept("clip"))
            store.lock(locked.id)
            evidence = [(item.path, hashlib.sha256(item.path.read_bytes()).hexdigest()) for item in store.event(locked.id).evidence]
            fill(disk / "filler")
            full = wait_for(lambda: any(each.kind == "disk_full" for each in heard), 40)
            looks = live.stations["yard"].looks
            time.sleep(2.0)
            going = live.stations["yard"].looks > looks and live.running
            intact = sum(path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest for path, digest in evidence)
            (disk / "filler").unlink()
            count = store.count()
            again = wait_for(lambda: store.count(kind="intrusion") > count and store.events(limit=1)[0].kept("snapshot"), 30)
            visible = wait_for(
                lambda: store.events(kind="disk_full", limit=1) and store.events(kind="disk_full", limit=1)[0].event.phase == "ended", 30
            )
        wrong = _look_at(disk / "data", disk / "data" / "pahara.db")
        yield Result(
            "disk full", full is not None and going and again is not None and visible is not None and not wrong, len(evidence) - intact,
            f"told after {_s(full)}{' and kept' if visible is not None else ''}, watched on: {going}, evidence again {_s(again)} after there was room {'; '.join(wrong[:2])}",
        )  # fmt: skip


def fill(path: Path) -> None:
    """With whatever room there is."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 16, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


# -- receivers ---------------------------------------------------------------------------------------------------


def receivers(room: Path, *, short: bool) -> Iterator[Result]:
    """A web hook and a broker are away for six hours by the service's clock, with an event every ten minutes."""
    hook, broker = free_port(), free_port()
    shift = [0.0]
    channels = {
        "hook": {"kind": "webhook", "url": f"http://127.0.0.1:{hook}/", "timeout": 2, "expires": 7 * 3600},
        "brief": {"kind": "webhook", "url": f"http://127.0.0.1:{hook}/", "timeout": 2, "expires": 3600},
        "broker": {"kind": "mqtt", "host": "127.0.0.1", "port": broker, "timeout": 2, "expires": 7 * 3600},
    }
    camera = {"source": "rtsp://127.0.0.1:1/away", "behaviours": ["loitering"]}
    config = from_data({"version": 1, "notify": {"channels": channels}, "cameras": {"gate": camera}})
    came: list[str] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["content-length"])))
            came.append(str(told.get("id", told)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with Store.open(room / "data", clock=lambda: time.time() + shift[0]) as store:
        ids = []
        notify = dispatcher_of(config, store)
        notify.start()
        for number in range(36):
            now = store.clock()
            event = Event(
                event_id("gate", "loitering", (number,), now), "gate", "loitering", "loitering", (number,), "began", now - 60, now, 0.0, 0.9, now,
                Reason("loitering", 61.0, 60.0, "s"), ((0.0, 0.0, 5.0, 9.0),), (64, 48),
            )  # fmt: skip
            store.save_event(event)
            ids.append(event.id)
            notify.ring()
            time.sleep(0.05 if short else 0.5)
            shift[0] += 600.0
        notify.stop()  # a restart in the middle of the outage, too
        notify = dispatcher_of(config, store)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", hook), Hook)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mosquitto = _mosquitto(broker, room)
        heard = _subscriber(broker) if mosquitto else None
        notify.start()

        def settled() -> bool:
            shift[0] += 60.0  # whatever waits for its next try is due soon
            notify.ring()
            waiting = [each.get("waiting", 0) for name, each in store.outbox.counts().items() if name != "broker" or mosquitto]
            return not any(waiting)

        done = wait_for(settled, 20 if short else 60)
        states = {name: dict(each) for name, each in store.outbox.counts().items()}
        notify.stop()
        server.shutdown()
        by_hook = [sum(each == event for each in came) for event in ids]
        brief = states.get("brief", {})
        lost = sum(times == 0 for times in by_hook)
        yield Result(
            "web hook away for 6 h", done is not None and max(by_hook, default=0) <= 2, lost,
            f"{sum(times > 0 for times in by_hook)} of {len(ids)} events told once it was back; with an hour's patience {brief.get('sent', 0)} told, {brief.get('expired', 0)} expired",
        )  # fmt: skip
        if mosquitto and heard is not None:
            wait_for(lambda: len(set(heard)) >= len(ids), 5)
            yield Result(
                "MQTT broker away for 6 h", done is not None and len(heard) <= 2 * len(ids), len(set(ids) - set(heard)), f"{len(set(heard) & set(ids))} of {len(ids)} events published once it was back"
            )  # fmt: skip
            mosquitto.kill()
            mosquitto.wait()
        else:
            print("  (no mosquitto here: the broker's fault was not tried)", file=sys.stderr)


def _mosquitto(port: int, room: Path) -> subprocess.Popen[bytes] | None:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return None
    (room / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    return subprocess.Popen([program, "-c", str(room / "mosquitto.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _subscriber(port: int) -> list[str]:
    """Ids of the events that are published from now on."""
    import paho.mqtt.client as mqtt

    heard: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.append(str(json.loads(message.payload)["after"]["id"]))
    ready = threading.Event()
    client.on_subscribe = lambda *_: ready.set()
    client.on_connect = lambda client, *_: client.subscribe("pahara/events", qos=1)

    def connected() -> bool:
        try:
            client.connect("127.0.0.1", port)
        except OSError:
            return False
        return True

    if wait_for(connected, 10) is not None:
        client.loop_start()
        ready.wait(5)
    return heard


# -- the clock ---------------------------------------------------------------------------------------------------


def clock_leaps(room: Path) -> Iterator[Result]:
    """The wall clock leaps an hour ahead, then two back, while a camera is watched."""
    source, shift = film(room / "film.mp4"), [0.0]
    camera = {"source": str(source), "zones": HALF, "behaviours": [{"kind": "intrusion", "zone": "right", "alarm": {"cooldown": 0}}]}
    config = from_data({"version": 1, "gate": False, "evidence": {"before": 1, "after": 0.5, "longest": 2}, "cameras": {"yard": camera}})

    def wall() -> float:
        return time.time() + shift[0]

    with Store.open(room / "data", clock=wall) as store, Live(config, store, make=lambda _: bright, rate=10, clock=Clock(wall)) as live:
        times, ok = [], True
        for leap in (0.0, 3600.0, -7200.0):
            shift[0] += leap
            time.sleep(1.5 if leap else 0.0)
            before = {each.id for each in store.events(kind="intrusion", limit=200)}
            looks = live.stations["yard"].looks
            new = wait_for(lambda before=before: [each for each in store.events(kind="intrusion", limit=200) if each.id not in before], 40)  # type: ignore[misc]
            ok &= new is not None and live.stations["yard"].looks > looks
            fresh = [each for each in store.events(kind="intrusion", limit=200) if each.id not in before]
            times += [abs(each.start_utc - wall()) for each in fresh[:1]]
        live.keeper.flush(10)
        dark = sum(each.end - each.begin for each in store.blind.between(0, 1e12) if each.end is not None and each.why != "off")
        count = store.count(kind="intrusion")
    wrong = _look_at(room / "data", room / "data" / "pahara.db")
    yield Result(
        "clock leaps +1 h, -2 h", ok and not wrong and max(times, default=1e9) < 30 and dark < 5, 0,
        f"{count} events, each within {max(times, default=0):.0f} s of the new time; {dark:.1f} s counted blind {'; '.join(wrong[:2])}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
