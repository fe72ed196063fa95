"""A dashboard that is really served, and a real browser in front of it that hears every complaint of a page."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.pipeline.conftest import bright_blocks, film  # noqa: F401  `film` is a fixture
from tests.web.conftest import NOON, OWNER, PASSWORD, YAML, record

from pahara.pipeline.service import Service
from pahara.web.passwords import hash_password
from pahara.web.serve import Dashboard

LATER = NOON + 600.0  # UTC seconds: the clock of the dashboard of `house`, a little after what was recorded


@dataclass
class House:
    """A service with its dashboard, and what was recorded: camera -> ids of events, oldest first."""

    service: Service
    dashboard: Dashboard
    recorded: dict[str, list[str]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.dashboard.address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        message = "needs chromium to look at the dashboard"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def house(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:  # noqa: F811
    """Two cameras, three people, six events; nothing is read from the cameras, so that nothing changes under a test's hands."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "pahara.yml").write_text(YAML.format(film=film), encoding="utf-8")
    service = Service(folder / "pahara.yml", make=lambda chosen: bright_blocks, rate=10)
    accounts, hashed = service.store.accounts, hash_password(PASSWORD)
    accounts.add_first(OWNER, hashed, language="en", now=LATER)
    accounts.add("operator", hashed, "operator", cameras=None, language="en", now=LATER)
    accounts.add("viewer", hashed, "viewer", cameras=["gate"], language="en", now=LATER)
    recorded = {camera: record(service.store, film, camera, json.dumps(service.config.as_dict())) for camera in ("gate", "yard")}
    try:
        with Dashboard(service, host="127.0.0.1", port=0) as dashboard:
            dashboard.app.state.clock = lambda: LATER
            yield House(service, dashboard, recorded)
    finally:
        service.stop()


def until(page: Page, told: str, seconds: float = 10.0) -> None:
    """Wait for something that the page says; its own policy lets nobody evaluate a string there again and again."""
    end = time.monotonic() + seconds
    while not page.evaluate(told):
        assert time.monotonic() < end, told
        page.wait_for_timeout(100)


@pytest.fixture
def complaints() -> list[str]:
    """What pages said on the console, and errors that nobody caught."""
    return []


@pytest.fixture
def open_page(chromium: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """open_page(address, …) is a page in a browser of its own, without any cookie."""
    opened: list[BrowserContext] = []

    def start(address: str, **options: object) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 800}, "base_url": address, "locale": "en-GB"} | options))
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        return page

    yield start
    for context in opened:
        context.close()


@pytest.fixture
def enter(house: House, open_page: Callable[..., Page]) -> Callable[..., Page]:
    """enter(name, path) is a page of the house on which that person is logged in."""

    def log_in(name: str = OWNER, path: str = "/account", **options: object) -> Page:
        accounts = house.service.store.accounts
        accounts.change(accounts.named(name).id, LATER, language="en")  # whatever the test before chose
        page = open_page(house.address, **options)
        page.goto("/login")
        page.fill("[name=name]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("button.main")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(path)
        return page

    return log_in


@pytest.fixture(autouse=True)
def _quiet(complaints: list[str]) -> Iterator[None]:
    """No page complains, whatever is done with it. Who expects a refusal clears the list."""
    yield
    assert complaints == []
