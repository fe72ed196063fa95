"""How quickly the review queue answers with a million events in the store: each filter that the dashboard has, through the API.

Prints p95_ms, the slowest filter's 95th percentile over its requests (the issue asks for 100), and what each filter took.
The store is made once by bulk insert (a minute or two) and kept in --store for the next run.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from pahara.core import event_id
from pahara.pipeline.service import Service
from pahara.store import Store
from pahara.web.app import create_app
from pahara.web.passwords import key_hash
from shared import arguments, show

CAMERAS = 8
KINDS = ("loitering", "intrusion", "running", "falling", "crossing", "crowding", "abandoned", "tamper")
DAYS = 365.0
NEWEST = 1_790_000_000.0  # UTC seconds
SEED = 7


def fill(folder: Path, number: int) -> None:
    """A year of events of eight cameras, unevenly spread; one in fifty is not reviewed yet, some are locked, most have evidence."""
    rng = np.random.default_rng(SEED)
    with Store.open(folder) as store:
        if store.count() == number:
            return
        if store.count():
            sys.exit(f"{folder} holds another number of events: choose another --store, or remove it")
    print(f"making {number} events …", file=sys.stderr, flush=True)
    with closing(sqlite3.connect(folder / "pahara.db")) as database:  # in bulk: indexes last, and no waiting for the disk
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-400000")
        indexes = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('events', 'evidence')"
        ).fetchall()
        for name, _ in indexes:
            database.execute(f'DROP INDEX "{name}"')
        starts = np.sort(NEWEST - DAYS * 86400 * rng.random(number) ** 1.3)
        share = np.array([0.4, 0.2, 0.15, 0.1, 0.06, 0.05, 0.03, 0.01])
        cameras, kinds = rng.choice(CAMERAS, number, p=share), rng.choice(len(KINDS), number, p=share)
        fresh, verdicts, locked, shown = rng.random(number) < 0.02, rng.random(number), rng.random(number) < 0.01, rng.random(number) < 0.9
        box = "[[100.0,40.0,112.0,76.0]]"
        for begin in range(0, number, 20_000):
            rows: list[dict[str, Any]] = []
            files: list[dict[str, Any]] = []
            for n in range(begin, min(begin + 20_000, number)):
                kind, camera, start = KINDS[kinds[n]], f"camera{cameras[n]}", float(round(starts[n], 3))
                name = event_id(camera, kind, (n,), start)
                reviewed = not fresh[n]
                rows.append({
                    "id": name, "recording_id": None, "camera": camera, "behaviour": f"{kind}-gate", "kind": kind, "subject": f"[{n}]",
                    "phase": "ended", "start": start, "time": start + 20.0, "epoch": 0.0, "start_utc": start, "peak": 0.8, "peak_time": start + 5,
                    "reason": json.dumps(["loitering.dwell", 34.0, 30.0, "s", "gate", {}]), "boxes": box, "width": 640, "height": 360,
                    "stored": start, "reviewed": reviewed, "verdict": None if not reviewed or verdicts[n] < 0.4 else "real" if verdicts[n] > 0.97 else "fine",
                    "note": "", "locked": bool(locked[n]), "told": "ended",
                })  # fmt: skip
                if shown[n]:
                    files += [
                        {
                            "event_id": name, "kind": kind_of, "path": f"{name}/{kind_of}", "state": "kept", "bytes": 100_000, "sha256": "0" * 64,
                            "begin_utc": None, "end_utc": None, "stored": start,
                        }
                        for kind_of in ("clip", "snapshot", "thumbnail")
                    ]  # fmt: skip
            columns = ", ".join(rows[0])
            database.executemany(f"INSERT INTO events ({columns}) VALUES ({', '.join(f':{each}' for each in rows[0])})", rows)
            columns = ", ".join(files[0])
            database.executemany(f"INSERT INTO evidence ({columns}) VALUES ({', '.join(f':{each}' for each in files[0])})", files)
            print(f"  {begin + len(rows)}", file=sys.stderr, flush=True)
        for _, made in indexes:
            database.execute(made)
        database.commit()
        database.execute("PRAGMA optimize")
        database.commit()


def queries() -> dict[str, dict[str, Any]]:
    """What the dashboard asks: the queue, each filter, and filters together; the rare ones are the hard ones."""
    day, month = NEWEST - 86400, NEWEST - 30 * 86400
    return {
        "newest": {},
        "to review": {"reviewed": False},
        "reviewed": {"reviewed": True},
        "one camera": {"camera": "camera0"},
        "rare camera": {"camera": "camera7"},
        "three cameras": {"camera": ["camera1", "camera4", "camera7"]},
        "rare camera to review": {"camera": "camera7", "reviewed": False},
        "camera to review": {"camera": "camera0", "reviewed": False},
        "rare kind": {"kind": "tamper"},
        "behaviour": {"behaviour": "loitering-gate"},
        "rare camera, rare kind": {"camera": "camera7", "kind": "tamper"},
        "rare camera, rare behaviour": {"camera": "camera7", "behaviour": "tamper-gate", "reviewed": False},
        "one day": {"since": day, "until": NEWEST},
        "camera in a month": {"camera": "camera2", "since": month, "until": NEWEST},
        "confirmed": {"verdict": "real"},
        "false of a camera": {"verdict": "fine", "camera": "camera6"},
        "confirmed of a rare camera": {"verdict": "real", "camera": "camera7"},
        "locked": {"locked": True},
        "locked of a rare camera": {"locked": True, "camera": "camera7"},
        "unseen rare kind": {"kind": "tamper", "reviewed": False},
        "nothing there": {"camera": "nowhere"},
    }


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=40, help="of each filter")
    parser.add_argument("--store", type=Path, default=None, help="keep the store here (about 1 GB)")
    asked = parser.parse_args()
    from starlette.testclient import TestClient

    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.store or Path(temporary) / "store"
        folder.mkdir(parents=True, exist_ok=True)
        fill(folder, asked.events)
        file = Path(temporary) / "pahara.yml"
        cameras = "".join(f"  camera{n}: {{source: 'rtsp://127.0.0.1:1/{n}', enabled: false}}\n" for n in range(CAMERAS))
        file.write_text(f"version: 1\nstore: {{path: {json.dumps(str(folder.absolute()))}}}\ncameras:\n{cameras}", encoding="utf-8")
        service = Service(file)
        accounts = service.store.accounts
        times: dict[str, list[float]] = {}
        busy: list[float] = []
        try:
            app = create_app(service)
            for role, seen in (("owner", None), ("viewer", ["camera1", "camera5", "camera7"])):
                name = f"bench-{role}-{time.time_ns()}"
                user = accounts.add(name, "", role, cameras=seen, language="en", now=time.time())  # type: ignore[arg-type]
                key = f"pahara_{name}"
                accounts.add_token(user.id, "bench", key_hash(key), role, now=time.time(), expires=None)  # type: ignore[arg-type]
                client = TestClient(app, headers={"authorization": f"Bearer {key}"})
                with client:
                    for query, params in queries().items():
                        taken, after = [], None
                        for _ in range(asked.requests):
                            began, worked = time.perf_counter(), time.process_time()
                            answer = client.get("/api/events", params={**params, **({"after": after} if after else {})})
                            taken.append(1000 * (time.perf_counter() - began))
                            busy.append(1000 * (time.process_time() - worked))
                            assert answer.status_code == 200, answer.text
                            after = answer.json()["next"]  # page on: deep pages must be as quick
                        times[f"{role}: {query}"] = taken
        finally:
            service.stop()
    p95 = {query: float(np.percentile(taken, 95)) for query, taken in times.items()}
    slowest = max(p95, key=lambda each: p95[each])
    every = np.concatenate([np.array(each) for each in times.values()])
    if not asked.json:
        for query, taken in times.items():
            print(f"  {query:<44} median {np.median(taken):7.1f} ms   p95 {p95[query]:7.1f} ms")
    figures = {"events": asked.events, "p95_ms": round(p95[slowest], 1), "p95_ms_all": round(float(np.percentile(every, 95)), 1), "median_ms": round(float(np.median(every)), 1), "cpu_p95_ms": round(float(np.percentile(busy, 95)), 1), "filters": len(times)}  # fmt: skip
    show(figures, as_json=asked.json, title=f"Review queue over {asked.events} events (slowest: {slowest})")


if __name__ == "__main__":
    main()
