"""The review queue by keyboard alone, and the page of one event."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import until

pytestmark = pytest.mark.slow


@pytest.fixture
def queue(house, enter):
    """Six events, the newest first; nobody has looked at them."""
    for ids in house.recorded.values():
        house.service.store.review_all(ids, reviewed=False, verdict=None)
    page = enter("operator", "/review")
    expect(page.locator(".shot")).to_have_count(6)
    page.locator("#queue").focus()
    return page


def chosen(page):
    return page.locator(".shot[aria-selected=true]")


def find(house, page, index):
    return house.service.store.find(page.locator(".shot").nth(index).get_attribute("id").removeprefix("e-"))


def test_what_was_seen_leaves_the_queue_by_one_key(house, queue):
    keys = queue.keyboard
    first, second = find(house, queue, 0), find(house, queue, 1)
    keys.press("r")
    expect(queue.locator(".shot")).to_have_count(5)
    keys.press("f")
    expect(queue.locator(".shot")).to_have_count(4)
    expect(queue.locator("#queue")).to_be_focused()
    assert (house.service.store.find(first.id).reviewed, house.service.store.find(first.id).verdict) == (True, None)
    assert house.service.store.find(second.id).verdict == "fine"
    queue.select_option("[name=reviewed]", "true")
    expect(queue.locator(".shot")).to_have_count(2)
    expect(queue.locator(".badge.fine")).to_have_count(1)


def test_several_are_chosen_with_shift_and_let_go_with_escape(house, queue):
    keys = queue.keyboard
    keys.press("ArrowRight")
    keys.press("Shift+ArrowRight")
    keys.press("Shift+ArrowRight")
    expect(chosen(queue)).to_have_count(3)
    expect(queue.locator("#chosen")).to_have_text("3 chosen")
    keys.press("Shift+ArrowLeft")
    expect(chosen(queue)).to_have_count(2)
    keys.press("Escape")
    expect(chosen(queue)).to_have_count(0)
    expect(queue.locator("#bulk")).to_be_hidden()
    keys.press("Home")
    keys.press("Shift+ArrowRight")
    keys.press("t")
    expect(queue.locator(".shot")).to_have_count(4)
    assert sum(house.service.store.find(each).verdict == "real" for ids in house.recorded.values() for each in ids) == 2


def test_space_plays_the_clip_and_stops_it(house, queue):
    with_clip = house.recorded["gate"][0]
    index = next(i for i in range(6) if find(house, queue, i).id == with_clip)
    for _ in range(index):
        queue.keyboard.press("ArrowRight")
    queue.keyboard.press("Space")
    expect(queue.locator(f"#e-{with_clip} video")).to_have_count(1)
    until(queue, "document.querySelector('.shot video').readyState >= 2")
    queue.keyboard.press("Space")
    expect(queue.locator(".shot video")).to_have_count(0)


def test_another_language_changes_the_words_and_nothing_else(queue):
    queue.keyboard.press("ArrowRight")
    queue.keyboard.press("Shift+ArrowRight")
    before = queue.locator(".shot[aria-selected=true]").evaluate_all("all => all.map((one) => one.id)")
    queue.click("[data-language=bn]")
    expect(queue.locator("h1")).to_have_text("দেখে নিন")
    expect(queue.locator(".shot b").first).to_have_text("অনুপ্রবেশ")
    assert queue.locator(".shot[aria-selected=true]").evaluate_all("all => all.map((one) => one.id)") == before
    assert len(before) == 2
    assert queue.title().startswith("দেখে নিন")
    queue.click("[data-language=en]")
    expect(queue.locator("h1")).to_have_text("Review")


def test_a_filter_stands_in_the_address(queue):
    queue.select_option("[name=camera]", "yard")
    expect(queue.locator(".shot")).to_have_count(3)
    assert "camera=yard" in queue.url
    queue.reload()
    expect(queue.locator(".shot")).to_have_count(3)
    queue.select_option("[name=kind]", "tamper") if queue.locator("[name=kind] option[value=tamper]").count() else queue.select_option(
        "[name=kind]", "offline"
    )
    expect(queue.locator("#empty")).to_be_visible()


def test_one_event_tells_why_is_judged_and_keeps_a_note(house, queue):
    with_clip = house.recorded["gate"][0]
    queue.goto(f"/events/{with_clip}")
    expect(queue.locator("#reason")).not_to_be_empty()
    expect(queue.locator(".gauge")).to_contain_text("Measured 3 s")
    until(queue, "document.querySelector('#screen video').readyState >= 1")
    queue.fill("#words", "চেনা লোক")
    queue.click("[data-language=bn]")
    expect(queue.locator("h2").first).to_have_text("কেন জানালো")
    assert queue.input_value("#words") == "চেনা লোক"  # what was typed is not lost
    queue.click("[data-language=en]")
    queue.click("#note button")
    expect(queue.locator("#toasts")).to_contain_text("Saved")
    real = queue.locator("[data-do=real]")
    real.click()
    expect(real).to_have_attribute("aria-pressed", "true")
    assert house.service.store.find(with_clip).verdict == "real"
    real.click()
    expect(real).to_have_attribute("aria-pressed", "false")
    stored = house.service.store.find(with_clip)
    assert (stored.verdict, stored.note) == (None, "চেনা লোক")
    with queue.expect_download() as download:
        queue.click("[data-do=export]")
    assert download.value.suggested_filename.endswith(".zip")
