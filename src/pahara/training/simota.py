"""What a YOLOX should have said: SimOTA hands every true box to the cells that see it best, and the loss compares."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pahara.models.yolox import cells, decode

RADIUS = 1.5  # strides around a box's middle in which a cell may answer for it
CANDIDATES = 10  # the best overlaps of a box, whose sum says how many cells it gets
BOX_WEIGHT = 5.0  # of the box part in the loss


def detection_loss(
    rows: Tensor, boxes: Sequence[Tensor], labels: Sequence[Tensor], size: tuple[int, int], *, smoothing: float = 0.0
) -> dict[str, Tensor]:
    """The loss of YOLOX for a batch: "loss" to be minimised, and its parts "box", "objectness" and "class".

    rows (b, cells, 5 + classes) from the model in training; boxes: b tensors (n, 4), x1 y1 x2 y2 in input pixels; labels:
    b tensors (n,), where -1 marks a place that is neither right nor wrong; size: the input's (width, height).
    Ge et al. 2021, sections 2.1 and 2.2. The box part is 1 - IoU², class targets are scaled by the IoU.
    """
    rows = rows.float()
    corners, strides = cells(size, rows.device)
    found = decode(rows, corners, strides)  # (b, cells, 4)
    box_part = class_part = rows.new_zeros(())
    wanted = torch.zeros_like(rows[..., 4])  # (b, cells) objectness
    counts = torch.ones_like(wanted)
    total = 0
    for i, (every, kind) in enumerate(zip(boxes, labels, strict=True)):
        true, void = every[kind >= 0], every[kind < 0]
        which = torch.zeros(0, dtype=torch.long)
        if len(true):
            cell, which, overlap = assign(rows[i].detach(), found[i].detach(), true, kind[kind >= 0], corners, strides)
            wanted[i, cell] = 1.0
            total += len(cell)
            box_part = box_part + (1 - iou(found[i, cell], true[which]) ** 2).sum()
            target = functional.one_hot(kind[kind >= 0][which], rows.shape[2] - 5).float() * overlap[:, None]
            if smoothing:
                target = target * (1 - smoothing) + smoothing / (rows.shape[2] - 5)
            class_part = class_part + functional.binary_cross_entropy_with_logits(rows[i, cell, 5:], target, reduction="sum")
        if len(void):
            middle = corners + strides / 2
            inside = ((middle[:, None] > void[None, :, :2]) & (middle[:, None] < void[None, :, 2:])).all(2).any(1)
            counts[i] = torch.where(inside & (wanted[i] == 0), 0.0, 1.0)
    objectness = functional.binary_cross_entropy_with_logits(rows[..., 4], wanted, weight=counts, reduction="sum")
    share = max(total, 1)
    box_part, class_part, objectness = BOX_WEIGHT * box_part / share, class_part / share, objectness / share
    return {"loss": box_part + class_part + objectness, "box": box_part, "objectness": objectness, "class": class_part}


@torch.no_grad()
def assign(rows: Tensor, found: Tensor, true: Tensor, kinds: Tensor, corners: Tensor, strides: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One picture: which cells answer for which true box; -> cells (m,), rows of `true` (m,), their IoU (m,).

    rows (cells, 5 + classes), found (cells, 4), true (n, 4), kinds (n,). A cell near a box's middle costs what its class
    and place are wrong by; each box takes as many of its cheapest cells as its ten best overlaps add up to, and a cell
    that two boxes want goes to the cheaper.
    """
    middle = corners + strides / 2  # (cells, 2)
    target = (true[:, :2] + true[:, 2:]) / 2  # (n, 2)
    near = ((middle[None] - target[:, None]).abs() < RADIUS * strides[None]).all(2)  # (n, cells)
    some = near.any(0).nonzero()[:, 0]  # (c,) cells that may answer for something
    if not len(some):
        empty = torch.zeros(0, dtype=torch.long, device=rows.device)
        return empty, empty, torch.zeros(0, device=rows.device)
    near = near[:, some]
    overlap = iou(true[:, None], found[None, some])  # (n, c)
    scores = (rows[some, 5:].sigmoid() * rows[some, 4:5].sigmoid()).sqrt()  # (c, classes)
    right = functional.one_hot(kinds, scores.shape[1]).float()  # (n, classes)
    doubt = functional.binary_cross_entropy(
        scores[None].expand(len(true), -1, -1), right[:, None].expand(-1, len(some), -1), reduction="none"
    ).sum(2)  # (n, c)
    cost = doubt - 3.0 * torch.log(overlap + 1e-8) + 1e6 * (~near)
    best = (overlap * near).topk(min(CANDIDATES, len(some)), dim=1).values
    how_many = best.sum(1).int().clamp(min=1)  # (n,)
    taken = torch.zeros_like(cost, dtype=torch.bool)
    for row, k in enumerate(how_many.tolist()):
        taken[row, cost[row].topk(min(k, len(some)), largest=False).indices] = True
    taken &= near
    contested = taken.sum(0) > 1
    if contested.any():
        cheapest = cost[:, contested].argmin(0)
        taken[:, contested] = functional.one_hot(cheapest, len(true)).T.bool()
    which, cell = taken.nonzero(as_tuple=True)
    return some[cell], which, overlap[which, cell]


def iou(a: Tensor, b: Tensor) -> Tensor:
    """(…, 4), (…, 4) -> (…): overlap ÷ union of boxes that stand in the same place of both."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    whole = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return shared / whole.clamp(min=1e-6)


def distillation_loss(student: Tensor, teacher: Tensor, kin: Sequence[Sequence[int]]) -> Tensor:
    """How far a student of few classes is from a teacher of many, cell by cell: what the teacher knows is not forgotten.

    student (b, cells, 5 + k), teacher (b, cells, 5 + many), raw rows of the same pictures; `kin[c]` are the teacher's
    classes of which student class c is a kind. A cell where the teacher sees something else teaches "nothing".
    """
    with torch.no_grad():
        kinds = teacher[..., 5:].sigmoid()
        mine = torch.stack([kinds[..., list(rows)].amax(-1) for rows in kin], dim=-1)  # (b, cells, k)
        ours = (mine.amax(-1) / kinds.amax(-1).clamp(min=1e-6)) ** 2  # 1 where the teacher's first choice is one of ours
        sure = teacher[..., 4].sigmoid() * ours  # (b, cells)
        share = sure.sum().clamp(min=1.0)
    student = student.float()
    objectness = functional.binary_cross_entropy_with_logits(student[..., 4], sure, reduction="sum")
    classes = (functional.binary_cross_entropy_with_logits(student[..., 5:], mine, reduction="none").sum(-1) * sure).sum()
    place = ((student[..., :4] - teacher[..., :4]).abs().sum(-1) * sure).sum()
    return (objectness + classes + place) / share
