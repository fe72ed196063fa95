"""What the benchmarks share: where the assets are, and one way to print figures for people and machines."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ASSETS = Path(os.environ.get("PAHARA_ASSETS", Path(__file__).parents[2] / "shared" / "assets"))


def arguments(about: str) -> argparse.ArgumentParser:
    """--assets and --json, as every benchmark has them."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--assets", type=Path, default=ASSETS, help="the folder of weights and footage (PAHARA_ASSETS)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser


def asset(folder: Path, name: str) -> Path:
    """A file of the assets, or the end of the benchmark in one clear line."""
    path = folder / name
    if not path.exists():
        sys.exit(f"the asset {name} is missing under {folder}: give --assets DIR or set PAHARA_ASSETS")
    return path


def show(figures: Mapping[str, Any], *, as_json: bool, title: str = "", notes: Mapping[str, str] | None = None) -> None:
    """Print named figures: JSON on one line, or a table with what each one means."""
    if as_json:
        print(json.dumps(figures))
        return
    if title:
        print(title)
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        print(f"  {name:<{width}}  {shown:>10}  {(notes or {}).get(name, '')}")
