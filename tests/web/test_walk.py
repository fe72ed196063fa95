"""Every route × every kind of visitor × every camera × every channel: who gets in, and whose objects they get to see.

The list of routes is the application's own; a route that nobody thought of here fails the test, and so does one without `Allow`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from pahara.web.access import POWERS
from pahara.web.guard import PUBLIC, Allow
from pahara.web.passwords import key_hash

from .conftest import OWNER

ROLES = ("nobody", "viewer", "operator", "owner")  # the viewer sees the gate alone
# What each route needs; "" is anybody with an account, None is everybody. A new route must be written in here.
NEEDS: dict[tuple[str, str], str | None] = {
    ("GET", "/api/setup"): None, ("POST", "/api/setup"): None, ("POST", "/api/login"): None, ("GET", "/api/health"): None,
    ("POST", "/api/logout"): "", ("GET", "/api/me"): "", ("PATCH", "/api/me"): "", ("POST", "/api/me/password"): "",
    ("POST", "/api/me/totp/new"): "", ("POST", "/api/me/totp"): "", ("POST", "/api/me/totp/off"): "", ("GET", "/api/me/sessions"): "",
    ("DELETE", "/api/me/sessions"): "", ("GET", "/api/me/tokens"): "", ("POST", "/api/me/tokens"): "", ("DELETE", "/api/me/tokens/{number}"): "",
    ("GET", "/api/openapi.json"): "",
    ("GET", "/api/cameras"): "watch", ("GET", "/api/cameras/{key}"): "watch", ("GET", "/api/cameras/{key}/latest.jpg"): "watch",
    ("GET", "/api/cameras/{key}/stream.mjpeg"): "watch", ("GET", "/api/cameras/{key}/overlay"): "watch",
    ("GET", "/api/events"): "watch", ("GET", "/api/events/{event_id}"): "watch", ("GET", "/api/events/{event_id}/clip.mp4"): "watch",
    ("GET", "/api/events/{event_id}/snapshot.jpg"): "watch", ("GET", "/api/events/{event_id}/thumbnail.jpg"): "watch",
    ("GET", "/api/events/{event_id}/explanation.jpg"): "watch", ("GET", "/api/stream"): "watch", ("GET", "/api/days"): "watch",
    ("GET", "/api/counts"): "watch", ("GET", "/api/timeline"): "watch", ("GET", "/api/heatmap"): "watch",
    ("PATCH", "/api/events/{event_id}"): "review", ("POST", "/api/events/review"): "review",
    ("POST", "/api/events/export"): "export", ("GET", "/api/verify"): "export",
    ("GET", "/metrics"): "system", ("GET", "/api/stats"): "system",
    ("GET", "/api/config"): "configure", ("GET", "/api/config/schema"): "configure", ("POST", "/api/config/check"): "configure",
    ("PUT", "/api/config"): "configure", ("PUT", "/api/cameras/{key}/places"): "configure", ("PUT", "/api/cameras/{key}/behaviours"): "configure",
    ("POST", "/api/cameras"): "configure", ("DELETE", "/api/cameras/{key}"): "configure", ("POST", "/api/probe"): "configure",
    ("POST", "/api/discover"): "configure", ("POST", "/api/backtest"): "configure",
    ("GET", "/api/users"): "administer", ("POST", "/api/users"): "administer", ("PATCH", "/api/users/{number}"): "administer",
    ("DELETE", "/api/users/{number}"): "administer", ("GET", "/api/audit"): "administer",
}  # fmt: skip


def routes(app) -> Iterator[tuple[str, Route]]:
    """Every method and route of the application, those of routers within routers too."""
    left = [(route, "") for route in app.routes]
    while left:
        route, before = left.pop(0)
        if isinstance(route, Route | APIRoute) or hasattr(route, "endpoint"):
            for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
                yield method, route
        elif isinstance(route, Mount):
            assert route.path in PUBLIC, f"{route.path} is mounted for everybody"
        else:
            inner = getattr(route, "original_router", None) or route
            left += [(each, before) for each in inner.routes]


def api(app) -> list[tuple[str, Route]]:
    found = [(method, route) for method, route in routes(app) if route.path.startswith("/api") or route.path == "/metrics"]
    assert len(found) >= len(NEEDS) > 50, "the walk found too few routes: it would check nothing"
    return found


def test_every_route_is_known_here_and_has_the_guard_that_it_needs(app):
    found = {}
    for method, route in api(app):
        guards = [each.call for each in route.dependant.dependencies if isinstance(each.call, Allow)]
        found[method, route.path] = (
            None if route.path in PUBLIC and not guards else (guards[0].power or "") if guards else "no guard at all"
        )
    assert found == NEEDS


def test_what_is_public_holds_no_object(app):
    for method, route in routes(app):
        if not route.path.startswith("/api") and route.path != "/metrics":
            continue
        if NEEDS.get((method, route.path), "") is None:
            assert "{" not in route.path


@pytest.fixture
def visitors(browser, people, recorded):
    def at(role):
        device = browser()
        return device if role == "nobody" else device.log_in(OWNER if role == "owner" else role)

    return {role: at(role) for role in ROLES}


def visit(device, method, path, **names):
    """A request whose body is well-formed JSON, and empty: rights are asked before anything that it says."""
    at = re.sub(r"\{(\w+)\}", lambda found: names[found[1]], path)
    return device.request(method, at, json={} if method in ("POST", "PUT", "PATCH") else None, params=names.get("asked"))


def test_each_role_gets_exactly_as_far_as_its_powers(app, visitors, recorded, service):
    app.state.hub.closed = True  # endless answers end at once
    names = {
        "key": "gate",
        "event_id": recorded["gate"][0],
        "number": "999999",
        "asked": {"camera": "gate", "day": "2025-10-09", "month": "2025-10"},
    }
    for method, route in api(app):
        need = NEEDS[method, route.path]
        if need is None or route.path in ("/api/logout", "/api/discover") or (method, route.path) == ("DELETE", "/api/me/sessions"):
            continue
        for role in ROLES:
            there = {**names, "key": "nowhere"} if (method, route.path) == ("DELETE", "/api/cameras/{key}") else names
            status = visit(visitors[role], method, route.path, **there).status_code
            allowed = role != "nobody" and (need == "" or need in POWERS[role])
            if role == "nobody":
                assert status == 401, (method, route.path)
            elif not allowed:
                assert status == 403, (role, method, route.path, status)
            else:
                assert status not in (401, 500), (role, method, route.path, status)
                # 403 of a password that is wrong, or of a token where a person is needed, is another matter
                assert status != 403 or route.path.startswith("/api/me"), (role, method, route.path)
    for path in ("/api/logout", "/api/discover", "/api/me/sessions"):
        assert visitors["nobody"].post(path).status_code in (401, 405)
    assert visitors["viewer"].post("/api/discover").status_code == 403
    assert visitors["operator"].post("/api/discover").status_code == 403


OBJECTS = [
    ("GET", "/api/cameras/{key}"), ("GET", "/api/cameras/{key}/latest.jpg"), ("GET", "/api/cameras/{key}/stream.mjpeg"),
    ("GET", "/api/cameras/{key}/overlay"), ("GET", "/api/timeline?camera={key}&day=2025-10-09"), ("GET", "/api/heatmap?camera={key}"),
    ("GET", "/api/events/{event_id}"), ("GET", "/api/events/{event_id}/clip.mp4"), ("GET", "/api/events/{event_id}/snapshot.jpg"),
    ("GET", "/api/events/{event_id}/thumbnail.jpg"), ("GET", "/api/events/{event_id}/explanation.jpg"),
    ("PATCH", "/api/events/{event_id}"), ("POST", "/api/events/review"), ("POST", "/api/events/export"),
]  # fmt: skip


def test_the_list_of_routes_with_objects_is_complete(app):
    held = {(method, route.path) for method, route in api(app) if "{key}" in route.path or "{event_id}" in route.path}
    owners = {each for each in held if NEEDS[each] in ("configure", "administer")}  # an owner sees every camera
    assert held - owners == {(method, path) for method, path in OBJECTS if "{" in path.split("?")[0]}


@pytest.mark.parametrize("through", ["cookie", "token"])
@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_an_object_of_a_foreign_camera_is_as_if_it_did_not_exist(app, browser, visitors, recorded, service, people, role, through):
    app.state.hub.closed = True
    service.store.accounts.change(people[role], 1.0, cameras=["gate"])
    device = browser()
    if through == "cookie":
        device.log_in(role)
    else:
        service.store.accounts.add_token(people[role], "program", key_hash("pahara_x"), "owner", now=1.0, expires=None)
        device.headers["authorization"] = "Bearer pahara_x"
    for method, path in OBJECTS:
        answers = {}
        for camera, event in (("gate", recorded["gate"][0]), ("yard", recorded["yard"][0]), ("none", "0" * 16)):
            body = {"ids": [event]} if path.endswith(("review", "export")) else {}
            at = path.format(key=camera, event_id=event)
            answers[camera] = device.request(method, at, **({"json": body} if method != "GET" else {}))
        if answers["gate"].status_code == 403:
            assert (role, method) in (("viewer", "PATCH"), ("viewer", "POST"))
            assert answers["yard"].status_code == answers["none"].status_code == 403
            continue
        assert answers["gate"].status_code in (200, 404), (path, answers["gate"].text)
        assert answers["yard"].status_code == answers["none"].status_code == 404, path
        assert answers["yard"].content == answers["none"].content, path  # nobody learns that it exists
    # One foreign event among one's own spoils the whole request.
    if role == "operator":
        for path in ("/api/events/review", "/api/events/export"):
            assert device.post(path, json={"ids": [recorded["gate"][0], recorded["yard"][0]]}).status_code == 404


def test_lists_counts_and_charts_hold_nothing_of_foreign_cameras(visitors, recorded, people, service):
    service.store.accounts.change(people["operator"], 1.0, cameras=["gate"])
    asked = {
        "/api/cameras": {}, "/api/events": {}, "/api/days": {"month": "2025-10"}, "/api/counts": {"since": 1.7e9, "until": 1.73e9 + 3.3e7, "of": "camera"},
        f"/api/events/{recorded['gate'][0]}": {},
    }  # fmt: skip
    for name in ("viewer", "operator"):
        if name == "operator":
            visitors[name].log_in(name)  # the change of their rights ended their session
        for path, params in asked.items():
            for foreign in ({}, {"camera": "yard"}, {"camera": ["gate", "yard"]}):
                answer = visitors[name].get(path, params={**params, **foreign})
                assert answer.status_code in (200, 400), (path, answer.text)
                assert "yard" not in answer.text, path
                assert not [each for each in recorded["yard"] if each in answer.text], path
        assert visitors[name].get("/api/days", params={"month": "2025-10", "camera": "yard"}).json()["days"] == {}
        assert sum(visitors[name].get("/api/days", params={"month": "2025-10"}).json()["days"].values()) == 3


def test_numbers_of_the_system_leave_foreign_cameras_out(browser, people, recorded, service):
    service.store.accounts.change(people["operator"], 1.0, cameras=["gate"])
    operator = browser().log_in("operator")
    for path in ("/api/stats", "/metrics"):
        told = operator.get(path)
        assert told.status_code == 200
        assert "yard" not in told.text


def test_a_token_can_do_no_more_than_its_role_and_nothing_that_needs_a_person(browser, people, service):
    accounts = service.store.accounts
    accounts.add_token(people[OWNER], "reader", key_hash("pahara_reader"), "viewer", now=1.0, expires=None)
    accounts.add_token(people["viewer"], "wishful", key_hash("pahara_wishful"), "owner", now=1.0, expires=None)
    accounts.add_token(people[OWNER], "old", key_hash("pahara_old"), "owner", now=1.0, expires=2.0)
    for key, status in (("pahara_reader", 403), ("pahara_wishful", 403), ("pahara_old", 401), ("", 401), ("x" * 5000, 401)):
        device = browser()
        device.headers["authorization"] = f"Bearer {key}"
        assert device.get("/api/config").status_code == status
        assert device.post("/api/me/tokens", json={"name": "more", "role": "viewer"}).status_code in (401, 403)
