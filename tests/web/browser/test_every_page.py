"""What holds for every page: who may see it, two languages, two lights, a phone, and readers who do not look."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ...report.test_browser import CONTRAST
from ..conftest import OWNER

pytestmark = pytest.mark.slow
DAY = "2025-10-09"  # of what was recorded, in UTC
PAGES = [
    "/",
    "/cameras/gate",
    "/review",
    "/events/{event}",
    f"/timeline?camera=gate&day={DAY}",
    "/cameras/gate/edit",
    "/settings",
    "/users",
    "/account",
    "/system",
]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

# By hand what a checker of accessibility asks first.
UNNAMED = """() => {
  const shown = (one) => one.getClientRects().length > 0;
  const named = (one) => Boolean((one.getAttribute("aria-label") || "").trim() || one.getAttribute("aria-labelledby") || one.title || [...(one.labels ?? [])].some((label) => label.textContent.trim()) || (one.matches("button, a, summary, [role=button]") && one.textContent.trim()));
  return {
    controls: [...document.querySelectorAll("input, select, textarea, button, a[href], [role=button], [role=listbox]")].filter((one) => shown(one) && !named(one)).map((one) => one.outerHTML.slice(0, 120)),
    pictures: [...document.querySelectorAll("img:not([alt]), canvas:not([aria-label]):not([aria-hidden]), svg[role=img]:not([aria-label])")].filter(shown).map((one) => one.outerHTML.slice(0, 120)),
    landmarks: ["main", "header", "nav"].filter((one) => document.querySelectorAll(one).length < 1),
    headings: document.querySelectorAll("h1").length,
    twice: [...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, i, all) => all.indexOf(id) !== i),
    untold: [...document.body.innerText.matchAll(/web\\.[a-z]+\\.[a-z.]+|undefined|\\[object|NaN/g)].map((found) => found[0]),
  };
}"""


# Someone's desktop: it shows what it is given, and the dashboard's window is not the one in front.
DESKTOP = """window.shown = []; document.hasFocus = () => false;
window.Notification = class extends EventTarget {
  static permission = "granted";
  static async requestPermission() { return "granted"; }
  constructor(title, more) { super(); window.shown.push([title, more.body]); }
};"""


def settled(page, path):
    page.goto(path)
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)


@pytest.mark.parametrize("language", ["bn", "en"])
def test_every_page_is_named_legible_and_fits(language, house, enter):
    page = enter(OWNER)
    page.click(f"[data-language={language}]")
    expect(page.locator("html")).to_have_attribute("lang", language)
    wrong = {}
    for path in PAGES:
        path = path.format(event=house.recorded["gate"][0])
        settled(page, path)
        told = page.evaluate(UNNAMED)
        assert told.pop("headings") == 1, path
        for light in ("light", "dark"):
            page.emulate_media(color_scheme=light)
            poor = page.evaluate(CONTRAST)
            assert poor["looked"] > 5
            told[light] = [
                each
                for each in poor["poor"]
                if not page.evaluate(
                    "(said) => [...document.querySelectorAll(':disabled, .screen')].some((one) => one.textContent.includes(said))", each[0]
                )
            ]
        wrong |= {f"{path} {what}": each for what, each in told.items() if each}
    assert wrong == {}


def test_on_a_phone_nothing_is_wider_than_the_screen_and_every_room_is_reached(house, enter):
    page = enter(OWNER, **PHONE)
    page.locator("[data-language=bn]").tap()
    for path in PAGES:
        settled(page, path.format(event=house.recorded["gate"][0]))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        rooms = page.locator(".rooms a").evaluate_all(
            "all => all.map((one) => { const box = one.getBoundingClientRect(); return [box.left, box.right, box.top, box.bottom, box.height]; })"
        )
        assert len(rooms) == 6
        assert all(left >= 0 and right <= 361 and bottom <= 741 and height >= 44 for left, right, _, bottom, height in rooms), path
    page.locator(".rooms a[href='/review']").tap()
    page.wait_for_url("**/review")


def test_a_viewer_of_one_camera_finds_no_trace_of_another(house, enter, complaints):
    page = enter("viewer", "/")
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator(".rooms a")).to_have_count(3)
    page.goto("/review")
    expect(page.locator(".shot")).to_have_count(3)
    assert "yard" not in page.content()
    expect(page.locator("#bulk [data-do=real]")).to_have_count(0)
    page.goto(f"/timeline?day={DAY}")
    expect(page.locator("#asked [name=camera] option")).to_have_count(1)
    expect(page.locator("#events li")).to_have_count(3)
    for path, status in (
        ("/cameras/yard", 404),
        (f"/events/{house.recorded['yard'][0]}", 404),
        ("/cameras/nowhere", 404),
        ("/settings", 403),
        ("/users", 403),
        ("/system", 403),
        ("/cameras/gate/edit", 403),
    ):
        assert page.goto(path).status == status, path
        assert "yard" not in page.locator("main").inner_text()
    complaints.clear()  # a browser notes every refusal


def test_a_wrong_password_is_told_and_the_language_is_kept(house, open_page, complaints):
    page = open_page(house.address)
    page.goto("/review?camera=gate")
    assert "/login" in page.url
    page.click("[data-language=bn]")
    page.fill("[name=name]", "viewer")
    page.fill("[name=password]", "wrong horse battery")
    page.keyboard.press("Enter")
    expect(page.locator(".wrong")).to_have_text("নাম, password বা code ঠিক নয়।")
    complaints.clear()  # a browser notes every refusal
    page.click("[data-language=en]")
    expect(page.locator(".wrong")).to_have_text("Wrong name, password or code.")
    assert page.input_value("[name=name]") == "viewer"
    page.fill("[name=password]", "correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review?camera=gate")


def test_settings_are_changed_by_form_and_comments_stay(house, enter):
    before = house.service.file.read_bytes()
    page = enter(OWNER, "/settings")
    page.locator("summary", has_text="Clips").click()
    page.fill("[name='evidence.before']", "4")
    page.click("[data-language=bn]")
    expect(page.locator("summary", has_text="সাধারণ")).to_be_visible()
    assert page.input_value("[name='evidence.before']") == "4"  # what was typed is not lost
    page.click("[data-language=en]")
    page.locator("summary", has_text="Notifications").click()
    page.select_option("[aria-label^='Add a way']", "webhook")
    page.fill("[name='channel.webhook.url']", "https://example.org/hook")
    page.click("#save")
    expect(page.locator("#toasts")).to_contain_text("Saved")
    text = house.service.file.read_text(encoding="utf-8")
    assert "before: 4" in text
    assert "# kept by the editor" in text
    assert house.service.config.notify.channels["webhook-1"].kind == "webhook"
    house.service.file.write_bytes(before)
    house.service.reload()


def test_a_mistake_in_the_text_is_told_with_its_line(house, enter):
    page = enter(OWNER, "/settings")
    page.click("#tab-text")
    page.fill("#yaml", page.input_value("#yaml").replace("kind: intrusion", "kind: intrusoin"))
    page.click("#check")
    expect(page.locator("#problems")).to_contain_text("Did you mean 'intrusion'?")
    assert "intrusoin" not in house.service.file.read_text(encoding="utf-8")
    page.evaluate("onbeforeunload = null")


def test_a_person_is_added_limited_and_removed(house, enter):
    page = enter(OWNER, "/users")
    form = page.locator("#new")
    form.locator("[name=name]").fill("দারোয়ান")
    form.locator("[name=password]").fill("correct horse battery")
    form.locator("[value=yard]").uncheck()
    page.click("[data-language=bn]")
    expect(page.locator("h1")).to_have_text("লোকজন")
    assert not form.locator("[value=yard]").is_checked()  # what was chosen is not lost
    page.click("[data-language=en]")
    form.locator("button.main").click()
    row = page.locator("#users tr", has_text="দারোয়ান")
    expect(row).to_be_visible()
    user = house.service.store.accounts.named("দারোয়ান")
    assert user.cameras == ("gate",)
    row.get_by_role("button", name="Remove").click()
    page.locator("dialog button.alarm").click()
    expect(row).to_have_count(0)
    assert house.service.store.accounts.named("দারোয়ান") is None


def test_the_timeline_tells_of_the_day(house, enter):
    page = enter(OWNER, f"/timeline?camera=gate&day={DAY}")
    expect(page.locator("#events li")).to_have_count(3)
    expect(page.locator("#day a")).to_have_attribute("aria-label", re.compile("3 events"))  # a minute apart: one mark
    expect(page.locator("#counts text", has_text="3").first).to_be_visible()
    page.click("[data-step='1']")
    expect(page.locator("#events")).to_contain_text("None yet")


def test_alarms_come_with_sound_and_notifications_only_where_one_asked_for_them(house, enter):
    page = enter(OWNER)
    page.add_init_script(DESKTOP)
    page.goto("/account")
    assert not page.is_checked("#sound")
    assert not page.is_checked("#show")
    tell = """async (wanted) => { const { announce } = await import(document.querySelector("script[type=module]").src.replace("account.js", "app.js").replace(/\\?.*/, "")); announce({ id: "x", end: null, start: 1.76e9, title: "Intrusion", camera: "gate", camera_name: "ফটক", reason: { text: "inside for 3 s" } }); return window.shown.length; }"""
    assert page.evaluate(tell) == 0
    expect(page.locator("#alarms a")).to_have_attribute("href", "/events/x")
    page.check("#show")
    assert page.evaluate(tell) == 1
    assert page.evaluate("window.shown[0][0]") == "Intrusion · ফটক"
    page.reload()
    expect(page.locator("#show")).to_be_checked()
