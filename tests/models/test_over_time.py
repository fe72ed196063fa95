"""Windows and clips: the past does not know the future, padding does not count, and two persons have no order."""

from __future__ import annotations

import pytest
import torch

from pahara.core import ModelError
from pahara.models import build
from pahara.models.parts import OverTime

WINDOW_MODELS = ("lstm", "gru", "tcn", "transformer-sequence")
POOLS = ("mean", "last")


def model(name, **options):
    torch.manual_seed(0)
    return build(name, **{"classes": 2, "inputs": 6, "width": 16, **options}).eval()


@pytest.mark.parametrize("name", ["lstm", "gru", "tcn"])
def test_what_comes_later_changes_nothing_that_was_said_before(name):
    watcher = model(name)
    x = torch.randn(2, 40, 6)
    later = x.clone()
    later[:, 25:] = torch.randn(2, 15, 6)
    before, after = watcher.steps(x), watcher.steps(later)
    assert torch.equal(before[:, :25], after[:, :25])
    assert not torch.allclose(before[:, 25], after[:, 25])


def test_a_tcn_in_training_does_not_see_the_future_either():
    watcher = model("tcn", dropout=0.0).train()
    x = torch.randn(2, 40, 6)
    later = torch.cat((x[:, :25], torch.randn(2, 15, 6)), 1)
    assert torch.equal(watcher.steps(x)[:, :25], watcher.steps(later)[:, :25])


def test_a_tcn_looks_back_as_far_as_it_says_and_no_farther():
    watcher = model("tcn", layers=3)
    assert watcher.sees == 15
    x = torch.randn(1, 40, 6, requires_grad=True)
    watcher.steps(x)[0, 30].sum().backward()
    seen = x.grad[0].abs().sum(1).nonzero().flatten().tolist()
    assert seen == list(range(30 - watcher.sees + 1, 31))


def test_a_transformer_sees_the_whole_window():
    x = torch.randn(1, 20, 6, requires_grad=True)
    model("transformer-sequence").steps(x)[0, 0].square().sum().backward()
    assert (x.grad[0].abs().sum(1) > 0).all()


@pytest.mark.parametrize("name", WINDOW_MODELS)
def test_the_order_of_the_steps_matters(name):
    x = torch.randn(2, 12, 6)
    assert not torch.allclose(model(name)(x), model(name)(x.flip(1)), atol=1e-5)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", WINDOW_MODELS)
def test_padding_changes_nothing(name, pool):
    watcher = model(name, pool=pool)
    short, long = torch.randn(1, 7, 6), torch.randn(1, 12, 6)
    padded = torch.cat((torch.cat((short, torch.full((1, 5, 6), 9.0)), 1), long))
    mask = torch.arange(12) < torch.tensor([[7], [12]])
    expected = torch.cat((watcher(short), watcher(long)))
    assert torch.allclose(watcher(padded, mask), expected, atol=1e-5)
    assert not torch.allclose(watcher(padded), expected, atol=1e-3), "the padding would not have mattered anyway"


@pytest.mark.parametrize("name", WINDOW_MODELS)
def test_padding_changes_nothing_for_two_persons_who_are_seen_unequally_long(name):
    watcher = model(name, persons=2)
    x = torch.randn(3, 2, 12, 6)
    mask = torch.arange(12) < torch.tensor([7, 9]).view(1, 2, 1)  # (1, 2, 12)
    mask = mask.expand(3, -1, -1)
    together = torch.arange(12) < torch.full((3, 1), 7)  # (3, 12): both seen
    assert torch.allclose(watcher(x, together), watcher(x[:, :, :7]), atol=1e-5)
    assert torch.isfinite(watcher(x, mask)).all()
    assert torch.allclose(watcher(x, mask), watcher(x.flip(1), mask.flip(1)), atol=1e-5)


@pytest.mark.parametrize("pool", POOLS)
def test_padded_frames_of_a_clip_change_nothing(pool):
    torch.manual_seed(0)
    watcher = build("cnn-lstm", classes=2, width=4, memory=8, pool=pool).eval()
    clip = torch.randn(1, 4, 3, 32, 32)
    padded = torch.cat((clip, torch.full((1, 3, 3, 32, 32), 5.0)), 1)
    mask = torch.arange(7)[None] < 4
    assert torch.allclose(watcher(padded, mask), watcher(clip), atol=1e-5)
    assert not torch.allclose(watcher(padded), watcher(clip), atol=1e-3)


def test_a_window_in_which_nothing_is_real_gives_numbers():
    for name in WINDOW_MODELS:
        assert torch.isfinite(model(name)(torch.randn(2, 5, 6), torch.zeros(2, 5, dtype=torch.bool))).all(), name


def test_the_last_step_is_the_last_real_one():
    x = torch.arange(8.0).view(1, 4, 2)
    assert OverTime("last")(x, torch.tensor([[True, True, False, False]])).tolist() == [[2.0, 3.0]]
    assert OverTime("last")(x, torch.tensor([[True, False, True, False]])).tolist() == [[4.0, 5.0]]
    assert OverTime("mean")(x, torch.tensor([[True, False, True, False]])).tolist() == [[2.0, 3.0]]


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", WINDOW_MODELS)
def test_two_persons_have_no_order(name, pool):
    watcher = model(name, persons=2, pool=pool)
    x = torch.randn(5, 2, 12, 3, 2)
    assert torch.allclose(watcher(x), watcher(x.flip(1)), atol=1e-6)
    alone = x.clone()
    alone[:, 1] = torch.randn(5, 12, 3, 2)
    assert not torch.allclose(watcher(x), watcher(alone), atol=1e-4), "the second person does not matter"


def test_how_far_apart_two_persons_are_matters_though_each_moves_the_same():
    watcher = model("tcn", persons=2)
    x = torch.randn(1, 2, 12, 6)
    apart = x.clone()
    apart[:, 1] += 3.0
    assert not torch.allclose(watcher(x), watcher(apart), atol=1e-3)


def test_joints_may_come_flat_or_as_joints():
    watcher = model("gru")
    x = torch.randn(2, 12, 3, 2)
    assert torch.equal(watcher(x), watcher(x.flatten(2)))


@pytest.mark.parametrize("name", [*WINDOW_MODELS, "sequence-autoencoder"])
def test_windows_of_another_width_are_told_in_one_line(name):
    options = {"inputs": 6} if name == "sequence-autoencoder" else {"inputs": 6, "classes": 2}
    with pytest.raises(ModelError, match=r"6 numbers a step, not \(2, 12, 7\)"):
        build(name, **options)(torch.randn(2, 12, 7))


def test_one_person_where_two_are_expected_is_told_in_one_line():
    with pytest.raises(ModelError, match=r"takes windows \(b, 2, t, …\)"):
        model("tcn", persons=2)(torch.randn(4, 12, 6))
    with pytest.raises(ModelError, match=r"takes windows \(b, 2, t, …\)"):
        model("tcn", persons=2)(torch.randn(4, 3, 12, 6))


def test_a_window_autoencoder_ignores_padding_and_counts_no_error_there():
    torch.manual_seed(0)
    teller = build("sequence-autoencoder", inputs=6).eval()
    x = torch.randn(1, 7, 3, 2)
    padded = torch.cat((x, torch.full((1, 4, 3, 2), 7.0)), 1)
    mask = torch.arange(11)[None] < 7
    errors = teller.errors(padded, mask)
    assert errors.shape == (1, 11)
    assert torch.allclose(errors[:, :7], teller.errors(x), atol=1e-5)
    assert errors[:, 7:].eq(0).all()
