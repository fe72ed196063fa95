"""Weights that others have trained: by name, checked against their published hash, or from a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pahara.core import ModelError
from pahara.detection import zoo
from pahara.detection.download import fetch
from pahara.detection.names import COCO_80
from pahara.models import registry

from .checkpoint import load_weights, read_weights

_MEGVII = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"
ENOUGH = 0.5  # share of the weights that must fit before others' weights are a start


@dataclass(frozen=True)
class Pretrained:
    """One named set of weights, for the model of the same name in `models.registry`."""

    name: str
    url: str
    sha256: str
    bytes: int  # 0 where unknown
    licence: str
    options: Mapping[str, Any]
    classes: tuple[str, ...]
    input: int  # pixels, width and height
    note: str

    @property
    def file(self) -> str:
        """The name of its file, as it was published."""
        return self.url.rsplit("/", 1)[1]


# Hashes: of the release files, as many independent projects on GitHub pin them (looked up 2026-11).
PRETRAINED: Mapping[str, Pretrained] = {
    one.name: one
    for one in (
        Pretrained(
            "yolox-nano", f"{_MEGVII}/yolox_nano.pth", "cd28f55fbbc1829f99d9ac9b38a16d259a22889739c8728ea877610201feff7b", 0,
            "Apache-2.0", {"classes": 80}, COCO_80, 416, "0.9 M parameters; the one to fine-tune on a CPU",
        ),
        Pretrained(
            "yolox-tiny", f"{_MEGVII}/yolox_tiny.pth", "9de513de589ac98bb92d3bca53b5af7b9acfa9b0bacb831f7999d0f7afaee8f0", 40_755_013,
            "Apache-2.0", {"classes": 80}, COCO_80, 416, "5 M parameters",
        ),
        Pretrained(
            "yolox-s", f"{_MEGVII}/yolox_s.pth", "f55ded7181e1b0c13285c56e7790b8f0e8f8db590fe4edb37f0b7f345c913a30", 72_089_125,
            "Apache-2.0", {"classes": 80}, COCO_80, 640, "9 M parameters; for a GPU",
        ),
    )
}  # fmt: skip


def find_pretrained(one: Pretrained) -> Path | None:
    """Its file on this machine, or None: the published weights, or the same model as ONNX for watching; first in PAHARA_MODELS."""
    folders = [Path(folder).expanduser()] if (folder := os.environ.get(zoo.MODELS_VARIABLE)) else []
    for place in (*folders, zoo.cache_folder()):
        for name in (one.file, f"{one.name}.pth"):
            if (place / name).is_file():
                return place / name
    return zoo.find(zoo.MODELS[one.name]).path if one.name in zoo.MODELS else None


def locate_pretrained(name: str, *, download: bool = True) -> Path:
    """The file of named weights, fetched into the model cache on first use. ModelError says what to do where that cannot be."""
    one = PRETRAINED.get(name)
    if one is None:
        raise ModelError(f"no pretrained weights named {name!r}{zoo.did_you_mean(name, PRETRAINED)}; there are {', '.join(PRETRAINED)}")
    found = find_pretrained(one)
    if found is not None:
        return found
    advice = f"put {one.file} into a folder and set {zoo.MODELS_VARIABLE} to it, or give a path to the file"
    if not download:
        raise ModelError(f"the weights {name} are not on this machine; {advice}")
    target = zoo.cache_folder() / one.file
    fetch(one.url, target, sha256=one.sha256, size=one.bytes, title=one.file, advice=advice)
    return target


def pretrained(what: str | Path, *, model: str = "", download: bool = True) -> tuple[nn.Module, dict[str, Any]]:
    """-> (a model that has learned already, what is known of it: model, options, names, preparation …).

    `what` is a name of PRETRAINED, a run's folder, a .safetensors of Pahara, or a YOLOX .pth or .onnx, for which `model`
    (e.g. "yolox-nano") is taken from the file's name where it is not given. ModelError for everything else.
    """
    told = str(what)
    path = Path(told).expanduser()
    if told not in PRETRAINED and not path.exists():
        if path.suffix or len(path.parts) > 1:
            raise ModelError(f"there is no weights file {path}; check the path, or take a name: {', '.join(PRETRAINED)}")
        locate_pretrained(told)  # says that nothing is called so
    if told in PRETRAINED:
        return _official(PRETRAINED[told], locate_pretrained(told, download=download))
    if path.is_dir() or path.suffix == ".safetensors":
        return load_weights(path)
    if path.suffix not in (".pth", ".pt", ".onnx"):
        raise ModelError(f"{path} is no weights file: .safetensors, .pth and .onnx are read")
    near = model or next((name for name in PRETRAINED if path.stem.replace("_", "-").startswith(name)), "")
    if near not in PRETRAINED:
        raise ModelError(f"{path.name} does not say which model it is for; name it, one of {', '.join(PRETRAINED)}")
    return _official(PRETRAINED[near], path)


def _official(one: Pretrained, path: Path) -> tuple[nn.Module, dict[str, Any]]:
    from pahara.models.yolox_weights import load_official

    with torch.random.fork_rng(devices=[]):  # fresh weights are drawn only to be replaced
        model = registry.build(one.name, **one.options)
    load_official(model, path)  # type: ignore[arg-type]
    about = {
        "kind": "detector",
        "model": one.name,
        "options": dict(one.options),
        "classes": list(one.classes),
        "names": list(one.classes),
        "input": [3, one.input, one.input],
        "source": one.url if path.suffix == ".pth" else path.name,
        "licence": one.licence,
    }
    return model.eval(), about


def transfer(model: nn.Module, source: Path | str | Mapping[str, Tensor]) -> list[str]:
    """Take over all weights of the same name and shape; -> the names of those that stay fresh, e.g. the head for other classes.

    `source` is a weights file, a run's folder, or the tensors by name. ModelError when less than half of the model's weights fits:
    then these are weights of another model.
    """
    state = source if isinstance(source, Mapping) else read_weights(source)[0]
    own = model.state_dict()
    fitting = {name: state[name] for name, value in own.items() if name in state and state[name].shape == value.shape}
    parameters = dict(model.named_parameters())
    total = sum(value.numel() for value in parameters.values())
    taken = sum(value.numel() for name, value in parameters.items() if name in fitting)
    if taken < ENOUGH * total:
        raise ModelError(
            f"only {taken:,} of the model's {total:,} weights are found in {source if not isinstance(source, Mapping) else 'the weights'} "
            "with the same name and shape: these are weights of another model; choose the model that they were trained for"
        )
    model.load_state_dict(fitting, strict=False)
    return [name for name in parameters if name not in fitting]
