"""What may not be read or written, and what is not what it should be: one line, and no traceback."""

import json
import os
import shutil
import subprocess

import pytest

# Even root may not read what has no permission, once these are given up.
WITHOUT_POWER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        "watch locked.mp4", "watch film.mp4 -c locked.yml", "watch film.mp4 --out shut/out", "config check locked.yml", "config init shut/p.yml",
        "backtest locked.yml locked.yml", "evaluate events film.mp4 locked.json -c p.yml", "evaluate tracking film.mp4 locked.json",
        "simulate locked.yml", "simulate --out shut/out", "demo --out shut/out", "bench locked.mp4", "watch film.mp4 --detector locked.onnx",
    ],
)  # fmt: skip
def test_no_permission_is_one_line(words, command, yard, tmp_path):
    shutil.copy(yard.film, tmp_path / "film.mp4")
    shutil.copy(yard.config, tmp_path / "p.yml")
    for name in ("locked.mp4", "locked.yml", "locked.json", "locked.onnx"):
        shutil.copy(yard.film, tmp_path / name)
        (tmp_path / name).chmod(0)
    (tmp_path / "shut").mkdir(mode=0o555)
    prefix = [] if os.geteuid() else WITHOUT_POWER
    if prefix and (shutil.which("setpriv") is None or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode):
        pytest.skip("root reads everything here")
    before = None if not prefix else f'[ -n "$IN" ] || IN=1 exec {" ".join(prefix)} sh -c \'exec "$@"\' sh "$@"'
    running = command(*words.split(), before=before)
    out, told = running.communicate(timeout=100)
    assert running.returncode == 2, told
    assert (out, told.count("\n")) == ("", 1), told
    assert told.startswith("pahara: ")


def test_a_folder_is_no_truth(verb, yard, tmp_path):
    done = verb("evaluate", "events", yard.film, tmp_path, "-c", yard.config)
    assert (done.code, done.err) == (2, f"pahara: {tmp_path}: this is a folder, not a file; name the file in it\n")


def test_the_schema_is_json_with_and_without_being_asked(verb, tmp_path):
    plain, asked = verb("config", "schema"), verb("config", "schema", "--json")
    assert json.loads(plain.out) == json.loads(asked.out)
    written = verb("config", "schema", "--json", "-o", "s.json")
    assert json.loads(written.out) == {"file": "s.json"}
    assert json.loads((tmp_path / "s.json").read_text()) == json.loads(plain.out)


@pytest.mark.parametrize("verb_name", ["watch", "replay"])
def test_words_follow_the_environment(verb, yard, monkeypatch, verb_name):
    monkeypatch.setenv("PAHARA_LANG", "bn")
    words = (
        [yard.film, "-c", yard.config, "--detector", "motion", "--no-keep", "--seconds", "3"] if verb_name == "watch" else [yard.watched]
    )
    done = verb(verb_name, *words)
    assert done.code == 0
    assert "alert" in done.out + done.err
    assert "events" not in done.out + done.err
    spoken = verb(verb_name, *words, "--lang", "en")
    assert "event" in spoken.out + spoken.err


def test_a_rule_for_cars_under_a_detector_of_vehicles_is_told_once(verb, yard, tmp_path):
    config = tmp_path / "cars.yml"
    config.write_text(yard.config.read_text().replace("kind: intrusion", "labels: [car], kind: intrusion"))
    done = verb("watch", yard.film, "-c", config, "--detector", "motion", "--out", "o", "--seconds", "3", "--json")
    assert done.code == 0, done.err
    assert done.err.count("this detector says 'vehicle' for car") == 1
    assert all(json.loads(line) for line in done.out.splitlines())
