"""The dashboard served beside a watch that runs: pictures, streams, what is drawn over them, and an end that is an end."""

from __future__ import annotations

import json
import threading
import time

import cv2
import httpx2 as httpx
import numpy as np
import pytest

from pahara.core import ConfigError
from pahara.web.serve import Dashboard

from .conftest import OWNER, PASSWORD

pytestmark = pytest.mark.slow


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)
    return found


@pytest.fixture
def dashboard(service, people):
    service.start()
    with Dashboard(service, host="127.0.0.1", port=0) as made:
        yield made


@pytest.fixture
def visit(dashboard):
    """visit(name) is a device on which that person is logged in."""
    made = []

    def log_in(name=OWNER):
        client = httpx.Client(base_url=dashboard.address, timeout=20)
        made.append(client)
        answer = client.post("/api/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf"]
        return client

    yield log_in
    for client in made:
        client.close()


def parts(client, path, number, **asked):
    """The first pictures of a stream."""
    found = []
    with client.stream("GET", path, params=asked) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace; boundary=")
        held = b""
        for chunk in answer.iter_raw():
            held += chunk
            while b"\r\n\r\n" in held:
                head, rest = held.split(b"\r\n\r\n", 1)
                size = int(next(line for line in head.split(b"\r\n") if line.startswith(b"content-length")).split(b":")[1])
                if len(rest) < size + 2:
                    break
                found.append((float(head.split(b"x-picture-time:")[1].split()[0]), rest[:size]))
                held = rest[size + 2 :]
            if len(found) >= number:
                return found
    return found


def messages(client, number=1, name=None, seconds=20.0, **asked):
    """The first server-sent events (of one name)."""
    found, event = [], ""
    end = time.monotonic() + seconds
    with client.stream("GET", "/api/stream", params=asked) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: ") and (name is None or event == name):
                found.append((event, json.loads(line[6:])))
            if len(found) >= number or time.monotonic() > end:
                return found
    return found


def test_pictures_streams_and_overlays_of_a_running_watch(visit, dashboard, service):
    owner, viewer = visit(), visit("viewer")
    until(lambda: owner.get("/api/cameras/gate/latest.jpg").status_code == 200)
    assert owner.get("/api/health").json() == {"ok": True}

    picture = owner.get("/api/cameras/gate/latest.jpg", params={"width": 100})
    assert cv2.imdecode(np.frombuffer(picture.content, np.uint8), 1).shape == (90, 160, 3)
    assert abs(float(picture.headers["x-picture-time"]) - time.time()) < 30

    seen = parts(viewer, "/api/cameras/gate/stream.mjpeg", 4, fps=10)
    assert [at for at, _ in seen] == sorted({at for at, _ in seen})
    assert all(cv2.imdecode(np.frombuffer(each, np.uint8), 1) is not None for _, each in seen)
    until(lambda: dashboard.app.state.pictures.viewers == 0)  # whoever left is not counted any more

    told = {each["key"]: each for each in owner.get("/api/cameras").json()}
    assert (told["gate"]["name"], told["gate"]["state"], told["gate"]["size"]) == ("ফটক", "watching", [160, 90])
    assert told["gate"]["behaviours"] == [{"name": "intrusion-right", "kind": "intrusion"}]
    assert [each["key"] for each in viewer.get("/api/cameras").json()] == ["gate"]

    drawn = until(lambda: [t for t in owner.get("/api/cameras/gate/overlay").json()["tracks"] if t["alert"]])
    x1, y1, x2, y2 = drawn[0]["box"]
    assert 0 <= x1 < x2 <= 1
    assert 0 <= y1 < y2 <= 1
    assert owner.get("/api/cameras/gate/overlay").json()["zones"] == {"right": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}

    stats = owner.get("/api/stats").json()
    assert {each["key"] for each in stats["cameras"]} == {"gate", "yard"}
    assert stats["cameras"][0]["frames"] > 0
    text = owner.get("/metrics").text
    assert 'pahara_camera_up{camera="gate"} 1.0' in text
    assert 'pahara_camera_frames_total{camera="yard"}' in text


def test_ten_viewers_cost_one_encoder_and_a_slow_one_holds_up_nobody(visit, dashboard):
    owner = visit()
    until(lambda: owner.get("/api/cameras/gate/latest.jpg").status_code == 200)
    pictures = dashboard.app.state.pictures
    with owner.stream("GET", "/api/cameras/gate/stream.mjpeg", params={"fps": 10}):  # never read: the slow one
        before, began = pictures.encoded, time.monotonic()
        seen = []
        threads = [
            threading.Thread(target=lambda: seen.append(parts(visit(), "/api/cameras/gate/stream.mjpeg", 8, fps=10))) for _ in range(4)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(20)
        assert [len(each) >= 8 for each in seen] == [True] * 4
        assert pictures.encoded - before <= 10 * (time.monotonic() - began) + 5  # frames that came, not frames times viewers


def test_a_reader_hears_of_their_own_cameras_only_and_no_longer_than_they_may(visit, dashboard, service, people):
    heard = {}

    def listen(name):
        heard[name] = messages(visit(name), 3, "event", seconds=15)

    threads = [threading.Thread(target=listen, args=(name,)) for name in ("viewer", OWNER)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(40)
    assert {each["camera"] for _, each in heard["viewer"]} == {"gate"}
    assert heard[OWNER][0][1]["title"] != heard["viewer"][0][1]["title"]  # each in their own language
    first = messages(visit("viewer"), 1)
    assert (first[0][0], first[0][1]["key"]) == ("camera", "gate")

    client, ended = visit("viewer"), []

    def look():
        ended.append(len(parts(client, "/api/cameras/gate/stream.mjpeg", 10_000, fps=10)))

    watching = threading.Thread(target=look)
    watching.start()
    until(lambda: dashboard.app.state.pictures.viewers == 1)
    service.store.accounts.change(people["viewer"], time.time(), cameras=["yard"])
    watching.join(10)
    assert ended  # the stream ended by itself
    assert visit("viewer").get("/api/cameras/gate").status_code == 404


def test_overlays_come_along_with_the_stream(visit):
    told = messages(visit("viewer"), 3, "overlay", overlay=["gate", "yard"])
    assert {each["camera"] for _, each in told} == {"gate"}
    assert told[0][1]["time"] < told[-1][1]["time"]


def test_open_streams_do_not_hold_up_the_end(visit, dashboard):
    owner = visit()
    until(lambda: owner.get("/api/cameras/gate/latest.jpg").status_code == 200)
    with owner.stream("GET", "/api/stream"), owner.stream("GET", "/api/cameras/gate/stream.mjpeg"):
        began = time.monotonic()
        dashboard.stop()
        assert time.monotonic() - began < 5


def test_a_port_that_is_taken_is_told_in_one_line(dashboard, service):
    with pytest.raises(ConfigError, match="is taken by another program"):
        Dashboard(service, host="127.0.0.1", port=dashboard.port)


def test_the_first_start_shows_a_link_with_its_code_and_later_ones_do_not(service, hashed):
    made = Dashboard(service, host="127.0.0.1", port=0)
    try:
        assert made.set_up_link == f"http://127.0.0.1:{made.port}/setup#{made.app.state.setup_code}"
        service.store.accounts.add_first(OWNER, hashed, language="bn", now=1.0)
        assert made.set_up_link == ""
    finally:
        made.stop()


def test_pahara_run_serves_its_dashboard_prints_the_link_once_and_ends_well(film, tmp_path):
    import os
    import signal
    import subprocess
    import sys

    from .conftest import YAML

    file = tmp_path / "pahara.yml"
    file.write_text(YAML.format(film=film) + "web: {host: 127.0.0.1, port: 0}\ndetector: motion\n", encoding="utf-8")

    def run():
        command = [sys.executable, "-m", "pahara", "run", "-c", str(file), "--json"]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )

    with run() as running:
        try:
            link = running.stdout.readline().split(": ", 1)[1].strip()
            address, code = link.split("/setup#")
            with httpx.Client(base_url=address, timeout=20) as client:
                assert client.get("/api/setup").json() == {"needed": True}
                body = {"code": code, "name": OWNER, "password": PASSWORD}
                assert client.post("/api/setup", json=body).status_code == 201
                with client.stream("GET", "/api/stream") as stream:
                    assert next(stream.iter_lines()).startswith("retry")
                    running.send_signal(signal.SIGTERM)
                    log = running.communicate(timeout=40)[1]
        finally:
            running.kill()
    assert running.returncode == 0, log
    told = [json.loads(line) for line in log.splitlines()]
    assert told[-1]["event"] == "ended"
    assert code not in log
    with run() as again:
        try:
            line = next(line for line in again.stderr if "the dashboard is at" in line)
            assert "127.0.0.1" in line
            again.send_signal(signal.SIGTERM)
            printed, _ = again.communicate(timeout=40)
        finally:
            again.kill()
    assert (again.returncode, printed) == (0, "")
