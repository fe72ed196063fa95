"""Days, counts, a timeline and a heat map tell what the store holds, in the configuration's time zone."""

from __future__ import annotations

import pytest

from .conftest import NOON, OWNER, report


@pytest.fixture
def owner(browser, people, recorded, app, service):
    service.config.__dict__["timezone"] = "Asia/Dhaka"
    app.state.clock = lambda: NOON + 3600.0
    service.store.accounts.change(people[OWNER], NOON, language="en")
    return browser().log_in(OWNER)


def test_events_are_counted_on_the_day_that_people_call_it(owner, service):
    # NOON is 2025-10-09 08:53:20 UTC. Half past five in the afternoon UTC is the next day in Dhaka (UTC+6) half an hour later.
    for minutes in (9 * 60, 10 * 60):  # 17:53 and 18:53 UTC: 23:53 and 00:53 in Dhaka
        service.store.save_event(report("gate", minutes, kind="running"))
    assert owner.get("/api/days", params={"month": "2025-10"}).json()["days"] == {"2025-10-09": 7, "2025-10-10": 1}
    assert owner.get("/api/days", params={"month": "2025-10", "camera": "yard"}).json()["days"] == {"2025-10-09": 3}
    assert owner.get("/api/days", params={"month": "2025-11"}).json()["days"] == {}
    assert owner.get("/api/days", params={"month": "2025-13"}).status_code == 422
    told = owner.get("/api/counts", params={"by": "hour", "of": "camera", "since": NOON, "until": NOON + 86400}).json()["counts"]
    assert told == [
        {"at": "2025-10-09T14", "of": "gate", "n": 3},
        {"at": "2025-10-09T14", "of": "yard", "n": 3},
        {"at": "2025-10-09T23", "of": "gate", "n": 1},
        {"at": "2025-10-10T00", "of": "gate", "n": 1},
    ]
    assert owner.get("/api/counts", params={"by": "weekday", "since": NOON, "until": NOON + 3600}).json()["counts"] == [
        {"at": "4", "of": "", "n": 6}
    ]
    assert owner.get("/api/counts", params={"since": 0, "until": NOON}).status_code == 400


def test_a_day_shows_events_people_and_blind_time(owner, service):
    service.store.blind.add("gate", NOON + 600, NOON + 660, "offline", "rtsp://10.0.0.1 does not answer")
    told = owner.get("/api/timeline", params={"camera": "gate", "day": "2025-10-09"}).json()
    assert len(told["activity"]) == 24 * 60
    minute = int((NOON - told["begin"]) // 60)
    assert told["activity"][minute + 1] == told["activity"][minute + 2] == 1.0
    assert told["activity"][minute - 2] == told["activity"][minute + 10] == -1.0
    assert [each["start"] for each in told["events"]] == [NOON + 10, NOON + 70, NOON + 130]
    assert (told["blind"][0]["end"] - told["blind"][0]["begin"], told["blind_seconds"]) == (60.0, 60.0)
    assert owner.get("/api/timeline", params={"camera": "gate", "day": "2025-02-30"}).status_code == 400
    assert owner.get("/api/timeline", params={"camera": "nowhere", "day": "2025-10-09"}).status_code == 404


def test_a_heat_map_is_hot_where_people_stood(owner):
    told = owner.get("/api/heatmap", params={"camera": "gate"}).json()
    assert (told["width"], told["height"], told["looked_at"]) == (64, 36, 1.0)
    hot = {(x, y): v for y, row in enumerate(told["cells"]) for x, v in enumerate(row) if v}
    assert set(hot) == {(int(106 / 160 * 64), int(76 / 90 * 36)), (int(16 / 160 * 64), int(76 / 90 * 36))}
    assert max(hot, key=hot.get)[0] == int(106 / 160 * 64)
    assert owner.get("/api/heatmap", params={"camera": "gate", "since": NOON - 100, "until": NOON - 50}).json()["cells"][30][42] == 0
