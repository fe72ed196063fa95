"""Every whole pahara.yml that a page shows is in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pahara.config import load

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```yaml\n(version: 1\n.*?)^```", re.MULTILINE | re.DOTALL)
PLUG_INS = ROOT / "docs" / "guide" / "plugins.md"  # its configuration needs its package: see test_plugin_page.py
SHOWN = [
    pytest.param(text, id=f"{page.relative_to(ROOT).as_posix()}-{number}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if page != PLUG_INS
    for number, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]


def test_there_are_configurations_to_check():
    assert len(SHOWN) >= 2


@pytest.mark.parametrize("text", SHOWN)
def test_a_shown_configuration_is_in_order(text, tmp_path, monkeypatch):
    for name in re.findall(r"\{(PAHARA_\w+)\}", text):
        monkeypatch.setenv(name, "x" * 24)  # a secret that signs has 16 characters at least
    (tmp_path / "pahara.yml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "pahara.yml").cameras
