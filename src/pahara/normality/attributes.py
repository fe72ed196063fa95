"""What is looked at, one attribute at a time: how its values follow from what was measured, and what people call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pahara.core.frozen import Frozen

from .samples import Samples
from .scale import BodyScale

Floats = NDArray[np.float64]
HOUR = 3600.0
DAY = 86400.0
CLASS = 3.0  # how far apart two classes stand, in units of the usual spread of the other values
MOVING = 0.15  # body heights per second, below which a person has no direction


@dataclass(frozen=True)
class Attribute:
    """One measured quantity, or a few that belong together."""

    name: str
    floors: tuple[float, ...]  # the finest difference that means anything, per value; () a tenth of the spread of all
    ready: int = 200  # tracks from which it is asked
    days: float = 0.0  # days that must have been watched before it is asked
    by_class: bool = False  # whether another class is another thing
    alike: tuple[tuple[int, ...], ...] = ()  # values that are measured by one unit, such as x and y of a speed


ATTRIBUTES: Mapping[str, Attribute] = Frozen(
    {
        each.name: each
        for each in (
            Attribute("motion", (0.1, 0.1, 0.05), by_class=True, alike=((0, 1),)),
            Attribute("shape", (0.05, 0.05), by_class=True),
            Attribute("posture", ()),
            Attribute("pose_motion", (0.1, 0.1, 0.1, 0.1)),
            Attribute("place", (0.5, 0.5, 0.5, 0.5), ready=1000, by_class=True, alike=((0, 1), (2, 3))),
            Attribute("dwell", (0.1,)),
            Attribute("interaction", (0.2, 0.2, 0.2, 0.2), alike=((0, 2), (1, 3))),
            Attribute("time", (0.5,), days=7.0),
            Attribute("appearance", ()),
            Attribute("flow", ()),
        )
    }
)


def attribute(name: str) -> Attribute:
    """A built-in attribute, or what an attribute of the user's own (an embedding under any name) is taken for."""
    return ATTRIBUTES.get(name) or Attribute(name, ())


def described(samples: Samples, scale: BodyScale) -> dict[str, Floats]:
    """attribute -> (n, d) values in body heights and seconds; NaN rows where the attribute cannot be told."""
    feet = samples.feet
    body = scale.at(feet[:, 1])
    told: dict[str, Floats] = {}
    for name, raw in samples.features.items():
        values = raw.astype(np.float64)
        if name == "motion":
            values = values / body[:, None]
        elif name == "shape":
            values = np.stack([np.log(np.maximum(values[:, 0], 1e-6) / body), np.log(np.maximum(values[:, 1], 1e-3))], axis=1)
        elif name == "flow":
            values = values / body[:, None]
        elif name == "place":
            # The picture is laid out in body heights: a step to the side near the camera is as far as one at the back.
            velocity = np.nan_to_num(values[:, 2:4]) / body[:, None]
            speed = np.hypot(velocity[:, 0], velocity[:, 1])
            heading = velocity / np.maximum(speed, 1e-9)[:, None] * np.minimum(speed / MOVING, 1.0)[:, None]
            values = np.concatenate([values[:, :2] / scale.usual, 2.0 * heading], axis=1)
        elif name == "dwell":
            values = np.log1p(np.maximum(values, 0.0))
        told[name] = values
    return told


def quantities(name: str, raw: NDArray[np.floating], values: Floats) -> dict[str, Floats]:
    """What people would call the values of an attribute: name -> (n,).

    `raw` (n, d) is what was measured, `values` (n, d) what `described` made of it. The first is the one to show.
    """
    if name == "motion":
        degrees = np.degrees(np.arctan2(-values[:, 1], values[:, 0])) % 360.0
        return {"speed": np.hypot(values[:, 0], values[:, 1]), "unsteady": values[:, 2], "heading": degrees}
    if name == "shape":
        return {"height": np.exp(values[:, 0]), "slim": np.exp(values[:, 1])}
    if name == "dwell":
        return {"stay": np.asarray(raw[:, 0], np.float64)}
    if name == "interaction":
        return {"distance": values[:, 0], "closing": values[:, 1]}
    if name == "time":
        return {"hour": values[:, 0]}
    if name == "pose_motion":
        return {"limbs": np.nanmax(values, axis=1) if len(values) else np.zeros(0)}
    return {}


UNITS: Mapping[str, str] = Frozen(
    {"speed": "body heights/s", "unsteady": "body heights", "heading": "°", "height": "body heights", "slim": "", "stay": "s",
     "distance": "body heights", "closing": "body heights/s", "hour": "h", "limbs": "body heights/s"}
)  # fmt: skip
