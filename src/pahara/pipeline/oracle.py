"""What the camera's rules would say if the staged people were seen and followed without a flaw."""

from __future__ import annotations

import numpy as np

from pahara.config import CameraPlan
from pahara.core import Event, Observation
from pahara.simulate.into import Into
from pahara.tracking.memory import on_grid

from .analyst import BEAT
from .footage import analyst_at


def perfect(plan: CameraPlan, into: Into, seconds: float, *, begin: float, epoch: float) -> list[Event]:
    """All `began` reports of the plan's rules on the true boxes. `begin` is the media time of the take's first frame.

    Signals (tampering) are not told: rules that read them stay silent.
    """
    analyst = analyst_at(plan, into.view.size, epoch)
    times = np.arange(0.0, seconds, BEAT)
    tracks = into.outlines(times)
    found: list[Event] = []
    for k, time in enumerate(times.tolist()):
        here = [(id_, label, boxes[k]) for id_, label, boxes, seen in tracks if seen[k]]
        n = len(here)
        moment = analyst.recall(
            on_grid(
                Observation(
                    round(begin + time, 6),
                    np.array([id_ for id_, _, _ in here], np.int64),
                    np.array([box for _, _, box in here], np.float32).reshape(n, 4),
                    tuple(label for _, label, _ in here),
                    np.ones(n, bool),
                    np.ones(n, np.float32),
                )
            )
        )
        found += [event for event in moment.events if event.phase == "began"]
    return found
