"""The report in a real browser: quiet, offline, operable from the keyboard, readable in both languages and lights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pahara.report import write_report

pytestmark = pytest.mark.slow

# Text and the colour behind it, for everything that shows words (WCAG 2.2, contrast minimum 4.5 : 1).
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = (one) => {
    for (let box = one; box; box = box.parentElement) {
      const colour = rgb(getComputedStyle(box).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgb("white");
  };
  const poor = [];
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const one = node.parentElement;
    if (!node.textContent.trim() || !one.getClientRects().length || one.closest("script, style, .drawn, dialog, .skip")) continue;
    const inSvg = one.closest("svg");
    const style = getComputedStyle(one);
    const [a, b] = [light(rgb(inSvg ? style.fill : style.color)), light(behind(one))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    looked += 1;
    if (ratio < 4.5) poor.push([node.textContent.trim().slice(0, 40), ratio]);
  }
  return { looked, poor };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        message = "needs chromium to look at the report"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, staged) -> Path:
    return write_report(staged, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Page]:
    """The page, with everything that it complains about or asks for held against it."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(("data:", report.as_uri())) else asked.append(request.url))
    page.goto(report.as_uri())
    yield page
    page.close()
    assert complaints == []
    assert asked == []


def lit(page: Page, scheme: str) -> Page:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return page


def test_the_page_opens_without_complaint_and_asks_the_network_for_nothing(opened):
    assert opened.locator("h1").inner_text() == "2 of 3 staged incidents caught"
    broken = opened.evaluate("[...document.images].filter((i) => i.src && i.getClientRects().length && !i.naturalWidth).length")
    assert broken == 0


def test_the_toggle_changes_every_word_without_loading_the_page_again(opened):
    opened.evaluate("window.same = true")
    opened.get_by_role("button", name="বাংলা").click()
    assert opened.locator("h1").inner_text() == "সাজানো 3টি ঘটনার 2টি ধরা পড়েছে"
    assert opened.evaluate("document.documentElement.lang") == "bn"
    assert opened.title() == "yard: পাহারার report"
    assert opened.get_by_role("button", name="বাংলা").get_attribute("aria-pressed") == "true"
    assert "সেকেন্ড" in opened.locator(".mark").first.get_attribute("aria-label")
    assert opened.locator(".place .ground").get_attribute("alt").startswith("জায়গাটার ছবির ওপর")
    assert "Where people stood" not in opened.locator("body").inner_text()
    opened.get_by_role("button", name="English").click()
    assert opened.locator("h1").inner_text() == "2 of 3 staged incidents caught"
    assert opened.evaluate("window.same") is True


def test_the_timeline_is_walked_with_the_keyboard(opened):
    opened.evaluate("document.querySelector('.mark').focus()")
    opened.keyboard.press("Home")
    reached = []
    for _ in range(opened.locator(".mark").count()):
        reached.append(opened.evaluate("parseFloat(document.activeElement.querySelector('.dot').getAttribute('cx'))"))
        opened.keyboard.press("ArrowRight")
    every = opened.evaluate("[...document.querySelectorAll('.mark .dot')].map((d) => parseFloat(d.getAttribute('cx')))")
    assert reached == sorted(every)
    assert len(every) > 4
    opened.keyboard.press("Home")
    assert opened.locator(".tip").is_visible()
    assert opened.locator(".tip p").inner_text() == opened.evaluate("document.activeElement.getAttribute('aria-label')")
    assert opened.locator(".tip img").is_visible()
    opened.keyboard.press("ArrowRight")
    target = opened.evaluate("document.activeElement.getAttribute('href').slice(1)")
    opened.keyboard.press("Enter")
    opened.wait_for_function("(id) => document.activeElement.id === id", arg=target)
    assert opened.locator(".tip").is_hidden()
    opened.locator(f"#{target}").wait_for()


def test_tab_reaches_the_alerts_from_the_top_of_the_page(opened):
    stops = []
    for _ in range(8):
        opened.keyboard.press("Tab")
        stops.append(opened.evaluate("document.activeElement.getAttribute('class') || document.activeElement.tagName"))
    assert stops[0] == "skip"
    assert "mark" in stops


def test_a_snapshot_opens_large_and_escape_closes_it(opened):
    button = opened.locator("[data-enlarge]").first
    button.click()
    assert opened.locator("dialog.viewer").is_visible()
    assert opened.locator("dialog.viewer img").get_attribute("alt") == button.locator("img").get_attribute("alt") != ""
    opened.keyboard.press("Escape")
    assert opened.locator("dialog.viewer").is_hidden()
    assert opened.evaluate("document.activeElement.hasAttribute('data-enlarge')")


def test_a_link_into_folded_cards_unfolds_them(browser, story, tmp_path):
    template = story.cards[0]
    cards = tuple(replace(template, event=replace(template.event, id=f"{i:016x}"), snapshot=b"") for i in range(20))
    path = write_report(replace(story, cards=cards), tmp_path / "many.html")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.locator("article").nth(15).is_hidden()
    page.goto(f"{path.as_uri()}#e-{15:016x}")
    page.locator(f"#e-{15:016x}").wait_for(state="visible")
    page.close()


def test_pictures_have_words_headings_follow_each_other_and_ids_are_unique(opened):
    assert opened.evaluate("[...document.querySelectorAll('img:not([alt])')].length") == 0
    assert opened.evaluate("[...document.querySelectorAll('main img:not(.heat)')].every((i) => i.alt)")
    assert opened.evaluate("[...document.querySelectorAll('svg[role=img], g[role=img]')].every((s) => s.getAttribute('aria-label'))")
    levels = opened.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = opened.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    labelled = opened.evaluate("[...document.querySelectorAll('[aria-labelledby]')].map((e) => e.getAttribute('aria-labelledby'))")
    assert set(labelled) <= set(ids)
    names = opened.evaluate("[...document.querySelectorAll('a, button')].map((e) => e.getAttribute('aria-label') || e.textContent.trim())")
    assert all(names)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["bn", "en"])
def test_words_stand_out_from_what_is_behind_them(opened, scheme, language):
    lit(opened, scheme)
    opened.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    opened.locator(f"[data-language={language}]").click()
    found = opened.evaluate(CONTRAST)
    assert found["looked"] > 100
    assert found["poor"] == []


@pytest.mark.parametrize("width", [320, 390, 768, 1600])
@pytest.mark.parametrize("language", ["bn", "en"])
def test_no_screen_has_to_be_scrolled_sideways(opened, width, language):
    opened.set_viewport_size({"width": width, "height": 800})
    opened.locator(f"[data-language={language}]").click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_everything_is_unfolded_and_light(opened):
    lit(opened, "dark")
    opened.emulate_media(media="print")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.locator(".technical dl").is_visible()
    assert opened.locator(".languages").is_hidden()
    assert opened.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert len(opened.pdf(format="A4")) > 10_000


def test_without_scripts_the_report_is_still_all_there(browser, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("h1").inner_text() == "2 of 3 staged incidents caught"
    assert page.locator(".languages").is_hidden()
    assert page.locator("article").first.is_visible()
    context.close()
