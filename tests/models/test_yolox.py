"""YOLOX is the official network: its weights load, from a state dict or an ONNX file, and it answers as ONNX Runtime does."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pahara.core import ModelError  # noqa: E402
from pahara.models.yolox import STRIDES, YOLOX, cells, decode  # noqa: E402
from pahara.models.yolox_weights import load_official, settle_norms  # noqa: E402


@pytest.fixture(scope="module")
def official(asset):
    return asset("models/yolox-nano-416.onnx")


@pytest.fixture(scope="module")
def pictures(asset):
    files = sorted(asset("coco128").rglob("*.jpg"))[:3]
    images = [cv2.resize(cv2.imread(str(file)), (416, 416)) for file in files]
    return np.stack(images).transpose(0, 3, 1, 2).astype(np.float32)


@pytest.fixture(scope="module")
def expected(official, pictures):
    import onnxruntime as ort

    session = ort.InferenceSession(str(official), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"images": one[None]})[0] for one in pictures])


def answer(model, pictures):
    with torch.no_grad():
        return model.eval().deployed()(torch.from_numpy(pictures)).numpy()


def test_the_weights_of_the_deployed_file_give_what_onnx_runtime_gives(official, pictures, expected):
    model = load_official(YOLOX(80), official)
    assert np.abs(answer(model, pictures) - expected).max() < 1e-3


def test_a_released_state_dict_loads_by_its_official_names(official, pictures, expected, tmp_path):
    model = load_official(YOLOX(80), official)
    names = set(model.state_dict())
    # A few of the names in Megvii's yolox_nano.pth, from every part of the network.
    assert {
        "backbone.backbone.stem.conv.conv.weight", "backbone.backbone.dark2.0.dconv.bn.running_mean", "backbone.backbone.dark3.1.m.2.conv2.pconv.conv.weight",
        "backbone.backbone.dark5.1.conv2.bn.weight", "backbone.lateral_conv0.conv.weight", "backbone.C3_p3.conv3.bn.bias", "backbone.bu_conv1.dconv.conv.weight",
        "head.stems.1.bn.running_var", "head.cls_convs.2.1.pconv.conv.weight", "head.reg_preds.0.bias", "head.obj_preds.2.weight",
    } <= names  # fmt: skip
    torch.save({"start_epoch": 300, "model": model.state_dict()}, tmp_path / "yolox_nano.pth")
    again = load_official(YOLOX(80), tmp_path / "yolox_nano.pth")
    assert np.abs(answer(again, pictures) - expected).max() < 1e-3


@pytest.mark.parametrize(
    ("options", "millions"), [({}, 0.91), ({"width": 0.375, "depthwise": False}, 5.06), ({"width": 0.5, "depthwise": False}, 8.97)]
)
def test_nano_tiny_and_s_have_as_many_weights_as_published(options, millions):
    assert sum(p.numel() for p in YOLOX(80, **options).parameters()) / 1e6 == pytest.approx(millions, abs=0.006)


def test_other_classes_keep_what_was_known_of_their_kin(official, pictures, expected):
    model = load_official(YOLOX(80), official)
    model.replace_head(2, like=((0,), (24, 26, 28)))
    assert model.classes == 2
    told = answer(model, pictures)
    assert np.abs(told[..., :6] - expected[..., :6]).max() < 1e-3  # box, objectness and person are untouched
    kin = np.clip(expected[..., [29, 31, 33]], 1e-30, 1 - 1e-7).astype(np.float64)
    logit = np.log(kin / (1 - kin)).mean(-1)
    assert np.abs(told[..., 6] - 1 / (1 + np.exp(-logit))).max() < 1e-3


def test_settled_norms_change_no_answer_and_make_training_start_where_the_weights_are(official, pictures, expected):
    model = load_official(YOLOX(80), official)
    batch = torch.from_numpy(pictures)

    def in_training():
        with torch.no_grad():
            rows = model.train()(batch)
        return torch.cat([rows[..., :4], rows[..., 4:].sigmoid()], -1).numpy()

    untouched = {name: value.clone() for name, value in model.state_dict().items()}
    thrown = np.abs(in_training() - expected).mean()
    model.load_state_dict(untouched)
    settle_norms(model, [batch])
    assert np.abs(answer(model, pictures) - expected).max() < 1e-3
    assert np.abs(in_training() - expected).mean() < thrown / 100


def test_weights_of_another_size_or_kind_are_refused(official, asset, tmp_path):
    with pytest.raises(ModelError, match="convolutions"):
        load_official(YOLOX(80, depth=0.67), official)
    with pytest.raises(ModelError, match="shape"):
        load_official(YOLOX(3), official)
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="no PyTorch weights file"):
        load_official(YOLOX(80), tmp_path / "bad.pth")
    torch.save({"model": {"x": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="does not fit"):
        load_official(YOLOX(80), tmp_path / "other.pth")
    with pytest.raises(ModelError, match="no weights file"):
        load_official(YOLOX(80), tmp_path / "none.pth")


def test_cells_and_boxes_agree_with_the_watchers_reading():
    from pahara.detection.layouts.base import grid

    corners, strides = cells((96, 64))
    theirs, sides = grid((96, 64), STRIDES, 0.0)
    assert np.array_equal(corners.numpy(), theirs)
    assert np.array_equal(strides.numpy()[:, 0], sides)
    rows = torch.zeros(1, len(corners), 6)
    rows[0, 0] = torch.tensor([0.5, 0.25, 0.0, float(np.log(2)), 0, 0])  # middle (4, 2), 8 wide, 16 tall
    assert decode(rows, corners, strides)[0, 0].tolist() == pytest.approx([0, -6, 8, 10])


def test_one_step_of_adam_does_not_throw_away_what_folded_weights_know(official, pictures, expected):
    model = load_official(YOLOX(80), official)
    batch = torch.from_numpy(pictures)
    settle_norms(model, [batch])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    model.train()(batch).square().mean().backward()
    optimizer.step()
    sure = expected[..., 4] > 0.5
    assert sure.any(), "the pictures show something"
    assert (answer(model, pictures)[..., 4][sure] > 0.3).mean() > 0.8


def test_weights_kept_in_half_precision_are_read_too(pictures):
    from pahara.detection.zoo import locate

    model = load_official(YOLOX(3), locate("pahara-nano"))
    assert np.isfinite(answer(model, pictures)).all()
