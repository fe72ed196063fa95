"""Models of pictures: any size, where they look, what transfer learning may freeze; autoencoders and DCGAN."""

from __future__ import annotations

import pytest
import torch

from pahara.models import build, names

PICTURES = names("image", "classes")


def small(name, **options):
    torch.manual_seed(0)
    return build(name, **{"classes": 2, **({"width": 0.1} if name == "mobilenet" else {"width": 8}), **options}).eval()


@pytest.mark.parametrize("name", PICTURES)
def test_the_features_are_a_map_of_the_picture(name):
    model = small(name)
    x = torch.randn(2, 3, 64, 128)
    maps = model.features(x)
    assert maps.dim() == 4
    assert maps.shape[3] == 2 * maps.shape[2]
    assert torch.equal(model.head(maps), model(x))


@pytest.mark.parametrize("name", PICTURES)
def test_grey_pictures_are_an_option(name):
    assert small(name, channels=1)(torch.randn(2, 1, 24, 24)).shape == (2, 2)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet"])
def test_the_small_stem_keeps_four_times_the_detail(name):
    x = torch.randn(1, 3, 64, 64)
    large, fine = small(name).features(x), small(name, stem="small").features(x)
    assert large.shape[-1] == 2
    assert fine.shape[-1] == 8


@pytest.mark.parametrize("name", PICTURES)
def test_one_picture_of_a_batch_does_not_change_the_answer_for_another(name):
    model = small(name)
    x = torch.randn(4, 3, 32, 32)
    assert torch.allclose(model(x)[2:3], model(x[2:3]), atol=1e-5)


def test_a_frozen_body_and_a_new_head_learn_other_classes():
    model = small("resnet18")
    model.replace_head(3)
    *body, head = model.layer_groups()
    for group in body:
        group.requires_grad_(False)
    before = [weight.clone() for group in body for weight in group.parameters()]
    x, wanted = torch.randn(6, 3, 32, 32), torch.arange(6) % 3
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(300):
        loss = torch.nn.functional.cross_entropy(model(x), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert model(x).argmax(1).equal(wanted)
    assert all(torch.equal(a, b) for a, b in zip(before, (w for group in body for w in group.parameters()), strict=True))


def test_a_new_head_stands_where_the_old_one_stood():
    model = small("tinyvgg").to(torch.float64)
    model.replace_head(5)
    assert model(torch.randn(1, 3, 16, 16, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    ("name", "options", "published"),
    [
        ("resnet18", {}, 11_689_512),
        ("resnet34", {}, 21_797_672),
        ("mobilenet", {}, 3_504_872),
        ("mobilenet", {"width": 0.5}, 1_968_680),
        ("mobilenet", {"width": 1.4}, 6_108_776),
    ],
)
def test_with_a_thousand_classes_the_weights_are_as_many_as_in_public_implementations(name, options, published):
    with torch.device("meta"):
        model = build(name, classes=1000, **options)
    assert sum(weight.numel() for weight in model.parameters()) == published


def test_an_autoencoder_that_knows_one_texture_errs_where_another_is():
    torch.manual_seed(0)
    model = build("autoencoder", channels=1, width=4, latent=4).train()
    stripes = 0.5 + 0.4 * torch.sin(torch.arange(32.0) * 0.8).view(1, 1, 1, 32).expand(8, 1, 32, 32)
    usual = stripes + 0.02 * torch.randn(8, 1, 32, 32)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        loss = torch.nn.functional.mse_loss(model(usual), usual)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    unusual = usual.clone()
    unusual[:, :, 8:20, 8:20] = 0.9
    with torch.inference_mode():
        errors = model.errors(unusual)
    assert errors.shape == (8, 32, 32)
    assert errors[:, 8:20, 8:20].mean() > 5 * model.errors(usual).mean()


def test_a_generator_paints_within_its_range_and_differently_for_different_noise():
    torch.manual_seed(0)
    painter = build("dcgan-generator", size=32, width=8, noise=16)
    pictures = painter(torch.randn(4, 16))
    assert pictures.abs().max() <= 1
    assert (pictures[0] - pictures[1]).abs().max() > 0.01


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128])
def test_painter_and_judge_agree_on_every_size(size):
    painter, judge = build("dcgan-generator", size=size, width=2, noise=4), build("dcgan-discriminator", size=size, width=2)
    pictures = painter(torch.randn(3, 4))
    assert pictures.shape == (3, 3, size, size)
    assert judge(pictures).shape == (3,)
