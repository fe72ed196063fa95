"""YAML -> objects; names -> classes; a JSON schema for editors.

Names are fetched on first use: importing this package loads neither pydantic nor ruamel.yaml.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .build import CameraPlan, default_config, plan, plan_for_source, plans, retention, store_place
    from .detectors import ChosenDetector, choose_detector
    from .loading import from_data, load, parse
    from .model import Config
    from .problems import ConfigProblems, Problem
    from .schema import json_schema

__all__ = [
    "CameraPlan", "ChosenDetector", "Config", "ConfigProblems", "Problem", "choose_detector", "default_config", "from_data",
    "json_schema", "load", "parse", "plan", "plan_for_source", "plans", "retention", "store_place",
]  # fmt: skip

_HOMES = {
    "build": ("CameraPlan", "default_config", "plan", "plan_for_source", "plans", "retention", "store_place"),
    "detectors": ("ChosenDetector", "choose_detector"),
    "loading": ("from_data", "load", "parse"),
    "model": ("Config",),
    "problems": ("ConfigProblems", "Problem"),
    "schema": ("json_schema",),
}

if not TYPE_CHECKING:  # a type checker would take every misspelt name for a lazy one

    def __getattr__(name: str) -> object:
        for module, names in _HOMES.items():
            if name in names:
                value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
