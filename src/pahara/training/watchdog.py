"""Notices at once when a loss is no number any more, or explodes, and says what to try."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from pahara.core import TrainingError

FIRST = 10  # the first losses say what is usual here
TIMES = 50.0  # this many times the usual ...
IN_A_ROW = 5  # ... this often in a row is an explosion
PAUSE = 20  # on a GPU the numbers are fetched once in so many steps: asking each time would make it wait


class Watchdog:
    """Sees the loss of every step; raises TrainingError.

    `state` is all it knows, for a checkpoint; `kept` is the file of the last good weights, for the error. On the CPU each step is judged before it changes a weight.
    """

    def __init__(self, state: dict[str, float] | None = None, *, at_once: bool = True, kept: str = "") -> None:
        self.state = state if state is not None else {"seen": 0.0, "usual": 0.0, "high": 0.0}
        self.at_once = at_once
        self.kept = f". The last good weights are in {kept}" if kept else ""
        self._waiting: list[tuple[int, float, list[str], torch.Tensor]] = []

    def see(self, step: int, lr: float, names: list[str], values: torch.Tensor) -> None:
        """`values` (n,) are the loss parts called `names`; the first is the loss itself."""
        self._waiting.append((step, lr, names, values))
        if self.at_once or len(self._waiting) >= PAUSE:
            self.look()

    def see_gradient(self, step: int, lr: float, norm: torch.Tensor) -> None:
        """`norm` () is the gradient's length before clipping."""
        self._waiting.append((step, lr, ["gradient"], norm.reshape(1)))
        if self.at_once:
            self.look()

    def look(self) -> None:
        """Judge what waits."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        fetched = torch.cat([values.detach().float() for *_, values in waiting]).tolist()
        place = 0
        for step, lr, names, values in waiting:
            parts = dict(zip(names, fetched[place : place + len(values)], strict=True))
            place += len(values)
            self._judge(step, lr, parts)

    def _judge(self, step: int, lr: float, parts: Mapping[str, float]) -> None:
        bad = [name for name, value in parts.items() if not math.isfinite(value)]
        if bad:
            raise TrainingError(told(step, lr, bad, parts) + self.kept)
        if "loss" not in parts:
            return
        size, state = abs(parts["loss"]), self.state
        if state["seen"] < FIRST:
            state["usual"] = (state["usual"] * state["seen"] + size) / (state["seen"] + 1)
            state["seen"] += 1
            return
        state["high"] = state["high"] + 1 if size > TIMES * max(state["usual"], 0.1) else 0.0
        if state["high"] >= IN_A_ROW:
            raise TrainingError(
                f"the loss explodes: {size:.4g} at step {step}, {state['usual']:.4g} at the start (learning rate {lr:.3g}). "
                f"Try a learning rate of {lr / 10:.1g}, a longer warm-up, or a smaller `clip`{self.kept}"
            )


def told(step: int, lr: float, bad: list[str], parts: Mapping[str, Any]) -> str:
    """The error for numbers that are none."""
    if bad == ["gradient"]:
        return (
            f"the gradient is not a finite number at step {step} (learning rate {lr:.3g}), although the loss is. Try a learning rate of "
            f"{lr / 10:.1g} or precision 32; look for a division by zero, a log or a square root of zero in the loss"
        )
    inner = [name for name in bad if name != "loss"]
    which = f"its part {', '.join(inner)}" if inner else "the loss"
    shown = ", ".join(f"{name} {value:.4g}" for name, value in parts.items())
    return (
        f"{which} is not a finite number at step {step} (learning rate {lr:.3g}; {shown}). Try a learning rate of {lr / 10:.1g}, a longer "
        "warm-up or precision 32, and look for broken values in the data with `pahara data check`"
    )
