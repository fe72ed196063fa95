"""Heat lies where the evidence is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pahara.training.tasks.explain import occlusion, overlay, time_occlusion, what_it_looks_at


class LooksLeft(nn.Module):
    """Class 1 is how bright the left half is; it has a feature map, as a CNN has."""

    def __init__(self, map_: bool = True) -> None:
        super().__init__()
        conv = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.ones_(conv.weight)
        self.conv = conv
        if map_:
            self.features = nn.Sequential(conv)

    def forward(self, x):
        bright = self.conv(x)[:, 0]
        left = bright[:, :, : bright.shape[2] // 2].mean((1, 2))
        return torch.stack([torch.zeros_like(left), left], 1)


def bright_spots():
    """A bright spot on the left, and one on the right."""
    x = torch.zeros(2, 3, 32, 32)
    x[0, :, 12:20, 4:12] = 1
    x[1, :, 12:20, 20:28] = 1
    return x


def test_grad_cam_points_at_the_bright_spot():
    heat, how = what_it_looks_at(LooksLeft(), bright_spots(), torch.tensor([1, 1]))
    assert how == "grad-cam"
    assert heat.shape == (2, 32, 32)
    assert heat.max() <= 1
    y, x = np.unravel_index(heat[0].argmax(), heat[0].shape)
    assert 12 <= y < 20
    assert 4 <= x < 12


def test_occlusion_finds_the_place_that_counts_and_no_other():
    heat = occlusion(LooksLeft(map_=False), bright_spots(), torch.tensor([1, 1]))
    assert heat[0, :, :16].mean() > 5 * heat[0, :, 20:].mean()


def test_a_model_without_a_map_is_asked_by_covering():
    assert what_it_looks_at(LooksLeft(map_=False), bright_spots(), torch.tensor([1, 1]))[1] == "occlusion"


def test_explaining_leaves_the_model_as_it_was():
    model = LooksLeft().train()
    what_it_looks_at(model, bright_spots(), torch.tensor([1, 1]))
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_the_moment_of_the_jump_matters():
    x = torch.zeros(1, 16, 1)
    x[0, 8:10] = 5.0  # something happens in the middle
    heat = time_occlusion(lambda w: torch.tanh(w.amax((1, 2))), x, parts=8)
    assert heat[0, 8:10].min() == pytest.approx(1.0)
    assert heat[0, :8].max() == 0


def test_no_heat_leaves_the_picture_alone():
    picture = np.full((20, 30, 3), 90, np.uint8)
    assert (overlay(picture, np.zeros((5, 5))) == picture).all()
    assert (overlay(picture, np.ones((5, 5))) != picture).any()
