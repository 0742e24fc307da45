"""A frame and its moved neighbors made one, with the noise that is left at each pixel: the twin of `src/stages/degrain`'s temporal path."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .align import confidence, pair_flows, warp

GUIDE_TIMES = 2.8
"""FFDNet leaves coarse grain: for guides it is told so many times what there is (as the stage does where the grain is coarse)."""
STRICTNESS = 0.25
"""The share of a neighbor falls to 1/e where its denoised copy is off by 4 σ²."""
RADIUS, STEP = 6, 2
"""The window over which noisy pictures are compared: half its side, and its step (gray, coarse grain has few independent values)."""


def _mean(plane: Tensor, radius: int) -> Tensor:
    """Mean of [1, H, W] over a square window, edges repeated."""
    padded = functional.pad(plane[None], (radius,) * 4, mode="replicate")
    return functional.avg_pool2d(padded, 2 * radius + 1, 1)[0]


def _spread_mean(plane: Tensor) -> Tensor:
    """Mean of [1, H, W] over every `STEP`-th pixel of a window, edges repeated."""
    height, width = plane.shape[-2:]
    padded = functional.pad(plane[None], (RADIUS,) * 4, mode="replicate")[0]
    shifts = range(0, 2 * RADIUS + 1, STEP)
    rows = torch.stack([padded[:, :, x : x + width] for x in shifts]).mean(0)
    return torch.stack([rows[:, y : y + height] for y in shifts]).mean(0)


def agreement(guide: Tensor, moved: Tensor, trust: Tensor, sigma: float) -> Tensor:
    """Share [1, H, W] of a neighbor whose denoised copy, moved, should equal the frame's; `trust` is its flow's."""
    off = _mean((guide - moved).pow(2).mean(0, keepdim=True), 2)
    return trust * torch.exp(-off * STRICTNESS / max(sigma**2, 1e-8))


def alike(frame: Tensor, neighbor: Tensor, sigma: float) -> Tensor:
    """Share [1, H, W] by the noisy pictures' own difference: neither another picture, nor the same noise."""
    ratio = _spread_mean((frame - neighbor).pow(2).mean(0, keepdim=True)) / max(2 * sigma**2, 1e-12)
    return ((3 - ratio) / 0.8).clamp(0, 1) * ((ratio - 0.1) / 0.2).clamp(0, 1)


def fuse(frames: Tensor, guides: Tensor, middle: int, sigma: float, rife: nn.Module) -> tuple[Tensor, Tensor]:
    """Frame `middle` of [N, 3, H, W] with all others: the mean [3, H, W], and the noise left in it [1, H, W].

    Motion is read from the guides, which are the frames without noise.
    """
    total, squares, colors = torch.ones(1, *frames.shape[-2:]), torch.ones(1, *frames.shape[-2:]), frames[middle].clone()
    for index in range(len(frames)):
        if index == middle:
            continue
        there, back = pair_flows(rife, guides[middle], guides[index])
        share = agreement(guides[middle], warp(guides[index], there), confidence(there, back), sigma)
        moved = warp(frames[index], there)
        weight = share * alike(frames[middle], moved, sigma)
        colors, total, squares = colors + weight * moved, total + weight, squares + weight**2
    return colors / total, sigma * squares.sqrt() / total
