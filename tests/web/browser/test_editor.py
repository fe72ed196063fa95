"""Zones and lines by mouse and by keyboard alone, and a rule tried before it counts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow


@pytest.fixture
def gate(house, enter):
    before = house.service.file.read_bytes()
    page = enter(path="/cameras/gate/edit")
    page.locator(".place").first.wait_for()
    yield page
    house.service.file.write_bytes(before)
    house.service.reload()


def at(page, x, y):
    area = page.locator("#screen svg.places").bounding_box()
    return area["x"] + x * area["width"], area["y"] + y * area["height"]


def saved(page):
    page.click("#save")
    expect(page.locator("#toasts")).to_contain_text("Saved")
    expect(page.locator("#save")).to_be_disabled()


def test_a_corner_is_moved_by_mouse_and_comments_stay(gate, house):
    gate.mouse.click(*at(gate, 0.75, 0.5))  # the zone itself
    expect(gate.locator(".handle")).to_have_count(4)
    gate.mouse.move(*at(gate, 0.5, 1.0 - 0.002))
    gate.mouse.down()
    gate.mouse.move(*at(gate, 0.4, 0.9), steps=3)
    gate.mouse.up()
    saved(gate)
    corners = house.service.config.cameras["gate"].zones["right"]
    assert corners[3] == pytest.approx((0.4, 0.9), abs=0.01)
    assert corners[:3] == ((0.5, 0), (1, 0), (1, 1))
    text = house.service.file.read_text(encoding="utf-8")
    assert "# kept by the editor" in text
    assert "# the camera at the gate" in text


def test_a_zone_is_drawn_and_bent_by_keyboard_alone(gate, house):
    gate.locator("#zone").focus()
    keys = gate.keyboard
    keys.press("Enter")
    expect(gate.locator("svg.places")).to_be_focused()
    for moves in (("ArrowLeft", 4), ("ArrowRight", 6), ("ArrowDown", 5)):
        for _ in range(moves[1]):
            keys.press(moves[0])
        keys.press("Space")
    keys.press("Enter")
    expect(gate.locator(".handle").first).to_be_focused()
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    saved(gate)
    drawn = house.service.config.cameras["gate"].zones["zone-1"]
    assert [x for corner in drawn for x in corner] == pytest.approx([0.3, 0.48, 0.6, 0.5, 0.6, 0.75])
    assert set(house.service.config.cameras["gate"].zones) == {"right", "zone-1"}


def test_a_line_is_drawn_undone_and_a_zone_renamed_with_its_rule(gate, house):
    gate.click("#line")
    gate.mouse.click(*at(gate, 0.1, 0.2))
    gate.mouse.click(*at(gate, 0.3, 0.8))
    expect(gate.locator("line.tripwire")).to_have_count(1)
    gate.click("#undo")
    expect(gate.locator("line.tripwire")).to_have_count(0)
    name = gate.locator(".place input").first
    name.fill("উঠান")
    name.press("Enter")
    expect(gate.locator(".rule summary")).to_contain_text("উঠান")
    saved(gate)
    camera = house.service.config.cameras["gate"]
    assert list(camera.zones) == ["উঠান"]
    assert camera.behaviours[0].options["zone"] == "উঠান"


def test_a_stricter_rule_is_tried_on_what_was_recorded_before_it_counts(gate, house):
    gate.locator(".rule summary").click()
    gate.fill("[name='behaviour.intrusion.seconds']", "100")
    gate.click("#try")
    expect(gate.locator("#tried")).to_contain_text("0 with these: 3 fewer, 0 new", timeout=30_000)
    expect(gate.locator("#tried a")).to_have_count(3)
    assert "seconds" not in house.service.file.read_text(encoding="utf-8")  # nothing was saved
    gate.click("#keep")
    expect(gate.locator("#toasts")).to_contain_text("Saved")
    assert "seconds: 100" in house.service.file.read_text(encoding="utf-8")


def test_a_place_that_a_rule_needs_is_not_lost(gate, house, complaints):
    gate.get_by_role("button", name="Remove right").click()
    gate.click("#save")
    expect(gate.locator("#alarms")).to_contain_text("right")
    complaints.clear()  # a browser notes every refusal
    assert list(house.service.config.cameras["gate"].zones) == ["right"]
