"""The plug-in that the guide shows works as the guide says: its package, its tests, its place in pahara.yml."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "plugins.md"
PAHARA = ("-c", "from pahara.cli import main; main()")
FILE = re.compile(r"^`([\w.]+)`\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def package(tmp_path):
    """The page's files in one folder, with the metadata that an editable install would make."""
    files = dict(FILE.findall(PAGE.read_text(encoding="utf-8")))
    assert set(files) == {"close_up.py", "pyproject.toml", "test_close_up.py", "pahara.yml"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    metadata = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in project["entry-points"].items()]
    (metadata / "entry_points.txt").write_text("\n".join(points))
    return tmp_path


def run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_its_own_tests_pass(package):
    done = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_close_up.py")
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b9 passed", done.stdout)


def test_the_configuration_knows_it_and_its_options(package):
    assert run(package, *PAHARA, "config", "check").returncode == 0
    text = (package / "pahara.yml").read_text()
    (package / "pahara.yml").write_text(text.replace("share: 0.6", "shear: 0.6"))
    wrong = run(package, *PAHARA, "config", "check")
    assert wrong.returncode == 1
    assert "shear" in wrong.stdout + wrong.stderr
    assert "share" in wrong.stdout + wrong.stderr
    (package / "pahara.yml").write_text(text.replace("share: 0.6", "share: 60"))
    assert run(package, *PAHARA, "config", "check").returncode == 1
