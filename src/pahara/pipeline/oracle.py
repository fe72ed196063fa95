"""What the camera's rules would say if the staged people were seen and followed without a flaw, among the real ones as they were followed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from pahara.config import CameraPlan
from pahara.core import Event, Observation
from pahara.simulate.into import Into
from pahara.tracking.memory import on_grid

from .analyst import BEAT
from .footage import analyst_at

REAL = 1_000_000  # added to the ids of real people's tracks


def perfect(
    plan: CameraPlan, into: Into, seconds: float, *, begin: float, epoch: float, real: Sequence[Observation] = ()
) -> list[Event]:  # fmt: skip
    """All `began` reports of the plan's rules on the true boxes. `begin` is the media time of the take's first frame.

    `real` are the control run's observations, in order of time: whoever really stands beside a staged bag attends it. Signals
    (tampering) are not told: rules that read them stay silent.
    """
    analyst = analyst_at(plan, into.view.size, epoch)
    times = np.arange(0.0, seconds, BEAT)
    tracks = into.outlines(times)
    moments = [o.time for o in real]
    found: list[Event] = []
    for k, time in enumerate(times.tolist()):
        here = [(id_, label, boxes[k]) for id_, label, boxes, seen in tracks if seen[k]]
        n = len(here)
        ids, boxes = np.array([id_ for id_, _, _ in here], np.int64), np.array([box for _, _, box in here], np.float32).reshape(n, 4)
        labels, seen_now, scores = tuple(label for _, label, _ in here), np.ones(n, bool), np.ones(n, np.float32)
        row = bisect_left(moments, begin + time - BEAT / 2)
        if row < len(real) and moments[row] <= begin + time + BEAT / 2:
            also = real[row]
            ids, boxes = np.concatenate([ids, also.ids + REAL]), np.concatenate([boxes, also.boxes])
            labels, seen_now, scores = labels + also.labels, np.concatenate([seen_now, also.seen]), np.concatenate([scores, also.scores])
        moment = analyst.recall(on_grid(Observation(round(begin + time, 6), ids, boxes, labels, seen_now, scores)))
        found += [event for event in moment.events if event.phase == "began"]
    return found


def of_staged(event: Event) -> bool:
    """Whether an event is about someone staged, or about the whole picture."""
    return not event.subject or any(track < REAL for track in event.subject)
