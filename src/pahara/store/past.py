"""What was, summed up: how many events when, how busy a day was, and where people stood."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, cast, func, select

from . import shelf, trails
from .shelf import Names
from .store import Store
from .tables import events, recordings
from .tables import trails as trail_table

QUARTER = 900.0  # seconds: every time zone of the world differs from UTC by whole quarters of an hour


def quarters(
    store: Store, *, since: float, until: float, camera: Names = None, behaviour: Names = None, kind: Names = None, by: str = ""
) -> list[tuple[float, str, int]]:
    """(UTC seconds at which a quarter of an hour begins, value of `by`, events that began in it), in order; empty quarters are left out.

    `by`: "camera", "behaviour" or "kind"; "" counts all together.
    """
    slot = cast(func.floor((events.c.start_utc - since) / QUARTER), Integer)
    of = {"camera": events.c.camera, "behaviour": events.c.behaviour, "kind": events.c.kind}.get(by)
    asked = shelf.conditions(camera=camera, behaviour=behaviour, kind=kind, since=since, until=until)
    columns = [slot.label("slot"), func.count().label("n")] if of is None else [slot.label("slot"), func.count().label("n"), of.label("of")]
    grouped = [slot] if of is None else [slot, of]
    with store.database.reading() as connection:
        rows = list(connection.execute(select(*columns).where(*asked).group_by(*grouped).order_by(*grouped)))
    return [(since + QUARTER * row.slot, row.of if of is not None else "", int(row.n)) for row in rows]


def busy(store: Store, camera: str, since: float, until: float, step: float = 60.0) -> list[float]:
    """People (tracks) in view, on average over each `step` seconds from `since` to `until`; -1 where nothing was watched.

    Read from what stands beside the trails: no trail is unpacked.
    """
    slots = max(1, int(np.ceil((until - since) / step)))
    seen, beats = np.zeros(slots), np.zeros(slots)
    wanted = (
        select(recordings.c.epoch, trail_table.c.first, trail_table.c.last, trail_table.c.rows, trail_table.c.beats)
        .join_from(trail_table, recordings)
        .where(
            recordings.c.camera == camera,
            trail_table.c.last + recordings.c.epoch >= since,
            trail_table.c.first + recordings.c.epoch < until,
        )
    )
    with store.database.reading() as connection:
        for row in connection.execute(wanted):
            middle = row.epoch + (row.first + row.last) / 2
            slot = int((middle - since) // step)
            if 0 <= slot < slots:
                seen[slot] += row.rows
                beats[slot] += row.beats
    return [round(float(s / b), 2) if b else -1.0 for s, b in zip(seen, beats, strict=True)]


def heat(
    store: Store, camera: str, since: float, until: float, *, size: tuple[int, int] = (64, 36), most: int = 600
) -> tuple[NDArray[np.float64], float]:
    """Where people stood: (height, width) shares of all feet, summing to 1 (or 0 where nobody was), and the share of the trails looked at.

    Of longer stretches every so many are looked at, `most` in all: a bound on the work.
    """
    wide, tall = size
    cells = np.zeros((tall, wide))
    wanted = (
        select(trail_table.c.id, recordings.c.width, recordings.c.height)
        .join_from(trail_table, recordings)
        .where(
            recordings.c.camera == camera,
            trail_table.c.rows > 0,
            trail_table.c.last + recordings.c.epoch >= since,
            trail_table.c.first + recordings.c.epoch < until,
        )
        .order_by(trail_table.c.id)
    )
    with store.database.reading() as connection:
        found = list(connection.execute(wanted))
    chosen = found[:: max(1, -(-len(found) // most))]
    for row in chosen:
        with store.database.reading() as connection:
            blob = connection.execute(select(trail_table.c.blob).where(trail_table.c.id == row.id)).scalar()
        if blob is None:  # retention was here
            continue
        boxes = _seen_boxes(trails.decode(blob, f"the trails of {camera}"))
        if len(boxes):
            x = np.clip((boxes[:, 0] + boxes[:, 2]) / 2 / row.width * wide, 0, wide - 1).astype(int)
            y = np.clip(boxes[:, 3] / row.height * tall, 0, tall - 1).astype(int)
            np.add.at(cells, (y, x), 1.0)
    total = cells.sum()
    return (cells / total if total else cells), (len(chosen) / len(found) if found else 1.0)


def _seen_boxes(stretch: Sequence[object]) -> NDArray[np.float32]:
    seen = [each.boxes[each.seen] for each in stretch if len(each)]  # type: ignore[attr-defined, arg-type]
    return np.concatenate(seen) if seen else np.zeros((0, 4), np.float32)
