"""What the verbs of training share: the one line for a missing extra, figures as a table, pictures of a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pahara.core.errors import TrainingError

NEEDED = ("torch", "lightning_fabric", "safetensors", "sklearn", "matplotlib")  # what `pahara[train]` brings


def need_training() -> None:
    """TrainingError, with what to install, where this installation can only watch."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise TrainingError(
            f"training needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: pip install 'pahara[train]'"
        )


def shown(name: str, value: Any) -> str:
    """A figure for a table: counts whole, shares with three digits."""
    if isinstance(value, float) and value == value:
        return f"{value:.0f}" if value.is_integer() and abs(value) > 1 else f"{value:.4g}" if abs(value) < 0.01 else f"{value:.3f}"
    return "–" if value is None or value != value else str(value)


def show_outcome(figures: Mapping[str, float], rows: Sequence[Mapping[str, Any]]) -> None:
    """The figures, then a row a class or clip, on stdout."""
    from .output import table

    table(("figure", "value"), [(name.replace("_", " "), shown(name, value)) for name, value in figures.items()], right=(1,))
    if rows:
        columns = list(rows[0])
        table([c.replace("_", " ") for c in columns], [[shown(c, row[c]) for c in columns] for row in rows], right=range(1, len(columns)))


def short(path: Path) -> str:
    """A path as one would type it from here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def yaml_line(kind: str, window: Mapping[str, Any], model: str) -> str:
    """What to write in pahara.yml so that an exported model works; "" for what only `pahara predict` asks.

    `window` is what a model of movement looks at; one that looks at trails names people in it.

    >>> yaml_line("action", {"seconds": 2.0, "rate": 8.0}, "fight.onnx")
    'signals: [{kind: clip, model: fight.onnx}]   behaviours: [{kind: clip}]'
    """
    if kind == "detector":
        return f"detector: {model}"
    if "people" in window:
        return f"behaviours: [{{kind: action, model: {model}}}]"
    asked = {"action": ("clip", "clip"), "anomaly": ("autoencoder", "anomaly")}.get(kind)
    return f"signals: [{{kind: {asked[0]}, model: {model}}}]   behaviours: [{{kind: {asked[1]}}}]" if asked else ""
