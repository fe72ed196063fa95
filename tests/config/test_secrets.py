"""Passwords come from the environment, work where they are needed, and are never shown."""

import copy
import json
import pickle

import pytest

from pahara.config import from_data, load, parse, plan
from pahara.config.problems import ConfigProblems
from pahara.config.secrets import Secret, fill, has_password

ENV = {"PAHARA_USER": "azim", "PAHARA_PASSWORD": "hunter2hunter2", "HOME": "/root", "AWS_SECRET": "never"}
CAMERA = "cameras:\n  gate:\n    source: {source}\n    behaviours: []\n"


def config(source, env=ENV):
    return parse("version: 1\n" + CAMERA.replace("{source}", source), file="pahara.yml", env=env)


def test_names_that_begin_with_pahara_are_filled_in():
    found = plan(config('"rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@192.0.2.7/sub"'), "gate")
    assert found.source == "rtsp://azim:hunter2hunter2@192.0.2.7/sub"
    assert found.source_shown == "rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@192.0.2.7/sub"


def test_other_names_are_left_alone():
    found = plan(config("'folder/{HOME}/{AWS_SECRET}/{pahara_user}.mp4'"), "gate")
    assert found.source == "folder/{HOME}/{AWS_SECRET}/{pahara_user}.mp4"


def test_a_name_that_is_not_set_is_told_with_its_line():
    with pytest.raises(ConfigProblems) as caught:
        config('"rtsp://{PAHARA_USERR}:{PAHARA_PASSWORD}@192.0.2.7/sub"')
    (problem,) = caught.value.problems
    assert problem.message == "the environment variable PAHARA_USERR is not set"
    assert problem.hint == "Did you mean 'PAHARA_USER'?"
    assert problem.line == 4


def test_no_secret_is_ever_shown():
    loaded = config('"rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@192.0.2.7/sub?token={PAHARA_PASSWORD}"')
    made = plan(loaded, "gate")
    for told in (repr(loaded), str(loaded), json.dumps(loaded.as_dict()), repr(made), repr(made.source), f"{[made.source]}"):
        assert "hunter2" not in told
        assert "azim" not in told
    assert str(made.source).count("hunter2hunter2") == 2, "the source itself must work"


def test_a_password_that_a_careless_hand_wrote_is_masked_and_noted():
    loaded = config("rtsp://admin:s3cret/with@odd@192.0.2.7/sub")
    assert plan(loaded, "gate").source == "rtsp://admin:s3cret/with@odd@192.0.2.7/sub"
    for told in (repr(loaded), json.dumps(loaded.as_dict()), repr(plan(loaded, "gate")), *map(str, loaded.notes)):
        assert "s3cret" not in told
    (note,) = [each for each in loaded.notes if "password" in each.message]
    assert (note.message, note.line) == ("a password stands in the file", 4)


def test_problems_quote_the_file_and_not_the_environment():
    env = {**ENV, "PAHARA_KIND": "exec:hunter2hunter2", "PAHARA_DAYS": "hunter2hunter2"}
    with pytest.raises(ConfigProblems) as caught:
        parse(
            "version: 1\nlanguage: '{PAHARA_PASSWORD}'\nstore: {days: '{PAHARA_DAYS}'}\ntimezone: '{PAHARA_PASSWORD}'\n"
            "detector: {model: x, engine: '{PAHARA_PASSWORD}'}\ntracker: {kind: '{PAHARA_PASSWORD}'}\n"
            "cameras:\n  gate:\n    source: '{PAHARA_KIND}'\n    behaviours:\n"
            "      - {kind: running, speed: '{PAHARA_PASSWORD}'}\n      - {kind: '{PAHARA_PASSWORD}'}\n"
            "      - {kind: intrusion, zone: '{PAHARA_PASSWORD}'}\n      - {kind: intrusion, schedule: {days: '{PAHARA_PASSWORD}'}}\n",
            env=env,
        )
    assert len(caught.value.problems) >= 9
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)


def test_a_number_may_come_from_the_environment():
    assert parse("version: 1\nstore: {days: '{PAHARA_DAYS}'}", env={"PAHARA_DAYS": "7"}).store.days == 7


def test_a_configuration_from_a_form_takes_nothing_from_the_environment(monkeypatch):
    monkeypatch.setenv("PAHARA_PASSWORD", "hunter2hunter2")
    made = from_data({"cameras": {"gate": {"source": "rtsp://x:{PAHARA_PASSWORD}@192.0.2.7/"}}})
    assert "hunter2" not in plan(made, "gate").source
    careless = from_data({"cameras": {"gate": {"source": "rtsp://x:hunter2hunter2@192.0.2.7/"}}})
    assert "hunter2" not in repr(careless) + json.dumps(careless.as_dict())


def test_load_takes_the_real_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PAHARA_TEST_SOURCE", "webcam:3")
    (tmp_path / "p.yml").write_text("version: 1\n" + CAMERA.replace("{source}", "'{PAHARA_TEST_SOURCE}'"))
    assert plan(load(tmp_path / "p.yml"), "gate").source == "webcam:3"


def test_a_secret_stays_masked_when_copied_and_pickled():
    secret = Secret("hunter2", "{PAHARA_PASSWORD}")
    for other in (copy.copy(secret), copy.deepcopy([secret])[0], pickle.loads(pickle.dumps(secret))):
        assert other == "hunter2"
        assert repr(other) == "'{PAHARA_PASSWORD}'"


def test_names_of_variables_are_no_passwords():
    assert not has_password("rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@h/")
    assert has_password("rtsp://{PAHARA_USER}:plain@h/")


def test_filling_in_does_not_fill_in_again():
    filled, missing = fill("{PAHARA_A}", {"PAHARA_A": "{PAHARA_B}", "PAHARA_B": "x"})
    assert (str(filled), missing) == ("{PAHARA_B}", [])
