"""Detection models by name: where they come from, how they are licensed, and where their file is."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from pahara.core import ModelError

from .download import fetch, sha256_of

MODELS_VARIABLE = "PAHARA_MODELS"
_MEGVII = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"
_NANODET = "https://github.com/RangiLyu/nanodet/releases/download/v1.0.0-alpha-1"
_HUGGING = "https://huggingface.co/onnx-community"


@dataclass(frozen=True)
class Model:
    """One named model. `sha256` None means that nobody has published it: the first download is trusted and locked."""

    name: str
    url: str  # "" where nobody publishes it as ONNX: then the file must come from PAHARA_MODELS or a path
    sha256: str | None
    bytes: int  # 0 where unknown
    licence: str
    input: int  # pixels, width; and height where `tall` is 0
    classes: str
    note: str
    embedded: bool = False  # comes with Pahara: always here, never fetched
    tall: int = 0  # pixels: the input's height where it is not square

    @property
    def file(self) -> str:
        """The name of its file in the cache."""
        return f"{self.name}.onnx"

    @property
    def aliases(self) -> tuple[str, ...]:
        """File names under which it is looked for in PAHARA_MODELS."""
        with_size = f"{self.name}-{self.input}" if not self.name.endswith(str(self.input)) else self.name
        stems = dict.fromkeys([self.name, with_size, *(s.replace("-", "_") for s in (self.name, with_size))])
        published = Path(self.url).name if self.url and Path(self.url).stem != "model" else ""
        return tuple(dict.fromkeys([*(f"{stem}.onnx" for stem in stems), *([published] if published else [])]))


WITH_PAHARA = "with Pahara"  # where an embedded model is found

# Hashes: of the release files, as several independent projects on GitHub pin them (looked up 2026-11).
MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "pahara-nano", "", "801ec891c262be888dd9bc88f4b698731cd94f29a0375ea95e6145622837a94d",
            1_902_684, "Apache-2.0", 544, "person, bag, vehicle", "comes with Pahara: YOLOX-nano fine-tuned for fixed cameras; see its model card",
            embedded=True, tall=320,
        ),
        Model(
            "yolox-nano", f"{_MEGVII}/yolox_nano.onnx", "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
            3_659_407, "Apache-2.0", 416, "COCO-80", "0.9 M parameters; the default: people at 416 in about 14 ms on one CPU core",
        ),
        Model(
            "yolox-tiny", f"{_MEGVII}/yolox_tiny.onnx", "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7",
            20_219_662, "Apache-2.0", 416, "COCO-80", "5 M parameters; finds smaller and half hidden people, about four times the work of nano",
        ),
        Model(
            "yolox-s", f"{_MEGVII}/yolox_s.onnx", "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063",
            35_858_002, "Apache-2.0", 640, "COCO-80", "9 M parameters; for few cameras, far people or a strong machine",
        ),
        Model(
            "nanodet-m", "", None,
            0, "Apache-2.0", 320, "COCO-80", "about twice as fast as yolox-nano; released as a checkpoint only, so bring the exported file yourself",
        ),
        Model(
            "nanodet-plus-m-320", f"{_NANODET}/nanodet-plus-m_320.onnx", None,
            0, "Apache-2.0", 320, "COCO-80", "NanoDet-Plus; nobody publishes its hash, so the first download is trusted and locked",
        ),
        Model(
            "nanodet-plus-m-416", f"{_NANODET}/nanodet-plus-m_416.onnx", "59d2f166088889c902f523bf08079391993491324f0d84847e3c4016a8f7cc3d",
            0, "Apache-2.0", 416, "COCO-80", "NanoDet-Plus at 416",
        ),
        Model(
            "dfine-nano", f"{_HUGGING}/dfine_n_coco-ONNX/resolve/main/onnx/model.onnx", "0f684f409618ee8a822410e754a29caa817d1aa16283ce89cad936d0a48e2f35",
            15_258_358, "Apache-2.0", 640, "COCO-80", "D-FINE nano, 4 M parameters; a transformer: better boxes, several times the work of yolox-nano",
        ),
        Model(
            "rfdetr-nano", f"{_HUGGING}/rfdetr_nano-ONNX/resolve/eae21cee0687a91bcf9fa071605c48d7705d2d91/onnx/model.onnx",
            "9cbac6b11ce34a03034e4d5a24cfac5f18632fd6761d1311dd640232088d7fee",
            108_074_865, "Apache-2.0", 384, "COCO-80 by COCO's 91 numbers", "RF-DETR nano, 30 M parameters; the most accurate here, for machines with power to spare",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Located:
    """Where a named model is on this machine."""

    model: Model
    path: Path | None  # None: not here yet
    origin: str  # "PAHARA_MODELS", "cache", "with Pahara", or "" when it is not here


def cache_folder() -> Path:
    """Where fetched models live: the user's cache, e.g. ~/.cache/pahara/models."""
    return Path(user_cache_path("pahara", appauthor=False)) / "models"


def find(model: Model) -> Located:
    """Looks on the disk only: first in PAHARA_MODELS, then in the package, then in the cache."""
    if folder := os.environ.get(MODELS_VARIABLE):
        for alias in model.aliases:
            path = Path(folder).expanduser() / alias
            if path.is_file():
                return Located(model, path, MODELS_VARIABLE)
    if model.embedded:
        path = Path(str(files(__package__).joinpath("weights", model.file)))
        return Located(model, path, WITH_PAHARA) if path.is_file() else Located(model, None, "")
    path = cache_folder() / model.file
    return Located(model, path, "cache") if path.is_file() else Located(model, None, "")


def locate(model: str | Path, *, download: bool = True) -> Path:
    """The file of a model given by zoo name or path; fetched on first use.

    A file in `$PAHARA_MODELS`, or a path, is used as it is and never fetched again.
    ModelError when it is missing and cannot be fetched, with what to try.
    """
    told = str(model)
    known = MODELS.get(told)
    if known is None:
        path = Path(told).expanduser()
        if path.is_file():
            return path
        if path.is_dir():
            raise ModelError(f"{path} is a folder, not a model; name the .onnx file in it")
        if path.suffix or len(path.parts) > 1:
            raise ModelError(f"there is no model file {path}; check the path, or use a name from `pahara models list`")
        raise ModelError(
            f"no model named {told!r}{did_you_mean(told, MODELS)}; `pahara models list` shows the names, or give a path to an .onnx file"
        )
    found = find(known)
    if found.path is not None:
        return found.path
    folder = os.environ.get(MODELS_VARIABLE)
    put = f"put {known.aliases[0]} into {folder if folder else f'a folder and set {MODELS_VARIABLE} to it'}, or give a path to the file"
    if not known.url:
        raise ModelError(f"nobody publishes {known.name} as an ONNX file; {put}")
    if not download:
        raise ModelError(f"the model {known.name} is not on this machine; run `pahara models pull {known.name}`, or {put}")
    return pull(known, advice=put)


def pull(model: Model, *, advice: str = "") -> Path:
    """Fetch into the cache; checked against the published hash, or against the one of the first download."""
    target = cache_folder() / model.file
    locks = _read_locks()
    expected = model.sha256 or locks.get(model.name)
    got = fetch(model.url, target, sha256=expected, size=model.bytes, title=model.name, advice=advice)
    if model.sha256 is None and locks.get(model.name) != got:
        _write_locks({**locks, model.name: got})
    return target


def show(name: str) -> dict[str, Any]:
    """What is known of a named model without loading it; ModelError for a name that the zoo does not have."""
    model = MODELS.get(name)
    if model is None:
        raise ModelError(f"no model named {name!r}{did_you_mean(name, MODELS)}; `pahara models list` shows the names")
    found = find(model)
    told: dict[str, Any] = {
        "name": model.name,
        "licence": model.licence,
        "input": f"{model.input}x{model.tall or model.input}",
        "classes": model.classes,
        "note": model.note,
        "url": model.url,
        "size": model.bytes or None,
        "sha256": model.sha256 or _read_locks().get(model.name),
        "hash": "published"
        if model.sha256
        else ("locked at the first download" if model.name in _read_locks() else "trusted at the first download"),
        "path": str(found.path) if found.path else "",
        "origin": found.origin,
    }
    if found.path is not None:
        told["same_as_published"] = None if told["sha256"] is None else sha256_of(found.path) == told["sha256"]
    return told


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ " (did you mean 'x'?)", or nothing where nothing is near."""
    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _lock_file() -> Path:
    return cache_folder() / "sha256.json"


def _read_locks() -> dict[str, str]:
    try:
        read = json.loads(_lock_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}


def _write_locks(locks: dict[str, str]) -> None:
    part = _lock_file().with_suffix(".part")
    part.write_text(json.dumps(locks, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(_lock_file())
