"""From data to a trained model: batches, the loop, weights on disk, and the folder that a run leaves.

Names are loaded on first use: a plan needs no torch, and nothing here is loaded by whoever only watches.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batches import Batches, Sampled, batches_of
    from .checkpoint import load_weights, read_weights, save_weights
    from .finder import LrCurve, find_lr
    from .keeping import read_metrics
    from .loop import Result, Task, train
    from .plan import Plan
    from .run import environment, new_run, read_config, write_card, write_config, write_environment
    from .weights import PRETRAINED, pretrained, transfer

__all__ = [
    "PRETRAINED",
    "Batches",
    "LrCurve",
    "Plan",
    "Result",
    "Sampled",
    "Task",
    "batches_of",
    "environment",
    "find_lr",
    "load_weights",
    "new_run",
    "pretrained",
    "read_config",
    "read_metrics",
    "read_weights",
    "save_weights",
    "train",
    "transfer",
    "write_card",
    "write_config",
    "write_environment",
]

_HOMES = {
    "batches": (
        "Batches",
        "Sampled",
        "batches_of",
    ),
    "checkpoint": (
        "load_weights",
        "read_weights",
        "save_weights",
    ),
    "finder": (
        "LrCurve",
        "find_lr",
    ),
    "keeping": ("read_metrics",),
    "loop": (
        "Result",
        "Task",
        "train",
    ),
    "plan": ("Plan",),
    "run": (
        "environment",
        "new_run",
        "read_config",
        "write_card",
        "write_config",
        "write_environment",
    ),
    "weights": (
        "PRETRAINED",
        "pretrained",
        "transfer",
    ),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for module, names in _HOMES.items():
            if name in names:
                value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
