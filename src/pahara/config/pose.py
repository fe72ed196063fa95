"""Whether the pose model that a configuration names is one that there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .problems import Problem, did_you_mean
from .telling import Steps, Teller


def is_model_path(model: str) -> bool:
    """Whether this is a path to a file and no name."""
    return model.endswith((".onnx", ".tflite")) or "/" in model or "\\" in model


def check_pose(choice: Mapping[str, Any], teller: Teller, under: Steps) -> list[Problem]:
    """The problem of a `pose:` mapping whose model nobody knows. Nothing is loaded, and a file is looked for when the watch begins: a replay needs none."""
    from pahara.detection.zoo import POSES

    model = choice.get("model")
    if not isinstance(model, str) or choice.get("enabled") is False or model in POSES or is_model_path(model):
        return []
    return [teller.at((*under, "model"), f"no pose model named '{model}'", did_you_mean(model, POSES))]
