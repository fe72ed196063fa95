"""A model as one small file: a zip of plain arrays and one JSON page, no pickle, the same bytes for the same model."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, fields
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import ModelError
from pahara.core.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Normality

FORMAT = 1  # rises when an older Pahara could not read the file
KIND = "pahara normality"
MOST = 200_000_000  # bytes unpacked: a damaged or hostile file does not fill the memory
Arrays = dict[str, NDArray[Any]]


def pack(page: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A JSON page and named arrays as bytes; equal input gives equal bytes."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as box:
        _put(box, "page.json", json.dumps(page, sort_keys=True, indent=1).encode())
        for name in sorted(arrays):
            held = BytesIO()
            np.lib.format.write_array(held, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            _put(box, f"{name}.npy", held.getvalue())
    return file.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """What `pack` made. ValueError when the bytes are damaged."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as box:
            if sum(item.file_size for item in box.infolist()) > MOST:
                raise ValueError("it unpacks to more than a model can be")
            page = json.loads(box.read("page.json"))
            arrays = {}
            for name in box.namelist():
                if name.endswith(".npy"):
                    arrays[name[:-4]] = np.lib.format.read_array(BytesIO(box.read(name)), allow_pickle=False)
    except (
        zipfile.BadZipFile,
        KeyError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        UnicodeDecodeError,
        json.JSONDecodeError,
    ) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    except Exception as error:  # zlib.error and whatever else damaged bytes bring about
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(page, dict):
        raise ValueError("its page is no mapping")
    return page, arrays


def save(model: Normality, path: Path) -> None:
    """ModelError when the place cannot be written to."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".part")
        fresh.write_bytes(to_bytes(model))
        fresh.replace(path)  # a reader sees the old file or the new one
    except OSError as error:
        raise ModelError(f"the normality model cannot be written to {path}: {error.strerror or error}") from error


def load(path: Path) -> Normality:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"no normality model at {path}: {error.strerror or error}; learn one with 'pahara normality learn'") from error
    return from_bytes(data, str(path))


def to_bytes(model: Normality) -> bytes:
    page: dict[str, Any] = {
        "kind": KIND, "format": FORMAT, "settings": asdict(model.settings), "scale": asdict(model.scale),
        "classes": list(model.classes.names), "watched": model.watched, "made": model.made, "people": model.people, "version": model.version,
        "peaks": {"tracks": model.peaks.tracks, "per_day": model.peaks.per_day}, "attributes": {},
    }  # fmt: skip
    arrays: Arrays = {"peaks": model.peaks.highest}
    for name, known in model.known.items():
        cal, memory = known.calibration, known.memory
        page["attributes"][name] = {
            "tracks": known.tracks, "period": memory.period,
            "ranges": {each.quantity: [each.low, each.high, *each.steps] for each in known.ranges.values()},
            "calibration": {key: getattr(cal, key) for key in ("tracks", "share", "size", "shape")},
            "threshold": None if np.isinf(cal.threshold) else cal.threshold,
        }  # fmt: skip
        held: Arrays = {
            "points": memory.points, "tracks": memory.tracks, "times": memory.times, "boxes": memory.boxes, "vouched": memory.vouched, "unit": memory.unit,
            "scores": cal.scores, "above": cal.above,
        }  # fmt: skip
        arrays |= {f"{name}/{key}": values for key, values in held.items()}
    return pack(page, arrays)


def from_bytes(data: bytes, where: str = "these bytes") -> Normality:
    """ModelError in one line when the bytes are no model."""
    from .budget import Peaks
    from .calibration import Calibration
    from .classes import Classes
    from .density import Memory
    from .explanation import Range
    from .model import Known, Normality
    from .scale import BodyScale
    from .settings import Settings

    again = "learn it again with 'pahara normality learn'"
    try:
        page, arrays = unpack(data)
        if page.get("kind") != KIND:
            raise ValueError("it is something else")
        if page["format"] > FORMAT:
            raise ModelError(f"the normality model {where} was made by a newer Pahara (format {page['format']}): upgrade, or {again}")
        told = {field.name for field in fields(Settings)}
        given = {key: value for key, value in page["settings"].items() if key in told}
        settings = Settings(**{**given, "ready": Frozen(given["ready"]), "days": Frozen(given["days"]), "without": tuple(given["without"])})
        known = {}
        for name, about in page["attributes"].items():
            held = {key: arrays[f"{name}/{key}"] for key in ("points", "tracks", "times", "boxes", "unit", "vouched", "scores", "above")}
            _same_rows(held["points"], held["tracks"], held["times"], held["boxes"], held["vouched"])
            _same_rows(held["scores"], held["above"])
            memory = Memory(held["points"], held["tracks"], held["times"], held["boxes"], held["unit"], held["vouched"], about["period"])
            limit = np.inf if about["threshold"] is None else about["threshold"]
            calibration = Calibration(held["scores"], held["above"], threshold=limit, **about["calibration"])
            ranges = {key: Range(key, low, high, steps=tuple(steps)) for key, (low, high, *steps) in about["ranges"].items()}
            known[name] = Known(memory, calibration, about["tracks"], Frozen(ranges))
        peaks = Peaks(arrays["peaks"], page["peaks"]["tracks"], page["peaks"]["per_day"])
        return Normality(
            settings, BodyScale(**page["scale"]), Frozen(known), peaks, Classes(tuple(page["classes"])), page["watched"],
            page["people"], page["made"],
            page["version"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the normality model {where} is damaged or no normality model ({error}); {again}") from error


def _same_rows(*arrays: NDArray[Any]) -> None:
    if len({len(each) for each in arrays}) != 1:
        raise ValueError("arrays of different lengths")


def _put(box: zipfile.ZipFile, name: str, data: bytes) -> None:
    item = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # no clock: equal models are equal files
    item.compress_type = zipfile.ZIP_DEFLATED
    box.writestr(item, data)
