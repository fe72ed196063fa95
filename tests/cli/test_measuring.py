"""`pahara evaluate` and `pahara bench`: figures against truth, and what a watch costs."""

import json

import pytest

from pahara.evaluation import read_truth, write_mot

MOTION = ("--detector", "motion")


def figures(done):
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def one_line(done, what):
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("pahara: ")
    assert done.err.count("\n") == 1
    assert what in done.err


def test_tracking(verb, yard, tmp_path):
    told = figures(verb("evaluate", "tracking", yard.film, yard.truth, *MOTION, "--json"))
    assert 0.5 < told["mota"] <= 1
    assert 0.5 < told["idf1"] <= 1
    assert 0.3 < told["hota"] <= 1
    assert (told["frames"], told["detector"], told["id_switches"]) == (160, "motion", 0)
    people = verb("evaluate", "tracking", yard.film, yard.truth, *MOTION)
    assert people.code == 0
    assert f"{told['mota']:.3f}" in people.out


def test_tracking_against_a_mot_file_is_the_same(verb, yard, tmp_path):
    """The same boxes as MOT text, where frames count from 1."""
    from dataclasses import replace

    boxes = read_truth(yard.truth).seen().only("person")
    write_mot(tmp_path / "gt.txt", replace(boxes, frames=boxes.frames + 1))
    ours = figures(verb("evaluate", "tracking", yard.film, yard.truth, *MOTION, "--json"))
    mot = figures(verb("evaluate", "tracking", yard.film, "gt.txt", *MOTION, "--json"))
    assert mot["mota"] == pytest.approx(ours["mota"], abs=0.02)
    assert mot["idf1"] == pytest.approx(ours["idf1"], abs=0.02)


def test_detection(verb, yard):
    told = figures(verb("evaluate", "detection", yard.film, yard.truth, *MOTION, "--json"))
    assert 0.5 < told["map50"] <= 1
    assert 0 < told["map"] < told["map50"]
    assert told["ap50_person"] == told["map50"]


def test_events(verb, yard):
    told = figures(verb("evaluate", "events", yard.film, yard.truth, "-c", yard.config, *MOTION, "--json"))
    assert (told["recall"], told["precision"], told["incidents"], told["false_alarms"]) == (1.0, 1.0, 2, 0)
    assert told["kinds"]["intrusion"] == {"caught": 1, "of": 1, "false": 0}
    people = verb("evaluate", "events", yard.film, yard.truth, "-c", yard.config, *MOTION)
    assert "1 of 1" in people.out
    assert verb("evaluate", "events", yard.film, yard.truth, "-c", yard.config, *MOTION, encoding="ascii").code == 0


def test_rules_that_sleep_miss(verb, yard, tmp_path):
    """The figures follow the rules: a limit of a minute catches no intrusion, and no other incident counts against it."""
    text = yard.config.read_text(encoding="utf-8")
    text = text.replace("kind: intrusion", "kind: intrusion, seconds: 60").replace(
        "    - {kind: crossing, line: middle, direction: both}\n", ""
    )
    (tmp_path / "sleepy.yml").write_text(text, encoding="utf-8")
    told = figures(verb("evaluate", "events", yard.film, yard.truth, "-c", "sleepy.yml", *MOTION, "--json"))
    assert (told["recall"], told["incidents"], told["precision"]) == (0.0, 1, None)


def test_what_cannot_be_measured_is_one_line(verb, yard, tmp_path):
    (tmp_path / "text.mp4").write_text("no film\n" * 20)
    (tmp_path / "bad.json").write_text("{")
    one_line(verb("evaluate", "tracking", yard.film, "no.json", *MOTION), "no.json: there is no such file")
    one_line(verb("evaluate", "tracking", yard.film, "bad.json", *MOTION), "bad.json, line 1: this is not JSON")
    one_line(verb("evaluate", "tracking", yard.film, "text.mp4", *MOTION), "text.mp4, line 1")
    one_line(verb("evaluate", "tracking", "text.mp4", yard.truth, *MOTION), "text.mp4 is a text file")
    one_line(verb("evaluate", "tracking", yard.film, yard.truth, *MOTION, "--label", "persn"), "names no 'persn'")
    one_line(verb("evaluate", "tracking", yard.film, yard.truth, "--detector", "mtion"), "no model named 'mtion'")
    one_line(verb("evaluate", "detection", yard.film, *MOTION), "give its truth too")
    one_line(verb("evaluate", "detection", "nowhere", "no.json", *MOTION), "no.json")
    one_line(verb("evaluate", "detection", tmp_path, *MOTION), "no picture")
    one_line(verb("evaluate", "events", "no.mp4", yard.truth, "-c", yard.config, *MOTION), "no such file or folder: no.mp4")
    one_line(verb("evaluate", "events", yard.film, yard.truth, "-c", "no.yml", *MOTION), "there is no such file (no.yml)")


@pytest.mark.slow
def test_the_cost_of_a_watch(verb, yard):
    told = figures(verb("bench", yard.film, "-c", yard.config, "--frames", "20", "--rounds", "1", *MOTION, "--json"))
    assert (told["frames"], told["rounds"], told["detector"], told["inference_ms"]) == (20, 1, "motion", None)
    assert 0 < told["decode_ms"] < told["whole_ms"]
    assert 0 < told["detect_ms"] < told["whole_ms"]
    assert told["overhead"] == pytest.approx(told["whole_ms"] / (told["decode_ms"] + told["detect_ms"]), rel=1e-3)
    assert told["gate_share"] < 1, "nobody is in the first two seconds"


@pytest.mark.slow
def test_a_video_shorter_than_the_frames_asked_for(verb, yard):
    told = figures(verb("bench", yard.film, "-c", yard.config, "--frames", "5000", "--rounds", "1", *MOTION, "--json"))
    assert (told["frames"], told["events"], told["gate_missed"]) == (160, 2, 0)
    people = verb("bench", yard.film, "--frames", "10", "--rounds", "1", *MOTION)
    assert people.code == 0
    assert "bare inference" in people.out
    assert "nan" not in people.out


def test_what_cannot_be_benched_is_one_line(verb, tmp_path):
    (tmp_path / "text.mp4").write_text("no film\n" * 20)
    one_line(verb("bench", "text.mp4", *MOTION), "text.mp4 is a text file")
    one_line(verb("bench", "no.mp4", *MOTION), "no.mp4 is no video file")
    one_line(verb("bench", ".", *MOTION), "is no video file")
