"""From data to a trained model: batches, the loop, weights on disk, and the folder that a run leaves.

Names are loaded on first use: a plan needs no torch, and nothing here is loaded by whoever only watches.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batches import Batches, Sampled, batches_of
    from .checkpoint import load_weights, read_weights, save_weights
    from .loop import Result, Task, train
    from .plan import Plan

__all__ = ["Batches", "Plan", "Result", "Sampled", "Task", "batches_of", "load_weights", "read_weights", "save_weights", "train"]

_HOMES = {
    "batches": ("Batches", "Sampled", "batches_of"),
    "checkpoint": ("load_weights", "read_weights", "save_weights"),
    "loop": ("Result", "Task", "train"),
    "plan": ("Plan",),
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
