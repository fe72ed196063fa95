"""The shells of the pages: in the reader's language, for those who may, with nothing inline, and no word that nobody wrote."""

from __future__ import annotations

import re

import pytest

from pahara.web.pages import PAGES, STATIC, words

from .conftest import OWNER

SCRIPTS = sorted((STATIC / "js").glob("*.js"))


@pytest.mark.parametrize(
    "path", ["/", "/review", "/timeline", "/settings", "/users", "/account", "/system", "/cameras/gate", "/cameras/gate/edit", "/setup"]
)
def test_a_page_holds_no_script_and_no_style_of_its_own(path, browser, people):
    answer = browser().log_in(OWNER).get(path)
    assert answer.status_code == 200
    assert '<html lang="bn">' in answer.text
    assert not re.search(r"<script(?![^>]*(src=|application/json))", answer.text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", answer.text)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.text)


def test_what_one_may_not_see_and_what_does_not_exist_are_the_same(browser, people, recorded):
    viewer = browser().log_in("viewer")
    assert viewer.get("/cameras/gate").status_code == 200
    assert viewer.get(f"/events/{recorded['gate'][0]}").status_code == 200
    hidden, missing = viewer.get("/cameras/yard"), viewer.get("/cameras/nowhere")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.text.replace("yard", "nowhere") == missing.text
    assert viewer.get(f"/events/{recorded['yard'][0]}").status_code == 404
    assert viewer.get("/events/" + "é" * 9).status_code == 404
    for path, (_, _, power) in PAGES.items():
        if power in ("system", "configure", "administer"):
            assert viewer.get(path.format(key="gate")).status_code == 403, path


def test_a_stranger_is_sent_to_the_log_in_and_back(browser, people):
    answer = browser().get("/review?camera=gate", follow_redirects=False)
    assert answer.headers["location"] == "/login?next=/review%3Fcamera%3Dgate"


def test_without_an_owner_every_page_leads_to_the_first_start(browser):
    for path in ("/", "/review", "/login"):
        assert browser().get(path, follow_redirects=False).headers["location"] == "/setup"


def test_a_language_is_chosen_by_the_account_then_the_browser(browser, people):
    assert '<html lang="en">' in browser().get("/login", headers={"accept-language": "en-GB"}).text
    assert '<html lang="bn">' in browser().get("/login", headers={"accept-language": "en", "cookie": "pahara_language=bn"}).text
    assert '<html lang="bn">' in browser().log_in(OWNER).get("/", headers={"accept-language": "en"}).text
    assert browser().get("/words/xx.json").status_code == 404


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_word_that_a_script_says_was_written(script):
    said = set(re.findall(r"\"(web\.[a-z_.]+[a-z])\"", script.read_text(encoding="utf-8")))
    assert said <= set(words("en"))
