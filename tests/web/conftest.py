"""A running service around a film, its application, and people with different rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.pipeline.conftest import bright_blocks, film  # noqa: F401  `film` is a fixture

from pahara.pipeline.service import Service
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
