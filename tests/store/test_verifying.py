"""Whatever was changed, taken away or put in afterwards is told by its name, whoever did it."""

from __future__ import annotations

import shutil
import stat

import pytest
from sqlalchemy import text
from tests.store.conftest import Place, an_event

from pahara.core import StoreError
from pahara.store import Retention, Store
from pahara.store.seal import KEY, PUBLIC, Seal, Signer, public_key, seal, signed_manifest
from pahara.store.verifying import verify


def some(store: Store, n: int = 4) -> list[str]:
    """Events that have ended, each with a clip and a snapshot; sealed."""
    ids = []
    for number in range(n):
        for phase in ("began", "ended"):
            event = an_event(20.0 * number, phase=phase)
            store.save_event(event)
        store.add_pictures(event.id, {"snapshot": lambda path: path.write_bytes(b"picture")})
        store.add_evidence(event.id, "clip", lambda path, name=event.id: path.write_bytes(b"film of " + name.encode()))
        ids.append(event.id)
    seal(store)
    return ids


def wrong(store: Store, **more):
    return [(each.wrong, each.of, each.name) for each in verify(store, **more).findings]


def sql(store: Store, words: str, **values):
    with store.database.writing() as connection:
        connection.execute(text(words), values)


def test_a_store_that_was_left_alone_is_whole(place: Place):
    with place.open() as store:
        some(store)
        found = verify(store)
        assert (found.findings, found.events, found.files, found.seals, found.sealed) == ([], 4, 8, 1, found.links)
        assert found.links == 4 * 4  # began, ended, two files


def test_reports_that_come_again_and_what_people_say_add_nothing(place: Place):
    with place.open() as store:
        ids = some(store)
        before = verify(store).links
        store.save_event(an_event(0.0, phase="ended"))
        store.save_event(an_event(0.0, phase="began"))
        store.review(ids[0], "real", "seen")
        store.lock(ids[1])
        found = verify(store)
        assert (found.links, found.findings) == (before, [])


def test_what_retention_removes_and_what_is_replaced_is_no_finding(place: Place):
    with place.open() as store:
        ids = some(store)
        store.add_evidence(ids[0], "clip", lambda path: path.write_bytes(b"better"))
        assert wrong(store) == []
        Retention(days=0).apply(store, store.clock() + 10)
        assert verify(store).files == 0
        assert wrong(store) == []
        Retention(event_days=0).apply(store, store.clock() + 10)
        found = verify(store)
        assert (found.events, found.findings) == (0, [])


def test_every_kind_of_meddling_is_told_by_its_name(place: Place):
    with place.open() as store:
        ids = some(store)
        clips = [store.event(each).kept("clip") for each in ids]
        assert wrong(store) == []

        content = clips[0].path.read_bytes()
        clips[0].path.write_bytes(content[:-1] + b"!")  # as long as before
        assert wrong(store) == [("changed", "file", clips[0].relative)]
        assert wrong(store, files=False) == []
        clips[0].path.write_bytes(content)

        moved = clips[1].path.rename(clips[1].path.with_name("aside"))
        assert wrong(store) == [("missing", "file", clips[1].relative)]
        moved.rename(clips[1].path)

        strange = clips[2].path.with_name("59.59-" + "f" * 16 + ".mp4")
        shutil.copy(clips[2].path, strange)
        assert [(w, of) for w, of, _ in wrong(store)] == [("inserted", "file")]
        strange.unlink()

        sql(store, "UPDATE events SET camera = 'elsewhere' WHERE id = :id", id=ids[3])
        assert wrong(store) == [("changed", "event", ids[3])]
        sql(store, "UPDATE events SET camera = :camera WHERE id = :id", id=ids[3], camera=an_event().camera)

        clips[0].path.write_bytes(b"another film")  # and the row told to say the same
        import hashlib

        sql(
            store,
            "UPDATE evidence SET sha256 = :h, bytes = 12 WHERE id = :id",
            h=hashlib.sha256(b"another film").hexdigest(),
            id=clips[0].id,
        )
        assert wrong(store) == [("changed", "row", clips[0].relative)]
        clips[0].path.write_bytes(content)
        sql(store, "UPDATE evidence SET sha256 = :h, bytes = :n WHERE id = :id", h=clips[0].sha256, n=len(content), id=clips[0].id)

        sql(store, "DELETE FROM evidence WHERE id = :id", id=clips[1].id)
        assert {each[:2] for each in wrong(store)} == {("missing", "row"), ("inserted", "file")}
        sql(store, "DELETE FROM events WHERE id = :id", id=ids[1])
        assert ("missing", "event", ids[1]) in wrong(store)
        sql(store, "INSERT INTO events SELECT 'forged', recording_id, camera, behaviour, kind, subject, phase, start, time, epoch, start_utc, peak, peak_time, reason, boxes, width, height, stored, reviewed, verdict, note, locked, told FROM events WHERE id = :id", id=ids[0])  # fmt: skip
        assert ("inserted", "event", "forged") in wrong(store)


def test_the_chain_itself_cannot_be_bent(place: Place):
    with place.open() as store:
        some(store)
        last = verify(store).links
        sql(store, "UPDATE chain SET at = at + 1 WHERE id = 5")
        assert wrong(store) == [("changed", "link", "5")]
        sql(store, "UPDATE chain SET at = at - 1 WHERE id = 5")
        assert wrong(store) == []
        sql(store, "CREATE TABLE aside AS SELECT * FROM chain")
        sql(store, "DELETE FROM chain WHERE id = 7")
        assert ("missing", "link", "7") in wrong(store)
        sql(store, "DELETE FROM chain WHERE id >= :id", id=last)
        assert ("missing", "link", f"{last} to {last}") in wrong(store)
        sql(store, "DELETE FROM chain")
        sql(store, "INSERT INTO chain SELECT * FROM aside")
        assert wrong(store) == []
        sql(store, "UPDATE seals SET link = link - 1")
        assert ("changed", "seal", "1") in wrong(store)


def test_whoever_makes_the_whole_chain_anew_is_found_out_by_what_was_taken_away(place: Place, tmp_path):
    import json

    with place.open() as store:
        ids = some(store)
        files = dict(signed_manifest(store, {"events": []}))
        told = json.loads(files["manifest.json"])["chain"]
        anchor = Seal(told["at"], told["link"], told["hash"], told["key"], told["signature"])
        key = public_key(files["public.pem"])
        assert verify(store, key=key, anchor=anchor).whole
        # Someone with the database and the key: forget, and begin again.
        sql(store, "DELETE FROM chain")
        sql(store, "DELETE FROM seals")
        sql(store, "UPDATE events SET camera = 'elsewhere' WHERE id = :id", id=ids[0])
        from pahara.store import chain
        from pahara.store.tables import events, evidence

        with store.database.writing() as connection:
            chain.append(connection, [chain.event_link(row) for row in connection.execute(events.select()).all()], 1.0)
            chain.append(connection, [chain.file_link(row) for row in connection.execute(evidence.select()).all()], 1.0)
        seal(store)
        assert verify(store).whole  # from within, nothing shows
        assert not verify(store, anchor=anchor).whole
    other = Signer(tmp_path / "other" if (tmp_path / "other").mkdir() is None else tmp_path)
    with place.open() as store:
        assert not verify(store, key=other.public).whole


def test_the_key_is_its_owners_alone_and_a_damaged_one_is_told(tmp_path):
    signer = Signer(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    assert public_key((tmp_path / PUBLIC).read_bytes()) == signer.public == Signer(tmp_path).public
    (tmp_path / KEY).chmod(0o644)
    Signer(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    (tmp_path / KEY).write_text("no key")
    with pytest.raises(StoreError, match="is no key"):
        Signer(tmp_path)
