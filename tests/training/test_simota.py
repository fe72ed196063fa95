"""Every true box is answered for by cells near its middle, and a model that follows the loss finds the boxes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pahara.models.yolox import YOLOX, cells, decode  # noqa: E402
from pahara.training.simota import assign, detection_loss, distillation_loss, iou  # noqa: E402

SIZE = (96, 64)


def blank(classes=2, batch=1):
    """Rows of a model that sees nothing: every cell says "8, 16 or 32 pixels wide, at my corner", with little belief."""
    rows = torch.zeros(batch, len(cells(SIZE)[0]), 5 + classes)
    rows[..., 4:] = -3.0
    return rows


def test_a_box_is_answered_for_by_cells_around_its_middle_alone():
    corners, strides = cells(SIZE)
    rows = blank()
    box = torch.tensor([[20.0, 12.0, 52.0, 44.0]])
    cell, which, overlap = assign(rows[0], decode(rows, corners, strides)[0], box, torch.tensor([1]), corners, strides)
    assert len(cell) >= 1
    assert which.tolist() == [0] * len(cell)
    middles = corners[cell] + strides[cell] / 2
    assert ((middles - torch.tensor([36.0, 28.0])).abs() < 1.5 * strides[cell]).all()
    assert ((overlap >= 0) & (overlap <= 1)).all()


def test_no_cell_answers_for_two_boxes():
    corners, strides = cells(SIZE)
    rows = blank()
    boxes = torch.tensor([[20.0, 12.0, 52.0, 44.0], [44.0, 12.0, 76.0, 44.0], [60.0, 34.0, 76.0, 62.0]])
    cell, which, _ = assign(rows[0], decode(rows, corners, strides)[0], boxes, torch.tensor([0, 1, 0]), corners, strides)
    assert len(set(cell.tolist())) == len(cell)
    assert set(which.tolist()) == {0, 1, 2}


def test_the_right_answer_costs_less_than_a_wrong_class_or_place():
    corners, strides = cells(SIZE)
    box, label = torch.tensor([[24.0, 16.0, 40.0, 32.0]]), torch.tensor([1])

    def cost(shift=0.0, kind=1):
        rows = blank()
        for c in range(len(corners)):
            if strides[c, 0] == 8 and 24 <= corners[c, 0] < 40 and 16 <= corners[c, 1] < 32:
                rows[0, c, :2] = (torch.tensor([32.0 + shift, 24.0]) - corners[c]) / 8
                rows[0, c, 2:4] = float(np.log(2))
                rows[0, c, 4] = 4.0
                rows[0, c, 5 + kind] = 4.0
        return float(detection_loss(rows, [box], [label], SIZE)["loss"])

    right = cost()
    assert right < cost(kind=0) - 1
    assert right < cost(shift=6.0) - 1


def test_a_doubtful_place_costs_nothing_either_way():
    void, label = torch.tensor([[24.0, 16.0, 40.0, 32.0]]), torch.tensor([-1])
    sure = blank()
    corners, strides = cells(SIZE)
    middle = corners + strides / 2
    inside = ((middle > void[0, :2]) & (middle < void[0, 2:])).all(1)
    assert inside.any()
    sure[0, inside, 4] = 5.0
    same = detection_loss(blank(), [void], [label], SIZE)["loss"], detection_loss(sure, [void], [label], SIZE)["loss"]
    assert float(same[0]) == pytest.approx(float(same[1]))
    nothing = torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)
    assert float(detection_loss(sure, [nothing[0]], [nothing[1]], SIZE)["loss"]) > float(same[0]) + 1


def test_pictures_without_boxes_teach_that_nothing_is_there():
    rows = blank().requires_grad_()
    parts = detection_loss(rows, [torch.zeros(0, 4)], [torch.zeros(0, dtype=torch.long)], SIZE)
    assert parts["box"].item() == 0
    assert parts["class"].item() == 0
    parts["loss"].backward()
    assert (rows.grad[..., 4] > 0).all()


def test_iou_by_hand():
    a, b = torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2]])
    assert float(iou(a, b)[0]) == pytest.approx(1 / 3)


def test_a_student_that_says_what_the_teacher_says_of_its_classes_is_nearest():
    generator = torch.Generator().manual_seed(1)
    teacher = torch.randn(2, 40, 5 + 4, generator=generator) * 2
    kin = ((0,), (2, 3))
    same = torch.cat([teacher[..., :5], teacher[..., 5:6], teacher[..., [7, 8]].amax(-1, keepdim=True)], -1)
    kinds = teacher[..., 5:].sigmoid()
    ours = (same[..., 5:].sigmoid().amax(-1) / kinds.amax(-1)) ** 2
    same[..., 4] = torch.logit((teacher[..., 4].sigmoid() * ours).clamp(1e-6, 1 - 1e-6))
    least = float(distillation_loss(same, teacher, kin))
    for _ in range(5):
        other = same + 0.3 * torch.randn(same.shape, generator=generator)
        assert float(distillation_loss(other, teacher, kin)) > least


@pytest.mark.slow
def test_a_fresh_model_learns_a_handful_of_pictures_by_heart():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    pictures = torch.full((4, 3, 64, 96), 60.0)
    boxes, labels = [], []
    for n in range(4):
        x, y, kind = int(rng.integers(4, 50)), int(rng.integers(4, 30)), n % 2
        pictures[n, :, y : y + 24, x : x + 30] = torch.tensor([220.0, 40.0, 40.0] if kind else [30.0, 30.0, 230.0])[:, None, None]
        boxes.append(torch.tensor([[float(x), float(y), x + 30.0, y + 24.0]]))
        labels.append(torch.tensor([kind]))
    model = YOLOX(2, width=0.125).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for _ in range(150):
        loss = detection_loss(model(pictures), boxes, labels, SIZE)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        rows = model(pictures)
    scores = rows[..., 5:].sigmoid() * rows[..., 4:5].sigmoid()
    found = decode(rows, *cells(SIZE))
    for n in range(4):
        cell, kind = divmod(int(scores[n].argmax()), 2)
        assert kind == int(labels[n][0])
        assert float(iou(found[n, cell], boxes[n][0])) > 0.7
