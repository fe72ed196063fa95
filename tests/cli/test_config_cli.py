"""`pahara config` as its owner types it: what it prints, what it writes, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

GOOD = """\
version: 1
cameras:
  gate:
    name: সদর দরজা
    source: "rtsp://{PAHARA_T_USER}:{PAHARA_T_PASSWORD}@192.0.2.7/sub"
    zones: {doorway: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]}
    behaviours: [{kind: intrusion, zone: doorway}, running]
"""
ENV = {"PAHARA_T_USER": "azim", "PAHARA_T_PASSWORD": "hunter2hunter2"}


@pytest.fixture
def pahara(tmp_path):
    """pahara("config", "check") runs the real command in an empty folder."""

    def run(*words, **env):
        command = Path(sys.executable).with_name("pahara")
        base = {key: value for key, value in os.environ.items() if not key.startswith("PAHARA_")}
        extra = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONWARNINGS": "error", **ENV, **env}
        return subprocess.run([command, *words], capture_output=True, encoding="utf-8", cwd=tmp_path, env={**base, **extra}, check=False)

    return run


def test_a_good_file_ends_with_0_and_shows_no_secret(pahara, tmp_path):
    (tmp_path / "pahara.yml").write_text(GOOD, encoding="utf-8")
    done = pahara("config", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "pahara.yml is in order: 1 camera" in done.stdout
    assert "সদর দরজা" in done.stdout
    assert "intrusion-doorway, running" in done.stdout
    told = json.loads(pahara("config", "check", "--json").stdout)
    assert told["ok"] is True
    assert told["cameras"][0]["behaviours"] == {"intrusion-doorway": "intrusion", "running": "running"}
    assert told["cameras"][0]["source"] == "rtsp://{PAHARA_T_USER}:{PAHARA_T_PASSWORD}@192.0.2.7/sub"
    assert "hunter2" not in done.stdout + json.dumps(told)


def test_every_problem_is_listed_and_the_end_is_1(pahara, tmp_path):
    (tmp_path / "my.yml").write_text(GOOD.replace("kind: intrusion", "kind: intruson").replace("name:", "nme:"), encoding="utf-8")
    done = pahara("config", "check", "my.yml")
    assert done.returncode == 1
    assert "a camera has no 'nme' (my.yml, line 4, column 5). Did you mean 'name'?" in done.stdout
    assert "no behaviour named 'intruson' (my.yml, line 7, column 25). Did you mean 'intrusion'?" in done.stdout
    assert done.stdout.endswith("my.yml: 2 problems\n")
    told = json.loads(pahara("config", "check", "my.yml", "--json").stdout)
    assert told["ok"] is False
    assert [(each["line"], each["column"]) for each in told["problems"]] == [(4, 5), (7, 25)]


def test_a_file_that_is_not_there_is_one_line_and_the_end_is_2(pahara, tmp_path):
    (tmp_path / "pahara.yml").write_text(GOOD, encoding="utf-8")
    done = pahara("config", "check", "pahra.yml")
    assert done.returncode == 2
    assert (done.stdout, done.stderr) == ("", "pahara: there is no such file (pahra.yml). Did you mean 'pahara.yml'?\n")
    machine = pahara("config", "check", "pahra.yml", "--json")
    assert machine.returncode == 2
    assert json.loads(machine.stdout)["problems"][0]["message"] == "there is no such file"
    assert pahara("config", "check", ".").stderr.startswith("pahara: this is a folder, not a file (.). Try 'pahara.yml'")


@pytest.mark.parametrize("language", ["en", "bn"])
def test_what_init_writes_is_in_order(pahara, tmp_path, language):
    done = pahara("config", "init", "--language", language)
    assert done.returncode == 0
    assert (tmp_path / "pahara.yml").read_text(encoding="utf-8").startswith("# pahara.yml: ")
    checked = json.loads(pahara("config", "check", "--json").stdout)
    assert checked["ok"] is True
    assert checked["language"] == language
    assert checked["notes"] == []
    assert len(checked["cameras"][0]["behaviours"]) == 8


def test_init_never_overwrites_unless_told_to(pahara, tmp_path):
    file = tmp_path / "pahara.yml"
    file.write_text("mine")
    done = pahara("config", "init")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert file.read_text() == "mine"
    assert pahara("config", "init", "--force").returncode == 0
    assert file.read_text(encoding="utf-8") != "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["pahara.yml"], "nothing half-written is left"


def test_init_into_a_folder_or_in_a_language_that_there_is_not(pahara, tmp_path):
    (tmp_path / "shop").mkdir()
    assert pahara("config", "init", "shop", PAHARA_LANG="bn").returncode == 0
    assert "language: bn" in (tmp_path / "shop" / "pahara.yml").read_text(encoding="utf-8")
    assert pahara("config", "init", "x.yml", "--language", "fr").stderr == "pahara: no language 'fr'. There are 'bn' and 'en'\n"
    assert pahara("config", "init", "no/such/folder.yml").returncode == 2


def test_the_schema_is_printed_or_written(pahara, tmp_path):
    printed = json.loads(pahara("config", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(printed)
    done = pahara("config", "schema", "-o", "pahara.schema.json")
    assert "# yaml-language-server: $schema=pahara.schema.json" in done.stdout
    assert json.loads((tmp_path / "pahara.schema.json").read_text(encoding="utf-8")) == printed


def test_a_terminal_without_unicode_gets_letters_instead_of_a_traceback(pahara, tmp_path):
    (tmp_path / "pahara.yml").write_text(GOOD, encoding="utf-8")
    done = pahara("config", "check", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ok pahara.yml is in order" in done.stdout
    assert (
        json.loads(pahara("config", "check", "--json", PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout)["cameras"][0]["name"] == "সদর দরজা"
    )
