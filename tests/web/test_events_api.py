"""Lists of events, one event with what explains it, its evidence, what people say about it, and a case to take away."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from .conftest import NOON, OWNER


@pytest.fixture
def owner(browser, people, recorded):
    return browser().log_in(OWNER)


def test_a_list_is_newest_first_and_pages_to_the_end(owner, recorded):
    seen, after = [], None
    while True:
        page = owner.get("/api/events", params={"limit": 4, **({"after": after} if after else {})}).json()
        seen += page["events"]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == 6
    assert [each["start"] for each in seen] == sorted((each["start"] for each in seen), reverse=True)
    assert {each["id"] for each in seen} == {*recorded["gate"], *recorded["yard"]}
    first = next(each for each in seen if each["id"] == recorded["gate"][0])
    assert first["has"] == {"clip": True, "snapshot": True, "thumbnail": True, "explanation": False}
    assert first["camera_name"] == "ফটক"
    assert (first["start"], first["end"]) == (NOON + 10, NOON + 15)


def test_every_filter_narrows_the_list(owner, recorded):
    def ids(**asked):
        return {each["id"] for each in owner.get("/api/events", params=asked).json()["events"]}

    assert ids(camera="gate") == set(recorded["gate"])
    assert ids(camera=["gate", "yard"]) == {*recorded["gate"], *recorded["yard"]}
    assert ids(kind="running") == ids(behaviour="nothing") == ids(camera="nowhere") == set()
    assert ids(camera="gate", since=NOON + 60, until=NOON + 120) == {recorded["gate"][1]}
    assert ids(reviewed=True) == set()
    owner.patch(f"/api/events/{recorded['gate'][2]}", json={"verdict": "real", "locked": True})
    assert ids(reviewed=True) == ids(verdict="real") == ids(locked=True) == {recorded["gate"][2]}


def test_the_words_are_in_the_readers_language(owner, recorded):
    told = {
        lang: owner.get(f"/api/events/{recorded['gate'][0]}", params={"lang": lang} if lang else {}).json() for lang in ("", "bn", "en")
    }
    assert told[""]["reason"]["text"] == told["bn"]["reason"]["text"] != told["en"]["reason"]["text"]
    assert "right" in told["en"]["reason"]["text"]


def test_an_event_shows_the_track_the_score_around_it_and_what_else_happened(owner, recorded):
    told = owner.get(f"/api/events/{recorded['gate'][1]}").json()
    times = [at for at, *_ in told["track"]]
    assert times[0] < told["start"] < times[-1]
    inside = [x for at, x, *_ in told["track"] if told["start"] + 1 < at < told["end"]]
    assert inside
    assert all(x == pytest.approx(106 / 160, abs=0.01) for x in inside)
    before = [score for at, score in told["scores"] if told["start"] - 9 < at < told["start"] - 1]  # out of the zone for ten seconds
    during = [score for at, score in told["scores"] if told["start"] + 1 < at < told["end"]]
    assert max(before) < 0.5 <= max(during)
    assert {each["id"] for each in told["siblings"]} >= {recorded["yard"][1]}


def test_the_clip_is_sent_in_parts_and_only_by_id(owner, recorded, film):
    at = f"/api/events/{recorded['gate'][0]}/clip.mp4"
    whole = owner.get(at)
    assert whole.status_code == 200
    assert whole.content == film.read_bytes()
    assert whole.headers["cache-control"] == "no-store"
    part = owner.get(at, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, film.read_bytes()[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert owner.get(at, headers={"range": f"bytes={len(whole.content)}-"}).status_code == 416
    for kind in ("snapshot", "thumbnail"):
        picture = owner.get(f"/api/events/{recorded['gate'][0]}/{kind}.jpg")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert owner.get(f"/api/events/{recorded['gate'][0]}/explanation.jpg").status_code == 404
    assert owner.get(f"/api/events/{recorded['gate'][1]}/clip.mp4").status_code == 404


def test_a_row_that_points_out_of_the_media_folder_opens_nothing(owner, recorded, service, tmp_path):
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    with service.store.database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE evidence SET path = '../../secret.mp4' WHERE kind = 'clip' AND event_id = ?", (recorded["gate"][0],)
        )
    assert owner.get(f"/api/events/{recorded['gate'][0]}/clip.mp4").status_code == 404


def test_what_people_say_is_kept_and_the_rest_stays(owner, recorded, service):
    at = f"/api/events/{recorded['gate'][0]}"
    assert owner.patch(at, json={"note": "postman", "locked": True}).json()["note"] == "postman"
    told = owner.patch(at, json={"verdict": "fine"}).json()
    assert (told["verdict"], told["reviewed"], told["note"], told["locked"]) == ("fine", True, "postman", True)
    told = owner.patch(at, json={"verdict": "", "reviewed": False, "locked": False}).json()
    assert (told["verdict"], told["reviewed"], told["note"], told["locked"]) == (None, False, "postman", False)
    assert owner.patch(at, json={"verdict": "maybe"}).status_code == 422
    assert owner.patch(at, json={"camera": "yard"}).status_code == 422
    assert [each.action for each in service.store.accounts.log(3)] == ["review"] * 3


def test_many_are_reviewed_at_once_or_none(owner, recorded):
    ids = [*recorded["gate"], *recorded["yard"]]
    assert owner.post("/api/events/review", json={"ids": [*ids, "unknown"], "verdict": "fine"}).status_code == 404
    assert owner.get("/api/events", params={"reviewed": True}).json()["events"] == []
    assert owner.post("/api/events/review", json={"ids": ids, "verdict": "fine"}).json() == {"changed": 6}
    assert owner.post("/api/events/review", json={"ids": ids[:2], "reviewed": False}).json() == {"changed": 2}
    told = owner.get("/api/events", params={"verdict": "fine", "reviewed": False}).json()["events"]
    assert {each["id"] for each in told} == set(ids[:2])


def test_a_case_is_a_zip_whose_manifest_tells_the_truth(owner, recorded, service):
    ids = [recorded["gate"][0], recorded["yard"][1]]
    answer = owner.post("/api/events/export", json={"ids": ids})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as case:
        assert case.testzip() is None
        manifest = json.loads(case.read("manifest.json"))
        assert [each["id"] for each in manifest["events"]] == ids
        files = manifest["events"][0]["files"]
        assert {each["kind"] for each in files} == {"clip", "snapshot", "thumbnail"}
        for each in files:
            assert hashlib.sha256(case.read(each["name"])).hexdigest() == each["sha256"]
            assert each["unchanged"]
    first = manifest["events"][0]
    assert first["config_sha256"] == hashlib.sha256(json.dumps(service.config.as_dict()).encode()).hexdigest()
    assert first["reason"]["text"] != first["reason"]["text_bn"]
    assert manifest["by"] == OWNER
    path = service.store.event(ids[0]).kept("clip").path
    path.write_bytes(path.read_bytes() + b"x")
    with zipfile.ZipFile(io.BytesIO(owner.post("/api/events/export", json={"ids": ids}).content)) as case:
        changed = next(e for e in json.loads(case.read("manifest.json"))["events"][0]["files"] if e["kind"] == "clip")
        assert not changed["unchanged"]
    path.unlink()
    with zipfile.ZipFile(io.BytesIO(owner.post("/api/events/export", json={"ids": ids}).content)) as case:
        assert next(e for e in json.loads(case.read("manifest.json"))["events"][0]["files"] if e["kind"] == "clip")["missing"]


def test_the_store_is_looked_through_and_an_operator_of_one_camera_hears_of_it_alone(owner, browser, recorded, service, people):
    import time

    def looked(by):
        end = time.monotonic() + 20
        while (told := by.get("/api/verify").json())["state"] == "running":
            assert time.monotonic() < end
            time.sleep(0.05)
        return told

    with service.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE events SET peak = 0.5 WHERE camera = 'yard'")
    service.store.accounts.change(people["operator"], 1.0, cameras=["gate"])
    told = looked(owner)
    assert (told["state"], told["whole"], told["events"]) == ("done", False, 6)
    assert [(each["wrong"], each["of"], each["name"]) for each in told["findings"]] == [
        ("changed", "event", name) for name in sorted(recorded["yard"])
    ]
    told = looked(browser().log_in("operator"))
    assert (told["whole"], told["findings"]) == (False, [])


def test_an_export_is_signed_and_holds_the_store_to_it(owner, recorded, service, tmp_path):
    from pahara.cli.app import app as cli
    from pahara.store.seal import genuine, public_key

    answer = owner.post("/api/events/export", json={"ids": [recorded["gate"][0]]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as case:
        content, signature, pem = (case.read(name) for name in ("manifest.json", "manifest.sig", "public.pem"))
    assert genuine(public_key(pem), content, signature.decode().strip())
    assert not genuine(public_key(pem), content + b" ", signature.decode().strip())
    (tmp_path / "manifest.json").write_bytes(content)
    (tmp_path / "public.pem").write_bytes(pem)
    from typer.testing import CliRunner

    place = str(service.store.database.file.parent)
    asked = ["verify", place, "--manifest", str(tmp_path / "manifest.json"), "--key", str(tmp_path / "public.pem")]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    assert "everything is as it was kept" in done.output
    with service.store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM chain")
    done = CliRunner().invoke(cli, [*asked, "--json"])
    assert done.exit_code == 1
    assert not json.loads(done.stdout)["whole"]
