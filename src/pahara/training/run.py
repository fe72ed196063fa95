"""The folder that a run leaves: what was asked, on which machine, what came of it, and a card that says what the model is good for."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pahara.core import TrainingError

CONFIG, ENVIRONMENT, CARD = "config.yml", "environment.json", "model-card.md"
LIBRARIES = (
    "pahara",
    "torch",
    "lightning-fabric",
    "numpy",
    "opencv-contrib-python-headless",
    "safetensors",
    "onnx",
    "onnxruntime",
    "scikit-learn",
)


def new_run(root: Path | str, name: str) -> Path:
    """Make the folder `root/name`, or name-2, name-3 … where it exists: a run is never overwritten. -> the folder."""
    root = Path(root)
    if not name or not re.fullmatch(r"[\w][\w .+-]*", name) or name.endswith((".", " ")):
        raise TrainingError(f"{name!r} cannot be the name of a run: take letters, digits, '-', '_' and '.'")
    number = 1
    while True:
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if root.exists() and not root.is_dir():
                raise TrainingError(f"{root} is a file, not a folder for runs; choose another place") from None
            number += 1
        except OSError as error:
            raise TrainingError(f"cannot make the folder {folder} ({error.strerror}); choose another place for runs") from error
        else:
            return folder


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """What was asked, as YAML: e.g. kind, data, wishes, plan. Plain values, mappings and lists."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    text = io.StringIO()
    yaml.dump(json.loads(json.dumps(config, default=str)), text)
    _write(folder / CONFIG, "# What this run was asked to do; `pahara train` reads it to resume.\n" + text.getvalue())


def read_config(folder: Path | str) -> dict[str, Any]:
    """What `write_config` wrote. TrainingError when this is no run's folder."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = Path(folder) / CONFIG
    try:
        read = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"{folder} is not the folder of a run: {CONFIG} cannot be read ({error.strerror})") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is damaged: {str(error).splitlines()[0]}") from error
    if not isinstance(read, dict):
        raise TrainingError(f"{path} is damaged: it holds no settings")
    return read


def environment() -> dict[str, Any]:
    """The machine and the versions of everything that has a say in the result. Nothing that tells who or where: no names, no paths."""
    import torch

    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "memory_gb": _memory_gb(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "versions": versions,
    }


def write_environment(folder: Path) -> None:
    """environment.json; what an earlier call of the same run wrote stays first in the list."""
    path = folder / ENVIRONMENT
    try:
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except (OSError, ValueError):
        before = []
    _write(path, json.dumps([*before, environment()], indent=2, ensure_ascii=False) + "\n")


def write_card(
    folder: Path,
    about: Mapping[str, Any],
    *,
    data: Mapping[str, Any],
    figures: Mapping[str, float],
    limits: Sequence[str] = (),
    licence: str = "",
    plan: Mapping[str, Any] | None = None,
    language: str = "en",
) -> Path:
    """model-card.md (Mitchell et al. 2019, "Model cards for model reporting"). -> its path.

    `about` is what the weights file says of itself; `data` and `figures` are shown as tables, in their order. `limits` are
    sentences; those that hold for every model are added. `licence` is that of the weights; where it is empty the card says
    that the data's licence decides.
    """
    from pahara.language import text

    def words(key: str, /, **values: Any) -> str:
        return text(f"card.{key}", language, **values)

    names = about.get("classes") or about.get("names") or ()
    kind = str(about.get("kind", ""))
    parts = [
        f"# {words('title', name=folder.name)}",
        words("intro", model=_safe(about.get("model", "?")), kind=words(f"kind.{kind}") if kind in KINDS else _safe(kind)),
    ]
    if names:
        parts += [f"## {words('classes', n=len(names))}", ", ".join(_safe(name) for name in names)]
    if about.get("input"):
        parts += [f"## {words('input')}", " × ".join(str(side) for side in about["input"])]
    parts += [f"## {words('data')}", _table(data, words("what"), words("value"))]
    parts += [f"## {words('figures')}", words("figures.about"), _table(figures, words("what"), words("value"))]
    if plan:
        parts += [f"## {words('plan')}", _table(plan, words("what"), words("value"))]
    parts += [f"## {words('limits')}", "\n".join(f"- {line}" for line in (*limits, words("limits.place"), words("limits.person")))]
    parts += [f"## {words('licence')}", licence or words("licence.unknown")]
    path = folder / CARD
    _write(path, "\n\n".join(part for part in parts if part) + "\n")
    return path


KINDS = ("image", "detector", "action", "anomaly")


def _table(rows: Mapping[str, Any], what: str, value: str) -> str:
    lines = [f"| {what} | {value} |", "|---|---|"]
    for name, told in rows.items():
        shown = f"{told:.4g}" if isinstance(told, float) else ", ".join(map(str, told)) if isinstance(told, (list, tuple)) else str(told)
        lines.append(f"| {_safe(name)} | {_safe(shown)} |")
    return "\n".join(lines)


def _safe(value: Any) -> str:
    """Text that Markdown takes as text: a class may be called `|` or `<b>`."""
    flat = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", flat)


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise TrainingError(f"cannot write {path} ({error.strerror}); free some space or choose another folder") from error


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    if sys.platform.startswith("linux"):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return 0.0
