"""What a model file of Pahara's own says of itself: the JSON under `pahara` in an ONNX file's metadata.

Written by `pahara export`, read by the watcher. Keys, all optional but `kind`:

    version       1
    kind          "image" | "detector" | "action" | "anomaly"
    model         name in the registry of models; `options` its options
    classes       list of class names, in the order of the model's columns
    input         shape without the batch, e.g. [3, 416, 416] or [16, 17, 3]
    preparation   fields of `Preparation` for pictures: fit, place, pad, rgb, scale, mean, std; and `grey` for one channel
    window        of trails: {"seconds": 2.0, "rate": 10.0, "people": 1 | 2, "joints": 0 | 17, "near": 1.5, …}, the fields of
                  `behaviours.learned.Window`
                  of clips of pictures: {"seconds": 2.0, "rate": 8.0}
    activation    what turns outputs into scores: "softmax" | "sigmoid" | "none"
    thresholds    class name (or "error") -> the score or error that is the limit, from held-out data
    usual         of anomalies: quantiles of the error on held-out normal data, {"median": …, "high": …}
    error         of anomalies: how the error is measured, {"patch": 16}
    quantized     how int8 was made, where it was
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from pahara.core import ModelError
from pahara.core.frozen import Frozen

from .letterbox import Preparation
from .names import names_from_metadata

KEY = "pahara"  # of the metadata
VERSION = 1
Kind = Literal["image", "detector", "action", "anomaly"]
NOTHING: Mapping[str, Any] = Frozen()


@dataclass(frozen=True)
class About:
    """What a model is and wants; see the module for the keys."""

    kind: Kind
    classes: tuple[str, ...] = ()
    model: str = ""
    input: tuple[int, ...] = ()  # without the batch
    preparation: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    window: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    activation: str = "none"
    thresholds: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    usual: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    error: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    more: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # what else was written: options, trained, quantized …

    @property
    def sees_trails(self) -> bool:
        """Whether its input is made of trails of people, and not of pictures."""
        return bool({"people", "joints"} & self.window.keys())

    def prepared(self) -> Preparation:
        """How pictures are brought into the model's input. ModelError where the words are unknown."""
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in self.preparation.items() if key in _PREPARATION
        }
        try:
            return Preparation(**known)
        except TypeError as error:
            raise ModelError(f"the model's preparation cannot be read ({error}); export it again") from error


_PREPARATION = frozenset(Preparation.__dataclass_fields__)


def read_about(metadata: Mapping[str, str]) -> About | None:
    """What the metadata says; None where the model is not one of Pahara's own. ModelError where it is damaged."""
    told = metadata.get(KEY, "").strip()
    if not told:
        return None
    try:
        values = json.loads(told)
        return _read(values, metadata)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ModelError(f"its metadata '{KEY}' cannot be read ({error}); export it again with `pahara export`") from error


def _read(values: Any, metadata: Mapping[str, str]) -> About:
    if not isinstance(values, Mapping):
        raise ValueError("not a JSON object")
    if int(values.get("version", VERSION)) > VERSION:
        raise ModelError("the model was exported by a newer Pahara; update Pahara, or export it again here")
    if values.get("kind") not in get_args(Kind):
        raise ValueError(f"kind is {values.get('kind')!r}, not one of {', '.join(get_args(Kind))}")
    known = dict(values)
    classes = tuple(map(str, known.get("classes", ()))) or names_from_metadata(metadata)
    parts = {key: dict(known.get(key) or {}) for key in ("preparation", "window", "thresholds", "usual", "error")}
    return About(
        cast(Kind, known["kind"]),
        classes,
        str(known.get("model", "")),
        tuple(int(side) for side in known.get("input", ())),
        parts["preparation"],
        parts["window"],
        str(known.get("activation", "none")),
        {name: float(value) for name, value in parts["thresholds"].items()},
        {name: float(value) for name, value in parts["usual"].items()},
        parts["error"],
        {key: value for key, value in known.items() if key not in About.__dataclass_fields__},
    )


def written(about: Mapping[str, Any]) -> dict[str, str]:
    """The metadata that carry `about`: its JSON under `pahara`, and `names` as other tools read them."""
    classes = [str(name) for name in about.get("classes", ())]
    told = {KEY: json.dumps({"version": VERSION, **about}, ensure_ascii=False, sort_keys=True)}
    return {**told, "names": repr(dict(enumerate(classes)))} if classes else told
