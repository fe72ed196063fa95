"""Axis-aligned boxes in pixels: (n, 4) arrays of x1, y1, x2, y2 with the origin at the top left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def area(boxes: Floats) -> Floats:
    """(n, 4) -> (n,) square pixels; a box with negative width or height has area 0."""
    sides = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    result: Floats = sides[..., 0] * sides[..., 1]
    return result


def heights(boxes: Floats) -> Floats:
    """(n, 4) -> (n,) pixels."""
    result: Floats = boxes[..., 3] - boxes[..., 1]
    return result


def centres(boxes: Floats) -> Floats:
    """(n, 4) -> (n, 2) pixels: x, y of each box's centre."""
    result: Floats = (boxes[..., :2] + boxes[..., 2:]) / 2
    return result


def foot_points(boxes: Floats) -> Floats:
    """(n, 4) -> (n, 2): where each box meets the ground, its bottom centre."""
    middle = (boxes[..., 0] + boxes[..., 2]) / 2
    feet: Floats = np.empty((*middle.shape, 2), middle.dtype)  # np.stack takes four times as long on so few
    feet[..., 0], feet[..., 1] = middle, boxes[..., 3]
    return feet


def intersection_matrix(a: Floats, b: Floats) -> Floats:
    """(n, 4), (m, 4) -> (n, m) square pixels that each pair shares."""
    wide = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    tall = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    result: Floats = np.clip(wide, 0, None) * np.clip(tall, 0, None)
    return result


def iou_matrix(a: Floats, b: Floats) -> Floats:
    """(n, 4), (m, 4) -> (n, m) intersection over union (Jaccard index), in [0, 1].

    >>> float(iou_matrix(np.array([[0., 0, 2, 2]]), np.array([[1., 0, 3, 2]]))[0, 0])
    0.3333333333333333
    """
    overlap = intersection_matrix(a, b)
    union = area(a)[:, None] + area(b)[None, :] - overlap
    iou: Floats = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return iou


def cover_matrix(a: Floats, b: Floats) -> Floats:
    """(n, 4), (m, 4) -> (n, m) share of each box of `a` that the box of `b` covers, in [0, 1]."""
    overlap = intersection_matrix(a, b)
    own = np.broadcast_to(area(a)[:, None], overlap.shape)
    cover: Floats = np.divide(overlap, own, out=np.zeros_like(overlap), where=own > 0)
    return cover


def nms(boxes: Floats, scores: Floats, max_iou: float = 0.5) -> NDArray[np.intp]:
    """Rows to keep, best first: greedy non-maximum suppression.

    boxes (n, 4), scores (n,); a box goes when a better one overlaps it by more than `max_iou`.
    """
    order = np.argsort(-scores, kind="stable")
    if len(order) < 2:
        return order.astype(np.intp)
    overlaps = iou_matrix(boxes[order], boxes[order]) > max_iou
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~overlaps[i, i + 1 :]
    return order[alive].astype(np.intp)


def clip(boxes: Floats, size: tuple[int, int]) -> Floats:
    """(n, 4) -> (n, 4) cut to an image of `size` (width, height) pixels."""
    wide, tall = size
    return np.clip(boxes, 0, np.array([wide, tall, wide, tall], boxes.dtype))


def xywh_to_xyxy(boxes: Floats) -> Floats:
    """(n, 4) left, top, width, height (COCO, MOT) -> x1 y1 x2 y2."""
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def xyxy_to_xywh(boxes: Floats) -> Floats:
    """(n, 4) x1 y1 x2 y2 -> left, top, width, height (COCO, MOT)."""
    return np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1)


def cxcywh_to_xyxy(boxes: Floats) -> Floats:
    """(n, 4) centre x, centre y, width, height (YOLO, DETR) -> x1 y1 x2 y2."""
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def xyxy_to_cxcywh(boxes: Floats) -> Floats:
    """(n, 4) x1 y1 x2 y2 -> centre x, centre y, width, height (YOLO, DETR)."""
    return np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=-1)
