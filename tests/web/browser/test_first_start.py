"""From an empty configuration to the first event, with nothing but a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pahara.pipeline.service import Service
from pahara.web.serve import Dashboard

from ...pipeline.conftest import bright_blocks
from .conftest import until

pytestmark = pytest.mark.slow


@pytest.fixture
def empty(tmp_path):
    """`pahara run` as it was just installed: no camera, nobody who may come in."""
    file = tmp_path / "pahara.yml"
    file.write_text("# mine\nversion: 1\nlanguage: en\ngate: off\nevidence: {before: 1, after: 1}\ncameras: {}\n", encoding="utf-8")
    service = Service(file, make=lambda chosen: bright_blocks, rate=10)
    service.start()
    try:
        with Dashboard(service, host="127.0.0.1", port=0) as dashboard:
            yield service, dashboard
    finally:
        service.stop()


def test_from_the_code_to_the_first_event(empty, film, open_page, complaints):
    service, dashboard = empty
    page = open_page(dashboard.address)
    page.goto("/")
    assert page.url.endswith("/setup")
    expect(page.locator("#owner [name=code]")).to_be_focused()
    page.fill("#owner [name=code]", "wrong")
    page.fill("#owner [name=name]", "মালিক")
    page.fill("#owner [name=password]", "correct horse battery")
    page.click("#owner button.main")
    expect(page.locator("#wrong")).to_have_text("Wrong code.")
    complaints.clear()  # a browser notes every refusal
    page.goto("about:blank")
    page.goto(f"/setup#{dashboard.app.state.setup_code}")  # the link that `pahara run` prints
    expect(page.locator("#owner [name=code]")).not_to_have_value("")
    assert "#" not in page.url  # it stays in no history
    page.fill("#owner [name=name]", "মালিক")
    page.fill("#owner [name=password]", "correct horse battery")
    page.click("#owner button.main")

    page.fill("#address [name=source]", str(film))
    page.fill("#address [name=name]", "সদর দরজা")
    page.click("#address button.main")
    expect(page.locator("#picture img")).to_be_visible()
    expect(page.locator("#seen")).to_contain_text("160 × 90")
    page.click("#good")
    page.click("#draw")

    screen = page.locator("#screen")
    expect(page.locator("#name")).to_have_text("সদর দরজা")
    until(page, "document.querySelector('#screen img').naturalWidth > 0")
    page.click("#zone")
    area = screen.bounding_box()
    for x, y in ((0.5, 0.02), (0.98, 0.02), (0.98, 0.98), (0.5, 0.98)):
        page.mouse.click(area["x"] + x * area["width"], area["y"] + y * area["height"])
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Tell when someone is in zone-1").click()
    page.click("#save")
    expect(page.locator("#toasts")).to_contain_text("Saved")

    page.goto("/review")
    expect(page.locator(".shot").first).to_be_visible(timeout=25_000)
    expect(page.locator(".shot b").first).to_have_text("Intrusion")
    page.goto("/")
    expect(page.locator(".tile .state")).to_have_text("Watching")
    until(page, "document.querySelector('.tile img').naturalWidth === 160")

    text = service.file.read_text(encoding="utf-8")
    assert text.startswith("# mine")
    camera = next(iter(service.config.cameras.values()))
    assert [round(x, 1) for x, _ in camera.zones["zone-1"]] == [0.5, 1.0, 1.0, 0.5]
    assert any(each.kind == "intrusion" for each in camera.behaviours)
