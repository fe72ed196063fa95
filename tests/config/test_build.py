"""A configuration becomes plans: what one camera looks for, where, with what, and for how long it remembers."""

import pickle
from pathlib import Path

import pytest

from pahara.alarms import AlarmRule
from pahara.behaviours import Crossing, Intrusion, Loitering, Running
from pahara.behaviours.schedule import Hours, Schedule
from pahara.config import default_config, parse, plan, plan_for_source, plans, retention, store_place
from pahara.config.build import MEMORY
from pahara.core import Behaviour, ConfigError, Tracker, Tripwire, Zone
from pahara.store import Retention
from pahara.tracking import ByteTrack

TEXT = """\
version: 1
language: bn
timezone: Asia/Dhaka
tracker: {max_gap: 3}
store: {path: kept}
defaults: {behaviours: [{kind: loitering, seconds: 20}]}
cameras:
  gate:
    name: সদর দরজা
    source: rtsp://192.0.2.7/sub
    zones: {doorway: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]}
    lines: {threshold: {from: [0.2, 0.5], to: [0.8, 0.6]}}
    behaviours:
      - {kind: intrusion, zone: doorway, schedule: {days: fri, from: "22:00", to: "06:00"}, alarm: {cooldown: 60}}
      - {kind: crossing, line: threshold, direction: forward, name: entered}
      - {kind: loitering, zone: doorway, seconds: 90}
    gate: {beat: 1}
  yard: {source: film.mp4, tracker: {max_gap: 5}, gate: off, detector: motion}
  shed: {source: webcam:1, enabled: false}
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "film.mp4").touch()
    return parse(TEXT, file="pahara.yml", folder=tmp_path, env={})


def test_zones_lines_behaviours_and_rules_are_ready_to_use(config):
    gate = plan(config, "gate")
    door = Zone("doorway", ((0.1, 0.2), (0.4, 0.2), (0.4, 0.9)))
    assert gate.zones == {"doorway": door}
    assert gate.lines == {"threshold": Tripwire("threshold", (0.2, 0.5), (0.8, 0.6))}
    assert gate.behaviours == {
        "intrusion-doorway": Intrusion(door, schedule=Schedule((Hours(("fri",), "22:00", "06:00"),), "Asia/Dhaka")),
        "entered": Crossing(gate.lines["threshold"], direction="forward"),
        "loitering-doorway": Loitering(door, seconds=90),
    }
    assert gate.kinds == {"intrusion-doorway": "intrusion", "entered": "crossing", "loitering-doorway": "loitering"}
    assert gate.rules["intrusion-doorway"] == AlarmRule.of(Intrusion(door), cooldown=60.0)
    assert gate.rules["entered"] == AlarmRule.of(gate.behaviours["entered"]), "its own defaults stand where nothing is said"
    assert (gate.camera, gate.name, gate.language) == ("gate", "সদর দরজা", "bn")


def test_memory_is_that_of_the_longest_behaviour(config):
    gate = plan(config, "gate")
    assert gate.memory == max(each.memory for each in gate.behaviours.values()) == Loitering(seconds=90).memory
    nothing = parse("version: 1\ncameras: {a: {source: '0', behaviours: []}}", env={})
    assert plan(nothing, "a").memory == MEMORY


def test_a_camera_that_says_nothing_does_what_the_defaults_say(config):
    yard = plan(config, "yard")
    assert yard.behaviours == {"loitering": Loitering(seconds=20)}
    assert yard.name == "yard"


def test_a_camera_may_have_its_own_tracker_gate_and_detector(config):
    gate, yard = plan(config, "gate"), plan(config, "yard")
    assert (gate.tracker_options, yard.tracker_options) == ({"max_gap": 3.0}, {"max_gap": 5.0})
    assert (gate.gate_options, yard.gate_options) == ({"beat": 1.0}, None)
    assert (gate.detector.kind, yard.detector.kind) == ("auto", "motion")
    assert gate.make_gate().beat == 1.0
    assert yard.make_gate() is None


def test_trackers_are_made_anew_because_they_remember(config):
    gate = plan(config, "gate")
    first, second = gate.make_tracker(), gate.make_tracker()
    assert isinstance(first, ByteTrack)
    assert isinstance(first, Tracker)
    assert first is not second
    assert first.max_gap == 3.0


def test_signals_are_made_only_for_those_who_read_them(config):
    assert plan(config, "gate").make_signals() == ()
    tampered = parse("version: 1\ncameras: {a: {source: '0', behaviours: [tamper]}}", env={})
    (signal,) = plan(tampered, "a").make_signals()
    assert callable(signal)


def test_paths_are_relative_to_the_file(config, tmp_path):
    assert plan(config, "yard").source == str(tmp_path / "film.mp4")
    assert plan(config, "gate").source == "rtsp://192.0.2.7/sub"
    assert plan(config, "shed").source == "webcam:1"
    assert store_place(config) == (str(tmp_path / "kept"), tmp_path / "kept")


def test_the_store_keeps_things_as_long_as_the_file_says():
    told = parse("version: 1\nstore: {days: null, gigabytes: 7, event_days: 400}\nrecording: {days: 2, gigabytes: null}", env={})
    kept = Retention(days=None, gigabytes=7.0, min_free_gigabytes=2.0, track_days=30.0, event_days=400.0, footage_days=2.0)
    assert retention(told) == kept
    assert retention(parse("version: 1", env={})).days == 30.0


def test_a_database_elsewhere_keeps_its_password_to_itself(tmp_path):
    text = "version: 1\nstore: {url: 'postgresql://u:{PAHARA_DB}@host/p', path: /srv/pahara}"
    where, media = store_place(parse(text, folder=tmp_path, env={"PAHARA_DB": "s3cret"}))
    assert (where, media) == ("postgresql://u:s3cret@host/p", Path("/srv/pahara"))


def test_cameras_that_are_switched_off_have_no_plan_among_all(config):
    assert [each.camera for each in plans(config)] == ["gate", "yard"]
    assert plan(config, "shed").camera == "shed"


def test_an_unknown_camera_is_told():
    config = parse(TEXT, file="pahara.yml", env={})
    with pytest.raises(ConfigError, match=r"no camera 'gaet' in pahara\.yml\. Did you mean 'gate'\?"):
        plan(config, "gaet")


def test_a_source_on_the_command_line_takes_the_camera_that_fits(config, tmp_path):
    film = str(tmp_path / "film.mp4")
    assert plan_for_source(config, film).camera == "yard"
    named = plan_for_source(config, film, camera="gate")
    assert (named.camera, str(named.source), named.source_shown) == ("gate", film, film)
    with pytest.raises(ConfigError, match=r"which camera is other\.mp4 in pahara\.yml\? Say --camera with one of: gate, yard, shed"):
        plan_for_source(config, "other.mp4")
    single = parse("version: 1\ncameras: {only: {source: '0', behaviours: [running]}}", env={})
    assert plan_for_source(single, "other.mp4").behaviours == {"running": Running()}
    none = parse("version: 1\ndefaults: {behaviours: [running]}", env={})
    assert plan_for_source(none, "other.mp4").behaviours == {"running": Running()}


def test_without_a_configuration_the_whole_picture_is_watched_for_what_needs_no_place():
    config = default_config("film.mp4")
    (only,) = plans(config)
    assert set(only.behaviours) == {"running", "falling", "loitering", "crowding", "abandoned", "tamper"}
    assert only.behaviours["loitering"].seconds == 60
    assert only.source == "film.mp4"
    assert all(isinstance(each, Behaviour) for each in only.behaviours.values())
    assert only.zones == only.lines == {}
    assert config.notes == ()
    assert default_config().cameras == {}


def test_a_source_with_a_password_is_watched_and_masked():
    (only,) = plans(default_config("rtsp://admin:s3cret@192.0.2.7/sub"))
    assert str(only.source) == "rtsp://admin:s3cret@192.0.2.7/sub"
    assert only.source_shown == "rtsp://***@192.0.2.7/sub"
    assert "s3cret" not in repr(only)


def test_a_film_that_is_called_like_an_address_can_be_watched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("take:2.mp4").touch()
    (only,) = plans(default_config("take:2.mp4"))
    assert Path(str(only.source)).exists()
    with pytest.raises(ConfigError, match="sources of the kind 'exec' are not opened"):
        default_config("exec:reboot")


def test_a_plan_can_travel_to_another_process(config):
    gate = plan(config, "gate")
    again = pickle.loads(pickle.dumps(gate))
    assert again.behaviours == gate.behaviours
    assert again.source == gate.source
