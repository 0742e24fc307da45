"""Where the crops of a card lie."""

from __future__ import annotations

import torch
from torch import Tensor


def fullest(mask: Tensor, side: int) -> tuple[int, int]:
    """Corner (top, left) of the square with most of a mask [H, W] in it, for crops of a card; the middle where it is empty."""
    height, width = mask.shape
    high, wide = min(side, height), min(side, width)
    if float(mask.max()) == 0:
        return (height - high) // 2, (width - wide) // 2
    sums = torch.nn.functional.avg_pool2d(mask[None, None], (high, wide), 8)[0, 0]
    at = int(sums.argmax())
    return at // sums.shape[1] * 8, at % sums.shape[1] * 8
