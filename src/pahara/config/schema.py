"""The JSON schema of a whole pahara.yml, with every installed plug-in's options, for editors and forms.

Draft 2020-12. VS Code's YAML extension reads it from the first line of a file:
`# yaml-language-server: $schema=pahara.schema.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from pahara.alarms import AlarmRule
from pahara.core.errors import ConfigError

from .model import Config
from .options import model_of
from .registry import Plugin, find, names

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema as plain values. A plug-in that cannot be imported is left out: `pahara doctor` tells of it."""
    whole: dict[str, Any] = Config.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = whole["$defs"]
    for unused in ("BehaviourChoice", "DetectorChoice", "SignalChoice", "TrackerChoice", "GateChoice", "ChannelChoice"):
        definitions.pop(unused, None)

    alarm = _absorb(AlarmRule, definitions)
    definitions["AlarmRule"] = alarm
    own = {
        "name": {
            "type": "string",
            "description": "Its name in events, unique within its camera; by default the kind, or kind-place.",
            "maxLength": 80,
        },
    }
    definitions["BehaviourChoice"] = _one_of("behaviours", "behaviour", definitions, own, with_alarm=True)
    definitions["DetectorChoice"] = _detector(definitions)
    definitions["TrackerChoice"] = _one_of("trackers", "tracker", definitions, {}, default="bytetrack")
    definitions["SignalChoice"] = _one_of("signals", "signal", definitions, {})
    definitions["ChannelChoice"] = _channel(definitions)
    definitions["GateChoice"] = _gate(definitions)
    definitions["PoseChoice"] = _pose(definitions["PoseChoice"])
    definitions["Line"] = _line(definitions["Line"])
    camera = definitions["Camera"]["properties"]
    for part in (whole["properties"], camera, definitions["Defaults"]["properties"]):
        _tidy(part)
    whole["properties"]["cameras"]["propertyNames"] = {"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"}
    return {"$schema": DIALECT, **_without_titles(whole), "title": "pahara.yml"}


def _one_of(
    group: str, prefix: str, definitions: dict[str, Any], own: Mapping[str, Any], *, default: str = "", with_alarm: bool = False
) -> dict[str, Any]:
    """Each plug-in of a group by its kind, or the bare kind."""
    branches, kinds = [], []
    for kind, plug_in in _loadable(group):
        schema = _absorb(plug_in, definitions)
        properties = {"kind": {"const": kind, "description": schema.get("description", "")}, **own}
        if with_alarm:
            told = ", ".join(f"{key} {value:g}" for key, value in getattr(plug_in, "alarm_defaults", {}).items())
            alarm: dict[str, Any] = {
                "$ref": "#/$defs/AlarmRule",
                "description": f"When to tell. Its own defaults: {told}." if told else "When to tell.",
            }
            properties["alarm"] = alarm
        schema["properties"] = {**properties, **schema.get("properties", {})}
        required = list(schema.get("required", []))
        schema["required"] = required if kind == default else ["kind", *required]
        key = f"{prefix}.{kind}"
        definitions[key] = schema
        branches.append({"$ref": f"#/$defs/{key}"})
        if not required:
            kinds.append(kind)
    return {"oneOf": [{"enum": kinds, "description": "With all its defaults."}, *branches]}


def _channel(definitions: dict[str, Any]) -> dict[str, Any]:
    """Each notifier with what every channel has: language, picture, and what it wants to hear of."""
    from pahara.notify.route import Route

    route = _absorb(Route, definitions)["properties"]
    route.pop("timezone")
    own = {
        "language": {"enum": ["bn", "en"], "description": "Of the messages; by default the language of all."},
        "picture": {"type": "boolean", "description": "Send the picture of the moment along.", "default": True},
        **route,
    }
    made = _one_of("notifiers", "notifier", definitions, own)
    return {"oneOf": made["oneOf"][1:]}


def _detector(definitions: dict[str, Any]) -> dict[str, Any]:
    from pahara.detection.zoo import MODELS

    made = _one_of("detectors", "detector", definitions, {}, default="onnx")
    words = ["auto", *MODELS, *(name for name in names("detectors") if name != "onnx")]
    made["oneOf"][0] = {
        "type": "string",
        "anyOf": [{"enum": words}, {"pattern": r"\.onnx$"}, {"pattern": r"\{PAHARA_[A-Z0-9_]+\}"}],
        "description": "A model's name, a path to an .onnx file, motion, or auto (the best that is here).",
    }
    made["oneOf"].append({"type": "object", "properties": {"kind": {"const": "auto"}}, "required": ["kind"], "additionalProperties": False})
    return made


def _gate(definitions: dict[str, Any]) -> dict[str, Any]:
    from pahara.detection.gate import MotionGate

    definitions["MotionGate"] = _absorb(MotionGate, definitions)
    return {"oneOf": [{"enum": ["on", "off", True, False]}, {"$ref": "#/$defs/MotionGate"}]}


def _pose(pose: dict[str, Any]) -> dict[str, Any]:
    from pahara.detection.zoo import POSES

    words: dict[str, Any] = {
        "anyOf": [{"enum": ["on", "off", True, False, *POSES]}, {"type": "string", "pattern": r"\.(onnx|tflite)$"}],
        "description": "A model's name, a path to an .onnx or .tflite file, or off.",
    }
    return {"oneOf": [pose, words]}


def _line(line: dict[str, Any]) -> dict[str, Any]:
    point = line["properties"]["from"]
    pair = {"type": "array", "prefixItems": [_bare(point), _bare(point)], "minItems": 2, "maxItems": 2, "items": False}
    return {"oneOf": [line, {**pair, "description": "The two ends: [[x, y], [x, y]]."}]}


def _bare(point: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in deepcopy(dict(point)).items() if key not in ("description", "title")}


def _loadable(group: str) -> Iterable[tuple[str, Plugin]]:
    for name in names(group):
        try:
            plug_in = find(group, name)
            model_of(plug_in)
        except ConfigError:
            continue
        yield name, plug_in


def _absorb(plug_in: Plugin, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a plug-in's options; what it refers to goes into `definitions`."""
    schema = model_of(plug_in).model_json_schema(by_alias=True)
    definitions.update(schema.pop("$defs", {}))
    return schema


def _tidy(properties: dict[str, Any]) -> None:
    """References to the choices that replaced pydantic's own, and no defaults that a file would not write like that."""
    for value in properties.values():
        if any(word in str(value) for word in ("Choice", "StorePart", "EvidencePart", "RecordingPart", "WebPart", "Defaults")):
            value.pop("default", None)


def _without_titles(value: Any, *, names_here: bool = False) -> Any:
    """pydantic gives every field a title that only repeats its name."""
    if isinstance(value, dict):
        return {
            key: _without_titles(each, names_here=not names_here and key in ("properties", "$defs"))
            for key, each in value.items()
            if names_here or key != "title"
        }
    return [_without_titles(each) for each in value] if isinstance(value, list) else value
