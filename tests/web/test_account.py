"""The first start, logging in, and what a stolen or forged request cannot do."""

from __future__ import annotations

import time

import pyotp
import pytest

from .conftest import OWNER, PASSWORD

FIRST = {"code": "the-code", "name": OWNER, "password": PASSWORD, "language": "bn"}


def test_the_first_start_needs_the_code_that_was_printed_and_happens_once(browser):
    here = browser()
    assert here.get("/api/setup").json() == {"needed": True}
    assert here.post("/api/setup", json={**FIRST, "code": "guess"}).status_code == 403
    assert here.post("/api/setup", json={**FIRST, "password": "password1"}).json() == {"detail": "password_short"}
    made = here.post("/api/setup", json=FIRST)
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["role"], made.json()["language"]) == (OWNER, "owner", "bn")
    assert here.get("/api/me").json()["name"] == OWNER
    assert browser().post("/api/setup", json={**FIRST, "name": "thief"}).status_code == 409
    assert browser().get("/api/setup").json() == {"needed": False}


def test_there_is_no_default_password(browser):
    for name, password in (("root", "root"), ("admin", "admin"), ("owner", ""), (OWNER, PASSWORD)):
        assert browser().post("/api/login", json={"name": name, "password": password}).status_code == 401


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(browser, people):
    one = browser().post("/api/login", json={"name": "nobody", "password": PASSWORD})
    two = browser().post("/api/login", json={"name": OWNER, "password": "wrong horse battery"})
    assert (one.status_code, one.json()) == (two.status_code, two.json()) == (401, {"detail": "wrong"})


def test_guessing_is_slowed_down_and_the_owner_can_read_of_it(browser, people, service):
    here = browser()
    for _ in range(5):
        assert here.post("/api/login", json={"name": OWNER, "password": "wrong horse"}).status_code == 401
    slowed = here.post("/api/login", json={"name": OWNER, "password": PASSWORD})
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) >= 1
    assert [entry.action for entry in service.store.accounts.log(5)] == ["login failed"] * 5


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser, people):
    answer = browser().post("/api/login", json={"name": OWNER, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "forged",
    [
        {"x-csrf-token": ""},
        {"x-csrf-token": "wrong"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_request_forged_by_another_site_changes_nothing(browser, people, forged):
    here = browser().log_in(OWNER)
    assert here.patch("/api/me", json={"language": "en"}, headers=forged).status_code == 403
    assert here.get("/api/me").json()["language"] == "bn"
    assert here.patch("/api/me", json={"language": "en"}, headers={"origin": "http://testserver"}).status_code == 200


def test_a_changed_password_ends_every_other_session_at_once(browser, people):
    one, two = browser().log_in(OWNER), browser().log_in(OWNER)
    assert one.post("/api/me/password", json={"old": "wrong", "new": "another good one"}).status_code == 403
    changed = one.post("/api/me/password", json={"old": PASSWORD, "new": "another good one"})
    assert changed.status_code == 200
    assert two.get("/api/me").status_code == 401
    assert one.get("/api/me").status_code == 200
    assert browser().post("/api/login", json={"name": OWNER, "password": PASSWORD}).status_code == 401
    browser().log_in(OWNER, "another good one")


def test_logging_out_ends_the_session_on_the_server_too(browser, people):
    here = browser().log_in(OWNER)
    cookies = dict(here.cookies)
    assert here.post("/api/logout").status_code == 204
    here.cookies.update(cookies)
    assert here.get("/api/me").status_code == 401


def test_a_second_factor_is_asked_for_and_each_code_counts_once(browser, people):
    here = browser().log_in(OWNER)
    secret = here.post("/api/me/totp/new").json()["secret"]
    assert here.post("/api/me/totp", json={"secret": secret, "code": "000000"}).status_code == 400
    now = time.time()
    earlier = pyotp.TOTP(secret).at(now - 30)
    on = here.post("/api/me/totp", json={"secret": secret, "code": earlier})
    assert on.json()["totp"]
    here.headers["x-csrf-token"] = on.json()["csrf"]
    other = browser()
    asked = other.post("/api/login", json={"name": OWNER, "password": PASSWORD})
    assert (asked.status_code, asked.json()) == (401, {"detail": "totp"})
    assert other.post("/api/login", json={"name": OWNER, "password": PASSWORD, "totp": earlier}).status_code == 401
    code = pyotp.TOTP(secret).at(now)
    other.log_in(OWNER, totp=code)
    assert browser().post("/api/login", json={"name": OWNER, "password": PASSWORD, "totp": code}).status_code == 401
    assert here.get("/api/me").status_code == 200
    assert here.post("/api/me/totp/off", json={"password": PASSWORD}).json()["totp"] is False


def test_a_token_works_without_a_cookie_and_never_does_more_than_its_role(browser, people):
    here = browser().log_in(OWNER)
    made = here.post("/api/me/tokens", json={"name": "grafana", "role": "viewer", "days": 30}).json()
    program = {"authorization": f"Bearer {made['token']}"}
    other = browser()
    assert other.get("/api/me", headers=program).json()["role"] == "viewer"
    assert other.post("/api/me/tokens", json={"name": "more"}, headers=program).status_code == 403
    assert other.post("/api/me/password", json={"old": PASSWORD, "new": "another good one"}, headers=program).status_code == 403
    assert made["token"] not in here.get("/api/me/tokens").text
    assert here.delete(f"/api/me/tokens/{made['id']}").status_code == 204
    assert other.get("/api/me", headers=program).status_code == 401


def test_nobody_makes_a_token_above_themselves_or_removes_one_of_others(browser, people):
    mine = browser().log_in(OWNER).post("/api/me/tokens", json={"name": "mine"}).json()["id"]
    viewer = browser().log_in("viewer")
    assert viewer.post("/api/me/tokens", json={"name": "up", "role": "owner"}).status_code == 403
    assert viewer.delete(f"/api/me/tokens/{mine}").status_code == 404


def test_what_was_sent_is_never_sent_back_in_an_error(browser, people):
    answer = browser().post("/api/login", json={"name": OWNER, "password": ["hunter2"], "extra": "hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


def test_a_body_without_end_is_cut_off(browser, people):
    assert browser().post("/api/login", content=b"x" * (2 << 20)).status_code == 413
