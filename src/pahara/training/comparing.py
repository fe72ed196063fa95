"""Runs side by side: their figures, what they did differently, and their curves in one picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pahara.core import TrainingError

from .keeping import BEST, LAST, METRICS, read_metrics
from .run import read_config

HIDDEN = ("epoch", "step", "seconds", "lr", "deciding", "kind")  # columns that are no curve


@dataclass(frozen=True)
class Run:
    """What a run's folder tells."""

    folder: Path
    name: str
    kind: str
    settings: Mapping[str, Any]  # what was asked: data, model, plan …
    figures: Mapping[str, float]  # of the examination; {} while it still trains
    history: Sequence[Mapping[str, float]]
    megabytes: float  # of its weights

    @property
    def minutes(self) -> float:
        """Of training."""
        return self.history[-1].get("seconds", 0.0) / 60 if self.history else 0.0


def read_run(folder: Path) -> Run:
    """TrainingError when the folder is no run, or one that has not finished an epoch."""
    config = read_config(folder)
    if not (folder / METRICS).is_file():
        raise TrainingError(f"{folder} has not finished an epoch yet: there is nothing to compare")
    figures: dict[str, float] = {}
    path = folder / "figures.json"
    if path.is_file():
        try:
            figures = {name: float(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items() if name != "kind"}
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} cannot be read ({error}); pahara evaluate model {folder} DATA measures again") from error
    weights = next((folder / name for name in (BEST, LAST) if (folder / name).is_file()), None)
    wishes = dict(config.get("wishes") or {})
    plan = dict(config.get("plan") or {})
    settings = {
        "data": Path(str(config.get("data", ""))).name, "model": wishes.get("model") or "", "from": wishes.get("weights") or "",
        "size": wishes.get("size"), "batch": wishes.get("batch"), **(wishes.get("options") or {}), **(wishes.get("extra") or {}), **plan,
    }  # fmt: skip
    size = weights.stat().st_size / 1e6 if weights else float("nan")
    return Run(folder, folder.name, str(config.get("kind", "")), settings, figures, read_metrics(folder / METRICS), size)


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Settings that are not the same in all runs -> one value a run."""
    names = list(dict.fromkeys(name for run in runs for name in run.settings))
    values = {name: [run.settings.get(name) for run in runs] for name in names}
    return {name: some for name, some in values.items() if any(value != some[0] for value in some)}


def figures(runs: Sequence[Run]) -> dict[str, list[float]]:
    """Every figure -> one value a run; not a number where a run has none."""
    names = list(dict.fromkeys(name for run in runs for name in run.figures))
    return {name: [run.figures.get(name, float("nan")) for run in runs] for name in names}


def plot(runs: Sequence[Run], path: Path) -> Path:
    """The curves of all runs, one small chart for each metric; the ending decides the kind (.png, .svg, .pdf)."""
    from matplotlib.figure import Figure

    names = [name for name in dict.fromkeys(key for run in runs for row in run.history for key in row) if name not in HIDDEN]
    columns = min(3, max(1, len(names)))
    rows = max(1, -(-len(names) // columns))
    sheet = Figure(figsize=(4.6 * columns, 3.2 * rows), layout="constrained")
    axes = sheet.subplots(rows, columns, squeeze=False).ravel()
    for axis, name in zip(axes, names, strict=False):
        for run in runs:
            shown = [(row["epoch"], row[name]) for row in run.history if name in row]
            if shown:
                x, y = zip(*shown, strict=True)
                axis.plot(x, y, marker="o" if len(x) < 20 else "", markersize=3, label=run.name)
        axis.set(title=name.replace("_", " "), xlabel="epoch")
        axis.grid(alpha=0.3)
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    if names:
        axes[0].legend(fontsize="small")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"cannot write {path} ({str(error).splitlines()[0]}); name a .png or .svg in a folder that can be written"
        ) from error
    return path
