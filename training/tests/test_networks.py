"""The rewritten parts of the networks compute what the originals do, on random weights."""

from __future__ import annotations

import torch
import torch.nn.functional as functional

from emulsion_training.ffdnet import LAYERS, Ffdnet
from emulsion_training.padding import needs_padding, pad_input_channels
from emulsion_training.rife import Residual, grid_inputs


def test_padding_is_asked_for_where_webgpu_is_wrong() -> None:
    assert [c for c in range(1, 40) if needs_padding(c, 3)] == [3, 6, 9, 15, 18, 21, 27, 30, 33, 39]
    assert not needs_padding(15, 1)


def test_added_channels_change_nothing() -> None:
    weight, image = torch.randn(8, 15, 3, 3), torch.randn(1, 15, 9, 7)
    padded = pad_input_channels(weight)
    assert padded.shape == (8, 16, 3, 3)
    fed = torch.cat([image, 100 * image[:, :1]], 1)
    assert torch.allclose(functional.conv2d(fed, padded), functional.conv2d(image, weight), atol=1e-4)


def test_ffdnet_by_slices_is_ffdnet_by_unshuffle() -> None:
    state = {}
    for index in range(LAYERS):
        channels, out = 13 if index == 0 else 96, 12 if index == LAYERS - 1 else 96
        state[f"model.{2 * index}.weight"] = torch.randn(out, channels, 3, 3) / (3 * channels**0.5)
        state[f"model.{2 * index}.bias"] = torch.randn(out) / 10
    image, sigma = torch.rand(1, 3, 12, 16), torch.rand(1, 1, 6, 8)
    x = torch.cat([functional.pixel_unshuffle(image, 2), sigma], 1)
    for index in range(LAYERS):
        x = functional.conv2d(x, state[f"model.{2 * index}.weight"], state[f"model.{2 * index}.bias"], padding=1)
        x = functional.relu(x) if index < LAYERS - 1 else x
    with torch.no_grad():
        result = Ffdnet(state)(image, sigma)
    assert torch.allclose(result, functional.pixel_shuffle(x, 2), atol=1e-5)


def test_beta_is_folded() -> None:
    weight, bias, beta = torch.randn(8, 8, 3, 3), torch.randn(8), torch.rand(1, 8, 1, 1)
    x = torch.randn(1, 8, 6, 6)
    expected = functional.leaky_relu(functional.conv2d(x, weight, bias, padding=1) * beta + x, 0.2)
    with torch.no_grad():
        result = Residual({"r.conv.weight": weight, "r.conv.bias": bias, "r.beta": beta}, "r")(x)
    assert torch.allclose(result, expected, atol=1e-5)


def test_the_grid_is_the_identity() -> None:
    picture = torch.rand(1, 3, 20, 30)
    grid, norm = grid_inputs(20, 30)
    same = functional.grid_sample(picture, grid.permute(0, 2, 3, 1), align_corners=True)
    assert torch.allclose(same, picture, atol=1e-5)
    right = torch.zeros(1, 2, 20, 30)
    right[:, 0] = 1
    moved = functional.grid_sample(picture, (grid + right * norm).permute(0, 2, 3, 1), align_corners=True)
    assert torch.allclose(moved[..., :-1], picture[..., 1:], atol=1e-5)
