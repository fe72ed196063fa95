"""Cameras, places and rules changed from the dashboard: in force at once, comments kept, and the old file back where it made no sense."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from .conftest import NOON, OWNER

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]


@pytest.fixture
def owner(browser, people):
    return browser().log_in(OWNER)


def test_a_zone_drawn_in_the_browser_counts_at_once_and_comments_stay(owner, service):
    answer = owner.put("/api/cameras/gate/places", json={"zones": {"right": SQUARE, "নতুন": SQUARE}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["zones"] == {"right": SQUARE, "নতুন": SQUARE}
    text = service.file.read_text(encoding="utf-8")
    assert "# kept by the editor" in text
    assert "# the camera at the gate" in text
    assert set(service.live.station("gate").plan.zones) >= {"right"}
    assert set(service.config.cameras["gate"].zones) == {"right", "নতুন"}


def test_what_makes_no_sense_changes_nothing(owner, service):
    before = service.file.read_bytes()
    answer = owner.put("/api/cameras/gate/places", json={"zones": {}})  # its rule still needs the zone
    assert answer.status_code == 422
    assert "right" in answer.json()["detail"]["problems"][0]["said"]
    answer = owner.put("/api/cameras/gate/behaviours", json={"behaviours": [{"kind": "loitring"}]})
    assert "Did you mean 'loitering'?" in answer.json()["detail"]["problems"][0]["hint"]
    assert service.file.read_bytes() == before
    assert owner.put("/api/cameras/gate/places", json={"zones": {}, "behaviours": ["running"]}).status_code == 200
    assert [each.kind for each in service.config.cameras["gate"].behaviours] == ["running"]


def test_what_only_the_running_watch_can_refuse_brings_the_old_file_back(owner, service):
    before = service.file.read_bytes()
    told = owner.get("/api/config").json()
    answer = owner.put(
        "/api/config", json={"text": told["text"].replace("language: bn", "store: {path: elsewhere}"), "base_hash": told["hash"]}
    )
    assert answer.status_code == 422
    assert "after a restart" in answer.json()["detail"]["problems"][0]["said"]
    assert service.file.read_bytes() == before
    assert service.problem == ""


def test_two_who_change_at_once_are_told(owner, service):
    told = owner.get("/api/config").json()
    assert owner.put("/api/config", json={"text": told["text"] + "# mine\n", "base_hash": told["hash"]}).status_code == 200
    assert owner.put("/api/config", json={"text": told["text"] + "# yours\n", "base_hash": told["hash"]}).status_code == 409
    assert "# mine" in service.file.read_text(encoding="utf-8")


def test_a_form_saves_plain_values(owner, service):
    told = owner.get("/api/config").json()
    told["data"]["cameras"]["gate"]["name"] = "সদর"
    told["data"]["evidence"]["after"] = 2.5
    answer = owner.put("/api/config", json={"data": told["data"], "base_hash": told["hash"]})
    assert answer.status_code == 200, answer.text
    assert (service.config.cameras["gate"].name, service.config.evidence.after) == ("সদর", 2.5)
    assert "# the camera at the gate" in service.file.read_text(encoding="utf-8")


def test_a_camera_comes_and_goes(owner, service, film):
    answer = owner.post("/api/cameras", json={"key": "roof", "name": "ছাদ", "source": str(film), "behaviours": ["running"]})
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == "ছাদ"
    assert service.live.station("roof") is not None
    assert owner.post("/api/cameras", json={"key": "roof", "source": str(film)}).status_code == 422
    assert owner.delete("/api/cameras/roof").status_code == 204
    assert service.live.station("roof") is None
    assert owner.get("/api/cameras/roof").status_code == 404


def test_a_text_is_checked_without_changing_anything(owner, service):
    before = service.file.read_bytes()
    assert owner.post("/api/config/check", json={"text": before.decode()}).json()["ok"]
    told = owner.post("/api/config/check", json={"text": "version: 1\ncameras:\n  gate: {sauce: x}\n"}).json()
    assert not told["ok"]
    assert told["problems"][0]["line"] == 3
    assert service.file.read_bytes() == before
    assert owner.get("/api/config/schema").json()["title"] == "pahara.yml"


def test_an_address_is_tried_before_it_is_saved(owner, film, tmp_path):
    told = owner.post("/api/probe", json={"source": str(film)}).json()
    assert (told["size"], told["codec"], round(told["fps"])) == ([160, 90], "h264", 10)
    assert cv2.imdecode(np.frombuffer(base64.b64decode(told["jpeg"]), np.uint8), 1).shape == (90, 160, 3)
    (tmp_path / "words.txt").write_text("root:x:0:0")
    for source in (str(tmp_path / "words.txt"), str(tmp_path / "none.mp4"), "rtsp://user:hunter2@127.0.0.1:1/x", "gopher://x/"):
        answer = owner.post("/api/probe", json={"source": source})
        assert answer.status_code == 400
        assert "root:x" not in answer.text
        assert "hunter2" not in answer.text


def test_a_changed_rule_is_tried_on_the_last_days(owner, recorded, service, app):
    app.state.clock = lambda: NOON + 3600
    service.store.review(recorded["gate"][1], "real")
    same = owner.post("/api/backtest", json={"camera": "gate"}).json()
    assert same["complete"]
    assert (same["removed"], same["added"], same["before"]) == ([], [], same["after"])
    assert same["before"] == 3
    moved = {"right": [[0.3, 0], [0.5, 0], [0.5, 1], [0.3, 1]]}  # where nobody ever stands
    told = owner.post("/api/backtest", json={"camera": "gate", "zones": moved}).json()
    assert (told["removed_count"], told["added_count"], told["after"]) == (3, 0, 0)
    assert (told["missed_confirmed"], [each["verdict"] for each in told["removed"]]) == (1, [None, "real", None])
    assert told["hours"] == pytest.approx(180 / 3600, abs=0.01)
    none = owner.post("/api/backtest", json={"camera": "gate", "behaviours": []}).json()
    assert (none["after"], none["missed_confirmed"]) == (0, 1)
    assert owner.post("/api/backtest", json={"camera": "gate", "behaviours": ["nothing"]}).status_code == 422
    assert service.config.cameras["gate"].zones["right"][0] == (0.5, 0.0)


def test_users_come_change_and_go(owner, browser, people, service):
    new = {"name": "প্রহরী", "password": "a long good word", "role": "viewer", "cameras": ["gate"]}
    made = owner.post("/api/users", json=new)
    assert made.status_code == 201, made.text
    guard = browser().log_in("প্রহরী", "a long good word")
    assert [each["key"] for each in guard.get("/api/cameras").json()] == ["gate"]
    number = made.json()["id"]
    told = owner.patch(f"/api/users/{number}", json={"role": "operator", "every_camera": True}).json()
    assert (told["role"], told["cameras"]) == ("operator", None)
    assert guard.get("/api/cameras").status_code == 401  # their session ended with the change
    for wrong in ({**new, "name": "owner2", "password": "short"}, new, {**new, "name": "x", "cameras": ["nowhere"]}):
        assert owner.post("/api/users", json=wrong).status_code == 400
    assert owner.delete(f"/api/users/{number}").status_code == 204
    assert owner.delete(f"/api/users/{number}").status_code == 404
    assert owner.delete(f"/api/users/{people[OWNER]}").status_code == 400  # the last owner
    assert owner.patch(f"/api/users/{people[OWNER]}", json={"disabled": True}).status_code == 400
    log = owner.get("/api/audit", params={"limit": 3}).json()
    assert [each["action"] for each in log["entries"]] == ["user removed", "user changed", "login"]
    older = owner.get("/api/audit", params={"before": log["next"]}).json()["entries"]
    assert older[0]["action"] == "user added"
    assert "a long good word" not in str(log) + str(older)
