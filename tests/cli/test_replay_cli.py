"""`pahara replay` and `pahara backtest`: thinking again about what was stored."""

import json
import shutil

import pytest

from pahara.store import Store


def told(done, code=0):
    assert done.code == code, done
    return json.loads(done.out)


@pytest.fixture
def rules(yard, tmp_path):
    """rules("new.yml", old, new) writes the yard's configuration with a word replaced."""

    def write(name, *words):
        text = yard.config.read_text(encoding="utf-8")
        for old, new in zip(words[::2], words[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


def test_a_replay_gives_the_same_events_by_id(verb, yard):
    again = told(verb("replay", yard.watched, "--json"))
    with Store.open(yard.watched) as store:
        kept = {each.id: each.event for each in store.every_event()}
    (one,) = again["recordings"]
    assert again["identical"] is one["identical"] is True
    assert {event["id"] for event in one["events"]} == set(kept)
    assert len(kept) == 2
    for event in one["events"]:
        assert event["peak"] == round(kept[event["id"]].peak, 4)
        assert event["time"] == round(kept[event["id"]].time, 3)


def test_a_replay_for_people(verb, yard):
    done = verb("replay", yard.watched)
    assert (done.code, done.err) == (0, "")
    assert "recording 1 of staged: 2 events" in done.out
    assert "Line crossing (#1): crossed middle forward" in done.out
    assert "identical to the 2 events that were stored" in done.out
    bangla = verb("replay", yard.watched, "--lang", "bn")
    assert bangla.code == 0
    assert any("\u0980" <= letter <= "\u09ff" for letter in bangla.out)
    assert verb("replay", yard.watched, "--lang", "bn", encoding="ascii").code == 0, "question marks instead of a traceback"


def test_a_replay_of_two_watches_of_the_same_film(verb, yard):
    for _ in range(2):
        assert verb("watch", yard.film, "-c", yard.config, "--detector", "motion", "--out", "out").code == 0
    again = told(verb("replay", "out", "--json"))
    assert [(len(one["events"]), one["identical"]) for one in again["recordings"]] == [(2, True), (2, True)]
    only = told(verb("replay", "out", "--recording", "2", "--json"))
    assert [one["recording"] for one in only["recordings"]] == [2]


def test_a_replay_of_a_watch_that_was_stopped_early(verb, yard):
    """The man is in the zone when the watch ends: his event ends with it, in the replay too."""
    done = verb("watch", yard.film, "-c", yard.config, "--detector", "motion", "--seconds", "11", "--out", "out")
    assert done.code == 0
    again = told(verb("replay", "out", "--json"))
    assert again["identical"] is True
    assert [event["kind"] for event in again["recordings"][0]["events"]] == ["crossing", "intrusion"]


def test_a_replay_after_a_watch_with_a_configuration_without_cameras(verb, yard, tmp_path):
    (tmp_path / "bare.yml").write_text("version: 1\n", encoding="utf-8")
    assert verb("watch", yard.film, "-c", "bare.yml", "--detector", "motion", "--out", "out").code == 0
    assert told(verb("replay", "out", "--json"))["identical"] is True


def test_a_replay_needs_no_password_of_the_camera(verb, yard, rules, monkeypatch):
    config = rules("secret.yml", "source: scene.mp4", 'source: "rtsp://{PAHARA_T_PASSWORD}@192.0.2.7/sub"')
    monkeypatch.setenv("PAHARA_T_PASSWORD", "hunter2hunter2")
    assert verb("watch", yard.film, "-c", config, "--detector", "motion", "--out", "out").code == 0
    monkeypatch.delenv("PAHARA_T_PASSWORD")
    assert told(verb("replay", "out", "--json"))["identical"] is True


def test_a_replay_with_other_rules_says_what_differs_and_is_no_failure(verb, yard, rules):
    again = told(verb("replay", yard.watched, "-c", rules("new.yml", "kind: intrusion", "kind: loitering, seconds: 60"), "--json"))
    assert again["identical"] is False
    assert len(again["recordings"][0]["removed"]) == 1


def test_a_changed_event_is_noticed(verb, yard, tmp_path):
    """Identical means identical: a store whose events do not follow from its tracks ends with 1."""
    import sqlite3

    shutil.copytree(yard.watched, tmp_path / "out")
    with sqlite3.connect(tmp_path / "out" / "pahara.db") as database:
        assert database.execute("UPDATE events SET id = 'other' || substr(id, 6) WHERE kind = 'intrusion'").rowcount == 1
    database.close()
    done = verb("replay", "out", "--json")
    assert told(done, code=1)["identical"] is False


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("replay", "nowhere"), "there is no store in nowhere: `pahara watch SOURCE --out nowhere` makes one"),
        (("replay", "STORE", "--recording", "7"), "7"),
        (("replay", "STORE", "--lang", "fr"), "no language 'fr'"),
        (("replay", "STORE", "-c", "no.yml"), "there is no such file (no.yml)"),
        (("backtest", "CONFIG", "no.yml", "--store", "STORE"), "there is no such file (no.yml)"),
        (("backtest", "CONFIG", "CONFIG", "--store", "nowhere"), "there is no store in nowhere"),
        (("backtest", "CONFIG", "CONFIG"), "there is no store in"),
        (("backtest", "CONFIG", "CONFIG", "--store", "STORE", "--lang", "fr"), "no language 'fr'"),
    ],
)
def test_what_cannot_be_done_is_one_line(verb, yard, tmp_path, words, what):
    places = {"STORE": yard.watched, "CONFIG": yard.config}
    done = verb(*(places.get(word, word) for word in words))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("pahara: ")
    assert done.err.count("\n") == 1
    assert what in done.err
    assert not (tmp_path / "nowhere").exists()


def test_the_same_rules_change_nothing(verb, yard):
    tried = told(verb("backtest", yard.config, yard.config, "--store", yard.watched, "--json"))
    assert (tried["recordings"], tried["kept"], tried["removed"], tried["added"]) == (1, 2, [], [])
    assert tried["hours"] == pytest.approx(16 / 3600, abs=1e-3)


def test_a_stricter_rule_removes_and_says_what_was_real(verb, yard, rules, tmp_path):
    shutil.copytree(yard.watched, tmp_path / "out")
    new = rules("new.yml", "kind: intrusion", "kind: intrusion, seconds: 60")
    tried = told(verb("backtest", yard.config, new, "--store", "out", "--json"))
    (lost,) = tried["removed"]
    assert (lost["kind"], lost["verdict"], tried["confirmed_missed"], tried["kept"], tried["added"]) == ("intrusion", None, 0, 1, [])
    with Store.open(tmp_path / "out") as store:
        store.review(lost["id"], "real")
    tried = told(verb("backtest", yard.config, new, "--store", "out", "--json"))
    assert (tried["removed"][0]["verdict"], tried["confirmed_missed"]) == ("real", 1)
    people = verb("backtest", yard.config, new, "--store", "out")
    assert "would have removed 1 of 2 events, 1 of them confirmed as real" in people.out
    assert "[real]" in people.out


def test_a_looser_rule_adds(verb, yard, rules):
    old = rules("old.yml", "kind: intrusion", "kind: intrusion, seconds: 60")
    tried = told(verb("backtest", old, yard.config, "--store", yard.watched, "--json"))
    assert ([event["kind"] for event in tried["added"]], tried["removed"]) == (["intrusion"], [])
    people = verb("backtest", old, yard.config, "--store", yard.watched, "--lang", "bn")
    assert people.code == 0
    assert "নতুন আসত 1টি" in people.out
    assert "would have" not in people.out


def test_a_rule_on_signals_that_nobody_computed_is_warned_about(verb, yard, rules):
    new = rules("new.yml", "- {kind: intrusion", "- {kind: tamper}\n    - {kind: intrusion")
    tried = told(verb("backtest", yard.config, new, "--store", yard.watched, "--json"))
    assert len(tried["warnings"]) == 1
    assert "tamper" in tried["warnings"][0]


def test_only_recent_recordings(verb, yard):
    assert told(verb("backtest", yard.config, yard.config, "--store", yard.watched, "--days", "1", "--json"))["recordings"] == 1
