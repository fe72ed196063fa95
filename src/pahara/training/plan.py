"""How a model is to be trained: every number that decides the result, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from pahara.core import TrainingError

# What may change between a run and its continuation: it decides how fast, not where to.
FREE = frozenset({"save_seconds", "device", "tensorboard"})


@dataclass(frozen=True)
class Plan:
    """One training run. TrainingError for a number that cannot be meant.

    The same plan, data and seed give the same weights, also after a kill and a resume.
    """

    epochs: int = 20  # times that every training example is seen
    lr: float = 1e-3  # highest learning rate; `find_lr` suggests one
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: float = 0.9  # sgd only (Nesterov)
    weight_decay: float = 0.01  # on weights; never on biases and normalisation
    schedule: Literal["cosine", "constant"] = "cosine"
    warm_up: float = 1.0  # epochs in which the rate rises from nothing; at most a fifth of the run
    final_lr: float = 0.01  # the cosine ends at this share of `lr`
    accumulate: int = 1  # batches whose gradients are added up before one step
    clip: float = 10.0  # longest gradient (2-norm); 0 for no limit
    ema: float = 0.0  # share kept of the averaged weights each step, e.g. 0.999; 0 for no averaging
    patience: int = 0  # epochs without a better result before stopping; 0 never stops early
    freeze: int = 0  # first epochs in which only the last layer group learns
    layer_decay: float = 1.0  # each layer group nearer to the input learns at this share of the next one's rate
    seed: int = 0
    precision: Literal["32", "bf16", "16"] = "32"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1  # processes on each machine
    nodes: int = 1  # machines
    save_seconds: float = 120.0  # a kill loses at most this much work; every epoch's end is saved too
    tensorboard: bool = False  # also write logs that TensorBoard reads

    def __post_init__(self) -> None:
        for name, low, high in (
            ("epochs", 1, None), ("momentum", 0, 0.9999), ("weight_decay", 0, None), ("warm_up", 0, None), ("final_lr", 0, 1),
            ("accumulate", 1, None), ("clip", 0, None), ("ema", 0, 0.99999), ("patience", 0, None), ("freeze", 0, None),
            ("devices", 1, None), ("nodes", 1, None), ("save_seconds", 0, None), ("seed", 0, None),
        ):  # fmt: skip
            value = getattr(self, name)
            if not value >= low or (high is not None and not value <= high):
                limits = f"at least {low}" if high is None else f"from {low} to {high}"
                raise TrainingError(f"{name} is {value!r}; it must be {limits}")
        if not 0 < self.lr < 100:
            raise TrainingError(f"lr (the learning rate) is {self.lr!r}; it must be above 0, often between 0.0001 and 0.1")
        if not 0 < self.layer_decay <= 1:
            raise TrainingError(f"layer_decay is {self.layer_decay!r}; it must be above 0 and at most 1 (1: all layers learn alike)")
        for name, known in (
            ("optimizer", ("adamw", "sgd")), ("schedule", ("cosine", "constant")), ("precision", ("32", "bf16", "16")),
            ("device", ("auto", "cpu", "gpu")),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise TrainingError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(known)}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Plan:
        """The plan that `as_dict` wrote; TrainingError for a name that no plan has."""
        from pahara.detection.zoo import did_you_mean

        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise TrainingError(f"a training plan has no setting {name!r}{did_you_mean(name, known)}")
        return cls(**values)

    def differences(self, other: Plan) -> list[str]:
        """The settings that decide the result and are not the same, as "lr: 0.1 then, 0.01 now"."""
        mine, its = self.as_dict(), other.as_dict()
        return [f"{name}: {its[name]} then, {mine[name]} now" for name in mine if name not in FREE and mine[name] != its[name]]
