"""Models by name: where they come from, how they are licensed, and where their file is."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Mapping
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
    suffix: str = ".onnx"
    member: str = ""  # where the address is of a zip: the file in it, by the end of its path; `sha256` is of that file
    others: tuple[str, ...] = ()  # further file names under which it is looked for in PAHARA_MODELS

    @property
    def file(self) -> str:
        """The name of its file in the cache."""
        return f"{self.name}{self.suffix}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """File names under which it is looked for in PAHARA_MODELS."""
        with_size = f"{self.name}-{self.input}" if not self.name.endswith(str(self.input)) else self.name
        stems = dict.fromkeys([self.name, with_size, *(s.replace("-", "_") for s in (self.name, with_size))])
        published = Path(self.url).name if self.url and Path(self.url).stem not in ("model", "4") and not self.member else ""
        return tuple(dict.fromkeys([*(f"{stem}{self.suffix}" for stem in stems), *self.others, *([published] if published else [])]))


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

_RTMO = "https://download.openmmlab.com/mmpose/v1/projects/rtmo/onnx_sdk"
# Models of joints (pose). The hash of MoveNet is pinned by many projects; of RTMO-t by one; of the others by nobody.
POSES: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "movenet", "https://storage.googleapis.com/tfhub-lite-models/google/lite-model/movenet/singlepose/lightning/tflite/int8/4.tflite",
            "cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105", 2_894_840, "Apache-2.0", 192, "17 joints",
            "MoveNet Lightning int8: one person a crop in about 6 ms; needs the extra pahara[pose]", suffix=".tflite",
            others=("movenet-lightning-int8.tflite", "movenet_lightning_int8.tflite", "movenet-lightning.onnx", "movenet_singlepose_lightning.onnx"),
        ),
        Model(
            "movenet-thunder", "https://storage.googleapis.com/tfhub-lite-models/google/lite-model/movenet/singlepose/thunder/tflite/int8/4.tflite",
            None, 0, "Apache-2.0", 256, "17 joints", "MoveNet Thunder int8: more exact, several times the work; needs the extra pahara[pose]",
            suffix=".tflite", others=("movenet-thunder-int8.tflite", "movenet_thunder_int8.tflite", "movenet-thunder.onnx"),
        ),
        Model(
            "rtmo-t", f"{_RTMO}/rtmo-t_8xb32-600e_body7-416x416-f48f75cb_20231219.zip",
            "20aad6e2e42359cac1c5b4a0b2da00e29bfe91a72a782fdcf287d273a04c1b24", 0, "Apache-2.0", 416, "17 joints",
            "RTMO tiny: everybody in the picture at once; for crowds", member="end2end.onnx",
        ),
        Model(
            "rtmo-s", f"{_RTMO}/rtmo-s_8xb32-600e_body7-640x640-dac2bf74_20231211.zip", None, 0, "Apache-2.0", 640, "17 joints",
            "RTMO small: more exact, for machines with power to spare", member="end2end.onnx",
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


def locate(model: str | Path, *, download: bool = True, known: Mapping[str, Model] = MODELS) -> Path:
    """The file of a model given by zoo name or path; fetched on first use. `known` is `MODELS` (of detectors) or `POSES`.

    A file in `$PAHARA_MODELS`, or a path, is used as it is and never fetched again.
    ModelError when it is missing and cannot be fetched, with what to try.
    """
    told = str(model)
    named = known.get(told)
    if named is None:
        path = Path(told).expanduser()
        if path.is_file():
            return path
        if path.is_dir():
            raise ModelError(f"{path} is a folder, not a model; name the file in it")
        if path.suffix or len(path.parts) > 1:
            raise ModelError(f"there is no model file {path}; check the path, or use a name from `pahara models list`")
        raise ModelError(
            f"no model named {told!r}{did_you_mean(told, known)}; `pahara models list` shows the names, or give a path to a file"
        )
    found = find(named)
    if found.path is not None:
        return found.path
    folder = os.environ.get(MODELS_VARIABLE)
    put = f"put {named.aliases[0]} into {folder if folder else f'a folder and set {MODELS_VARIABLE} to it'}, or give a path to the file"
    if not named.url:
        raise ModelError(f"nobody publishes {named.name} as an ONNX file; {put}")
    if not download:
        raise ModelError(f"the model {named.name} is not on this machine; run `pahara models pull {named.name}`, or {put}")
    return pull(named, advice=put)


def pull(model: Model, *, advice: str = "") -> Path:
    """Fetch into the cache; checked against the published hash, or against the one of the first download."""
    target = cache_folder() / model.file
    locks = _read_locks()
    expected = model.sha256 or locks.get(model.name)
    if model.member:
        got = _pull_member(model, target, expected, advice)
    else:
        got = fetch(model.url, target, sha256=expected, size=model.bytes, title=model.name, advice=advice)
    if model.sha256 is None and locks.get(model.name) != got:
        _write_locks({**locks, model.name: got})
    return target


def _pull_member(model: Model, target: Path, expected: str | None, advice: str) -> str:
    """Fetch a zip and keep one file of it; -> its SHA-256. ModelError when it is not there, or not what it should be."""
    packed, part = target.with_suffix(".zip"), target.with_name(target.name + ".unpacked")
    instead = f", or {advice}" if advice else ""
    fetch(model.url, packed, size=model.bytes, title=model.name, advice=advice)
    try:
        with zipfile.ZipFile(packed) as archive:
            inside = next((name for name in archive.namelist() if name == model.member or name.endswith(f"/{model.member}")), None)
            if inside is None:
                raise ModelError(f"{model.url} has no {model.member}{instead}")
            with archive.open(inside) as source, part.open("wb") as file:
                shutil.copyfileobj(source, file)
        got = sha256_of(part)
        if expected and got != expected:
            raise ModelError(
                f"{model.name} from {model.url} is not the file it should be (SHA-256 {got}, expected {expected}); it was removed{instead}"
            )
        part.replace(target)
        return got
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelError(f"{model.url} is no zip that can be read ({error}); it was removed. Try again later{instead}") from error
    finally:
        packed.unlink(missing_ok=True)
        part.unlink(missing_ok=True)


def show(name: str) -> dict[str, Any]:
    """What is known of a named model without loading it; ModelError for a name that the zoo does not have."""
    model = MODELS.get(name) or POSES.get(name)
    if model is None:
        raise ModelError(f"no model named {name!r}{did_you_mean(name, {**MODELS, **POSES})}; `pahara models list` shows the names")
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
