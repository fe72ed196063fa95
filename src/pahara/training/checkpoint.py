"""Weights on disk: files that rebuild their model by themselves, and the state from which a killed run goes on."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from pahara.core import ModelError, PaharaError, TrainingError
from pahara.models import registry

KEY = "pahara"  # where the safetensors metadata hold what the weights are for


def write_whole(path: Path, data: bytes, *, lasting: bool = True) -> None:
    """The file is there as a whole or as it was before, whatever happens in between; `lasting` waits for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TrainingError(f"cannot write {path} ({error.strerror or error}); free some space or choose another folder") from error


def save_weights(path: Path | str, model: nn.Module, about: Mapping[str, Any]) -> None:
    """Write the weights as safetensors. `about` is plain JSON data.

    With `about["model"]` (a name of `models.registry`) and `about["options"]` the file rebuilds its model by itself;
    `names` (the classes in order) and `preparation` (how an input is made) say how to use it.
    """
    state = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    write_whole(Path(path), to_bytes(state, metadata={KEY: json.dumps(dict(about), ensure_ascii=False, allow_nan=False, default=_plain)}))


def read_weights(path: Path | str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """-> (tensors by name, on the CPU; what was said about them). ModelError when the file is missing or damaged."""
    path = Path(path)
    if path.is_dir():
        path = next((path / name for name in ("best.safetensors", "last.safetensors") if (path / name).is_file()), path)
    if path.is_dir():
        raise ModelError(f"{path} is a folder without best.safetensors; name a weights file or a run's folder")
    if not path.is_file():
        raise ModelError(f"there is no weights file {path}; check the path")
    try:
        with safe_open(str(path), framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(KEY, "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, ValueError, OSError) as error:
        raise ModelError(
            f"{path} is no weights file, or a damaged one ({error}); it should be .safetensors as training writes it"
        ) from error
    return state, about


def load_weights(path: Path | str) -> tuple[nn.Module, dict[str, Any]]:
    """-> (the model, rebuilt and ready to predict; what was said about it). `path` is a weights file or a run's folder."""
    state, about = read_weights(path)
    if "model" not in about:
        raise ModelError(f"{path} holds weights, but not the name of their model; build the model and use `pahara.training.transfer`")
    try:
        with torch.random.fork_rng(devices=[]):  # fresh weights are drawn only to be replaced
            model = registry.build(about["model"], **about.get("options", {}))
    except PaharaError as error:
        raise ModelError(f"{path}: {error}") from error
    fill(model, state, str(path))
    return model.eval(), about


def fill(model: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Load all tensors, which must be exactly those of the model; ModelError names the first that is not."""
    own = model.state_dict()
    for name, value in own.items():
        if name not in state:
            raise ModelError(f"{where} holds no {name}: these are weights of another model")
        if state[name].shape != value.shape:
            raise ModelError(f"{where}: {name} has the shape {tuple(state[name].shape)}, this model's has {tuple(value.shape)}")
    if extra := [name for name in state if name not in own]:
        raise ModelError(f"{where} also holds {extra[0]}, which this model does not have: these are weights of another model")
    model.load_state_dict(dict(state))


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Everything a run needs to go on: tensors, numbers, words, lists and dicts of them."""
    memory = io.BytesIO()
    torch.save(dict(state), memory)
    write_whole(path, memory.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """What `save_state` wrote. No code in the file is run. TrainingError when it is missing or damaged."""
    if not path.is_file():
        raise TrainingError(f"there is nothing to go on from: {path} does not exist")
    try:
        read: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path} is damaged ({str(error).splitlines()[0]}); start a new run, e.g. from the last.safetensors beside it"
        ) from error
    return read


def _plain(value: Any) -> Any:
    """Numpy numbers and arrays, paths and mappings as JSON data."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"what is said about weights must be plain data, not {type(value).__name__}")
