"""Watching a staged scene: its configuration, and staged against caught."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML

from pahara.simulate import Truth


def config_data(truth: Truth, source: str, *, language: str = "en") -> dict[str, Any]:
    """pahara.yml as plain values: the zones, lines and rules that the truth's incidents were judged by, defaults for the rest."""
    return {
        "version": 1,
        "language": language,
        "cameras": {
            "staged": {
                "name": truth.name,
                "source": source,
                "zones": {name: [[round(float(v), 4) for v in corner] for corner in corners] for name, corners in truth.zones.items()},
                "lines": {
                    name: {"from": [round(float(v), 4) for v in ends[0]], "to": [round(float(v), 4) for v in ends[1]]}
                    for name, ends in truth.lines.items()
                },
                "behaviours": [dict(rule) for rule in truth.rules],
            }
        },
    }


def config_text(truth: Truth, source: str, *, language: str = "en") -> str:
    """The same as YAML."""
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 140
    text = io.StringIO()
    yaml.dump(config_data(truth, source, language=language), text)
    return f"# The zones, lines and rules of the staged scene {truth.name!r}.\n{text.getvalue()}"
