"""Requests that nobody thought of, made from the API's own description: none of them ends in a failure of the server."""

from __future__ import annotations

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

from pahara.web.app import create_app

from .conftest import OWNER, PASSWORD, YAML, bright_blocks, record

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Do not use the `random` module")]  # schemathesis does
# Endless answers, and one that waits for the network; what the walk does to both is in test_walk.py and test_live_api.py.
LEFT_OUT = ("/api/stream", "/api/cameras/{key}/stream.mjpeg", "/api/discover", "/api/probe", "/api/logout", "/api/health")
HEADERS = {"authorization": "Bearer pahara_walker"}
EXAMPLES = 10  # of each operation: enough to find a missing check, short enough for every run


@pytest.fixture(scope="module")
def described(film, tmp_path_factory, hashed):
    """The application with one owner, who is logged in by a token, and its description."""
    from pahara.pipeline.service import Service
    from pahara.web.passwords import key_hash

    folder = tmp_path_factory.mktemp("unthought")
    file = folder / "pahara.yml"
    file.write_text(YAML.format(film=film), encoding="utf-8")
    service = Service(file, make=lambda chosen: bright_blocks, rate=10)
    accounts = service.store.accounts
    owner = accounts.add_first(OWNER, hashed, language="bn", now=1.0)

    def come_in():
        """Some of the requests take the token away."""
        if accounts.token(key_hash("pahara_walker"), 2.0) is None:
            accounts.add_token(owner.id, "walker", key_hash("pahara_walker"), "owner", now=1.0, expires=None)

    come_in()
    ids = record(service.store, film, "gate")
    app = create_app(service)
    app.state.hub.closed = True
    yield app, ids, come_in
    service.stop()


def operations(app):
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HEADERS)
    found = [each.ok() for each in schema.get_all_operations()]
    return [each for each in found if each.path not in LEFT_OUT]


def test_no_request_breaks_the_server(described):
    app, _, come_in = described
    tried, statuses = [], Counter()
    for operation in operations(app):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
        def attempt(case):
            come_in()
            answer = case.call(headers=HEADERS)
            assert answer.status_code < 500, answer.text
            tried.append(case.operation.label)
            statuses[answer.status_code] += 1

        attempt()
    assert len(set(tried)) >= 45
    assert len(tried) >= 5 * len(set(tried))
    assert statuses[401] < statuses[200] > 25, statuses  # it came in


def test_real_ids_are_met_too(described):
    """A random id is rarely that of an event: the same with ids that there are."""
    app, ids, come_in = described
    come_in()
    with TestClient(app, raise_server_exceptions=False, headers=HEADERS) as client:
        for odd in ({}, {"lang": "xx"}, {"lang": "bn", "x": "y"}):
            for event in ids:
                for part in ("", "/clip.mp4", "/snapshot.jpg", "/thumbnail.jpg", "/explanation.jpg"):
                    assert client.get(f"/api/events/{event}{part}", params=odd).status_code < 500
        assert client.post("/api/login", json={"name": OWNER, "password": PASSWORD}).status_code == 200
