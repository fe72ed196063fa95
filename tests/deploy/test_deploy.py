"""What is shipped for a server agrees with the program: ports, paths, extras, options; and systemd takes the unit."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from pahara.cli.app import app
from pahara.config.model import WebPart

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "pahara.service").read_text(encoding="utf-8")
PORT = WebPart().port


def compose():
    return YAML(typ="safe").load(DEPLOY / "compose.yaml")


def options_of(line):
    """The options after `pahara run` in a line, and whether they exist."""
    known = {name for each in get_command(app).commands["run"].params for name in each.opts}
    return set(re.findall(r"(?<=\s)--?[a-z-]+", line.split("pahara run", 1)[1])) - known


def test_the_image_is_installed_from_this_project_with_extras_that_it_has():
    (extras,) = re.findall(r"^ARG EXTRAS=(.+)$", DOCKERFILE, re.M)
    named = set(extras.split(",")) | set(re.search(r"EXTRAS=([a-z,]+),postgres", DOCKERFILE)[1].split(","))
    assert named <= set(PROJECT["optional-dependencies"])
    assert f"{PROJECT['name']}-*.whl" in DOCKERFILE
    copied = set(re.search(r"^COPY (.+) /pahara/$", DOCKERFILE, re.M)[1].split())
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} == copied
    least = tuple(map(int, re.search(r">=(\d+)\.(\d+)", PROJECT["requires-python"]).groups()))
    assert all(tuple(map(int, each)) >= least for each in re.findall(r"FROM python:(\d+)\.(\d+)-slim", DOCKERFILE))
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {f"!{each}" for each in (*copied, "src", "deploy/start.sh")} <= set(ignored)


def test_the_image_runs_as_nobody_in_particular_and_tells_whether_it_is_well():
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)
    assert users
    assert users[-1] not in ("0", "root")
    assert f"EXPOSE {PORT}" in DOCKERFILE
    assert f"http://127.0.0.1:{PORT}/api/health" in DOCKERFILE
    assert re.search(r"^VOLUME /data$", DOCKERFILE, re.M)
    start = (DEPLOY / "start.sh").read_text()
    assert not options_of(next(line for line in start.splitlines() if "pahara run" in line))
    assert subprocess.run(["sh", "-n", str(DEPLOY / "start.sh")], check=False).returncode == 0


def test_the_compose_file_is_sound_and_its_broker_is_optional():
    services = compose()["services"]
    watch, broker = services["pahara"], services["mosquitto"]
    assert watch["ports"] == [f"{PORT}:{PORT}"]
    assert (DEPLOY / watch["build"]["context"] / watch["build"]["dockerfile"]).is_file()
    assert {each.split(":")[0] for service in services.values() for each in service["volumes"]} == set(compose()["volumes"])
    assert watch["read_only"]
    assert watch["cap_drop"] == ["ALL"]
    assert broker["profiles"] == ["mqtt"]
    assert "ports" not in broker
    assert int(watch["stop_grace_period"].removesuffix("s")) > 30


def test_docker_compose_reads_it():
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not here")
    done = subprocess.run(
        ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "--profile", "mqtt", "config", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_unit_starts_what_there_is():
    (line,) = re.findall(r"^ExecStart=(.+)$", UNIT, re.M)
    assert not options_of(line)
    assert "/var/lib/pahara/" in line
    assert "StateDirectory=pahara" in UNIT
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)[1]) > 30


def test_systemd_takes_the_unit_and_calls_it_well_locked(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not here")
    unit = tmp_path / "pahara.service"
    unit.write_text(
        UNIT.replace("/opt/pahara/bin/pahara", shutil.which("true"))
        .replace("User=pahara", "User=daemon")
        .replace("Group=pahara", "Group=daemon")
    )
    seen = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)], capture_output=True, text=True, check=False
    )
    if "Failed to" in seen.stderr and "pahara.service" not in seen.stderr:
        pytest.skip(f"systemd-analyze does not work here: {seen.stderr.strip().splitlines()[-1]}")
    assert seen.returncode == 0, seen.stderr
    assert "pahara.service" not in seen.stderr, seen.stderr
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(unit)], capture_output=True, text=True, check=False
    )
    if "unrecognized option" not in rated.stderr:
        assert rated.returncode == 0, rated.stdout[-300:] + rated.stderr
