"""From a soft mask to what is replaced, and by what: the same decisions as the stage `dust-bust` makes, at its defaults."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .align import Views
from .metrics import luma

SENSITIVITY = 0.5
REACH = 5
"""Half side of the window in which a sure pixel vouches for doubtful ones."""
GROW = 1
AROUND = 8
"""Reduction of the surroundings over which the neighbors' disagreement is averaged."""
GRAIN_APART = 1.6
"""Disagreement that is left to grain of σ 1: half as much again as it makes on average (2 ÷ √π), for grain is not even."""
CAUTION = 50.0
"""Dirt stands out by so many times what the neighbors disagree around it."""
SHIFT, BEYOND = 2, 0.6
"""Pixels by which an edge may lie elsewhere without being dirt; what no such shift explains of a difference, at least."""
NEAR, FAR, FAR_SHARE = 8, 64, 0.02
"""Surroundings that say how bright the rim is, in pixels, and how much the far ones count beside the near."""
EXPOSURE = 0.04
"""Differences up to this and twice the noise are the exposure's; larger ones are another picture's."""


def thresholds(sensitivity: float = SENSITIVITY) -> tuple[float, float]:
    """The mask's value of a sure pixel and of a doubtful one."""
    sure = 7 * (1 - sensitivity)
    return 1 / (1 + math.exp(-sure)), 1 / (1 + math.exp(-(sure - 2.5)))


def spread(plane: Tensor, radius: int) -> Tensor:
    """The largest value in a square window, [1, H, W]; beyond the edges there is nothing."""
    return functional.max_pool2d(plane[None], 2 * radius + 1, 1, radius)[0] if radius else plane


def unrest_of(views: Views, sigma: float) -> Tensor:
    """How far the two halves of the middle disagree around each pixel, beyond what grain of σ makes of it: [1, H, W].

    Where they do, motion is not understood, and a fast hand looks like dirt.
    """
    apart = (views.early - views.late).abs().mean(0, keepdim=True)
    return (_mean(apart, AROUND) - GRAIN_APART * sigma).clamp(min=0)


def vouching(mask: Tensor, frame: Tensor, healed: Tensor, unrest: Tensor, caution: float = CAUTION) -> Tensor:
    """The mask [1, H, W] where a pixel may vouch for dirt, else 0; at a caution of 0 the mask itself.

    It differs from its cure by `caution` times the unrest around it, and most of that difference lies beyond all that is near there (as
    in rank-ordered differences, Nadenau and Mitra 1996): an edge that the flow left aside is not dirt.
    """
    if caution == 0:
        return mask
    contrast = (frame - healed).abs().mean(0, keepdim=True)
    y, cure = luma(frame)[None], luma(healed)[None]
    beyond = torch.maximum(y - spread(cure, SHIFT), -spread(-cure, SHIFT) - y)
    return torch.where((contrast >= caution * unrest) & (beyond >= BEYOND * (y - cure).abs()), mask, 0.0)


def decide(mask: Tensor, vouch: Tensor, sensitivity: float = SENSITIVITY, grow: int = GROW) -> Tensor:
    """Share of the healed picture, [1, H, W]: 0 outside, softened within the outermost pixel of what is replaced.

    `vouch` is the mask of what may be sure (`vouching`).
    """
    sure, doubtful = thresholds(sensitivity)
    kept = ((mask > doubtful) & (spread(vouch, REACH) > sure)).float()
    grown = spread(kept, grow)
    padded = functional.pad(grown[None], (1, 1, 1, 1), mode="replicate")
    return grown * functional.avg_pool2d(padded, 3, 1)[0]


def leveled(frame: Tensor, healed: Tensor, share: Tensor, sigma: float) -> Tensor:
    """The healed picture [3, H, W] at the level of the frame around what is replaced: the twin of `src/stages/dust-bust/gpu.ts`."""
    off = frame - healed
    weight = torch.where(share > 0, 0.0, torch.exp(-off.pow(2).sum(0, keepdim=True) / (3 * (EXPOSURE + 2 * sigma) ** 2)))
    rim = torch.cat([weight * off, weight])
    near, far = (_mean(rim, factor) for factor in (NEAR, FAR))
    both = near + FAR_SHARE * far
    return healed + both[:3] / (both[3:] + 1e-4)


def _mean(planes: Tensor, factor: int) -> Tensor:
    height, width = planes.shape[-2:]
    # Halves are rounded up, as in the app.
    size = (max(1, int(height / factor + 0.5)), max(1, int(width / factor + 0.5)))
    small = functional.interpolate(planes[None], size=size, mode="bilinear", antialias=True)
    return functional.interpolate(small, size=(height, width), mode="bilinear")[0]


def put(frame: Tensor, healed: Tensor, share: Tensor) -> Tensor:
    """The healed picture where the share is above 0; elsewhere the frame's very values."""
    return torch.where(share > 0, frame + (healed - frame) * share, frame)


def classical(frame: Tensor, before: Tensor, after: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The detector that needs no training (SDIp, Kokaram 1998), and its cure: share and picture.

    A pixel is dirt where its luma stands out from both aligned neighbors on the same side by 4 σ (5 % at least); the mean
    of both heals.
    """
    weights = torch.tensor([0.2126, 0.7152, 0.0722]).view(3, 1, 1)
    y, a, b = ((picture * weights).sum(0, keepdim=True) for picture in (frame, before, after))
    away = torch.maximum(torch.minimum(y - a, y - b), torch.minimum(a - y, b - y))
    found = (away > max(4 * sigma, 0.05)).float()
    return spread(found, GROW), (before + after) / 2
