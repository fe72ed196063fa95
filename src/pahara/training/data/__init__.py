"""Data sets: what a model learns from, read, checked, split, converted and varied. Names load on first use (torch is heavy)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .augment import Augment as Augment
    from .detection import DetectionSet as DetectionSet
    from .detection import collate as collate
    from .images import ImageSet as ImageSet
    from .images import open_images as open_images
    from .pictures import read_image as read_image
    from .sample import Sample as Sample
    from .yolo import YoloSet as YoloSet
    from .yolo import read_yolo_set as read_yolo_set

_HOME = {
    "Augment": "augment", "DetectionSet": "detection", "collate": "detection", "ImageSet": "images", "open_images": "images",
    "read_image": "pictures", "Sample": "sample", "YoloSet": "yolo", "read_yolo_set": "yolo",
}  # fmt: skip
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
