"""Dirt as objects: connected parts of a mask, and which of them have to be found."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SURE = 4 / 255
"""A change by dirt from here on counts as dirt."""
LEAST_AREA, LEAST_CONTRAST = 6, 0.1
"""Objects that have to be found: pixels, and their mean change as a share of the range of codes."""
FALSE_AREA = 4
"""A false removal has so many connected pixels."""


def labelled(mask: Tensor) -> list[Tensor]:
    """Connected parts (8 neighbors) of a mask [H, W], each as a mask."""
    labels = torch.where(mask, torch.arange(1, mask.numel() + 1).view(mask.shape), 0).float()
    while True:
        grown = torch.where(mask, functional.max_pool2d(labels[None, None], 3, 1, 1)[0, 0], 0.0)
        if torch.equal(grown, labels):
            break
        labels = grown
    return [labels == value for value in sorted(set(labels.flatten().tolist())) if value > 0]


def wanted(change: Tensor) -> list[Tensor]:
    """The objects that have to be found, as masks; `change` [H, W] is how much dirt changed each pixel."""
    parts = labelled(change >= SURE) if float(change.max()) >= LEAST_CONTRAST else []
    return [part for part in parts if int(part.sum()) >= LEAST_AREA and float(change[part].mean()) >= LEAST_CONTRAST]
