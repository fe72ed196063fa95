"""A running service around a film, its application, and people with different rights."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.pipeline.conftest import bright_blocks, film  # noqa: F401  `film` is a fixture

from pahara.core import Event, Observation, Reason, event_id
from pahara.pipeline.service import Service
from pahara.store import Store
from pahara.web.app import create_app
from pahara.web.passwords import hash_password

OWNER, PASSWORD = "মালিক", "correct horse battery"
YAML = """\
version: 1  # kept by the editor
language: bn
gate: off
evidence: {{before: 1, after: 1}}
cameras:
  # the camera at the gate
  gate:
    name: ফটক
    source: {film}
    zones: {{right: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}}
    behaviours: [{{kind: intrusion, zone: right}}]
  yard:
    source: {film}
    behaviours: []
"""


@pytest.fixture
def service(film: Path, tmp_path: Path) -> Iterator[Service]:  # noqa: F811
    """Not started: the store and the configuration are there, nothing is read from cameras."""
    file = tmp_path / "pahara.yml"
    file.write_text(YAML.format(film=film), encoding="utf-8")
    made = Service(file, make=lambda chosen: bright_blocks, rate=10)
    yield made
    made.stop()


@pytest.fixture
def app(service: Service):
    return create_app(service, setup_code="the-code")


class Browser(TestClient):
    """A client that sends what the dashboard's own scripts send."""

    def log_in(self, name: str, password: str = PASSWORD, **more: str) -> Browser:
        answer = self.post("/api/login", json={"name": name, "password": password, **more})
        assert answer.status_code == 200, answer.text
        self.headers["x-csrf-token"] = answer.json()["csrf"]
        return self


@pytest.fixture
def browser(app) -> Callable[[], Browser]:
    """browser() is a new device without any cookie."""
    return lambda: Browser(app, base_url="http://testserver", raise_server_exceptions=False)


@pytest.fixture(scope="session")
def hashed() -> str:
    """Hashing takes a while on purpose."""
    return hash_password(PASSWORD)


@pytest.fixture
def people(service: Service, hashed: str) -> dict[str, int]:
    """An owner, an operator of both cameras, and a viewer of the gate alone."""
    accounts = service.store.accounts
    owner = accounts.add_first(OWNER, hashed, language="bn", now=1.0)
    operator = accounts.add("operator", hashed, "operator", cameras=None, language="en", now=1.0)
    viewer = accounts.add("viewer", hashed, "viewer", cameras=["gate"], language="en", now=1.0)
    return {OWNER: owner.id, "operator": operator.id, "viewer": viewer.id}


NOON = 1_760_000_000.0  # UTC seconds: when the recorded events began, one each minute


def report(camera: str, number: int, *, kind: str = "intrusion", phase: str = "ended", track: int = 1) -> Event:
    """Someone stood in the right half, `number` minutes after noon."""
    start = 10.0 + 60.0 * number
    return Event(
        id=event_id(camera, f"{kind}-right", (track,), NOON + start),
        camera=camera,
        behaviour=f"{kind}-right",  # as the configuration above names it
        kind=kind,
        subject=(track,),
        phase=phase,  # type: ignore[arg-type]
        start=start,
        time=start + 5.0,
        epoch=NOON,
        peak=0.9,
        peak_time=start + 2.0,
        reason=Reason("intrusion.presence", 3.0, 1.0, "s", "right"),
        boxes=((100.0, 40.0, 112.0, 76.0),),
        size=(160, 90),
    )


def jpeg_file(path: Path) -> None:
    path.write_bytes(cv2.imencode(".jpg", np.full((90, 160, 3), 90, np.uint8))[1].tobytes())


def record(store: Store, film: Path, camera: str, config: str = "") -> list[str]:  # noqa: F811
    """A recording of three minutes with one track, three events in it, and evidence of the first -> ids, oldest first."""
    recording = store.begin_recording(camera, str(film), (160, 90), epoch=NOON, config=config, begun=NOON)
    beats = [
        Observation(
            n / 10,
            np.array([1], np.int64),
            np.array([[100, 40, 112, 76]] if n / 10 % 60 >= 10 else [[10, 40, 22, 76]], np.float32),
            ("person",),
            np.array([True]),
            np.array([0.9], np.float32),
        )
        for n in range(1800)
    ]
    for begin in range(0, 1800, 100):
        store.add_observations(recording, beats[begin : begin + 100])
    ids = []
    for number in range(3):
        event = report(camera, number)
        store.save_event(event, recording)
        ids.append(event.id)
    store.add_pictures(ids[0], {"snapshot": jpeg_file, "thumbnail": jpeg_file})
    store.add_evidence(ids[0], "clip", lambda path: shutil.copy(film, path), begin=NOON + 5, end=NOON + 20)
    return ids


@pytest.fixture
def recorded(service: Service, film: Path) -> dict[str, list[str]]:  # noqa: F811
    """Events of both cameras: camera -> ids, oldest first; the first of each has a clip and pictures."""
    import json

    config = json.dumps(service.config.as_dict())
    return {camera: record(service.store, film, camera, config) for camera in ("gate", "yard")}
