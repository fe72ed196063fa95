"""Vehicles that are furniture of a staged scene: parked from the first frame to the last, so no actor's sighting tells of them."""

from __future__ import annotations

import numpy as np

from . import props
from .paint import cast
from .render import Stage
from .truth import Sighting

KINDS = {"car": "car", "motorcycle": "motorcycle"}  # kinds of things -> COCO's words


def standing(stage: Stage) -> tuple[Sighting, ...]:
    """One sighting for each parked car or motorcycle in the picture, as the untouched camera sees it; ids are negative.

    `visible` counts what walls and other furniture hide, not who walks by.
    """
    script, view = stage.script, stage.view
    wide, tall = view.size
    _, scene = stage._scene(0.0)
    seed = script.place.seed or script.seed
    told = []
    for n, thing in enumerate(script.place.things):
        if thing.kind not in KINDS:
            continue
        seen = cast(view, props.thing(thing, seed))
        if seen is None:
            continue
        x1, y1, x2, y2 = seen.box
        box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(wide)), min(y2, float(tall)))
        if box[2] - box[0] < 1 or box[3] - box[1] < 1:
            continue
        c = seen.corners
        across, along = c[:, 2] - c[:, 0], c[:, 3] - c[:, 1]
        weight = np.abs(across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0])
        middle = c.mean(1)
        x, y = np.floor(middle).astype(int).T
        free = (x >= 0) & (x < wide) & (y >= 0) & (y < tall)
        free[free] &= scene.depth[y[free], x[free]] + 0.3 > seen.depths[free]
        visible = float((weight * free).sum() / max(float(weight.sum()), 1e-9))
        told.append(Sighting(-1 - n, KINDS[thing.kind], tuple(float(v) for v in box), visible))  # type: ignore[arg-type]
    return tuple(told)
