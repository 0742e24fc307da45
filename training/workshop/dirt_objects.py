"""Dirt as objects: connected parts of a mask, and which of them have to be found."""

from __future__ import annotations

import torch
from torch import Tensor

from .parts import parts_of

SURE = 4 / 255
"""A change by dirt from here on counts as dirt."""
LEAST_AREA, LEAST_CONTRAST = 6, 0.1
"""Objects that have to be found: pixels, and their mean change as a share of the range of codes."""
FALSE_AREA = 4
"""A false removal has so many connected pixels."""


def labelled(mask: Tensor) -> list[Tensor]:
    """Connected parts (8 neighbors) of a mask [H, W], each as a mask."""
    which = torch.full(mask.shape, -1, dtype=torch.int64)
    which[mask] = torch.from_numpy(parts_of(mask.numpy()))
    return [which == number for number in range(int(which.max()) + 1)]


def wanted(change: Tensor) -> list[Tensor]:
    """The objects that have to be found, as masks; `change` [H, W] is how much dirt changed each pixel."""
    parts = labelled(change >= SURE) if float(change.max()) >= LEAST_CONTRAST else []
    return [part for part in parts if int(part.sum()) >= LEAST_AREA and float(change[part].mean()) >= LEAST_CONTRAST]
