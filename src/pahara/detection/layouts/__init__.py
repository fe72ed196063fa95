"""Which family a model belongs to, told by the model itself: its ports, its metadata, its answer to a black picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pahara.core import ModelError

from ..engine import Array, Engine, Port, Ports, fixed
from ..names import names_from_metadata
from . import detr, nanodet, yolov8, yolox
from .base import Facts, Found, Layout, Wanted

__all__ = ["Facts", "Found", "Layout", "Wanted", "extra_feeds", "picture_port", "recognise"]

SUPPORTED = (
    "YOLOX (n, cells, 5 + classes); NanoDet (n, cells, classes + 32) or its six outputs; YOLOv8/11 raw (n, 4 + classes, cells) "
    "or end-to-end (n, objects, 6); DETR family: class logits (n, queries, columns) with boxes (n, queries, 4), "
    "or labels, boxes, scores with an input orig_target_sizes"
)
_ORDER = (yolox.recognise, nanodet.recognise, yolov8.recognise, detr.recognise)


def picture_port(ports: Ports) -> Port:
    """The input that takes pictures: rank 4 with three channels. ModelError where there is none."""
    for port in ports.inputs:
        if len(port.shape) == 4 and fixed(port.shape, 1) in (0, 3) and port.type in ("float32", "float16"):
            return port
    raise ModelError(f"this model takes no pictures of shape (n, 3, height, width) in float32 or float16; {ports}")


def extra_feeds(ports: Ports, batch: int, size: tuple[int, int]) -> dict[str, Array]:
    """What the other inputs want: the size (width, height) for `orig_target_sizes`. ModelError for anything else."""
    picture = picture_port(ports)
    feeds: dict[str, Array] = {}
    for port in ports.inputs:
        if port is picture:
            continue
        if port.type in ("int64", "int32", "float32") and len(port.shape) == 2 and fixed(port.shape, 1) in (0, 2):
            feeds[port.name] = np.tile(np.array(size, port.type), (batch, 1))
        else:
            raise ModelError(f"nobody knows what to feed into the model's input {port}; {ports}. Supported: {SUPPORTED}")
    return feeds


def recognise(engine: Engine, size: tuple[int, int], names: Sequence[str] = (), activation: str = "") -> Layout:
    """One inference on a black picture; ModelError with the model's inputs and outputs where no family fits."""
    ports = engine.ports
    picture = picture_port(ports)
    black = np.zeros((max(fixed(picture.shape, 0), 1), 3, size[1], size[0]), np.float16 if picture.type == "float16" else np.float32)
    answer = engine.run({picture.name: black, **extra_feeds(ports, len(black), size)})
    facts = Facts(ports, size, tuple(np.array(one) for one in answer), tuple(names) or names_from_metadata(ports.metadata), activation)
    for known in _ORDER:
        layout = known(facts)
        if layout is not None:
            return layout
    shapes = "; ".join(f"{port.name} {one.shape}" for port, one in zip(ports.outputs, facts.outputs, strict=True))
    raise ModelError(
        f"this model's output layout is unknown: input {picture.name} {black.shape}, outputs {shapes}. Supported: {SUPPORTED}. "
        "Export the model again in one of these layouts"
    )
